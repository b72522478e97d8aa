//! Every decision and every run gets the status and the findings that `docs/auditing.md` defines, because an auditor
//! acts on them.

use shipper_core::audit::{AuditOptions, Level};
use shipper_testkit::log_builder::{LogBuilder, assert_summary};

fn demand(registry: &str) -> AuditOptions {
    AuditOptions::default().with_registry(registry.parse().expect("a name"))
}

// Implicit decisions.

/// A run after a passed rehearsal of its plan with sound evidence is verified.
#[test]
fn a_run_on_a_passing_rehearsal_is_verified() {
    let mut log = LogBuilder::foreign();
    log.pass("p", "r").publish("p");
    assert_summary(&log, "verified unchained; 4:verified<-4");
    assert_eq!(log.summary(&demand("r")), "verified unchained; 4:verified<-4");
    assert_eq!(
        log.summary(&demand("s")),
        "violated unchained; 4:violated<-4; 4!publish-not-authorized; -!registry-never-named"
    );
}

/// Without a rehearsal of its plan, a run is unproven: nothing contradicts it, and nothing backs it.
#[test]
fn a_run_without_a_rehearsal_is_unproven() {
    let mut log = LogBuilder::foreign();
    log.publish("p");
    assert_summary(&log, "inconclusive unchained; 1:unproven(unrecorded)<-1; 1!unproven-publish");
    assert_eq!(log.summary(&demand("r")), "violated unchained; 1:violated<-1; 1!publish-not-authorized");
    let mut log = LogBuilder::foreign();
    log.pass("q", "r").publish("p");
    assert_summary(&log, "inconclusive unchained; 4:unproven(unrecorded)<-4; 4!unproven-publish");
}

/// A run after a rehearsal that failed, or whose evidence is unsound, is violated.
#[test]
fn run_after_a_failed_rehearsal_is_violated() {
    let mut log = LogBuilder::foreign();
    log.fail("p", "r").publish("p");
    assert_summary(&log, "violated unchained; 4:violated<-4; 4!publish-not-authorized");
    let mut log = LogBuilder::foreign();
    log.start("p", "r", 2).rehearsed("a").complete("p", "r", true).publish("p");
    assert_summary(&log, "violated unchained; 4:violated<-4; 4!publish-not-authorized");
}

/// A refused run that does not act violates nothing: it may have stopped at the gate.
#[test]
fn refused_run_without_an_action_is_unproven() {
    let mut log = LogBuilder::foreign();
    log.fail("p", "r").plan("p", 1).finished("refused");
    assert_summary(&log, "inconclusive unchained; 4:unproven(unrecorded)<-4; 4!unproven-publish");
    for action in ["package_attempted", "package_uploaded", "package_published"] {
        let mut acting = LogBuilder::foreign();
        acting.fail("p", "r").plan("p", 1).event_on(&format!(r#"{{"type":"{action}"}}"#), "a@1.0.0");
        let unconfirmed = if action == "package_uploaded" { "; 4!upload-unconfirmed" } else { "" };
        assert_summary(&acting, &format!("violated unchained; 4:violated<-4; 4!publish-not-authorized{unconfirmed}"));
    }
    let mut skipping = LogBuilder::foreign();
    skipping.fail("p", "r").plan("p", 1).event_on(r#"{"type":"package_skipped","reason":"there"}"#, "a@1.0.0");
    assert_summary(&skipping, "inconclusive unchained; 4:unproven(unrecorded)<-4; 4!unproven-publish");
}

/// A run must publish the rehearsed packages: their number and each of them. A run has at most one finding about that.
#[test]
fn a_run_must_publish_what_was_rehearsed() {
    let mut log = LogBuilder::foreign();
    log.pass("p", "r").plan("p", 1).published("b").published("c");
    assert_summary(&log, "violated unchained; 4:violated<-4; 4!not-what-was-rehearsed");
    let mut log = LogBuilder::foreign();
    log.pass("p", "r").plan("p", 2).published("a").published("b");
    assert_summary(&log, "violated unchained; 4:violated<-4; 4!not-what-was-rehearsed");
    let mut log = LogBuilder::foreign();
    log.pass("p", "r").plan("p", 2).finished("nothing to do");
    assert_summary(&log, "verified unchained; 4:verified<-4");
}

/// A publish outside every run is reported once, at the first event between two runs.
#[test]
fn publishing_outside_a_run_is_an_error_once_between_two_runs() {
    let mut log = LogBuilder::foreign();
    log.published("x").published("y").pass("p", "r").publish("p").published("z").published("x");
    assert_summary(&log, "violated unchained; 6:verified<-6; 1!publish-outside-run; 9!publish-outside-run");
    let mut log = LogBuilder::foreign();
    log.pass("p", "r").plan("p", 1).event(r#"{"type":"execution_started"}"#).published("a");
    assert_summary(&log, "violated unchained; 4:verified<-4; 6!publish-outside-run");
}

/// A registry that only a rehearsal names is noted, because it may not be the configured one.
#[test]
fn registry_that_only_a_rehearsal_names_is_noted() {
    let is_noted = |log: &LogBuilder, options: &AuditOptions| {
        log.audit(options).findings.iter().any(|finding| finding.code.as_str() == "self-declared-registry")
    };
    let mut log = LogBuilder::foreign();
    log.publish("p");
    assert!(!is_noted(&log, &AuditOptions::default()), "no registry is named");
    log.pass("p", "r").publish("p");
    assert!(is_noted(&log, &AuditOptions::default()));
    assert!(!is_noted(&log, &demand("r")));
}

// Recorded decisions.

/// A recorded and confirmed decision is authorized, and verified once a run uses it.
#[test]
fn used_authorization_is_verified() {
    let mut log = LogBuilder::chained();
    log.pass("p", "r").authorized("p", "r");
    assert_summary(&log, "verified chained; 4:authorized");
    log.publish("p");
    assert_summary(&log, "verified chained; 4:verified<-5");
}

/// A run and its resumption use one decision. After a success, the next run has an implicit decision.
#[test]
fn decision_can_be_used_until_a_run_succeeds() {
    let mut log = LogBuilder::chained();
    log.pass("p", "r")
        .authorized("p", "r")
        .plan("p", 1)
        .event_on(r#"{"type":"package_failed"}"#, "a@1.0.0")
        .finished("failure");
    log.publish("p");
    assert_summary(&log, "verified chained; 4:verified<-5,8");
    log.publish("p");
    assert_summary(&log, "verified chained; 4:verified<-5,8; 11:verified<-11; 11!gate-not-asked-again");
}

/// `gate` names a decision, even if it is not the latest, and also after a success.
#[test]
fn run_uses_the_decision_that_it_names() {
    let mut log = LogBuilder::chained();
    log.pass("p", "r").authorized("p", "r").publish("p").authorized("p", "r");
    log.plan_on("p", 1, 4).published("a").finished("success");
    assert_summary(&log, "verified chained; 4:verified<-5,9; 8:authorized");
}

/// A named decision must be an earlier one of the run's plan.
#[test]
fn a_named_decision_must_exist() {
    for gate in [0, 1, 5, 99] {
        let mut log = LogBuilder::chained();
        log.pass("p", "r").authorized("p", "r").plan_on("p", 1, gate);
        assert_summary(&log, "violated chained; 4:authorized; 5:violated<-5; 5!gate-not-asked-again; 5!gate-not-found");
    }
    let mut log = LogBuilder::chained();
    log.pass("p", "r").authorized("p", "r").gate("q", Some("r"), false, "refused", &["stale-plan"]).plan_on("q", 1, 4);
    assert_summary(&log, "violated chained; 4:authorized; 5:refused; 6:violated<-6; 6!gate-not-found");
}

/// A refusal without a later publish is verified.
#[test]
fn unused_refusal_is_verified() {
    let mut log = LogBuilder::chained();
    log.fail("p", "r").gate("p", Some("r"), false, "refused", &["rehearsal-failed"]);
    assert_summary(&log, "verified chained; 4:refused");
    log.plan("p", 1).finished("refused");
    assert_summary(&log, "verified chained; 4:refused<-5");
}

/// A publish after a refusal is violated, also after an earlier permission.
#[test]
fn publishing_despite_a_refusal_is_violated() {
    let mut log = LogBuilder::chained();
    log.fail("p", "r").gate("p", Some("r"), false, "refused", &["rehearsal-failed"]).publish("p");
    assert_summary(&log, "violated chained; 4:violated<-5; 5!published-despite-refusal");
    let mut log = LogBuilder::chained();
    log.pass("p", "r").authorized("p", "r").fail("p", "r").gate(
        "p",
        Some("r"),
        false,
        "refused",
        &["rehearsal-failed"],
    );
    log.plan_on("p", 1, 4).published("a");
    assert_summary(
        &log,
        "violated chained; 4:violated<-9; 8:refused; 9!decision-outdated; 9!published-despite-refusal",
    );
}

/// A rehearsal after a refusal gives the run an implicit decision, even if the gate is not asked again.
#[test]
fn rehearsing_after_a_refusal_is_no_violation() {
    let mut log = LogBuilder::chained();
    log.gate("p", Some("r"), false, "refused", &["no-rehearsal"]).pass("p", "r").publish("p");
    assert_summary(&log, "verified chained; 1:refused; 5:verified<-5; 5!gate-not-asked-again");
}

/// A permission without a recorded decision is outdated by the registry that it rests on, and not by an earlier one.
#[test]
fn outdated_permission_without_a_decision_is_violated() {
    let mut log = LogBuilder::foreign();
    log.pass("p", "r").publish("p").pass("p", "s").plan("p", 1);
    let mut other = log.clone();
    log.fail("p", "s").published("a");
    assert_summary(&log, "violated unchained; 4:verified<-4; 10:violated<-10; 10!decision-outdated");
    other.start("p", "r", 1).rehearsal_failure().published("a");
    assert_summary(&other, "verified unchained; 4:verified<-4; 10:verified<-10");
}

/// A permission that is already wrong when it is recorded is not outdated by the next event of a rehearsal.
#[test]
fn wrong_permission_is_not_outdated_by_an_earlier_failure() {
    let mut log = LogBuilder::chained();
    log.fail("p", "r").authorized("p", "r").start("p", "r", 1).publish("p");
    assert_summary(&log, "violated chained; 4:violated<-6; 4!verdict-mismatch; 6!rehearsal-unfinished");
}

/// A permission is outdated by a failed or unsound rehearsal, by a failure in an open one, and by an unknown gate
/// event. A rehearsal of another plan does not outdate it.
#[test]
fn outdated_permission_is_violated() {
    let outdated = |change: &dyn for<'l> Fn(&'l mut LogBuilder) -> &'l mut LogBuilder| {
        let mut log = LogBuilder::chained();
        log.pass("p", "r").authorized("p", "r");
        change(&mut log);
        log.plan("p", 1).published("a");
        log.summary(&AuditOptions::default())
    };
    assert_eq!(outdated(&|log| log.fail("p", "r")), "violated chained; 4:violated<-8; 8!decision-outdated");
    assert_eq!(
        outdated(&|log| log.start("p", "r", 1).rehearsal_failure()),
        "violated chained; 4:violated<-7; 7!decision-outdated; 7!rehearsal-unfinished",
    );
    assert_eq!(
        outdated(&|log| log.event(r#"{"type":"gate_consulted"}"#)),
        "unjudged chained; 4:unjudged<-6; 5!unknown-gate-event; 6!unjudged-run",
    );
    assert_eq!(outdated(&|log| log.complete("p", "r", true)), "violated chained; 4:violated<-6; 6!decision-outdated");
    assert_eq!(outdated(&|log| log.pass("q", "r")), "verified chained; 4:verified<-8");
    assert_eq!(outdated(&|log| log.fail("p", "s")), "verified chained; 4:verified<-8");
    assert_eq!(outdated(&|log| log.start("p", "r", 1)), "verified chained; 4:verified<-6; 6!rehearsal-unfinished");
    assert_eq!(outdated(&|log| log.fail("p", "r").pass("p", "r")), "verified chained; 4:verified<-11");
}

/// A publish without a decision is violated if a gate recorded any decision in this log.
#[test]
fn publishing_without_asking_is_violated_once_a_gate_was_asked() {
    let mut log = LogBuilder::chained();
    log.gate("q", Some("r"), false, "refused", &["no-rehearsal"]).publish("p");
    assert_summary(&log, "violated chained; 1:refused; 2:violated<-2; 2!ungated-publish");
}

/// Dormant and bypassed decisions are permitted until a run uses them, then unproven. A bypass is always reported.
#[test]
fn dormant_and_bypassed_permissions_are_unproven() {
    let mut log = LogBuilder::chained();
    log.gate("p", None, false, "dormant", &[]);
    assert_summary(&log, "inconclusive chained; 1:permitted");
    log.publish("p");
    assert_summary(&log, "inconclusive chained; 1:unproven(dormant)<-2; 2!unproven-publish");
    let mut log = LogBuilder::chained();
    log.gate("p", Some("r"), true, "bypassed", &[]);
    assert_summary(&log, "inconclusive chained; 1:permitted; 1!gate-bypassed");
    log.publish("p");
    assert_summary(&log, "inconclusive chained; 1:unproven(bypassed)<-2; 1!gate-bypassed; 2!unproven-publish");
    let strict = AuditOptions::default().with_strict(true);
    assert_eq!(log.summary(&strict), "violated chained; 1:unproven(bypassed)<-2; 1!gate-bypassed; 2!unproven-publish");
}

/// A recorded verdict must equal the verdict from the events, with its reasons and their order.
#[test]
fn recorded_verdict_must_match_the_events() {
    for (verdict, reasons) in [
        ("authorized", &[][..]),
        ("refused", &["rehearsal-failed", "no-rehearsal"]),
        ("refused", &["stale-plan"]),
        ("refused", &[]),
        ("maybe", &["rehearsal-failed"]),
    ] {
        let mut log = LogBuilder::chained();
        log.fail("p", "r").gate("p", Some("r"), false, verdict, reasons);
        assert_summary(&log, "violated chained; 4:violated; 4!verdict-mismatch");
    }
}

/// A forged verdict does not hide the published packages: the permission still depends on the receipt.
#[test]
fn forged_verdict_does_not_hide_package_mismatch() {
    let mut log = LogBuilder::chained();
    log.pass("p", "r").gate("p", Some("r"), false, "authorized", &["x"]).plan("p", 1).published("evil");
    assert_summary(&log, "violated chained; 4:violated<-5; 4!verdict-mismatch; 5!not-what-was-rehearsed");
    assert_eq!(log.audit(&AuditOptions::default()).decisions[0].receipt_line, Some(3));
}

/// The basis must be the head of the lines before the decision.
#[test]
fn a_recorded_basis_is_checked() {
    let mut log = LogBuilder::chained();
    log.pass("p", "r");
    let mut basis = log.head();
    basis.lines += 1;
    log.gate_on("p", Some("r"), false, "authorized", &[], &basis);
    assert_summary(&log, "violated broken; 4:violated; 4!basis-mismatch");
}

/// A permission must have the demanded registry, but a refusal need not.
#[test]
fn a_permission_must_be_under_the_demanded_registry() {
    let mut log = LogBuilder::chained();
    log.pass("p", "r").authorized("p", "r").publish("p");
    assert_eq!(log.summary(&demand("r")), "verified chained; 4:verified<-5");
    assert_eq!(
        log.summary(&demand("s")),
        "violated chained; 4:violated<-5; 4!registry-not-demanded; -!registry-never-named"
    );
    let mut log = LogBuilder::chained();
    log.gate("p", None, false, "dormant", &[]);
    assert_eq!(log.summary(&demand("s")), "violated chained; 1:violated; 1!registry-not-demanded");
    let mut log = LogBuilder::chained();
    log.gate("p", Some("r"), false, "refused", &["no-rehearsal"]);
    assert_eq!(log.summary(&demand("s")), "verified chained; 1:refused; -!registry-never-named");
}

/// Decisions with an unknown rules version are not judged, nor are the runs that use them.
#[test]
fn unknown_rules_are_not_judged() {
    let mut log = LogBuilder::chained();
    log.event(r#"{"type":"gate_evaluated","rules":2,"plan_id":"p","verdict":["odd"]}"#).publish("p");
    assert_summary(&log, "unjudged chained; 1:unjudged<-2; 1!unknown-rules");
    log.published("x");
    assert_summary(&log, "violated chained; 1:unjudged<-2; 1!unknown-rules; 5!publish-outside-run");
}

// Options that exclude decisions and findings.

/// `--plan-id` excludes the decisions of other plans and their findings, but not findings about the log itself.
#[test]
fn plan_id_option_excludes_other_plans() {
    let of = |plan: &str| AuditOptions::default().with_plan_id(plan.parse().expect("a name"));
    let mut log = LogBuilder::foreign();
    log.pass("p", "r").publish("p").fail("q", "r").publish("q").published("x");
    assert_summary(
        &log,
        "violated unchained; 4:verified<-4; 10:violated<-10; 10!publish-not-authorized; 13!publish-outside-run",
    );
    assert_eq!(log.summary(&of("p")), "violated unchained; 4:verified<-4; 13!publish-outside-run");
    assert_eq!(log.summary(&of("o")), "violated unchained; 13!publish-outside-run");
    let mut log = LogBuilder::foreign();
    log.pass("p", "r").publish("p").publish("q");
    assert_eq!(log.summary(&of("p")), "verified unchained; 4:verified<-4");
    assert_eq!(log.summary(&of("o")), "inconclusive unchained");
    let mut log = LogBuilder::chained();
    let mut basis = log.head();
    basis.bytes = 1;
    log.gate_on("q", None, false, "dormant", &[], &basis);
    assert_eq!(log.summary(&of("p")), "violated broken; 1!basis-mismatch");
}

/// `--since` excludes handled decisions and lowers handled findings, but keeps what has effect after the head.
#[test]
fn since_option_excludes_handled_findings() {
    let mut log = LogBuilder::chained();
    log.fail("p", "r").publish("p");
    let head = log.head();
    log.pass("p", "r").authorized("p", "r").publish("p");
    assert_summary(&log, "violated chained; 4:violated<-4; 10:verified<-11; 4!publish-not-authorized");
    let since = AuditOptions::default().with_since(head);
    assert_eq!(log.summary(&since), "verified chained; 10:verified<-11");
    assert_eq!(log.audit(&since).findings.len(), 3, "lowered to a note, not hidden");
    let mut other = head;
    other.bytes -= 1;
    let does_not_fit = AuditOptions::default().with_since(other);
    assert_eq!(
        log.summary(&does_not_fit),
        "violated broken; 4:violated<-4; 10:verified<-11; 4!publish-not-authorized; -!head-mismatch",
    );
    let mut log = LogBuilder::chained();
    log.gate("p", Some("r"), true, "bypassed", &[]).plan("p", 1);
    let since = AuditOptions::default().with_since(log.head());
    assert_eq!(log.summary(&since), "inconclusive chained");
    log.published("a");
    assert_eq!(
        log.summary(&since),
        "inconclusive chained; 1:unproven(bypassed)<-2; 1!gate-bypassed; 2!unproven-publish"
    );
}

/// Handled findings become notes, including warnings that follow from a status. A run ends where the audit stops
/// judging.
#[test]
fn handled_findings_are_lowered_not_hidden() {
    let codes = |log: &LogBuilder, demand: &AuditOptions| -> Vec<(String, Level)> {
        let findings = log.audit(demand).findings;
        findings.iter().map(|finding| (finding.code.to_string(), finding.level)).collect()
    };
    let mut log = LogBuilder::foreign();
    log.publish("p");
    let since = AuditOptions::default().with_since(log.head()).with_strict(true);
    assert_eq!(log.summary(&since), "inconclusive unchained");
    assert_eq!(codes(&log, &since), [("unproven-publish".to_owned(), Level::Note)]);
    let mut log = LogBuilder::foreign();
    log.plan("p", 1).published("a");
    let since = AuditOptions::default().with_since(log.head());
    log.raw("{\n").finished("success");
    assert_eq!(log.summary(&since), "violated broken; 3!corrupt-line");
}

/// `--extends` compares the log with a head that was kept elsewhere.
#[test]
fn extends_option_detects_a_cut_or_rewritten_log() {
    let extends = |head| AuditOptions::default().with_extends(head);
    let mut log = LogBuilder::foreign();
    log.pass("p", "r");
    let kept = log.head();
    let short = log.clone();
    log.publish("p");
    assert_eq!(log.summary(&extends(kept)), "verified unchained; 4:verified<-4");
    assert_eq!(short.summary(&extends(log.head())), "violated broken; -!log-truncated");
    let mut other = LogBuilder::foreign();
    other.pass("q", "r").publish("q");
    assert_eq!(other.summary(&extends(kept)), "violated broken; 4:verified<-4; -!head-mismatch");
    let mut at = extends(log.head());
    at.at = Some("3".parse().expect("a line"));
    assert_eq!(log.summary(&at), "inconclusive unchained", "the head is compared with the whole file");
}

// Other findings.

/// Odd lines and events that are no errors are warnings at their lines.
#[test]
fn oddities_are_warnings_at_their_lines() {
    let mut log = LogBuilder::foreign();
    log.start("p", "r", 1)
        .start("p", "r", 1)
        .rehearsed("a")
        .complete("p", "r", true)
        .rehearsed("b")
        .rehearsal_failure();
    assert_summary(
        &log,
        "inconclusive unchained; 2!rehearsal-abandoned; 5!stray-rehearsal-event; 6!stray-rehearsal-event",
    );
    let mut log = LogBuilder::foreign();
    log.raw(" \t\r\n").pass("p", "r").raw("\n");
    assert_summary(&log, "inconclusive unchained; 1!blank-line; 1!crlf-line-endings; 5!blank-line");
    let mut log = LogBuilder::foreign();
    log.event(r#"{"type":"weather_observed"}"#).event(r#"{"type":"rehearsal_paused"}"#);
    assert_summary(&log, "inconclusive unchained; 2!unknown-gate-event");
    assert_eq!(log.audit(&AuditOptions::default()).findings.len(), 2, "the other unknown event is a note");
    let mut log = LogBuilder::chained();
    log.start("p", "r", 1)
        .rehearsed("a")
        .event(r#"{"type":"tail_repaired","bytes":7,"blake3":"x"}"#)
        .complete("p", "r", true);
    assert_summary(&log, "inconclusive chained; 3!tail-repaired");
    assert_eq!(
        log.audit(&AuditOptions::default()).receipt.expect("a receipt").unsound,
        [shipper_core::fold::EvidenceFlaw::FailureRecorded]
    );
}

/// A gate event that is stamped earlier than the previous one is reported. Other events may overtake each other.
#[test]
fn backward_clock_is_reported_on_gate_events() {
    let stamped = |log: &mut LogBuilder, stamp: &str, event_type: &str| {
        log.raw(&format!("{{\"timestamp\":\"{stamp}\",\"event_type\":{event_type},\"package\":\"all\"}}\n"));
    };
    let plan = r#"{"type":"plan_created","plan_id":"p","package_count":1}"#;
    let mut log = LogBuilder::foreign();
    stamped(&mut log, "2026-11-23T08:00:00Z", plan);
    stamped(&mut log, "2026-11-23T07:00:00Z", r#"{"type":"package_started"}"#);
    stamped(&mut log, "2026-11-23T10:00:00+02:00", plan);
    stamped(&mut log, "2026-11-23T07:59:59.9Z", plan);
    stamped(&mut log, "2026-11-23T08:00:00Z", r#"{"type":"rehearsal_smoke_check_started"}"#);
    stamped(&mut log, "2026-11-23T06:00:00Z", r#"{"type":"rehearsal_unheard_of"}"#);
    let summary = log.summary(&AuditOptions::default());
    let count = summary.matches("time-went-backwards").count();
    assert!(summary.contains("; 4!time-went-backwards") && count == 1, "{summary}");
}

/// If a rehearsal and a run name one host, a note hints that the rehearsal used the live registry.
#[test]
fn shared_registry_host_is_a_note() {
    let policy = |credential: &str, index: &str| {
        format!(
            r#"{{"type":"registry_policy_applied","evidence":{{"posture":"x","credential_authority":"{credential}","index_authority":"{index}"}}}}"#
        )
    };
    let log = |first: &str, second: &str| {
        let mut log = LogBuilder::foreign();
        log.start("p", "r", 1).event(first).event(&policy("h9", "h9")).rehearsed("a").complete("p", "r", true);
        log.event(r#"{"type":"execution_started"}"#).event(&policy("h8", "h8")).event(second).publish("p");
        log
    };
    assert_summary(&log(&policy("h1", "h2"), &policy("h3", "h4")), "verified unchained; 9:verified<-9");
    assert_summary(
        &log(&policy("h1", "h2"), &policy("h2", "h5")),
        "verified unchained; 9:verified<-9; 9!shared-authority",
    );
    assert_summary(
        &log(&policy("https://Reg.example/api", "h2"), &policy("h3", "sparse+https://index.reg.example/")),
        "verified unchained; 9:verified<-9; 9!shared-authority",
    );
    assert_summary(
        &log(&policy("h1", "h2"), &policy("h1", "h4")),
        "verified unchained; 9:verified<-9; 9!shared-authority",
    );
    assert_summary(
        &log(&policy("h1", "h2"), &policy("h3", "h2")),
        "verified unchained; 9:verified<-9; 9!shared-authority",
    );
}
