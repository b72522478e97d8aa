//! Every format gives the same result for the same ten real logs, in the same bytes each time. A change of a snapshot
//! changes what people and tools read, so a reviewer must check it.
//!
//! SARIF, annotations, HTML and Markdown have their ten cases in test modules of their own.

use crate::support::{TEN, replay, seen};
use serde_json::Value;

/// Returns the output for each of the ten cases in one format.
fn ten(form: &[&str]) -> String {
    let mut outputs = String::new();
    for (case, asked) in TEN {
        let log = format!("real/{case}/events.jsonl");
        let args = [form, asked, &[&log]].concat();
        let output = replay(&args);
        assert_eq!(output.stdout, replay(&args).stdout, "{args:?}: the same bytes and flags give the same output");
        outputs += &format!("== {}\n{}", args.join(" "), seen(&output));
    }
    outputs
}

/// The report for people.
#[test]
fn human() {
    insta::assert_snapshot!(ten(&[]));
}

/// The report for people, with the timeline.
#[test]
fn human_with_the_timeline() {
    insta::assert_snapshot!(ten(&["--timeline"]));
}

/// One line for each log.
#[test]
fn quiet() {
    insta::assert_snapshot!(ten(&["-q"]));
}

/// The report for programs.
#[test]
fn json() {
    insta::assert_snapshot!(ten(&["--format", "json"]));
}

/// The report for programs that read line by line.
#[test]
fn ndjson() {
    insta::assert_snapshot!(ten(&["--format", "ndjson"]));
}

/// The statement for verifiers.
#[test]
fn vsa() {
    insta::assert_snapshot!(ten(&["--format", "vsa", "--time", "2026-11-23T12:00:00Z"]));
}

/// All formats have the same exit status, and the same conclusion where they contain one.
#[test]
fn all_formats_agree_on_conclusion_and_status() {
    for (case, asked) in TEN {
        let log = format!("real/{case}/events.jsonl");
        let run = |form: &str| {
            let output = replay(&[&["--format", form], asked, &[&log]].concat());
            (output.status.code().expect("it was not killed"), String::from_utf8(output.stdout).expect("UTF-8"))
        };
        let (code, json) = run("json");
        let report: Value = serde_json::from_str(&json).expect("JSON");
        let conclusion = report["conclusion"].as_str().expect("a conclusion");
        for form in ["human", "ndjson", "sarif", "github", "markdown", "html", "vsa"] {
            let (its, output) = run(form);
            assert_eq!(its, code, "{case} {form}");
            assert!(
                output.to_lowercase().contains(conclusion) || form == "sarif" && code == 0,
                "{case} {form}: {output}"
            );
        }
    }
}
