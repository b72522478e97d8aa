//! Reports merge into the report that a single call would give, and a report that is truncated, edited, missing or made
//! with other options is refused. A distributed audit must have the same conclusion or an error.

use std::fs;

use crate::support::ndjson::{assert_refused, merge_in, ndjson, parts, text};
use crate::support::{fixtures, program, replay, replay_stdin, seen};
use serde_json::Value;

/// A report that is truncated at or within any line is rejected with its path and line, and so are lines of other data
/// and a missing file.
#[test]
fn truncated_report_is_rejected() {
    let top = tempfile::tempdir().expect("a directory");
    let report = ndjson(&["recorded", "damaged/torn-tail"]);
    let lines: Vec<&str> = report.split_inclusive('\n').collect();
    assert_eq!(lines.len(), 9);
    let file = top.path().join("part");
    for cut in 0..lines.len() {
        fs::write(&file, lines[..cut].concat()).expect("a part");
        let place = if cut == 0 { r#""part": the report is "#.to_owned() } else { format!(r#""part" line {cut}: "#) };
        assert_refused(&merge_in(top.path(), &["part"]), &[&place, "write"]);
        // Each line is removed in turn.
        fs::write(&file, [&lines[..cut], &lines[cut + 1..]].concat().concat()).expect("a part");
        assert_refused(&merge_in(top.path(), &["part"]), &[r#""part" line 8: "#, "incomplete", "write"]);
        for inside in [1, lines[cut].len() / 2, lines[cut].len() - 2] {
            fs::write(&file, [lines[..cut].concat(), lines[cut][..inside].to_owned()].concat()).expect("a part");
            let place = format!(r#""part" line {}: the line is corrupt"#, cut + 1);
            assert_refused(&merge_in(top.path(), &["part"]), &[&place]);
        }
    }
    // The last line feed may be missing.
    fs::write(&file, report.trim_end()).expect("a part");
    assert_eq!(merge_in(top.path(), &["part"]).status.code(), Some(1));
    // A complete report does not replace an incomplete one.
    fs::write(top.path().join("short"), lines[..3].concat()).expect("a part");
    assert_refused(&merge_in(top.path(), &["part", "short"]), &[r#""short" line 3: "#, "incomplete"]);
    assert_refused(
        &merge_in(top.path(), &["part", "nowhere"]),
        &[r#"cannot read the report "nowhere""#, "No such file"],
    );
    let json = replay(&["--format", "json", "recorded"]).stdout;
    assert_refused(&replay_stdin(&["--merge", "-"], &json), &[r#""-" line 1: "#, "--format ndjson"]);
    let newer = report.replace("shipper.replay.v1", "shipper.replay.v9");
    assert_refused(&replay_stdin(&["--merge", "-"], newer.as_bytes()), &[r#""-" line 9: unsupported "#, "version"]);
}

/// An edited conclusion and an edited total are rejected.
#[test]
fn edited_reports_are_rejected() {
    let report = ndjson(&["recorded"]);
    let (lines, _) = parts(&report);
    let violated = lines.iter().position(|line| line.contains(r#""conclusion":"violated""#)).expect("one is");
    let pardoned = lines[violated].replacen(r#""conclusion":"violated""#, r#""conclusion":"verified""#, 1);
    let place = format!(r#""-" line {}: the line was edited: its conclusion is verified, but"#, violated + 1);
    let merge = |report: &str| replay_stdin(&["--merge", "-"], report.as_bytes());
    assert_refused(&merge(&report.replace(lines[violated], &pardoned)), &[&place, "give violated; audit"]);
    assert_refused(&merge(&report.replace(r#""verified":3"#, r#""verified":4"#)), &["line 8", "write the report"]);
    let twice = lines[0].replacen(r#"{"path""#, r#"{"path":"x","path""#, 1);
    assert_refused(&merge(&report.replace(lines[0], &twice)), &["line 1", "duplicate member"]);
    let counts = report.replace(r#""logs":7"#, r#""logs":6"#).replace(r#""verified":3"#, r#""verified":2"#);
    assert_refused(&merge(&counts), &["has 7 logs", "count 6 logs", "write it again"]);
}

/// An edited report that contradicts itself or the options in its summary is rejected, because an edit must not forge a
/// verified log.
#[test]
fn contradicting_edits_are_rejected() {
    type Edit = fn(&mut Value, &mut Value);
    fn verified(log: &mut Value, summary: &mut Value) {
        log["conclusion"] = "verified".into();
        let all = &mut summary["summary"];
        (all["conclusion"], all["exit_code"]) = ("verified".into(), 0.into());
        all["counts"] = serde_json::json!({"violated": 0, "unjudged": 0, "inconclusive": 0, "verified": 1});
    }
    let edits: [(&str, Edit); 15] = [
        ("tampered-sidecar", |log, summary| {
            log["findings"] = Value::Array(Vec::new());
            verified(log, summary);
        }),
        ("tampered-sidecar", |log, summary| {
            for finding in log["findings"].as_array_mut().expect("findings") {
                finding["level"] = "note".into();
            }
            log["decisions"] = Value::Array(Vec::new());
            log["decisions"] = serde_json::json!([]);
            verified(log, summary);
        }),
        ("pass-3crate", |log, _| log["integrity"] = "broken".into()),
        ("pass-3crate", |log, _| log["sidecar"]["status"] = "drift".into()),
        ("pass-3crate", |log, _| {
            log["decisions"][0]["derived"] = serde_json::json!({"verdict": "refused", "reasons": ["no-rehearsal"]});
        }),
        ("pass-3crate", |log, _| log["decisions"][0]["runs"] = Value::Array(Vec::new())),
        ("pass-3crate", |log, _| log["gate"]["verdict"] = "refused".into()),
        ("pass-3crate", |log, _| log["bytes"] = 0.into()),
        ("pass-3crate", |_, summary| summary["summary"]["demand"]["registry"] = "wrong".into()),
        ("skip", |_, summary| summary["summary"]["demand"]["strict"] = true.into()),
        // Text that is unsafe on a terminal or is Markdown.
        ("skip", |log, _| log["findings"][0]["message"] = "x\n\n# All logs verified".into()),
        ("skip", |log, _| log["findings"][0]["help"] = "\u{1b}]52;c;x".into()),
        ("pass-3crate", |log, _| log["blake3"] = "\u{1b}[2J".into()),
        // Line numbers that no log has.
        ("skip", |log, _| log["findings"][0]["line"] = 0.into()),
        ("pass-3crate", |log, _| log["decisions"][0]["runs"][0]["line"] = u64::MAX.into()),
    ];
    let top = tempfile::tempdir().expect("a directory");
    for (position, (case, edit)) in edits.into_iter().enumerate() {
        let report = ndjson(&[&format!("real/{case}/events.jsonl")]);
        let mut lines: Vec<Value> = report.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let (log, summary) = lines.split_at_mut(1);
        edit(&mut log[0], &mut summary[0]);
        fs::write(top.path().join("part"), format!("{}\n{}\n", lines[0], lines[1])).expect("a part");
        let output = merge_in(top.path(), &["part"]);
        assert_refused(&output, &["edited"]);
        assert!(output.stdout.is_empty(), "{position}: {}", seen(&output));
    }
}

/// A merge in any order, in any steps and with mixed lines gives the same bytes as one call over all logs, in every
/// format that needs no log.
#[test]
fn merging_in_any_order_is_byte_identical() {
    let top = tempfile::tempdir().expect("a directory");
    let given = [&["recorded"][..], &["real/skip", "damaged/torn-tail", "nowhere"], &["recorded/adopted", "../docs"]];
    for (name, args) in ["a", "b", "c"].iter().zip(given) {
        fs::write(top.path().join(name), ndjson(args)).expect("a part");
    }
    let merge = |args: &[&str]| {
        let output = merge_in(top.path(), args);
        assert_eq!(output.status.code(), Some(1), "{args:?}: {}", text(&output.stderr));
        text(&output.stdout)
    };
    let complete = merge(&["--format", "ndjson", "a", "b", "c"]);
    for order in [["a", "c", "b"], ["b", "a", "c"], ["b", "c", "a"], ["c", "a", "b"], ["c", "b", "a"]] {
        assert_eq!(merge(&[&["--format", "ndjson"], &order[..]].concat()), complete, "{order:?}");
    }
    fs::write(top.path().join("ab"), merge(&["--format", "ndjson", "a", "b"])).expect("a part");
    assert_eq!(merge(&["--format", "ndjson", "ab", "c"]), complete);
    let all = ["a", "b", "c"].map(|name| fs::read_to_string(top.path().join(name)).expect("a part")).concat();
    let mut mixed: Vec<&str> = all.lines().collect();
    mixed.sort_by_key(|line| blake3::hash(line.as_bytes()).to_string());
    let mixed = mixed.join("\n");
    for stream in [&all, &mixed] {
        let output = replay_stdin(&["--merge", "-", "--format", "ndjson"], stream.as_bytes());
        assert_eq!(text(&output.stdout), complete, "{}", text(&output.stderr));
    }
    // One call, with its logs sorted.
    let single = ndjson(&given.concat());
    let (mut lines, summary) = parts(&single);
    let path = |line: &str| serde_json::from_str::<Value>(line).expect("JSON")["path"].to_string();
    lines.sort_by_key(|line| path(line));
    assert_eq!(lines, parts(&complete).0);
    assert_eq!(summary, parts(&complete).1, "both have the same duplicate");
    assert_eq!(summary["duplicates"][0]["path"], "recorded/adopted/events.jsonl");
    for form in ["json", "human"] {
        assert_eq!(merge(&["--format", form, "c", "b", "a"]), merge(&["--format", form, "ab", "c"]), "{form}");
    }
    let json: Value = serde_json::from_str(&merge(&["--format", "json", "a", "b", "c"])).expect("JSON");
    assert_eq!((&json["exit_code"], json["logs"].as_array().map(Vec::len)), (&1.into(), Some(11)));
}

/// A merge reports a repeated report, a log that grew, and a log at two paths.
#[test]
fn duplicates_are_reported() {
    let top = tempfile::tempdir().expect("a directory");
    let log = fs::read_to_string(fixtures().join("recorded/authorized/events.jsonl")).expect("a log");
    let keep = |name: &str, lines: usize| {
        let lines: String = log.split_inclusive('\n').take(lines).collect();
        fs::write(top.path().join(name), lines).expect("a log");
    };
    let report = |name: &str, args: &[&str]| {
        let output = program(&[&["--format", "ndjson"], args].concat()).current_dir(top.path()).output();
        fs::write(top.path().join(name), output.expect("it starts").stdout).expect("a report");
    };
    keep("grows", 11);
    keep("stays", 12);
    report("monday", &["grows", "stays", "stays"]);
    keep("grows", 13);
    fs::copy(top.path().join("grows"), top.path().join("copy")).expect("a copy");
    report("tuesday", &["grows", "stays", "copy"]);
    insta::assert_snapshot!(seen(&merge_in(top.path(), &["monday", "tuesday"])));
    insta::assert_snapshot!(seen(&merge_in(top.path(), &["monday", "tuesday", "-q"])));
    let json = merge_in(top.path(), &["monday", "tuesday", "--format", "json"]);
    let remarks = "note: paths given more than once, counted once: 1; paths with different outcomes, each counted: 1; ";
    assert_eq!(text(&json.stderr), format!("{remarks}--format ndjson lists them\n"));
    let merged = text(&merge_in(top.path(), &["monday", "tuesday", "--format", "ndjson"]).stdout);
    let (_, summary) = parts(&merged);
    insta::assert_snapshot!(serde_json::to_string_pretty(&summary).expect("JSON"));
}

/// Reports with different options do not merge, and the message has the option and its position.
#[test]
fn different_options_do_not_merge() {
    let top = tempfile::tempdir().expect("a directory");
    for (name, args) in
        [("a", &["recorded"][..]), ("b", &["--registry", "it's", "recorded"]), ("c", &["--strict", "real"])]
    {
        fs::write(top.path().join(name), ndjson(args)).expect("a part");
    }
    insta::assert_snapshot!(seen(&merge_in(top.path(), &["a", "b"])));
    assert_refused(
        &merge_in(top.path(), &["c", "a"]),
        &[r#""a": "#, "strict is false here and true in earlier reports"],
    );
    let one_stream = [fs::read(top.path().join("a")).expect("a"), fs::read(top.path().join("b")).expect("b")].concat();
    assert_refused(&replay_stdin(&["--merge", "-"], &one_stream), &[r#""-" line 16: "#, "registry"]);
}

/// A list of the expected logs shows a missing part.
#[test]
fn missing_part_is_detected() {
    let part = ndjson(&["recorded", "real/skip"]);
    let top = tempfile::tempdir().expect("a directory");
    fs::write(top.path().join("part"), &part).expect("a part");
    let list = |lines: &str| {
        fs::write(top.path().join("list"), lines).expect("a list");
        merge_in(top.path(), &["part", "--files-from", "list", "-q"])
    };
    assert_eq!(list("recorded\nreal/skip/events.jsonl\n").status.code(), Some(1));
    assert_eq!(list("").status.code(), Some(1), "a list may omit logs");
    assert_refused(
        &list("recorded\nreal\nreal/skip-over-failed\nx\u{1b}\n"),
        &[r#""real/skip-over-failed" and 1 more"#],
    );
}

/// Text in a report that was written by hand is escaped like text in a log.
#[test]
fn hostile_text_in_reports_is_escaped() {
    let evil = r"\u001b]0;x\u0007\n2 logs: verified (2 verified)\r\u202e\u009b2J";
    let summary = |unjudged: u64| {
        ndjson(&["nowhere"])
            .lines()
            .last()
            .expect("a summary")
            .replace(r#""logs":1"#, &format!(r#""logs":{unjudged}"#))
            .replace(r#""unjudged":1"#, &format!(r#""unjudged":{unjudged}"#))
    };
    let element = |error: &str| format!(r#"{{"path":"{evil}","conclusion":"unjudged","error":"{error}{evil}"}}"#);
    let hostile = ndjson(&["damaged/hostile-text"]);
    let stream = format!("{}\n{}\n{}\n{}\n{hostile}", element("one"), element("two"), element("two"), summary(3));
    for args in [&[][..], &["-v"], &["-q"], &["--format", "json"], &["--format", "ndjson"], &["--color", "always"]] {
        let output = replay_stdin(&[args, &["--merge", "-"]].concat(), stream.as_bytes());
        assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
        assert!(!output.stdout.is_empty());
        let shown = text(&[output.stdout, output.stderr].concat());
        let colors = args.contains(&"always");
        let raw = |character: &char| *character != '\n' && !shipper_events::is_display_safe(*character);
        let raw: Vec<char> = shown.chars().filter(raw).filter(|character| !colors || *character != '\u{1b}').collect();
        assert!(raw.is_empty(), "{args:?}: {raw:?}");
        assert!(!shown.lines().any(|line| line.starts_with("2 logs: verified")), "a forged line: {shown}");
    }
    let forged = format!(r#"{{"path":"{evil}","{evil}":1}}"#);
    let message = replay_stdin(&["--merge", "-"], forged.as_bytes());
    assert_refused(&message, &["line 1"]);
    assert!(
        text(&message.stderr).chars().all(|character| character == '\n' || shipper_events::is_display_safe(character))
    );
}

/// Audit options and formats that need a log are usage errors with a merge, which audits nothing.
#[test]
fn audit_options_conflict_with_merge() {
    for args in [
        &["--merge"][..],
        &["--merge", "--registry", "a", "part"],
        &["--merge", "--plan-id", "a", "part"],
        &["--merge", "--strict", "part"],
        &["--merge", "--at", "1", "part"],
        &["--merge", "--timeline", "part"],
        &["--merge", "--no-sidecar", "part"],
        &["--merge", "--format", "vsa", "part"],
        &["--merge", "-", "-"],
        &["--merge", "--files-from", "/dev/null"],
    ] {
        assert_refused(&replay(args), &["error: "]);
    }
}
