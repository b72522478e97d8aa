//! Every fixture gives exactly its expected result for each of its recorded argument lists, because auditors rely on
//! these results.

use crate::support::{fixtures, replay};
use serde_json::{Value, json};
use shipper_testkit::settings::print_figure;

/// Returns the parts of a report that `expected.json` contains.
fn essence(report: &Value, expected: &Value, exit_code: i32) -> Value {
    let log = &report["logs"][0];
    let pick = |from: &Value, like: &Value| match (from.as_object(), like.as_object()) {
        (Some(from), Some(like)) => like.keys().map(|key| (key.clone(), from[key].clone())).collect(),
        _ => from.clone(),
    };
    let findings: Vec<Value> = log["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .filter(|finding| finding["level"] != "note")
        .map(|finding| json!([finding["code"], finding["level"], finding["line"].as_u64().unwrap_or(0)]))
        .collect();
    let mut essence = json!({
        "conclusion": log["conclusion"],
        "lines": log["lines"],
        "bytes": log["bytes"],
        "integrity": log["integrity"],
        "tail": log["tail"],
        "receipt": pick(&log["receipt"], &expected["receipt"]),
        "gate": pick(&log["gate"], &expected["gate"]),
        "decisions": log["decisions"],
        "sidecar": log["sidecar"]["status"],
        "findings": sorted(&Value::Array(findings)),
        "exit_code": exit_code,
    });
    if expected["packet"].is_object() {
        let packet = &log["packet"];
        essence["packet"] = json!({"state": packet["state"]["status"], "receipt": packet["receipt"]["status"]});
    }
    essence
}

fn sorted(findings: &Value) -> Value {
    let mut findings = findings.as_array().expect("findings").clone();
    findings.sort_by_key(Value::to_string);
    Value::Array(findings)
}

/// Runs every case of a collection, and returns the numbers of cases and runs.
fn run_all(collection: &str) -> (usize, usize) {
    let mut cases: Vec<_> = std::fs::read_dir(fixtures().join(collection))
        .expect("the collection is there")
        .map(|entry| entry.expect("it can be listed").path())
        .filter(|path| path.is_dir())
        .collect();
    cases.sort();
    let mut runs = 0;
    for case in &cases {
        let log = case.join("events.jsonl");
        let expected = std::fs::read(case.join("expected.json")).expect("expected.json");
        let expected: Value = serde_json::from_slice(&expected).expect("JSON");
        for run in expected.as_array().expect("runs") {
            let args: Vec<&str> =
                run["args"].as_array().expect("args").iter().map(|arg| arg.as_str().expect("text")).collect();
            let output = replay(&[&["--format", "json"], &args[..], &[log.to_str().expect("UTF-8")]].concat());
            let report: Value =
                serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{log:?} {args:?}: {error}"));
            let mut expected = run["report"].clone();
            expected["findings"] = sorted(&expected["findings"]);
            let found = essence(&report, &expected, output.status.code().expect("it was not killed"));
            assert_eq!(found, expected, "{log:?} {args:?}");
            assert_eq!(
                report["exit_code"], found["exit_code"],
                "the report contains the exit status: {log:?} {args:?}"
            );
            assert_eq!(report["conclusion"], found["conclusion"], "the conclusion of the only log: {log:?} {args:?}");
            runs += 1;
        }
    }
    print_figure(&format!("{collection}: {} cases, {runs} runs", cases.len()));
    (cases.len(), runs)
}

/// Logs of the real shipper tool.
#[test]
fn real_logs_give_the_expected_reports() {
    assert_eq!(run_all("real"), (28, 106));
}

/// Logs that were damaged by hand.
#[test]
fn damaged_logs_give_the_expected_reports() {
    let (cases, runs) = run_all("damaged");
    assert!(cases >= 23 && runs > 3 * cases, "{cases} cases, {runs} runs");
}

/// Logs with recorded decisions.
#[test]
fn recorded_logs_give_the_expected_reports() {
    assert_eq!(run_all("recorded"), (7, 28));
}

/// State directories of the shipper tool with `state.json` and `receipt.json`.
#[test]
fn packets_give_the_expected_reports() {
    assert_eq!(run_all("packets"), (7, 21));
}

/// The tables of fixtures/README.md have each case once, with the conclusion of the audit without options.
#[test]
fn tables_have_the_expected_conclusions() {
    let page = std::fs::read_to_string(fixtures().join("README.md")).expect("the page");
    let mut rows = Vec::new();
    let mut expected = Vec::new();
    for section in page.split("\n## `").skip(1) {
        let (collection, text) = section.split_once("/`").expect("the name of a collection");
        // Collections of workspaces have no results.
        if !text.contains(" result |") {
            continue;
        }
        for row in text.lines().filter(|line| line.starts_with("| `")) {
            let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
            let (case, result) = (cells[0].trim_matches('`'), cells[cells.len() - 1]);
            rows.push(format!("{collection}/{case}: {result}"));
        }
        for case in std::fs::read_dir(fixtures().join(collection)).expect("the collection is there") {
            let case = case.expect("it can be listed").path();
            let Ok(runs) = std::fs::read(case.join("expected.json")) else { continue };
            let runs: Value = serde_json::from_slice(&runs).expect("JSON");
            let runs = runs.as_array().expect("runs");
            let usual = runs.iter().find(|run| run["args"] == json!([])).expect("a run without options");
            let conclusion = usual["report"]["conclusion"].as_str().expect("a conclusion");
            expected.push(format!("{collection}/{}: {conclusion}", case.file_name().expect("a name").display()));
        }
    }
    rows.sort_unstable();
    expected.sort_unstable();
    assert_eq!(rows, expected);
}
