//! Acceptance of inconclusive logs: `docs/auditing.md`, "Accepted causes".

use std::collections::BTreeSet;

use super::accepted_cause::AcceptedCause;
use super::options::AuditOptions;
use super::report::{Conclusion, Decision, DecisionStatus, FindingCode, LogAudit, RunReport, UnprovenCause};
use crate::gate::VerdictKind;

impl From<UnprovenCause> for AcceptedCause {
    fn from(cause: UnprovenCause) -> Self {
        match cause {
            UnprovenCause::Dormant => Self::Dormant,
            UnprovenCause::Bypassed => Self::Bypassed,
            UnprovenCause::Unrecorded => Self::Unrecorded,
        }
    }
}

/// Returns the causes that make a log inconclusive, if [`AuditOptions::accept`] has all of them. Returns `None` for a
/// log that is not inconclusive, or that has another cause. A run after a failed rehearsal of its plan is never accepted.
pub(in crate::audit) fn accepted_causes(audit: &LogAudit, options: &AuditOptions) -> Option<BTreeSet<AcceptedCause>> {
    if options.accept.is_empty() || audit.conclusion() != Conclusion::Inconclusive {
        return None;
    }
    let mut causes = BTreeSet::new();
    for decision in audit.decisions.iter().filter(|decision| is_open(decision)) {
        let is_after_failure = |run: &RunReport| audit.runs_after_failure.binary_search(&run.line).is_ok();
        let used_after_failure = decision.runs.iter().any(is_after_failure);
        causes.insert(cause(decision).filter(|_| !used_after_failure)?);
    }
    if audit.decisions.is_empty() {
        causes.insert(AcceptedCause::NoDecision);
        if !has_event(audit) || audit.has_finding(FindingCode::PlanNeverNamed) {
            return None;
        }
    }
    (causes.is_subset(&options.accept) && !audit.is_in_doubt()).then_some(causes)
}

/// Returns whether a decision makes its log inconclusive.
fn is_open(decision: &Decision) -> bool {
    matches!(decision.status, DecisionStatus::Unproven | DecisionStatus::Permitted)
}

/// Returns the cause that an open decision has: for a permitted one, the confirmed verdict.
fn cause(decision: &Decision) -> Option<AcceptedCause> {
    let verdict = decision.derived.as_ref().map(|derived| derived.verdict);
    match (decision.because, verdict) {
        (Some(because), _) => Some(because.into()),
        (None, Some(VerdictKind::Dormant)) => Some(AcceptedCause::Dormant),
        (None, Some(VerdictKind::Bypassed)) => Some(AcceptedCause::Bypassed),
        _ => None,
    }
}

/// Returns whether the log contains an event. It may return false if line 1 is blank and the audit names no later event.
fn has_event(audit: &LogAudit) -> bool {
    // Each complete line is blank or an event, because a corrupt one makes the log violated.
    let is_blank = |code: FindingCode| matches!(code, FindingCode::BlankLine | FindingCode::CrlfLineEndings);
    let mut with_line = audit.findings.iter().filter(|finding| finding.line.is_some());
    let begins_blank = with_line.clone().any(|finding| finding.line == Some(1) && is_blank(finding.code));
    audit.lines > 0 && (!begins_blank || audit.receipt.is_some() || with_line.any(|finding| !is_blank(finding.code)))
}
