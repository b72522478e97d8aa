//! The program explains every term that a report can contain, and docs/codes.md is what the program prints: an auditor
//! acts on these terms, so no code may come without its meaning, and no page may have another one.
//!
//! The source is src/explain/codes.md, which is inside the crate so that it can be packaged. docs/codes.md is a copy:
//! `UPDATE_PAGES=1 cargo test -p shipper-replay --test it explain` writes it.

use std::fs;
use std::path::PathBuf;

use crate::support::{replay, seen};
use shipper_core::audit::{DecisionStatus, FindingCode};
use shipper_core::{RefusalCode, VerdictKind};

/// An option that texts name and that is the shipper tool's.
const ELSEWHERE: &str = "--skip-rehearsal";

fn page(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name)
}

/// The whole reference, as the program prints it.
fn reference() -> String {
    let output = replay(&["--explain", "all", "--format", "markdown"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// What the program prints about a word.
fn explained(word: &str) -> String {
    let output = replay(&["--explain", word]);
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert_eq!(output.status.code(), Some(0), "{word}: {}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty(), "{word}");
    text
}

/// (Pass) The page is what the program prints.
#[test]
fn codes_page_equals_the_printed_reference() {
    let printed = reference();
    if std::env::var_os("UPDATE_PAGES").is_some() {
        fs::write(page("codes.md"), printed).expect("it can be written");
        return;
    }
    let committed = fs::read_to_string(page("codes.md")).expect("the page");
    assert!(committed == printed, "docs/codes.md is stale; UPDATE_PAGES=1 writes it anew");
}

/// (Pass) Every code of a finding, with its level; its row in docs/auditing.md says the same and leads to its section.
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

/// (Pass) Every reason, verdict and status, as what it is.
#[test]
fn every_reason_verdict_and_status_is_explained() {
    for reason in [
        RefusalCode::NoRehearsal,
        RefusalCode::StalePlan,
        RefusalCode::RegistryMismatch,
        RefusalCode::RehearsalFailed,
        RefusalCode::UnsoundEvidence,
        RefusalCode::UnknownGateEvent,
        RefusalCode::UntrustedLog,
    ] {
        assert!(explained(reason.as_str()).contains(&format!("{reason}: a reason to refuse\n")));
    }
    for verdict in [VerdictKind::Dormant, VerdictKind::Bypassed, VerdictKind::Refused, VerdictKind::Authorized] {
        assert!(explained(verdict.as_str()).contains(&format!("{verdict}: a verdict of the gate\n")));
    }
    for status in [
        DecisionStatus::Violated,
        DecisionStatus::Unjudged,
        DecisionStatus::Unproven,
        DecisionStatus::Permitted,
        DecisionStatus::Verified,
        DecisionStatus::Authorized,
        DecisionStatus::Refused,
    ] {
        let word = status.as_str();
        assert!(explained(word).contains(&format!("{word}: the status of a decision\n")));
    }
}

/// Every word of a JSON report: the strings that its members of closed vocabularies have.
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

/// (Pass) Every word in the reports on all fixtures has its section in the reference.
#[test]
fn every_word_of_the_fixtures_is_explained() {
    let codes = reference();
    let sections: Vec<&str> = codes.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    let mut words = Vec::new();
    words_of(&crate::support::report(&["real", "damaged", "recorded"]), &mut words);
    assert!(words.len() > 100, "{} words", words.len());
    for word in words {
        assert!(sections.contains(&word.as_str()), "{word}");
    }
}

/// (Pass) Every option that a text names is one of the program's, so that nobody is sent to try what is not there.
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

/// (Fail) A word that no report says: status 2, nothing on standard output, and the words that are like it.
#[test]
fn unknown_words_are_usage_errors() {
    for (args, says) in [
        (&["--explain", "corupt-line"][..], "did you mean corrupt-line"),
        (&["--explain", "nonsense"], "--explain list names every word"),
        (&["--explain", ""], "--explain list names every word"),
        (&["--explain"], "a value is required"),
        (&["--explain", "broken", "real/pass-1crate"], "cannot be used with"),
        (&["--explain", "broken", "--format", "json"], "--explain prints text"),
    ] {
        let output = replay(args);
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {message}");
        assert!(output.stdout.is_empty(), "{args:?}");
        assert!(message.starts_with("error: ") && message.contains(says), "{args:?}: {message}");
    }
}

/// (Pass) Colour adds nothing but colour, and one word as Markdown is its section of the page.
#[test]
fn terminal_and_markdown_forms_agree() {
    let colored = String::from_utf8(replay(&["--color", "always", "--explain", "broken"]).stdout).expect("UTF-8");
    assert_eq!(colored.replace("\u{1b}[1m", "").replace("\u{1b}[0m", ""), explained("broken"));
    let section = String::from_utf8(replay(&["--explain", "broken", "--format", "markdown"]).stdout).expect("UTF-8");
    assert!(section.starts_with("## broken\n"));
    assert!(reference().contains(&section));
}

/// One snapshot a word.
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
    /// (Pass) A finding.
    corrupt_line: "corrupt-line";
    /// (Pass) A word of two kinds.
    unknown_gate_event: "unknown-gate-event";
    /// (Pass) A conclusion, which is also the status of a decision.
    verified: "verified";
    /// (Pass) Every word there is.
    list: "list";
    /// (Fail) None.
    unknown: "shared-authorities";
}
