//! The report for people is short, shows the lines that prove it, states what was not checked, and is safe to display.
//! Every report is a snapshot, so that a reviewer sees each change.

use crate::support::{program, replay, replay_stdin, seen};

/// Defines a snapshot test for each list of arguments.
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
    /// A publish after a passed rehearsal.
    verified: "real/pass-3crate/events.jsonl";
    /// The same log with the demanded registry.
    verified_on_demand: "--registry" "rehearsal" "real/pass-3crate/events.jsonl";
    /// The same log with all details.
    verified_verbose: "-v" "real/pass-3crate/events.jsonl";
    /// The same log in one line.
    verified_quiet: "-q" "real/pass-3crate/events.jsonl";
    /// A publish that skipped the gate without a record.
    unrecorded_publish: "real/skip/events.jsonl";
    /// A publish that skipped the gate, with the recorded actor and justification.
    bypassed_publish: "recorded/bypassed/events.jsonl";
    /// A publish after a failed rehearsal.
    failed_rehearsal: "real/skip-over-failed/events.jsonl";
    /// A rehearsal on another registry than the demanded one.
    wrong_registry: "--registry" "rehearsal-b" "real/registry-swap/events.jsonl";
    /// Two rehearsals at once, whose evidence is unsound.
    two_rehearsals_at_once: "real/concurrent-rehearse-one-fails/events.jsonl";
    /// An edited sidecar.
    drifted_sidecar: "real/tampered-sidecar/events.jsonl";
    /// A sidecar that was written by hand.
    forged_sidecar: "real/forged-sidecar/events.jsonl";
    /// A corrupt line.
    corrupt_line: "real/torn-log-gate/events.jsonl";
    /// A duplicate name in a member that no rule reads.
    duplicate_name: "damaged/duplicate-name/events.jsonl";
    /// A log that ends within a line.
    torn_tail: "damaged/torn-tail/events.jsonl";
    /// The same log with its timeline, which ends with the torn tail.
    torn_tail_timeline: "--timeline" "damaged/torn-tail/events.jsonl";
    /// A log that `--accept` cannot accept, because the rehearsal of the plan failed.
    bypassed_after_a_failure: "--accept" "bypassed" "recorded/bypassed/events.jsonl";
    /// A log without bytes, which proves nothing.
    empty_file: "damaged/empty/events.jsonl";
    /// A file that does not exist.
    missing_file: "damaged/nowhere/events.jsonl";
    /// A directory without logs.
    directory_without_logs: "--no-sidecar" "../docs";
    /// An option that does not exist.
    bad_flag: "--registri" "rehearsal" "real/pass-3crate/events.jsonl";
    /// An empty registry name.
    empty_registry: "--registry" "" "real/pass-3crate/events.jsonl";
    /// A line after the end of the log.
    line_beyond_the_end: "--at" "39" "real/pass-3crate/events.jsonl";
    /// A position that is neither a line nor a time.
    bad_place: "--at" "yesterday" "real/pass-3crate/events.jsonl";
    /// A line that was edited after the gate folded it.
    edited_line: "recorded/edited-line/events.jsonl";
    /// The state before the publish.
    before_the_publish: "--at" "6" "real/stale-bump/events.jsonl";
    /// Escape codes, forged lines and right-to-left marks in every name.
    hostile_text: "-v" "damaged/hostile-text/events.jsonl";
    /// Many logs with one conclusion.
    many_logs: "-q" "real/pass-1crate" "damaged/torn-tail/events.jsonl" "recorded";
    /// The help.
    help: "--help";
}

/// A decision with very many unfinished runs has a short list of them.
#[test]
fn many_runs_of_a_decision_are_summarized() {
    let log: Vec<String> = std::iter::once(r#"{"type":"gate_evaluated","plan_id":"p","rehearsal_registry":null,"skip":false,"verdict":"dormant","reasons":[],"rules":1,"receipt_line":null,"basis":{"lines":0,"bytes":0,"blake3":"af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"}}"#.to_owned())
        .chain((0..50_000).map(|_| r#"{"type":"plan_created","plan_id":"p","package_count":1,"gate":1}"#.to_owned()))
        .map(|event| format!("{{\"timestamp\":\"2026-11-23T08:00:00Z\",\"event_type\":{event},\"package\":\"all\"}}\n"))
        .collect();
    let output = replay_stdin(&["-"], log.concat().as_bytes());
    let text = seen(&output);
    assert!(text.contains("and 49980 more runs; -v shows them all"), "{text}");
    assert!(text.lines().count() < 400, "{} lines", text.lines().count());
}

/// If one kept head matches and another does not, the report has both results, and decisions are excluded exactly if
/// the head of `--since` matches.
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
        let output = seen(&replay(&[args, &[LOG]].concat()));
        assert_eq!(output.contains("error[head-mismatch]"), is_mismatch, "{output}");
        assert_eq!(output.contains("earlier decisions (--since excludes them)"), left_out, "{output}");
    }
}

/// Colour is for terminals, unless an option requests it.
#[test]
fn colour_is_for_terminals_unless_requested() {
    let colored = replay(&["--color", "always", "real/tampered-sidecar/events.jsonl"]);
    insta::assert_snapshot!(seen(&colored).replace('\u{1b}', "ESC"));
    let piped = seen(&replay(&["real/tampered-sidecar/events.jsonl"]));
    let stripped = anstyle_free(&seen(&colored));
    assert_eq!(piped, stripped, "colour changes nothing else");
    let never = seen(&replay(&["--color", "never", "real/tampered-sidecar/events.jsonl"]));
    assert_eq!(piped, never);
    let no_color = program(&["real/tampered-sidecar/events.jsonl"]).env("NO_COLOR", "1").output().expect("it starts");
    assert_eq!(piped, seen(&no_color));
}

/// Returns the text without the sequences that set colours.
fn anstyle_free(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        plain.push_str(before);
        rest = after.split_once('m').expect("a colour ends").1;
    }
    plain + rest
}

/// No raw text of a log reaches the terminal, in any format of the report.
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

/// The next step after a failed sync is not that after a torn tail, and the timeline ends with the marker.
#[test]
fn marker_has_its_own_next_step() {
    for (marker, code, step) in [
        ("unsynced", "sync-failed", "check the disk, move the log aside, and rehearse this plan again"),
        ("repairing", "repair-interrupted", "rehearse this plan again, which completes the repair"),
    ] {
        let top = tempfile::tempdir().expect("a directory");
        let log = top.path().join("events.jsonl");
        let bytes = std::fs::read(crate::support::fixtures().join("recorded/authorized/events.jsonl"));
        std::fs::write(&log, bytes.expect("the log")).expect("a copy");
        std::fs::write(top.path().join(format!("events.jsonl.{marker}")), "").expect("a marker");
        let text = seen(&replay(&["--timeline", log.to_str().expect("UTF-8")]));
        let end =
            format!("  end        the log cannot be trusted: {code}\n               gate: refused (untrusted-log)\n");
        assert!(text.contains(&end), "{text}");
        assert!(text.contains(&format!("\n  next       {step}\n")), "{text}");
    }
}

/// No command reads more bytes of a log than it has.
#[test]
fn next_command_fits_a_truncated_log() {
    let head = format!("50:10000:{}", "0".repeat(64));
    for option in ["--extends", "--since"] {
        let text = seen(&replay(&[option, &head, "real/pass-3crate/events.jsonl"]));
        assert!(text.contains("--explain ") && !text.contains("head -c"), "{text}");
    }
}
