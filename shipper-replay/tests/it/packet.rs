//! The packet, `state.json` and `receipt.json`, is compared with the log in every format, because its readers believe it;
//! a damaged file must never stop an audit or pass for one that matches.

use std::fs;
use std::path::Path;

use camino::Utf8Path;
use serde_json::{Value, json};

use crate::support::{fixtures, program, replay, replay_stdin, report};

/// A copy of a packet's directory that a test may change.
struct Copy(tempfile::TempDir);

impl Copy {
    fn of(case: &str) -> Self {
        let copy = tempfile::tempdir().expect("a directory");
        for entry in fs::read_dir(fixtures().join("packets").join(case)).expect("the fixture is there") {
            let path = entry.expect("it can be listed").path();
            fs::copy(&path, copy.path().join(path.file_name().expect("a name"))).expect("it can be copied");
        }
        Self(copy)
    }

    fn path(&self, name: &str) -> String {
        Utf8Path::from_path(&self.0.path().join(name)).expect("UTF-8").to_string()
    }

    fn edit(&self, name: &str, edit: impl FnOnce(String) -> String) {
        let text = fs::read_to_string(self.path(name)).expect("it can be read");
        let edited = edit(text.clone());
        assert_ne!(text, edited, "{name} was edited");
        fs::write(self.path(name), edited).expect("it can be written");
    }

    /// Returns the statuses of both files, and the conclusion.
    fn statuses(&self, args: &[&str]) -> [String; 3] {
        let report = report(&[args, &[&self.path("events.jsonl")]].concat());
        let log = &report["logs"][0];
        [&log["packet"]["state"]["status"], &log["packet"]["receipt"]["status"], &log["conclusion"]]
            .map(|text| text.as_str().expect("text").to_owned())
    }

    fn findings(&self) -> Vec<(String, String)> {
        let report = report(&[&self.path("events.jsonl")]);
        let findings = report["logs"][0]["findings"].as_array().expect("findings").clone();
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        findings.iter().map(|finding| (text(&finding["code"]), text(&finding["message"]))).collect()
    }
}

const GOOD: &str = "already-there-all-gated";

/// Each damage of a file gives its status and changes nothing about the other file. No status but drift counts.
#[test]
fn damaged_files_have_their_statuses() {
    let replace = |from: &'static str, to: &'static str| move |text: String| text.replacen(from, to, 1);
    let deep = format!("{{\"state_version\":\"shipper.state.v1\",\"x\":{}1{}}}", "[".repeat(200), "]".repeat(200));
    type Edit = Box<dyn FnOnce(String) -> String>;
    let damages: Vec<(&str, Edit)> = vec![
        ("drift", Box::new(replace("\"skipped\"", "\"published\""))),
        ("drift", Box::new(replace("\"skipped\"", "\"failed\""))),
        ("match", Box::new(replace("\"skipped\"", "\"pending\""))),
        ("orphan", Box::new(replace("\"plan_id\": \"0", "\"plan_id\": \"1"))),
        ("unsupported", Box::new(replace("shipper.state.v1", "shipper.state.v9"))),
        ("unreadable", Box::new(replace("\"state_version\"", "\"version\""))),
        ("unreadable", Box::new(replace("\"plan_id\"", "\"plan\""))),
        ("unreadable", Box::new(replace("\"state\": {", "\"was\": {"))),
        ("unreadable", Box::new(replace("\"state\": {", "\"\\u0073tate\": {}, \"state\": {"))),
        ("unreadable", Box::new(|text: String| text[..text.len() / 2].to_owned())),
        ("unreadable", Box::new(|text: String| format!("{text}{text}"))),
        ("unreadable", Box::new(|_| deep)),
        ("unreadable", Box::new(|_| "c2hpcHBlcg==\n".to_owned())),
        ("unreadable", Box::new(|_| String::new())),
    ];
    for (expected, edit) in damages {
        let copy = Copy::of(GOOD);
        copy.edit("state.json", edit);
        let conclusion = if expected == "drift" { "violated" } else { "inconclusive" };
        assert_eq!(copy.statuses(&[]), [expected, "match", conclusion]);
        let code = format!("state-{expected}");
        let found = copy.findings().into_iter().filter(|(found, _)| *found == code).count();
        assert_eq!(found, usize::from(expected != "match"), "{code}");
    }
}

/// The same for the receipt, whose result must be that of the latest finish.
#[test]
fn damaged_receipts_have_their_statuses() {
    for (expected, from, to) in [
        ("drift", "\"skipped\"", "\"published\""),
        ("drift", "\"execution_result\": \"success\"", "\"execution_result\": \"partial_failure\""),
        ("match", "\"execution_result\": \"success\"", "\"execution_result\": null"),
        ("unreadable", "\"execution_result\": \"success\"", "\"execution_result\": 1"),
        ("unreadable", "\"version\": \"0.1.0\"", "\"version\": 1"),
        ("unsupported", "shipper.receipt.v2", "shipper.receipt.v1"),
        ("orphan", "\"plan_id\": \"0", "\"plan_id\": \"1"),
    ] {
        let copy = Copy::of(GOOD);
        copy.edit("receipt.json", |text| text.replacen(from, to, 1));
        let [state, receipt, _] = copy.statuses(&[]);
        assert_eq!([&*state, &*receipt], ["match", expected], "{to}");
    }
}

/// A file that is not JSON at all may be encrypted, and the message says so. A file above 16 MiB is not parsed.
#[test]
fn messages_name_the_fault() {
    let copy = Copy::of(GOOD);
    copy.edit("state.json", |_| "c2hpcHBlcg==".to_owned());
    fs::File::create(copy.path("receipt.json")).expect("a file").set_len((16 << 20) + 1).expect("a long file");
    let findings = copy.findings();
    let message = |code: &str| &findings.iter().find(|(found, _)| found == code).expect(code).1;
    assert_eq!(message("state-unreadable"), "cannot compare state.json: it is not JSON at all, so it may be encrypted");
    assert_eq!(message("receipt-unreadable"), "cannot compare receipt.json: it is longer than 16 MiB");
    assert_eq!(copy.statuses(&["--strict"])[..2], ["unreadable", "unreadable"].map(str::to_owned));
}

/// A resume published a package after the file was written: a file from before is behind, also for a receipt.
#[test]
fn older_files_are_behind() {
    let copy = Copy::of("parallel-fail");
    let pending = |text: String| text.replacen("\"state\": \"published\"", "\"state\": \"pending\"", 1);
    copy.edit("state.json", pending);
    copy.edit("receipt.json", pending);
    let [state, receipt, conclusion] = copy.statuses(&[]);
    assert_eq!([&*state, &*receipt, &*conclusion], ["behind", "behind", "inconclusive"]);
    // zq-000 never failed, so no earlier state of the log explains the word.
    copy.edit("state.json", |text| text.replacen("\"pending\"", "\"failed\"", 1));
    assert_eq!(copy.statuses(&[])[0], "drift");
    // zq-005 failed in the first run.
    let before = |text: String| {
        let (head, tail) = text.split_at(text.find("\"zq-005@0.1.0\"").expect("the package"));
        let tail = tail.replacen("\"state\": \"published\"", "\"state\": \"failed\"", 1);
        format!("{}{tail}", head.replacen("\"failed\"", "\"published\"", 1))
    };
    copy.edit("state.json", before);
    assert_eq!(copy.statuses(&[])[0], "behind");
}

/// A log that cannot be judged to its end, or that continues an earlier one, is not compared.
#[test]
fn logs_without_a_sound_end_are_not_compared() {
    let torn = |text: String| text[..text.len() - 9].to_owned();
    let corrupt = |text: String| text.replacen('{', "[", 1);
    let head = format!("\"lines\":1,\"bytes\":1,\"blake3\":\"{}\"", "0".repeat(64));
    let prev = blake3::hash(b"").to_string();
    let continued = move |text: String| {
        format!(
            "{{\"seq\":0,\"prev\":\"{prev}\",\"timestamp\":\"2026-11-26T17:00:00Z\",\"event_type\":{{\"type\":\"log_continued\",{head}}},\"package\":\"all\"}}\n{text}"
        )
    };
    let edits: [Box<dyn FnOnce(String) -> String>; 3] = [Box::new(torn), Box::new(corrupt), Box::new(continued)];
    for edit in edits {
        let copy = Copy::of("drift");
        copy.edit("events.jsonl", edit);
        let log = &report(&[&copy.path("events.jsonl")])["logs"][0];
        for file in ["state", "receipt"] {
            assert_eq!(log["packet"][file]["status"], "not-checked", "{log}");
            assert_eq!(log["packet"][file]["path"], copy.path(&format!("{file}.json")), "it exists");
        }
        fs::remove_file(copy.path("state.json")).expect("it is there");
        let log = &report(&[&copy.path("events.jsonl")])["logs"][0];
        assert_eq!(log["packet"]["state"], json!({"status": "not-checked", "path": null, "differences": []}));
    }
}

/// The packet is beside the log unless an option, a cut audit or the kind of the log excludes it.
#[test]
fn options_choose_the_packet() {
    let (copy, other) = (Copy::of("drift"), Copy::of(GOOD));
    let dir = other.path("");
    assert_eq!(copy.statuses(&[])[..2], ["drift", "drift"].map(str::to_owned));
    for excluded in [&["--no-packet"][..], &["--at", "30"]] {
        assert_eq!(copy.statuses(excluded)[..2], ["not-checked", "not-checked"].map(str::to_owned));
    }
    assert_eq!(copy.statuses(&["--packet", &dir])[..2], ["orphan", "orphan"].map(str::to_owned));
    assert_eq!(copy.statuses(&["--packet", &copy.path(""), "--at", "34"])[0], "drift");
    let empty = tempfile::tempdir().expect("a directory");
    let empty = empty.path().to_str().expect("UTF-8");
    assert_eq!(copy.statuses(&["--packet", empty])[..2], ["absent", "absent"].map(str::to_owned));

    let log = fs::read(copy.path("events.jsonl")).expect("the log");
    let piped = replay_stdin(&["--format", "json", "-"], &log);
    let piped: Value = serde_json::from_slice(&piped.stdout).expect("JSON");
    assert_eq!(piped["logs"][0]["packet"]["state"]["status"], "not-checked");
    let aside = copy.path("events.jsonl.aside-1");
    fs::write(&aside, &log).expect("a file");
    assert_eq!(report(&[&aside])["logs"][0]["packet"]["state"]["status"], "not-checked");

    let log = copy.path("events.jsonl");
    for (args, message) in [
        (vec!["--packet", "nowhere"], "is not a directory"),
        (vec!["--packet", &log], "is not a directory"),
        (vec!["--packet", &dir, "--no-packet"], "cannot be used with"),
        (vec!["--packet", &dir, "--merge"], "cannot be used with"),
        (vec!["--packet", &dir, "--follow"], "cannot be used with"),
        (vec!["--packet", &dir, "real/dormant"], "exactly one log"),
    ] {
        let output = replay(&[&args[..], &[&log]].concat());
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(stderr.contains(message), "{args:?}: {stderr}");
    }
}

/// Every format shows the drift, at the file where the format has places.
#[test]
fn every_format_shows_the_drift() {
    let log = "packets/drift/events.jsonl";
    let text = |format: &str| {
        let output = replay(&["--format", format, log]);
        assert_eq!(output.status.code(), Some(1), "{format}");
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    for format in ["human", "json", "ndjson", "sarif", "github", "markdown", "html", "vsa"] {
        let text = text(format);
        assert!(text.contains("state-drift") && text.contains("receipt-drift"), "{format}: {text}");
    }
    for format in ["human", "markdown", "html"] {
        assert!(text(format).contains("state.json contradicts the log"), "{format}");
    }
    assert!(text("github").contains("file=packets/drift/state.json"));
    let sarif: Value = serde_json::from_str(&text("sarif")).expect("JSON");
    let results = sarif["runs"][0]["results"].as_array().expect("results");
    let drift = results.iter().find(|result| result["ruleId"] == "receipt-drift").expect("the result");
    let place = &drift["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
    assert_eq!(place, "packets/drift/receipt.json");
}

/// The statement names the bytes of every compared file.
#[test]
fn compared_files_are_inputs_of_the_statement() {
    let statement = |args: &[&str]| -> Value {
        let time =
            ["--format", "vsa", "--time", "2026-11-27T00:00:00Z", "packets/already-there-all-gated/events.jsonl"];
        serde_json::from_slice(&program(&[args, &time].concat()).output().expect("it starts").stdout).expect("JSON")
    };
    let inputs = |statement: &Value| -> Vec<(String, String)> {
        let inputs = statement["predicate"]["inputAttestations"].as_array().expect("inputs").iter();
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        inputs.map(|input| (text(&input["uri"]), text(&input["digest"]["blake3"]))).collect()
    };
    let expected: Vec<(String, String)> = ["events.jsonl", "rehearsal.json", "state.json", "receipt.json"]
        .into_iter()
        .map(|name| Path::new("packets").join(GOOD).join(name))
        .filter_map(|path| {
            Some((path.to_str()?.to_owned(), blake3::hash(&fs::read(fixtures().join(&path)).ok()?).to_string()))
        })
        .collect();
    assert_eq!(inputs(&statement(&[])), expected);
    assert!(expected.len() >= 3, "{expected:?}");
    let without = inputs(&statement(&["--no-packet"]));
    assert!(
        without.iter().all(|(uri, _)| !uri.ends_with("state.json") && !uri.ends_with("receipt.json")),
        "{without:?}"
    );
}

/// A merged report keeps the packet, refuses one whose packet contradicts its findings, and accepts one of an older version.
#[test]
fn merge_keeps_and_checks_the_packet() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("report.ndjson");
    let whole =
        replay(&["--format", "ndjson", "packets/drift/events.jsonl", "packets/pass-3crate/events.jsonl"]).stdout;
    let whole = String::from_utf8(whole).expect("UTF-8");
    let merged = |text: &str| {
        fs::write(&file, text).expect("a file");
        replay(&["--merge", "--format", "ndjson", file.to_str().expect("UTF-8")])
    };
    assert_eq!(String::from_utf8(merged(&whole).stdout).expect("UTF-8"), whole);
    let edited =
        whole.replacen("\"packet\":{\"state\":{\"status\":\"drift\"", "\"packet\":{\"state\":{\"status\":\"match\"", 1);
    let refused = String::from_utf8(merged(&edited).stderr).expect("UTF-8");
    assert!(refused.contains("`packet` contradicts the findings"), "{refused}");

    let old = replay(&["--format", "ndjson", "--no-packet", "real/pass-3crate/events.jsonl"]).stdout;
    let old = String::from_utf8(old).expect("UTF-8");
    let start = old.find("\"packet\":{").expect("the member");
    let end = old[start..].find("\"findings\"").expect("the next member") + start;
    let old = format!("{}{}", &old[..start], &old[end..]);
    let merged = merged(&old);
    assert_eq!(merged.status.code(), Some(0), "{merged:?}");
    assert_eq!(String::from_utf8_lossy(&merged.stdout), old);
}
