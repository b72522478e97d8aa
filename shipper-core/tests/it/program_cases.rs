//! Real programs that are stopped at any moment, and what must hold then: no acknowledged event is lost, the log opens,
//! and no plan is authorized before its rehearsal is complete. The gate, a status display and an audit agree.

use std::path::{Path, PathBuf};

use camino::Utf8PathBuf;
use shipper_core::audit::{
    AuditOptions, LogAudit, LogReport, Report, RequiredVerdict, SidecarInput, TailStatus, audit_path,
};
use shipper_core::state_dir::StateOptions;
use shipper_core::{GateProjection, GateQuery, RehearsalRecorder, SkipRequest, ask_gate, evaluate};
use shipper_events::write::{FsStorage, LockOptions};
use shipper_events::{EventReader, Head, LogEntry};
use shipper_testkit::log_builder::LogBuilder;
use shipper_testkit::program::example_program;

/// A program with a state directory, which is `DIR` in the arguments.
pub(crate) struct ProgramCase {
    pub(crate) what: &'static str,
    pub(crate) package: &'static str,
    pub(crate) program: &'static str,
    pub(crate) args: &'static [&'static str],
    pub(crate) input: &'static str,
    /// Creates the directory.
    pub(crate) prepare: fn() -> tempfile::TempDir,
    /// Checks the directory after the program was stopped, with its standard output.
    pub(crate) check: fn(&Path, &str),
}

impl ProgramCase {
    pub(crate) fn program(&self) -> PathBuf {
        example_program(self.package, self.program)
    }
}

/// A passing rehearsal authorizes the plan exactly if its completion is in the log.
pub(crate) const REHEARSAL: ProgramCase = ProgramCase {
    what: "a rehearsal",
    package: "shipper-core",
    program: "record_rehearsal",
    args: &["DIR", "--plan-id", "p", "--registry", "r", "a@1.0.0=ok"],
    input: "",
    prepare: empty,
    check: |directory, stdout| {
        let events = events(directory);
        let completed = events.iter().any(|entry| entry.event.event_type.name() == "rehearsal_complete");
        assert_acknowledged_heads(directory, stdout);
        assert!(completed || stdout.is_empty(), "an acknowledged event is gone");
        assert_eq!(asked(directory), completed, "authorized exactly if the log contains the completion");
        assert_opens(directory);
    },
};

/// A rehearsal that first repairs a torn tail authorizes nothing early either.
pub(crate) const REPAIR: ProgramCase = ProgramCase { what: "a rehearsal with a repair", prepare: torn, ..REHEARSAL };

/// A failing rehearsal after a passed one revokes the permission as soon as the failure is in the log.
pub(crate) const FAILURE: ProgramCase = ProgramCase {
    what: "a failing rehearsal",
    args: &["DIR", "--plan-id", "p", "--registry", "r", "a@1.0.0=fail"],
    prepare: rehearsed,
    check: |directory, stdout| {
        let failed = events(directory).iter().any(|entry| entry.event.event_type.name() == "rehearsal_package_failed");
        assert_acknowledged_heads(directory, stdout);
        assert!(failed || stdout.is_empty(), "an acknowledged event is gone");
        assert_eq!(asked(directory), !failed && !is_torn(directory));
        assert_opens(directory);
    },
    ..REHEARSAL
};

/// A permission that the gate printed is in the log, and so is its basis.
pub(crate) const GATE: ProgramCase = ProgramCase {
    what: "the gate",
    program: "ask_gate",
    args: &["DIR", "--plan-id", "p", "--registry", "r"],
    prepare: rehearsed,
    check: |directory, stdout| {
        let recorded = events(directory).iter().any(|entry| entry.event.event_type.name() == "gate_evaluated");
        assert!(recorded || !stdout.contains("authorized"), "an acknowledged event is gone: the permission");
        assert_opens(directory);
        assert!(asked(directory));
    },
    ..REHEARSAL
};

/// `append` adopts an unchained line, and appends.
pub(crate) const APPEND: ProgramCase = ProgramCase {
    what: "append",
    package: "shipper-events",
    program: "append",
    args: &["--adopt", "DIR/events.jsonl"],
    input: "{\"event_type\":{\"type\":\"execution_started\"},\"package\":\"all\"}\n\
            {\"event_type\":{\"type\":\"execution_started\"},\"package\":\"all\"}\n",
    prepare: foreign,
    check: |directory, stdout| {
        assert_acknowledged_heads(directory, stdout);
        assert_opens(directory);
    },
};

pub(crate) const ALL: [ProgramCase; 5] = [REHEARSAL, REPAIR, FAILURE, GATE, APPEND];

fn empty() -> tempfile::TempDir {
    tempfile::tempdir().expect("a directory")
}

fn with_log(log: &[u8]) -> tempfile::TempDir {
    let directory = empty();
    std::fs::write(directory.path().join("events.jsonl"), log).expect("a log");
    directory
}

fn torn() -> tempfile::TempDir {
    let mut log = LogBuilder::chained();
    log.start("p", "r", 1).rehearsal_failure();
    with_log(&log.bytes()[..log.bytes().len() - 9])
}

fn rehearsed() -> tempfile::TempDir {
    with_log(LogBuilder::chained().pass("p", "r").bytes())
}

fn foreign() -> tempfile::TempDir {
    with_log(LogBuilder::foreign().foreign_line(r#"{"type":"x"}"#, "all").bytes())
}

fn utf8(directory: &Path) -> Utf8PathBuf {
    Utf8PathBuf::try_from(directory.to_owned()).expect("UTF-8")
}

fn log(directory: &Path) -> Vec<u8> {
    std::fs::read(directory.join("events.jsonl")).unwrap_or_default()
}

fn is_torn(directory: &Path) -> bool {
    log(directory).last().is_some_and(|last| *last != b'\n')
}

/// The events of the complete lines.
fn events(directory: &Path) -> Vec<LogEntry> {
    let log = log(directory);
    let complete = log.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
    EventReader::new(&log[..complete]).collect::<Result<_, _>>().expect("a complete line is never damaged")
}

/// Every head in the output is that of a prefix of the log. A kill may cut the last one.
fn assert_acknowledged_heads(directory: &Path, stdout: &str) {
    let log = log(directory);
    for head in stdout.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')) {
        let head: Head = head.parse().expect("a head");
        let prefix = log.get(..usize::try_from(head.bytes).expect("small"));
        assert!(
            prefix.is_some_and(|prefix| blake3::hash(prefix) == head.blake3),
            "an acknowledged event is gone: {head}"
        );
    }
}

fn audit(directory: &Path, options: &AuditOptions) -> Option<LogAudit> {
    audit_path(utf8(directory).join("events.jsonl"), SidecarInput::NotRequested, options).ok()
}

/// Asks `GateProjection::open`, an audit that requires a permission, and the gate, which must agree.
fn asked(directory: &Path) -> bool {
    let state = utf8(directory);
    let query = GateQuery::new("p".parse().expect("a name"), Some("r".parse().expect("a name")));
    let opened =
        GateProjection::open(state.join("events.jsonl")).is_ok_and(|gate| evaluate(gate.state(), &query).may_publish());
    let mut options = AuditOptions::default();
    (options.plan_id, options.registry) = (Some(query.plan_id.clone()), query.rehearsal_registry.clone());
    options.require = Some(RequiredVerdict::Authorized);
    let report = match audit(directory, &options) {
        Some(audit) => LogReport::audited("log", audit),
        None => LogReport::unreadable("log", "there is no log"),
    };
    let required = Report::new(options, vec![report]).exit_code == 0;
    let answer =
        ask_gate(FsStorage, &state, &query, &SkipRequest::default(), None, LockOptions::default()).expect("asked");
    let permitted = answer.verdict().may_publish();
    assert_eq!((opened, required), (permitted, permitted), "`GateProjection::open` and the audit, then the gate");
    permitted
}

/// The next rehearsal opens the log. A torn tail is reported before and repaired after.
fn assert_opens(directory: &Path) {
    let (torn, options) = (is_torn(directory), AuditOptions::default());
    if let Some(audit) = audit(directory, &options) {
        assert_eq!(audit.tail != TailStatus::Clean, torn, "an audit reports a torn tail");
    }
    let adopting = StateOptions::default().adopt_unchained(true);
    drop(RehearsalRecorder::open(FsStorage, &utf8(directory), adopting).expect("it opens after any stop"));
    assert!(!is_torn(directory), "the tail is repaired");
    let last = events(directory).pop().map(|entry| entry.event.event_type.name().to_owned());
    assert!(!torn || last.as_deref() == Some("tail_repaired"), "the repair is recorded");
}
