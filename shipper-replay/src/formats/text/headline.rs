//! Headline: the conclusion about a log and its main reason, as one sentence.

use shipper_core::RefusalCode;
use shipper_core::audit::{
    Conclusion, Decision, DecisionStatus, Finding, FindingCode, Level, LogAudit, LogReport, Report, RunReport,
    SidecarStatus, TailStatus, UnauditedReason,
};
use shipper_events::PlanId;

use super::phrases::{path_text, plural};

/// Returns the conclusion and its reason as a sentence.
pub(crate) fn headline(log: &LogReport, report: &Report) -> String {
    format!("{}: {}.", capitalized(log.conclusion.as_str()), reason(log, report))
}

/// Returns the text with its first letter in upper case.
pub(crate) fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| first.to_uppercase().chain(chars).collect())
}

/// Returns the reason for a conclusion, and the causes that the options accept or cannot accept, without a final period.
pub(crate) fn reason(log: &LogReport, report: &Report) -> String {
    let reason = conclusion_reason(log, report);
    let accepted = log.accepted_causes(&report.demand).map(|causes| {
        let causes: Vec<&str> = causes.iter().map(|cause| cause.as_str()).collect();
        format!(" (accepted: {})", causes.join(", "))
    });
    let satisfied = report.demand.policy.is_some() && log.conclusion == Conclusion::Verified;
    let policy = if satisfied { ", and the log satisfies the policy" } else { "" };
    let refused = accepted.is_none().then(|| not_accepted(log)).flatten();
    let acknowledged = if log.acknowledged { " (acknowledged)" } else { "" };
    format!("{reason}{policy}{}{acknowledged}", accepted.or(refused).unwrap_or_default())
}

/// Returns why `--accept` cannot accept an inconclusive log: a run after a rehearsal that failed or is unsound. Without
/// `--accept`, the audit has no such runs.
fn not_accepted(log: &LogReport) -> Option<String> {
    let audit = log.audit.as_ref().filter(|_| log.conclusion == Conclusion::Inconclusive)?;
    let is_open =
        |decision: &&Decision| matches!(decision.status, DecisionStatus::Unproven | DecisionStatus::Permitted);
    let mut runs = audit.decisions.iter().filter(is_open).flat_map(|decision| &decision.runs);
    let run = runs.find(|run| audit.runs_after_failure.binary_search(&run.line).is_ok())?;
    Some(format!(" (not accepted: the rehearsal before the run on line {} did not pass, or is unsound)", run.line))
}

fn conclusion_reason(log: &LogReport, report: &Report) -> String {
    let Some(audit) = &log.audit else {
        return path_text(log.error.as_ref().map_or("the log was not audited", UnauditedReason::as_str)).to_string();
    };
    let count = |status| audit.decisions.iter().filter(|decision| decision.status == status).count() as u64;
    let has = |code| audit.findings.iter().any(|finding| finding.code == code && finding.level != Level::Note);
    let backed = |number, verb| match number {
        1 => format!("1 {verb} is backed by a passing rehearsal"),
        _ => format!("{number} {verb}s are backed by passing rehearsals"),
    };
    match (log.conclusion, main_error(audit)) {
        (Conclusion::Violated, Some(error)) if error.code.breaks_integrity() && has(FindingCode::CrlfLineEndings) => {
            "the line endings were converted to CR LF, which changes the hashes; convert them back, and audit again"
                .to_owned()
        }
        (Conclusion::Violated, Some(error)) => error_text(error, audit),
        (Conclusion::Verified, _) => match (count(DecisionStatus::Verified), count(DecisionStatus::Authorized)) {
            (0, 0) => format!("{}, and no run published", plural(count(DecisionStatus::Refused), "refusal")),
            (0, authorized) => format!("{}, and no run has used it yet", backed(authorized, "permission")),
            (verified, authorized) => backed(verified + authorized, "decision"),
        },
        (Conclusion::Unjudged, _) if has(FindingCode::UnjudgedRun) => {
            "a run published after an event that this version does not know".to_owned()
        }
        (Conclusion::Unjudged, _) => "a decision was made under rules that this version does not know".to_owned(),
        _ if has(FindingCode::RepairInterrupted) => "a repair of the log was interrupted".to_owned(),
        _ if has(FindingCode::SyncFailed) => "a sync of the log failed".to_owned(),
        _ if audit.decisions.is_empty() => {
            let is_of_receipt = |plan: &PlanId| audit.receipt.as_ref().is_some_and(|receipt| receipt.plan_id == *plan);
            match (&report.demand.plan_id, report.demand.since) {
                (Some(plan), _) if is_of_receipt(plan) => "the log contains no decision about this plan".to_owned(),
                (Some(_), _) => "the log contains no decision about this plan; a plan_id must be complete".to_owned(),
                (None, Some(_)) => "the log contains no decision after the head of --since".to_owned(),
                (None, None) => "the log contains no decision".to_owned(),
            }
        }
        _ if audit.tail == TailStatus::Torn => "the log ends in the middle of a line".to_owned(),
        _ if count(DecisionStatus::Unproven) > 0 => {
            format!("no rehearsal backs {}", plural(count(DecisionStatus::Unproven), "decision"))
        }
        _ if count(DecisionStatus::Permitted) > 0 => "the gate permitted a publish without a rehearsal".to_owned(),
        _ if matches!(audit.sidecar.status, SidecarStatus::Unreadable | SidecarStatus::Unsupported) => {
            "the sidecar cannot be compared with the log".to_owned()
        }
        _ if has(FindingCode::ContinuesEarlierLog) => {
            "the log continues an earlier log that was not audited".to_owned()
        }
        _ => "the log has no rehearsal that the sidecar could be of".to_owned(),
    }
}

/// Returns the error that the headline names: one about integrity, else the first.
fn main_error(audit: &LogAudit) -> Option<&Finding> {
    audit
        .findings
        .iter()
        .filter(|finding| finding.is_violation())
        .min_by_key(|finding| !finding.code.breaks_integrity())
}

/// Returns a sentence about an error: what a run did and why the gate forbids it, or the finding's message.
fn error_text(error: &Finding, audit: &LogAudit) -> String {
    let runs = audit.decisions.iter().flat_map(|decision| decision.runs.iter().map(move |run| (decision, run)));
    let run = runs.into_iter().find(|(_, run)| Some(run.line) == error.line);
    match (error.code, run) {
        (FindingCode::PublishNotAuthorized, Some((decision, run))) => {
            format!("{} although {}", acts(run), refusal(decision, error))
        }
        (FindingCode::UngatedPublish, Some((decision, run))) => {
            format!("{} without asking the gate, although {}", acts(run), refusal(decision, error))
        }
        (FindingCode::PublishedDespiteRefusal, Some((_, run))) => format!("{} although the gate refused", acts(run)),
        (FindingCode::DecisionOutdated, Some((decision, run))) => {
            format!("{} with the permission on line {}, which was outdated", acts(run), decision.line)
        }
        (code, _) => match error.line {
            Some(line) if code == FindingCode::CorruptLine => format!("line {line} is corrupt: {}", error.message),
            Some(line) => format!("{} (line {line})", error.message),
            None => error.message.to_string(),
        },
    }
}

fn acts(run: &RunReport) -> String {
    let line = run.line;
    match run.published {
        0 => format!("the run on line {line} started to publish"),
        1 => format!("1 package was published by the run on line {line}"),
        number => format!("{number} packages were published by the run on line {line}"),
    }
}

/// Returns the first reason why the gate would have refused, with the line of the rehearsal if the finding has it.
fn refusal(decision: &Decision, error: &Finding) -> String {
    // The labels are in the order of the reasons.
    let earlier = error.labels.iter().map(|label| label.line).find(|line| Some(*line) < error.line);
    let rehearsal = earlier.map_or("the latest rehearsal".to_owned(), |line| format!("the rehearsal on line {line}"));
    match decision.derived.as_ref().and_then(|derived| derived.reasons.first()) {
        Some(RefusalCode::NoRehearsal) => "no rehearsal was completed before".to_owned(),
        Some(RefusalCode::StalePlan) => format!("{rehearsal} was of another plan"),
        Some(RefusalCode::RegistryMismatch) => format!("{rehearsal} was on another registry"),
        Some(RefusalCode::RehearsalFailed) => format!("{rehearsal} failed"),
        Some(RefusalCode::UnsoundEvidence) => format!("the evidence of {rehearsal} is unsound"),
        Some(RefusalCode::UnknownGateEvent) => "an earlier gate event has an unknown type".to_owned(),
        Some(RefusalCode::UntrustedLog) => "the log was not trusted".to_owned(),
        _ => "the gate would have refused".to_owned(),
    }
}
