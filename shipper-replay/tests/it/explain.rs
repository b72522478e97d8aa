//! `--explain` explains every term that a report can contain, and docs/codes.md equals its output. An auditor acts on
//! these terms, so each must have exactly one meaning.
//!
//! The source is src/explain/codes.md, which is in the crate so that it is packaged. docs/codes.md is a copy:
//! `UPDATE_PAGES=1 cargo test -p shipper-replay --test it explain` writes it.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use crate::support::{replay, report, seen};
use serde::de::value::Error;
use serde::{Deserialize, Deserializer, de};
use shipper_core::audit::{
    AcceptedCause, Conclusion, DecisionStatus, FindingCode, Integrity, Level, PacketStatus, RegistrySource,
    SidecarStatus, TailStatus, UnprovenCause,
};
use shipper_core::fold::{Evidence, EvidenceFlaw};
use shipper_core::{RefusalCode, VerdictKind};

/// The labels of the paragraphs of an explanation. The page omits the first.
const LABELS: [&str; 3] = ["What it means", "Why it matters", "What to do"];

/// An option in the texts that belongs to the shipper tool.
const ELSEWHERE: &str = "--skip-rehearsal";

fn page(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name)
}

/// Returns the complete reference that the program prints.
fn reference() -> String {
    let output = replay(&["--explain", "all", "--format", "markdown"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Returns the output of the program for a term.
fn explained(word: &str) -> String {
    let output = replay(&["--explain", word]);
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert_eq!(output.status.code(), Some(0), "{word}: {}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty(), "{word}");
    text
}

/// docs/codes.md equals the output of the program.
#[test]
fn codes_page_equals_the_printed_reference() {
    let printed = reference();
    if std::env::var_os("UPDATE_PAGES").is_some() {
        fs::write(page("codes.md"), printed).expect("it can be written");
        return;
    }
    let committed = fs::read_to_string(page("codes.md")).expect("the page");
    assert!(committed == printed, "docs/codes.md is stale; UPDATE_PAGES=1 updates it");
}

/// Every finding code is explained with its level, and its row in docs/auditing.md has the same level and summary and a
/// link to its section.
#[test]
fn every_code_is_explained() {
    let auditing = fs::read_to_string(page("auditing.md")).expect("the page");
    for code in FindingCode::ALL {
        let text = explained(code.as_str());
        let head = format!("{code}: a finding, {}\n", code.level().as_str());
        assert!(text.contains(&head), "{code}: {text}");
        let means: Vec<&str> = text.split("What it means\n").nth(1).expect("a meaning").split_whitespace().collect();
        let means = means.join(" ");
        let short = means.split_inclusive(". ").next().expect("a sentence").trim_end();
        let row = auditing.lines().find(|line| line.starts_with(&format!("| `{code}` |"))).expect("a row");
        assert!(row.ends_with(&format!("| [{short}](codes.md#{code}) |")), "{row}: {short}");
    }
}

/// An explanation in the reference.
struct Explained {
    term: String,
    kind: String,
    /// The labels and the texts of its paragraphs, each on one line and without links.
    paragraphs: Vec<(String, String)>,
}

impl Explained {
    /// Returns whether it is an ordinary word. A text in a list is enough then: a finding or a verdict has the details.
    fn is_word(&self) -> bool {
        self.kind.starts_with("the ") && self.kind != "the status of a decision"
    }

    /// Returns the first sentence of the meaning.
    fn summary(&self) -> &str {
        self.paragraphs[0].1.split_inclusive(". ").next().expect("a sentence").trim_end()
    }
}

/// Returns the explanations of the reference: those of ordinary words in its lists, and those of its sections.
fn explanations() -> Vec<Explained> {
    let (mut explanations, mut title): (Vec<Explained>, &str) = (Vec::new(), "");
    let reference = reference();
    let mut sections = reference.split("\n## ");
    for paragraph in sections.next().expect("the lists").split("\n\n") {
        title = paragraph.strip_prefix("**").and_then(|title| title.strip_suffix("**")).unwrap_or(title);
        for word in paragraph.split("- `").skip(1) {
            let (term, text) = word.split_once("`: ").expect("a text");
            let text = without_links(&text.split_whitespace().collect::<Vec<_>>().join(" "));
            let (term, kind, paragraphs) = (term.to_owned(), title.to_lowercase(), vec![(LABELS[0].to_owned(), text)]);
            explanations.push(Explained { term, kind, paragraphs });
        }
    }
    for section in sections {
        let (term, body) = section.split_once("\n\n").expect("a body");
        for paragraph in body.trim_end().split("\n\n") {
            let paragraph = paragraph.replace('\n', " ");
            if let Some(kind) = paragraph.strip_prefix("*As ").and_then(|kind| kind.strip_suffix('*')) {
                explanations.push(Explained { term: term.to_owned(), kind: kind.to_owned(), paragraphs: Vec::new() });
            } else {
                let labelled = paragraph.strip_prefix("**").and_then(|rest| rest.split_once(".** "));
                let labelled = labelled.unwrap_or((LABELS[0], &paragraph));
                let own = explanations.last_mut().filter(|explanation| explanation.term == term).expect("a kind");
                own.paragraphs.push((labelled.0.to_owned(), without_links(labelled.1)));
            }
        }
    }
    explanations
}

/// Returns a text with the links replaced by the terms that they lead to.
fn without_links(text: &str) -> String {
    let mut parts = text.split("](#");
    let first = parts.next().expect("a text").to_owned();
    let plain = parts.fold(first, |plain, part| plain + part.split_once(')').expect("the end of a link").1);
    plain.replace("[`", "`")
}

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

/// Returns the names of an enum's variants, as reports write them.
fn names<T: for<'de> Deserialize<'de>>() -> Vec<String> {
    let mut names: &[&str] = &[];
    let _ = T::deserialize(VariantNames(&mut names));
    assert!(!names.is_empty());
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// Every term of shipper-core has exactly one explanation of its kind, and no other term has one.
#[test]
fn every_term_is_explained_once() {
    let mut terms: Vec<(String, String)> = Vec::new();
    // The other causes that `--accept` accepts are reasons why a decision is unproven.
    let unproven = names::<UnprovenCause>();
    let accepted_only = names::<AcceptedCause>().into_iter().filter(|name| !unproven.contains(name)).collect();
    for (kind, names) in [
        ("a reason to refuse", names::<RefusalCode>()),
        ("a verdict of the gate", names::<VerdictKind>()),
        ("the status of a decision", names::<DecisionStatus>()),
        ("the reason why a decision is unproven", names::<UnprovenCause>()),
        ("the accepted cause of a log", accepted_only),
        ("the evidence of a receipt", names::<Evidence>()),
        ("a flaw in the evidence of a receipt", names::<EvidenceFlaw>()),
        ("the integrity of a log", names::<Integrity>()),
        ("the tail of a log", names::<TailStatus>()),
        ("the status of the sidecar", names::<SidecarStatus>()),
        ("the status of a file of the packet", names::<PacketStatus>()),
        ("the source of a registry's name", names::<RegistrySource>()),
        ("the level of a finding", names::<Level>()),
    ] {
        terms.extend(names.into_iter().map(|name| (kind.to_owned(), name)));
    }
    for name in names::<Conclusion>() {
        let conclusion: Conclusion = serde_json::from_value(name.clone().into()).expect("a conclusion");
        terms.push((format!("a conclusion, exit status {}", conclusion.exit_code()), name));
    }
    for code in FindingCode::ALL {
        terms.push((format!("a finding, {}", code.level().as_str()), code.as_str().to_owned()));
    }
    let mut explained: Vec<(String, String)> = explanations().into_iter().map(|one| (one.kind, one.term)).collect();
    terms.sort_unstable();
    explained.sort_unstable();
    assert_eq!(explained, terms);
    assert_eq!(names::<FindingCode>(), FindingCode::ALL.iter().map(|code| code.as_str()).collect::<Vec<_>>());
    let is_topic = |(_, term): &(String, String)| term == "all" || term == "list";
    assert!(!explained.iter().any(is_topic), "these are topics of their own");
}

/// The list of a group repeats the levels and summaries of its sections, each once.
#[test]
fn lists_agree_with_sections() {
    let reference = reference();
    let contents = reference.split("\n## ").next().expect("the contents");
    let item = |item: &str| item.split("\n\n").next().expect("an item").replace("\n  ", " ").trim_end().to_owned();
    let mut items: Vec<String> = contents.split("\n- [").skip(1).map(item).collect();
    let mut expected: Vec<String> = Vec::new();
    for explanation in explanations().iter().filter(|explanation| !explanation.is_word()) {
        let level = explanation.kind.strip_prefix("a finding, ").map_or(String::new(), |level| format!(", {level}"));
        expected.push(format!("`{0}`](#{0}){level}: {1}", explanation.term, explanation.summary()));
    }
    items.sort_unstable();
    expected.sort_unstable();
    assert_eq!(items, expected);
}

/// An explanation has three texts of sentences; an ordinary word has one. No text repeats another, and a summary is short.
#[test]
fn texts_are_sentences() {
    let explanations = explanations();
    let mut known: BTreeSet<&str> = BTreeSet::new();
    for explanation in &explanations {
        let term = &explanation.term;
        assert!(explanation.summary().ends_with('.') && explanation.summary().len() <= 160, "{term}");
        let labels: Vec<&str> = explanation.paragraphs.iter().map(|(label, _)| label.as_str()).collect();
        assert_eq!(labels, LABELS[..if explanation.is_word() { 1 } else { 3 }], "{term}");
        for (label, text) in &explanation.paragraphs {
            assert!(text.ends_with('.') && !text.contains("  "), "{term}, {label}: {text}");
            let first = text.chars().next().expect("a text");
            assert!(first.is_ascii_uppercase() || first == '`', "{term}, {label}: {text}");
            assert!(text.matches(". ").count() < 5, "{term}, {label}, is long: {text}");
            assert!(known.insert(text) || text.len() < 60, "{term}, {label}, repeats: {text}");
        }
    }
}

/// On a terminal, the texts are the same without links. Outside backticks nothing is markup, and a hyphenated word in
/// backticks is a term.
#[test]
fn texts_are_safe_to_show_anywhere() {
    let explanations = explanations();
    let is_hyphenated = |span: &&str| {
        span.contains('-')
            && span.split('-').all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase()))
    };
    let printed = explained("all").split_whitespace().collect::<Vec<_>>().join(" ");
    for explanation in &explanations {
        let mut shown = format!("{}: {}", explanation.term, explanation.kind);
        for (label, text) in &explanation.paragraphs {
            let plain: String = text.split('`').step_by(2).collect();
            assert!(!plain.contains(['*', '_', '<', '>', '|', '[', ']', '#', '\\']), "{}: {plain}", explanation.term);
            assert!(text.matches('`').count().is_multiple_of(2), "{}: {text}", explanation.term);
            for span in text.split('`').skip(1).step_by(2).filter(is_hyphenated) {
                assert!(explanations.iter().any(|one| one.term == span), "{}: `{span}` is no term", explanation.term);
            }
            shown += &format!(" {label} {text}");
        }
        assert!(printed.contains(&shown), "{shown}");
    }
}

/// SARIF has the three texts of a code, both as Markdown and without markup.
#[test]
fn sarif_help_has_every_text() {
    let sarif = replay(&["--format", "sarif", "real/pass-1crate"]).stdout;
    let sarif: serde_json::Value = serde_json::from_slice(&sarif).expect("JSON");
    let rules = sarif["runs"][0]["tool"]["driver"]["rules"].as_array().expect("rules");
    for rule in rules.iter().filter(|rule| FindingCode::ALL.iter().any(|code| rule["id"] == code.as_str())) {
        let help = |form: &str| rule["help"][form].as_str().expect("a text");
        assert!(!help("text").contains('`') && !help("markdown").contains("]("), "{rule}");
        assert_eq!((help("text").matches("\n\n").count(), help("markdown").matches("\n\n").count()), (2, 2), "{rule}");
    }
}

/// Text is broken between words into short lines, but never within code that a reader may copy.
#[test]
fn lines_are_wrapped() {
    let text = explained("all");
    let is_long = |line: &&str| line.chars().count() > 100 && line.trim_start().contains(' ');
    assert_eq!(text.lines().find(is_long), None);
    assert!(text.lines().all(|line| !line.ends_with(' ') && line.matches('`').count().is_multiple_of(2)), "{text}");
    assert!(text.lines().any(|line| line.chars().count() > 90));
}

/// Collects every term of a JSON report: the strings of members with a closed vocabulary.
fn words_of(report: &serde_json::Value, words: &mut Vec<String>) {
    const MEMBERS: [&str; 11] = [
        "code",
        "level",
        "conclusion",
        "status",
        "because",
        "integrity",
        "tail",
        "evidence",
        "unsound",
        "reasons",
        "registry_source",
    ];
    match report {
        serde_json::Value::Object(members) => {
            for (name, value) in members {
                if MEMBERS.contains(&name.as_str()) {
                    let one_or_many = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
                    words.extend(one_or_many.iter().filter_map(|word| Some(word.as_str()?.to_owned())));
                } else {
                    words_of(value, words);
                }
            }
        }
        serde_json::Value::Array(values) => values.iter().for_each(|value| words_of(value, words)),
        _ => {}
    }
}

/// Every term in the reports on all fixtures is explained in the reference.
#[test]
fn every_word_of_the_fixtures_is_explained() {
    let (explanations, mut words) = (explanations(), Vec::new());
    words_of(&report(&["real", "damaged", "recorded"]), &mut words);
    assert!(words.len() > 100, "{} words", words.len());
    for word in words {
        assert!(explanations.iter().any(|one| one.term == word), "{word}");
    }
}

/// Every option that a text names is an option of the program, so that a reader can use it.
#[test]
fn every_option_in_the_texts_exists() {
    let help = String::from_utf8(replay(&["--help"]).stdout).expect("UTF-8");
    let codes = reference();
    let of_option = |character: char| character.is_ascii_lowercase() || character == '-';
    for option in codes.split(['`', ' ', '\n']).filter(|word| word.starts_with("--")) {
        assert!(option.chars().all(of_option), "{option}");
        let exists = [' ', '\n'].iter().any(|end| help.contains(&format!("{option}{end}")));
        assert!(exists || option == ELSEWHERE, "{option}");
    }
}

/// An unknown term is a usage error with status 2, no standard output, and similar terms.
#[test]
fn unknown_words_are_usage_errors() {
    for (args, expected) in [
        (&["--explain", "corupt-line"][..], "similar terms: corrupt-line"),
        (&["--explain", "CHAIN_BROKEN"], "similar terms: chain-broken"),
        (&["--explain", "authorised"], "similar terms: authorized"),
        (&["--explain", "stale"], "similar terms: stale-plan"),
        (&["--explain", "zzz"], "this term\n\n  tip: --explain list prints all terms"),
        (&["--explain", ""], "this term\n\n  tip: --explain list prints all terms"),
        (&["--explain"], "a value is required"),
        (&["--explain", "broken", "real/pass-1crate"], "cannot be used with"),
        (&["--explain", "broken", "--format", "json"], "--explain does not support"),
    ] {
        let output = replay(args);
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {message}");
        assert!(output.stdout.is_empty(), "{args:?}");
        assert!(message.starts_with("error: ") && message.contains(expected), "{args:?}: {message}");
    }
}

/// The form for terminals adds only colour, and the Markdown form of a term is its section of the page.
#[test]
fn terminal_and_markdown_forms_agree() {
    let colored = String::from_utf8(replay(&["--color", "always", "--explain", "broken"]).stdout).expect("UTF-8");
    assert_eq!(colored.replace("\u{1b}[1m", "").replace("\u{1b}[0m", ""), explained("broken"));
    let section = |word| String::from_utf8(replay(&["--explain", word, "--format", "markdown"]).stdout).expect("UTF-8");
    assert!(section("dormant").starts_with("## dormant\n") && reference().contains(&section("dormant")));
    assert!(section("clean").starts_with("**What it means.** The log ends "), "{}", section("clean"));
}

/// Defines a snapshot test for each term.
macro_rules! snapshots {
    ($($(#[$doc:meta])* $name:ident: $word:literal;)*) => {
        $(
            $(#[$doc])*
            #[test]
            fn $name() {
                insta::assert_snapshot!(seen(&replay(&["--explain", $word])));
            }
        )*
    };
}

snapshots! {
    /// A finding.
    corrupt_line: "corrupt-line";
    /// A term of two kinds.
    unknown_gate_event: "unknown-gate-event";
    /// A conclusion, which is also a decision status.
    verified: "verified";
    /// The list of all terms.
    list: "list";
    /// An unknown term.
    unknown: "shared-authorities";
}
