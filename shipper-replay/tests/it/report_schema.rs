//! `docs/report.schema.json` describes the JSON report for other programs. Every report is valid, and any other
//! structure is invalid, so that code that is generated from the schema fits the reports.

use std::fs;
use std::path::PathBuf;

use crate::support::json_schema::Validator;
use crate::support::{cases, replay, replay_stdin, report};
use serde::Serialize;
use serde_json::{Value, json};
use shipper_core::audit::{
    AcceptedCause, Conclusion, DecisionStatus, FindingCode, Integrity, Level, RegistrySource, RehearsalStatus,
    RequiredVerdict, Schema, SidecarStatus, TailStatus, UnprovenCause,
};
use shipper_core::fold::{Evidence, EvidenceFlaw};
use shipper_core::{RefusalCode, VerdictKind};

/// The published schema.
fn schema() -> Value {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/report.schema.json");
    serde_json::from_slice(&fs::read(path).expect("the schema")).expect("JSON")
}

fn validator() -> Validator {
    Validator::new(schema())
}

/// Returns the validator for a line of a report in ndjson.
fn of_line() -> Validator {
    let mut schema = schema();
    let root = schema.as_object_mut().expect("an object");
    root.retain(|name, _| name.starts_with('$'));
    root.insert("$ref".to_owned(), json!("#/$defs/ndjson_line"));
    Validator::new(schema)
}

#[track_caller]
fn assert_valid(validator: &Validator, value: &Value, what: &str) {
    assert_eq!(validator.check(value), Ok(()), "{what}");
}

/// Returns the path of a fixture's log.
fn log(case: &str) -> String {
    format!("{case}/events.jsonl")
}

/// A plan that the fixture `real/pass-3crate` rehearses.
const PLAN: &str = "4f6e939d0470c7d75a6f992888a6728cbc872a2bd5f424ae73aad6e567fc902a";

/// The head of no line, which every log extends.
const NOTHING: &str = "0:0:af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262";

/// The same with SHA-256.
const NOTHING_SHA256: &str = "0:0:sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// Reports on every fixture with every kind of option.
#[test]
fn every_report_matches_the_schema() {
    let validator = validator();
    let mut reports = 0;
    for case in cases() {
        for args in [
            &[][..],
            &["--registry", "rehearsal"],
            &["--strict"],
            &["--plan-id", PLAN],
            &["--timeline"],
            &["--at", "0"],
            &["--at", "2026-11-23T08:12:27Z", "--timeline"],
            &["--extends", NOTHING],
            &["--since", NOTHING],
            &["--no-sidecar"],
            &["--require", "authorized", "--plan-id", PLAN, "--registry", "rehearsal"],
            &["--accept", "dormant,bypassed,unrecorded,no-decision", "--acknowledge-earlier", NOTHING],
            &["--extends", NOTHING_SHA256, "--require", "sealed"],
        ] {
            let log = log(&case);
            assert_valid(&validator, &report(&[args, &[&log]].concat()), &format!("{args:?} {log}"));
            reports += 1;
        }
    }
    assert!(reports > 500, "{reports} reports");
}

/// Reports on many logs at once, unreadable logs, a directory without logs, and standard input.
#[test]
fn reports_on_other_inputs_match_the_schema() {
    let validator = validator();
    let empty = tempfile::tempdir().expect("a directory");
    let empty = empty.path().to_str().expect("UTF-8");
    for args in [
        &["real", "damaged", "recorded"][..],
        &["nowhere.jsonl"],
        &["README.md"],
        &[empty],
        &[empty, "nowhere.jsonl", "real/skip"],
        &["-"],
        &["packets"],
        &["--timeline", "real/large-200/events.jsonl"],
        &["--sidecar", "real/skip-over-failed/rehearsal.json", "real/pass-3crate/events.jsonl"],
        &["--at", "6", "--sidecar", "README.md", "real/pass-3crate/events.jsonl"],
    ] {
        assert_valid(&validator, &report(args), &format!("{args:?}"));
    }
}

/// The reports that the tests below damage. Together they have every member.
fn samples() -> Vec<Value> {
    let samples = [
        &["--timeline", "recorded/refused-and-published/events.jsonl"][..],
        &["--timeline", "recorded/bypassed/events.jsonl", "nowhere.jsonl"],
        &["real/tampered-sidecar/events.jsonl"],
        &["real/concurrent-rehearse-one-fails/events.jsonl"],
        &["--require", "authorized", "--plan-id", PLAN, "--registry", "rehearsal", "real/pass-3crate/events.jsonl"],
        &["--extends", NOTHING, "--since", NOTHING, "--at", "3", "recorded/adopted/events.jsonl"],
        &["--accept", "no-decision", "--acknowledge-earlier", NOTHING, "recorded/authorized/events.jsonl"],
        &["--require", "sealed", "--since", NOTHING_SHA256, "recorded/authorized/events.jsonl"],
    ];
    samples.iter().map(|args| report(args)).collect()
}

/// Returns the JSON pointers to every value in a value.
fn places(value: &Value) -> Vec<String> {
    fn below(value: &Value, at: &str, places: &mut Vec<String>) {
        places.push(at.to_owned());
        match value {
            Value::Object(members) => {
                members.iter().for_each(|(name, value)| below(value, &format!("{at}/{name}"), places));
            }
            Value::Array(items) => {
                items.iter().enumerate().for_each(|(index, value)| below(value, &format!("{at}/{index}"), places));
            }
            _ => {}
        }
    }
    let mut places_found = Vec::new();
    below(value, "", &mut places_found);
    places_found
}

fn at<'v>(value: &'v mut Value, place: &str) -> &'v mut Value {
    value.pointer_mut(place).expect("it is there")
}

/// A report without a required member, at any position, is rejected.
#[test]
fn missing_member_is_rejected() {
    let validator = validator();
    let mut damaged = 0;
    for sample in samples() {
        for place in places(&sample) {
            let names: Vec<String> = match sample.pointer(&place) {
                Some(Value::Object(members)) => members.keys().cloned().collect(),
                _ => Vec::new(),
            };
            // A member for an option that was not given is missing.
            let with_timeline = names.iter().any(|name| name == "timeline");
            let optional = [
                "timeline",
                "rehearsals",
                "require",
                "require_sealed",
                "head_signer",
                "accept",
                "acknowledge_earlier",
                "acknowledged",
                "runs_after_failure",
                "continues",
                "packet",
                "index",
            ];
            let is_optional = |name: &str| optional.contains(&name) || name == "runs" && with_timeline;
            for name in names.iter().filter(|name| !is_optional(name)) {
                let mut report = sample.clone();
                at(&mut report, &place).as_object_mut().expect("an object").remove(name);
                assert!(!validator.is_valid(&report), "without {place}/{name}");
                damaged += 1;
            }
        }
    }
    assert!(damaged > 500, "{damaged} reports");
}

/// A report with an unknown member, at any position, is rejected.
#[test]
fn unknown_member_is_rejected() {
    let validator = validator();
    let mut damaged = 0;
    for sample in samples() {
        for place in places(&sample) {
            let mut report = sample.clone();
            if let Value::Object(members) = at(&mut report, &place) {
                members.insert("new".to_owned(), json!(null));
                assert!(!validator.is_valid(&report), "with {place}/new");
                damaged += 1;
            }
        }
    }
    assert!(damaged > 100, "{damaged} reports");
}

/// A report with a value of another type, at any position, is rejected.
#[test]
fn value_of_another_type_is_rejected() {
    let validator = validator();
    for sample in samples() {
        for place in places(&sample) {
            for other in [json!({ "kind": "another" }), json!([[]]), json!(0.5)] {
                let mut report = sample.clone();
                *at(&mut report, &place) = other.clone();
                assert!(!validator.is_valid(&report), "{place} is {other}");
            }
        }
    }
}

/// A report with an unknown word, at any position with a closed vocabulary, is rejected.
#[test]
fn unknown_word_is_rejected() {
    let validator = validator();
    let words = |place: &str| {
        let steps: Vec<&str> = place.split('/').filter(|step| step.parse::<usize>().is_err()).collect();
        match steps.last() {
            Some(&("verdict" | "reasons")) => !steps.contains(&"recorded"),
            Some(last) => [
                "schema",
                "conclusion",
                "require",
                "accept",
                "acknowledge_earlier",
                "integrity",
                "tail",
                "evidence",
                "unsound",
                "registry_source",
                "status",
                "because",
                "code",
                "level",
                "field",
                "blake3",
                "extends",
                "since",
                "timestamp",
                "started_at",
                "completed_at",
            ]
            .contains(last),
            None => false,
        }
    };
    let mut seen = std::collections::BTreeSet::new();
    for sample in samples() {
        for place in places(&sample) {
            if words(&place) && sample.pointer(&place).is_some_and(Value::is_string) {
                let mut report = sample.clone();
                *at(&mut report, &place) = json!("whatever");
                assert!(!validator.is_valid(&report), "{place} is an unknown word");
                seen.extend(place.rsplit('/').find(|step| step.parse::<usize>().is_err()).map(ToOwned::to_owned));
            }
        }
    }
    assert_eq!(seen.len(), 23, "every kind of word was tried: {seen:?}");
}

/// The exit status is that of the conclusion, unless a verdict is required.
#[test]
fn the_exit_status_is_that_of_the_conclusion() {
    let validator = validator();
    let mut verified = report(&["real/pass-3crate/events.jsonl"]);
    for exit_code in 1..=4 {
        verified["exit_code"] = json!(exit_code);
        assert!(!validator.is_valid(&verified), "verified and {exit_code}");
    }
    verified["demand"]["require"] = json!("authorized");
    verified["exit_code"] = json!(1);
    assert_valid(&validator, &verified, "verified, and the gate would refuse now");
    let mut inconclusive = report(&["real/dormant/events.jsonl"]);
    inconclusive["exit_code"] = json!(0);
    assert!(!validator.is_valid(&inconclusive), "0 without an accepted cause");
    inconclusive["demand"]["accept"] = json!(["unrecorded"]);
    assert_valid(&validator, &inconclusive, "the cause is accepted");
    inconclusive["exit_code"] = json!(1);
    assert!(!validator.is_valid(&inconclusive), "no accepted cause is a violation");
    for accept in [json!([]), json!(["dormant", "dormant"])] {
        inconclusive["demand"]["accept"] = accept;
        inconclusive["exit_code"] = json!(3);
        assert!(!validator.is_valid(&inconclusive), "neither empty nor repeated causes");
    }
}

/// Every line of the ndjson output is valid, including a summary with duplicates, conflicts and copies. A whole report
/// is no valid line.
#[test]
fn ndjson_lines_match_the_schema() {
    let validator = of_line();
    let logs = ["real", "damaged", "recorded", "nowhere.jsonl", "real/skip/events.jsonl"];
    let output = replay(&[&["--format", "ndjson"], &logs[..]].concat());
    let printed = String::from_utf8(output.stdout).expect("UTF-8");
    let lines: Vec<Value> = printed.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    for line in &lines {
        assert_valid(&validator, line, "a line");
    }
    // The same path, audited twice with another outcome.
    let mut other = lines[0].clone();
    other["path"] = lines[1]["path"].clone();
    let parts = [lines[1].clone(), other].map(|log| {
        let one = |word: &str| usize::from(log["conclusion"] == word);
        let counts = json!({
            "violated": one("violated"), "unjudged": one("unjudged"),
            "inconclusive": one("inconclusive"), "verified": one("verified")
        });
        let mut summary = lines.last().expect("a summary").clone();
        summary["summary"]["logs"] = 1.into();
        summary["summary"]["counts"] = counts;
        summary["summary"]["duplicates"] = json!([]);
        summary["summary"]["copies"] = json!([]);
        summary["summary"]["conclusion"] = log["conclusion"].clone();
        summary["summary"]["exit_code"] = match log["conclusion"].as_str() {
            Some("verified") => 0.into(),
            Some("violated") => 1.into(),
            Some("unjudged") => 2.into(),
            _ => 3.into(),
        };
        format!("{log}\n{summary}\n")
    });
    let merged = replay_stdin(&["--merge", "--format", "ndjson", "-"], parts.concat().as_bytes());
    let merged = String::from_utf8(merged.stdout).expect("UTF-8");
    let summary: Value = serde_json::from_str(merged.lines().last().expect("a summary")).expect("JSON");
    assert_valid(&validator, &summary, "the merged summary");
    assert_eq!(summary["summary"]["conflicts"][0]["logs"], 2);
    let merged_summary = &lines.last().expect("a summary")["summary"];
    assert_eq!(merged_summary["duplicates"][0]["path"], "real/skip/events.jsonl");
    assert!(!validator.is_valid(&report(&["real"])), "a whole report");
    assert!(!validator.is_valid(&json!({})), "nothing");
}

/// The words of an enum in a report. A new variant that is not listed here does not compile.
macro_rules! words {
    ($Enum:ident: $($Variant:ident)*) => {{
        let _: fn($Enum) = |word| match word {
            $($Enum::$Variant => {})*
        };
        [$(word($Enum::$Variant)),*].to_vec()
    }};
}

fn word(value: impl Serialize) -> Value {
    serde_json::to_value(value).expect("JSON")
}

/// The schema has exactly the words of the code, in the same order.
#[test]
fn schema_lists_exactly_the_words_of_the_code() {
    let schema = schema();
    let listed = |pointer: &str| schema.pointer(pointer).and_then(Value::as_array).cloned().expect("a list of words");
    let of = |name: &str| listed(&format!("/$defs/{name}/enum"));
    let member = |name: &str, member: &str| listed(&format!("/$defs/{name}/properties/{member}/enum"));
    let codes: Vec<Value> = FindingCode::ALL.iter().map(word).collect();
    assert_eq!(of("code"), codes);
    assert_eq!(of("level"), words!(Level: Error Warning Note));
    assert_eq!(of("conclusion"), words!(Conclusion: Violated Unjudged Inconclusive Verified));
    assert_eq!(of("verdict"), words!(VerdictKind: Dormant Bypassed Refused Authorized));
    let reasons = words!(RefusalCode: NoRehearsal StalePlan RegistryMismatch RehearsalFailed UnsoundEvidence
        UnknownGateEvent UntrustedLog);
    assert_eq!(listed("/$defs/reasons/items/enum"), reasons);
    assert_eq!(of("registry_source"), words!(RegistrySource: Recorded Demanded SelfDeclared));
    assert_eq!(member("judged", "integrity"), words!(Integrity: Broken Unchained Chained PartlyChained));
    assert_eq!(member("judged", "tail"), words!(TailStatus: Clean Torn));
    assert_eq!(of("evidence"), words!(Evidence: Sound Unsound));
    let unsound = words!(EvidenceFlaw: CompletionWithoutStart PackageCountMismatch FailureRecorded DuplicatePackage
        EmptyRehearsal FailureAfterCompletion);
    assert_eq!(listed("/$defs/unsound/items/enum"), unsound);
    let statuses = words!(DecisionStatus: Violated Unjudged Unproven Permitted Verified Authorized Refused);
    assert_eq!(member("decision", "status"), statuses);
    let because = words!(UnprovenCause: Dormant Bypassed Unrecorded);
    assert_eq!(listed("/$defs/decision/properties/because/anyOf/0/enum"), because);
    let sidecar = words!(SidecarStatus: NotChecked Absent Unreadable Orphan Unsupported Match Behind Drift);
    assert_eq!(member("sidecar", "status"), sidecar);
    assert_eq!(member("rehearsal", "status"), words!(RehearsalStatus: Passed Failed Unsound Abandoned Open));
    assert_eq!(member("demand", "require"), words!(RequiredVerdict: Authorized));
    let accepted = words!(AcceptedCause: Dormant Bypassed Unrecorded NoDecision);
    assert_eq!(listed("/$defs/demand/properties/accept/items/enum"), accepted);
    assert_eq!(schema.pointer("/properties/schema/const"), words!(Schema: V1).first());
}
