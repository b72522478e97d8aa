//! `--require authorized` ends with status 0 only if the gate authorizes the demanded plan on the demanded registry,
//! because a script publishes after status 0.

use std::collections::BTreeSet;

use camino::Utf8Path;
use serde_json::Value;
use shipper_core::{GateProjection, SkipRequest, ask_gate, evaluate};
use shipper_testkit::crash_scenarios::{
    DiskFiles, LOG, STATE, adopting, disk_files, disk_with, for_each_crash, for_each_failure, query, write_files,
};
use shipper_testkit::settings::{print_figure, scaled};
use shipper_testkit::sim_storage::SimStorage;

use crate::support::{fixtures, replay, replay_stdin, report, seen};

/// Returns the plan of a real case.
fn plan(case: &str) -> String {
    let case = std::fs::read(fixtures().join(format!("real/{case}/case.json"))).expect("case.json");
    let case: Value = serde_json::from_slice(&case).expect("JSON");
    case["plan_id"].as_str().expect("a plan").to_owned()
}

fn required(case: &str, plan: &str, registry: &str, more: &[&str]) -> (i32, String) {
    let log = format!("real/{case}/events.jsonl");
    let args = ["--plan-id", plan, "--registry", registry, "--require", "authorized"];
    let output = replay(&[&args[..], more, &[&log]].concat());
    (output.status.code().expect("it was not killed"), seen(&output))
}

/// A plan that passed its rehearsal on this registry has status 0.
#[test]
fn authorized_plan_exits_0() {
    let (code, text) = required("pass-3crate", &plan("pass-3crate"), "rehearsal", &["-q"]);
    assert_eq!(code, 0, "{text}");
    assert!(text.starts_with("real/pass-3crate/events.jsonl: authorized: plan "), "{text}");
}

/// Another plan, another registry, a failed rehearsal and a torn log have status 1, with the reasons.
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
            assert!(text.contains(&format!("efused ({reasons}): plan ")), "{case}: {text}");
        }
    }
}

/// A log that does not extend the kept head is refused.
#[test]
fn log_that_does_not_extend_the_head_is_refused() {
    let head = format!("6:1312:{}", "0".repeat(64));
    let (code, text) = required("pass-3crate", &plan("pass-3crate"), "rehearsal", &["--extends", &head]);
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("Refused (untrusted-log)"), "{text}");
}

/// Earlier violations do not matter: only the current answer of the gate counts.
#[test]
fn past_violations_do_not_matter() {
    let (code, text) = required("tampered-sidecar", &plan("tampered-sidecar"), "rehearsal", &[]);
    assert_eq!(code, 1, "{text}");
    let (code, text) = required("fail-fix-pass", &plan("fail-fix-pass"), "rehearsal", &["--strict"]);
    assert_eq!(code, 0, "{text}");
}

/// Without a log or a complete question, the status is 2, never 0.
#[test]
fn no_answer_exits_2() {
    let question = ["--plan-id", "p", "--registry", "r", "--require", "authorized"];
    let code = |args: &[&str]| replay(args).status.code().expect("it was not killed");
    assert_eq!(code(&[&question[..], &["nowhere.jsonl"]].concat()), 2);
    assert_eq!(code(&[&question[..], &["real"]].concat()), 2, "one log at a time");
    assert_eq!(
        code(&["--require", "verified", "--plan-id", "p", "--registry", "r", "real/pass-3crate/events.jsonl"]),
        2
    );
    assert_eq!(replay_stdin(&[&question[..], &["-"]].concat(), b"").status.code(), Some(1), "an empty log refuses");
}

/// A question without the plan or the registry is a usage error that names the missing option. Otherwise the log itself
/// would choose the question.
#[test]
fn incomplete_question_names_the_missing_option() {
    let (plan, registry) = (["--plan-id", "p"], ["--registry", "rehearsal"]);
    for (given, missing) in [
        (&[][..], &["--plan-id <ID>", "--registry <NAME>"][..]),
        (&plan, &["--registry <NAME>"]),
        (&registry, &["--plan-id <ID>"]),
    ] {
        let output = replay(&[&["--require", "authorized"], given, &["real/pass-3crate/events.jsonl"]].concat());
        assert_eq!((output.status.code(), &output.stdout[..]), (Some(2), &b""[..]), "{given:?}");
        let text = seen(&output);
        assert!(missing.iter().all(|option| text.contains(&format!("\n  {option}\n"))), "{text}");
        assert!(text.contains("Usage: ") && text.contains("--help"), "{text}");
    }
}

/// The JSON report contains the required verdict and the exit status of the program.
#[test]
fn the_report_names_the_exit_status() {
    let plan = plan("pass-3crate");
    let question = ["--plan-id", &plan, "--require", "authorized", "--registry"];
    let report_with = |registry| report(&[&question[..], &[registry, "real/pass-3crate/events.jsonl"]].concat());
    let (yes, no) = (report_with("rehearsal"), report_with("other"));
    assert_eq!((&yes["exit_code"], &yes["demand"]["require"]), (&0.into(), &"authorized".into()));
    assert_eq!((&no["exit_code"], &no["logs"][0]["gate"]["reasons"][0]), (&1.into(), &"registry-mismatch".into()));
    assert_eq!(report(&["real/pass-3crate/events.jsonl"])["demand"].get("require"), None);
}

/// Asks the program, `GateProjection::open` and the gate about the files of a disk. Returns whether they permit the plan.
fn permitted(files: &DiskFiles, what: &str) -> bool {
    let answer = ask_gate(disk_with(files), Utf8Path::new(STATE), &query(), &SkipRequest::default(), None, adopting());
    let permitted = answer.unwrap_or_else(|error| panic!("{what}: {error:?}")).may_publish();
    let directory = tempfile::tempdir().expect("a directory");
    let root = Utf8Path::from_path(directory.path()).expect("UTF-8");
    write_files(files, root);
    let log = root.join(LOG);
    let opened = GateProjection::open(&log).is_ok_and(|gate| evaluate(gate.state(), &query()).may_publish());
    let output = replay(&["-q", "--plan-id", "p", "--registry", "r", "--require", "authorized", log.as_str()]);
    let refused = if files.contains_key(Utf8Path::new(LOG)) { 1 } else { 2 };
    let expected = if permitted { 0 } else { refused };
    assert_eq!((opened, output.status.code()), (permitted, Some(expected)), "{what}: {output:?}");
    permitted
}

/// After a crash or an error of the disk at any step of a rehearsal, a question or a publish, the program, the gate and
/// `GateProjection::open` give the same answer. A small run asks them about one of 32 different states.
#[test]
fn program_agrees_with_the_gate_after_a_crash() {
    let (mut states, mut authorized, mut seen) = (0, 0, BTreeSet::new());
    let mut check = |state: &SimStorage, what: &str| {
        let files = disk_files(state);
        if seen.contains(&files) {
            return;
        }
        if seen.len() % scaled(128, 1) == 0 {
            authorized += usize::from(permitted(&files, what));
            states += 1;
        }
        seen.insert(files);
    };
    for_each_crash(1, |state, _, what| check(state, what));
    for_each_failure(check);
    print_figure(&format!(
        "{states} of {} different states of the disk after a crash or an error: gate, `GateProjection::open` and \
         `--require authorized` agree, {authorized} authorized",
        seen.len()
    ));
    assert!(authorized > 0 && authorized < states);
}
