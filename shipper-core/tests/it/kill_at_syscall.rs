//! The real programs are killed at system calls on the real file system. No acknowledged event is lost, the log
//! opens, and no plan is authorized before its rehearsal is complete. The gate, a status display and an audit agree.

use std::path::Path;

use camino::Utf8PathBuf;
use shipper_core::audit::{AuditOptions, LogReport, Report, RequiredVerdict, SidecarInput, audit_path};
use shipper_core::{GateProjection, GateQuery, RehearsalRecorder, SkipRequest, ask_gate, evaluate};
use shipper_events::write::{FsStorage, LockOptions};
use shipper_events::{EventReader, Head};
use shipper_testkit::log_builder::LogBuilder;
use shipper_testkit::program::{example_program, installed};
use shipper_testkit::settings::print_figure;
use shipper_testkit::syscall_killer::kill_at_syscalls;

/// Asks `GateProjection::open`, an audit that requires a permission, and the gate, which must agree.
fn asked(directory: &Path) -> bool {
    let state = Utf8PathBuf::try_from(directory.to_owned()).expect("UTF-8");
    let query = GateQuery::new("p".parse().expect("a name"), Some("r".parse().expect("a name")));
    let log = state.join("events.jsonl");
    let opened = GateProjection::open(&log).is_ok_and(|gate| evaluate(gate.state(), &query).may_publish());
    let mut options = AuditOptions::default();
    (options.plan_id, options.registry) = (Some(query.plan_id.clone()), query.rehearsal_registry.clone());
    options.require = Some(RequiredVerdict::Authorized);
    let report = match audit_path(&log, SidecarInput::NotRequested, &options) {
        Ok(audit) => LogReport::audited("log", audit),
        Err(error) => LogReport::unreadable("log", error.to_string()),
    };
    let required = Report::new(options, vec![report]).exit_code == 0;
    let answer =
        ask_gate(FsStorage, &state, &query, &SkipRequest::default(), None, LockOptions::default()).expect("asked");
    let permitted = answer.verdict().may_publish();
    assert_eq!((opened, required), (permitted, permitted), "`GateProjection::open` and the audit, then the gate");
    permitted
}

fn opens(directory: &Path) {
    let state = Utf8PathBuf::try_from(directory.to_owned()).expect("UTF-8");
    drop(RehearsalRecorder::open(FsStorage, &state, LockOptions::default()).expect("it opens after any kill"));
    let bytes = std::fs::read(state.join("events.jsonl")).expect("the log");
    assert!(EventReader::new(&bytes[..]).all(|read| read.is_ok()));
}

/// A state directory whose log contains a rehearsal that passed.
fn rehearsed() -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    let mut log = LogBuilder::chained();
    log.pass("p", "r");
    std::fs::write(directory.path().join("events.jsonl"), log.bytes()).expect("a log");
    directory
}

/// Kills a passing rehearsal, which authorizes the plan exactly if the log contains its completion. Returns the number
/// of kills.
fn killed_rehearsal(prepare: impl Fn() -> tempfile::TempDir) -> usize {
    let args = ["DIR", "--plan-id", "p", "--registry", "r", "a@1.0.0=ok"];
    kill_at_syscalls(&example_program("shipper-core", "record_rehearsal"), &args, "", prepare, |directory, stdout| {
        let log = std::fs::read_to_string(directory.join("events.jsonl")).unwrap_or_default();
        let completed = log.lines().any(|line| line.contains("rehearsal_complete") && line.ends_with('}'));
        assert!(completed || stdout.is_empty(), "an acknowledged event is gone");
        assert_eq!(asked(directory), completed, "authorized exactly if the log contains the completion");
        opens(directory);
    })
}

/// A passing rehearsal authorizes the plan only after its completion is in the log.
#[test]
fn killed_rehearsal_authorizes_nothing_early() {
    if !installed(&["strace"]) {
        return;
    }
    let kills = killed_rehearsal(|| tempfile::tempdir().expect("a directory"));
    print_figure(&format!("rehearsal was killed at {kills} system calls: authorized only when completed"));
    assert!(kills > 20);
}

/// A rehearsal that first repairs a torn tail authorizes nothing early either.
#[test]
fn killed_repair_authorizes_nothing_early() {
    if !installed(&["strace"]) {
        return;
    }
    let kills = killed_rehearsal(|| {
        let directory = tempfile::tempdir().expect("a directory");
        let mut log = LogBuilder::chained();
        log.start("p", "r", 1).rehearsal_failure();
        let torn = &log.bytes()[..log.bytes().len() - 9];
        std::fs::write(directory.path().join("events.jsonl"), torn).expect("a log");
        directory
    });
    print_figure(&format!("rehearsal with a repair was killed at {kills} system calls"));
    assert!(kills > 20);
}

/// A failing rehearsal after a passed one revokes the permission as soon as the failure is in the log.
#[test]
fn killed_failing_rehearsal_revokes_once_recorded() {
    if !installed(&["strace"]) {
        return;
    }
    let args = ["DIR", "--plan-id", "p", "--registry", "r", "a@1.0.0=fail"];
    let kills =
        kill_at_syscalls(&example_program("shipper-core", "record_rehearsal"), &args, "", rehearsed, |directory, _| {
            let log = std::fs::read_to_string(directory.join("events.jsonl")).expect("the log");
            let failed = log.lines().any(|line| line.contains("rehearsal_package_failed") && line.ends_with('}'));
            let torn = !log.ends_with('\n');
            assert_eq!(asked(directory), !failed && !torn);
            opens(directory);
        });
    print_figure(&format!(
        "a failing rehearsal was killed at {kills} system calls: refused once the failure is recorded"
    ));
    assert!(kills > 20);
}

/// A permission that the gate printed is in the log, and so is its basis.
#[test]
fn killed_gate_has_recorded_what_it_printed() {
    if !installed(&["strace"]) {
        return;
    }
    let args = ["DIR", "--plan-id", "p", "--registry", "r"];
    let kills =
        kill_at_syscalls(&example_program("shipper-core", "ask_gate"), &args, "", rehearsed, |directory, stdout| {
            let log = std::fs::read(directory.join("events.jsonl")).expect("the log");
            let recorded = EventReader::new(&log[..])
                .filter_map(Result::ok)
                .any(|entry| entry.event.event_type.name() == "gate_evaluated");
            assert!(recorded || !stdout.contains("authorized"), "a permission that is not in the log");
            opens(directory);
            assert!(asked(directory));
            let head: Result<Head, _> = stdout.parse();
            assert!(head.is_err(), "the gate prints a verdict");
        });
    print_figure(&format!("gate was killed at {kills} system calls: no permission that is not in the log"));
    assert!(kills > 20);
}
