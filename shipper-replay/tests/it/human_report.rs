//! What a person reads: short, with the lines that prove it, plain about what was not checked, and safe to show. A
//! change here changes what auditors see, so every report is a snapshot that somebody has to look at.

use crate::support::{program, replay, replay_stdin, seen};

/// One snapshot a case: the arguments tell what it is.
macro_rules! snapshots {
    ($($(#[$doc:meta])* $name:ident: $($arg:literal)*;)*) => {
        $(
            $(#[$doc])*
            #[test]
            fn $name() {
                insta::assert_snapshot!(seen(&replay(&[$($arg),*])));
            }
        )*
    };
}

snapshots! {
    /// (Pass) A publish that a passing rehearsal backs.
    verified: "real/pass-3crate/events.jsonl";
    /// (Pass) The same under the registry that the auditor demands.
    verified_on_demand: "--registry" "rehearsal" "real/pass-3crate/events.jsonl";
    /// (Pass) Everything that can be told of it.
    verified_verbose: "-v" "real/pass-3crate/events.jsonl";
    /// (Pass) One line of it.
    verified_quiet: "-q" "real/pass-3crate/events.jsonl";
    /// (Fail) A publish that skipped the gate, recorded nowhere.
    unrecorded_publish: "real/skip/events.jsonl";
    /// (Fail) A publish that skipped the gate, recorded with who and why.
    bypassed_publish: "recorded/bypassed/events.jsonl";
    /// (Fail) A publish on a failed rehearsal.
    failed_rehearsal: "real/skip-over-failed/events.jsonl";
    /// (Fail) A rehearsal on another registry than the demanded one.
    wrong_registry: "--registry" "rehearsal-b" "real/registry-swap/events.jsonl";
    /// (Fail) Two rehearsals at once: the evidence is unsound.
    two_rehearsals_at_once: "real/concurrent-rehearse-one-fails/events.jsonl";
    /// (Fail) The sidecar was edited.
    drifted_sidecar: "real/tampered-sidecar/events.jsonl";
    /// (Fail) The sidecar was written by hand.
    forged_sidecar: "real/forged-sidecar/events.jsonl";
    /// (Fail) A line is corrupt.
    corrupt_line: "real/torn-log-gate/events.jsonl";
    /// (Fail) A name stands twice in a member that nobody reads.
    duplicate_name: "damaged/duplicate-name/events.jsonl";
    /// (Fail) The log ends in the middle of a line.
    torn_tail: "damaged/torn-tail/events.jsonl";
    /// (Fail) A log of no bytes proves nothing.
    empty_file: "damaged/empty/events.jsonl";
    /// (Fail) There is no such file.
    missing_file: "damaged/nowhere/events.jsonl";
    /// (Fail) A directory without logs: nothing was checked.
    directory_without_logs: "--no-sidecar" "../docs";
    /// (Fail) A flag that does not exist.
    bad_flag: "--registri" "rehearsal" "real/pass-3crate/events.jsonl";
    /// (Fail) A registry without a name.
    empty_registry: "--registry" "" "real/pass-3crate/events.jsonl";
    /// (Fail) A line beyond the end.
    line_beyond_the_end: "--at" "39" "real/pass-3crate/events.jsonl";
    /// (Fail) Neither a line nor a time.
    bad_place: "--at" "yesterday" "real/pass-3crate/events.jsonl";
    /// (Fail) A line edited after the gate had folded it.
    edited_line: "recorded/edited-line/events.jsonl";
    /// (Pass) The gate as it stood before the publish.
    before_the_publish: "--at" "6" "real/stale-bump/events.jsonl";
    /// (Fail) Escape codes, forged lines and right-to-left marks in every name.
    hostile_text: "-v" "damaged/hostile-text/events.jsonl";
    /// (Fail) Many logs: one conclusion over all.
    many_logs: "-q" "real/pass-1crate" "damaged/torn-tail/events.jsonl" "recorded";
    /// (Pass) The help.
    help: "--help";
}

/// (Pass) A decision that very many unfinished runs took is told of shortly.
#[test]
fn many_runs_of_a_decision_are_summarized() {
    let log: Vec<String> = std::iter::once(r#"{"type":"gate_evaluated","plan_id":"p","rehearsal_registry":null,"skip":false,"verdict":"dormant","reasons":[],"rules":1,"receipt_line":null,"basis":{"lines":0,"bytes":0,"blake3":"af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"}}"#.to_owned())
        .chain((0..50_000).map(|_| r#"{"type":"plan_created","plan_id":"p","package_count":1,"gate":1}"#.to_owned()))
        .map(|event| format!("{{\"timestamp\":\"2026-11-23T08:00:00Z\",\"event_type\":{event},\"package\":\"all\"}}\n"))
        .collect();
    let output = replay_stdin(&["-"], log.concat().as_bytes());
    let said = seen(&output);
    assert!(said.contains("and 49980 more runs; -v shows them all"), "{said}");
    assert!(said.lines().count() < 400, "{} lines", said.lines().count());
}

/// (Fail) One kept head fits and leaves decisions out, another does not fit: the report says both, and that decisions are
/// left out exactly if the head of `--since` fits.
#[test]
fn matching_and_mismatching_heads_are_both_reported() {
    const LOG: &str = "recorded/authorized/events.jsonl";
    let nothing = format!("0:0:{}", blake3::hash(b""));
    let other = format!("1:5:{}", blake3::hash(b"other"));
    for (args, is_mismatch, left_out) in [
        (&["--since", &nothing][..], false, true),
        (&["--since", &other], true, false),
        (&["--since", &other, "--extends", &nothing], true, false),
        (&["--since", &nothing, "--extends", &other], true, true),
        (&["--since", &other, "--extends", &other], true, false),
    ] {
        let said = seen(&replay(&[args, &[LOG]].concat()));
        assert_eq!(said.contains("error[head-mismatch]"), is_mismatch, "{said}");
        assert_eq!(said.contains("--since leaves it out"), left_out, "{said}");
    }
}

/// (Pass) Colour is for terminals, unless it is asked for.
#[test]
fn colour_is_for_terminals_unless_requested() {
    let colored = replay(&["--color", "always", "real/tampered-sidecar/events.jsonl"]);
    insta::assert_snapshot!(seen(&colored).replace('\u{1b}', "ESC"));
    let piped = seen(&replay(&["real/tampered-sidecar/events.jsonl"]));
    let stripped = anstyle_free(&seen(&colored));
    assert_eq!(piped, stripped, "colour adds nothing but colour");
    let never = seen(&replay(&["--color", "never", "real/tampered-sidecar/events.jsonl"]));
    assert_eq!(piped, never);
    let no_color = program(&["real/tampered-sidecar/events.jsonl"]).env("NO_COLOR", "1").output().expect("it starts");
    assert_eq!(piped, seen(&no_color));
}

/// Takes out what sets colours.
fn anstyle_free(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        plain.push_str(before);
        rest = after.split_once('m').expect("a colour ends").1;
    }
    plain + rest
}

/// (Fail) Nothing that a log holds reaches the terminal raw, in any form of the report.
#[test]
fn hostile_text_never_reaches_the_terminal() {
    let hostile =
        std::fs::read(crate::support::fixtures().join("damaged/hostile-text/events.jsonl")).expect("the fixture");
    for args in
        [&["-v"][..], &["-q"], &[], &["--format", "json"], &["--at", "6"], &["--color", "never", "--strict", "-v"]]
    {
        let from_file = replay(&[args, &["damaged/hostile-text/events.jsonl"]].concat());
        let from_stdin = replay_stdin(&[args, &["-"]].concat(), &hostile);
        for output in [from_file, from_stdin] {
            let text = String::from_utf8([output.stdout, output.stderr].concat()).expect("UTF-8");
            let raw: Vec<char> = text
                .chars()
                .filter(|character| *character != '\n' && !shipper_events::is_display_safe(*character))
                .collect();
            assert!(raw.is_empty(), "{args:?}: {raw:?}");
            assert!(!text.lines().any(|line| line.trim() == "verified: all is well"), "a forged line: {text}");
        }
    }
}
