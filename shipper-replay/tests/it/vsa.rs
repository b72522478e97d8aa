//! A statement of `--format vsa` is about exactly the judged bytes and claims only what was checked, because its reader
//! acts on it without the log. It fits the specifications, and `.ci/attesting` reads it with in-toto's own library.

use std::fs;
use std::process::Output;
use std::sync::LazyLock;

use crate::support::json_schema::Validator;
use crate::support::{TEN, fixtures, program, replay, replay_stdin, report, seen};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use shipper_events::is_display_safe;

const VERIFIED: &str = "real/pass-3crate/events.jsonl";
const CHAINED: &str = "recorded/authorized/events.jsonl";
const TIME: &str = "2026-11-23T12:00:00Z";

/// Runs the program for a statement at a fixed time.
fn run(args: &[&str]) -> Output {
    replay(&[&["--format", "vsa", "--time", TIME], args].concat())
}

/// Returns the statement of a run.
fn statement(args: &[&str]) -> Value {
    read(&run(args))
}

/// Returns the printed statement, after checking that it is one display-safe line and fits the specifications.
fn read(output: &Output) -> Value {
    let text = std::str::from_utf8(&output.stdout).expect("UTF-8");
    let line = text.strip_suffix('\n').unwrap_or_else(|| panic!("no line: {output:?}"));
    assert!(line.chars().all(is_display_safe), "{line}");
    let statement: Value = serde_json::from_str(line).expect("JSON");
    assert_eq!(SCHEMA.check(&statement), Ok(()), "{statement}");
    statement
}

/// The fields of an in-toto statement and of its verification summary, from both specifications.
static SCHEMA: LazyLock<Validator> = LazyLock::new(|| {
    let text = json!({ "type": "string", "minLength": 1 });
    let hash = json!({ "type": "string", "pattern": "^[0-9a-f]{64}$" });
    let digest = json!({
        "type": "object", "minProperties": 1, "additionalProperties": false,
        "properties": { "sha256": hash, "blake3": hash }
    });
    let resource = json!({
        "type": "object", "additionalProperties": false, "required": ["digest"],
        "properties": { "name": text, "uri": text, "digest": digest, "annotations": { "type": "object" } }
    });
    Validator::new(json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object", "additionalProperties": false,
        "required": ["_type", "subject", "predicateType", "predicate"],
        "properties": {
            "_type": { "const": "https://in-toto.io/Statement/v1" },
            "subject": { "type": "array", "minItems": 1, "items": resource },
            "predicateType": { "const": "https://slsa.dev/verification_summary/v1" },
            "predicate": {
                "type": "object", "additionalProperties": false,
                "required": [
                    "verifier", "timeVerified", "resourceUri", "policy", "verificationResult", "verifiedLevels"
                ],
                "properties": {
                    "verifier": {
                        "type": "object", "additionalProperties": false, "required": ["id"],
                        "properties": { "id": text, "version": { "additionalProperties": text } }
                    },
                    "timeVerified": { "type": "string", "format": "date-time" },
                    "resourceUri": text,
                    "policy": { "allOf": [resource, { "required": ["uri"] }] },
                    "inputAttestations": { "type": "array", "items": resource },
                    "verificationResult": { "enum": ["PASSED", "FAILED"] },
                    "verifiedLevels": { "type": "array", "minItems": 1 },
                    // The only member of this project. Its name is a URI, as SLSA demands.
                    "pkg:cargo/shipper-replay": { "type": "object" }
                },
                "if": { "properties": { "verificationResult": { "const": "PASSED" } } },
                "then": { "properties": { "verifiedLevels": { "items": { "pattern": "^SHIPPER_" } } } },
                "else": { "properties": { "verifiedLevels": { "const": ["FAILED"] } } }
            }
        }
    }))
});

fn digests(bytes: &[u8]) -> Value {
    let sha256: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    json!({ "sha256": sha256, "blake3": blake3::hash(bytes).to_string() })
}

fn fixture(log: &str) -> Vec<u8> {
    fs::read(fixtures().join(log)).expect("the fixture is there")
}

/// A statement that does not fit the specifications fails the check.
#[test]
fn invalid_statements_fail_the_check() {
    let good = statement(&[VERIFIED]);
    for (pointer, value) in [
        ("/_type", json!("https://in-toto.io/Statement/v0.1")),
        ("/subject", json!([])),
        ("/subject/0/digest", json!({})),
        ("/subject/0/digest/sha256", json!("5afb")),
        ("/predicateType", json!("")),
        ("/predicate/timeVerified", json!("yesterday")),
        ("/predicate/verifiedLevels", json!("SHIPPER_GATE_VERIFIED")),
        ("/predicate/verifiedLevels", json!(["FAILED"])),
        ("/predicate/inputAttestations/0/digest", json!({})),
        ("/predicate/policy", json!(null)),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(pointer).expect("it is there") = value;
        assert!(!SCHEMA.is_valid(&bad), "{pointer}");
    }
}

/// In the ten cases, the result is PASSED only for a verified log, the exit status is that of the conclusion, and the
/// digests are those of the complete lines.
#[test]
fn statements_of_the_ten_cases() {
    let mut results = Vec::new();
    for (case, args) in TEN {
        let log = format!("real/{case}/events.jsonl");
        let args = [args, &[log.as_str()]].concat();
        results.push(checked_result(&log, &args));
    }
    results.sort_unstable();
    results.dedup();
    assert_eq!(results, ["FAILED", "PASSED"], "both are tried");
}

/// The same holds for every fixture.
#[test]
fn statements_of_every_fixture() {
    let mut count = 0;
    for class in ["real", "damaged", "recorded"] {
        for entry in fs::read_dir(fixtures().join(class)).expect("the fixtures are there") {
            let name = entry.expect("it can be listed").file_name().into_string().expect("UTF-8");
            let log = format!("{class}/{name}/events.jsonl");
            if fixtures().join(&log).exists() {
                checked_result(&log, &[&log]);
                count += 1;
            }
        }
    }
    assert!(count > 50, "{count} logs");
}

/// Compares a statement with the JSON report and with the file, and returns its result.
fn checked_result(log: &str, args: &[&str]) -> String {
    let report = report(args);
    let judged = &report["logs"][0];
    let output = run(args);
    assert_eq!(i64::from(output.status.code().expect("a status")), report["exit_code"], "{log}");
    let statement = read(&output);
    let bytes = usize::try_from(judged["bytes"].as_u64().expect("a number")).expect("it fits");
    let subject = &statement["subject"][0];
    assert_eq!(subject["digest"], digests(&fixture(log)[..bytes]), "{log}");
    assert_eq!(subject["digest"]["blake3"], judged["blake3"], "{log}");
    assert_eq!(subject["name"], log);
    let whole = bytes == fixture(log).len();
    assert_eq!(subject["annotations"]["shipper_extent"], if whole { "whole" } else { "prefix" }, "{log}");
    let predicate = &statement["predicate"];
    assert_eq!(predicate["inputAttestations"][0]["digest"], subject["digest"], "{log}");
    let passed = judged["conclusion"] == "verified";
    assert_eq!(predicate["verificationResult"], if passed { "PASSED" } else { "FAILED" }, "{log}");
    assert_eq!(predicate["pkg:cargo/shipper-replay"]["conclusion"], judged["conclusion"], "{log}");
    predicate["verificationResult"].as_str().expect("a text").to_owned()
}

/// The SHA-256 equals the output of `sha256sum`.
#[test]
fn sha256_equals_sha256sum() {
    let sha256 = "5afbb1f8476e147560407cf087e82fef2dd029e436c7b1776ccdf0531a4ee7da";
    assert_eq!(statement(&[VERIFIED])["subject"][0]["digest"]["sha256"], sha256);
}

/// Statements of a verified and of a violated log.
#[test]
fn statement_snapshots() {
    for (name, args) in [
        ("verified", &["--registry", "rehearsal", VERIFIED][..]),
        ("violated", &["real/tampered-sidecar/events.jsonl"]),
    ] {
        let output = run(args);
        read(&output);
        // Indented JSON is easier to compare than one line.
        let lines = seen(&output).replace(",\"", ",\n\"").replace(env!("CARGO_PKG_VERSION"), "[version]");
        insta::assert_snapshot!(name, lines);
    }
}

/// The same bytes and options give the same statement, from a file and from a stream.
#[test]
fn output_is_deterministic() {
    assert_eq!(run(&[VERIFIED]).stdout, run(&[VERIFIED]).stdout);
    let bytes = fixture(VERIFIED);
    let args = ["--format", "vsa", "--time", TIME, "--no-sidecar"];
    let mut file = read(&replay(&[&args[..], &[VERIFIED]].concat()));
    let stream = read(&replay_stdin(&[&args[..], &["--resource-uri", VERIFIED, "-"]].concat(), &bytes));
    assert_eq!(stream["subject"][0]["name"], "_", "the path - means nothing to others");
    file["subject"][0]["name"] = json!("_");
    assert_eq!(file, stream);
}

/// The time comes from `--time`, else from SOURCE_DATE_EPOCH, else from the clock, in UTC.
#[test]
fn time_option_precedes_source_date_epoch_and_now() {
    let time = |args: &[&str], epoch: Option<&str>| {
        let mut command = program(&[&["--format", "vsa", VERIFIED], args].concat());
        command.env_remove("SOURCE_DATE_EPOCH").envs(epoch.map(|epoch| ("SOURCE_DATE_EPOCH", epoch)));
        read(&command.output().expect("the program starts"))["predicate"]["timeVerified"].clone()
    };
    assert_eq!(time(&["--time", TIME], Some("0")), TIME);
    assert_eq!(time(&["--time", TIME], Some("nonsense")), TIME, "it is not looked at");
    assert_eq!(time(&["--time", "2026-11-23T12:00:00.5+01:00"], None), "2026-11-23T11:00:00.5Z");
    assert_eq!(time(&[], Some("0")), "1970-01-01T00:00:00Z");
    assert_eq!(time(&[], Some("1795435200")), "2026-11-23T12:00:00Z");
    let now = time(&[], None);
    let now: shipper_events::Timestamp = now.as_str().expect("a text").parse().expect("a time");
    let began = fs::metadata(env!("CARGO_BIN_EXE_shipper-replay")).expect("the program").modified().expect("a time");
    assert!(
        now.instant() > time::OffsetDateTime::from(began) - time::Duration::SECOND,
        "later than the program was built"
    );
}

/// A time that is invalid, or that RFC 3339 cannot express in UTC, is rejected.
#[test]
fn invalid_times_are_rejected() {
    for (args, epoch) in [
        (&["--time", "2026-11-23"][..], None),
        (&["--time", ""], None),
        (&["--time", "9999-12-31T23:59:59-01:00"], None),
        (&["--time", "0000-01-01T00:00:00+01:00"], None),
        (&[], Some("")),
        (&[], Some("-1")),
        (&[], Some("+1")),
        (&[], Some(" 1")),
        (&[], Some("1.5")),
        (&[], Some("2026-11-23T12:00:00Z")),
        (&[], Some("253402300800")),
        (&[], Some("99999999999999999999")),
    ] {
        let mut command = program(&[&["--format", "vsa", VERIFIED], args].concat());
        command.env_remove("SOURCE_DATE_EPOCH").envs(epoch.map(|epoch| ("SOURCE_DATE_EPOCH", epoch)));
        refused(&command.output().expect("the program starts"), "time");
    }
    // An invalid time is no error without a statement.
    let output = program(&[VERIFIED]).env("SOURCE_DATE_EPOCH", "nonsense").output().expect("it starts");
    assert_eq!(output.status.code(), Some(0));
}

/// Asserts status 2, no standard output, and a message with this word.
fn refused(output: &Output, word: &str) {
    assert_eq!(output.status.code(), Some(2), "{}", seen(output));
    assert!(output.stdout.is_empty(), "{}", seen(output));
    assert!(String::from_utf8_lossy(&output.stderr).contains(word), "{word}: {}", seen(output));
}

/// A statement needs exactly one readable log.
#[test]
fn exactly_one_readable_log_is_required() {
    for (args, word) in [
        (&["nowhere.jsonl"][..], "nowhere.jsonl"),
        (&[VERIFIED, CHAINED], "exactly one log"),
        (&["real"], "exactly one log"),
        (&["real/../../docs"], "exactly one log"),
    ] {
        refused(&run(args), word);
    }
}

/// Options of a statement without a statement, and values that are no URI, are usage errors.
#[test]
fn statement_options_require_the_vsa_format() {
    for (args, word) in [
        (&["--time", TIME][..], "--time requires --format vsa"),
        (&["--resource-uri", "a"], "--resource-uri requires --format vsa"),
        (&["--verifier-id", "urn:x:y", "--format", "json"], "--verifier-id requires --format vsa"),
        (&["--follow", "--time", TIME], "--follow"),
        (&["--format", "vsa", "--resource-uri", "a b"], "percent-encode"),
        (&["--format", "vsa", "--resource-uri", ""], "--resource-uri"),
        (&["--format", "vsa", "--resource-uri", "https://example.com/\u{202e}"], "--resource-uri"),
        (&["--format", "vsa", "--resource-uri", "%zz"], "percent-encode"),
        (&["--format", "vsa", "--resource-uri", "HTTPS://example.com/"], "lower case"),
        (&["--format", "vsa", "--verifier-id", "https://Example.com/"], "lower case"),
        (&["--format", "vsa", "--verifier-id", "us"], "expected a URI"),
        (&["--format", "vsa", "--verifier-id", "urn:<x>"], "expected a URI"),
        (
            &["--format", "vsa", "--require", "authorized", "--plan-id", "p", "--registry", "r"],
            "leave out --require or --format vsa",
        ),
    ] {
        refused(&replay(&[args, &[VERIFIED]].concat()), word);
    }
}

/// Options name the verifier and the resource.
#[test]
fn verifier_and_resource_can_be_named() {
    let (verifier, resource) = ("https://ci.example.com/verifier", "https://example.com/releases/1.4.0/events.jsonl");
    let own = statement(&["--verifier-id", verifier, "--resource-uri", resource, VERIFIED]);
    assert_eq!(own["predicate"]["verifier"]["id"], verifier);
    assert_eq!(own["predicate"]["resourceUri"], resource);
    assert_eq!(own["predicate"]["inputAttestations"][0]["uri"], resource);
    for uri in ["https://example.com/Log?run=7", "urn:uuid:F81D4FAE-7DEC-11D0"] {
        let own = statement(&["--verifier-id", uri, "--resource-uri", uri, VERIFIED]);
        assert_eq!((&own["predicate"]["verifier"]["id"], &own["predicate"]["resourceUri"]), (&uri.into(), &uri.into()));
    }
    let relative = "releases/1.0/events.jsonl";
    assert_eq!(statement(&["--resource-uri", relative, VERIFIED])["predicate"]["resourceUri"], relative);
    let usual = statement(&[VERIFIED]);
    assert_eq!(usual["predicate"]["verifier"]["id"], "pkg:cargo/shipper-replay");
    assert_eq!(usual["predicate"]["resourceUri"], VERIFIED, "the path as given");
    let absolute = fixtures().join(VERIFIED).to_str().expect("UTF-8").to_owned();
    let doubled = statement(&[&format!("/{absolute}")])["predicate"]["resourceUri"].clone();
    assert_eq!(doubled, format!("/./{absolute}"), "a path that begins with two slashes names no host");
}

fn levels(args: &[&str]) -> Value {
    statement(args)["predicate"]["verifiedLevels"].clone()
}

/// Each check has a level, and an option that restricts the audit changes its name.
#[test]
fn levels_name_the_checks() {
    let plan = report(&[CHAINED])["logs"][0]["receipt"]["plan_id"].as_str().expect("a plan").to_owned();
    let head = report(&["--at", "3", CHAINED]);
    let head = &head["logs"][0];
    let head = format!("3:{}:{}", head["bytes"], head["blake3"].as_str().expect("a hash"));
    let empty = format!("0:0:{}", blake3::hash(b""));
    assert_eq!(levels(&["--no-sidecar", VERIFIED]), json!(["SHIPPER_GATE_VERIFIED"]));
    assert_eq!(levels(&[VERIFIED]), json!(["SHIPPER_GATE_VERIFIED", "SHIPPER_SIDECAR_MATCHED"]));
    assert_eq!(levels(&[CHAINED]), json!(["SHIPPER_GATE_VERIFIED", "SHIPPER_LOG_CHAINED"]));
    assert_eq!(
        levels(&["--registry", "rehearsal", "--extends", &head, "--strict", CHAINED]),
        json!([
            "SHIPPER_GATE_VERIFIED",
            "SHIPPER_REGISTRY_DEMANDED",
            "SHIPPER_HEAD_EXTENDED",
            "SHIPPER_LOG_CHAINED",
            "SHIPPER_STRICT"
        ])
    );
    assert_eq!(levels(&["--plan-id", &plan, CHAINED])[0], "SHIPPER_PLAN_VERIFIED");
    assert_eq!(levels(&["--since", &empty, CHAINED])[0], "SHIPPER_GATE_VERIFIED_SINCE");
    assert_eq!(levels(&["--since", &empty, "--plan-id", &plan, CHAINED])[0], "SHIPPER_PLAN_VERIFIED_SINCE");
}

/// A check that fails has no level, and a log that is not verified has none at all.
#[test]
fn unverified_log_has_no_levels() {
    let failed = json!(["FAILED"]);
    for args in [
        &["real/skip/events.jsonl"][..],
        &["recorded/newer-rules/events.jsonl"],
        &["damaged/empty/events.jsonl"],
        &["damaged/torn-tail/events.jsonl"],
        &["--registry", "another", VERIFIED],
        &["--plan-id", "unrehearsed", VERIFIED],
        &["--extends", &format!("1:1:{}", "0".repeat(64)), VERIFIED],
    ] {
        assert_eq!(levels(args), failed, "{args:?}");
    }
    // The whole log extends the head, but the judged part ends before the head.
    let head = report(&[CHAINED]);
    let head = &head["logs"][0];
    let head = format!("{}:{}:{}", head["lines"], head["bytes"], head["blake3"].as_str().expect("a hash"));
    let lines = head.split(':').next().expect("a number").parse::<u64>().expect("a number");
    assert!(levels(&["--extends", &head, CHAINED]).to_string().contains("SHIPPER_HEAD_EXTENDED"));
    let before = format!("{}", lines - 1);
    assert_eq!(levels(&["--extends", &head, "--at", &before, CHAINED])[0], "SHIPPER_GATE_VERIFIED");
    assert!(!levels(&["--extends", &head, "--at", &before, CHAINED]).to_string().contains("SHIPPER_HEAD_EXTENDED"));
}

/// With `--at`, the digests are those of the lines up to the position, also of a stream.
#[test]
fn at_option_limits_the_digests() {
    let bytes = fixture(VERIFIED);
    let end = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').nth(9).expect("ten lines").0 + 1;
    let prefix = digests(&bytes[..end]);
    let file = statement(&["--at", "10", VERIFIED]);
    let stream = read(&replay_stdin(&["--format", "vsa", "--time", TIME, "--at", "10", "-"], &bytes));
    for subject in [&file["subject"][0], &stream["subject"][0]] {
        assert_eq!(subject["digest"], prefix);
        assert_eq!(subject["annotations"]["shipper_extent"], "prefix");
        let head = format!("10:{end}:{}", prefix["blake3"].as_str().expect("a hash"));
        assert_eq!(subject["annotations"]["shipper_head"], head);
    }
    let stamped = serde_json::from_slice::<Value>(bytes[..end].split(|byte| *byte == b'\n').nth(9).expect("a line"));
    let stamped = stamped.expect("an event")["timestamp"].as_str().expect("a time").to_owned();
    let args = ["--format", "vsa", "--time", TIME, "--at", &stamped, "-"];
    assert_eq!(read(&replay_stdin(&args, &bytes))["subject"][0]["digest"], prefix);
}

/// A torn tail is in no digest, and the statement names it.
#[test]
fn torn_tail_is_in_no_digest() {
    let log = "damaged/torn-tail/events.jsonl";
    let bytes = fixture(log);
    let lines = bytes.iter().rposition(|byte| *byte == b'\n').expect("a line") + 1;
    assert!(lines < bytes.len());
    let torn = statement(&[log]);
    assert_eq!(torn["subject"][0]["digest"], digests(&bytes[..lines]));
    assert_eq!(torn["subject"][0]["annotations"]["shipper_extent"], "prefix");
    assert_eq!(torn["predicate"]["pkg:cargo/shipper-replay"]["tail"], "torn");
}

/// A compared sidecar is an input of the statement, and no other sidecar is.
#[test]
fn compared_sidecar_is_an_input() {
    let inputs = |args: &[&str]| statement(args)["predicate"]["inputAttestations"].as_array().expect("a list").clone();
    let log = json!({ "uri": VERIFIED, "digest": digests(&fixture(VERIFIED)) });
    let sidecar = "real/pass-3crate/rehearsal.json";
    let other = "real/fail-2of3/rehearsal.json";
    let as_input = |path: &str| json!({ "uri": path, "digest": digests(&fixture(path)) });
    assert_eq!(inputs(&[VERIFIED]), [log.clone(), as_input(sidecar)]);
    assert_eq!(inputs(&["--sidecar", other, VERIFIED]), [log.clone(), as_input(other)]);
    assert_eq!(inputs(&["--no-sidecar", VERIFIED]), [log]);
    assert_eq!(inputs(&[CHAINED]).len(), 1, "there is none");
    assert_eq!(inputs(&["damaged/wrong-kind/events.jsonl"]).len(), 1, "the judging ended before it was compared");
}

/// An oversized sidecar is read up to a limit, and its digests are marked as those of a prefix.
#[test]
fn oversized_sidecar_is_digested_by_its_beginning() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("rehearsal.json");
    let bytes = vec![b' '; shipper_events::MAX_LINE_LEN + 2];
    fs::write(&path, &bytes).expect("it can be written");
    let issued = statement(&["--sidecar", path.to_str().expect("UTF-8"), VERIFIED]);
    let input = &issued["predicate"]["inputAttestations"][1];
    assert_eq!(input["digest"], digests(&bytes[..=shipper_events::MAX_LINE_LEN]));
    assert_eq!(input["annotations"]["shipper_extent"], "prefix");
}

/// The policy is the audit options, and its digest is that of their compact JSON.
#[test]
fn policy_digest_is_that_of_its_json() {
    let policy = |args: &[&str]| statement(args)["predicate"]["policy"].clone();
    let sha256 = |text: &str| digests(text.as_bytes())["sha256"].clone();
    let usual = policy(&[VERIFIED]);
    assert_eq!(usual["uri"], "pkg:cargo/shipper-replay#rules/1");
    let text = r#"{"rules":1,"registry":null,"plan_id":null,"extends":null,"since":null,"strict":false}"#;
    assert_eq!(usual["digest"]["sha256"], sha256(text));
    assert_eq!(usual["annotations"]["shipper_policy"], serde_json::from_str::<Value>(text).expect("JSON"));
    let head = format!("0:0:{}", blake3::hash(b""));
    let all =
        policy(&["--registry", "ü\n", "--plan-id", "p", "--extends", &head, "--since", &head, "--strict", VERIFIED]);
    let text =
        format!(r#"{{"rules":1,"registry":"ü\n","plan_id":"p","extends":"{head}","since":"{head}","strict":true}}"#);
    assert_eq!(all["digest"]["sha256"], sha256(&text));
    assert_eq!(all["annotations"]["shipper_policy"], serde_json::from_str::<Value>(&text).expect("JSON"));
    let accepting = policy(&["--accept", "no-decision,dormant", "--acknowledge-earlier", &head, VERIFIED]);
    let rest = format!(r#""strict":false,"accept":["dormant","no-decision"],"acknowledge_earlier":"{head}"}}"#);
    let text = format!(r#"{{"rules":1,"registry":null,"plan_id":null,"extends":null,"since":null,{rest}"#);
    assert_eq!(accepting["digest"]["sha256"], sha256(&text));
    assert_eq!(accepting["annotations"]["shipper_policy"], serde_json::from_str::<Value>(&text).expect("JSON"));
}

/// Hostile names are kept and escaped: `read` checks every character of a statement.
#[cfg(unix)]
#[test]
fn hostile_names_are_escaped() {
    let directory = tempfile::tempdir().expect("a directory");
    let hostile = "\u{1b}[31m \u{202e}\"<script>`$(x)` #?%\n";
    let path = directory.path().join(hostile);
    fs::write(&path, fixture(VERIFIED)).expect("it can be written");
    let path = path.to_str().expect("UTF-8");
    let issued = statement(&["--registry", hostile, "--plan-id", hostile, path]);
    assert_eq!(issued["subject"][0]["name"], path);
    let uri = issued["predicate"]["resourceUri"].as_str().expect("a text");
    assert!(uri.ends_with("/%1B%5B31m%20%E2%80%AE%22%3Cscript%3E%60$(x)%60%20%23%3F%25%0A"), "{uri}");
    assert_eq!(issued["predicate"]["policy"]["annotations"]["shipper_policy"]["registry"], hostile);
    let inside = statement(&["damaged/hostile-text/events.jsonl"]);
    assert_eq!(inside["subject"][0]["digest"], digests(&fixture("damaged/hostile-text/events.jsonl")));
}
