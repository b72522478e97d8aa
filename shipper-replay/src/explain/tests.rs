//! The texts are complete, well-formed and agree with themselves.

use shipper_core::audit::FindingCode;

use super::terminal::{explain, wrapped};
use super::{Asked, Entry, Subject, about, ask, entries, entry, page};

/// What stands between backticks in the texts of an entry.
fn code_in(entry: &Entry) -> Vec<&'static str> {
    let spans = entry.parts().into_iter().flat_map(|(_, text)| text.split('`').skip(1).step_by(2));
    spans.collect()
}

fn is_word_of_words(span: &str) -> bool {
    let lower = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    span.contains('-') && span.split('-').all(lower)
}

/// (Pass) Every code of a finding has its entry, once: the enum is open, so the compiler does not look.
#[test]
fn every_code_is_explained() {
    for code in FindingCode::ALL {
        assert_eq!(entry(*code).map(Entry::word), Some(code.as_str()));
    }
    let findings = entries().filter(|entry| matches!(entry.subject, Subject::Finding(_)));
    assert_eq!(findings.count(), FindingCode::ALL.len(), "none stands twice");
}

/// (Pass) A word is the one that stands in the JSON report.
#[test]
fn words_are_those_of_the_report() {
    for entry in entries() {
        let json = match entry.subject {
            Subject::Finding(word) => serde_json::to_value(word),
            Subject::Reason(word) => serde_json::to_value(word),
            Subject::Verdict(word) => serde_json::to_value(word),
            Subject::Status(word) => serde_json::to_value(word),
            Subject::Because(word) => serde_json::to_value(word),
            Subject::Conclusion(word) => serde_json::to_value(word),
            Subject::Evidence(word) => serde_json::to_value(word),
            Subject::Flaw(word) => serde_json::to_value(word),
            Subject::Integrity(word) => serde_json::to_value(word),
            Subject::Tail(word) => serde_json::to_value(word),
            Subject::Sidecar(word) => serde_json::to_value(word),
            Subject::Registry(word) => serde_json::to_value(word),
            Subject::Level(word) => serde_json::to_value(word),
        };
        assert_eq!(json.expect("it serializes"), entry.word());
    }
}

/// (Pass) Texts are sentences, no part repeats another one's, and the first sentence is short enough to stand alone.
#[test]
fn texts_are_sentences() {
    let mut told: Vec<&str> = Vec::new();
    for entry in entries() {
        let word = entry.word();
        assert!(entry.short().ends_with('.') && entry.short().len() <= 160, "{word}: {}", entry.short());
        for (head, text) in entry.parts() {
            assert!(text.ends_with('.') && !text.contains("  "), "{word}, {head}: {text}");
            assert!(
                text.starts_with(|first: char| first.is_ascii_uppercase() || first == '`'),
                "{word}, {head}: {text}"
            );
            assert!(text.matches(". ").count() < 5, "{word}, {head}, is long: {text}");
            assert!(!told.contains(&text) || text.len() < 60, "{word}, {head}, was told before: {text}");
            told.push(text);
        }
    }
}

/// (Pass) Outside backticks nothing is markup; between them, what looks like a word of a report is one.
#[test]
fn texts_are_safe_to_show_anywhere() {
    for entry in entries() {
        for (head, text) in entry.parts() {
            assert!(text.matches('`').count() % 2 == 0, "{}, {head}: {text}", entry.word());
            let plain: String = text.split('`').step_by(2).collect();
            let markup = plain.contains(['*', '_', '<', '>', '|', '[', ']', '#', '\\']);
            assert!(!markup, "{}, {head}: {plain}", entry.word());
        }
        for span in code_in(entry).into_iter().filter(|span| is_word_of_words(span)) {
            assert!(!about(span).is_empty(), "{}: `{span}` is no word of a report", entry.word());
        }
        assert!(!entry.plain().contains('`'));
        assert_eq!(entry.markdown().matches("\n\n").count(), 3, "{}: four paragraphs", entry.word());
    }
}

/// (Pass) No line of the reference begins with what Markdown takes for something else, and each word has one section.
#[test]
fn the_reference_is_well_formed() {
    let page = page::reference();
    let sections: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    for entry in entries() {
        assert_eq!(sections.iter().filter(|section| **section == entry.word()).count(), 1, "{}", entry.word());
    }
    for line in page.lines() {
        let number = line.trim_start().trim_start_matches(|digit: char| digit.is_ascii_digit());
        assert!(!(number.len() < line.trim_start().len() && number.starts_with(['.', ')'])), "{line}");
        assert!(!line.starts_with("- ") || line.starts_with("- [`"), "{line}");
        assert!(!line.starts_with(['+', '>', '=', '|']), "{line}");
    }
}

/// (Pass) Text is broken between words, never within what is to be typed.
#[test]
fn lines_are_wrapped() {
    assert_eq!(wrapped("  one two `three four` five", 12, "  "), "  one two\n  `three four`\n  five");
    assert_eq!(wrapped("", 12, "  "), "");
    for entry in entries() {
        let text = explain(entry.word(), 72, false).expect("it is explained");
        let long = text.lines().find(|line| line.chars().count() > 72 && line.trim_start().matches(' ').count() > 12);
        assert_eq!(long, None);
        assert!(!text.lines().any(|line| line.ends_with(' ')), "{text}");
    }
}

/// (Fail) A word that no report says is met with those that are like it.
#[test]
fn unknown_words_are_met_with_others() {
    for (asked, offered) in [
        ("corupt-line", "did you mean corrupt-line"),
        ("CHAIN_BROKEN", "did you mean chain-broken"),
        ("authorised", "did you mean authorized"),
        ("stale", "did you mean stale-plan"),
        ("zzz", "list names every word"),
        ("", "list names every word"),
    ] {
        let message = ask::unknown(asked);
        assert!(message.contains(offered), "{asked}: {message}");
        assert!(asked.parse::<Asked>().is_err());
    }
    assert!(about("all").is_empty() && about("list").is_empty(), "these are no words of a report");
    assert_eq!("all".parse(), Ok(Asked::All));
}
