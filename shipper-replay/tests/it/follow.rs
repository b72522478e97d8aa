//! `--follow` prints the events of a log while it is written, and detects a log that is cut or replaced. An operator
//! who watches a release must see a violation when it happens.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use crate::support::{fixtures, replay_stdin, seen};

/// The program that follows a log, and its output so far.
struct Following {
    child: Child,
    output: String,
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
        Self { child, output: String::new(), out }
    }

    /// Waits until the program has printed this text.
    fn wait_for(&mut self, text: &str) {
        let until = Instant::now() + Duration::from_secs(60);
        while !self.output.contains(text) {
            let left = until.saturating_duration_since(Instant::now());
            let more = self.out.recv_timeout(left).unwrap_or_else(|_| panic!("{text:?} is not in {}", self.output));
            self.output += &String::from_utf8(more).expect("UTF-8");
        }
    }

    /// Waits until the program ends, and returns its exit status and its complete output.
    fn wait_for_exit(mut self) -> (i32, String) {
        loop {
            match self.out.recv_timeout(Duration::from_secs(60)) {
                Ok(more) => self.output += &String::from_utf8(more).expect("UTF-8"),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    self.child.kill().expect("it is still running");
                    panic!("it does not end after {}", self.output);
                }
            }
        }
        let code = self.child.wait().expect("it ends").code().expect("it was not killed");
        (code, self.output)
    }

    fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.child.id().to_string()]).status().expect("kill");
        assert!(sent.success());
    }
}

/// The lines of a real log: a failed rehearsal, and a publish despite it.
fn lines() -> Vec<Vec<u8>> {
    let log = fs::read(fixtures().join("real/skip-over-failed/events.jsonl")).expect("the fixture");
    log.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
}

fn append(log: &Path, lines: &[Vec<u8>]) {
    let mut file = fs::OpenOptions::new().append(true).create(true).open(log).expect("the log");
    file.write_all(&lines.concat()).expect("it is written");
}

/// Events are printed when they are written, and violations when they happen. Ctrl-C ends the program with the report.
#[test]
fn events_are_printed_as_they_are_written() {
    let top = tempfile::tempdir().expect("a directory");
    let log = top.path().join("events.jsonl");
    let lines = lines();
    append(&log, &lines[..3]);
    let mut following = Following::of(&log);
    following.wait_for("rehearsal_package_failed");
    append(&log, &lines[3..4]);
    following.wait_for("gate: refused (rehearsal-failed)");
    assert!(!following.output.contains("error["), "{}", following.output);
    // A line that arrives in two halves is one event.
    let (first, second) = lines[4].split_at(20);
    append(&log, &[first.to_vec()]);
    std::thread::sleep(Duration::from_millis(300));
    append(&log, &[second.to_vec()]);
    following.wait_for("line 5 ");
    append(&log, &lines[5..]);
    following.wait_for("error[publish-not-authorized] line 7:");
    following.wait_for("conclusion so far: violated");
    following.wait_for("line 36");
    following.signal("-INT");
    let (code, output) = following.wait_for_exit();
    assert_eq!(code, 1, "{output}");
    assert!(!output.contains("torn"), "{output}");
    assert_eq!(output.matches("error[publish-not-authorized]:").count(), 1, "the report is at the end: {output}");
    assert!(output.contains("events.jsonl:7:"), "the report has the position of the value: {output}");
}

/// A termination before any decision is inconclusive.
#[test]
fn terminated_before_any_decision_is_inconclusive() {
    let top = tempfile::tempdir().expect("a directory");
    let log = top.path().join("events.jsonl");
    append(&log, &lines()[..1]);
    let mut following = Following::of(&log);
    following.wait_for("rehearsal_started");
    following.signal("-TERM");
    assert_eq!(following.wait_for_exit().0, 3);
}

/// A log that is cut, removed or replaced is detected at once and is no success. A named pipe in its place does not
/// block the program.
#[test]
fn cut_replaced_or_removed_log_is_detected() {
    let verified = fs::read(fixtures().join("real/pass-3crate/events.jsonl")).expect("the fixture");
    type Away = fn(&Path);
    let ways: [(Away, &str); 4] = [
        (
            |log| fs::OpenOptions::new().write(true).open(log).and_then(|file| file.set_len(100)).expect("cut"),
            "the log was truncated",
        ),
        (
            |log| {
                fs::copy(log, log.with_extension("new")).expect("copied");
                fs::rename(log.with_extension("new"), log).expect("replaced");
            },
            "the log was replaced by another file",
        ),
        (
            |log| {
                let pipe = log.with_extension("pipe");
                assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
                fs::rename(pipe, log).expect("replaced");
            },
            "the log was replaced by another file",
        ),
        (|log| fs::remove_file(log).expect("removed"), "the log was removed"),
    ];
    for (away, words) in ways {
        let top = tempfile::tempdir().expect("a directory");
        let log = top.path().join("events.jsonl");
        fs::write(&log, &verified).expect("the log");
        let mut following = Following::of(&log);
        following.wait_for("conclusion so far: verified");
        away(&log);
        let (code, output) = following.wait_for_exit();
        assert_eq!(code, 2, "{output}");
        assert!(output.contains(words), "{output}");
    }
}

/// A printed line that is rewritten in place is detected. The final report is about the bytes that were read, does not
/// show the new line, and is no success.
#[test]
fn log_changed_in_place_is_detected() {
    let verified = fs::read_to_string(fixtures().join("real/pass-3crate/events.jsonl")).expect("the fixture");
    let top = tempfile::tempdir().expect("a directory");
    let log = top.path().join("events.jsonl");
    fs::write(&log, &verified).expect("the log");
    let mut following = Following::of(&log);
    following.wait_for("conclusion so far: verified");
    let forged =
        verified.replace("\"passed\":true,", "\"passed\":false").replacen("\"passed\":false", "\"passed\":1234,", 1);
    assert_eq!(forged.len(), verified.len());
    let mut file = fs::OpenOptions::new().write(true).open(&log).expect("the log");
    file.write_all(forged.as_bytes()).expect("rewritten");
    following.signal("-INT");
    let (code, output) = following.wait_for_exit();
    assert_eq!(code, 2, "{output}");
    assert!(output.contains("the log was replaced") && !output.contains("1234"), "{output}");
}

/// A named pipe is followed to its end, and not opened again.
#[test]
fn named_pipe_is_followed_to_its_end() {
    let top = tempfile::tempdir().expect("a directory");
    let pipe = top.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    let following = Following::of(&pipe);
    fs::write(&pipe, lines().concat()).expect("every byte is taken");
    assert_eq!(following.wait_for_exit().0, 1);
}

/// A signal ends the wait for a stream, and the report is about the bytes that arrived.
#[test]
fn signal_ends_a_stream_with_a_report() {
    let top = tempfile::tempdir().expect("a directory");
    let pipe = top.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    let mut following = Following::of(&pipe);
    let mut writer = fs::OpenOptions::new().write(true).open(&pipe).expect("the pipe");
    writer.write_all(&lines().concat()).expect("it is written");
    following.wait_for("conclusion so far: violated");
    following.signal("-INT");
    let (code, output) = following.wait_for_exit();
    assert_eq!((code, output.contains("Violated: ")), (1, true), "{output}");
}

/// The kept head is not checked before the log has its length. If the log stays shorter, the report has the finding.
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
    following.wait_for("line 4 ");
    std::thread::sleep(Duration::from_millis(300));
    append(&log, &lines[4..]);
    following.wait_for("conclusion so far: verified");
    following.signal("-INT");
    let (code, output) = following.wait_for_exit();
    assert_eq!((code, output.contains("truncated")), (0, false), "{output}");
    fs::write(&log, lines[..4].concat()).expect("the log");
    let mut following = Following::with(&["--extends", &head], &log);
    following.wait_for("line 4 ");
    following.signal("-INT");
    let (code, output) = following.wait_for_exit();
    assert_eq!((code, output.matches("error[log-truncated]").count()), (1, 1), "{output}");
}

/// A stream is followed to its end.
#[test]
fn stream_is_followed_to_its_end() {
    let output = replay_stdin(&["--follow", "-"], &lines().concat());
    assert_eq!(output.status.code(), Some(1));
    let output = seen(&output);
    assert!(output.contains("conclusion so far: violated") && output.contains("\nViolated: "), "{output}");
}

/// A log that is truncated and filled with the bytes of another one, of any length, is no violation: no finding may come
/// from bytes of two files.
#[test]
fn refilled_log_is_no_violation() {
    let verified = fs::read(fixtures().join("real/pass-3crate/events.jsonl")).expect("the fixture");
    let other = lines().concat();
    let long = [&verified[..verified.len() - 400], &other, &other].concat();
    let same_length = other[..other.len().min(verified.len())].iter().copied().chain(verified.iter().copied());
    let same_length: Vec<u8> = same_length.take(verified.len()).collect();
    for refill in [other.clone(), other.repeat(20), long, same_length, verified[..4000].to_vec()] {
        let top = tempfile::tempdir().expect("a directory");
        let log = top.path().join("events.jsonl");
        fs::write(&log, &verified).expect("the log");
        let mut following = Following::of(&log);
        following.wait_for("conclusion so far: verified");
        fs::write(&log, &refill).expect("the log");
        let (code, output) = following.wait_for_exit();
        assert_eq!(code, 2, "{output}");
        assert!(output.contains("the log was replaced") || output.contains("the log was truncated"), "{output}");
        assert!(!output.contains("error["), "{output}");
    }
}

/// A change in the middle, far from both ends of the bytes that were read, is detected before an error is printed.
#[test]
fn change_in_the_middle_is_detected_before_an_error() {
    let note = "{\"timestamp\":\"2026-11-23T08:00:00Z\",\"event_type\":{\"type\":\"noted\"},\"package\":\"all\"}\n";
    let top = tempfile::tempdir().expect("a directory");
    let log = top.path().join("events.jsonl");
    let all = [&lines()[..4].concat()[..], &note.repeat(2000).into_bytes()].concat();
    fs::write(&log, &all).expect("the log");
    let mut following = Following::of(&log);
    following.wait_for("conclusion so far: ");
    let mut changed = all.clone();
    changed[100_000] ^= 1;
    changed.extend(lines()[4..].concat());
    // Without truncation: the file is as long at every moment.
    let mut file = fs::OpenOptions::new().write(true).open(&log).expect("the log");
    file.write_all(&changed).expect("rewritten");
    let (code, output) = following.wait_for_exit();
    assert_eq!((code, output.contains("the log was replaced")), (2, true), "{output}");
    assert!(!output.contains("error["), "{output}");
}

/// The program waits for a log that does not exist yet, and says so. A signal ends the wait.
#[test]
fn missing_log_is_waited_for() {
    let top = tempfile::tempdir().expect("a directory");
    let log = top.path().join("events.jsonl");
    let mut following = Following::of(&log);
    let mut stderr = std::io::BufReader::new(following.child.stderr.take().expect("a standard error"));
    let mut notice = String::new();
    std::io::BufRead::read_line(&mut stderr, &mut notice).expect("it is written");
    assert!(notice.starts_with("waiting for ") && notice.contains("events.jsonl"), "{notice}");
    append(&log, &lines());
    following.wait_for("conclusion so far: violated");
    following.signal("-INT");
    assert_eq!(following.wait_for_exit().0, 1);
    let mut following = Following::of(&top.path().join("nothing.jsonl"));
    let mut stderr = std::io::BufReader::new(following.child.stderr.take().expect("a standard error"));
    std::io::BufRead::read_line(&mut stderr, &mut notice).expect("it is written");
    following.signal("-INT");
    assert_eq!(following.wait_for_exit().0, 2);
}

/// With `-q` and with ndjson, the output is the report only, and has the format of any other audit.
#[test]
fn quiet_and_ndjson_print_only_the_report() {
    let top = tempfile::tempdir().expect("a directory");
    let log = top.path().join("events.jsonl");
    let path = log.to_str().expect("UTF-8");
    append(&log, &lines());
    for args in [&["-q"][..], &["--format", "ndjson"], &["--format=ndjson", "--timeline"]] {
        let following = Following::with(args, &log);
        std::thread::sleep(Duration::from_millis(500));
        following.signal("-INT");
        let (code, output) = following.wait_for_exit();
        let expected = crate::support::replay(&[args, &["--no-sidecar", "--no-packet", path]].concat());
        assert_eq!((code, &output), (1, &String::from_utf8(expected.stdout).expect("UTF-8")), "{args:?}");
    }
}

/// A marker beside the log is in the report, as in that of any other audit: the gate refuses such a log.
#[test]
fn marker_beside_the_log_is_reported() {
    let top = tempfile::tempdir().expect("a directory");
    let log = top.path().join("events.jsonl");
    fs::copy(fixtures().join("recorded/authorized/events.jsonl"), &log).expect("a copy");
    for (marker, status) in [(None, 0), (Some("events.jsonl.repairing"), 3)] {
        marker.into_iter().for_each(|name| fs::write(top.path().join(name), "").expect("a marker"));
        let mut following = Following::of(&log);
        following.wait_for("conclusion so far: verified");
        following.signal("-INT");
        let (code, output) = following.wait_for_exit();
        assert_eq!((code, output.contains("repair-interrupted")), (status, status == 3), "{output}");
    }
}

/// If the reader of the output ends, the program ends, although the log does not grow and nothing is printed.
#[test]
fn closed_output_ends_the_program() {
    let top = tempfile::tempdir().expect("a directory");
    let log = top.path().join("events.jsonl");
    append(&log, &lines()[..1]);
    let pipe = top.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    let missing = top.path().join("missing.jsonl");
    for (args, input) in
        [(&[][..], &log), (&["-q"], &log), (&["--format", "ndjson"], &log), (&[], &missing), (&[], &pipe)]
    {
        let mut command = Command::new(env!("CARGO_BIN_EXE_shipper-replay"));
        command.arg("--follow").args(args).arg(input).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        // An open writer keeps the pipe from ending.
        let writer = (*input == pipe).then(|| fs::OpenOptions::new().write(true).open(&pipe).expect("the pipe"));
        std::thread::sleep(Duration::from_millis(300));
        drop(child.stdout.take());
        let until = Instant::now() + Duration::from_secs(60);
        let status = loop {
            if let Some(status) = child.try_wait().expect("it is a child") {
                break status;
            }
            if Instant::now() > until {
                child.kill().expect("it runs");
                panic!("{args:?} {input:?} does not end");
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        assert_eq!(status.code(), Some(2), "{args:?} {input:?}");
        drop(writer);
    }
}

/// A compressed log cannot be followed, since its end is no place to continue.
#[test]
fn compressed_log_is_refused() {
    let top = tempfile::tempdir().expect("a directory");
    for (bytes, words) in [
        (&b"\x1f\x8b\x08\0"[..], "compressed log (gzip)"),
        (b"\x28\xb5\x2f\xfd\0", "compressed log (zstd)"),
        (b"PK\x03\x04", "zip archive"),
    ] {
        let log = top.path().join("events.jsonl");
        fs::write(&log, bytes).expect("the log");
        let (code, output) = Following::of(&log).wait_for_exit();
        assert_eq!((code, output.contains(words)), (2, true), "{output}");
        let output = replay_stdin(&["--follow", "-"], bytes);
        assert_eq!((output.status.code(), seen(&output).contains(words)), (Some(2), true), "{}", seen(&output));
    }
}

/// An option for another position or format than the end of one log is a usage error.
#[test]
fn options_that_conflict_with_follow_are_usage_errors() {
    for args in [
        &["--follow", "--at", "3", "real/skip/events.jsonl"][..],
        &["--follow", "--format", "json", "real/skip/events.jsonl"],
        &["--follow", "--format", "html", "real/skip/events.jsonl"],
        &["--follow", "real"],
        &["--follow", "real/skip/events.jsonl", "real/skip/events.jsonl"],
    ] {
        let output = crate::support::replay(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", seen(&output));
        assert!(output.stdout.is_empty(), "{args:?}");
    }
}
