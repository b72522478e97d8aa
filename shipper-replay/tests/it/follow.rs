//! A log that is being written is told as it comes, and a log that is cut or replaced meanwhile does not go unnoticed:
//! whoever watches a release must learn of a violation when it happens.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use crate::support::{fixtures, replay_stdin, seen};

/// The program following a log, and what it has said so far.
struct Following {
    child: Child,
    said: String,
    out: std::sync::mpsc::Receiver<Vec<u8>>,
}

impl Following {
    fn of(log: &Path) -> Self {
        Self::with(&[], log)
    }

    fn with(args: &[&str], log: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_shipper-replay"))
            .arg("--follow")
            .args(args)
            .arg(log)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut stdout = child.stdout.take().expect("a standard output");
        let (give, out) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = stdout.read(&mut buffer) {
                if give.send(buffer[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self { child, said: String::new(), out }
    }

    /// Waits until it has said something.
    fn says(&mut self, what: &str) {
        let until = Instant::now() + Duration::from_secs(60);
        while !self.said.contains(what) {
            let left = until.saturating_duration_since(Instant::now());
            let more = self.out.recv_timeout(left).unwrap_or_else(|_| panic!("{what:?} was not said in {}", self.said));
            self.said += &String::from_utf8(more).expect("UTF-8");
        }
    }

    /// Waits until it ends, and returns its exit status and everything that it said.
    fn ends(mut self) -> (i32, String) {
        loop {
            match self.out.recv_timeout(Duration::from_secs(60)) {
                Ok(more) => self.said += &String::from_utf8(more).expect("UTF-8"),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    self.child.kill().expect("it is still running");
                    panic!("it does not end after {}", self.said);
                }
            }
        }
        let code = self.child.wait().expect("it ends").code().expect("it was not killed");
        (code, self.said)
    }

    fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.child.id().to_string()]).status().expect("kill");
        assert!(sent.success());
    }
}

/// The lines of a real log: a failed rehearsal, published over all the same.
fn lines() -> Vec<Vec<u8>> {
    let log = fs::read(fixtures().join("real/skip-over-failed/events.jsonl")).expect("the fixture");
    log.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
}

fn append(log: &Path, lines: &[Vec<u8>]) {
    let mut file = fs::OpenOptions::new().append(true).create(true).open(log).expect("the log");
    file.write_all(&lines.concat()).expect("it is written");
}

/// (Pass) Events are told as they are written, violations when they happen; Ctrl-C ends it with the report.
#[test]
fn events_are_printed_as_they_are_written() {
    let top = tempfile::tempdir().expect("a directory");
    let log = top.path().join("events.jsonl");
    let lines = lines();
    append(&log, &lines[..3]);
    let mut following = Following::of(&log);
    following.says("rehearsal_package_failed");
    append(&log, &lines[3..4]);
    following.says("gate: refused (rehearsal-failed)");
    assert!(!following.said.contains("error["), "{}", following.said);
    // A line in two halves is one event.
    let (first, second) = lines[4].split_at(20);
    append(&log, &[first.to_vec()]);
    std::thread::sleep(Duration::from_millis(300));
    append(&log, &[second.to_vec()]);
    following.says("line 5 ");
    append(&log, &lines[5..]);
    following.says("error[publish-not-authorized] line 7:");
    following.says("conclusion so far: violated");
    following.says("line 36");
    following.signal("-INT");
    let (code, said) = following.ends();
    assert_eq!(code, 1, "{said}");
    assert!(!said.contains("torn"), "{said}");
    assert_eq!(said.matches("error[publish-not-authorized]:").count(), 1, "the report stands at the end: {said}");
    assert!(said.contains("events.jsonl:7:"), "with the places that show it: {said}");
}

/// (Pass) Ended by a signal to terminate before anything was decided: inconclusive, not a success.
#[test]
fn terminated_before_any_decision_is_inconclusive() {
    let top = tempfile::tempdir().expect("a directory");
    let log = top.path().join("events.jsonl");
    append(&log, &lines()[..1]);
    let mut following = Following::of(&log);
    following.says("rehearsal_started");
    following.signal("-TERM");
    assert_eq!(following.ends().0, 3);
}

/// (Fail) The log is cut, removed or replaced while it is followed, also by a named pipe, which would block a program
/// that opens it: said at once, and no success.
#[test]
fn cut_replaced_or_removed_log_is_detected() {
    let verified = fs::read(fixtures().join("real/pass-3crate/events.jsonl")).expect("the fixture");
    type Away = fn(&Path);
    let ways: [(Away, &str); 4] = [
        (
            |log| fs::OpenOptions::new().write(true).open(log).and_then(|file| file.set_len(100)).expect("cut"),
            "was cut",
        ),
        (
            |log| {
                fs::copy(log, log.with_extension("new")).expect("copied");
                fs::rename(log.with_extension("new"), log).expect("replaced");
            },
            "another file was put in the log's place",
        ),
        (
            |log| {
                let pipe = log.with_extension("pipe");
                assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
                fs::rename(pipe, log).expect("replaced");
            },
            "another file was put in the log's place",
        ),
        (|log| fs::remove_file(log).expect("removed"), "moved away or removed"),
    ];
    for (away, words) in ways {
        let top = tempfile::tempdir().expect("a directory");
        let log = top.path().join("events.jsonl");
        fs::write(&log, &verified).expect("the log");
        let mut following = Following::of(&log);
        following.says("conclusion so far: verified");
        away(&log);
        let (code, said) = following.ends();
        assert_eq!(code, 2, "{said}");
        assert!(said.contains(words), "{said}");
    }
}

/// (Fail) A line that was told is rewritten in place: the report at the end is on what was read, shows no line that is no
/// longer there, and is no success.
#[test]
fn log_changed_in_place_is_detected() {
    let verified = fs::read_to_string(fixtures().join("real/pass-3crate/events.jsonl")).expect("the fixture");
    let top = tempfile::tempdir().expect("a directory");
    let log = top.path().join("events.jsonl");
    fs::write(&log, &verified).expect("the log");
    let mut following = Following::of(&log);
    following.says("conclusion so far: verified");
    let forged =
        verified.replace("\"passed\":true,", "\"passed\":false").replacen("\"passed\":false", "\"passed\":1234,", 1);
    assert_eq!(forged.len(), verified.len());
    let mut file = fs::OpenOptions::new().write(true).open(&log).expect("the log");
    file.write_all(forged.as_bytes()).expect("rewritten");
    following.signal("-INT");
    let (code, said) = following.ends();
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("was changed while it was followed") && !said.contains("1234"), "{said}");
}

/// (Pass) A named pipe is followed to its end, and not waited for again.
#[test]
fn named_pipe_is_followed_to_its_end() {
    let top = tempfile::tempdir().expect("a directory");
    let pipe = top.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    let following = Following::of(&pipe);
    fs::write(&pipe, lines().concat()).expect("every byte is taken");
    assert_eq!(following.ends().0, 1);
}

/// (Pass) A stream that somebody no longer wants to wait for: the report is on what came.
#[test]
fn signal_ends_a_stream_with_a_report() {
    let top = tempfile::tempdir().expect("a directory");
    let pipe = top.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    let mut following = Following::of(&pipe);
    let mut writer = fs::OpenOptions::new().write(true).open(&pipe).expect("the pipe");
    writer.write_all(&lines().concat()).expect("it is written");
    following.says("conclusion so far: violated");
    following.signal("-INT");
    let (code, said) = following.ends();
    assert_eq!((code, said.contains(": violated, ")), (1, true), "{said}");
}

/// (Pass) Until a log that is being written has reached the head that somebody kept, nothing is said about that; if it never
/// does, the report says so.
#[test]
fn expected_head_is_checked_when_reached() {
    let verified = fs::read(fixtures().join("real/pass-3crate/events.jsonl")).expect("the fixture");
    let head = {
        let lines = verified.iter().filter(|byte| **byte == b'\n').count();
        format!("{lines}:{}:{}", verified.len(), blake3::hash(&verified))
    };
    let lines: Vec<Vec<u8>> = verified.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    let top = tempfile::tempdir().expect("a directory");
    let log = top.path().join("events.jsonl");
    append(&log, &lines[..4]);
    let mut following = Following::with(&["--extends", &head], &log);
    following.says("line 4 ");
    std::thread::sleep(Duration::from_millis(300));
    append(&log, &lines[4..]);
    following.says("conclusion so far: verified");
    following.signal("-INT");
    let (code, said) = following.ends();
    assert_eq!((code, said.contains("truncated")), (0, false), "{said}");
    fs::write(&log, lines[..4].concat()).expect("the log");
    let mut following = Following::with(&["--extends", &head], &log);
    following.says("line 4 ");
    following.signal("-INT");
    let (code, said) = following.ends();
    assert_eq!((code, said.matches("error[log-truncated]").count()), (1, 1), "{said}");
}

/// (Pass) A stream is followed to its end.
#[test]
fn stream_is_followed_to_its_end() {
    let output = replay_stdin(&["--follow", "-"], &lines().concat());
    assert_eq!(output.status.code(), Some(1));
    let said = seen(&output);
    assert!(said.contains("conclusion so far: violated") && said.contains("-: violated"), "{said}");
}

/// (Fail) What speaks of another place or form than the end of one log, told as it comes, is a usage error.
#[test]
fn options_that_conflict_with_follow_are_usage_errors() {
    for args in [
        &["--follow", "--at", "3", "real/skip/events.jsonl"][..],
        &["--follow", "--format", "json", "real/skip/events.jsonl"],
        &["--follow", "-q", "real/skip/events.jsonl"],
        &["--follow", "real"],
        &["--follow", "real/skip/events.jsonl", "real/skip/events.jsonl"],
    ] {
        let output = crate::support::replay(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", seen(&output));
        assert!(output.stdout.is_empty(), "{args:?}");
    }
    let missing = crate::support::replay(&["--follow", "nowhere.jsonl"]);
    assert_eq!(missing.status.code(), Some(2), "{}", seen(&missing));
}
