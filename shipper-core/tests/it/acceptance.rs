//! `accepted_causes` accepts a log only if each reason why it is inconclusive is one that the caller named. A job
//! publishes or stays green on it, so every other reason, and every failed rehearsal, must prevent that.

use std::collections::BTreeSet;

use AcceptedCause::{Bypassed, Dormant, NoDecision, Unrecorded};
use shipper_core::audit::{AcceptedCause, AuditOptions, Level, LogAudit, LogReport, SidecarInput};
use shipper_events::PlanId;
use shipper_testkit::log_builder::{LogBuilder, audit};

fn accepting(causes: &[AcceptedCause]) -> AuditOptions {
    AuditOptions::default().with_accept(causes.iter().copied().collect())
}

fn accepted_causes(audit: LogAudit, options: &AuditOptions) -> Option<BTreeSet<AcceptedCause>> {
    LogReport::audited("log", audit).accepted_causes(options)
}

fn plan(plan: &str) -> PlanId {
    plan.parse().expect("a plan")
}

/// Every set of causes that does not have all `causes` is refused, and every other set is accepted.
#[track_caller]
fn assert_needs(log: &LogBuilder, causes: &[AcceptedCause]) {
    let all = [Dormant, Bypassed, Unrecorded, NoDecision];
    let needed: BTreeSet<AcceptedCause> = causes.iter().copied().collect();
    for bits in 0..16_u32 {
        let given: Vec<AcceptedCause> =
            (0..4).zip(all).filter(|(at, _)| bits & (1 << at) != 0).map(|it| it.1).collect();
        let options = accepting(&given);
        let accepted = needed.is_subset(&options.accept).then(|| needed.clone());
        assert_eq!(accepted_causes(log.audit(&options), &options), accepted, "{given:?}");
    }
}

/// No set of causes accepts the log.
#[track_caller]
fn assert_never(log: &LogBuilder, options: AuditOptions) {
    let options = options.with_accept(accepting(&[Dormant, Bypassed, Unrecorded, NoDecision]).accept);
    assert_eq!(accepted_causes(log.audit(&options), &options), None);
}

/// Decisions need the cause that they have, whether a run used them or not, and several need all of theirs.
#[test]
fn decisions_need_their_own_causes() {
    let mut log = LogBuilder::chained();
    log.gate("p", None, false, "dormant", &[]);
    assert_needs(&log, &[Dormant]);
    log.publish("p");
    assert_needs(&log, &[Dormant]);
    let mut log = LogBuilder::chained();
    log.gate("p", Some("r"), true, "bypassed", &[]);
    assert_needs(&log, &[Bypassed]);
    log.publish("p");
    assert_needs(&log, &[Bypassed]);
    log.pass("q", "r").authorized("q", "r").publish("q");
    assert_needs(&log, &[Bypassed]);
    log.gate("s", None, false, "dormant", &[]);
    assert_needs(&log, &[Bypassed, Dormant]);
    let mut log = LogBuilder::chained();
    log.publish("p");
    assert_needs(&log, &[Unrecorded]);
}

/// A log that is verified, violated or unjudged is not accepted: the conclusion decides its exit status.
#[test]
fn other_conclusions_are_not_accepted() {
    let mut log = LogBuilder::chained();
    log.pass("p", "r").publish("p");
    assert_never(&log, AuditOptions::default());
    let mut log = LogBuilder::chained();
    log.fail("p", "r").publish("p");
    assert_never(&log, AuditOptions::default());
    let mut log = LogBuilder::chained();
    log.gate("p", None, false, "dormant", &[]).event(r#"{"type":"gate_evaluated","rules":9,"plan_id":"p"}"#);
    assert_never(&log, AuditOptions::default());
}

/// A log with events and no decision is accepted. One without events is not, also if it has blank lines.
#[test]
fn no_decision_needs_an_event() {
    let mut log = LogBuilder::foreign();
    assert_never(&log, AuditOptions::default());
    log.raw("\n").raw(" \n").raw("\t\r\n");
    assert_never(&log, AuditOptions::default());
    log.pass("p", "r");
    assert_needs(&log, &[NoDecision]);
    let mut log = LogBuilder::chained();
    log.event(r#"{"type":"execution_started"}"#);
    assert_needs(&log, &[NoDecision]);
    assert_never(&log, AuditOptions::default().with_at("0".parse().expect("a line")));
    log.raw("\n");
    assert_needs(&log, &[NoDecision]);
    let mut log = LogBuilder::foreign();
    log.event(r#"{"type":"execution_started"}"#).raw("\n");
    assert_needs(&log, &[NoDecision]);
}

/// A torn tail and a sidecar that proves nothing are never accepted.
#[test]
fn tail_and_sidecar_are_never_accepted() {
    let options = accepting(&[Dormant, NoDecision]);
    for with_decision in [true, false] {
        let mut log = LogBuilder::chained();
        log.event(r#"{"type":"execution_started"}"#);
        if with_decision {
            log.gate("p", None, false, "dormant", &[]).publish("p");
        }
        let accepted = |sidecar: SidecarInput, tail: &str| {
            let audit =
                audit(&[log.bytes(), tail.as_bytes()].concat(), sidecar, &options).expect("no line is demanded");
            accepted_causes(audit, &options).is_some()
        };
        let path = || "rehearsal.json".to_owned();
        assert!(accepted(SidecarInput::NotRequested, ""));
        assert!(accepted(SidecarInput::Absent { path: path() }, ""));
        assert!(!accepted(SidecarInput::NotRequested, "{"));
        for bytes in ["", "{", r#"{"schema_version":"shipper.rehearsal.v9"}"#] {
            assert!(!accepted(SidecarInput::Found { path: path(), bytes: bytes.into() }, ""), "{bytes}");
        }
        assert!(!accepted(SidecarInput::Unreadable { path: path(), error: "no".to_owned() }, ""));
    }
}

/// No run after a failed rehearsal of its plan is accepted. A decision without a run published nothing.
#[test]
fn runs_after_a_failed_rehearsal_are_never_accepted() {
    let options = accepting(&[Dormant, Bypassed, Unrecorded, NoDecision]);
    let is_accepted = |log: &LogBuilder| accepted_causes(log.audit(&options), &options).is_some();
    for (registry, skip, verdict) in [(None, false, "dormant"), (Some("r"), true, "bypassed")] {
        for fail in [
            |log: &mut LogBuilder| _ = log.fail("p", "s"),
            |log: &mut LogBuilder| _ = log.start("p", "s", 1).rehearsal_failure(),
        ] {
            let mut log = LogBuilder::chained();
            fail(&mut log);
            log.gate("p", registry, skip, verdict, &[]);
            assert!(is_accepted(&log), "no run");
            let mut other = log.clone();
            other.gate("q", None, false, "dormant", &[]).publish("q");
            assert!(is_accepted(&other), "the run is of another plan");
            log.publish("p");
            assert!(!is_accepted(&log));
        }
    }
    let mut log = LogBuilder::chained();
    log.gate("p", None, false, "dormant", &[]).publish("p").fail("p", "s");
    assert!(is_accepted(&log), "the rehearsal came after the run");
}

/// With `--plan-id`, only the decisions of that plan count.
#[test]
fn plan_option_limits_the_causes() {
    let mut log = LogBuilder::chained();
    log.gate("p", None, false, "dormant", &[]).publish("p").gate("q", Some("r"), true, "bypassed", &[]).publish("q");
    let causes = |id: &str, accept| {
        let options = accepting(&[accept]).with_plan_id(plan(id));
        accepted_causes(log.audit(&options), &options)
    };
    assert_eq!(causes("p", Dormant), Some(BTreeSet::from([Dormant])));
    assert_eq!(causes("q", Dormant), None);
    assert_eq!(causes("q", Bypassed), Some(BTreeSet::from([Bypassed])));
}

/// `--strict` leaves the warnings about an accepted cause, and makes every other warning an error: also one about the same
/// run, and one about a run after a failed rehearsal.
#[test]
fn strict_leaves_only_the_warnings_of_accepted_causes() {
    let errors = |log: &LogBuilder, accept: &[AcceptedCause]| {
        let findings = log.audit(&accepting(accept).with_strict(true)).findings;
        let errors = findings.iter().filter(|finding| finding.level == Level::Error);
        errors.map(|finding| finding.code.as_str()).collect::<Vec<_>>().join(" ")
    };
    let mut bypassed = LogBuilder::chained();
    bypassed.gate("p", Some("r"), true, "bypassed", &[]);
    assert_eq!(errors(&bypassed, &[Bypassed]), "", "also without a run");
    assert_eq!(errors(&bypassed, &[Dormant, Unrecorded, NoDecision]), "gate-bypassed");
    bypassed.plan("p", 1).event_on(r#"{"type":"package_uploaded"}"#, "a@1.0.0");
    assert_eq!(errors(&bypassed, &[Bypassed]), "upload-unconfirmed");
    assert_eq!(errors(&bypassed, &[]), "gate-bypassed unproven-publish upload-unconfirmed");
    let mut dormant = LogBuilder::chained();
    dormant.gate("p", None, false, "dormant", &[]).publish("p");
    assert_eq!(errors(&dormant, &[Dormant]), "");
    assert_eq!(errors(&dormant, &[Bypassed]), "unproven-publish");
    let mut failed = LogBuilder::chained();
    failed.fail("p", "s").gate("p", None, false, "dormant", &[]).publish("p");
    assert_eq!(errors(&failed, &[Dormant]), "unproven-publish");
    let mut unrecorded = LogBuilder::chained();
    unrecorded.publish("p");
    assert_eq!(errors(&unrecorded, &[Unrecorded]), "");
    assert_eq!(errors(&unrecorded, &[Dormant]), "unproven-publish");
}
