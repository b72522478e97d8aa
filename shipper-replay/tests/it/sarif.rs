//! The output of `--format sarif` is valid SARIF 2.1.0, has the results of the JSON report with exact regions, and
//! never makes an inconclusive log look verified.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;

use crate::support::sarif::{SCHEMA, checked, places, results, sarif, text};
use crate::support::{TEN, cases, fixtures, program, replay, replay_stdin, report};
use fluent_uri::UriRef;
use serde_json::{Value, json};
use shipper_core::audit::FindingCode;
use shipper_events::is_display_safe;

/// Returns a readable form of a location.
fn shown(location: &Value) -> String {
    let place = &location["physicalLocation"];
    let mut shown = text(&place["artifactLocation"]["uri"]).to_owned();
    if let Some(region) = place.get("region") {
        let _ = write!(shown, ":{}", region["startLine"]);
        if let (Some(start), Some(end)) = (region.get("startColumn"), region.get("endColumn")) {
            let _ = write!(shown, ":{start}-{end}");
        }
        let _ = write!(shown, " {}", region.get("snippet").map_or("", |snippet| text(&snippet["text"])));
    }
    shown
}

/// The results of the ten cases.
#[test]
fn results_of_the_ten_cases() {
    let mut page = String::new();
    for (case, args) in TEN {
        let log = format!("real/{case}/events.jsonl");
        let run = sarif(&[args, &[log.as_str()]].concat());
        let invocation = &run["invocations"][0];
        let _ = writeln!(page, "$ {} {log}", args.join(" "));
        let _ = writeln!(page, "{}, {}", text(&invocation["exitCodeDescription"]), run["artifacts"][0]["properties"]);
        for result in results(&run) {
            let _ = writeln!(page, "\n{} {}", text(&result["level"]), text(&result["ruleId"]));
            let _ = writeln!(page, "  {}", text(&result["message"]["text"]));
            let _ = writeln!(page, "  at {}", shown(&result["locations"][0]));
            for related in places(result, "relatedLocations") {
                let label = related.get("message").map_or("", |message| text(&message["text"]));
                let _ = writeln!(page, "  {}: {} ({label})", related["id"], shown(related));
            }
            let _ = writeln!(page, "  fingerprint {}", text(&result["partialFingerprints"]["shipperReplay/v1"]));
        }
        page.push('\n');
    }
    insta::assert_snapshot!(page);
}

/// In every fixture alone and in all together, each finding of the JSON report is a result with its level, line and
/// rule. The results are sorted by level, then in the order of the findings. Each artifact has the conclusion of its log.
#[test]
fn results_equal_the_json_findings() {
    let mut asked: Vec<Vec<String>> = cases().into_iter().map(|case| vec![case]).collect();
    asked.push(["real", "damaged", "recorded", "nowhere.jsonl"].map(ToOwned::to_owned).to_vec());
    asked.push(["--strict", "real"].map(ToOwned::to_owned).to_vec());
    asked.push(["--registry", "rehearsal", "--timeline", "recorded"].map(ToOwned::to_owned).to_vec());
    asked.push(["--at", "5", "recorded/adopted"].map(ToOwned::to_owned).to_vec());
    for args in &asked {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let (run, report) = (sarif(&args), report(&args));
        let essence = |rule: &Value, level: &Value, line: &Value| format!("{rule} {level} {line}");
        let mut expected = Vec::new();
        for log in report["logs"].as_array().expect("logs") {
            match text(&log["conclusion"]) {
                "unjudged" => expected.push(essence(&json!("unjudged"), &json!("error"), &json!(null))),
                "inconclusive" => expected.push(essence(&json!("inconclusive"), &json!("warning"), &json!(null))),
                _ => {}
            }
            let findings = log.get("findings").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
            expected.extend(findings.iter().map(|found| essence(&found["code"], &found["level"], &found["line"])));
            let artifacts = run["artifacts"].as_array().expect("artifacts");
            let artifact = artifacts.iter().find(|artifact| artifact["location"]["uri"] == log["path"]).expect("it");
            assert_eq!(artifact["properties"]["conclusion"], log["conclusion"], "{args:?}");
            if log["tail"] == "clean" && report["demand"]["at"].is_null() {
                let bytes = fs::read(fixtures().join(text(&log["path"]))).expect("the log");
                assert_eq!(artifact["length"].as_u64(), Some(bytes.len() as u64), "{args:?}");
                assert_eq!(text(&artifact["hashes"]["blake3"]), blake3::hash(&bytes).to_hex().as_str(), "{args:?}");
            } else {
                assert!(artifact.get("hashes").is_none(), "of an unreadable log: {args:?}");
            }
        }
        let rank = |essence: &String| ["\"error\"", "\"warning\"", "\"note\""].map(|level| !essence.contains(level));
        expected.sort_by_key(rank);
        let line = |result: &Value| result.pointer("/locations/0/physicalLocation/region/startLine").cloned();
        let found: Vec<String> = results(&run)
            .iter()
            .map(|result| essence(&result["ruleId"], &result["level"], &line(result).unwrap_or_default()))
            .collect();
        assert_eq!(found, expected, "{args:?}");
        assert_eq!(run["properties"]["conclusion"], report["conclusion"], "{args:?}");
    }
}

/// The characters of a region equal its snippet, for every region whose snippet is not escaped or truncated.
#[test]
fn regions_hold_their_snippets() {
    let mut compared = 0;
    for case in cases() {
        let log = format!("{case}/events.jsonl");
        let bytes = fs::read(fixtures().join(&log)).expect("the log");
        let lines: Vec<String> = bytes
            .split_inclusive(|byte| *byte == b'\n')
            .map(|line| String::from_utf8_lossy(line.strip_suffix(b"\n").unwrap_or(line)).into_owned())
            .collect();
        for result in results(&sarif(&[&log])) {
            for location in places(result, "locations").iter().chain(places(result, "relatedLocations")) {
                let Some(region) = location.pointer("/physicalLocation/region") else { continue };
                let number = |name: &str| region[name].as_u64().and_then(|number| usize::try_from(number).ok());
                let line = &lines[number("startLine").expect("a line") - 1];
                let snippet = region.get("snippet").map_or("", |snippet| text(&snippet["text"]));
                let width = line.chars().count();
                let (start, end) = (number("startColumn").unwrap_or(1), number("endColumn").unwrap_or(width + 1));
                let text_in_region: String = line.chars().skip(start - 1).take(end - start).collect();
                if text_in_region.chars().all(is_display_safe) && !snippet.ends_with('…') {
                    assert_eq!(text_in_region, snippet, "{log}: {region}");
                    compared += 1;
                }
            }
        }
    }
    assert!(compared > 60, "{compared} places");
}

/// A log without a result is not clean. An unreadable log is an error of the tool and of the log, and an empty log, a
/// log with only notes, or a directory without logs is a warning.
#[test]
fn unknown_result_is_not_clean() {
    let empty = tempfile::tempdir().expect("a directory");
    let empty = empty.path().to_str().expect("UTF-8");
    let essence = |run: &Value| {
        let found: Vec<(String, String)> = results(run)
            .iter()
            .map(|result| (text(&result["ruleId"]).to_owned(), text(&result["level"]).to_owned()))
            .collect();
        found
    };
    let result = |rule: &str, level: &str| (rule.to_owned(), level.to_owned());
    let unread = sarif(&["nowhere.jsonl"]);
    assert_eq!(essence(&unread), [result("unjudged", "error")]);
    assert_eq!(unread["invocations"][0]["executionSuccessful"], false);
    let notification = &unread["invocations"][0]["toolExecutionNotifications"][0];
    assert_eq!(notification["level"], "error");
    assert_eq!(notification["descriptor"]["id"], "unreadable-log");
    assert_eq!(notification["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "nowhere.jsonl");
    for args in [&["damaged/empty"][..], &[empty], &["-"], &["--plan-id", "another", "real/pass-1crate"]] {
        let run = sarif(args);
        assert!(essence(&run).contains(&result("inconclusive", "warning")), "{args:?}");
        assert_eq!(run["invocations"][0]["executionSuccessful"], true, "{args:?}");
        assert_eq!(run["invocations"][0]["exitCode"], 3, "{args:?}");
    }
    assert_eq!(sarif(&[empty])["invocations"][0]["toolExecutionNotifications"][0]["descriptor"]["id"], "no-logs");
    let required = ["--plan-id", "another", "--registry", "rehearsal", "--require", "authorized", "real/pass-3crate"];
    assert!(essence(&sarif(&required)).contains(&result("requirement-not-met", "error")));
}

/// A verified log without findings has no result, because some tools treat every result as a failure.
#[test]
fn verified_log_gives_no_result() {
    let run = sarif(&["--registry", "rehearsal", "real/pass-3crate/events.jsonl"]);
    assert_eq!(results(&run), [] as [Value; 0]);
    assert_eq!(run["artifacts"][0]["properties"]["conclusion"], "verified");
    assert_eq!(run["artifacts"][0]["properties"]["gate"]["verdict"], "authorized");
}

/// The rules are the codes in their order, for any findings, with the properties that viewers need.
#[test]
fn rules_do_not_depend_on_findings() {
    let run = sarif(&["damaged"]);
    let driver = &run["tool"]["driver"];
    assert_eq!(driver, &sarif(&["real/pass-3crate"])["tool"]["driver"]);
    let rules = driver["rules"].as_array().expect("rules");
    let ids: Vec<&str> = rules.iter().map(|rule| text(&rule["id"])).collect();
    let codes: Vec<&str> = FindingCode::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(ids, [&codes[..], &["unjudged", "inconclusive", "requirement-not-met"]].concat());
    for (code, rule) in FindingCode::ALL.iter().zip(rules) {
        assert_eq!(rule["defaultConfiguration"]["level"], code.level().as_str());
    }
    for rule in rules {
        // The limit of GitHub's code scanning.
        for description in ["shortDescription", "fullDescription"] {
            let length = text(&rule[description]["text"]).chars().count();
            assert!((1..=1024).contains(&length), "{}: {description}: {length}", rule["id"]);
        }
        assert!(!text(&rule["help"]["text"]).is_empty() && !text(&rule["help"]["markdown"]).is_empty());
    }
}

/// Returns the fingerprints of the results for a log, by rule and line.
fn fingerprints(log: &[u8]) -> BTreeMap<String, String> {
    let output = replay_stdin(&["--format", "sarif", "-"], log);
    let run = checked(&output.stdout, "standard input");
    let place = |result: &Value| {
        let line = result.pointer("/locations/0/physicalLocation/region/startLine").unwrap_or(&Value::Null);
        let fingerprint = text(&result["partialFingerprints"]["shipperReplay/v1"]).to_owned();
        (format!("{} {line}", text(&result["ruleId"])), fingerprint)
    };
    let found: BTreeMap<String, String> = results(&run).iter().map(place).collect();
    let different: BTreeSet<&String> = found.values().collect();
    assert_eq!(found.len(), different.len(), "no two results share one: {found:#?}");
    found
}

/// A result that remains at its line after lines are appended keeps its fingerprint.
#[test]
fn fingerprints_are_stable_when_lines_are_appended() {
    let mut kept = 0;
    for log in [
        "recorded/refused-and-published",
        "recorded/bypassed",
        "recorded/adopted",
        "damaged/unknown-in-rehearsal",
        "real/concurrent-rehearse-one-fails",
    ] {
        let bytes = fs::read(fixtures().join(log).join("events.jsonl")).expect("the log");
        let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
        let last = fingerprints(&bytes);
        for count in (1..lines.len()).step_by(3) {
            for (place, fingerprint) in fingerprints(&lines[..count].concat()) {
                if let Some(now) = last.get(&place).filter(|_| !place.ends_with("null")) {
                    assert_eq!(*now, fingerprint, "{log}: {place} after {count} lines");
                    kept += 1;
                }
            }
        }
    }
    assert!(kept >= 40, "{kept} results were there before");
}

/// The same finding on the same line of another log has another fingerprint, and so has an inconclusive result for
/// another plan: a dismissal of one must not hide the other.
#[test]
fn fingerprints_differ_between_logs() {
    let log = fs::read_to_string(fixtures().join("real/skip-over-failed/events.jsonl")).expect("the log");
    let (one, other) = (fingerprints(log.as_bytes()), fingerprints(log.replace("T08:", "T09:").as_bytes()));
    let place = "publish-not-authorized 7";
    assert!(one.contains_key(place), "{one:#?}");
    assert_ne!(one[place], other[place]);
    let log = fs::read_to_string(fixtures().join("real/stale-bump/events.jsonl")).expect("the log");
    let plan = "dd949feb07780d8045da64e58ff79ed72882306a166a79c1952fc3ff998ecb07";
    let (one, other) = (fingerprints(log.as_bytes()), fingerprints(log.replace(plan, "another").as_bytes()));
    assert_ne!(one["inconclusive null"], other["inconclusive null"]);
}

/// Every kind of path gives a URI that decodes to it, and never another scheme or host.
#[test]
fn paths_are_uris() {
    let directory = tempfile::tempdir().expect("a directory");
    for (name, uri) in [
        ("plain.jsonl", "plain.jsonl"),
        ("a b?c#d%20e.jsonl", "a%20b%3Fc%23d%2520e.jsonl"),
        ("file:x.jsonl", "./file:x.jsonl"),
        ("javascript:alert(1)", "./javascript:alert(1)"),
        ("[x](y){0}.jsonl", "%5Bx%5D(y)%7B0%7D.jsonl"),
        ("new\nline\u{1b}[2J", "new%0Aline%1B%5B2J"),
        ("\u{202e}ö.jsonl", "%E2%80%AE%C3%B6.jsonl"),
        ("back\\slash", "back%5Cslash"),
        ("./plain.jsonl", "plain.jsonl"),
    ] {
        fs::write(directory.path().join(name), b"").expect("it can be written");
        let output =
            program(&["--format", "sarif", "--", name]).current_dir(directory.path()).output().expect("the program");
        let run = checked(&output.stdout, name);
        let location = &run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"];
        assert_eq!(location["uri"], uri);
        let parsed = UriRef::parse(uri).expect("a URI");
        let decoded = parsed.path().decode().to_string().expect("UTF-8");
        assert_eq!(decoded.trim_start_matches("./"), name.trim_start_matches("./"));
        assert!(!parsed.has_scheme() && !parsed.has_authority() && !parsed.has_query() && !parsed.has_fragment());
    }
    let absolute = directory.path().join("plain.jsonl");
    let absolute = absolute.to_str().expect("UTF-8");
    let run = sarif(&[absolute]);
    assert_eq!(run["artifacts"][0]["location"]["uri"], format!("file://{absolute}"));
}

/// Standard input is a stream, with the name that the caller gave it.
#[test]
fn standard_input_is_named_as_given() {
    let log = fs::read(fixtures().join("real/tampered-sidecar/events.jsonl")).expect("the log");
    let run = checked(&replay_stdin(&["--format", "sarif", "-"], &log).stdout, "-");
    assert_eq!(run["artifacts"][0]["location"]["uri"], "-");
    assert_eq!(run["artifacts"][0]["roles"], json!(["analysisTarget", "standardStream"]));
    let region = &run["results"][0]["locations"][0]["physicalLocation"]["region"];
    assert_eq!(region["snippet"]["text"], "\"5125c3312c8ec7be93c145ce58cee2bca10dc939ed367f60803084f29a66761c\"");
}

/// A log and its sidecar are one artifact each, and a finding about the sidecar is located there.
#[test]
fn artifacts_are_listed_once() {
    let log = "real/tampered-sidecar/events.jsonl";
    let run = sarif(&[log, "real/skip/events.jsonl"]);
    let uris: Vec<&str> = run["artifacts"]
        .as_array()
        .expect("artifacts")
        .iter()
        .map(|artifact| text(&artifact["location"]["uri"]))
        .collect();
    assert_eq!(uris, [log, "real/tampered-sidecar/rehearsal.json", "real/skip/events.jsonl"]);
    let drift: Vec<&Value> = results(&run).iter().filter(|result| result["ruleId"] == "sidecar-drift").collect();
    assert_eq!(drift.len(), 1);
    assert_eq!(drift[0]["analysisTarget"]["uri"], log);
    assert!(drift[0]["locations"][0]["physicalLocation"].get("region").is_none(), "the whole sidecar");
}

/// Text from a log becomes no link and no placeholder.
#[test]
fn hostile_text_is_only_text() {
    let hostile = "[click](https://example.com) {0} {1 \u{202e}\u{1b}[31m\n<script>";
    let log = fs::read_to_string(fixtures().join("damaged/hostile-text/events.jsonl")).expect("the fixture");
    let first: Value = serde_json::from_str(log.lines().next().expect("a line")).expect("JSON");
    let name = first["event_type"]["plan_id"].to_string();
    let as_json = |text: &str| serde_json::to_string(text).expect("JSON").trim_matches('"').to_owned();
    let log = log.replace(name.trim_matches('"'), &as_json(hostile));
    let gate = log.lines().next().expect("a line").replace("rehearsal_started", &format!("gate_{}", as_json(hostile)));
    let output = replay_stdin(&["--format", "sarif", "-"], format!("{log}{gate}\n").as_bytes());
    let run = checked(&output.stdout, "hostile");
    let found = results(&run).iter().find(|result| result["ruleId"] == "unknown-gate-event").expect("it is found");
    let message = text(&found["message"]["text"]);
    assert!(message.contains("[click] (https://example.com) {{0}} {{1 \\u{{202e}}"), "{message}");
}

/// The schema rejects damaged output.
#[test]
fn schema_rejects_damaged_output() {
    let output = replay(&["--format", "sarif", "real/tampered-sidecar"]);
    let valid: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    for (place, value) in [
        ("/version", json!("2.0.0")),
        ("/runs/0/results/0/level", json!("fatal")),
        ("/runs/0/results/0/ruleIndex", json!("1")),
        ("/runs/0/results/0/locations/0/physicalLocation/region/startLine", json!(0)),
        ("/runs/0/results/0/locations/0/physicalLocation/artifactLocation/uri", json!("a b")),
        ("/runs/0/artifacts/0/roles/0", json!("log")),
        ("/runs/0/tool/driver/name", json!(null)),
    ] {
        let mut damaged = valid.clone();
        *damaged.pointer_mut(place).expect("it is there") = value;
        assert!(!SCHEMA.is_valid(&damaged), "{place}");
    }
}

/// A byte that is not UTF-8 is one column, also at the end of its line.
#[test]
fn invalid_byte_is_one_column() {
    for line in [&b"{\"a\":\"\xff\n"[..], b"{\"a\":\"\xffb\n", b"{\"a\":\"\xffbcd\n"] {
        let run = checked(&replay_stdin(&["--format", "sarif", "-"], line).stdout, "standard input");
        let corrupt = results(&run).iter().find(|result| result["ruleId"] == "corrupt-line").expect("it is corrupt");
        let region = &corrupt["locations"][0]["physicalLocation"]["region"];
        assert_eq!((&region["startColumn"], &region["endColumn"]), (&7.into(), &8.into()), "{region}");
    }
}
