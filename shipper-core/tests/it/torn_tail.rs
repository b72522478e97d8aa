//! A crash may cut a log at any byte. Then readers report the torn tail, the gate refuses, and the next rehearsal
//! repairs the log and keeps the bytes. An open rehearsal counts as failed until it is run again.

use std::process::{Command, Stdio};
use std::time::Duration;

use camino::Utf8PathBuf;
use shipper_core::audit::{AuditOptions, Conclusion, LogReport, SidecarInput, TailStatus};
use shipper_core::state_dir::StateOptions;
use shipper_core::{GateAnswer, GateProjection, GateQuery, RehearsalRecorder, SkipRequest, ask_gate};
use shipper_events::write::{FsStorage, LockOptions};
use shipper_events::{EventReader, ReadError};
use shipper_testkit::log_builder::LogBuilder;
use shipper_testkit::log_builder::audit;
use shipper_testkit::program::example_program;
use shipper_testkit::settings::{print_figure, scaled};

/// A publish may repair a torn tail if no rehearsal is open before it. While one is open, the lost line may be its
/// failure, so only the next rehearsal repairs it.
#[test]
fn torn_tail_is_repaired_by_a_publish_only_outside_a_rehearsal() {
    let query = GateQuery::new("p".parse().expect("a name"), Some("r".parse().expect("a name")));
    let mut passed = LogBuilder::chained();
    passed.pass("p", "r");
    let mut published = LogBuilder::chained();
    published.pass("p", "r").authorized("p", "r").plan("p", 1).published("a");
    let mut open = LogBuilder::chained();
    open.pass("p", "r").start("p", "r", 1);
    for (log, repaired) in [(passed, true), (published, true), (open, false)] {
        let directory = tempfile::tempdir().expect("a directory");
        let state = Utf8PathBuf::try_from(directory.path().to_owned()).expect("UTF-8");
        let torn = [log.bytes(), br#"{"seq":9,"prev""#].concat();
        std::fs::write(state.join("events.jsonl"), &torn).expect("a log");
        let options = || StateOptions::default().repair_torn_tail(true);
        let ask = || ask_gate(FsStorage, &state, &query, &SkipRequest::default(), None, options()).expect("asked");
        assert_eq!(ask().may_publish(), repaired);
        let after = std::fs::read(state.join("events.jsonl")).expect("the log");
        let text = String::from_utf8_lossy(&after);
        assert_eq!((text.contains("\"tail_repaired\""), after == torn), (repaired, !repaired), "{text}");
        assert_eq!(GateProjection::open(state.join("events.jsonl")).is_ok(), repaired);
    }
}

/// Every cut of the last two lines of a log whose plan passed a rehearsal and is being rehearsed again.
#[test]
fn every_torn_tail_is_refused_and_repaired() {
    let mut log = LogBuilder::chained();
    log.pass("p", "r").start("p", "r", 1).rehearsal_failure().complete("p", "r", false);
    let bytes = log.bytes();
    let ends: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at] == b'\n').map(|at| at + 1).collect();
    let query = GateQuery::new("p".parse().expect("a name"), Some("r".parse().expect("a name")));
    let mut cuts = 0;
    for cut in (ends[3] + 1..ends[5]).step_by(scaled(4, 1)) {
        let directory = tempfile::tempdir().expect("a directory");
        let state = Utf8PathBuf::try_from(directory.path().to_owned()).expect("UTF-8");
        let path = state.join("events.jsonl");
        std::fs::write(&path, &bytes[..cut]).expect("a log");
        if ends.contains(&cut) {
            continue;
        }
        cuts += 1;
        let complete = *ends.iter().rfind(|end| **end < cut).expect("a line");
        assert!(
            matches!(EventReader::new(&bytes[..cut]).last(), Some(Err(ReadError::TornTail { .. }))),
            "cut at {cut}"
        );
        let judged =
            audit(&bytes[..cut], SidecarInput::NotRequested, &AuditOptions::default()).expect("no line is demanded");
        assert_eq!(judged.tail, TailStatus::Torn);
        assert_ne!(LogReport::audited("log", judged).conclusion, Conclusion::Verified);
        let ask = || {
            ask_gate(FsStorage, &state, &query, &SkipRequest::default(), None, LockOptions::default()).expect("asked")
        };
        assert!(matches!(ask(), GateAnswer::UntrustedLog(_)), "cut at {cut}");
        assert_eq!(std::fs::read(&path).expect("the log"), &bytes[..cut], "the gate does not repair");

        let mut recorder = RehearsalRecorder::open(FsStorage, &state, LockOptions::default()).expect("it is repaired");
        let tail = &bytes[complete..cut];
        let saved = state.join(format!("events.jsonl.torn-{}", blake3::hash(tail)));
        assert_eq!(std::fs::read(saved).expect("the tail is kept"), tail);
        let refused = ask();
        assert!(
            refused.line().is_some() && !refused.may_publish(),
            "cut at {cut}: the open rehearsal counts as failed"
        );
        let mut again = recorder.start("p".parse().expect("a name"), "r".parse().expect("a name"), 1).expect("started");
        again.published("a", "1.0.0", Duration::ZERO).expect("recorded");
        again.complete(true, "done").expect("completed");
        assert!(ask().verdict().may_publish(), "cut at {cut}: the new rehearsal counts");
        let bytes = std::fs::read(&path).expect("the log");
        assert!(EventReader::new(&bytes[..]).all(|read| read.is_ok()));
    }
    print_figure(&format!("{cuts} cuts: each reported, refused by the gate, repaired by the next rehearsal"));
}

/// Only a rehearsal repairs a torn tail: the torn line may be the failure that makes a passed rehearsal unsound. If the
/// program that appends the events of a run cut it off, the gate would authorize without a new rehearsal.
#[test]
fn append_does_not_repair_a_torn_failure() {
    let mut log = LogBuilder::chained();
    let passed = log.pass("p", "r").bytes().len();
    log.event_on(r#"{"type":"rehearsal_smoke_check_failed","name":"a","version":"1.0.0"}"#, "a@1.0.0");
    let torn = &log.bytes()[..log.bytes().len() - 9];
    assert!(torn.len() > passed + 9);
    let directory = tempfile::tempdir().expect("a directory");
    let state = Utf8PathBuf::try_from(directory.path().to_owned()).expect("UTF-8");
    let path = state.join("events.jsonl");
    std::fs::write(&path, torn).expect("a log");

    let input = state.join("input");
    std::fs::write(&input, "{\"event_type\":{\"type\":\"execution_started\"},\"package\":\"all\"}\n").expect("a file");
    let mut append = Command::new(example_program("shipper-events", "append"));
    let input = Stdio::from(std::fs::File::open(&input).expect("a file"));
    let output = append.arg(&path).stdin(input).output().expect("it starts");

    let query = GateQuery::new("p".parse().expect("a name"), Some("r".parse().expect("a name")));
    let answer = ask_gate(FsStorage, &state, &query, &SkipRequest::default(), None, LockOptions::default());
    let answer = answer.expect("asked");
    assert!(matches!(answer, GateAnswer::UntrustedLog(_)), "{answer:?}");
    assert_eq!(std::fs::read(&path).expect("the log"), torn);
    let message = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.contains("torn tail") && message.contains("rehearse again to repair it"), "{message}");
}
