//! `codes.md` explains exactly the terms of shipper-core, and its texts are complete, safe to show and consistent.

use std::collections::BTreeSet;

use serde::de::value::Error;
use serde::{Deserialize, Deserializer, de};
use shipper_core::audit::{
    Conclusion, DecisionStatus, FindingCode, Integrity, Level, RegistrySource, SidecarStatus, TailStatus, UnprovenCause,
};
use shipper_core::fold::{Evidence, EvidenceFlaw};
use shipper_core::{RefusalCode, VerdictKind};

use super::reference::{GROUPS, PAGE, explanations, explanations_of, parse, section};
use super::render::{for_terminal, wrap};
use super::{ExplainTopic, Explanation};

/// Deserializer that only collects the names of an enum's variants.
struct VariantNames<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for VariantNames<'_> {
    type Error = Error;

    fn deserialize_enum<V: de::Visitor<'de>>(
        self,
        _: &str,
        variants: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Error> {
        *self.0 = variants;
        Err(de::Error::custom("collected"))
    }

    fn deserialize_any<V: de::Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(de::Error::custom("no enum"))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct newtype_struct
        seq tuple tuple_struct map struct identifier ignored_any
    }
}

/// Every value of an enum, as reports write it.
fn values<T: for<'de> Deserialize<'de>>() -> Vec<T> {
    let mut names: &[&str] = &[];
    let _ = T::deserialize(VariantNames(&mut names));
    assert!(!names.is_empty());
    names.iter().map(|name| serde_json::from_value((*name).into()).unwrap()).collect()
}

/// (Pass) Every term of shipper-core has exactly one explanation of its kind, and no other term has any.
#[test]
fn every_term_is_explained_once() {
    let mut terms: Vec<(String, &str)> = Vec::new();
    let mut add =
        |kind: &str, names: Vec<&'static str>| terms.extend(names.into_iter().map(|name| (kind.to_owned(), name)));
    macro_rules! add {
        ($($Type:ty: $kind:literal),*) => {$(
            add($kind, values::<$Type>().into_iter().map(<$Type>::as_str).collect());
        )*};
    }
    add! {
        RefusalCode: "a reason to refuse",
        VerdictKind: "a verdict of the gate",
        DecisionStatus: "the status of a decision",
        UnprovenCause: "the cause why a decision is unproven",
        Evidence: "the evidence of a receipt",
        EvidenceFlaw: "a flaw in the evidence of a receipt",
        Integrity: "the integrity of a log",
        TailStatus: "the tail of a log",
        SidecarStatus: "the status of the sidecar",
        RegistrySource: "the source of a registry's name",
        Level: "the level of a finding"
    }
    for conclusion in values::<Conclusion>() {
        add(&format!("a conclusion, exit status {}", conclusion.exit_code()), vec![conclusion.as_str()]);
    }
    for code in FindingCode::ALL {
        add(&format!("a finding, {}", code.level().as_str()), vec![code.as_str()]);
    }
    let mut explained: Vec<(String, &str)> = explanations().map(|one| (one.kind.to_owned(), one.term)).collect();
    terms.sort_unstable();
    explained.sort_unstable();
    assert_eq!(explained, terms);
    assert_eq!(values::<FindingCode>(), FindingCode::ALL);
    assert!(explanations_of("all").chain(explanations_of("list")).next().is_none(), "these are topics of their own");
}

/// (Pass) The list of a group repeats levels and summaries of its sections.
#[test]
fn lists_agree_with_sections() {
    let contents = PAGE.split("\n## ").next().unwrap();
    let items: Vec<String> =
        contents.split("\n- ").skip(1).map(|item| item.split("\n\n").next().unwrap().replace("\n  ", " ")).collect();
    let expected =
        explanations().map(|Explanation { term, .. }| term).zip(explanations()).map(|(term, explanation)| {
            let level = explanation.level().map_or(String::new(), |level| format!(", {level}"));
            format!("[`{term}`](#{term}){level}: {}", explanation.summary())
        });
    assert_eq!(items.iter().map(|item| item.trim_end()).collect::<Vec<_>>(), expected.collect::<Vec<_>>());
    assert_eq!(GROUPS.len(), contents.matches("\n**").count());
}

/// (Pass) Texts are sentences, no part repeats another one, and a summary is short.
#[test]
fn texts_are_sentences() {
    let mut known: BTreeSet<&str> = BTreeSet::new();
    for explanation in explanations() {
        let term = explanation.term;
        assert!(explanation.summary().ends_with('.') && explanation.summary().len() <= 160, "{term}");
        for (label, text) in explanation.parts() {
            assert!(text.ends_with('.') && !text.contains("  "), "{term}, {label}: {text}");
            let first = text.chars().next().unwrap();
            assert!(first.is_ascii_uppercase() || first == '`', "{term}, {label}: {text}");
            assert!(text.matches(". ").count() < 5, "{term}, {label}, is long: {text}");
            assert!(known.insert(text) || text.len() < 60, "{term}, {label}, repeats: {text}");
        }
    }
}

/// (Pass) Outside backticks nothing is markup; between them, a hyphenated word is a term.
#[test]
fn texts_are_safe_to_show_anywhere() {
    let is_hyphenated = |span: &&str| {
        span.contains('-')
            && span.split('-').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase()))
    };
    for explanation in explanations() {
        for (label, text) in explanation.parts() {
            assert!(text.matches('`').count() % 2 == 0, "{}, {label}: {text}", explanation.term);
            let plain: String = text.split('`').step_by(2).collect();
            assert!(!plain.contains(['*', '_', '<', '>', '|', '[', ']', '#', '\\']), "{}: {plain}", explanation.term);
            for span in text.split('`').skip(1).step_by(2).filter(is_hyphenated) {
                assert!(explanations_of(span).next().is_some(), "{}: `{span}` is no term", explanation.term);
            }
        }
        assert!(!explanation.plain().contains('`'));
        assert_eq!(explanation.markdown().matches("\n\n").count(), 3, "{}: four paragraphs", explanation.term);
        assert!(section(explanation.term).unwrap().contains(&format!("*As {}*", explanation.kind)));
    }
}

/// (Fail) A file that is not in the form is rejected, with the term in question.
#[test]
fn malformed_files_are_rejected() {
    let texts = "**What it means.** A.\n\n**How it arises.** B.\n\n**What follows, and what does not.** C.\n\n**What to do.** D.";
    let page = format!("# T\n\n**G**\n\nP.\n\n- [`a`](#a): A.\n\n## a\n\n*As a*\n\n{texts}\n");
    let leaked = |page: String| parse(Box::leak(page.into_boxed_str()));
    let sound = leaked(page.clone()).unwrap();
    assert_eq!((sound[0].title, sound[0].explanations[0].causes.as_str()), ("G", "B."));
    for (sound, broken, error) in [
        ("*As a*", "As a", "a: not a kind"),
        ("**How", "**Why", "a: not a kind"),
        (" C.", "\n\nC.", "a: not a kind"),
        (" D.", " D, see [`x`](#y).", "a: not a kind"),
        ("- [`a`](#a)", "- [`b`](#b)", "b: listed more often"),
        ("- [`a`](#a)", "a", "a as a: in no group"),
        ("**G**", "G", "a: in no group"),
        ("**G**", "**G** x", "G** x: a title"),
        ("## a\n\n", "## a\n", "a\n*As a*"),
        ("## a", &format!("## a\n\n*As a*\n\n{texts}\n\n## a"), "a: two sections"),
    ] {
        let message = leaked(page.replacen(sound, broken, 1)).unwrap_err();
        assert!(message.starts_with(error) || message.contains("no explanation"), "{broken}: {message}");
    }
}

/// (Pass) Text is broken between words, never within what is to be typed.
#[test]
fn lines_are_wrapped() {
    assert_eq!(wrap("  one two `three four` five", 12, "  "), "  one two\n  `three four`\n  five");
    assert_eq!(wrap("", 12, "  "), "");
    let text = for_terminal(explanations(), 72, false);
    let long = text.lines().find(|line| line.chars().count() > 72 && line.trim_start().matches(' ').count() > 12);
    assert_eq!(long, None);
    assert!(!text.lines().any(|line| line.ends_with(' ')), "{text}");
}

/// (Fail) An unknown term is answered with similar ones.
#[test]
fn unknown_terms_are_answered_with_similar_ones() {
    for (asked, offered) in [
        ("corupt-line", "; did you mean corrupt-line"),
        ("CHAIN_BROKEN", "; did you mean chain-broken"),
        ("authorised", "; did you mean authorized"),
        ("stale", "; did you mean stale-plan"),
        ("zzz", "; --explain list names every word"),
        ("", "; --explain list names every word"),
    ] {
        let message = asked.parse::<ExplainTopic>().unwrap_err().to_string();
        assert!(message.contains(offered), "{asked}: {message}");
    }
    assert_eq!("all".parse(), Ok(ExplainTopic::All));
}
