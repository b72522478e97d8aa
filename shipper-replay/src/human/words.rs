//! The words of the human report.

use shipper_core::audit::{
    AuditOptions, Conclusion, Decision, DecisionStatus, FindingCode, Level, LogAudit, LogReport, RegistrySource,
    Report, RunReport, TailStatus, UnauditedReason, UnprovenCause,
};
use shipper_core::{FieldDiff, FieldValue, RefusalCode};
use shipper_events::{RegistryName, display_safe};

/// The conclusion in one sentence.
pub(crate) fn headline(log: &LogReport, report: &Report) -> String {
    let Some(audit) = &log.audit else {
        let error = log.error.as_ref().map_or("it could not be judged", UnauditedReason::as_str);
        return format!(", {}", display_safe(error).max_chars(400));
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
                (0, 0, refused) => format!(", {} stood and no run went on", count(refused, "refusal")),
                (0, authorized, _) => format!(", {} and no run yet", count(authorized, "authorization")),
                (backed, ..) => format!(", {} backed by a passing rehearsal", count(backed, "decision")),
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
            format!(", {} not backed by a rehearsal", count(of(DecisionStatus::Unproven), "decision"))
        }
        _ if of(DecisionStatus::Permitted) > 0 => ", the gate let a plan pass without a rehearsal".to_owned(),
        _ => ", the sidecar cannot be compared".to_owned(),
    }
}

/// What the events before a decision give.
pub(crate) fn derived(decision: &Decision) -> String {
    let reasons = |reasons: &[RefusalCode]| {
        let reasons: Vec<&str> = reasons.iter().map(|reason| reason.as_str()).collect();
        reasons.join(", ")
    };
    decision.derived.as_ref().map_or_else(
        || "made under rules that this version does not know".to_owned(),
        |derived| match decision.receipt_line {
            Some(line) => format!("{} by the rehearsal on line {line}", derived.verdict),
            None if derived.reasons.is_empty() => derived.verdict.to_string(),
            None => format!("{} ({})", derived.verdict, reasons(&derived.reasons)),
        },
    )
}

/// What was recorded of a decision.
pub(crate) fn recorded(decision: &Decision) -> Option<String> {
    let recorded = decision.recorded.as_ref()?;
    let said: Vec<String> =
        recorded.reasons.iter().take(8).map(|reason| display_safe(reason).max_chars(40).to_string()).collect();
    let said = if said.is_empty() { String::new() } else { format!(" ({})", said.join(", ")) };
    Some(format!("{}{said}", display_safe(&recorded.verdict).max_chars(40)))
}

/// The gate's answer at the end of a log, where one is required.
pub(crate) fn answer(log: &LogReport) -> Option<String> {
    let gate = log.audit.as_ref()?.gate.as_ref()?;
    let reasons: Vec<&str> = gate.reasons.iter().map(|reason| reason.as_str()).collect();
    let reasons = if reasons.is_empty() { String::new() } else { format!(" ({})", reasons.join(", ")) };
    let registry = under(gate.query.rehearsal_registry.as_ref(), gate.registry_source);
    Some(format!("{}{reasons}: plan {}{registry}", gate.verdict, short(gate.query.plan_id.as_str())))
}

/// What was answered to a decision, and by whom.
pub(crate) fn why(decision: &Decision) -> String {
    let derived = derived(decision);
    let recorded = match (&decision.recorded, &decision.derived) {
        (Some(said), Some(derived)) if said == derived => ", as recorded".to_owned(),
        _ => recorded(decision).map_or(String::new(), |recorded| format!(", recorded was {recorded}")),
    };
    let because = match decision.because {
        Some(UnprovenCause::Dormant) => ", no rehearsal registry was configured",
        Some(UnprovenCause::Bypassed) => ", the gate was skipped",
        Some(UnprovenCause::Unrecorded) => ", and nothing recorded says why the run began all the same",
        None => "",
    };
    format!("{derived}{recorded}{because}")
}

/// What became of a run; `judged_to` is [the last line that was judged](judged_to), where that is not the last one.
pub(crate) fn ran(run: &RunReport, judged_to: Option<u64>) -> String {
    let live = run.live_registry.as_deref().map_or(String::new(), |registry| format!(" to {}", quoted(registry)));
    let finished = run.finished.as_deref().map_or_else(
        || match judged_to {
            Some(line) => format!("not finished by line {line}, where judging stops"),
            None => "did not finish".to_owned(),
        },
        |result| format!("finished: {}", word(result, 60)),
    );
    format!(
        "run on line {}: {} published{live}, {} skipped, {} failed, {finished}",
        run.line, run.published, run.skipped, run.failed
    )
}

/// The last line that was judged, where that is not the last of the log.
pub(crate) fn judged_to(audit: &LogAudit, demand: &AuditOptions) -> Option<u64> {
    let corrupt = audit.findings.iter().find(|finding| finding.code == FindingCode::CorruptLine);
    let before_corrupt = corrupt.and_then(|finding| finding.line?.checked_sub(1));
    before_corrupt.or(demand.at.as_ref().map(|_| audit.lines))
}

pub(crate) fn differing(difference: &FieldDiff) -> String {
    let value = |value: &FieldValue| match value {
        FieldValue::Flag(flag) => flag.to_string(),
        FieldValue::Number(number) => number.to_string(),
        FieldValue::Text(text) => display_safe(text).max_chars(80).quoted().to_string(),
    };
    let field = display_safe(&difference.field);
    format!("{field}: the sidecar says {}, the log {}", value(&difference.sidecar), value(&difference.log))
}

/// What to do now: once each, the most pressing first. What a finding asks for stands beside the finding.
pub(crate) fn next_steps(audit: &LogAudit) -> Vec<&'static str> {
    let reasons = audit.gate.iter().flat_map(|gate| &gate.reasons);
    let mut steps: Vec<&str> = Vec::new();
    for step in reasons.map(|reason| reason.advice()) {
        if !steps.contains(&step) {
            steps.push(step);
        }
    }
    let at_odds = audit.findings.iter().any(|finding| finding.level != Level::Note);
    if steps.is_empty() && audit.decisions.is_empty() && !at_odds {
        steps.push(if audit.receipt.is_some() {
            "nothing was published yet; audit again after the publish"
        } else {
            "nothing was rehearsed or published yet; check that this is the log you meant"
        });
    }
    steps
}

pub(crate) fn meaning(reason: RefusalCode) -> &'static str {
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

pub(crate) fn under(registry: Option<&RegistryName>, source: Option<RegistrySource>) -> String {
    let whose = match source {
        Some(RegistrySource::Recorded) => "as recorded",
        Some(RegistrySource::Demanded) => "as demanded",
        Some(RegistrySource::SelfDeclared) => "the log's own word",
        None => return ", no registry named".to_owned(),
    };
    format!(", registry {} ({whose})", registry.map(|name| quoted(name.as_str())).unwrap_or_default())
}

/// A plan's name, cut to what tells plans apart at a glance: its beginning and its end.
pub(crate) fn short(plan_id: &str) -> String {
    let length = plan_id.chars().count();
    let is_display_safe = plan_id.chars().all(is_of_a_word);
    if length <= 24 || !is_display_safe {
        return word(plan_id, 24);
    }
    let begin: String = plan_id.chars().take(12).collect();
    let end: String = plan_id.chars().skip(length - 6).collect();
    format!("{begin}…{end}")
}

fn is_of_a_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.' | ':' | '@' | '+')
}

/// A text that is usually one word; quoted where it is not.
pub(crate) fn word(text: &str, most: usize) -> String {
    let display_safe = display_safe(text).max_chars(most);
    if !text.is_empty() && text.chars().all(is_of_a_word) {
        display_safe.to_string()
    } else {
        display_safe.quoted().to_string()
    }
}

pub(crate) fn quoted(text: &str) -> String {
    display_safe(text).max_chars(60).quoted().to_string()
}

pub(crate) fn count(number: u64, what: &str) -> String {
    match (number, what) {
        (1, _) => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    }
}
