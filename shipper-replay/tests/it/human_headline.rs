//! The report is read from the top: the first line is a sentence with the conclusion and its reason, a verified log takes at
//! most twelve lines, and of several logs the totals come first and the caveats once. A reader with little time stops there.

use std::fs;

use shipper_events::Head;
use shipper_testkit::log_builder::LogBuilder;

use crate::support::{replay, seen};

fn first_line(args: &[&str]) -> String {
    let output = replay(args);
    seen(&output).lines().next().unwrap_or_default().to_owned()
}

#[test]
fn first_line_is_a_sentence() {
    for (args, sentence) in [
        (&["real/pass-3crate/events.jsonl"][..], "Verified: 1 decision is backed by a passing rehearsal."),
        (
            &["real/tampered-sidecar/events.jsonl"],
            "Violated: 3 packages were published by the run on line 7 although the rehearsal on line 4 failed.",
        ),
        (
            &["--registry", "rehearsal-b", "real/registry-swap/events.jsonl"],
            "Violated: 3 packages were published by the run on line 9 although the rehearsal on line 6 was on another registry.",
        ),
        (
            &["real/log-edited-fail-to-pass/events.jsonl"],
            "Violated: 3 packages were published by the run on line 7 although the evidence of the rehearsal on line 4 is unsound.",
        ),
        (
            &["recorded/refused-and-published/events.jsonl"],
            "Violated: 2 packages were published by the run on line 7 although the gate refused.",
        ),
        (&["recorded/bypassed/events.jsonl"], "Inconclusive: no rehearsal backs 1 decision."),
        (&["damaged/torn-tail/events.jsonl"], "Inconclusive: the log ends in the middle of a line."),
        (&["damaged/empty/events.jsonl"], "Inconclusive: the log contains no decision."),
        (
            &["--plan-id", "p", "real/pass-3crate/events.jsonl"],
            "Inconclusive: the log contains no decision about this plan; a plan_id must be complete.",
        ),
        (
            &["recorded/newer-rules/events.jsonl"],
            "Unjudged: a decision was made under rules that this version does not know.",
        ),
        (
            &["--require", "authorized", "--plan-id", "p", "--registry", "r", "real/pass-3crate/events.jsonl"],
            "Refused (stale-plan): plan p, registry \"r\" (as demanded).",
        ),
    ] {
        assert_eq!(first_line(args), sentence, "{args:?}");
    }
}

/// Integrity comes before decisions, whatever the order of the lines.
#[test]
fn integrity_errors_come_first() {
    let first = first_line(&["recorded/edited-line/events.jsonl"]);
    assert!(first.starts_with("Violated: ") && first.ends_with("(line 5)."), "{first}");
    let output = seen(&replay(&["recorded/edited-line/events.jsonl"]));
    let position = |code: &str| output.find(&format!("error[{code}]")).unwrap_or_else(|| panic!("{code}: {output}"));
    assert!(position("basis-mismatch") < position("verdict-mismatch"), "{output}");
    assert!(position("chain-broken") < position("verdict-mismatch"), "{output}");
}

#[test]
fn verified_log_takes_at_most_twelve_lines() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("events.jsonl");
    let path = path.to_str().expect("UTF-8");
    for decisions in [1, 2, 500] {
        let mut log = LogBuilder::chained();
        let mut heads: Vec<Head> = vec![log.head()];
        for decision in 0..decisions {
            let plan = format!("p{decision}");
            log.pass(&plan, "r").authorized(&plan, "r").publish(&plan);
            heads.push(log.head());
        }
        // The last rehearsal failed, so that the gate refuses now.
        log.fail("next", "r");
        fs::write(path, log.bytes()).expect("a log");
        let (since, extends) = (heads[0].to_string(), heads[heads.len() - 1].to_string());
        for options in [
            &[][..],
            &["--extends", &extends],
            &["--since", &since, "--extends", &extends],
            &["--registry", "r", "--since", &since],
            &["--plan-id", "p0", "--registry", "r"],
        ] {
            let output = replay(&[options, &[path]].concat());
            let text = seen(&output);
            assert_eq!(output.status.code(), Some(0), "{text}");
            // The helper appends the exit status.
            let lines = String::from_utf8(output.stdout).expect("UTF-8").lines().count();
            assert!(lines <= 12, "{decisions} decisions, {options:?}: {lines} lines\n{text}");
            assert_eq!(text.contains("--extends (line"), options.contains(&"--extends"), "it is confirmed: {text}");
            assert_eq!(text.contains("--since (line"), options.contains(&"--since"), "it is confirmed: {text}");
        }
    }
}

#[test]
fn totals_come_first_and_caveats_once() {
    let text = seen(&replay(&["recorded", "real"]));
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("Violated: 35 logs: "), "{text}");
    let of = |word: &str| lines.iter().position(|line| line.contains(word)).unwrap_or_else(|| panic!("{word}: {text}"));
    assert!(of(": violated: ") < of(": unjudged: "), "{text}");
    assert!(of(": unjudged: ") < of(": inconclusive: "), "{text}");
    assert!(of(": inconclusive: ") < of(": verified: "), "{text}");
    assert_eq!(text.matches("unchecked ").count(), 1, "{text}");
    assert!(of("unchecked ") > of(": verified: "), "{text}");
}
