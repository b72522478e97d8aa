//! Consistency check of a report, which detects careless edits. A careful edit can turn a report into that of another
//! log, so only an audit of the log confirms a report.

use std::collections::HashSet;

use shipper_events::{Head, is_display_safe};

use crate::audit::accepted_cause::AcceptedCause;
use crate::audit::options::AuditOptions;
use crate::audit::report::{
    Decision, DecisionStatus, Finding, FindingCode, Integrity, Level, LogAudit, PacketStatus, RegistrySource,
    SidecarStatus, TailStatus,
};
use crate::gate::{RefusalCode, VerdictKind};

/// Returns the first inconsistency of an audit's result. `None` if there is none.
pub(super) fn find_inconsistency(audit: &LogAudit) -> Option<&'static str> {
    let LogAudit { findings, decisions, sidecar, .. } = audit;
    let broken = findings.iter().any(|finding| finding.code.breaks_integrity());
    let torn = audit.tail == TailStatus::Torn;
    let gate = audit.gate.as_ref().is_none_or(|gate| {
        let refused = gate.verdict == VerdictKind::Refused;
        refused != gate.reasons.is_empty() && (broken || torn) == (gate.reasons == [RefusalCode::UntrustedLog])
    });
    let sidecar_codes = findings.iter().map(|finding| finding.code).filter(|code| code.is_about_sidecar());
    let sidecar = sidecar_codes.collect::<HashSet<_>>() == sidecar.status.finding_code().into_iter().collect()
        && (sidecar.status == SidecarStatus::Drift) != sidecar.differences.is_empty();
    let packet_codes = findings.iter().map(|finding| finding.code).filter(|code| code.packet_file().is_some());
    let expected_codes = audit.packet_files().filter_map(|(kind, file)| file.status.finding_code(kind));
    let packet = packet_codes.collect::<HashSet<_>>() == expected_codes.collect()
        && audit.packet_files().all(|(_, file)| (file.status == PacketStatus::Drift) != file.differences.is_empty());
    let mut texts = findings.iter().flat_map(|finding| [&finding.message, &finding.help]);
    let head = audit.head().parse::<Head>();
    let contradicted = findings.iter().any(Finding::is_violation);
    let violated = decisions.iter().any(|decision| decision.status == DecisionStatus::Violated);
    let rules = [
        (texts.all(|text| text.chars().all(is_display_safe)), "a text is not safe to display"),
        (lines(audit).all(|line| (1..=audit.lines).contains(&line)), "it names a line that the log does not have"),
        (head.is_ok(), "`blake3` is not 64 lowercase hex digits"),
        (decisions.iter().all(status_is_consistent), "the status of a decision contradicts its verdicts and runs"),
        (contradicted || !violated, "a decision is violated, but no finding shows a violation"),
        ((audit.integrity == Integrity::Broken) == broken, "`integrity` contradicts the findings"),
        (torn == audit.has_finding(FindingCode::TornTail), "`tail` contradicts the findings"),
        (sidecar, "`sidecar` contradicts the findings"),
        (audit.index.is_some() || !findings.iter().any(|finding| finding.code.is_about_index()), "`index` is missing"),
        (packet, "`packet` contradicts the findings"),
        (gate, "`gate` contradicts its reasons or the findings"),
        ((audit.lines == 0) == (audit.bytes == 0), "`lines` and `bytes` contradict each other"),
    ];
    rules.into_iter().find_map(|(holds, why)| (!holds).then_some(why))
}

/// Returns the lines that findings, decisions and the receipt name.
fn lines(audit: &LogAudit) -> impl Iterator<Item = u64> {
    let findings = audit.findings.iter().filter_map(|finding| finding.line);
    let decisions = audit.decisions.iter().flat_map(|decision| {
        decision.runs.iter().map(|run| run.line).chain([decision.line]).chain(decision.receipt_line)
    });
    findings.chain(decisions).chain(audit.receipt.iter().map(|receipt| receipt.line))
}

/// Returns whether an audit under these options can give the result.
pub(super) fn is_consistent_with(audit: &LogAudit, options: &AuditOptions) -> bool {
    let policy = options.policy.as_ref();
    let default =
        |code: FindingCode| policy.and_then(|policy| policy.level(code)).map_or(code.level(), |rule| rule.level);
    let levels = audit.findings.iter().all(|finding| match (default(finding.code), finding.level) {
        (Level::Note, Level::Note) | (Level::Error, Level::Error) => true,
        (Level::Warning, Level::Warning) => !options.strict || may_be_accepted(finding.code, options),
        (Level::Warning, Level::Error) => options.strict,
        // The earlier log may be acknowledged, or in the same report.
        (_, Level::Note) => options.since.is_some() || finding.code == FindingCode::ContinuesEarlierLog,
        _ => false,
    });
    let has_policy = policy.is_some() || !audit.findings.iter().any(|finding| finding.code.is_of_policy());
    let self_declared = Some(RegistrySource::SelfDeclared);
    let registries = options.registry.is_none()
        || audit.decisions.iter().all(|decision| decision.registry_source != self_declared)
            && audit.gate.as_ref().is_none_or(|gate| gate.registry_source != self_declared);
    let plan = options.plan_id.as_ref();
    levels
        && has_policy
        && options.fits_policy()
        && registries
        && plan.is_none_or(|plan| audit.decisions.iter().all(|decision| decision.plan_id == *plan))
}

/// Returns whether `--strict` may leave a warning of this code as it is, because its cause is accepted.
fn may_be_accepted(code: FindingCode, options: &AuditOptions) -> bool {
    match code {
        FindingCode::UnprovenPublish => options.accept.iter().any(|cause| *cause != AcceptedCause::NoDecision),
        FindingCode::GateBypassed => options.accept.contains(&AcceptedCause::Bypassed),
        _ => false,
    }
}

/// Returns whether a decision's status is possible with its verdicts and runs.
fn status_is_consistent(decision: &Decision) -> bool {
    let derived = decision.derived.as_ref().map(|derived| derived.verdict);
    let confirmed = match (&decision.recorded, &decision.derived) {
        (Some(recorded), Some(derived)) => recorded == derived,
        (recorded, _) => recorded.is_none(),
    };
    let used = !decision.runs.is_empty();
    let authorized = derived == Some(VerdictKind::Authorized) && decision.receipt_line.is_some() && confirmed;
    let fits = match decision.status {
        DecisionStatus::Violated => true,
        DecisionStatus::Unjudged => derived.is_none() || used,
        DecisionStatus::Unproven => used && derived.is_some() && confirmed,
        DecisionStatus::Permitted => {
            !used && confirmed && matches!(derived, Some(VerdictKind::Dormant | VerdictKind::Bypassed))
        }
        DecisionStatus::Verified => authorized && used,
        DecisionStatus::Authorized => authorized && !used,
        DecisionStatus::Refused => derived == Some(VerdictKind::Refused) && confirmed && decision.recorded.is_some(),
    };
    fits && (decision.status == DecisionStatus::Unproven) == decision.because.is_some()
}
