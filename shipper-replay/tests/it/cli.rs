//! Exit statuses, the search for logs and the handling of bad input are as documented, because scripts depend on them.
//! Bad input ends with a message and its remedy, never with a panic, a hang or status 0.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use crate::support::{fixtures, program, replay, replay_stdin, report, seen};
use shipper_testkit::settings::print_figure;

const VERIFIED: &str = "real/pass-3crate/events.jsonl";

fn read(log: &str) -> Vec<u8> {
    fs::read(fixtures().join(log)).expect("the fixture is there")
}

fn code(args: &[&str]) -> i32 {
    replay(args).status.code().expect("it was not killed")
}

/// The exit status belongs to the conclusion. With many logs, it belongs to the most severe one.
#[test]
fn exit_status_is_that_of_the_worst_conclusion() {
    assert_eq!(code(&[VERIFIED]), 0);
    assert_eq!(code(&["real/skip/events.jsonl"]), 3);
    assert_eq!(code(&["recorded/newer-rules/events.jsonl"]), 2);
    assert_eq!(code(&["real/tampered-sidecar/events.jsonl"]), 1);
    assert_eq!(code(&[VERIFIED, "real/skip/events.jsonl"]), 3);
    assert_eq!(code(&[VERIFIED, "nowhere.jsonl"]), 2);
    assert_eq!(code(&["nowhere.jsonl", "real/skip/events.jsonl"]), 2);
    assert_eq!(code(&["nowhere.jsonl", "real/tampered-sidecar/events.jsonl"]), 1);
    assert_eq!(code(&["--strict", VERIFIED]), 0);
    assert_eq!(code(&["--strict", "real/skip/events.jsonl"]), 1);
}

/// A usage error has status 2, no standard output, and a message with a remedy.
#[test]
fn usage_errors_exit_2_with_help() {
    for args in [
        &[][..],
        &["--nonsense", VERIFIED],
        &["--registry", "", VERIFIED],
        &["--plan-id", "", VERIFIED],
        &["--at", "-1", VERIFIED],
        &["--at", "99999999999999999999999", VERIFIED],
        &["--at", "2026-11-23", VERIFIED],
        &["--at", "39", VERIFIED],
        &["--at", "1", VERIFIED, VERIFIED],
        &["--at", "1", "real"],
        &["--extends", "6:1312", VERIFIED],
        &["--extends", "6:1312:XYZ", VERIFIED],
        &["--since", "x", VERIFIED],
        &["--sidecar", "nowhere.json", VERIFIED],
        &["--sidecar", "real/pass-3crate/rehearsal.json", "--no-sidecar", VERIFIED],
        &["--sidecar", "real/pass-3crate/rehearsal.json", VERIFIED, VERIFIED],
        &["--format", "xml", VERIFIED],
        &["--color", "sometimes", VERIFIED],
        &["-q", "-v", VERIFIED],
        &["-", "-"],
    ] {
        let output = replay(args);
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {message}");
        assert!(output.stdout.is_empty(), "{args:?}");
        assert!(message.starts_with("error: "), "{args:?}: {message}");
    }
}

/// Standard input is a log without a sidecar, unless an option names one.
#[test]
fn standard_input_has_no_sidecar_unless_named() {
    let output = replay_stdin(&["--format", "json", "-"], &read(VERIFIED));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(report["logs"][0]["path"], "-");
    assert_eq!(report["logs"][0]["sidecar"]["status"], "not-checked");
    assert_eq!(output.status.code(), Some(0));
    let args = ["--format", "json", "--sidecar", "real/pass-3crate/rehearsal.json", "-"];
    let output = replay_stdin(&args, &read(VERIFIED));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(report["logs"][0]["sidecar"]["status"], "match");
    assert_eq!(replay_stdin(&["-"], b"").status.code(), Some(3), "an empty log is never status 0");
    let garbage: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    assert_eq!(replay_stdin(&["-"], &garbage).status.code(), Some(1));
}

/// A time selects the last line that is not stamped later, also if times go backwards, from a file and from a stream.
#[test]
fn at_timestamp_selects_the_last_earlier_line() {
    let at = |time: &str, log: &str| report(&["--at", time, log])["logs"][0]["lines"].clone();
    assert_eq!(at("2026-11-23T08:12:27.165472371Z", VERIFIED), 5);
    assert_eq!(at("2026-11-23T08:12:27.165472372Z", VERIFIED), 6);
    assert_eq!(at("2026-11-23T09:12:27.165472372+01:00", VERIFIED), 6);
    assert_eq!(at("1999-01-01T00:00:00Z", VERIFIED), 0);
    assert_eq!(at("2099-01-01T00:00:00Z", VERIFIED), 38);
    let backwards = "damaged/time-backwards/events.jsonl";
    assert_eq!(at("2026-11-23T07:30:00Z", backwards), 6, "the timestamp of the completion is an hour early");
    let args = ["--format", "json", "--at", "2026-11-23T08:12:27.165472372Z"];
    let output = replay_stdin(&[&args[..], &["-"]].concat(), &read(VERIFIED));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(report["logs"][0]["lines"], 6);
    assert_eq!(report["demand"]["at"], "2026-11-23T08:12:27.165472372Z");
}

/// With `--at`, the sidecar is compared only if an option names it. A later sidecar is then no match.
#[test]
fn at_option_ignores_the_sidecar_unless_named() {
    let status = |args: &[&str]| report(args)["logs"][0]["sidecar"]["status"].clone();
    assert_eq!(status(&["--at", "38", VERIFIED]), "not-checked");
    assert_eq!(status(&["--at", "38", "--sidecar", "real/pass-3crate/rehearsal.json", VERIFIED]), "match");
    assert_eq!(status(&["--at", "5", "--sidecar", "real/pass-3crate/rehearsal.json", VERIFIED]), "orphan");
    assert_eq!(status(&["--no-sidecar", VERIFIED]), "not-checked");
}

/// Every `events.jsonl` below a directory is audited, in the order of the names, and links to logs are followed. An
/// unreadable log is reported, not skipped.
#[cfg(unix)]
#[test]
fn directories_are_searched_in_order() {
    use std::os::unix::ffi::OsStrExt;
    let top = tempfile::tempdir().expect("a directory");
    let put = |path: &Path| {
        fs::create_dir_all(path).expect("a directory");
        fs::write(path.join("events.jsonl"), read(VERIFIED)).expect("a log");
    };
    let root = top.path().to_str().expect("UTF-8");
    for name in ["b", "a/deep/er", "c", ".hidden"] {
        put(&top.path().join(name));
    }
    fs::write(top.path().join("other.jsonl"), "not a log").expect("a file");
    fs::create_dir_all(top.path().join("d/events.jsonl")).expect("a directory named like a log");
    std::os::unix::fs::symlink("..", top.path().join("c/circle")).expect("a link");
    fs::create_dir(top.path().join("e")).expect("a directory");
    std::os::unix::fs::symlink("../b/events.jsonl", top.path().join("e/events.jsonl")).expect("a link");
    let audited = report(&[root]);
    let paths: Vec<String> = audited["logs"]
        .as_array()
        .expect("logs")
        .iter()
        .map(|log| log["path"].as_str().expect("a path").replace(root, "TOP"))
        .collect();
    assert_eq!(
        paths,
        [
            "TOP/.hidden/events.jsonl",
            "TOP/a/deep/er/events.jsonl",
            "TOP/b/events.jsonl",
            "TOP/c/events.jsonl",
            "TOP/e/events.jsonl",
        ]
    );
    assert_eq!(audited["exit_code"], 0);

    fs::create_dir(top.path().join("f")).expect("a directory");
    std::os::unix::fs::symlink("nowhere", top.path().join("f/events.jsonl")).expect("a dangling link");
    assert_eq!(report(&[root])["exit_code"], 2, "a dangling link is reported");
    fs::remove_file(top.path().join("f/events.jsonl")).expect("removed");
    assert_eq!(report(&[root])["exit_code"], 0);

    let odd = top.path().join(std::ffi::OsStr::from_bytes(b"odd-\xff"));
    put(&odd);
    let audited = report(&[root]);
    assert_eq!(audited["exit_code"], 2, "{audited}");
    let error =
        audited["logs"].as_array().expect("logs").iter().find_map(|log| log["error"].as_str()).expect("an error");
    assert!(error.contains("UTF-8"), "{error}");
}

/// A named pipe at the path of a log or a sidecar does not block the program.
#[cfg(unix)]
#[test]
fn named_pipes_in_directories_do_not_block() {
    let top = tempfile::tempdir().expect("a directory");
    let pipe = |name: &str| {
        let made = std::process::Command::new("mkfifo").arg(top.path().join(name)).status().expect("mkfifo");
        assert!(made.success());
    };
    let root = top.path().to_str().expect("UTF-8");
    pipe("events.jsonl");
    let audited = report(&[root]);
    assert_eq!(
        (&audited["exit_code"], &audited["logs"][0]["error"]),
        (&2.into(), &"a named pipe, not a regular file".into())
    );
    fs::remove_file(top.path().join("events.jsonl")).expect("removed");
    fs::write(top.path().join("events.jsonl"), read(VERIFIED)).expect("a log");
    pipe("rehearsal.json");
    let audited = report(&[root]);
    assert_eq!((&audited["exit_code"], &audited["logs"][0]["sidecar"]["status"]), (&3.into(), &"unreadable".into()));
}

/// Named pipes among other logs are read once, one after the other: a pipe that is closed and reopened loses its bytes.
#[cfg(unix)]
#[test]
fn named_pipes_as_arguments_are_read_once() {
    let top = tempfile::tempdir().expect("a directory");
    let pipes: Vec<String> = ["a", "b"].map(|name| top.path().join(name).to_str().expect("UTF-8").to_owned()).into();
    assert!(std::process::Command::new("mkfifo").args(&pipes).status().expect("mkfifo").success());
    let paths = pipes.clone();
    let writer = std::thread::spawn(move || paths.iter().try_for_each(|path| fs::write(path, read(VERIFIED))));
    let audited = report(&["--no-sidecar", &pipes[0], VERIFIED, &pipes[1]]);
    writer.join().expect("no panic").expect("every byte was taken");
    assert_eq!(audited["exit_code"], 0);
    assert_eq!(audited["logs"].as_array().expect("logs").len(), 3);
}

/// Escape codes in a path are escaped, also if a file below it cannot be read.
#[cfg(unix)]
#[test]
fn hostile_paths_are_shown_safely() {
    let top = tempfile::tempdir().expect("a directory");
    let odd = top.path().join("a\u{1b}[31mRED\n\u{202e}");
    fs::create_dir(&odd).expect("a directory");
    fs::write(odd.join("events.jsonl"), read(VERIFIED)).expect("a log");
    std::os::unix::fs::symlink("rehearsal.json", odd.join("rehearsal.json")).expect("a link to itself");
    fs::create_dir(top.path().join("b\u{1b}")).expect("a directory");
    std::os::unix::fs::symlink("nowhere", top.path().join("b\u{1b}/events.jsonl")).expect("a dangling link");
    let (root, missing) = (top.path().to_str().expect("UTF-8"), format!("{}/c\u{1b}c", odd.display()));
    for args in
        [&[root][..], &["-v", root], &["-q", root], &["--format", "json", root], &[&missing], &["--at", "1", &missing]]
    {
        let output = replay(args);
        let text = String::from_utf8([output.stdout, output.stderr].concat()).expect("UTF-8");
        let raw: Vec<char> =
            text.chars().filter(|shown| *shown != '\n' && !shipper_events::is_display_safe(*shown)).collect();
        assert!(raw.is_empty(), "{args:?}: {raw:?} in {text}");
        assert_ne!(output.status.code(), Some(0));
    }
}

/// An option for one log does not accept a directory without logs, or another log that cannot be read.
#[test]
fn options_of_one_log_want_exactly_one() {
    let top = tempfile::tempdir().expect("a directory");
    let root = top.path().to_str().expect("UTF-8");
    assert_eq!(code(&["--at", "0", root]), 2);
    fs::create_dir(top.path().join("one")).expect("a directory");
    fs::write(top.path().join("one/events.jsonl"), read(VERIFIED)).expect("a log");
    assert_eq!(code(&["--at", "38", root]), 0, "a directory with one log counts as one log");
}

/// A log that cannot be read is reported with the cause, and the others are audited.
#[test]
fn unreadable_logs_do_not_stop_the_others() {
    let audited = report(&["nowhere.jsonl", VERIFIED]);
    assert_eq!(audited["logs"][0]["conclusion"], "unjudged");
    let members: Vec<&String> = audited["logs"][0].as_object().expect("an object").keys().collect();
    assert_eq!(members, ["conclusion", "error", "path"]);
    assert!(audited["logs"][0]["error"].as_str().expect("an error").contains("nowhere.jsonl"));
    assert_eq!(audited["logs"][1]["conclusion"], "verified");
    assert_eq!((&audited["conclusion"], &audited["exit_code"]), (&"unjudged".into(), &2.into()));
}

/// A report that cannot be written completely is an error, for a closed pipe and for a full disk.
#[cfg(target_os = "linux")]
#[test]
fn unwritten_report_is_an_error() {
    let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("the device");
    let status = program(&[VERIFIED]).stdout(full).stderr(Stdio::null()).status().expect("it starts");
    assert_eq!(status.code(), Some(2));
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let output =
        program(&["--format", "json", VERIFIED]).stdout(writer).stderr(Stdio::piped()).output().expect("it starts");
    assert_eq!(output.status.code(), Some(2));
    assert!(seen(&output).starts_with("error: cannot write the report"), "{}", seen(&output));
}

/// The same input and options give the same bytes, and the JSON report has the documented members in their order.
#[test]
fn the_json_report_is_stable() {
    let args = ["--format", "json", "--registry", "rehearsal", VERIFIED, "real/tampered-sidecar/events.jsonl"];
    let first = replay(&args);
    assert_eq!(first.stdout, replay(&args).stdout);
    let text = String::from_utf8(first.stdout).expect("UTF-8");
    assert_eq!(text.lines().count(), 1);
    let order = |members: &[&str]| {
        let mut from = 0;
        for member in members {
            let found = text[from..].find(&format!("\"{member}\":"));
            from += found.unwrap_or_else(|| panic!("{member} after byte {from} in {text}"));
        }
    };
    order(&[
        "schema",
        "conclusion",
        "exit_code",
        "demand",
        "registry",
        "plan_id",
        "at",
        "extends",
        "since",
        "strict",
        "logs",
    ]);
    order(&[
        "logs",
        "path",
        "conclusion",
        "error",
        "lines",
        "bytes",
        "blake3",
        "integrity",
        "tail",
        "receipt",
        "gate",
        "decisions",
        "sidecar",
        "findings",
    ]);
    order(&[
        "receipt",
        "plan_id",
        "registry",
        "passed",
        "packages_attempted",
        "packages_published",
        "summary",
        "started_at",
        "completed_at",
        "line",
        "evidence",
        "unsound",
    ]);
    order(&["gate", "query", "plan_id", "rehearsal_registry", "skip", "registry_source", "verdict", "reasons"]);
    order(&[
        "decisions",
        "line",
        "plan_id",
        "status",
        "because",
        "registry",
        "registry_source",
        "receipt_line",
        "derived",
        "recorded",
        "runs",
        "line",
        "live_registry",
        "finished",
        "published",
        "skipped",
        "failed",
    ]);
    order(&["sidecar", "status", "path", "differences"]);
    order(&["findings", "code", "level", "line", "message", "help"]);
}

/// The head in the report equals the independently computed head of the complete lines.
#[test]
fn reported_head_is_that_of_the_complete_lines() {
    let log = read("damaged/torn-tail/events.jsonl");
    let end = log.iter().rposition(|byte| *byte == b'\n').expect("a line") + 1;
    let audited = report(&["damaged/torn-tail/events.jsonl"]);
    assert_eq!(audited["logs"][0]["bytes"], end);
    assert_eq!(audited["logs"][0]["blake3"], blake3::hash(&log[..end]).to_string());
}

/// Memory does not grow with the log, which has 160 MiB of lines and then a line without end.
#[cfg(target_os = "linux")]
#[test]
fn memory_does_not_grow_with_the_log() {
    let mut child = program(&["-q", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it starts");
    let mut stdin = child.stdin.take().expect("a standard input");
    let log = read("real/large-200/events.jsonl");
    for _ in 0..480 {
        stdin.write_all(&log).expect("it reads");
    }
    for _ in 0..48 {
        stdin.write_all(&vec![b' '; 1 << 20]).expect("it reads");
    }
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).expect("it is still running");
    let peak: u64 = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .expect("a peak")
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .expect("a number");
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    print_figure(&format!("peak memory for {} MiB: {} MiB", (480 * log.len()) >> 20, peak >> 10));
    // Most of it is the line without end, of which the reader keeps up to 16 MiB.
    assert!(peak < 96 << 10, "{peak} KiB");
    assert_eq!(output.status.code(), Some(3), "{}", seen(&output));
}
