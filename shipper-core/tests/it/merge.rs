//! Reports merge into the report that a single call would give, in any order and in any steps, and an incomplete report
//! is refused. An audit that is distributed over machines relies on both.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use shipper_core::audit::{
    AuditOptions, Conclusion, Counts, IncompleteReport, LogReport, MergeError, MergedReport, NdjsonMerger, Report,
    ReportLine, ReportLineError, RequiredVerdict, SidecarInput, Summary, UnauditedReason, merge,
};
use shipper_core::strategies;
use shipper_testkit::log_builder::audit;
use shipper_testkit::settings::proptest_config;

/// Reports on logs with few paths and short histories, so that equal paths and equal contents are frequent.
fn log() -> impl Strategy<Value = LogReport> {
    let path = || select(&["a/events.jsonl", "b/events.jsonl", "c\u{202e}/events.jsonl", "-"][..]);
    let judged = (path(), strategies::entries(0..5), any::<bool>()).prop_map(|(path, entries, torn)| {
        let mut bytes = strategies::to_log(&entries);
        bytes.extend_from_slice(if torn { b"{" } else { b"" });
        judged(path, &bytes)
    });
    prop_oneof![
        6 => judged,
        1 => path().prop_map(|path| LogReport::unreadable(path, "gone")),
        1 => path().prop_map(|path| LogReport::unaudited(path, UnauditedReason::NoLogs)),
    ]
}

fn judged(path: &str, bytes: &[u8]) -> LogReport {
    LogReport::audited(
        path,
        audit(bytes, SidecarInput::NotRequested, &AuditOptions::default()).expect("no line is demanded"),
    )
}

/// A report before its first merge: its lines are distinct.
fn report() -> impl Strategy<Value = Report> {
    vec(log(), 0..6).prop_map(|logs| {
        let mut seen = BTreeSet::new();
        let is_new = |log: &LogReport| seen.insert(serde_json::to_string(log).expect("JSON"));
        Report::new(AuditOptions::default(), logs.into_iter().filter(is_new).collect())
    })
}

/// Returns a report's lines in ndjson. The members of the summary have another order than in the output of the program.
fn lines(merged: &MergedReport) -> Vec<String> {
    let logs = merged.report.logs.iter().map(|log| serde_json::to_string(log).expect("JSON"));
    let summary = serde_json::json!({ "summary": summary(merged) });
    logs.chain([summary.to_string()]).collect()
}

fn summary(merged: &MergedReport) -> Summary {
    Summary::new(&merged.report, &merged.duplicates)
}

/// Returns the lines of a report that was never merged.
fn raw(report: &Report) -> Vec<String> {
    let logs = report.logs.iter().map(|log| serde_json::to_string(log).expect("JSON"));
    let summary = serde_json::json!({ "summary": Summary::new(report, &[]) });
    logs.chain([summary.to_string()]).collect()
}

fn read(lines: &[String]) -> Result<MergedReport, IncompleteReport> {
    let mut stream = NdjsonMerger::default();
    for line in lines {
        stream.push_line(line.as_bytes()).unwrap_or_else(|error| panic!("{error}: {line}"));
    }
    stream.finish()
}

fn both(one: &MergedReport, other: &MergedReport) -> MergedReport {
    merge([one.clone(), other.clone()]).expect("equal options")
}

proptest! {
    #![proptest_config(proptest_config(200))]

    /// A merge is associative and commutative, byte for byte, remarks included.
    #[test]
    fn merge_is_associative_and_commutative(reports in (report(), report(), report())) {
        let (a, b, c) = (MergedReport::from(reports.0), MergedReport::from(reports.1), MergedReport::from(reports.2));
        let left = both(&both(&a, &b), &c);
        prop_assert_eq!(lines(&left), lines(&both(&a, &both(&b, &c))));
        prop_assert_eq!(lines(&left), lines(&both(&c, &both(&b, &a))));
        prop_assert_eq!(lines(&left), lines(&merge([b, c, a]).expect("equal options")));
    }

    /// A report that is merged with itself has the same conclusion and logs, and each log is a duplicate. A report over
    /// no log changes nothing.
    #[test]
    fn repeated_report_changes_only_the_remarks(report in report()) {
        let once = MergedReport::from(report);
        let twice = both(&once, &once);
        prop_assert_eq!(&twice.report, &once.report);
        let again = |merged: &MergedReport| merged.duplicates.iter().map(|duplicate| duplicate.repeats).sum::<u64>();
        prop_assert_eq!(again(&twice), 2 * again(&once) + once.report.logs.len() as u64);
        let nothing = MergedReport::from(Report::new(AuditOptions::default(), Vec::new()));
        prop_assert_eq!(nothing.report.conclusion, Conclusion::Inconclusive);
        prop_assert_eq!(both(&nothing, &once), once);
    }

    /// The mixed lines of several reports in one stream equal the merged reports, and these equal the report of one
    /// call over all logs.
    #[test]
    fn interleaved_lines_merge_like_reports(reports in vec(report(), 1..5), order in vec(any::<u64>(), 40)) {
        let complete: Vec<LogReport> = reports.iter().flat_map(|report| report.logs.clone()).collect();
        let mut stream: Vec<(u64, String)> =
            reports.iter().flat_map(raw).enumerate().map(|(at, line)| (order[at % order.len()], line)).collect();
        stream.sort();
        let stream: Vec<String> = stream.into_iter().map(|(_, line)| line).collect();
        let mixed = read(&stream).expect("they are complete");
        prop_assert_eq!(lines(&mixed), lines(&MergedReport::from(Report::new(AuditOptions::default(), complete))));
        let apart = reports.iter().map(|report| read(&raw(report)).expect("it is complete"));
        prop_assert_eq!(lines(&mixed), lines(&merge(apart).expect("equal options")));
        prop_assert_eq!(lines(&read(&lines(&mixed)).expect("it is complete")), lines(&mixed), "read again");
    }

    /// A stream without any one of its lines is incomplete.
    #[test]
    fn missing_line_is_detected(report in report(), lost in any::<Index>()) {
        let mut stream = raw(&report);
        let kept = stream[..lost.index(stream.len())].to_vec();
        prop_assert!(read(&kept).is_err());
        stream.remove(lost.index(stream.len()));
        prop_assert!(read(&stream).is_err());
    }

    /// A stream in which another line replaces a lost one is incomplete, although its totals match.
    #[test]
    fn replaced_line_is_detected(at in 0..4_usize, by in 0..4_usize) {
        prop_assume!(at != by);
        let logs = ["a", "b", "c", "d"].map(|path| LogReport::unreadable(path, "gone"));
        let mut stream = raw(&Report::new(AuditOptions::default(), logs.into()));
        stream[at] = stream[by].clone();
        let copied = IncompleteReport::RepeatedLine { path: ["a", "b", "c", "d"][by].to_owned(), times: 2 };
        prop_assert_eq!(read(&stream), Err(copied));
    }

    /// An element whose conclusion differs from its content is refused.
    #[test]
    fn conclusion_is_recomputed(log in log(), word in select(&["violated", "unjudged", "inconclusive", "verified"][..])) {
        let mut value = serde_json::to_value(&log).expect("JSON");
        value["conclusion"] = word.into();
        let part = ReportLine::parse(value.to_string().as_bytes());
        if word == log.conclusion.as_str() {
            prop_assert_eq!(part, Ok(ReportLine::Log(Box::new(log.clone()))));
        } else {
            let claimed = serde_json::from_value(word.into()).expect("a conclusion");
            prop_assert_eq!(part, Err(ReportLineError::Conclusion { claimed, actual: log.conclusion }));
        }
    }

    /// A line with changed bytes is refused, or it is a valid part that is written unchanged.
    #[test]
    fn damaged_line_is_rejected_or_round_trips(report in report(), which in any::<Index>(), at in any::<Index>(), byte: u8) {
        let lines = raw(&report);
        let mut line = lines[which.index(lines.len())].clone().into_bytes();
        let at = at.index(line.len());
        line[at] = byte;
        match ReportLine::parse(&line) {
            Ok(ReportLine::Log(log)) => {
                let back: serde_json::Value = serde_json::from_slice(&line).expect("JSON");
                prop_assert_eq!(serde_json::to_value(&*log).expect("JSON"), back);
                prop_assert_eq!(log.recompute_conclusion(), log.conclusion);
            }
            Ok(ReportLine::Summary(summary)) => prop_assert!(summary.is_consistent()),
            Err(error) => prop_assert!(error.to_string().chars().all(shipper_events::is_display_safe), "{error}"),
        }
    }
}

/// Reports with different audit options do not merge, nor does an empty list of reports.
#[test]
fn different_options_do_not_merge() {
    let report = |registry: &str| {
        let demand = AuditOptions::default().with_registry(registry.parse().expect("a name"));
        MergedReport::from(Report::new(demand, Vec::new()))
    };
    let error = merge([report("a"), report("a"), report("b\u{1b}")]).expect_err("different options");
    assert!(matches!(&error, MergeError::Policy { position: 2, mismatch } if mismatch.member == "registry"));
    let message = error.to_string();
    assert!(message.contains(r#"registry is "b\u{1b}" here and "a" in earlier"#), "{message}");
    let required = AuditOptions::default().with_require(RequiredVerdict::Authorized);
    let required = MergedReport::from(Report::new(required, Vec::new()));
    let nothing = MergedReport::from(Report::new(AuditOptions::default(), Vec::new()));
    for (pair, expected) in [
        ([&required, &nothing], r#"require is null here and "authorized" in"#),
        ([&nothing, &required], r#"require is "authorized" here and null in"#),
    ] {
        let message = merge(pair.map(Clone::clone)).expect_err("different options").to_string();
        assert!(message.contains(expected), "{message}");
    }
    assert_eq!(merge([]), Err(MergeError::Nothing));
    let mut stream = NdjsonMerger::default();
    stream.push_line(lines(&report("a"))[0].as_bytes()).expect("the first report");
    let bad = stream.push_line(lines(&report("b"))[0].as_bytes()).expect_err("different options");
    assert!(matches!(bad, ReportLineError::Policy(_)), "{bad}");
}

/// Different contents under one path are kept and reported, and so are equal contents under different paths. Empty logs
/// are no copies of each other.
#[test]
fn duplicate_paths_and_contents_are_remarked() {
    let short = b"{\"timestamp\":\"2026-11-23T08:00:00Z\",\"event_type\":{\"type\":\"x\"},\"package\":\"all\"}\n";
    let long = [&short[..], &short[..]].concat();
    let logs = vec![
        judged("z", short),
        judged("b", short),
        judged("b", &long),
        judged("e", b""),
        judged("f", b""),
        judged("z", short),
    ];
    let Summary { logs, counts, duplicates, conflicts, copies, .. } =
        summary(&MergedReport::from(Report::new(AuditOptions::default(), logs)));
    assert_eq!((logs, counts), (5, Counts { inconclusive: 5, ..Counts::default() }));
    assert_eq!(duplicates.iter().map(|given| (&*given.path, given.repeats)).collect::<Vec<_>>(), [("z", 1)]);
    assert_eq!(conflicts.iter().map(|path| (&*path.path, path.logs)).collect::<Vec<_>>(), [("b", 2)]);
    let copies: Vec<_> = copies.iter().map(|copies| (&*copies.first, copies.paths, copies.bytes)).collect();
    assert_eq!(copies, [("b", 2, short.len() as u64)]);
}

/// If a verdict is required, the exit status shows the answer, both in a report and in a summary.
#[test]
fn required_verdict_decides_the_exit_status() {
    let log = judged("a", b"");
    assert_eq!(log.conclusion, Conclusion::Inconclusive);
    let demand = AuditOptions::default().with_require(RequiredVerdict::Authorized);
    let report = Report::new(demand, vec![log]);
    assert_eq!(report.exit_code, 1, "the gate would refuse");
    let read = read(&raw(&report)).expect("it is complete");
    assert_eq!((summary(&read).exit_code, read.report.exit_code), (1, 1));
}

/// A line is rejected, with a remedy, if it is no part of a report, has another version, or contradicts itself.
#[test]
fn invalid_parts_are_rejected() {
    let complete = Report::new(AuditOptions::default(), vec![LogReport::unreadable("a", "gone")]);
    let [element, summary] = &raw(&complete)[..] else { panic!("two lines") };
    let message = |line: &str| ReportLine::parse(line.as_bytes()).expect_err("it is refused").to_string();
    for (line, expected) in [
        (String::new(), "the line is corrupt: column 1"),
        ("[]".to_owned(), "the line is corrupt: column 1: expected one JSON object"),
        (element.replace("}", r#","path":"b"}"#), "duplicate member"),
        (element.replace("gone", r"\ud800"), "unpaired surrogate"),
        (format!("{element}{element}"), "expected the end of the line"),
        ("{}".to_owned(), "expected a report on a log or a summary: missing field `path`"),
        (element.replace("}", r#","mood":"good"}"#), "use the version that wrote the report"),
        (element.replace(r#""error":"gone""#, r#""error":null"#), "expected either an error or"),
        (serde_json::to_string(&complete).expect("JSON"), "--format ndjson"),
        (summary.replace("replay.v1", "replay.v2"), r#"unsupported schema "shipper.replay.v2""#),
        (summary.replace(r#""exit_code":2"#, r#""exit_code":0"#), "write the report again"),
        (summary.replace(r#""logs":1"#, r#""logs":2"#), "write the report again"),
        (summary.replace(r#""conclusion":"unjudged""#, r#""conclusion":"verified""#), "write the report again"),
        (summary.replace(r#"{"summary""#, r#"{"path":"b","summary""#), "use the version that wrote the report"),
        (r#"{"summary":7}"#.to_owned(), "expected a report on a log or a summary"),
        (r#"{"summary":{"schema":"\u001b[2J\u202e"}}"#.to_owned(), r"\u{1b}[2J\u{202e}"),
    ] {
        let message = message(&line);
        assert!(message.contains(expected), "{line}: {message}");
        assert!(message.chars().all(shipper_events::is_display_safe), "{message}");
    }
    let deep = element.replace(r#""gone""#, &format!("{}{}", "[".repeat(200), "]".repeat(200)));
    assert!(message(&deep).contains("nest deeper"), "{deep}");
    assert_eq!(read(&[]), Err(IncompleteReport::Empty));
    assert_eq!(read(std::slice::from_ref(element)), Err(IncompleteReport::NoSummary));
    assert!(matches!(read(std::slice::from_ref(summary)), Err(IncompleteReport::Counts { .. })));
    let forged = summary.replace(r#""duplicates":[]"#, r#""duplicates":[{"path":"b","again":1}]"#);
    assert_eq!(read(&[element.clone(), forged]), Err(IncompleteReport::Duplicate { path: "b".to_owned() }));
}

/// Missing logs are found in a list of expected ones, by path or by directory.
#[test]
fn missing_logs_are_found() {
    let logs =
        ["a/events.jsonl", "a-b/events.jsonl", "c/d/events.jsonl"].map(|path| LogReport::unreadable(path, "gone"));
    let merged = MergedReport::from(Report::new(AuditOptions::default(), logs.to_vec()));
    let all = ["a/events.jsonl", "a", "a/", "a-b", "c", "c/d//", "c/d/events.jsonl"];
    assert_eq!(merged.missing_paths(all), Vec::<&str>::new());
    let none = ["b", "a/events.json", "c/d/events.jsonl/", "a-", "d", "z"];
    assert_eq!(merged.missing_paths(none), none);
}

/// The text of an error does not decide the conclusion: a log that cannot be read is unjudged for any cause.
#[test]
fn an_error_text_does_not_decide_the_conclusion() {
    let text = LogReport::unaudited("a", UnauditedReason::NoLogs).error.map(String::from).expect("a text");
    let unreadable = LogReport::unreadable("a", text);
    assert_eq!(unreadable.conclusion, Conclusion::Unjudged);
    assert_eq!(unreadable.recompute_conclusion(), Conclusion::Unjudged);
    assert_eq!(LogReport::unaudited("a", UnauditedReason::NoLogs).recompute_conclusion(), Conclusion::Inconclusive);
}

/// A report with labels, which are not in its JSON form, equals the report that is read from that form.
#[test]
fn a_report_equals_itself_after_json() {
    let log = judged("a", b"{}\n");
    assert!(log.audit.as_ref().is_some_and(|audit| !audit.findings[0].labels.is_empty()), "a corrupt line is labelled");
    let report = Report::new(AuditOptions::default(), vec![log]);
    let json = serde_json::to_string(&report).expect("JSON");
    assert_eq!(serde_json::from_str::<Report>(&json).expect("a report"), report);
}
