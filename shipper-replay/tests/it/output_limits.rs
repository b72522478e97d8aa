//! A report for people or for code scanning stays small, however many findings or logs there are, and states what it
//! leaves out. Otherwise a damaged log could fill a disk, or make the upload of all results fail.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use crate::support::ndjson::{ndjson, parts};
use crate::support::sarif::{SCHEMA, results, text};
use crate::support::{fixtures, program, replay, report};
use serde_json::{Value, json};
use shipper_testkit::settings::{print_figure, scaled};

/// Limits of code scanning for a file.
const MAX_RESULTS: usize = 25_000;
const MAX_GZIP_BYTES: usize = 10_000_000;

/// Number of blank lines, and of events of an unknown type, in a log with more findings than a file may have.
const EACH: usize = 14_000;

/// Writes a log that alternates blank lines and events of an unknown type. It ends with a run that violates.
fn noisy_log(directory: &Path) -> String {
    let event = |kind: &str| {
        format!(r#"{{"timestamp":"2026-11-23T08:12:26Z","event_type":{{"type":{kind}}},"package":"a@1.0.0"}}"#) + "\n"
    };
    let mut log = format!("{}\n", event(r#""zz_new""#)).repeat(EACH);
    log += &event(r#""package_published","duration_ms":7"#);
    let path = directory.join("events.jsonl");
    fs::write(&path, log).expect("a log");
    path.to_str().expect("UTF-8").to_owned()
}

/// Returns the only run, checked by the schema.
fn run(output: &[u8]) -> Value {
    let sarif: Value = serde_json::from_slice(output).expect("JSON");
    assert_eq!(SCHEMA.check(&sarif), Ok(()));
    sarif["runs"][0].clone()
}

fn levels(run: &Value) -> Vec<&str> {
    results(run).iter().map(|result| text(&result["level"])).collect()
}

/// SARIF contains the most severe results, sorted by level, up to the limit of code scanning. A notification states the
/// number of the others.
#[test]
fn sarif_has_the_most_severe_results() {
    let top = tempfile::tempdir().expect("a directory");
    let log = noisy_log(top.path());
    let run = run(&replay(&["--format", "sarif", "--no-sidecar", &log]).stdout);
    let levels = levels(&run);
    assert_eq!(levels.len(), MAX_RESULTS);
    assert!(levels.starts_with(&["error", "warning"]) && levels.ends_with(&["note"]));
    let rank = |level: &&str| ["error", "warning", "note"].iter().position(|other| *other == *level);
    assert!(levels.is_sorted_by_key(rank));
    let all = report(&["--no-sidecar", &log]);
    let all = all["logs"][0]["findings"].as_array().expect("findings").len();
    let rest = all - MAX_RESULTS;
    let notifications = run["invocations"][0]["toolExecutionNotifications"].as_array().expect("a notification");
    assert_eq!(notifications.len(), 1);
    assert_eq!(notifications[0]["descriptor"], json!({"id": "results-left-out", "index": 2}));
    let stated = format!("{rest} results are left out (0 errors, 0 warnings, {rest} notes).");
    assert!(text(&notifications[0]["message"]["text"]).starts_with(&stated), "{}", notifications[0]);
    assert_eq!(run["invocations"][0]["executionSuccessful"], true);
}

/// A report on verified logs with more notes than there may be results has an artifact only for the logs of its
/// results, and is small enough for code scanning. Help and descriptions occur once, in the rules. In the full run, each
/// log has one note.
#[cfg(unix)]
#[test]
fn sarif_of_many_logs_is_accepted() {
    use std::io::Write as _;
    let notes_each = scaled(10, 1);
    let logs = 26_000 / notes_each;
    let one = ndjson(&[fixtures().join("real/pass-3crate/events.jsonl").to_str().expect("UTF-8")]);
    let (lines, mut summary) = parts(&one);
    let mut log: Value = serde_json::from_str(lines[0]).expect("JSON");
    assert_eq!((&log["conclusion"], &log["findings"][0]["level"]), (&json!("verified"), &json!("note")));
    let note = log["findings"][0].clone();
    log["findings"] = json!(vec![note; notes_each]);
    let mut merged = String::new();
    for number in 0..logs {
        log["path"] = json!(format!("{number:05}/events.jsonl"));
        log["blake3"] = json!(blake3::hash(format!("{number}").as_bytes()).to_string());
        let _ = writeln!(merged, "{log}");
    }
    (summary["logs"], summary["counts"]["verified"]) = (logs.into(), logs.into());
    let _ = writeln!(merged, "{}", json!({ "summary": summary }));
    let top = tempfile::tempdir().expect("a directory");
    let path = top.path().join("report.ndjson");
    fs::write(&path, merged).expect("a report");
    let output = replay(&["--merge", "--format", "sarif", path.to_str().expect("UTF-8")]).stdout;
    let run = run(&output);
    let results = results(&run);
    let artifacts = run["artifacts"].as_array().map(Vec::len);
    assert_eq!((results.len(), artifacts), (MAX_RESULTS, Some(MAX_RESULTS / notes_each)));
    let index = |result: &Value| result["locations"][0]["physicalLocation"]["artifactLocation"]["index"].as_u64();
    assert!(results.iter().zip(0..).all(|(result, place)| index(result) == Some(place / notes_each as u64)));
    let mut gzip = std::process::Command::new("gzip");
    let gzip = gzip.arg("-c").stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
    let mut gzip = gzip.spawn().expect("gzip");
    let mut stdin = gzip.stdin.take().expect("a pipe");
    let writer = std::thread::spawn(move || stdin.write_all(&output));
    let compressed = gzip.wait_with_output().expect("gzip").stdout.len();
    writer.join().expect("no panic").expect("gzip reads it");
    print_figure(&format!("SARIF about {logs} logs: {compressed} bytes, compressed"));
    assert!(compressed < MAX_GZIP_BYTES, "{compressed} bytes");
}

/// The formats for people are small, and each states the number of findings that it leaves out.
#[test]
fn formats_for_people_are_small() {
    let top = tempfile::tempdir().expect("a directory");
    let log = noisy_log(top.path());
    let audited = report(&["--no-sidecar", &log]);
    let findings = audited["logs"][0]["findings"].as_array().expect("findings");
    let problems = findings.iter().filter(|finding| finding["level"] != "note").count();
    for (args, max_bytes, stated) in [
        (&["--format", "human"][..], 16 << 10, format!("and {} more findings; -v shows more", problems - 20)),
        (&["-v"], 512 << 10, format!("and {} more findings; --format json lists all", findings.len() - 1000)),
        (&["-q"], 1 << 10, "violated".to_owned()),
        (&["--format", "markdown"], 64 << 10, format!("{} more findings; `--format json` lists all", problems - 20)),
        (&["--format", "html"], 4 << 20, format!("The page omits {} findings.", findings.len() - 500)),
        (
            &["--format", "github"],
            1 << 20,
            format!(
                "left out: 0 errors, {} warnings, {} notes; --format json lists all",
                problems - 1000,
                findings.len() - problems
            ),
        ),
    ] {
        let output = program(&[args, &["--no-sidecar", &log]].concat()).output().expect("it starts").stdout;
        let shown = String::from_utf8(output).expect("UTF-8");
        assert!(shown.len() < max_bytes, "{args:?}: {} bytes", shown.len());
        assert!(shown.contains(&stated), "{args:?}: {stated}: {}", &shown[shown.len().saturating_sub(600)..]);
    }
}
