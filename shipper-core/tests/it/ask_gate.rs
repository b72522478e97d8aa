//! An audit verifies the records of the recorder and the gate: every decision with its exact basis, the sidecar, a
//! skip, and a log that was moved aside. Otherwise an audit would reject an honest release.

use std::time::Duration;

use camino::Utf8PathBuf;
use proptest::prelude::*;
use shipper_core::audit::{AuditOptions, LogAudit, SidecarInput, SidecarStatus};
use shipper_core::gate::{AskGateError, SidecarUpdate};
use shipper_core::rehearsal::RecordError;
use shipper_core::state_dir::StateOptions;
use shipper_core::{GateAnswer, GateQuery, RehearsalRecorder, SkipRequest, VerdictKind, ask_gate, strategies};
use shipper_events::write::{FsStorage, LockOptions, LogError, LogWriter, NewEvent, WriterOptions, rotate_log};
use shipper_testkit::log_builder::audit;
use shipper_testkit::log_builder::{LogBuilder, summarize};
use shipper_testkit::settings::proptest_config;

struct State {
    _directory: tempfile::TempDir,
    path: Utf8PathBuf,
}

impl State {
    fn new(log: &[u8]) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let path = Utf8PathBuf::try_from(directory.path().to_owned()).expect("UTF-8");
        std::fs::write(path.join("events.jsonl"), log).expect("a log");
        Self { _directory: directory, path }
    }

    fn ask(&self, registry: Option<&str>, skip: bool, asker: &SkipRequest) -> GateAnswer {
        let rehearsal_registry = registry.map(|name| name.parse().expect("a name"));
        let query = GateQuery::new("p".parse().expect("a name"), rehearsal_registry).with_skip(skip);
        ask_gate(FsStorage, &self.path, &query, asker, None, LockOptions::default()).expect("asked")
    }

    fn rehearse(&self, passes: bool) {
        let mut recorder = RehearsalRecorder::open(FsStorage, &self.path, LockOptions::default()).expect("it opens");
        let mut rehearsing =
            recorder.start("p".parse().expect("a name"), "r".parse().expect("a name"), 1).expect("started");
        if passes {
            rehearsing.published("a", "1.0.0", Duration::from_millis(7)).expect("recorded");
        } else {
            rehearsing.smoke_check_failed("a", "1.0.0", "no").expect("recorded");
        }
        assert!(rehearsing.complete(passes, "done").expect("completed").sidecar.is_none());
    }

    fn append(&self, draft: &str) {
        let path = self.path.join("events.jsonl");
        let mut log = LogWriter::open(FsStorage, &path, WriterOptions::default(), ()).expect("it opens");
        log.append(&[draft.parse::<NewEvent>().expect("a draft")]).expect("appended");
    }

    fn audit(&self) -> LogAudit {
        let log = std::fs::read(self.path.join("events.jsonl")).expect("the log");
        let sidecar = match std::fs::read(self.path.join("rehearsal.json")) {
            Ok(bytes) => SidecarInput::Found { path: "rehearsal.json".to_owned(), bytes },
            Err(_) => SidecarInput::Absent { path: "rehearsal.json".to_owned() },
        };
        audit(&log, sidecar, &AuditOptions::default()).expect("no line is demanded")
    }
}

/// A refusal, a rehearsal, an authorization and a publish are verified, and each answer has the line of its decision.
#[test]
fn release_after_a_refusal_verifies() {
    let state = State::new(b"");
    let no_skip = SkipRequest::default();
    let refused = state.ask(Some("r"), false, &no_skip);
    assert_eq!((refused.may_publish(), refused.line()), (false, Some(1)));
    state.rehearse(true);
    let authorized = state.ask(Some("r"), false, &no_skip);
    assert!(authorized.may_publish());
    assert_eq!((authorized.verdict().code(), authorized.line()), (VerdictKind::Authorized, Some(5)));
    assert!(matches!(authorized, GateAnswer::Recorded { sidecar: SidecarUpdate::UpToDate, .. }));
    state.append(r#"{"event_type":{"type":"plan_created","plan_id":"p","package_count":1,"gate":5},"package":"all"}"#);
    state.append(r#"{"event_type":{"type":"package_published","duration_ms":1},"package":"a@1.0.0"}"#);
    state.append(r#"{"event_type":{"type":"execution_finished","result":"success"},"package":"all"}"#);
    let audited = state.audit();
    assert_eq!(audited.sidecar.status, SidecarStatus::Match);
    assert_eq!(summarize(audited), "verified chained; 1:refused; 5:verified<-6");
}

/// The log contains the actor and the justification of a skip, and the decision of a dormant gate.
#[test]
fn skip_is_recorded_with_who_and_why() {
    let state = State::new(b"");
    let asker = SkipRequest::new(Some("release\u{1b} bot".to_owned()), Some("no \"time\"".to_owned()));
    assert_eq!(state.ask(Some("r"), true, &asker).verdict().code(), VerdictKind::Bypassed);
    assert_eq!(state.ask(None, false, &SkipRequest::default()).verdict().code(), VerdictKind::Dormant);
    let audited = state.audit();
    let bypassed = audited.findings.iter().find(|finding| finding.code.as_str() == "gate-bypassed").expect("a finding");
    assert!(bypassed.message.contains(r#""release\u{1b} bot""#) && bypassed.message.contains(r#""no \"time\"""#));
    assert_eq!(summarize(audited), "inconclusive chained; 1:permitted; 2:permitted; 1!gate-bypassed");
}

/// A skip request without an actor and a justification is rejected.
#[test]
fn anonymous_skip_is_rejected() {
    let state = State::new(b"");
    let query = GateQuery::new("p".parse().expect("a name"), Some("r".parse().expect("a name"))).with_skip(true);
    let text = |text: &str| Some(text.to_owned());
    for (actor, justification) in [(None, None), (text("me"), None), (None, text("why")), (text(" "), text("why"))] {
        let asker = SkipRequest::new(actor, justification);
        let asked = ask_gate(FsStorage, &state.path, &query, &asker, None, LockOptions::default());
        assert!(matches!(asked, Err(AskGateError::SkipWithoutReason)));
    }
    assert_eq!(std::fs::read(state.path.join("events.jsonl")).expect("the log"), b"");
}

/// The gate does not read the sidecar: a forged one changes no verdict, is reported, and is replaced by one from the
/// fold.
#[test]
fn forged_sidecar_is_ignored_and_rewritten() {
    let state = State::new(b"");
    state.rehearse(false);
    let sidecar = state.path.join("rehearsal.json");
    let honest = std::fs::read_to_string(&sidecar).expect("it was written");
    for forged in [honest.replace("false", "true"), "{".to_owned(), String::new()] {
        std::fs::write(&sidecar, forged).expect("forged");
        let answer = state.ask(Some("r"), false, &SkipRequest::default());
        assert_eq!(answer.verdict().code(), VerdictKind::Refused);
        assert!(matches!(answer, GateAnswer::Recorded { sidecar: SidecarUpdate::Rewritten, .. }));
        assert_eq!(std::fs::read_to_string(&sidecar).expect("it is there"), honest);
    }
}

/// Unchained lines are adopted in the same write as the decision that needs it.
#[test]
fn unchained_lines_are_adopted_with_the_decision() {
    let mut log = LogBuilder::foreign();
    log.pass("p", "r");
    let state = State::new(log.bytes());
    let query = GateQuery::new("p".parse().expect("a name"), Some("r".parse().expect("a name")));
    let adopting = StateOptions::default().adopt_unchained(true);
    let answer = ask_gate(FsStorage, &state.path, &query, &SkipRequest::default(), None, adopting).expect("asked");
    assert_eq!(answer.line(), Some(5));
    log = LogBuilder::foreign();
    log.raw(&std::fs::read_to_string(state.path.join("events.jsonl")).expect("the log"));
    assert_eq!(summarize(state.audit()), "verified partlychained; 5:authorized");
}

/// A tool can record events of its own during a rehearsal, but none that the gate reads.
#[test]
fn own_events_can_be_recorded_during_a_rehearsal() {
    let state = State::new(b"");
    let mut recorder = RehearsalRecorder::open(FsStorage, &state.path, LockOptions::default()).expect("it opens");
    let mut rehearsal = recorder.start("p".parse().expect("a name"), "r".parse().expect("a name"), 1).expect("started");
    let event = |name: &str| -> NewEvent {
        format!(r#"{{"event_type":{{"type":"{name}"}},"package":"all"}}"#).parse().expect("a draft")
    };
    rehearsal.record(&[event("my_tool_scanned")]).expect("recorded");
    let refused = rehearsal.record(&[event("my_tool_scanned"), event("rehearsal_paused")]);
    assert!(matches!(refused, Err(RecordError::ReservedType { name }) if name == "rehearsal_paused"));
    rehearsal.published("a", "1.0.0", Duration::ZERO).expect("recorded");
    rehearsal.complete(true, "done").expect("completed");
    assert!(state.ask(Some("r"), false, &SkipRequest::default()).may_publish());
    assert_eq!(state.audit().lines, 5);
}

/// A rehearsal that is dropped half-way stays open and visible, and the receipt before it stays valid.
#[test]
fn dropped_rehearsal_stays_open() {
    let state = State::new(b"");
    state.rehearse(true);
    let mut recorder = RehearsalRecorder::open(FsStorage, &state.path, LockOptions::default()).expect("it opens");
    drop(recorder.start("p".parse().expect("a name"), "r".parse().expect("a name"), 1).expect("started"));
    drop(recorder);
    assert!(state.ask(Some("r"), false, &SkipRequest::default()).verdict().may_publish());
    state.rehearse(true);
    assert_eq!(summarize(state.audit()), "verified chained; 5:authorized; 6!rehearsal-abandoned");
}

/// Two torn tails of the same bytes are two repairs, and the second also marks the rehearsal that was torn.
#[test]
fn identical_second_torn_tail_is_recorded() {
    let state = State::new(b"");
    let path = state.path.join("events.jsonl");
    let tear = || {
        let mut log = std::fs::read(&path).expect("the log");
        log.extend_from_slice(b"{\"seq\":");
        std::fs::write(&path, log).expect("torn");
    };
    state.rehearse(true);
    tear();
    drop(RehearsalRecorder::open(FsStorage, &state.path, LockOptions::default()).expect("repaired"));
    assert!(state.ask(Some("r"), false, &SkipRequest::default()).verdict().may_publish());
    let mut recorder = RehearsalRecorder::open(FsStorage, &state.path, LockOptions::default()).expect("it opens");
    drop(recorder.start("p".parse().expect("a name"), "r".parse().expect("a name"), 1).expect("started"));
    drop(recorder);
    tear();
    assert!(matches!(state.ask(Some("r"), false, &SkipRequest::default()), GateAnswer::UntrustedLog(_)));
    drop(RehearsalRecorder::open(FsStorage, &state.path, LockOptions::default()).expect("repaired"));
    let refused = state.ask(Some("r"), false, &SkipRequest::default());
    assert!(!refused.verdict().may_publish(), "the lost line may have recorded a failure");
    let log = std::fs::read_to_string(&path).expect("the log");
    assert_eq!(log.matches("tail_repaired").count(), 2);
    assert!(!state.path.join("events.jsonl.repairing").exists());
}

/// A corrupt log is moved aside completely. The new log contains its head, and the plan must be rehearsed again.
#[test]
fn corrupt_log_is_moved_aside_and_continued() {
    let mut log = LogBuilder::chained();
    log.pass("p", "r").raw("{\n");
    let old = [log.bytes(), b"half"].concat();
    let state = State::new(&old);
    let refused = state.ask(Some("r"), false, &SkipRequest::default());
    assert!(matches!(refused, GateAnswer::UntrustedLog(_)) && refused.line().is_none());
    let path = state.path.join("events.jsonl");
    let (aside, continued) = rotate_log(FsStorage, &path, LockOptions::default(), ()).expect("continued");
    assert_eq!(std::fs::read(&aside).expect("the old log"), old, "the old log is complete");
    assert_eq!(continued.head().lines, 1);
    let first = std::fs::read_to_string(&path).expect("the new log");
    assert!(first.contains(&format!(r#""type":"log_continued","lines":4,"bytes":{}"#, log.bytes().len())), "{first}");
    assert!(
        !state.ask(Some("r"), false, &SkipRequest::default()).verdict().may_publish(),
        "the fold of the new log starts empty"
    );
    state.rehearse(true);
    assert!(state.ask(Some("r"), false, &SkipRequest::default()).verdict().may_publish());
    assert_eq!(summarize(state.audit()), "inconclusive chained; 2:refused; 6:authorized; 1!continues-earlier-log");
}

/// A log that does not extend the head that the caller kept is refused, and nothing is recorded.
#[test]
fn the_expected_head_is_never_dropped() {
    let state = State::new(b"");
    let head = state.ask(Some("r"), false, &SkipRequest::default()).head().expect("recorded");
    std::fs::write(state.path.join("events.jsonl"), b"").expect("another log");
    let query = GateQuery::new("p".parse().expect("a name"), Some("r".parse().expect("a name")));
    let lock = LockOptions::default();
    let answer = ask_gate(FsStorage, &state.path, &query, &SkipRequest::default(), Some(head), lock).expect("asked");
    assert!(matches!(answer, GateAnswer::UntrustedLog(LogError::NotExtended { kept, .. }) if kept == head));
    assert_eq!(std::fs::read(state.path.join("events.jsonl")).expect("the log"), b"", "nothing is recorded");
}

proptest! {
    #![proptest_config(proptest_config(60))]

    /// After any history, an audit confirms the decision that the gate recorded, and the sidecar matches.
    #[test]
    fn recorded_decisions_are_confirmed_by_the_audit(entries in strategies::entries(0..20), query in strategies::query()) {
        let state = State::new(&strategies::to_log(&strategies::chained(entries)));
        let asker = SkipRequest::new(Some("me".to_owned()), Some("a test".to_owned()));
        let answer = ask_gate(FsStorage, &state.path, &query, &asker, None, LockOptions::default()).expect("asked");
        let audited = state.audit();
        let decision = audited.decisions.iter().find(|decision| Some(decision.line) == answer.line()).expect("recorded");
        let recorded = decision.recorded.as_ref().expect("recorded");
        prop_assert!(decision.derived.as_ref().is_some_and(|derived| recorded == derived));
        prop_assert_eq!(decision.derived.as_ref().map(|derived| derived.verdict), Some(answer.verdict().code()));
        prop_assert!([SidecarStatus::Match, SidecarStatus::Absent].contains(&audited.sidecar.status));
        let head = answer.head().expect("recorded");
        prop_assert_eq!((head.lines, head.bytes, head.blake3.to_string()), (audited.lines, audited.bytes, audited.blake3));
    }
}
