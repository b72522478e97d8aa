//! Phrases that the human report, and other formats for people, have in common.

use std::fmt::Display;

use shipper_core::RefusalCode;
use shipper_core::audit::{
    AuditOptions, Decision, DecisionStatus, FindingCode, GateReport, Level, LogAudit, LogReport, RegistrySource,
    RunReport, UnprovenCause,
};
use shipper_core::sidecar::{FieldDiff, FieldValue};
use shipper_events::display_safe::DisplaySafe;
use shipper_events::{PlanId, RegistryName, display_safe};

use super::seal::signer_text;

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

/// Returns the gate's verdict at the end of a log. `plan` formats a plan's ID.
pub(crate) fn gate_text(gate: &GateReport, plan: impl Fn(&PlanId) -> String) -> String {
    let query = gate.query.as_ref().map_or_else(String::new, |query| {
        let registry = registry_text(query.rehearsal_registry.as_ref(), gate.registry_source);
        format!(": plan {}{registry}", plan(&query.plan_id))
    });
    format!("{}{}{query}", gate.verdict, reasons_text(&gate.reasons))
}

/// Returns the gate's verdict at the end of a log; `None` if the audit asked no gate.
pub(crate) fn log_gate_text(log: &LogReport) -> Option<String> {
    let gate = log.audit.as_ref()?.gate.as_ref()?;
    Some(gate_text(gate, |plan_id| short_plan_id(plan_id.as_str())))
}

/// Returns the verdict of a decision, compared with the recorded one.
pub(crate) fn decision_text(decision: &Decision) -> String {
    let derived = derived_text(decision);
    let recorded = match (&decision.recorded, &decision.derived) {
        (Some(recorded), Some(derived)) if recorded == derived => ", as recorded".to_owned(),
        _ => recorded_text(decision).map_or(String::new(), |recorded| format!(", but the log records {recorded}")),
    };
    let because = match decision.because {
        Some(UnprovenCause::Dormant) => "; no rehearsal registry was configured",
        Some(UnprovenCause::Bypassed) => "; the gate was skipped",
        Some(UnprovenCause::Unrecorded) => "; no recorded decision explains why the run started",
        None => "",
    };
    format!("{derived}{recorded}{because}")
}

/// Returns the outcome of a run. `audited_up_to` is the result of [`audited_up_to`].
pub(crate) fn run_text(run: &RunReport, audited_up_to: Option<u64>) -> String {
    let live = run.live_registry.as_deref().map_or(String::new(), |registry| format!(" to {}", quoted(registry)));
    let finished = match (&run.finished, audited_up_to) {
        (Some(result), _) => format!("finished: {}", maybe_quoted(result, 60)),
        (None, Some(line)) => format!("not finished by line {line}, the last audited line"),
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

/// Returns which heads of the options the log begins with; `None` if the options have none, or none fits.
pub(crate) fn confirmed_heads(audit: &LogAudit, demand: &AuditOptions) -> Option<String> {
    let confirmed: Vec<String> = [
        (demand.extends_option(), demand.extends, audit.applies_extends(demand)),
        ("--since", demand.since, audit.applies_since(demand)),
    ]
    .into_iter()
    .filter(|(_, _, applies)| *applies)
    .filter_map(|(option, head, _)| Some(format!("{option} (line {})", head?.lines)))
    .collect();
    let heads = if confirmed.len() > 1 { "heads" } else { "head" };
    let signer = demand.head_signer.as_ref().filter(|_| audit.applies_extends(demand));
    let signer = signer.map(|signer| format!(", signed by {}", signer_text(signer))).unwrap_or_default();
    (!confirmed.is_empty()).then(|| format!("the log begins with the {heads} of {}{signer}", confirmed.join(" and ")))
}

/// Returns the rules of the policy and the beginning of its SHA-256; `None` without a policy.
pub(crate) fn policy_text(demand: &AuditOptions) -> Option<String> {
    let policy = demand.policy.as_ref()?;
    let rules = policy.rules();
    let rules = if rules.is_empty() { "no rules".to_owned() } else { rules.join("; ") };
    let digest = policy.sha256.as_ref().map(|digest| format!(" (sha256 {})", display_safe(digest).max_chars(64)));
    Some(format!("{rules}{}", digest.unwrap_or_default()))
}

/// Returns a difference between the sidecar and the log.
pub(crate) fn diff_text(difference: &FieldDiff) -> String {
    let value = |value: &FieldValue| match value {
        FieldValue::Flag(flag) => flag.to_string(),
        FieldValue::Number(number) => number.to_string(),
        FieldValue::Text(text) => display_safe(text).max_chars(80).quoted().to_string(),
    };
    let field = display_safe(&difference.field);
    format!("{field} differs: sidecar {}, log {}", value(&difference.sidecar), value(&difference.log))
}

/// Returns the actions to take next, each once, the most urgent first; those of a finding are part of the finding.
pub(crate) fn next_steps(audit: &LogAudit) -> Vec<&'static str> {
    let reasons = audit.gate.iter().flat_map(|gate| &gate.reasons);
    let mut steps: Vec<&str> = Vec::new();
    let violated = audit.decisions.iter().filter(|decision| decision.status == DecisionStatus::Violated);
    if violated.flat_map(|decision| &decision.runs).any(|run| run.published > 0) {
        steps.push("check the published packages, yank those that are wrong, and publish fixes as new versions");
    }
    let help = |reason: &RefusalCode| match reason {
        RefusalCode::UntrustedLog => untrusted_log_help(audit),
        reason => reason.help(),
    };
    for step in reasons.map(help) {
        if !steps.contains(&step) {
            steps.push(step);
        }
    }
    let has_problems = audit.findings.iter().any(|finding| finding.level != Level::Note);
    if steps.is_empty() && audit.decisions.is_empty() && !has_problems {
        steps.push(if audit.receipt.is_some() {
            "audit this log again after the publish"
        } else {
            "check that this is the right file: it contains no completed rehearsal and no publish"
        });
    }
    steps
}

/// Returns the remedy for a log that cannot be trusted, by its findings.
fn untrusted_log_help(audit: &LogAudit) -> &'static str {
    let has = |codes: &[FindingCode]| audit.findings.iter().any(|finding| codes.contains(&finding.code));
    if has(&[FindingCode::SyncFailed]) {
        "check the disk, move the log aside, and rehearse this plan again"
    } else if has(&[FindingCode::CorruptLine, FindingCode::ChainBroken, FindingCode::BasisMismatch]) {
        "find the cause, move the log aside, and rehearse this plan again"
    } else if has(&[FindingCode::RepairInterrupted]) {
        "rehearse this plan again, which completes the repair"
    } else if has(&[FindingCode::TornTail]) {
        "find the cause, and rehearse this plan again, which repairs the torn tail"
    } else {
        RefusalCode::UntrustedLog.help()
    }
}

/// Returns the meaning of a reason for a refusal.
pub(crate) fn refusal_text(reason: RefusalCode) -> &'static str {
    match reason {
        RefusalCode::NoRehearsal => "no rehearsal was completed",
        RefusalCode::StalePlan => "the latest rehearsal is of another plan",
        RefusalCode::RegistryMismatch => "the latest rehearsal ran on another registry",
        RefusalCode::RehearsalFailed => "the latest rehearsal of this plan failed, or an open one contains a failure",
        RefusalCode::UnsoundEvidence => "the rehearsal completed as passed, but its events contradict that",
        RefusalCode::UnknownGateEvent => "the log contains a gate event that this version does not know",
        RefusalCode::UntrustedLog => "the log cannot be trusted: for example, it is torn, corrupt or broken",
    }
}

/// Returns the rehearsal registry and its source, to follow a plan.
pub(crate) fn registry_text(registry: Option<&RegistryName>, source: Option<RegistrySource>) -> String {
    let source = match source {
        Some(RegistrySource::Recorded) => "as recorded",
        Some(RegistrySource::Demanded) => "as demanded",
        Some(RegistrySource::SelfDeclared) => "self-declared",
        None => return ", no registry".to_owned(),
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
pub(crate) fn in_parentheses(items: impl Iterator<Item = impl Display>) -> String {
    let items: Vec<String> = items.map(|item| item.to_string()).collect();
    if items.is_empty() { String::new() } else { format!(" ({})", items.join(", ")) }
}
