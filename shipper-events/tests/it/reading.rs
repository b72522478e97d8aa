//! A log is read completely or not at all: an event of an invalid log must not influence a decision.

use std::error::Error;
use std::process::Command;

use shipper_events::scan::{LineCursor, Projection, read_projection};
use shipper_events::write::LogError;
use shipper_events::{ChainLink, EventReader, Head, LogEntry, ReadError};
use shipper_testkit::lines::split_lines;
use shipper_testkit::program::example_program;

fn event(event_type: &str) -> String {
    format!(r#"{{"timestamp":"2026-11-23T08:12:26Z","event_type":{event_type},"package":"all"}}"#) + "\n"
}

/// Projection that collects the lines of its events, and the head after the last of them.
#[derive(Default)]
struct Failures(Vec<u64>, Option<Head>);

impl Projection for Failures {
    fn reads(event_type: &str) -> bool {
        event_type == "package_failed"
    }

    fn apply(&mut self, entry: &LogEntry, cursor: &mut LineCursor<'_>) {
        assert_eq!(entry.event.event_type.name(), "package_failed");
        self.0.push(entry.line);
        self.1 = Some(cursor.head());
    }
}

/// A projection gets only events of its event types, with the heads of their lines.
#[test]
fn a_projection_gets_only_its_event_types() {
    let required = event(r#"{"type":"plan_created","plan_id":"p","package_count":1}"#);
    let log = [required, event(r#"{"type":"package_failed"}"#), event(r#"{"type":"package_published"}"#)].concat();
    let read = read_projection(log.as_bytes(), Failures::default()).expect("a valid log");
    let upto: Vec<u8> = split_lines(log.as_bytes()).0.take(2).collect::<Vec<_>>().concat();
    assert_eq!(read.0.0, [2]);
    assert_eq!(read.0.1, Some(Head { lines: 2, bytes: upto.len() as u64, blake3: blake3::hash(&upto) }));
}

/// A projection of an invalid log is an error, and an event reader ends with the same error.
#[test]
fn a_log_that_is_not_valid_has_no_projection() {
    let line = event(r#"{"type":"execution_started"}"#);
    let chained = format!("{}{}", ChainLink::to_previous(1, b"another line"), line.trim_start_matches('{'));
    let cases = [
        (format!("{line}x\n"), "line 2 is corrupt: column 1: expected one JSON object"),
        (format!("{line}{chained}"), "line 2 contradicts the lines before it: `prev` is "),
        (format!("{line}{{"), "the log has a torn tail of 1 bytes after line 1"),
    ];
    for (log, message) in cases {
        let Err(error) = read_projection(log.as_bytes(), ()) else { panic!("{log} is not valid") };
        assert!(error.to_string().starts_with(message), "{error}");
        let last = EventReader::new(log.as_bytes()).last();
        assert_eq!(last.expect("an end").expect_err("an error").to_string(), error.to_string());
    }
}

/// An error has its cause in its message or as its source, never both: a report of the sources would repeat it.
#[test]
fn causes_are_reported_once() {
    let line = event(r#"{"type":"execution_started"}"#);
    let chained = format!("{}{}", ChainLink::to_previous(7, b""), line.trim_start_matches('{'));
    let Some(Err(read @ ReadError::Chain { .. })) = EventReader::new(chained.as_bytes()).next() else {
        panic!("its seq is invalid");
    };
    let path = camino::Utf8PathBuf::from("events.jsonl");
    let source = || std::io::Error::other("the cause");
    let unreadable = LogError::Io { what: "read", path, source: source() };
    let errors: [&dyn Error; 3] = [&read, &unreadable, &ReadError::Io { line: 1, source: source() }];
    for error in errors {
        let mut cause = error.source();
        while let Some(source) = cause {
            assert!(!error.to_string().contains(&source.to_string()), "{error}");
            cause = source.source();
        }
    }
}

/// The example folds a projection of its own over a log, and prints nothing for an invalid log.
#[test]
fn the_example_counts_packages_per_plan() {
    let real = |name: &str| {
        std::fs::read(format!("{}/../fixtures/real/{name}/events.jsonl", env!("CARGO_MANIFEST_DIR"))).expect("a log")
    };
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("events.jsonl");
    let run = |log: &[u8]| {
        std::fs::write(&path, log).expect("written");
        let output =
            Command::new(example_program("shipper-events", "packages_per_plan")).arg(&path).output().expect("it runs");
        (output.status.code(), String::from_utf8(output.stdout).expect("UTF-8"))
    };
    let counts = "04c1960667263a71e78922ef68481e930a112626c612e5869f96865fb064bc39 1\n\
                  4f6e939d0470c7d75a6f992888a6728cbc872a2bd5f424ae73aad6e567fc902a 3\n";
    let once = [real("pass-3crate"), real("pass-1crate")].concat();
    assert_eq!(run(&once), (Some(0), counts.to_owned()));
    // A package counts once, and not after the end of its run.
    let mut lines: Vec<&[u8]> = once.split_inclusive(|byte| *byte == b'\n').collect();
    let published: Vec<&[u8]> =
        lines.iter().copied().filter(|line| line.windows(19).any(|part| part == b"\"package_published\"")).collect();
    assert_eq!(published.len(), 4);
    let (first, second) = (published[0], published[3]);
    lines.extend([first, second]);
    assert_eq!(run(&lines.concat()), (Some(0), counts.to_owned()));
    let position = lines.iter().position(|line| *line == first).expect("a line");
    lines.insert(position, first);
    assert_eq!(run(&lines.concat()), (Some(0), counts.to_owned()));
    assert_eq!(run(&real("torn-log-gate")), (Some(2), String::new()));
}
