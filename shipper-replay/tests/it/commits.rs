//! The commits that the events of a decision record are part of the report in every format, so that a reader sees what was
//! rehearsed and what was published.

use crate::support::{replay, replay_stdin, seen};
use serde_json::{Value, json};

const LOG: &str = "recorded/other-commit/events.jsonl";

/// The formats for people show short commits. The JSON report has whole ones, and a merge keeps them.
#[test]
fn commits_of_a_decision_are_reported() {
    let shown =
        "commits: rehearsal 3f2a9c1d5be8, decision 8b1e47d02c9f with uncommitted changes, run 8b1e47d02c9f with";
    // Markdown contains only decisions of logs that are not verified.
    for args in [&["-v"][..], &["--format", "html"], &["--format", "markdown", "--registry", "another"]] {
        let text = seen(&replay(&[args, &[LOG]].concat())).replace("\n             ", " ");
        assert!(text.contains(shown), "{args:?}: {text}");
    }
    let short = seen(&replay(&[LOG]));
    assert!(!short.contains("commits:"), "{short}");

    let ndjson = replay(&["--format", "ndjson", LOG]).stdout;
    let merged = replay_stdin(&["--merge", "--format", "json", "-"], &ndjson).stdout;
    let commit = |commit, dirty| json!({ "commit": commit, "dirty": dirty });
    let other = commit("8b1e47d02c9f5a63e7d4108bb26f93ac5510de7f", true);
    let rehearsed = commit("3f2a9c1d5be84770a1c6e0b2d94f8835716c2e0d", false);
    let git = json!({ "rehearsal": rehearsed, "decision": other, "run": other });
    for json in [replay(&["--format", "json", LOG]).stdout, merged] {
        let report: Value = serde_json::from_slice(&json).expect("JSON");
        assert_eq!((&report["logs"][0]["decisions"][0]["git"], &report["exit_code"]), (&git, &json!(0)));
    }
    let sarif = seen(&replay(&["--format", "sarif", LOG]));
    assert!(sarif.contains(&format!("\"git\":{git}")), "{sarif}");
}

/// A merge rejects a report with a commit that no audit reports.
#[test]
fn merge_rejects_an_invalid_commit() {
    let ndjson = String::from_utf8(replay(&["--format", "ndjson", LOG]).stdout).expect("UTF-8");
    for invalid in ["", "\\u001b[2J", &"a".repeat(65)] {
        let edited = ndjson.replace("3f2a9c1d5be84770a1c6e0b2d94f8835716c2e0d", invalid);
        assert_eq!(replay_stdin(&["--merge", "-"], edited.as_bytes()).status.code(), Some(2), "{invalid}");
    }
}
