//! Phrases that the human report, and other formats for people, have in common.

use std::fmt::Display;

use shipper_core::RefusalCode;
use shipper_core::audit::{
    AuditOptions, Conclusion, Decision, DecisionStatus, FindingCode, Level, LogAudit, LogReport, RegistrySource,
    Report, RunReport, TailStatus, UnauditedReason, UnprovenCause,
};
use shipper_core::sidecar::{FieldDiff, FieldValue};
use shipper_events::display_safe::DisplaySafe;
use shipper_events::{RegistryName, display_safe};

/// Returns the reason for the conclusion, to follow it in one sentence.
pub(crate) fn headline(log: &LogReport, report: &Report) -> String {
    let Some(audit) = &log.audit else {
        let error = log.error.as_ref().map_or("it could not be judged", UnauditedReason::as_str);
        return format!(", {}", path_text(error));
    };
    let errors = audit.findings.iter().filter(|finding| finding.level == Level::Error);
    let first = audit.findings.iter().find(|finding| finding.level == Level::Error);
    let of = |status| audit.decisions.iter().filter(|decision| decision.status == status).count() as u64;
    match (log.conclusion, first) {
        (Conclusion::Violated, Some(first)) => {
            let place = first.line.map_or(String::new(), |line| format!(" on line {line}"));
            let more = errors.count() - 1;
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            format!(", {}{place}{more}", first.code)
        }
        (Conclusion::Unjudged, _) => ", it holds decisions under rules that this version does not know".to_owned(),
        (Conclusion::Verified, _) => {
            match (of(DecisionStatus::Verified), of(DecisionStatus::Authorized), of(DecisionStatus::Refused)) {
                (0, 0, refused) => format!(", {} stood and no run went on", plural(refused, "refusal")),
                (0, authorized, _) => format!(", {} and no run yet", plural(authorized, "authorization")),
                (backed, ..) => format!(", {} backed by a passing rehearsal", plural(backed, "decision")),
            }
        }
        _ if audit.decisions.is_empty() => match (&report.demand.plan_id, report.demand.since) {
            (Some(plan), _) if audit.receipt.as_ref().is_some_and(|receipt| receipt.plan_id == *plan) => {
                ", nothing was decided about this plan".to_owned()
            }
            (Some(_), _) => ", nothing was decided about this plan; its plan_id must be given in full".to_owned(),
            (None, Some(_)) => ", nothing was decided since that head".to_owned(),
            (None, None) => ", nothing was decided in this log".to_owned(),
        },
        _ if audit.tail == TailStatus::Torn => ", the log ends in the middle of a line".to_owned(),
        _ if of(DecisionStatus::Unproven) > 0 => {
            format!(", {} not backed by a rehearsal", plural(of(DecisionStatus::Unproven), "decision"))
        }
        _ if of(DecisionStatus::Permitted) > 0 => ", the gate let a plan pass without a rehearsal".to_owned(),
        _ => ", the sidecar cannot be compared".to_owned(),
    }
}

/// Returns the verdict that the events before a decision give, with its reasons or its evidence.
pub(crate) fn derived_text(decision: &Decision) -> String {
    match (&decision.derived, decision.receipt_line) {
        (None, _) => "made under rules that this version does not know".to_owned(),
        (Some(derived), Some(line)) => format!("{} by the rehearsal on line {line}", derived.verdict),
        (Some(derived), None) => format!("{}{}", derived.verdict, reasons_text(&derived.reasons)),
    }
}

/// Returns the recorded verdict of a decision, with its reasons; `None` if none is recorded.
pub(crate) fn recorded_text(decision: &Decision) -> Option<String> {
    let recorded = decision.recorded.as_ref()?;
    let reasons = recorded.reasons.iter().take(8).map(|reason| display_safe(reason).max_chars(40));
    Some(format!("{}{}", display_safe(&recorded.verdict).max_chars(40), in_parentheses(reasons)))
}

/// Returns the gate's verdict at the end of a log; `None` if the audit asked no gate.
pub(crate) fn gate_text(log: &LogReport) -> Option<String> {
    let gate = log.audit.as_ref()?.gate.as_ref()?;
    let registry = registry_text(gate.query.rehearsal_registry.as_ref(), gate.registry_source);
    let plan = short_plan_id(gate.query.plan_id.as_str());
    Some(format!("{}{}: plan {plan}{registry}", gate.verdict, reasons_text(&gate.reasons)))
}

/// Returns the verdict of a decision, compared with the recorded one.
pub(crate) fn decision_text(decision: &Decision) -> String {
    let derived = derived_text(decision);
    let recorded = match (&decision.recorded, &decision.derived) {
        (Some(recorded), Some(derived)) if recorded == derived => ", as recorded".to_owned(),
        _ => recorded_text(decision).map_or(String::new(), |recorded| format!(", recorded was {recorded}")),
    };
    let because = match decision.because {
        Some(UnprovenCause::Dormant) => ", no rehearsal registry was configured",
        Some(UnprovenCause::Bypassed) => ", the gate was skipped",
        Some(UnprovenCause::Unrecorded) => ", and nothing recorded says why the run began all the same",
        None => "",
    };
    format!("{derived}{recorded}{because}")
}

/// Returns the outcome of a run. `audited_up_to` is the result of [`audited_up_to`].
pub(crate) fn run_text(run: &RunReport, audited_up_to: Option<u64>) -> String {
    let live = run.live_registry.as_deref().map_or(String::new(), |registry| format!(" to {}", quoted(registry)));
    let finished = match (&run.finished, audited_up_to) {
        (Some(result), _) => format!("finished: {}", maybe_quoted(result, 60)),
        (None, Some(line)) => format!("not finished by line {line}, where judging stops"),
        (None, None) => "did not finish".to_owned(),
    };
    format!(
        "run on line {}: {} published{live}, {} skipped, {} failed, {finished}",
        run.line, run.published, run.skipped, run.failed
    )
}

/// Returns the last audited line; `None` if the whole log was audited.
pub(crate) fn audited_up_to(audit: &LogAudit, demand: &AuditOptions) -> Option<u64> {
    let corrupt = audit.findings.iter().find(|finding| finding.code == FindingCode::CorruptLine);
    let before_corrupt = corrupt.and_then(|finding| finding.line?.checked_sub(1));
    before_corrupt.or(demand.at.as_ref().map(|_| audit.lines))
}

/// Returns a difference between the sidecar and the log.
pub(crate) fn diff_text(difference: &FieldDiff) -> String {
    let value = |value: &FieldValue| match value {
        FieldValue::Flag(flag) => flag.to_string(),
        FieldValue::Number(number) => number.to_string(),
        FieldValue::Text(text) => display_safe(text).max_chars(80).quoted().to_string(),
    };
    let field = display_safe(&difference.field);
    format!("{field}: the sidecar says {}, the log {}", value(&difference.sidecar), value(&difference.log))
}

/// Returns the actions to take next, each once, the most urgent first; those of a finding are part of the finding.
pub(crate) fn next_steps(audit: &LogAudit) -> Vec<&'static str> {
    let reasons = audit.gate.iter().flat_map(|gate| &gate.reasons);
    let mut steps: Vec<&str> = Vec::new();
    for step in reasons.map(|reason| reason.help()) {
        if !steps.contains(&step) {
            steps.push(step);
        }
    }
    let has_problems = audit.findings.iter().any(|finding| finding.level != Level::Note);
    if steps.is_empty() && audit.decisions.is_empty() && !has_problems {
        steps.push(if audit.receipt.is_some() {
            "nothing was published yet; audit again after the publish"
        } else {
            "nothing was rehearsed or published yet; check that this is the log you meant"
        });
    }
    steps
}

/// Returns the meaning of a reason for a refusal.
pub(crate) fn refusal_text(reason: RefusalCode) -> &'static str {
    match reason {
        RefusalCode::NoRehearsal => "no rehearsal was completed",
        RefusalCode::StalePlan => "the latest rehearsal is of another plan",
        RefusalCode::RegistryMismatch => "the latest rehearsal ran on another registry",
        RefusalCode::RehearsalFailed => "the latest rehearsal of this plan did not pass, or one is open with a failure",
        RefusalCode::UnsoundEvidence => "the rehearsal says it passed, and its events do not bear it out",
        RefusalCode::UnknownGateEvent => "an event stands in the log that this version does not know",
        RefusalCode::UntrustedLog => "nothing is decided on a log that is torn, corrupt or broken",
    }
}

/// Returns the rehearsal registry and its source, to follow a plan.
pub(crate) fn registry_text(registry: Option<&RegistryName>, source: Option<RegistrySource>) -> String {
    let source = match source {
        Some(RegistrySource::Recorded) => "as recorded",
        Some(RegistrySource::Demanded) => "as demanded",
        Some(RegistrySource::SelfDeclared) => "the log's own word",
        None => return ", no registry named".to_owned(),
    };
    format!(", registry {} ({source})", registry.map(|name| quoted(name.as_str())).unwrap_or_default())
}

/// Returns the beginning and the end of a plan's ID.
pub(crate) fn short_plan_id(plan_id: &str) -> String {
    let length = plan_id.chars().count();
    if length <= 24 || !plan_id.chars().all(is_word_char) {
        return maybe_quoted(plan_id, 24);
    }
    let begin: String = plan_id.chars().take(12).collect();
    let end: String = plan_id.chars().skip(length - 6).collect();
    format!("{begin}…{end}")
}

fn is_word_char(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.' | ':' | '@' | '+')
}

/// Returns a text of at most `max` characters, in quotes unless it is one word.
pub(crate) fn maybe_quoted(text: &str, max: usize) -> String {
    let shown = display_safe(text).max_chars(max);
    let is_word = !text.is_empty() && text.chars().all(is_word_char);
    if is_word { shown.to_string() } else { shown.quoted().to_string() }
}

/// Returns a text of at most 60 characters in quotes.
pub(crate) fn quoted(text: &str) -> String {
    display_safe(text).max_chars(60).quoted().to_string()
}

/// Returns a path, or another long text, of at most 400 characters.
pub(crate) fn path_text(path: &str) -> DisplaySafe<'_> {
    display_safe(path).max_chars(400)
}

/// Returns a number with its noun.
pub(crate) fn plural(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// Returns reasons in parentheses, after a space; empty without reasons.
pub(crate) fn reasons_text(reasons: &[RefusalCode]) -> String {
    in_parentheses(reasons.iter().map(|reason| reason.as_str()))
}

/// Returns items in parentheses, after a space; empty without items.
pub(super) fn in_parentheses(items: impl Iterator<Item = impl Display>) -> String {
    let items: Vec<String> = items.map(|item| item.to_string()).collect();
    if items.is_empty() { String::new() } else { format!(" ({})", items.join(", ")) }
}
