//! No log is verified, and no plan authorized, by a detail of the rules: each test is a history that once was, or that
//! an attacker would try.

use shipper_core::audit::{AuditOptions, Conclusion, FindingCode, Level, LogSurroundings};
use shipper_core::audit::{Auditor, LogReport, Report, SidecarInput};
use shipper_core::{GateQuery, GateState, evaluate};
use shipper_events::EventReader;
use shipper_testkit::log_builder::{LogBuilder, assert_summary};

fn reasons(log: &LogBuilder, plan: &str, registry: &str) -> Vec<String> {
    let state: GateState = EventReader::new(log.bytes()).collect::<Result<_, _>>().expect("a valid log");
    let query = GateQuery::new(plan.parse().expect("a name"), Some(registry.parse().expect("a name")));
    evaluate(&state, &query).reason_codes().into_iter().map(|code| code.to_string()).collect()
}

fn notes(log: &LogBuilder, options: &AuditOptions) -> Vec<String> {
    let findings = log.audit(options).findings.into_iter().filter(|finding| finding.level == Level::Note);
    let other = [FindingCode::SelfDeclaredRegistry, FindingCode::NoHeadGiven, FindingCode::ForeignLines];
    findings.filter(|finding| !other.contains(&finding.code)).map(|finding| finding.code.to_string()).collect()
}

// The fold.

/// A new rehearsal does not hide the failure of the one that it abandons.
#[test]
fn abandoned_failure_remains_a_failure() {
    let mut log = LogBuilder::chained();
    log.pass("p", "r").start("p", "r", 1).rehearsal_failure().start("q", "r", 1);
    assert_eq!(reasons(&log, "p", "r"), ["rehearsal-failed"]);
    let mut first = LogBuilder::chained();
    first.start("p", "r", 1).rehearsal_failure().start("p", "r", 1);
    assert_eq!(reasons(&first, "p", "r"), ["rehearsal-failed"]);
    let mut other = LogBuilder::chained();
    other.pass("q", "r").start("p", "r", 1).rehearsal_failure().start("p", "r", 1);
    assert_eq!(reasons(&other, "p", "r"), ["stale-plan"], "the receipt of another plan stays");
    assert!(reasons(&other, "q", "r").is_empty());
}

/// An open rehearsal with a failure refuses its plan, whatever the receipt is.
#[test]
fn open_failure_refuses_without_a_receipt_of_the_plan() {
    let mut log = LogBuilder::chained();
    log.start("p", "r", 1).rehearsal_failure();
    assert_eq!(reasons(&log, "p", "r"), ["no-rehearsal", "rehearsal-failed"]);
    let mut stale = LogBuilder::chained();
    stale.pass("q", "r").start("p", "r", 1).rehearsal_failure();
    assert_eq!(reasons(&stale, "p", "r"), ["stale-plan", "rehearsal-failed"]);
}

/// A rehearsal of nothing, and one that is followed by a failure without a rehearsal, are unsound.
#[test]
fn empty_rehearsals_and_late_failures_are_unsound() {
    let mut empty = LogBuilder::chained();
    empty.start("p", "r", 0).complete("p", "r", true);
    assert_eq!(reasons(&empty, "p", "r"), ["unsound-evidence"]);
    let mut late = LogBuilder::chained();
    late.pass("p", "r").rehearsal_failure();
    assert_eq!(reasons(&late, "p", "r"), ["unsound-evidence"]);
    late.pass("p", "r");
    assert!(reasons(&late, "p", "r").is_empty());
}

// Permissions when they are used.

/// A run that names a refusal uses it, also if the gate would now authorize.
#[test]
fn named_refusal_is_a_refusal() {
    let refused = |plan: &dyn Fn(&mut LogBuilder)| {
        let mut log = LogBuilder::chained();
        log.gate("p", Some("r"), false, "refused", &["no-rehearsal"]).pass("p", "r");
        plan(&mut log);
        log.published("a").finished("success");
        log.summary(&AuditOptions::default())
    };
    assert_eq!(
        refused(&|log| _ = log.plan_on("p", 1, 1)),
        "violated chained; 1:violated<-5; 5!published-despite-refusal"
    );
    assert_eq!(
        refused(&|log| _ = log.plan("p", 1)),
        "verified chained; 1:refused; 5:verified<-5; 5!gate-not-asked-again"
    );
}

/// A failure between the start of a run and its acts outdates the permission, also an implicit one.
#[test]
fn permission_is_judged_at_every_act() {
    let mut log = LogBuilder::chained();
    log.pass("p", "r").authorized("p", "r").plan("p", 1).published("a");
    log.start("p", "r", 1).rehearsal_failure().published("b");
    assert!(log.summary(&AuditOptions::default()).contains("5!decision-outdated"));
    let mut implicit = LogBuilder::foreign();
    implicit.pass("p", "r").plan("p", 1).fail("p", "r").published("a");
    assert_summary(&implicit, "violated unchained; 4:violated<-4; 4!decision-outdated");
    let mut late = LogBuilder::foreign();
    late.pass("p", "r").plan("p", 1).rehearsal_failure().published("a");
    assert_summary(&late, "violated unchained; 4:violated<-4; 4!decision-outdated; 5!stray-rehearsal-event");
    let mut after = LogBuilder::foreign();
    after.pass("p", "r").plan("p", 1).published("a").fail("p", "r");
    assert_summary(&after, "verified unchained; 4:verified<-4");
}

/// A failed plan is a violation also after a rehearsal of another plan.
#[test]
fn failed_plan_is_not_forgotten() {
    let mut log = LogBuilder::foreign();
    log.fail("p", "r").pass("q", "r").publish("p");
    assert_summary(&log, "violated unchained; 7:violated<-7; 7!publish-not-authorized");
    let mut abandoned = LogBuilder::foreign();
    abandoned.pass("q", "r").start("p", "r", 1).rehearsal_failure().start("q", "r", 1).publish("p");
    assert!(abandoned.summary(&AuditOptions::default()).contains("7!publish-not-authorized"));
}

/// A run that only an unknown event forbids is unjudged.
#[test]
fn unknown_event_makes_a_run_unjudged() {
    let mut log = LogBuilder::foreign();
    log.pass("p", "r").event(r#"{"type":"gate_consulted"}"#).publish("p");
    assert_summary(&log, "unjudged unchained; 5:unjudged<-5; 4!unknown-gate-event; 5!unjudged-run");
    let mut idle = LogBuilder::foreign();
    idle.pass("p", "r").event(r#"{"type":"gate_consulted"}"#).plan("p", 1);
    assert!(!idle.summary(&AuditOptions::default()).contains("unjudged-run"));
}

/// A rehearsal on the live registry of the run proves nothing, also if the run only skips.
#[test]
fn rehearsal_on_the_live_registry_is_a_violation() {
    let evidence = r#"{"type":"auth_evidence_recorded","evidence":{"registry":"r"}}"#;
    let mut log = LogBuilder::foreign();
    log.pass("p", "r").plan("p", 1).event(evidence).event_on(r#"{"type":"package_skipped"}"#, "a@1.0.0");
    assert_summary(&log, "violated unchained; 4:violated<-4; 4!rehearsed-on-live-registry");
}

/// `--since` hides no publish after its head, also in a gap that began before it.
#[test]
fn since_hides_no_publish_outside_runs() {
    let mut log = LogBuilder::foreign();
    log.pass("p", "r").publish("p").published("x");
    let since = AuditOptions::default().with_since(log.head());
    log.published("y");
    assert!(log.summary(&since).contains("8!publish-outside-run"), "{}", log.summary(&since));
    assert!(!log.summary(&AuditOptions::default()).contains("8!"), "one finding for the gap");
}

// Content.

fn with_content(kind: &str, content: &str) -> String {
    format!(r#"{{"type":"{kind}","name":"a","version":"1.0.0","reason":"already published","content":"{content}"}}"#)
}

fn content_log(rehearsed: &str, published: &str, kind: &str) -> LogBuilder {
    let mut log = LogBuilder::chained();
    log.start("p", "r", 1).event_on(&with_content("rehearsal_package_published", rehearsed), "a@1.0.0");
    log.complete("p", "r", true).plan("p", 1).event_on(&with_content(kind, published), "a@1.0.0").finished("success");
    log
}

/// The published content is that of the rehearsal.
#[test]
fn other_content_is_not_what_was_rehearsed() {
    assert_summary(&content_log("1", "1", "package_published"), "verified chained; 4:verified<-4");
    for kind in ["package_published", "package_skipped"] {
        let violated = "violated chained; 4:violated<-4; 4!not-what-was-rehearsed";
        assert_summary(&content_log("1", "2", kind), violated);
    }
    let mut one_sided = LogBuilder::chained();
    one_sided.pass("p", "r").plan("p", 1).event_on(&with_content("package_published", "1"), "a@1.0.0");
    assert_eq!(notes(&one_sided, &AuditOptions::default()), ["content-not-compared"]);
}

/// Content is a string on a chained line, and ignored on an unchained one.
#[test]
fn content_is_read_on_chained_lines_only() {
    let odd = r#"{"type":"package_published","content":7}"#;
    let mut chained = LogBuilder::chained();
    chained.event_on(odd, "a@1.0.0");
    assert!(chained.summary(&AuditOptions::default()).contains("1!corrupt-line"));
    let mut foreign = LogBuilder::foreign();
    foreign.pass("p", "r").plan("p", 1).event_on(odd, "a@1.0.0");
    assert_summary(&foreign, "verified unchained; 4:verified<-4");
}

/// A run does not publish a package that the rehearsal did not build because the live registry had it. It may skip it.
#[test]
fn package_that_was_not_built_is_not_published() {
    let log_with = |member: &str, action: &str| {
        let published = with_content("rehearsal_package_published", "1").replacen('}', &format!(",{member}}}"), 1);
        let mut log = LogBuilder::chained();
        log.start("p", "r", 1).event_on(&published, "a@1.0.0").complete("p", "r", true).plan("p", 1);
        log.event_on(&with_content(action, "1"), "a@1.0.0").finished("success");
        log
    };
    let not_built = r#""already_published":true"#;
    assert_summary(&log_with(not_built, "package_skipped"), "verified chained; 4:verified<-4");
    for action in ["package_attempted", "package_uploaded", "package_published"] {
        let summary = log_with(not_built, action).summary(&AuditOptions::default());
        assert!(summary.contains("4!not-what-was-rehearsed"), "{action}: {summary}");
    }
    for built in [r#""already_published":false"#, r#""already_published":null"#] {
        assert_summary(&log_with(built, "package_published"), "verified chained; 4:verified<-4");
    }
    for odd in ["1", r#""true""#, "{}"] {
        let log = log_with(&format!(r#""already_published":{odd}"#), "package_published");
        assert!(log.summary(&AuditOptions::default()).contains("2!corrupt-line"), "{odd}");
    }
}

/// Other content on a registry is held against the run that uploaded the package.
#[test]
fn other_content_on_a_registry_is_an_error() {
    let mismatch = r#"{"type":"package_content_mismatch","name":"a","version":"1.0.0","expected":"1","found":"2"}"#;
    let mut log = content_log("1", "1", "package_published");
    log.event_on(mismatch, "a@1.0.0");
    assert_summary(&log, "violated chained; 4:violated<-4; 7!published-content-differs");
    let mut alone = LogBuilder::chained();
    alone.event_on(mismatch, "a@1.0.0");
    assert_summary(&alone, "violated chained; 1!published-content-differs");
    let mut foreign = LogBuilder::foreign();
    foreign.event_on(mismatch, "a@1.0.0");
    assert!(foreign.summary(&AuditOptions::default()).contains("1!chain-broken"));
}

// Commits.

/// Adds the member `git` to the event type.
fn at_commit(event_type: &str, git: &str) -> String {
    format!(r#"{},"git":{git}}}"#, event_type.strip_suffix('}').expect("an object"))
}

/// A rehearsal, a decision and a run of plan `p`, with these values of `git`.
fn log_at(rehearsal: &str, decision: &str, run: &str) -> LogBuilder {
    let mut log = LogBuilder::chained();
    let start = r#"{"type":"rehearsal_started","registry":"r","plan_id":"p","package_count":1}"#;
    log.event(&at_commit(start, rehearsal)).rehearsed("a").complete("p", "r", true);
    let head = log.head();
    let basis = format!(r#"{{"lines":{},"bytes":{},"blake3":"{}"}}"#, head.lines, head.bytes, head.blake3);
    let evaluated = format!(
        r#"{{"type":"gate_evaluated","rules":1,"plan_id":"p","rehearsal_registry":"r","skip":false,"verdict":"authorized","reasons":[],"basis":{basis}}}"#
    );
    log.event(&at_commit(&evaluated, decision));
    log.event(&at_commit(r#"{"type":"plan_created","plan_id":"p","package_count":1,"gate":4}"#, run));
    log.published("a").finished("success");
    log
}

const ONE: &str = r#"{"commit":"0123456789abcdef","dirty":false}"#;
const DIRTY: &str = r#"{"commit":"0123456789abcdef","dirty":true,"branch":"main"}"#;
const OTHER: &str = r#"{"commit":"fedcba9876543210","dirty":false}"#;

/// A decision has the commits of its events. A difference from the rehearsal is a note at the run, and never more.
#[test]
fn other_commit_is_a_note() {
    let note = |rehearsal, decision, run| {
        let log = log_at(rehearsal, decision, run);
        let strict = log.audit(&AuditOptions::default().with_strict(true));
        assert_eq!(strict.conclusion(), Conclusion::Verified, "{:?}", strict.findings);
        notes(&log, &AuditOptions::default())
    };
    for (rehearsal, decision, run) in
        [(ONE, ONE, ONE), (DIRTY, DIRTY, DIRTY), ("null", ONE, OTHER), (ONE, "null", "null")]
    {
        assert_eq!(note(rehearsal, decision, run), [""; 0], "{rehearsal} {decision} {run}");
    }
    for (rehearsal, decision, run) in [(ONE, ONE, OTHER), (ONE, OTHER, ONE), (OTHER, ONE, "null"), (ONE, DIRTY, DIRTY)]
    {
        assert_eq!(note(rehearsal, decision, run), ["other-commit"], "{rehearsal} {decision} {run}");
    }
    let audit = log_at(ONE, "null", DIRTY).audit(&AuditOptions::default());
    let finding = audit.findings.iter().find(|finding| finding.code == FindingCode::OtherCommit).expect("a note");
    let message = "the run records the commit 0123456789ab with uncommitted changes, but the rehearsal on line 3 records \
                   0123456789ab";
    assert_eq!((finding.line, &*finding.message), (Some(5), message));
    let git = serde_json::to_value(&audit.decisions[0].git).expect("JSON");
    let commit = |dirty| serde_json::json!({ "commit": "0123456789abcdef", "dirty": dirty });
    assert_eq!(git, serde_json::json!({ "rehearsal": commit(false), "run": commit(true) }));
    let without = log_at("null", "null", "null").audit(&AuditOptions::default());
    assert_eq!(without.decisions[0].git, None);
}

/// On a chained line, `git` is a commit, null or absent. On an unchained line it is ignored.
#[test]
fn commit_is_read_on_chained_lines_only() {
    let long = format!(r#"{{"commit":"{}","dirty":false}}"#, "a".repeat(65));
    let odd = [
        "7",
        r#""3f2a""#,
        "[]",
        "{}",
        r#"{"commit":"3f2a"}"#,
        r#"{"commit":"3f2a","dirty":null}"#,
        r#"{"commit":"","dirty":true}"#,
        r#"{"commit":"3F2A","dirty":true}"#,
        r#"{"commit":"\u001b[2J","dirty":true}"#,
        &long,
    ];
    for odd in odd {
        for (line, log) in [(1, log_at(odd, ONE, ONE)), (4, log_at(ONE, odd, ONE)), (5, log_at(ONE, ONE, odd))] {
            let summary = log.summary(&AuditOptions::default());
            assert!(summary.contains(&format!("{line}!corrupt-line")), "{odd}: {summary}");
        }
        let mut foreign = LogBuilder::foreign();
        let start = r#"{"type":"rehearsal_started","registry":"r","plan_id":"p","package_count":1}"#;
        foreign.event(&at_commit(start, odd)).rehearsed("a").complete("p", "r", true);
        foreign.event(&at_commit(r#"{"type":"plan_created","plan_id":"p","package_count":1}"#, OTHER)).published("a");
        assert_summary(&foreign, "verified unchained; 4:verified<-4");
        assert_eq!(foreign.audit(&AuditOptions::default()).decisions[0].git, None);
    }
    let newer = r#"{"type":"gate_evaluated","rules":2,"plan_id":"p","git":7}"#;
    let mut log = LogBuilder::chained();
    log.event(newer);
    assert!(!log.summary(&AuditOptions::default()).contains("corrupt-line"), "only its rules and its plan are read");
    let line = String::from_utf8(log_at(DIRTY, DIRTY, DIRTY).bytes().to_vec()).expect("UTF-8");
    for line in line.lines() {
        assert_eq!(
            line.parse::<shipper_events::Event>().expect("an event").to_line(),
            line,
            "unknown members are kept"
        );
    }
}

// Packages without a clear outcome.

/// Each run that uploaded a package without an outcome since is reported once. An outcome settles the uploads of all runs.
#[test]
fn each_run_with_an_unclear_upload_is_reported() {
    let uploaded = r#"{"type":"package_uploaded"}"#;
    let mut log = LogBuilder::foreign();
    log.pass("p", "r");
    for line in [4, 7, 10] {
        log.plan("p", 1).event_on(uploaded, "a@1.0.0").event_on(uploaded, "a@1.0.0");
        assert!(log.summary(&AuditOptions::default()).contains(&format!("; {line}!upload-unconfirmed")));
    }
    let runs = "4:verified<-4; 7:verified<-7; 10:verified<-10";
    let unclear = "4!upload-unconfirmed; 7!upload-unconfirmed; 10!upload-unconfirmed";
    assert_summary(&log, &format!("verified unchained; {runs}; {unclear}"));
    log.event_on(r#"{"type":"publish_reconciled","outcome":{"outcome":"published"}}"#, "a@1.0.0");
    assert_summary(&log, &format!("verified unchained; {runs}"));
    log.event_on(uploaded, "a@1.0.0");
    assert_summary(&log, &format!("verified unchained; {runs}; 10!upload-unconfirmed"));
}

/// An upload without a recorded outcome, and a skip without an earlier publish, are reported.
#[test]
fn unclear_packages_are_reported() {
    let uploaded = r#"{"type":"package_uploaded"}"#;
    let mut log = LogBuilder::foreign();
    log.pass("p", "r").plan("p", 1).event_on(uploaded, "a@1.0.0");
    assert_summary(&log, "verified unchained; 4:verified<-4; 4!upload-unconfirmed");
    log.plan("p", 1).event_on(r#"{"type":"publish_reconciled","outcome":{"outcome":"published"}}"#, "a@1.0.0");
    assert_summary(&log, "verified unchained; 4:verified<-4; 6:verified<-6");
    let skipped = r#"{"type":"package_skipped","reason":"already published"}"#;
    log.event_on(skipped, "a@1.0.0");
    assert!(notes(&log, &AuditOptions::default()).is_empty(), "the log shows that it was published");
    log.event_on(skipped, "b@1.0.0");
    assert_eq!(notes(&log, &AuditOptions::default()), ["skip-unexplained"]);
}

/// The release tool may stop a run.
#[test]
fn stopped_run_has_its_reason() {
    let mut log = LogBuilder::foreign();
    log.pass("p", "r").plan("p", 1).event(r#"{"type":"execution_stopped","reason":"interrupt"}"#);
    let audit = log.audit(&AuditOptions::default());
    assert_eq!(audit.decisions[0].runs[0].finished.as_deref(), Some("stopped: interrupt"));
}

// Names.

/// A plan that the log does not name, and names that look alike, are reported.
#[test]
fn names_of_the_options_are_compared_with_the_log() {
    let mut log = LogBuilder::foreign();
    log.pass("plan", "rehearsal").publish("plan");
    let plan = AuditOptions::default().with_plan_id("plam".parse().expect("a name"));
    assert_eq!(notes(&log, &plan), ["plan-never-named"]);
    let mut confusable = LogBuilder::foreign();
    confusable.pass("p", "reheаrsal").publish("p");
    let audit = confusable.audit(&AuditOptions::default().with_registry("rehearsal".parse().expect("a name")));
    let finding = audit.findings.iter().find(|finding| finding.code == FindingCode::ConfusableName);
    assert!(finding.expect("a Cyrillic letter").message.contains("U+0430"));
    let long = AuditOptions::default().with_registry("r".repeat(1 << 20).parse().expect("a name"));
    assert!(confusable.summary(&long).contains("registry-never-named"));
}

// Files beside the log.

/// A marker refuses every plan, also if the log names none.
#[test]
fn marker_beside_the_log_refuses() {
    let mut log = LogBuilder::chained();
    log.pass("p", "r").authorized("p", "r");
    let mut surroundings = LogSurroundings::default();
    surroundings.repair_interrupted = true;
    let audit = |bytes: &[u8]| {
        let auditor = Auditor::new(AuditOptions::default(), SidecarInput::NotRequested).expect("no time");
        auditor.with_surroundings(surroundings.clone()).read_to_end(bytes).expect("a log")
    };
    for bytes in [log.bytes(), b""] {
        let audit = audit(bytes);
        assert_eq!(audit.conclusion(), Conclusion::Inconclusive);
        let gate = audit.gate.expect("a verdict");
        assert_eq!(gate.reasons.iter().map(|code| code.as_str()).collect::<Vec<_>>(), ["untrusted-log"]);
    }
}

/// A marker counts if it exists before or after the log is read: a repair makes it before it cuts off the torn tail.
#[test]
fn marker_that_appears_or_goes_while_reading_counts() {
    let top = tempfile::tempdir().expect("a directory");
    let log = camino::Utf8PathBuf::try_from(top.path().join("events.jsonl")).expect("UTF-8");
    std::fs::write(&log, "").expect("a log");
    let marker = log.with_file_name("events.jsonl.repairing");
    let read = |change: &dyn Fn() -> std::io::Result<()>| {
        LogSurroundings::around(&log, change).expect("the files can be read").1.repair_interrupted
    };
    assert!(!read(&|| Ok(())));
    assert!(read(&|| std::fs::write(&marker, "")), "it appears");
    assert!(read(&|| std::fs::remove_file(&marker)), "it goes");
    assert!(!read(&|| Ok(())));
}

/// A continued log is verified only together with the log that it continues, or if that one was dealt with.
#[test]
fn earlier_log_is_part_of_the_evidence() {
    let mut earlier = LogBuilder::chained();
    earlier.pass("p", "r").authorized("p", "r");
    let head = earlier.head();
    let mut log = LogBuilder::chained();
    log.event(&format!(
        r#"{{"type":"log_continued","lines":{},"bytes":{},"blake3":"{}"}}"#,
        head.lines, head.bytes, head.blake3
    ));
    log.pass("p", "r").authorized("p", "r");
    let report = |options: AuditOptions, logs: &[&LogBuilder]| {
        let logs = logs.iter().map(|log| LogReport::audited("log", log.audit(&options))).collect();
        Report::new(options, logs)
    };
    assert_eq!(report(AuditOptions::default(), &[&log]).exit_code, 3);
    assert_eq!(report(AuditOptions::default(), &[&log, &earlier]).exit_code, 0);
    let acknowledged = AuditOptions::default().with_acknowledge_earlier(head);
    assert_eq!(report(acknowledged.clone(), &[&log]).exit_code, 0);
    let mut violated = LogBuilder::chained();
    violated.published("x");
    let with_violated = AuditOptions::default().with_acknowledge_earlier(violated.head());
    let both = report(with_violated.clone(), &[&earlier, &violated]);
    assert_eq!((both.exit_code, both.logs[1].acknowledged), (0, true));
    assert_eq!(report(with_violated, &[&violated]).exit_code, 1, "nothing else was checked");
}

/// Consecutive blank lines cost one finding.
#[test]
fn blank_lines_cost_one_finding() {
    let mut log = LogBuilder::foreign();
    log.pass("p", "r").raw("\n").raw(" \n").raw("\t\n").publish("p").raw("\n");
    let audit = log.audit(&AuditOptions::default());
    let blank: Vec<_> = audit.findings.iter().filter(|finding| finding.code == FindingCode::BlankLine).collect();
    assert_eq!(blank.iter().map(|finding| finding.line).collect::<Vec<_>>(), [Some(4), Some(10)]);
    assert!(blank[0].message.contains("3 lines"));
}
