//! Comparison of a log with a policy, as a pure function over facts that the engine has collected.

use shipper_events::{PlanId, display_safe};
use time::{Duration, OffsetDateTime};

use super::duration::format_duration;
use super::model::{Policy, SkipRule};
use crate::audit::report::{Finding, FindingCode, Label, paths};

/// The facts about a log that the rules of a policy depend on.
#[derive(Debug, Clone, Default)]
pub(in crate::audit) struct PolicyFacts {
    /// The facts about each decision, by its position in the engine.
    pub(in crate::audit) decisions: Vec<DecisionFacts>,
    /// Consecutive unchained lines, each as long as possible.
    pub(in crate::audit) unchained: Vec<UnchainedLines>,
    /// True if a signed head covers the whole log.
    pub(in crate::audit) is_sealed: bool,
}

/// The facts about a decision.
#[derive(Debug, Clone)]
pub(in crate::audit) struct DecisionFacts {
    pub(in crate::audit) line: u64,
    pub(in crate::audit) plan_id: PlanId,
    pub(in crate::audit) asked_at: OffsetDateTime,
    /// The recorded actor of a recorded skip, if one is recorded. `None` for another decision.
    pub(in crate::audit) skipped_by: Option<Option<String>>,
    /// The rehearsal that backs the permission. `None` without one.
    pub(in crate::audit) receipt: Option<ReceiptFacts>,
    /// The times of each run that used the decision.
    pub(in crate::audit) acts: Vec<ActFacts>,
}

/// The facts about a completed rehearsal.
#[derive(Debug, Clone)]
pub(in crate::audit) struct ReceiptFacts {
    pub(in crate::audit) line: u64,
    pub(in crate::audit) completed_at: OffsetDateTime,
    /// True if it contains a successful smoke check of one of its packages.
    pub(in crate::audit) has_smoke_check: bool,
}

/// The times of a run: of its start, attempts, uploads and publishes.
#[derive(Debug, Clone)]
pub(in crate::audit) struct ActFacts {
    /// The first line of the run.
    pub(in crate::audit) run: u64,
    /// The earliest time, and its line.
    pub(in crate::audit) earliest: (OffsetDateTime, u64),
    /// The latest time, and its line.
    pub(in crate::audit) latest: (OffsetDateTime, u64),
}

/// The first and the last of consecutive unchained lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::audit) struct UnchainedLines {
    pub(in crate::audit) first: u64,
    pub(in crate::audit) last: u64,
}

/// Returns the findings of a policy, each with the position of the decision that it is about; `None` if it is about the
/// log. `since` is the number of lines up to the head of `--since`; 0 without it.
pub(in crate::audit) fn check(policy: &Policy, facts: &PolicyFacts, since: u64) -> Vec<(Finding, Option<usize>)> {
    let decisions = facts.decisions.iter().enumerate().flat_map(|(position, decision)| {
        let found = check_age(policy, decision).into_iter().chain(check_smoke(policy, decision));
        found.chain(check_skip(policy, decision)).map(move |finding| (finding, Some(position)))
    });
    let unchained = facts.unchained.iter().filter(|_| policy.require_chained);
    let unchained = unchained.map(|lines| (unchained_finding(*lines, since), None));
    let is_unsealed = policy.require_sealed && !facts.is_sealed;
    let unsealed = is_unsealed.then(|| {
        let message = "no verified signed head covers the whole log, and the policy requires one";
        (Finding::new(FindingCode::PolicySealed, None, message), None)
    });
    decisions.chain(unchained).chain(unsealed).collect()
}

/// Reports a decision whose rehearsal was too old or completed later, and otherwise each of its runs with such a time.
fn check_age(policy: &Policy, decision: &DecisionFacts) -> Vec<Finding> {
    let (Some(max), Some(receipt)) = (policy.max_rehearsal_age, &decision.receipt) else {
        return Vec::new();
    };
    let is_late =
        |at: OffsetDateTime| at - receipt.completed_at > Duration::seconds(i64::try_from(max).unwrap_or(i64::MAX));
    let (rehearsal, allowed) = (receipt.line, format_duration(max));
    let completion = Label::new(rehearsal, paths::TIMESTAMP, "the rehearsal was completed here");
    let finding = |line, message: String| Finding::new(FindingCode::PolicyRehearsalAge, line, message);
    let asked_at = decision.asked_at;
    if asked_at < receipt.completed_at {
        let message = format!("the time of this decision is before that of the rehearsal on line {rehearsal}");
        return vec![finding(decision.line, message).with_labels([completion])];
    }
    if is_late(asked_at) {
        let age = format_duration(seconds(asked_at - receipt.completed_at));
        let message = format!(
            "the rehearsal on line {rehearsal} was completed {age} before this decision, but the policy allows {allowed}"
        );
        return vec![finding(decision.line, message).with_labels([completion])];
    }
    // The messages stay the same while the run goes on, because --follow prints each message once.
    let findings = decision.acts.iter().filter_map(|acts| {
        let (message, line, text) = if acts.earliest.0 < receipt.completed_at {
            let message = format!("a time of the run is before the completion of the rehearsal on line {rehearsal}");
            (message, acts.earliest.1, "the earliest time")
        } else if is_late(acts.latest.0) {
            let message = format!(
                "the run begins or publishes more than {allowed} after the rehearsal on line {rehearsal} was \
                 completed, which the policy does not allow"
            );
            (message, acts.latest.1, "the latest time")
        } else {
            return None;
        };
        Some(finding(acts.run, message).with_labels([Label::new(line, paths::TIMESTAMP, text), completion]))
    });
    findings.collect()
}

/// Returns the seconds of a positive duration, rounded up.
fn seconds(duration: Duration) -> u64 {
    let whole = u64::try_from(duration.whole_seconds()).unwrap_or(0);
    whole.saturating_add(u64::from(duration.subsec_nanoseconds() > 0))
}

fn check_smoke(policy: &Policy, decision: &DecisionFacts) -> Option<Finding> {
    let receipt =
        decision.receipt.as_ref().filter(|receipt| policy.require_smoke_install && !receipt.has_smoke_check)?;
    let message = format!(
        "the rehearsal on line {} has no successful smoke check of one of its packages, and the policy requires one",
        receipt.line
    );
    let rehearsal = Label::new(receipt.line, paths::PASSED, "the rehearsal used as evidence");
    Some(Finding::new(FindingCode::PolicySmokeInstall, decision.line, message).with_labels([rehearsal]))
}

fn check_skip(policy: &Policy, decision: &DecisionFacts) -> Option<Finding> {
    let (rules, actor) = (policy.skips.as_ref()?, decision.skipped_by.as_ref()?);
    let permits = |rule: &SkipRule| {
        let has_plan = rule.plans.as_ref().is_none_or(|plans| plans.contains(&decision.plan_id));
        actor.as_ref() == Some(&rule.actor) && has_plan
    };
    if rules.iter().any(permits) {
        return None;
    }
    let by = actor.as_deref().map_or("without a recorded actor".to_owned(), |actor| {
        format!("by {}", display_safe(actor).max_chars(80).quoted())
    });
    let message = format!("the policy does not permit the skip of this plan {by}");
    Some(Finding::new(FindingCode::PolicySkip, decision.line, message))
}

/// Reports unchained lines at the first of them, or at the first after the head of `--since`.
fn unchained_finding(lines: UnchainedLines, since: u64) -> Finding {
    let UnchainedLines { first, last } = lines;
    let begin = if first <= since && since < last { since + 1 } else { first };
    // The last line is not named: it changes while the log grows, and --follow prints each message once.
    let message = "unchained lines begin here, and the policy requires chained lines";
    Finding::new(FindingCode::PolicyUnchained, begin, message)
}
