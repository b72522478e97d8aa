//! A report in ndjson that is merged or the baseline of a comparison: no bytes make the readers panic. An accepted line
//! and an accepted report are the same after they are written again. A report does not differ from itself, and merged
//! with itself it is the same. No log is verified that shows a violation.
//!
//! The first byte selects one of two kinds of input: the bytes of a file, or edits of a report on fixtures.

use std::sync::LazyLock;

use serde_json::Value;
use shipper_core::audit::{
    AuditOptions, Conclusion, DecisionStatus, LogReport, MergedReport, NdjsonMerger, Policy, ReportLine, Summary,
    compare_with_baseline, merge,
};
use shipper_events::is_display_safe;

use crate::samples::{SAMPLES, ndjson};

/// Words that a reader knows.
const WORDS: [&str; 16] = [
    "verified",
    "violated",
    "unjudged",
    "inconclusive",
    "authorized",
    "refused",
    "error",
    "note",
    "warning",
    "drift",
    "match",
    "torn",
    "clean",
    "broken",
    "chained",
    "log-truncated",
];

/// The lines of reports on the samples.
static REPORTS: LazyLock<Vec<Vec<Value>>> = LazyLock::new(|| {
    let policy = Policy::parse("require-chained = true\naccept = [\"bypassed\"]").expect("a policy");
    let strict = AuditOptions::default().with_registry("rehearsal".parse().expect("a name")).with_strict(true);
    let options = [AuditOptions::default(), strict.with_policy(policy).expect("no registry")];
    let reports = options.iter().flat_map(|options| SAMPLES.iter().map(move |sample| sample.report(options)));
    let lines = reports.map(|report| ndjson(&report));
    lines.map(|lines| lines.iter().map(|line| serde_json::from_str(line).expect("JSON")).collect()).collect()
});

pub fn check(bytes: &[u8]) {
    let Some((choice, rest)) = bytes.split_first() else { return };
    match choice & 1 {
        0 => check_report(rest),
        _ => check_report(edited(usize::from(choice >> 1), rest).as_bytes()),
    }
}

/// Returns the lines of a report after some edits of its values. Each edit has a position, a kind and a number.
fn edited(report: usize, mut edits: &[u8]) -> String {
    let mut lines = REPORTS[report % REPORTS.len()].clone();
    while let Some(([high, low, edit, number], rest)) = edits.split_first_chunk::<4>() {
        edits = rest;
        let mut leaves = Vec::new();
        lines.iter_mut().for_each(|line| collect_leaves(line, &mut leaves));
        let position = u16::from_be_bytes([*high, *low]);
        if leaves.is_empty() {
            break;
        }
        let other = leaves[usize::from(*number) * 3 % leaves.len()].clone();
        let at = usize::from(position) % leaves.len();
        let leaf = &mut *leaves[at];
        *leaf = match (edit % 6, &*leaf) {
            (0, _) => Value::Null,
            (1, Value::Bool(flag)) => (!flag).into(),
            (1, Value::Number(count)) => count.as_u64().unwrap_or(0).wrapping_add(1).into(),
            (1, Value::String(text)) => format!("{text}{}", char::from(*number)).into(),
            (2, _) => u64::from(*number).into(),
            (3, _) => other,
            (4, _) => Value::Array(Vec::new()),
            _ => WORDS[usize::from(*number) % WORDS.len()].into(),
        };
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// Collects the values that are no array and no object.
fn collect_leaves<'v>(value: &'v mut Value, leaves: &mut Vec<&'v mut Value>) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(|value| collect_leaves(value, leaves)),
        Value::Object(values) => values.values_mut().for_each(|value| collect_leaves(value, leaves)),
        leaf => leaves.push(leaf),
    }
}

fn check_report(bytes: &[u8]) {
    let mut merger = NdjsonMerger::default();
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        match ReportLine::parse(line) {
            Ok(read) => check_line(&read),
            Err(error) => assert!(error.to_string().chars().all(is_display_safe), "{error}"),
        }
        if merger.push_line(line).is_err() {
            return;
        }
    }
    match merger.finish() {
        Ok(merged) => check_merged(&merged),
        Err(error) => assert!(error.to_string().chars().all(is_display_safe), "{error}"),
    }
}

fn check_line(line: &ReportLine) {
    let again = match line {
        ReportLine::Log(log) => serde_json::to_string(log).expect("JSON"),
        ReportLine::Summary(summary) => written(summary),
    };
    assert_eq!(ReportLine::parse(again.as_bytes()).as_ref(), Ok(line));
    if let ReportLine::Log(log) = line {
        assert!(log.conclusion != Conclusion::Verified || !shows_violation(log), "verified with a violation");
    }
}

fn written(summary: &Summary) -> String {
    serde_json::json!({ "summary": summary }).to_string()
}

fn shows_violation(log: &LogReport) -> bool {
    let is_violated = |audit: &shipper_core::audit::LogAudit| {
        audit.findings.iter().any(shipper_core::audit::Finding::is_violation)
            || audit.decisions.iter().any(|decision| decision.status == DecisionStatus::Violated)
    };
    log.audit.as_ref().is_none_or(is_violated)
}

fn check_merged(merged: &MergedReport) {
    let comparison = compare_with_baseline(merged, &merged.report);
    assert!(comparison.changes.is_empty() && !comparison.worse, "a report differs from itself");
    let twice = merge([merged.clone(), merged.clone()]).expect("the same options");
    assert_eq!(twice.report, merged.report);
    let mut again = NdjsonMerger::default();
    let logs = merged.report.logs.iter().map(|log| serde_json::to_string(log).expect("JSON"));
    for line in logs.chain([written(&Summary::new(&merged.report, &merged.duplicates))]) {
        again.push_line(line.as_bytes()).expect("a line of a report");
    }
    assert_eq!(again.finish().as_ref(), Ok(merged));
}
