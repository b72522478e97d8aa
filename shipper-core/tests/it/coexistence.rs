//! A writer refuses a log that the shipper tool writes, unless the caller opts in: that tool's reader rejects our event
//! types, so its next publish would upload every package and then fail without its `receipt.json`.

use std::process::Command;

use camino::Utf8PathBuf;
use shipper_core::gate::AskGateError;
use shipper_core::rehearsal::RecordError;
use shipper_core::state_dir::StateOptions;
use shipper_core::{GateQuery, RehearsalRecorder, SkipRequest, ask_gate};
use shipper_events::write::{AppendError, FsStorage, LogError, LogWriter, NewEvent, ShipperSign, WriterOptions};
use shipper_testkit::log_builder::LogBuilder;
use shipper_testkit::program::example_program;

struct State {
    _directory: tempfile::TempDir,
    path: Utf8PathBuf,
}

impl State {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().canonicalize().expect("a path").try_into().expect("UTF-8");
        Self { _directory: directory, path }
    }

    fn log(&self) -> Utf8PathBuf {
        self.path.join("events.jsonl")
    }

    /// Returns the sign for which the writer, the recorder and the gate refuse; `None` if they accept.
    fn refused(&self) -> Option<ShipperSign> {
        let before = std::fs::read(self.log()).ok();
        let options = StateOptions::default();
        let query = GateQuery::new("p".parse().expect("a name"), Some("r".parse().expect("a name")));
        let asked = ask_gate(FsStorage, &self.path, &query, &SkipRequest::default(), None, options.clone());
        let gate = match asked {
            Err(AskGateError::Log(LogError::NotAdopted { sign, .. })) => Some(sign),
            asked => asked.map(|_| None).expect("asked"),
        };
        let recorder = match RehearsalRecorder::open(FsStorage, &self.path, options).map(drop) {
            Err(RecordError::Log(LogError::NotAdopted { sign, .. })) => Some(sign),
            opened => opened.map(|()| None).expect("opened"),
        };
        let writer = match LogWriter::open(FsStorage, &self.log(), WriterOptions::default(), ()).map(drop) {
            Err(LogError::NotAdopted { sign, .. }) => Some(sign),
            opened => opened.map(|()| None).expect("opened"),
        };
        assert_eq!((&gate, &gate), (&recorder, &writer), "gate, recorder and writer agree");
        if gate.is_some() {
            assert_eq!(std::fs::read(self.log()).ok(), before, "the log is unchanged");
        }
        gate
    }

    /// The gate and the recorder accept the log if the caller opts in.
    fn adopt(&self) {
        let options = StateOptions::default().adopt_unchained(true);
        let query = GateQuery::new("p".parse().expect("a name"), Some("r".parse().expect("a name")));
        ask_gate(FsStorage, &self.path, &query, &SkipRequest::default(), None, options.clone()).expect("asked");
        RehearsalRecorder::open(FsStorage, &self.path, options).map(drop).expect("opened");
    }
}

fn unchained() -> Vec<u8> {
    let mut log = LogBuilder::foreign();
    log.pass("p", "r");
    log.bytes().to_vec()
}

/// Unchained lines need the opt-in, and need it again if the other tool continues after they were adopted.
#[test]
fn unchained_lines_need_the_opt_in_each_time() {
    let state = State::new();
    std::fs::write(state.log(), unchained()).expect("a log");
    assert!(matches!(state.refused(), Some(ShipperSign::UnchainedLine { line: 3, .. })));
    state.adopt();
    assert_eq!(state.refused(), None, "the lines are adopted");
    let mut log = std::fs::read(state.log()).expect("the log");
    log.extend(unchained());
    std::fs::write(state.log(), log).expect("the other tool goes on");
    assert!(matches!(state.refused(), Some(ShipperSign::UnchainedLine { .. })));
    state.adopt();
}

/// A missing or empty log beside a file of the shipper tool needs the opt-in, and is not created.
#[test]
fn new_log_beside_files_of_the_shipper_tool_needs_the_opt_in() {
    for (name, empty_log) in [("state.json", false), ("receipt.json", false), ("receipt.json", true)] {
        let state = State::new();
        let file = state.path.join(name);
        std::fs::write(&file, "{}").expect("a file");
        if empty_log {
            std::fs::write(state.log(), "").expect("a log");
        }
        assert!(matches!(state.refused(), Some(ShipperSign::File { path, .. }) if path == file), "{name}");
        assert_eq!(state.log().exists(), empty_log);
        state.adopt();
        assert_eq!(state.refused(), None, "the log has a line of ours");
    }
}

/// A torn tail after unchained lines is not cut off without the opt-in.
#[test]
fn torn_tail_of_the_shipper_tool_is_not_repaired() {
    let state = State::new();
    let torn = [&unchained()[..], b"{\"timestamp\":\"20"].concat();
    std::fs::write(state.log(), &torn).expect("a log");
    let opened = RehearsalRecorder::open(FsStorage, &state.path, StateOptions::default()).map(drop);
    assert!(matches!(opened, Err(RecordError::Log(LogError::NotAdopted { .. }))), "{opened:?}");
    assert_eq!(std::fs::read(state.log()).expect("the log"), torn);
}

/// An open writer refuses lines that the shipper tool appends meanwhile.
#[test]
fn open_writer_refuses_new_unchained_lines() {
    let state = State::new();
    let mut log = LogWriter::open(FsStorage, &state.log(), WriterOptions::default(), ()).expect("a new log");
    let draft: NewEvent = r#"{"event_type":{"type":"execution_started"},"package":"all"}"#.parse().expect("a draft");
    log.append(std::slice::from_ref(&draft)).expect("appended");
    let both = [std::fs::read(state.log()).expect("the log"), unchained()].concat();
    std::fs::write(state.log(), both).expect("the other tool appends");
    let error = log.append(&[draft]).expect_err("there are unchained lines");
    assert!(matches!(error, AppendError::Log(LogError::NotAdopted { .. })), "{error}");
}

/// The programs say who writes the log and how to opt in, and `--adopt` opts in.
#[test]
fn programs_explain_the_refusal_and_have_the_opt_in() {
    let plan = ["--plan-id", "p", "--registry", "r"];
    for (package, name, target, args, adopted) in [
        ("shipper-core", "ask_gate", "", &plan[..], Some(0)),
        ("shipper-core", "record_rehearsal", "", &plan[..], Some(0)),
        ("shipper-events", "append", "events.jsonl", &[][..], Some(0)),
    ] {
        let state = State::new();
        std::fs::write(state.log(), unchained()).expect("a log");
        let run = |adopt: &[&str]| {
            let mut command = Command::new(example_program(package, name));
            command.args(adopt).arg(state.path.join(target)).args(args).stdin(std::process::Stdio::null());
            command.output().expect("it starts")
        };
        let refused = run(&[]);
        let message = String::from_utf8(refused.stderr).expect("UTF-8");
        assert!(!refused.status.success(), "{name}");
        for part in ["shipper tool", "without its receipt.json", "resume, status and inspect-events", "--adopt"] {
            assert!(message.contains(part), "{name}: {message}");
        }
        assert_eq!(std::fs::read(state.log()).expect("the log"), unchained(), "{name}");
        assert_eq!(run(&["--adopt"]).status.code(), adopted, "{name}");
    }
}
