//! `--accept` and `--acknowledge-earlier` are options of the audit that every format states. Otherwise a reader could not
//! know why an inconclusive log has the exit status 0.

use crate::support::{replay, report, seen};
use serde_json::json;

/// The head of no line.
const NOTHING: &str = "0:0:af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262";
const LOG: &str = "real/pass-3crate/events.jsonl";

/// The report has the causes once, in a fixed order, and only if they were given.
#[test]
fn report_states_the_accepted_causes() {
    let given = report(&["--accept", "no-decision,dormant", "--accept", "dormant", LOG]);
    assert_eq!(given["demand"]["accept"], json!(["dormant", "no-decision"]));
    let head = report(&["--acknowledge-earlier", NOTHING, LOG]);
    assert_eq!(head["demand"]["acknowledge_earlier"], NOTHING);
    let usual = report(&[LOG]);
    assert!(["accept", "acknowledge_earlier"].iter().all(|name| usual["demand"].get(name).is_none()), "{usual}");
}

/// Every other format that states the options states these, too.
#[test]
fn formats_state_the_options() {
    for (format, accept, head) in [
        ("markdown", "`--accept dormant,bypassed`", "`--acknowledge-earlier 0:0:"),
        ("html", "<dt><code>--accept</code></dt><dd><code>dormant,bypassed</code>", "--acknowledge-earlier</code>"),
        ("sarif", r#""accept":["dormant","bypassed"]"#, r#""acknowledgeEarlier":"0:0:"#),
    ] {
        let args = ["--format", format, "--accept", "bypassed,dormant", "--acknowledge-earlier", NOTHING, LOG];
        let text = seen(&replay(&args));
        assert!(text.contains(accept) && text.contains(head), "{format}: {text}");
    }
    let commands = seen(&replay(&["--accept", "dormant", "--acknowledge-earlier", NOTHING, "real/skip"]));
    assert!(commands.contains(&format!("--timeline --accept dormant --acknowledge-earlier {NOTHING} ")), "{commands}");
}

/// An unknown cause, a value that is no head, and `--accept` with an option that replaces the conclusion are usage errors.
#[test]
fn usage_errors_exit_2() {
    let required = ["--require", "authorized", "--plan-id", "p", "--registry", "r", "--accept", "dormant"];
    for (args, expected) in [
        (&["--accept", "violated"][..], "[possible values: dormant, bypassed, unrecorded, no-decision]"),
        (&["--accept", ""], "[possible values: dormant"),
        (&["--acknowledge-earlier", "12"], "invalid value '12' for '--acknowledge-earlier <HEAD>'"),
        (&required, "cannot be used with"),
        (&["--merge", "--accept", "dormant"], "cannot be used with"),
        (&["--merge", "--acknowledge-earlier", NOTHING], "cannot be used with"),
    ] {
        let output = replay(&[args, &[LOG]].concat());
        assert_eq!((output.status.code(), &output.stdout[..]), (Some(2), &b""[..]), "{args:?}");
        assert!(seen(&output).contains(expected), "{args:?}: {}", seen(&output));
    }
}

/// Reports with other accepted causes, or with another acknowledged head, are not merged.
#[test]
fn reports_merge_only_with_equal_options() {
    use crate::support::ndjson::{assert_refused, merge_in, ndjson};
    let top = tempfile::tempdir().expect("a directory");
    let parts: [(&str, &[&str]); 4] = [
        ("usual", &[]),
        ("dormant", &["--accept", "dormant"]),
        ("again", &["--accept", "dormant,dormant"]),
        ("head", &["--acknowledge-earlier", NOTHING]),
    ];
    for (name, options) in parts {
        std::fs::write(top.path().join(name), ndjson(&[options, &[LOG]].concat())).expect("a part");
    }
    assert_refused(&merge_in(top.path(), &["usual", "dormant"]), &[r#"accept is ["dormant"] here and null"#]);
    assert_refused(&merge_in(top.path(), &["usual", "head"]), &["acknowledge_earlier is"]);
    assert_eq!(merge_in(top.path(), &["dormant", "again"]).status.code(), Some(0));
}
