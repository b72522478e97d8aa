//! A script that publishes only behind `--require authorized` publishes exactly what the gate would let go: 0 is said for
//! the demanded plan on the demanded registry and for nothing else.

use crate::support::{fixtures, replay, replay_stdin, report, seen};
use serde_json::Value;

/// The plan of a real case.
fn plan(case: &str) -> String {
    let told = std::fs::read(fixtures().join(format!("real/{case}/case.json"))).expect("case.json");
    let told: Value = serde_json::from_slice(&told).expect("JSON");
    told["plan_id"].as_str().expect("a plan").to_owned()
}

fn required(case: &str, plan: &str, registry: &str, more: &[&str]) -> (i32, String) {
    let log = format!("real/{case}/events.jsonl");
    let args = ["--plan-id", plan, "--registry", registry, "--require", "authorized"];
    let output = replay(&[&args[..], more, &[&log]].concat());
    (output.status.code().expect("it was not killed"), seen(&output))
}

/// (Pass) The plan was rehearsed on this registry and passed.
#[test]
fn authorized_plan_exits_0() {
    let (code, text) = required("pass-3crate", &plan("pass-3crate"), "rehearsal", &["-q"]);
    assert_eq!(code, 0, "{text}");
    assert!(text.starts_with("real/pass-3crate/events.jsonl: authorized: plan "), "{text}");
}

/// (Fail) Another plan, another registry, a failed rehearsal, a torn log: 1, with the reasons.
#[test]
fn refused_plan_exits_1_with_reasons() {
    let passed = plan("pass-3crate");
    for (case, plan, registry, more, reasons) in [
        ("pass-3crate", "another", "rehearsal", &[][..], "stale-plan"),
        ("pass-3crate", &passed, "live", &[], "registry-mismatch"),
        ("pass-3crate", &passed, "rehearsal", &["--at", "5"], "no-rehearsal"),
        ("pass-3crate", &passed, "rehearsal", &["--at", "0"], "no-rehearsal"),
        ("fail-2of3", &plan("fail-2of3"), "rehearsal", &[], "rehearsal-failed"),
        ("fail-2of3", &plan("fail-2of3"), "other", &[], "registry-mismatch, rehearsal-failed"),
        ("torn-log-gate", &plan("torn-log-gate"), "rehearsal", &[], "untrusted-log"),
    ] {
        for quiet in [&["-q"][..], &[]] {
            let (code, text) = required(case, plan, registry, &[more, quiet].concat());
            assert_eq!(code, 1, "{case}: {text}");
            assert!(text.contains(&format!("refused ({reasons}): plan ")), "{case}: {text}");
        }
    }
}

/// (Fail) A log that does not extend the head that was kept lets nothing go.
#[test]
fn log_that_does_not_extend_the_head_is_refused() {
    let head = format!("6:1312:{}", "0".repeat(64));
    let (code, text) = required("pass-3crate", &plan("pass-3crate"), "rehearsal", &["--extends", &head]);
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("refused (untrusted-log)"), "{text}");
}

/// (Pass) What was done before does not matter, only whether the gate would let the plan go now.
#[test]
fn past_violations_do_not_matter() {
    let (code, text) = required("tampered-sidecar", &plan("tampered-sidecar"), "rehearsal", &[]);
    assert_eq!(code, 1, "{text}");
    let (code, text) = required("fail-fix-pass", &plan("fail-fix-pass"), "rehearsal", &["--strict"]);
    assert_eq!(code, 0, "{text}");
}

/// (Fail) Nothing to judge, or no question: 2, never 0.
#[test]
fn no_answer_exits_2() {
    let question = ["--plan-id", "p", "--registry", "r", "--require", "authorized"];
    let code = |args: &[&str]| replay(args).status.code().expect("it was not killed");
    assert_eq!(code(&[&question[..], &["nowhere.jsonl"]].concat()), 2);
    assert_eq!(code(&[&question[..], &["real"]].concat()), 2, "one log at a time");
    assert_eq!(code(&["--require", "authorized", "real/pass-3crate/events.jsonl"]), 2);
    assert_eq!(code(&["--require", "authorized", "--plan-id", "p", "real/pass-3crate/events.jsonl"]), 2);
    assert_eq!(
        code(&["--require", "verified", "--plan-id", "p", "--registry", "r", "real/pass-3crate/events.jsonl"]),
        2
    );
    assert_eq!(replay_stdin(&[&question[..], &["-"]].concat(), b"").status.code(), Some(1), "an empty log refuses");
}

/// (Pass) The JSON report says what was required, and names the exit status that the program ended with.
#[test]
fn the_report_names_the_exit_status() {
    let plan = plan("pass-3crate");
    let question = ["--plan-id", &plan, "--require", "authorized", "--registry"];
    let told = |registry| report(&[&question[..], &[registry, "real/pass-3crate/events.jsonl"]].concat());
    let (yes, no) = (told("rehearsal"), told("other"));
    assert_eq!((&yes["exit_code"], &yes["demand"]["require"]), (&0.into(), &"authorized".into()));
    assert_eq!((&no["exit_code"], &no["logs"][0]["gate"]["reasons"][0]), (&1.into(), &"registry-mismatch".into()));
    assert_eq!(report(&["real/pass-3crate/events.jsonl"])["demand"].get("require"), None);
}
