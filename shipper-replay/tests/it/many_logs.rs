//! One call audits thousands of logs in little memory, reports the most severe first, and omits none. An auditor of a
//! fleet must see every violation.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Instant;

use crate::support::ndjson::{assert_refused, merge_in, ndjson, parts, text};
use crate::support::{fixtures, program, replay, replay_stdin, seen};
use serde_json::Value;
use shipper_testkit::settings::{print_figure, scaled};

/// Returns every case with small files: its path, and the conclusion of its log.
fn small_cases() -> Vec<(PathBuf, String)> {
    let mut cases = Vec::new();
    for collection in ["damaged", "real", "recorded"] {
        for case in fs::read_dir(fixtures().join(collection)).expect("the collection is there") {
            let case = case.expect("it can be listed").path();
            let log = case.join("events.jsonl");
            if log.metadata().is_ok_and(|log| log.len() < 16 * 1024) {
                let expected = fs::read(case.join("expected.json")).expect("expected.json");
                let expected: Value = serde_json::from_slice(&expected).expect("JSON");
                assert_eq!(expected[0]["args"], serde_json::json!([]), "{}", case.display());
                let conclusion = expected[0]["report"]["conclusion"].as_str().expect("a conclusion").to_owned();
                cases.push((case, conclusion));
            }
        }
    }
    cases.sort();
    cases
}

/// Creates directories with one log each, from the small cases in turn. Returns the number of logs by conclusion, too.
fn fleet(top: &Path, logs: usize) -> (Vec<String>, BTreeMap<String, usize>) {
    let cases = small_cases();
    let mut counts = BTreeMap::new();
    let paths = (0..logs).map(|number| {
        let (case, conclusion) = &cases[number % cases.len()];
        let directory = top.join(format!("{number:05}"));
        fs::create_dir_all(&directory).expect("a directory");
        for file in ["events.jsonl", "rehearsal.json"] {
            let (from, to) = (case.join(file), directory.join(file));
            // A link needs little space, but some file systems do not support links.
            if from.exists() && fs::hard_link(&from, &to).is_err() {
                fs::copy(&from, &to).expect("a copy");
            }
        }
        *counts.entry(conclusion.clone()).or_default() += 1;
        directory.join("events.jsonl").to_str().expect("UTF-8").to_owned()
    });
    (paths.collect(), counts)
}

/// One call audits two thousand logs (ten thousand in the full run), below a directory or from a list. Each has its own
/// result, in order, and a report as a stream needs hardly any memory.
#[cfg(target_os = "linux")]
#[test]
fn thousands_of_logs_in_one_call() {
    let top = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let logs: usize = scaled(2_000, 10_000);
    let (mut paths, mut expected) = fleet(top.path(), logs - 1);
    // The last log is a pipe: the test measures the memory while the program waits for it.
    let pipe = top.path().join("99999");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.expect("mkfifo").success());
    paths.push(pipe.to_str().expect("UTF-8").to_owned());
    let last = fs::read(fixtures().join("real/pass-3crate/events.jsonl")).expect("a log");
    *expected.get_mut("verified").expect("some are") += 1;
    let list = top.path().join("list");
    fs::write(&list, paths.iter().map(|path| format!("{path}\0")).collect::<String>()).expect("a list");

    let run = |format: &str| {
        let begin = Instant::now();
        // A named pipe must be an argument.
        let child = program(&["--format", format])
            .args(&paths)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let status = PathBuf::from(format!("/proc/{}/status", child.id()));
        let (pipe, last) = (pipe.clone(), last.clone());
        let peak = std::thread::spawn(move || {
            // This blocks until the program opens the last log.
            let mut pipe = fs::File::create(pipe).expect("the pipe");
            let status = fs::read_to_string(status).expect("it is still running");
            pipe.write_all(&last).expect("it reads");
            let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
            peak.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") / 1024
        });
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(output.status.code(), Some(1));
        let (seconds, peak) = (begin.elapsed().as_secs_f64(), peak.join().expect("it was read"));
        print_figure(&format!("{logs} logs as {format}: {seconds:.1} s, {peak} MiB at most"));
        (text(&output.stdout), peak)
    };
    let (stream, peak) = run("ndjson");
    assert!(peak < 40, "{peak} MiB");
    let (lines, summary) = parts(&stream);
    let found: Vec<Value> = lines.iter().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let order: Vec<&str> = found.iter().map(|log| log["path"].as_str().expect("a path")).collect();
    assert_eq!(order, paths);
    let mut counts = BTreeMap::new();
    found.iter().for_each(|log| *counts.entry(log["conclusion"].as_str().expect("one").to_owned()).or_default() += 1);
    assert_eq!(counts, expected);
    assert_eq!(summary["counts"], serde_json::to_value(&expected).expect("JSON"));
    assert_eq!((&summary["logs"], &summary["conclusion"]), (&logs.into(), &"violated".into()));

    let (json, peak) = run("json");
    assert!(peak < 100, "{peak} MiB");
    let begins = json.find(r#""logs":["#).expect("the logs") + r#""logs":["#.len();
    assert_eq!(&json[begins..], format!("{}]}}\n", lines.join(",")), "the lines equal the elements, byte for byte");

    fs::remove_file(&pipe).expect("it is done");
    let begin = Instant::now();
    let below = ndjson(&[top.path().to_str().expect("UTF-8")]);
    print_figure(&format!("{} logs below a directory: {:.1} s", logs - 1, begin.elapsed().as_secs_f64()));
    assert_eq!(parts(&below).0, lines[..logs - 1]);

    let report = top.path().join("report");
    fs::write(&report, &stream).expect("a report");
    let begin = Instant::now();
    let merged = merge_in(top.path(), &["report", "--files-from", "list", "-0", "--format", "ndjson"]);
    print_figure(&format!("their report merged: {:.1} s", begin.elapsed().as_secs_f64()));
    assert_eq!(text(&merged.stdout), stream, "the logs were in the order of their paths");
}

/// A list adds its paths to the arguments, one a line or ended by NUL. Empty paths are skipped, duplicate logs are
/// audited once, and an invalid path is reported as unreadable.
#[test]
fn file_lists_add_paths() {
    let paths = |args: &[&str], list: &[u8]| {
        let output = replay_stdin(&[&["--format", "json"], args, &["--files-from", "-"]].concat(), list);
        let report: Value =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
        let logs = report["logs"].as_array().expect("logs").clone();
        let paths = logs.iter().map(|log| log["path"].as_str().expect("a path").to_owned()).collect::<Vec<_>>();
        (paths, output.status.code(), logs)
    };
    let (found, code, _) = paths(&["real/pass-1crate"], b"real/skip/events.jsonl\n\nreal/pass-3crate\n");
    let expected = ["real/pass-1crate/events.jsonl", "real/skip/events.jsonl", "real/pass-3crate/events.jsonl"];
    assert_eq!((found, code), (expected.map(str::to_owned).to_vec(), Some(3)));
    let (found, ..) = paths(&["-0"], b"real/skip/events.jsonl\0\0a\nb\0real/skip/events.jsonl\0real/skip");
    assert_eq!(found, ["real/skip/events.jsonl", "a\nb"], "each log once");
    let (found, code, logs) = paths(&[], b"\xff\xfe/x\nreal/tampered-sidecar/events.jsonl");
    assert_eq!((&*found[0], &*found[1], code), ("\u{fffd}\u{fffd}/x", "real/tampered-sidecar/events.jsonl", Some(1)));
    assert!(logs[0]["error"].as_str().expect("an error").contains("not valid UTF-8"));
    let report = ndjson(&["real/skip", "real/skip", "real/skip/events.jsonl"]);
    let (_, summary) = parts(&report);
    assert_eq!(summary["duplicates"], serde_json::json!([{"path": "real/skip/events.jsonl", "again": 2}]));
    // Another spelling is another path, in a report and in a merge of it.
    let report = ndjson(&["real/skip", "real//skip", "real/skip/."]);
    let merged = replay_stdin(&["--merge", "--format", "ndjson", "-"], report.as_bytes());
    let merged = text(&merged.stdout);
    let (logs, summary) = parts(&merged);
    assert_eq!((logs.len(), summary["copies"][0]["paths"].as_u64()), (3, Some(3)), "{summary}");
}

/// A call without logs is never status 0. An unreadable list is a usage error, and so is a second use of standard
/// input.
#[test]
fn empty_file_lists_are_never_status_0() {
    insta::assert_snapshot!(seen(&replay_stdin(&["--files-from", "-"], b"\n\n")));
    let empty = text(&replay_stdin(&["--files-from", "-", "--format", "ndjson"], b"").stdout);
    let (lines, summary) = parts(&empty);
    assert_eq!((lines.len(), &summary["logs"], &summary["exit_code"]), (0, &0.into(), &3.into()));
    assert_eq!(replay_stdin(&["--merge", "-"], empty.as_bytes()).status.code(), Some(3));
    // A report over no log, as a worker without work writes it, changes nothing.
    let verified = ndjson(&["real/pass-1crate"]);
    assert_eq!(replay_stdin(&["--merge", "-"], [empty, verified].concat().as_bytes()).status.code(), Some(0));
    assert_refused(&replay(&["--files-from", "nowhere.txt"]), &[r#"the list "nowhere.txt""#, "No such file"]);
    assert_refused(&replay_stdin(&["-", "--files-from", "-"], b"real\n"), &["standard input (-) was given 2 times"]);
    assert_refused(&replay_stdin(&["--files-from", "-"], b"-\n"), &["standard input (-) was given 2 times"]);
    assert_refused(&replay_stdin(&["--merge", "-", "--files-from", "-"], b""), &["was given 2 times"]);
    assert_refused(&replay(&["-0", "real/skip"]), &["--files-from"]);
    assert_refused(&replay(&["--at", "1", "--files-from", "/dev/null"]), &["--at requires exactly one log"]);
}

/// A stream that cannot be written to its end is an error, whatever the conclusions.
#[cfg(target_os = "linux")]
#[test]
fn unwritten_stream_is_an_error() {
    let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("Linux has it");
    let mut command = program(&["--format", "ndjson", "real/pass-1crate"]);
    let output = command.stdout(full).output().expect("it starts");
    assert_refused(&output, &["cannot write the report", "No space left"]);
}

/// The report for people has the most severe logs first and in full, then the others in a line each, both up to a
/// limit. The first line has the totals.
#[test]
fn most_severe_logs_come_first() {
    let top = tempfile::tempdir().expect("a directory");
    let (paths, _) = fleet(top.path(), 300);
    let report = ndjson(&[top.path().to_str().expect("UTF-8")]);
    let (lines, summary) = parts(&report);
    let counts = &summary["counts"];
    let run = |args: &[&str]| {
        let output = program(args).current_dir(top.path()).output().expect("it starts");
        assert_eq!(output.status.code(), Some(1));
        text(&output.stdout)
    };
    let conclusion = |line: &&str| line.starts_with("./") && line.contains("/events.jsonl: ");
    let heads = |page: &str| page.lines().filter(conclusion).map(str::to_owned).collect::<Vec<_>>();
    let first = |page: &str| page.lines().next().expect("a line").to_owned();
    let total = format!(
        "Violated: 300 logs: {} violated, {} unjudged, {} inconclusive, {} verified.",
        counts["violated"], counts["unjudged"], counts["inconclusive"], counts["verified"]
    );
    let unread = lines.iter().filter(|line| !line.contains(r#""error":null"#)).count();
    let page = run(&["."]);
    assert_eq!(first(&page), total);
    assert_eq!(page.lines().filter(|line| line.starts_with("  log ")).count(), 20, "in full");
    assert_eq!(heads(&page).len(), 120);
    assert!(heads(&page)[..20].iter().all(|line| line.contains(": violated: ")));
    assert!(page.contains("\nand 180 more ("), "{page}");
    assert!(page.contains("\nnote: ./000") && page.contains("\nnote: and "), "{page}");

    let quiet = run(&["-q", "."]);
    assert_eq!(quiet.lines().count(), 301);
    assert_eq!(first(&quiet), total);
    let same_order = heads(&quiet).iter().zip(heads(&page)).all(|(whole, wrapped)| whole.starts_with(&wrapped));
    assert!(same_order, "{page}");
    let weight = |line: &str| {
        ["violated", "unjudged", "inconclusive", "verified"]
            .iter()
            .position(|word| line.contains(&format!(": {word}: ")))
    };
    let order: Vec<(usize, String)> = heads(&quiet)
        .iter()
        .map(|line| (weight(line).expect("a conclusion"), line.split(':').next().expect("a path").to_owned()))
        .collect();
    assert!(order.is_sorted(), "by conclusion, then in the given order: {order:?}");
    assert_eq!(run(&["-v", "."]).lines().filter(|line| line.starts_with("  head ")).count(), paths.len() - unread);
    let verified = text(&replay(&["real/pass-1crate", "real/pass-3crate"]).stdout);
    assert!(verified.starts_with("Verified: 2 logs: 2 verified.\n"), "{verified}");
    assert!(!verified.contains("  log "), "each verified log has one line: {verified}");
}

/// The progress bar appears on a terminal after more than a second, and is removed at the end. It never appears
/// elsewhere.
#[cfg(target_os = "linux")]
#[test]
fn progress_bar_is_for_terminals_only() {
    let top = tempfile::tempdir().expect("a directory");
    let (paths, _) = fleet(top.path(), 30);
    let pipe = top.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    let list = top.path().join("list");
    // The program reads pipes after all other logs.
    fs::write(&list, paths.join("\n")).expect("a list");
    let slowly = |mut command: std::process::Command| {
        let pipe = pipe.clone();
        let writer = std::thread::spawn(move || {
            let mut pipe = fs::File::create(pipe).expect("the pipe");
            std::thread::sleep(std::time::Duration::from_millis(1200));
            pipe.write_all(b"{}\n").expect("it reads");
        });
        let output = command.stdin(Stdio::null()).output().expect("it starts");
        writer.join().expect("it was read");
        output
    };
    let replay = program(&[]).get_program().to_str().expect("UTF-8").to_owned();
    let (list, report) = (list.to_str().expect("UTF-8"), top.path().join("report"));
    let named_pipe = pipe.to_str().expect("UTF-8");
    // Only standard error is a terminal, whose output `script` prints.
    let on_a_terminal = |options: &str, out: &str| {
        let mut command = std::process::Command::new("script");
        let run = format!("'{replay}' {options} '{named_pipe}' --files-from '{list}' >'{out}'");
        command.args(["-qec", &run, "/dev/null"]).env("TERM", "xterm");
        text(&slowly(command).stdout)
    };
    let out = report.to_str().expect("UTF-8");
    for options in ["--format json", "--format ndjson", ""] {
        let shown = on_a_terminal(options, out);
        assert!(shown.contains("31 of 31 logs"), "{options}: {shown:?}");
        assert!(
            shown.trim_end().ends_with("\u{1b}[2K") || shown.ends_with("\r\u{1b}[2K"),
            "the bar is removed: {shown:?}"
        );
        let written = fs::read_to_string(&report).expect("a report");
        assert!(!written.is_empty() && !written.contains("of 31 logs"), "{options}");
    }
    assert_eq!(on_a_terminal("-q", out), "");
    // The same terminal receives the lines of the stream.
    assert!(!on_a_terminal("--format ndjson", "/dev/stderr").contains("of 31 logs"));
    let piped = slowly(program(&["--format", "json", named_pipe, "--files-from", list]));
    assert_eq!(text(&piped.stderr), "");
    assert!(text(&piped.stdout).starts_with("{\"schema\""));
}
