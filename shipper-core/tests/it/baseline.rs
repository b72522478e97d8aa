//! A comparison with an earlier report shows each difference once, and is worse exactly as `docs/policy.md`, "Changes
//! since a report", defines. Otherwise a regression passes, or an improvement fails.

use shipper_core::audit::{
    AuditOptions, BaselineComparison, LogReport, MergedReport, Policy, Report, compare_with_baseline,
};
use shipper_testkit::log_builder::LogBuilder;

fn report(options: &AuditOptions, logs: &[(&str, &LogBuilder)]) -> Report {
    let logs = logs.iter().map(|(path, log)| LogReport::audited(*path, log.audit(options)));
    Report::new(options.clone(), logs.collect())
}

/// The differences as text: exit status, then logs, decisions and findings, each with `!` if it is worse.
fn summary(comparison: &BaselineComparison) -> String {
    let mark = |worse: bool| if worse { "!" } else { "" };
    let mut text = comparison.exit_code.to_string();
    for log in &comparison.changes {
        let conclusion = |conclusion: Option<_>| conclusion.map_or("-", shipper_core::audit::Conclusion::as_str);
        let (before, now) = (conclusion(log.before), conclusion(log.now));
        let lost = log.lost_lines.map_or(String::new(), |lines| format!(" -{lines}"));
        text += &format!("; {} {before}>{now}{lost}{}", log.path, mark(log.worse));
        for decision in &log.decisions {
            let status =
                |state: Option<shipper_core::audit::DecisionState>| state.map_or("-", |state| state.status.as_str());
            let (before, now) = (status(decision.before), status(decision.now));
            text += &format!(", {}:{before}>{now}{}", decision.line, mark(decision.worse));
        }
        for finding in &log.findings {
            let level = |level: Option<_>| level.map_or("-", shipper_core::audit::Level::as_str);
            let (before, now) = (level(finding.before), level(finding.now));
            text += &format!(", {} {before}>{now}{}", finding.code, mark(finding.worse));
        }
    }
    text
}

fn compare(before: Report, now: &Report) -> String {
    summary(&compare_with_baseline(&MergedReport::from(before), now))
}

fn demand(policy: &str) -> AuditOptions {
    AuditOptions::default().with_policy(Policy::parse(policy).expect("a policy")).expect("no other registry")
}

fn verified() -> LogBuilder {
    let mut log = LogBuilder::foreign();
    log.pass("p", "r").publish("p");
    log
}

fn unproven() -> LogBuilder {
    let mut log = LogBuilder::foreign();
    log.publish("p");
    log
}

/// A report has no difference from itself, also if its logs are unjudged; these have status 2.
#[test]
fn equal_reports_have_no_difference() {
    let options = AuditOptions::default();
    let same = report(&options, &[("a", &verified()), ("b", &unproven())]);
    assert_eq!(compare(same.clone(), &same), "0");
    let unreadable = Report::new(options, vec![LogReport::unreadable("a", "no such file")]);
    assert_eq!(compare(unreadable.clone(), &unreadable), "2");
}

/// A new policy shows what it changes, in both directions.
#[test]
fn policy_changes_decisions_and_findings() {
    let (usual, policy) = (AuditOptions::default(), demand("require-smoke-install = true"));
    let [before, now] = [&usual, &policy].map(|options| report(options, &[("a", &verified())]));
    assert_eq!(
        compare(before.clone(), &now),
        "1; a verified>violated!, 4:verified>violated!, policy-smoke-install ->error!"
    );
    assert_eq!(compare(now, &before), "0; a violated>verified, 4:violated>verified, policy-smoke-install error>-");
}

/// A raised level is worse, and a lowered one is not.
#[test]
fn levels_are_compared() {
    let raise = demand("[levels]\nunproven-publish = { level = \"error\", reason = \"why\" }");
    let lower = demand("[levels]\nunproven-publish = { level = \"note\", reason = \"why\" }");
    let [usual, raised, lowered] =
        [&AuditOptions::default(), &raise, &lower].map(|options| report(options, &[("a", &unproven())]));
    assert_eq!(compare(usual.clone(), &raised), "1; a inconclusive>violated!, unproven-publish warning>error!");
    assert_eq!(compare(usual.clone(), &lowered), "0; a inconclusive>inconclusive, unproven-publish warning>note");
    assert_eq!(compare(lowered, &usual), "1; a inconclusive>inconclusive!, unproven-publish note>warning!");
}

/// A missing log is worse, and so is a new one that is not verified.
#[test]
fn new_and_missing_logs() {
    let options = AuditOptions::default();
    let of = |logs: &[(&str, &LogBuilder)]| report(&options, logs);
    let (good, bad) = (verified(), unproven());
    assert_eq!(compare(of(&[("a", &good), ("b", &good)]), &of(&[("a", &good)])), "1; b verified>-!");
    assert_eq!(
        compare(of(&[("a", &good)]), &of(&[("a", &good), ("b", &good)])).split(", ").next(),
        Some("0; b ->verified")
    );
    let added = compare(of(&[("a", &good)]), &of(&[("a", &good), ("b", &bad)]));
    assert_eq!(added, "1; b ->inconclusive!, 1:->unproven!, unproven-publish ->warning!");
}

/// A longer log is compared on all its lines. A shorter one is worse, and so is a decision that is gone under the same
/// options.
#[test]
fn logs_grow_and_shrink() {
    let options = AuditOptions::default();
    let (short, mut long) = (verified(), verified());
    long.pass("q", "r").publish("q");
    let [short, long] = [&short, &long].map(|log| report(&options, &[("a", log)]));
    assert_eq!(compare(short.clone(), &long), "0; a verified>verified, 10:->verified");
    assert_eq!(compare(long.clone(), &short), "1; a verified>verified -6!, 10:verified>-!");
    let narrow = AuditOptions::default().with_plan_id("p".parse().expect("a name"));
    let mut both = verified();
    both.pass("q", "r").publish("q");
    assert_eq!(compare(long, &report(&narrow, &[("a", &both)])), "0; a verified>verified, 10:verified>-");
}

/// Several logs of one path are paired by their bytes, so an unchanged one is no difference.
#[test]
fn logs_of_one_path_are_paired_by_bytes() {
    let options = AuditOptions::default();
    let (good, bad, mut grown) = (verified(), unproven(), unproven());
    grown.event(r#"{"type":"execution_started"}"#);
    let before = report(&options, &[("a", &bad), ("a", &good)]);
    assert_eq!(compare(before.clone(), &report(&options, &[("a", &good), ("a", &bad)])), "0");
    assert_eq!(compare(before.clone(), &report(&options, &[("a", &good), ("a", &grown)])), "0");
    assert_eq!(compare(before, &report(&options, &[("a", &good)])), "1; a inconclusive>-!");
}
