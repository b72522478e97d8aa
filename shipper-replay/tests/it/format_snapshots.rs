//! Every form of the report says the same of the same ten real logs, and says it in the same bytes every time. A change here
//! changes what people and tools read, so somebody has to look at it.
//!
//! SARIF, annotations, HTML and Markdown have their ten cases in test files of their own.

use crate::support::{TEN, replay, seen};
use serde_json::Value;

/// What the program says of each of the ten cases, in one form.
fn ten(form: &[&str]) -> String {
    let mut said = String::new();
    for (case, asked) in TEN {
        let log = format!("real/{case}/events.jsonl");
        let args = [form, asked, &[&log]].concat();
        let output = replay(&args);
        assert_eq!(output.stdout, replay(&args).stdout, "{args:?}: the same bytes and flags give the same output");
        said += &format!("== {}\n{}", args.join(" "), seen(&output));
    }
    said
}

/// (Pass) For people.
#[test]
fn human() {
    insta::assert_snapshot!(ten(&[]));
}

/// (Pass) For people who want to know how it came about.
#[test]
fn human_with_the_timeline() {
    insta::assert_snapshot!(ten(&["--timeline"]));
}

/// (Pass) One line a log.
#[test]
fn quiet() {
    insta::assert_snapshot!(ten(&["-q"]));
}

/// (Pass) For programs.
#[test]
fn json() {
    insta::assert_snapshot!(ten(&["--format", "json"]));
}

/// (Pass) For programs that read line by line.
#[test]
fn ndjson() {
    insta::assert_snapshot!(ten(&["--format", "ndjson"]));
}

/// (Pass) For verifiers.
#[test]
fn vsa() {
    insta::assert_snapshot!(ten(&["--format", "vsa", "--time", "2026-11-23T12:00:00Z"]));
}

/// (Pass) All forms end with the same exit status, and name the same conclusion where they name one.
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
            let (its, said) = run(form);
            assert_eq!(its, code, "{case} {form}");
            assert!(said.contains(conclusion) || form == "sarif" && code == 0, "{case} {form}: {said}");
        }
    }
}
