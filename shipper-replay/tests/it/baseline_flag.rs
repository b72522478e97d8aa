//! `--baseline` compares with a kept report, and its exit status tells a job whether something is worse. A report that is
//! cut or edited is refused.

use std::fs;

use serde_json::{Value, json};

use crate::support::json_schema::Validator;
use crate::support::ndjson::{assert_refused, ndjson};
use crate::support::{program, replay, seen};

const LOGS: &str = "recorded";
const LOG: &str = "real/pass-3crate";
const POLICY: &str = "../docs/example-policy.toml";

/// Writes a report on all recorded logs into a new directory, and returns the directory and the path of the report.
fn kept(args: &[&str]) -> (tempfile::TempDir, String) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("kept.ndjson");
    fs::write(&path, ndjson(args)).expect("it can be written");
    let path = path.to_str().expect("UTF-8").to_owned();
    (directory, path)
}

/// The differences of a new policy over the kept reports, for people.
#[test]
fn differences_for_people() {
    let (_directory, kept) = kept(&[LOGS]);
    let full = seen(&replay(&["--baseline", &kept, "--policy", POLICY, LOGS]));
    let quiet = seen(&replay(&["-q", "--baseline", &kept, "--policy", POLICY, LOGS]));
    let same = seen(&replay(&["--baseline", &kept, LOGS]));
    insta::assert_snapshot!([full, quiet, same].join("\n"));
}

/// The JSON output matches the schema, and agrees with the exit status.
#[test]
fn json_matches_the_schema() {
    let schema = fs::read_to_string(crate::support::fixtures().join("../docs/report.schema.json")).expect("the schema");
    let mut schema: Value = serde_json::from_str(&schema).expect("JSON");
    let root = schema.as_object_mut().expect("an object");
    root.retain(|member, _| member.starts_with('$'));
    root.insert("$ref".to_owned(), json!("#/$defs/comparison"));
    let validator = Validator::new(schema);
    let (_directory, kept) = kept(&["real", "recorded"]);
    for args in [&["real", "recorded"][..], &["--policy", POLICY, "recorded", "damaged"], &["--at", "3", "real/skip"]] {
        let output = replay(&[&["--format", "json", "--baseline", &kept], args].concat());
        let comparison: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        validator.check(&comparison).unwrap_or_else(|error| panic!("{args:?}: {error}"));
        assert_eq!(comparison["exit_code"], json!(output.status.code()), "{args:?}");
    }
}

/// A comparison needs no audit: the later report may be a kept one, too.
#[test]
fn kept_reports_are_compared() {
    let ((_before, before), (_after, after)) = (kept(&[LOG]), kept(&["--registry", "other", LOG]));
    let status = |args: &[&str]| replay(&[&["--merge", "-q"], args].concat()).status.code();
    assert_eq!(status(&["--baseline", &before, &after]), Some(1));
    assert_eq!(status(&["--baseline", &after, &before]), Some(0));
    assert_eq!(status(&["--baseline", &after, &after]), Some(0));
}

/// Damaged reports and other formats are refused with status 2.
#[test]
fn damaged_reports_are_refused() {
    let (directory, kept) = kept(&[LOGS]);
    let report = fs::read_to_string(&kept).expect("the report");
    let run = |text: &str| {
        fs::write(directory.path().join("b"), text).expect("it can be written");
        let log = crate::support::fixtures().join("real/skip");
        let log = log.to_str().expect("UTF-8");
        program(&["--baseline", "b", log]).current_dir(directory.path()).output().expect("it starts")
    };
    let cut = &report[..report.trim_end().rfind('\n').expect("two lines")];
    assert_refused(&run(cut), &["\"b\"", "it has no summary"]);
    assert_refused(
        &run(&report.replace(r#""conclusion":"inconclusive","error""#, r#""conclusion":"verified","error""#)),
        &["edited"],
    );
    assert_refused(&run("{}"), &["\"b\" line 1", "expected a report on a log"]);
    assert_refused(&run(""), &["the report is empty"]);
    for format in ["ndjson", "sarif", "github", "markdown", "html", "vsa"] {
        let output = replay(&["--format", format, "--baseline", &kept, "real/skip/events.jsonl"]);
        assert_refused(&output, &["--baseline requires --format human or json"]);
    }
    for option in ["--follow", "--timeline"] {
        assert_refused(&replay(&["--baseline", &kept, option, "real/skip/events.jsonl"]), &["cannot be used with"]);
    }
    assert_refused(&replay(&["--baseline", "-", "-"]), &["standard input"]);
    assert_refused(&replay(&["--baseline", "no/such", LOGS]), &["cannot read the report \"no/such\""]);
}

/// A log that continues an earlier log in the same report does not make its report unusable.
#[test]
fn reports_on_rotated_logs_are_read() {
    use shipper_testkit::log_builder::LogBuilder;
    let directory = tempfile::tempdir().expect("a directory");
    let (mut earlier, mut log) = (LogBuilder::chained(), LogBuilder::chained());
    earlier.pass("p", "r");
    let head = earlier.head();
    log.event(&format!(
        r#"{{"type":"log_continued","lines":{},"bytes":{},"blake3":"{}"}}"#,
        head.lines, head.bytes, head.blake3
    ));
    fs::write(directory.path().join("events.jsonl"), log.bytes()).expect("it can be written");
    fs::write(directory.path().join("events.jsonl.aside-1"), earlier.bytes()).expect("it can be written");
    let logs = directory.path().to_str().expect("UTF-8");
    let (_directory, kept) = kept(&[logs]);
    let output = replay(&["--baseline", &kept, logs]);
    assert_eq!(output.status.code(), Some(0), "{}", seen(&output));
    assert!(seen(&output).starts_with("No difference from the baseline (2 logs compared)."), "{}", seen(&output));
}
