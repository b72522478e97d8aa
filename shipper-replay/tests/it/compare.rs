//! `--compare` answers whether two files are the same log, with an exit status that a script can use and a text that
//! shows no hostile bytes.

use std::fs;
use std::process::Command;

use serde_json::Value;
use shipper_testkit::program::installed;

use crate::support::json_schema::Validator;
use crate::support::{cases, fixtures, replay, replay_stdin, seen};

const LOG: &str = "real/pass-3crate/events.jsonl";

fn compared(first: &str, second: &str) -> (Option<i32>, Value) {
    let output = replay(&["--compare", "--format", "json", first, second]);
    let json = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    (output.status.code(), json)
}

/// Every fixture is identical to itself, and every comparison matches the schema and the text.
#[test]
fn every_comparison_matches_the_schema() {
    let schema = fs::read(fixtures().join("../docs/compare.schema.json")).expect("the schema");
    let schema = Validator::new(serde_json::from_slice(&schema).expect("JSON"));
    let mut relations = std::collections::BTreeSet::new();
    for case in cases() {
        let log = format!("{case}/events.jsonl");
        for (first, second) in [(&log[..], &log[..]), (LOG, &log)] {
            let (status, json) = compared(first, second);
            assert_eq!(schema.check(&json), Ok(()), "{first} {second}");
            assert_eq!(status.map(Value::from).as_ref(), Some(&json["exit_code"]), "{first} {second}");
            let relation = json["relation"].as_str().expect("a relation").to_owned();
            let [ours, theirs] = [first, second].map(|log| fs::read(fixtures().join(log)).expect("a log"));
            assert_eq!(ours == theirs, relation == "identical", "{first} {second}");
            relations.insert(relation);
        }
    }
    assert!(relations.contains("identical") && relations.contains("different"), "{relations:?}");
}

/// The exit status is 0 for the same content, also if one file is compressed, 3 for a prefix and 1 for a contradiction.
#[test]
fn exit_status_is_that_of_the_relation() {
    let directory = tempfile::tempdir().expect("a directory");
    let log = fs::read(fixtures().join(LOG)).expect("a log");
    let file = |name: &str, bytes: &[u8]| {
        let path = directory.path().join(name);
        fs::write(&path, bytes).expect("it can be written");
        path.to_str().expect("UTF-8").to_owned()
    };
    let grown = file("grown", &[&log[..], b"{\"half"].concat());
    let mut edited = log.clone();
    edited[3000] ^= 1;
    let edited = file("edited", &edited);
    for (first, second, status, relation) in [
        (LOG, &grown[..], 3, "second-extends-first"),
        (&grown, LOG, 3, "first-extends-second"),
        (LOG, &edited, 1, "different"),
    ] {
        let (actual, json) = compared(first, second);
        assert_eq!((actual, json["relation"].as_str()), (Some(status), Some(relation)));
    }
    let text = seen(&replay(&["--compare", LOG, &grown]));
    assert!(
        text.starts_with("Extended: the second log begins with the first log, and adds only an incomplete line."),
        "{text}"
    );
    assert!(text.contains("first:  the log ends\n") && text.contains("second: `{\"half`\n"), "{text}");
    assert_eq!(replay_stdin(&["--compare", "-", LOG], &log).status.code(), Some(0));
    if installed(&["gzip"]) {
        let zipped = Command::new("gzip").args(["-k", "-c"]).arg(fixtures().join(LOG)).output().expect("gzip").stdout;
        let (status, json) = compared(&file("log.gz", &zipped), LOG);
        assert_eq!((status, &json["first"]["compression"]), (Some(0), &"gzip".into()));
        let cut = file("cut.gz", &zipped[..zipped.len() / 2]);
        let output = replay(&["--compare", LOG, &cut]);
        assert_eq!((output.status.code(), &output.stdout[..]), (Some(2), &b""[..]));
        assert!(seen(&output).contains("cut.gz\": the gzip data is truncated"), "{}", seen(&output));
    }
}

/// Text from a log is escaped.
#[test]
fn hostile_text_is_escaped() {
    for format in ["human", "json"] {
        let output = replay(&["--compare", "--format", format, "damaged/hostile-text/events.jsonl", LOG]);
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        let is_safe = |character: char| character == '\n' || shipper_events::is_display_safe(character);
        assert!(text.chars().all(is_safe), "{text}");
    }
}

/// Anything but two logs and a supported format is a usage error.
#[test]
fn other_usage_is_an_error() {
    for (args, text) in [
        (&[LOG][..], "--compare requires exactly two logs, not 1"),
        (&[LOG, LOG, LOG], "--compare requires exactly two logs, not 3"),
        (&["--format", "sarif", LOG, LOG], "--compare requires --format human or json"),
        (&["--strict", LOG, LOG], "cannot be used with"),
        (&[LOG, "nowhere"], "cannot read \"nowhere\""),
        (&["real", LOG], "cannot read \"real\""),
        (&["-", "-"], "standard input (-) was given 2 times"),
        (&[], "required"),
    ] {
        let output = replay(&[&["--compare"], args].concat());
        assert_eq!((output.status.code(), &output.stdout[..]), (Some(2), &b""[..]), "{args:?}");
        assert!(seen(&output).contains(text), "{args:?}: {}", seen(&output));
    }
}
