//! A log that does not satisfy the policy of the auditor is violated, and the finding names the rule. A policy cannot hide
//! a finding that determines the conclusion. An error about a policy file has its line and column.

use shipper_core::audit::{
    AuditOptions, Auditor, FindingCode, HeadSigner, Level, LogAudit, LogReport, MergedReport, NdjsonMerger, Policy,
    Report, SidecarInput, Summary,
};
use shipper_testkit::log_builder::{LogBuilder, assert_summary, summarize};

fn demand(policy: &str) -> AuditOptions {
    let policy = Policy::parse(policy).unwrap_or_else(|error| panic!("{policy}: {error}"));
    AuditOptions::default().with_policy(policy).expect("no other registry")
}

/// A line at a time of the same day.
fn at(log: &mut LogBuilder, time: &str, event_type: &str, package: &str) {
    log.raw(&format!(
        "{{\"timestamp\":\"2026-11-23T{time}Z\",\"event_type\":{event_type},\"package\":\"{package}\"}}\n"
    ));
}

/// A rehearsal that completes at 08:00:02, a run at 09:00:02, and its publish at 10:00:02.5.
fn slow_run() -> LogBuilder {
    let mut log = LogBuilder::foreign();
    log.pass("p", "r");
    at(&mut log, "09:00:02", r#"{"type":"plan_created","plan_id":"p","package_count":1}"#, "all");
    at(&mut log, "10:00:02.5", r#"{"type":"package_published","duration_ms":7}"#, "a@1.0.0");
    at(&mut log, "09:30:00", r#"{"type":"package_attempted"}"#, "a@1.0.0");
    at(&mut log, "23:00:00", r#"{"type":"execution_finished","result":"success"}"#, "all");
    log
}

fn smoke_check(log: &mut LogBuilder, name: &str, outcome: &str) {
    log.event(&format!(r#"{{"type":"rehearsal_smoke_check_{outcome}","name":"{name}","version":"1.0.0"}}"#));
}

fn bypass(actor: Option<&str>) -> LogBuilder {
    let mut log = LogBuilder::chained();
    let basis = serde_json::to_string(&log.head()).expect("JSON");
    let actor = actor.map_or(String::new(), |actor| format!(r#""actor":"{actor}","#));
    log.event(&format!(
        r#"{{"type":"gate_evaluated","rules":1,"plan_id":"p","rehearsal_registry":"r","skip":true,{actor}"verdict":"bypassed","reasons":[],"basis":{basis}}}"#
    ));
    log.plan_on("p", 1, 1).published("a").finished("success");
    log
}

/// The age of a rehearsal counts to the decision, and to the latest attempt, upload or publish of a run. The end of the run
/// does not count.
#[test]
fn an_old_rehearsal_is_reported_once() {
    let log = slow_run();
    assert_summary(&log, "verified unchained; 4:verified<-4");
    for (max, expected) in [
        ("2h", "violated unchained; 4:violated<-4; 4!policy-rehearsal-age"),
        ("121m", "verified unchained; 4:verified<-4"),
        ("59m", "violated unchained; 4:violated<-4; 4!policy-rehearsal-age"),
    ] {
        assert_eq!(log.summary(&demand(&format!("max-rehearsal-age = \"{max}\""))), expected, "{max}");
    }
    let message = |max: &str| {
        let audit = log.audit(&demand(&format!("max-rehearsal-age = \"{max}\"")));
        audit.findings.into_iter().find(|finding| finding.code == FindingCode::PolicyRehearsalAge).expect("it").message
    };
    assert_eq!(
        message("2h"),
        "the run begins or publishes more than 2h after the rehearsal on line 3 was completed, which the policy does not \
         allow"
    );
    assert_eq!(
        message("59m"),
        "the rehearsal on line 3 was completed 1h before this decision, but the policy allows 59m"
    );
}

/// A time before the rehearsal contradicts the order of the lines. A run that publishes nothing has the time of its start.
#[test]
fn times_before_the_rehearsal_and_of_the_start_count() {
    let chained_at = |log: &mut LogBuilder, time: &str, event_type: &str, package: &str| {
        let previous = log.bytes().split_inclusive(|byte| *byte == b'\n').next_back().expect("a line");
        let (seq, prev) = (log.lines(), blake3::hash(previous));
        log.raw(&format!(
            "{{\"seq\":{seq},\"prev\":\"{prev}\",\"timestamp\":\"2026-11-23T{time}Z\",\"event_type\":{event_type},\
             \"package\":\"{package}\"}}\n"
        ));
    };
    let run = |start: &str, published: Option<&str>| {
        let mut log = LogBuilder::chained();
        log.pass("p", "r").authorized("p", "r");
        chained_at(&mut log, start, r#"{"type":"plan_created","plan_id":"p","package_count":1,"gate":4}"#, "all");
        if let Some(time) = published {
            chained_at(&mut log, time, r#"{"type":"package_published","duration_ms":7}"#, "a@1.0.0");
        }
        let audit = log.audit(&demand("max-rehearsal-age = \"1h\""));
        audit.findings.iter().filter(|finding| finding.code == FindingCode::PolicyRehearsalAge).count()
    };
    assert_eq!(run("08:30:00", Some("08:31:00")), 0);
    assert_eq!(run("09:30:00", None), 1);
    assert_eq!(run("09:30:00", Some("08:31:00")), 1);
    assert_eq!(run("08:30:00", Some("07:59:59")), 1);
    let mut decided_before = LogBuilder::foreign();
    decided_before.pass("p", "r");
    at(&mut decided_before, "07:00:00", r#"{"type":"plan_created","plan_id":"p","package_count":1}"#, "all");
    let summary = decided_before.summary(&demand("max-rehearsal-age = \"1h\""));
    assert!(summary.contains("4!policy-rehearsal-age"), "{summary}");
}

/// A recorded decision is too old by its own time, also if no run uses it.
#[test]
fn a_recorded_decision_has_an_age() {
    let mut log = LogBuilder::chained();
    log.pass("p", "r").authorized("p", "r");
    assert_eq!(log.summary(&demand("max-rehearsal-age = \"1s\"")), "verified chained; 4:authorized");
    let mut late = LogBuilder::chained();
    late.pass("p", "r").event(r#"{"type":"execution_started"}"#).authorized("p", "r");
    assert_eq!(
        late.summary(&demand("max-rehearsal-age = \"1s\"")),
        "violated chained; 5:violated; 5!policy-rehearsal-age"
    );
}

/// Only a successful smoke check of a package of the same rehearsal counts.
#[test]
fn smoke_checks_belong_to_their_rehearsal() {
    let policy = demand("require-smoke-install = true");
    let summary = |prepare: &dyn Fn(&mut LogBuilder)| {
        let mut log = LogBuilder::foreign();
        prepare(&mut log);
        log.publish("p").summary(&policy)
    };
    let rehearsal = |log: &mut LogBuilder, name: Option<&str>| {
        log.start("p", "r", 1).rehearsed("a");
        name.into_iter().for_each(|name| smoke_check(log, name, "succeeded"));
        log.complete("p", "r", true);
    };
    assert_eq!(summary(&|log| rehearsal(log, Some("a"))), "verified unchained; 5:verified<-5");
    let missing = |line: u64| format!("violated unchained; {line}:violated<-{line}; {line}!policy-smoke-install");
    assert_eq!(summary(&|log| rehearsal(log, None)), missing(4));
    assert_eq!(summary(&|log| rehearsal(log, Some("b"))), missing(5));
    let earlier = |log: &mut LogBuilder| {
        rehearsal(log, Some("a"));
        rehearsal(log, None);
    };
    assert_eq!(summary(&earlier), missing(8));
    let abandoned = |log: &mut LogBuilder| {
        log.start("p", "r", 1);
        smoke_check(log, "a", "succeeded");
        rehearsal(log, None);
    };
    assert_eq!(summary(&abandoned).split("; 3!").next(), Some("violated unchained; 6:violated<-6"));
    let outside = |log: &mut LogBuilder| {
        rehearsal(log, None);
        smoke_check(log, "a", "succeeded");
    };
    assert_eq!(summary(&outside), missing(5));
}

/// A skip needs an entry with its actor and its plan. Without the key, nothing changes.
#[test]
fn skips_need_an_entry() {
    let permitted = "inconclusive chained; 1:unproven(bypassed)<-2; 1!gate-bypassed; 2!unproven-publish";
    let forbidden = "violated chained; 1:violated<-2; 1!gate-bypassed; 1!policy-skip";
    for (actor, policy, expected) in [
        (Some("alice"), "", permitted),
        (Some("alice"), "skips = []", forbidden),
        (Some("alice"), "skips = [{ actor = \"alice\" }]", permitted),
        (Some("alice"), "skips = [{ actor = \"alice\", plans = [\"q\", \"p\"] }]", permitted),
        (Some("alice"), "skips = [{ actor = \"alice\", plans = [\"q\"] }]", forbidden),
        (Some("alice"), "[[skips]]\nactor = \"Alice\"", forbidden),
        (None, "skips = [{ actor = \"alice\" }]", forbidden),
    ] {
        assert_eq!(bypass(actor).summary(&demand(policy)), expected, "{actor:?}: {policy}");
    }
}

/// A skip that was recorded without a registry is dormant, and is still a skip.
#[test]
fn dormant_skip_needs_an_entry() {
    let mut log = LogBuilder::chained();
    let basis = serde_json::to_string(&log.head()).expect("JSON");
    log.event(&format!(
        r#"{{"type":"gate_evaluated","rules":1,"plan_id":"p","rehearsal_registry":null,"skip":true,"actor":"mallory","verdict":"dormant","reasons":[],"basis":{basis}}}"#
    ));
    log.plan_on("p", 1, 1).published("a").finished("success");
    for (policy, is_found) in [("", false), ("skips = []", true), ("skips = [{ actor = \"mallory\" }]", false)] {
        assert_eq!(log.summary(&demand(policy)).contains("1!policy-skip"), is_found, "{policy}");
    }
}

/// Unchained lines are reported at the first, and with `--since` at the first after the head.
#[test]
fn unchained_lines_are_reported() {
    let policy = demand("require-chained = true");
    let unchained = |audit: &LogAudit| -> Vec<(Option<u64>, Level)> {
        let found = audit.findings.iter().filter(|finding| finding.code == FindingCode::PolicyUnchained);
        found.map(|finding| (finding.line, finding.level)).collect()
    };
    let mut log = LogBuilder::chained();
    log.pass("p", "r").authorized("p", "r");
    assert_eq!(unchained(&log.audit(&policy)), []);
    let mut adopted_nothing = LogBuilder::chained();
    adopted_nothing.pass("p", "r").adopted();
    assert_eq!(unchained(&adopted_nothing.audit(&policy)), []);
    log.foreign_line(r#"{"type":"execution_started"}"#, "all");
    let head = log.head();
    assert_eq!(unchained(&log.audit(&policy)), [(Some(5), Level::Error)]);
    assert_eq!(unchained(&log.audit(&policy.clone().with_since(head))), [(Some(5), Level::Note)]);
    log.foreign_line(r#"{"type":"execution_started"}"#, "all");
    assert_eq!(unchained(&log.audit(&policy.clone().with_since(head))), [(Some(6), Level::Error)]);
    log.adopted().foreign_line(r#"{"type":"execution_started"}"#, "all");
    assert_eq!(unchained(&log.audit(&policy)), [(Some(5), Level::Error), (Some(8), Level::Error)]);
    let mut adopted = LogBuilder::foreign();
    adopted.pass("p", "r").adopted();
    assert_eq!(unchained(&adopted.audit(&policy)), [(Some(1), Level::Error)]);
    assert_eq!(unchained(&slow_run().audit(&policy)), [(Some(1), Level::Error)]);
    assert_eq!(unchained(&LogBuilder::foreign().audit(&policy)), []);
}

/// Only a signed head of the whole log seals it.
#[test]
fn signed_head_must_cover_the_whole_log() {
    let mut log = LogBuilder::chained();
    log.pass("p", "r").authorized("p", "r");
    let half = log.head();
    log.plan_on("p", 1, 4).published("a").finished("success");
    let audit = |head: Option<(shipper_events::Head, bool)>, torn: &str| {
        let mut options = demand("require-sealed = true");
        if let Some((head, is_signed)) = head {
            options = options.with_extends(head);
            let signer = HeadSigner { principals: vec!["ci".to_owned()], key: "SHA256:x".to_owned() };
            options.head_signer = is_signed.then_some(signer);
        }
        let mut auditor = Auditor::new(options, SidecarInput::NotRequested).expect("no time");
        auditor.feed(log.bytes());
        auditor.feed(torn.as_bytes());
        summarize(auditor.finish().expect("an audit"))
    };
    let whole = log.head();
    let mut part = demand("require-sealed = true").with_extends(whole).with_at("6".parse().expect("a line"));
    part.head_signer = Some(HeadSigner { principals: vec!["ci".to_owned()], key: "SHA256:x".to_owned() });
    assert!(log.summary(&part).contains("policy-sealed"), "a part of the log is not sealed");
    assert_eq!(audit(Some((whole, true)), ""), "verified chained; 4:verified<-5");
    for (head, torn) in
        [(None, ""), (Some((half, true)), ""), (Some((whole, false)), ""), (Some((whole, true)), "{\"seq\"")]
    {
        let found = audit(head, torn);
        assert!(found.starts_with("violated chained; 4:verified<-5; -!policy-sealed"), "{head:?} {torn}: {found}");
    }
}

/// A policy sets levels, but statuses stay; `--strict` raises a warning of a policy, and `--since` lowers what was reviewed.
#[test]
fn levels_change_the_conclusion_and_no_status() {
    let log = bypass(Some("alice"));
    let raised = demand("[levels]\ngate-bypassed = { level = \"error\", reason = \"ask \\u001b first\" }");
    assert_eq!(log.summary(&raised), "violated chained; 1:unproven(bypassed)<-2; 1!gate-bypassed; 2!unproven-publish");
    let audit = log.audit(&raised);
    let finding = audit.findings.iter().find(|finding| finding.code == FindingCode::GateBypassed).expect("it");
    assert!(
        finding.help.ends_with(r"; the policy changes the level from warning: ask \u{1b} first"),
        "{}",
        finding.help
    );
    let lowered = demand("[levels]\ngate-bypassed = { level = \"note\", reason = \"usual\" }");
    assert_eq!(log.summary(&lowered), "inconclusive chained; 1:unproven(bypassed)<-2; 2!unproven-publish");
    assert_eq!(
        log.summary(&lowered.with_strict(true)),
        "violated chained; 1:unproven(bypassed)<-2; 2!unproven-publish"
    );
    assert_eq!(log.summary(&raised.with_since(log.head())), "inconclusive chained");
}

/// No policy lowers a finding that decides a conclusion.
#[test]
fn decisive_findings_cannot_be_lowered() {
    for code in FindingCode::ALL {
        for level in [Level::Error, Level::Warning, Level::Note] {
            let text = format!("[levels]\n{code} = {{ level = \"{level}\", reason = \"why\" }}");
            let decides = code.level() == Level::Error
                || matches!(code.as_str(), "repair-interrupted" | "sync-failed" | "continues-earlier-log");
            assert_eq!(Policy::parse(&text).is_err(), decides && level > code.level(), "{text}");
        }
    }
}

/// The policy sets registry and accepted causes; another registry in the options is an error.
#[test]
fn policy_sets_other_options() {
    let policy = Policy::parse("registry = \"r\"\naccept = [\"bypassed\", \"bypassed\"]").expect("a policy");
    let options = AuditOptions::default().with_policy(policy.clone()).expect("no other registry");
    assert_eq!(options.registry, Some("r".parse().expect("a name")));
    assert_eq!(options.accept_list().as_deref(), Some("bypassed"));
    let log = LogReport::audited("log", bypass(None).audit(&options));
    assert_eq!(Report::new(options, vec![log]).exit_code, 0);
    let other = AuditOptions::default().with_registry("s".parse().expect("a name"));
    let error = other.with_policy(policy.clone()).expect_err("another registry");
    assert_eq!(error.to_string(), r#"the policy requires the registry "r", but the option names "s""#);
    assert!(AuditOptions::default().with_registry("r".parse().expect("a name")).with_policy(policy).is_ok());
}

/// Every error of a policy file has its place and its cause.
#[test]
fn hostile_policies_have_errors_with_a_place() {
    let deep = format!("skips = {}", "[".repeat(5000));
    let long = format!("registry = \"{}\"", "r".repeat(1001));
    for (text, expected) in [
        ("a = 1", r#"line 1, column 1: unknown key "a""#),
        ("\n\u{e9} = 1", "line 2, column 1: invalid TOML: "),
        (
            "  requires-chained = true",
            r#"line 1, column 3: unknown key "requires-chained"; the most similar one is "require-chained""#,
        ),
        ("registry = \"r\"\nregistry = \"s\"", "line 2, column 1: invalid TOML: duplicate key"),
        ("registry = 1", "line 1, column 12: expected a string, found integer"),
        ("registry = \"\"", "line 1, column 12: expected a text that is not empty"),
        (&long, "line 1, column 12: expected at most 1000 characters"),
        ("require-sealed = \"yes\"", "line 1, column 18: expected true or false, found string"),
        ("require-chained = 1", "line 1, column 19: expected true or false, found integer"),
        ("require-smoke-install = 1", "line 1, column 25: expected true or false, found integer"),
        ("accept = 1", "line 1, column 10: expected an array, found integer"),
        ("accept = [1]", "line 1, column 11: expected a string, found integer"),
        ("skips = [{ actor = 1 }]", "line 1, column 20: expected a string, found integer"),
        ("skips = [{ actor = \"a\", plans = 1 }]", "line 1, column 33: expected an array, found integer"),
        ("levels = 1", "line 1, column 10: expected a table, found integer"),
        ("max-rehearsal-age = 1", "line 1, column 21: expected a string, found integer"),
        (
            "max-rehearsal-age = \"1y\"",
            "line 1, column 21: expected a duration such as 30m, 24h or 7d, from 1s to 36500d",
        ),
        ("max-rehearsal-age = \"0h\"", "line 1, column 21: expected a duration"),
        ("max-rehearsal-age = \"99999999999999999999h\"", "line 1, column 21: expected a duration"),
        ("max-rehearsal-age = \"+1h\"", "line 1, column 21: expected a duration"),
        ("max-rehearsal-age = \"h\"", "line 1, column 21: expected a duration"),
        ("skips = { actor = \"a\" }", "line 1, column 9: expected an array, found table"),
        ("skips = [1]", "line 1, column 10: expected a table, found integer"),
        ("skips = [{ plans = [\"p\"] }]", r#"line 1, column 10: missing key "actor""#),
        ("skips = [{ actor = \"a\", plans = [] }]", "line 1, column 33: expected at least one plan"),
        (
            "skips = [{ actor = \"a\", plan = [\"p\"] }]",
            r#"column 25: unknown key "plan"; the most similar one is "plans""#,
        ),
        ("accept = [\"bypased\"]", r#"line 1, column 11: unknown cause "bypased"; the most similar one is "bypassed""#),
        (
            "[levels]\nblank-lines = 1",
            r#"line 2, column 1: unknown code of a finding "blank-lines"; the most similar one is "blank-line""#,
        ),
        ("[levels]\nblank-line = { level = \"fatal\", reason = \"r\" }", r#"line 2, column 24: unknown level "fatal""#),
        ("[levels]\nblank-line = { level = \"note\" }", r#"line 2, column 14: missing key "reason""#),
        (
            "[levels]\nblank-line = { level = \"note\", reason = \" \" }",
            "line 2, column 41: expected a text that is not empty",
        ),
        (
            "[levels]\nsidecar-drift = { level = \"note\", reason = \"r\" }",
            "line 2, column 27: cannot lower sidecar-drift from error",
        ),
        ("\"\\u001b[31m\" = 1", r#"line 1, column 1: unknown key "\u{1b}[31m""#),
        (&deep, "line 1, column"),
        (&"#".repeat(Policy::MAX_BYTES + 1), "line 1, column 1: the policy is longer than 65536 bytes"),
    ] {
        let error = Policy::parse(text).expect_err(text).to_string();
        assert!(error.contains(expected), "{error}\n{expected}");
    }
    assert_eq!(Policy::parse("\u{feff}# nothing\r\n"), Ok(Policy::default()));
}

/// A report with a policy is read again. An edit of its policy, or of a level, is an error.
#[test]
fn reports_with_a_policy_are_consistent() {
    let policy = "registry = \"r\"\nmax-rehearsal-age = \"7d\"\nskips = []\n[levels]\ngate-bypassed = { level = \"error\", reason = \"why\" }";
    let log = LogReport::audited("log", bypass(Some("alice")).audit(&demand(policy)));
    let report = Report::new(demand(policy), vec![log]);
    let summary = serde_json::json!({"summary": Summary::new(&report, &[])}).to_string();
    let log = serde_json::to_string(&report.logs[0]).expect("JSON");
    let read = |log: &str, summary: &str| {
        let mut merger = NdjsonMerger::default();
        merger.push_line(log.as_bytes()).map_err(|error| error.to_string())?;
        merger.push_line(summary.as_bytes()).map_err(|error| error.to_string())?;
        merger.finish().map_err(|error| error.to_string())
    };
    assert_eq!(read(&log, &summary), Ok(MergedReport::from(report)));
    for (from, to) in [
        (r#""code":"gate-bypassed","level":"error""#, r#""code":"corrupt-line","level":"note""#),
        (r#""code":"gate-bypassed","level":"error""#, r#""code":"gate-bypassed","level":"warning""#),
        (r#""max_rehearsal_age":604800"#, r#""max_rehearsal_age":0"#),
        (r#""registry":"r","require_chained""#, r#""registry":"s","require_chained""#),
        (r#""levels":["#, r#""level":["#),
    ] {
        assert!(summary.contains(from), "{from}: {summary}");
        let edited = read(&log, &summary.replace(from, to));
        assert!(edited.is_err(), "{to}: {edited:?}");
    }
}

/// Findings stay the same while a log grows, because `--follow` prints each message once.
#[test]
fn findings_stay_the_same_while_a_log_grows() {
    let options = demand("require-chained = true\nmax-rehearsal-age = \"61m\"");
    let mut log = LogBuilder::foreign();
    log.pass("p", "r");
    at(&mut log, "09:00:02", r#"{"type":"plan_created","plan_id":"p","package_count":1}"#, "all");
    at(&mut log, "10:00:02", r#"{"type":"package_attempted"}"#, "a@1.0.0");
    let begin = log.bytes().len();
    at(&mut log, "11:00:02", r#"{"type":"package_published","duration_ms":7}"#, "a@1.0.0");
    let mut auditor = Auditor::new(options, SidecarInput::NotRequested).expect("no time");
    let found = |auditor: &Auditor| -> Vec<(Option<u64>, String)> {
        let audit = auditor.audit_so_far().expect("an audit");
        let found = audit.findings.into_iter().filter(|finding| finding.code.is_of_policy());
        found.map(|finding| (finding.line, finding.message.into_owned())).collect()
    };
    auditor.feed(&log.bytes()[..begin]);
    let before = found(&auditor);
    assert_eq!(before.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [Some(1), Some(4)]);
    auditor.feed(&log.bytes()[begin..]);
    assert_eq!(found(&auditor), before);
}
