//! A report that is lost, or a log that is not read, is never a success. Scripts see only the exit status.

use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixListener;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{fixtures, program, replay, report, seen};

const VERIFIED: &str = "real/pass-3crate/events.jsonl";

/// Runs a command line of a shell, in which $REPLAY is the program.
fn shell(line: &str) -> std::process::Output {
    let mut command = Command::new("sh");
    command.args(["-c", line]).current_dir(fixtures()).env("REPLAY", env!("CARGO_BIN_EXE_shipper-replay"));
    command.output().expect("a shell")
}

/// A closed standard output has status 2, for every format and other text. The null device is a place for a report.
#[test]
fn closed_standard_output_is_an_error() {
    for args in
        ["", "-q", "--format json", "--format ndjson", "--format html", "--explain list #", "--manual #", "--help #"]
    {
        let output = shell(&format!("\"$REPLAY\" {args} {VERIFIED} >&-").replace(" #", " >&- #"));
        assert_eq!(output.status.code(), Some(2), "{args}: {}", seen(&output));
        let is_named = seen(&output).contains("standard output is closed");
        assert!(is_named || args.contains("help"), "{}", seen(&output));
    }
    for redirection in ["</dev/null", ">/dev/null", "1<>/dev/full", ">/dev/null 2>&-"] {
        let expected = if redirection.contains("full") { 2 } else { 0 };
        let output = shell(&format!("\"$REPLAY\" {VERIFIED} {redirection}"));
        assert_eq!(output.status.code(), Some(expected), "{redirection}: {}", seen(&output));
    }
}

/// A closed standard input is unreadable as a log, as a list and as a report. An empty one is an empty log.
#[test]
fn closed_standard_input_is_unreadable() {
    for line in ["- <&-", "--files-from - <&-", "--merge - <&-", "--follow - <&-", "- 0>/dev/null"] {
        let output = shell(&format!("\"$REPLAY\" {line}"));
        assert_eq!(output.status.code(), Some(2), "{line}: {}", seen(&output));
        assert!(seen(&output).contains("standard input is closed"), "{}", seen(&output));
    }
    assert_eq!(shell("\"$REPLAY\" - </dev/null").status.code(), Some(3));
}

/// A non-blocking pipe works like a blocking one, although its writer is slower than the program.
#[test]
fn non_blocking_pipe_is_read_to_its_end() {
    let log = fs::read(fixtures().join(VERIFIED)).expect("the fixture");
    let (reader, writer) = std::os::unix::net::UnixStream::pair().expect("sockets");
    reader.set_nonblocking(true).expect("it is open");
    let mut command = program(&["-q", "-"]);
    let child = command.stdin(std::os::fd::OwnedFd::from(reader)).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    // The program must have the only reader.
    drop(command);
    let child = child.expect("it starts");
    let mut writer = writer;
    for part in log.chunks(log.len() / 3 + 1) {
        std::thread::sleep(Duration::from_millis(100));
        writer.write_all(part).expect("it is read");
    }
    drop(writer);
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(0), "{}", seen(&output));
}

/// A non-blocking pipe whose reader is slow receives the whole report.
#[test]
fn non_blocking_output_is_complete() {
    let expected = replay(&["--format", "html", VERIFIED]).stdout;
    let (mut reader, writer) = std::os::unix::net::UnixStream::pair().expect("sockets");
    writer.set_nonblocking(true).expect("it is open");
    let mut command = program(&["--format", "html"]);
    command.args(vec![VERIFIED; 40]).arg("real");
    let mut child = command.stdin(Stdio::null()).stdout(std::os::fd::OwnedFd::from(writer)).spawn().expect("it starts");
    drop(command);
    std::thread::sleep(Duration::from_millis(500));
    let mut report = Vec::new();
    std::io::Read::read_to_end(&mut reader, &mut report).expect("it is read");
    assert_eq!(child.wait().expect("it ends").code(), Some(1));
    assert!(report.len() > 4 * expected.len() && report.trim_ascii_end().ends_with(b"</html>"), "{}", report.len());
}

/// A named pipe, a socket or a device in a list or a directory is unjudged, and does not block the audit of the others.
#[test]
fn special_files_do_not_block() {
    let top = tempfile::tempdir().expect("a directory");
    let path = |name: &str| top.path().join(name).to_str().expect("UTF-8").to_owned();
    for directory in ["pipe", "socket", "log"] {
        fs::create_dir(path(directory)).expect("a directory");
    }
    assert!(Command::new("mkfifo").arg(path("pipe/events.jsonl")).status().expect("mkfifo").success());
    let _socket = UnixListener::bind(path("socket/events.jsonl")).expect("a socket");
    fs::copy(fixtures().join(VERIFIED), path("log/events.jsonl")).expect("copied");
    let list = ["pipe/events.jsonl", "socket/events.jsonl", "log/events.jsonl"].map(path).join("\n") + "\n/dev/zero\n";
    fs::write(path("list"), list).expect("the list");
    let started = Instant::now();
    for args in [&["--files-from", &path("list")][..], &[top.path().to_str().expect("UTF-8")]] {
        let report = report(args);
        assert_eq!(report["exit_code"], 2);
        let logs = report["logs"].as_array().expect("logs");
        let error = |name: &str| {
            let of_name = |log: &&serde_json::Value| log["path"].as_str().is_some_and(|path| path.contains(name));
            logs.iter().find(of_name).expect("it is in the report")["error"].as_str().unwrap_or_default().to_owned()
        };
        assert!(error("pipe/").contains("a named pipe"), "{report}");
        assert!(error("socket/").contains("a socket"), "{report}");
        assert_eq!(error("log/"), "", "{report}");
        if args.len() == 2 {
            assert!(error("/dev/zero").contains("a device"), "{report}");
        }
    }
    assert!(started.elapsed() < Duration::from_secs(60));
}

/// An argument that is a named pipe is read, as a shell passes it for `<(command)`.
#[test]
fn named_pipe_as_argument_is_read() {
    let top = tempfile::tempdir().expect("a directory");
    let pipe = top.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    let log = fs::read(fixtures().join(VERIFIED)).expect("the fixture");
    let writer = std::thread::spawn({
        let pipe = pipe.clone();
        move || fs::write(pipe, log)
    });
    let output = replay(&["-q", pipe.to_str().expect("UTF-8")]);
    assert_eq!(output.status.code(), Some(0), "{}", seen(&output));
    writer.join().expect("it ends").expect("it is written");
}

/// An argument that is not UTF-8 is an unreadable log of that name. The other logs are audited.
#[test]
fn argument_that_is_not_utf8_is_unreadable() {
    let name = std::ffi::OsStr::from_bytes(b"logs-\xff\x1b/events.jsonl");
    let output = program(&["--format", "json"]).arg(name).arg(VERIFIED).stdin(Stdio::null()).output().expect("it runs");
    assert_eq!(output.status.code(), Some(2), "{}", seen(&output));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a report");
    assert_eq!(report["logs"][0]["path"], "logs-\u{fffd}\u{1b}/events.jsonl");
    assert_eq!(report["logs"][0]["error"], "the path is not valid UTF-8");
    assert_eq!(report["logs"][1]["conclusion"], "verified");
    let human = program(&[]).arg(name).output().expect("it runs");
    assert!(!seen(&human).contains('\u{1b}') && seen(&human).contains("not valid UTF-8"), "{}", seen(&human));
    let merge = program(&["--merge"]).arg(name).output().expect("it runs");
    assert_eq!(merge.status.code(), Some(2));
    assert!(seen(&merge).contains("not valid UTF-8"), "{}", seen(&merge));
}
