//! What cannot stand together in a report: a report that was edited without care contradicts itself.
//!
//! Whoever edits a report with care can make it say anything that some log would give. This is no proof of a report, which
//! only its log is; it catches what no log gives.

use shipper_events::{Head, is_display_safe};

use super::decision::{Decision, DecisionStatus};
use super::demand::AuditOptions;
use super::finding::{FindingCode, Level};
use super::report::{Integrity, LogAudit, RegistrySource, SidecarStatus, TailStatus};
use crate::gate::{RefusalCode, VerdictKind};

impl LogAudit {
    /// What in it contradicts the rest of it, if anything does.
    pub(super) fn contradiction(&self) -> Option<&'static str> {
        let found = |code: FindingCode| self.findings.iter().any(|finding| finding.code == code);
        let error = self
            .findings
            .iter()
            .any(|finding| finding.level == Level::Error && finding.code != FindingCode::UnknownRules);
        let broken = self.findings.iter().any(|finding| finding.code.breaks_integrity());
        let untrusted = broken || self.tail == TailStatus::Torn;
        let sidecar = [
            (SidecarStatus::Drift, FindingCode::SidecarDrift),
            (SidecarStatus::Behind, FindingCode::SidecarBehind),
            (SidecarStatus::Orphan, FindingCode::SidecarOrphan),
            (SidecarStatus::Unreadable, FindingCode::SidecarUnreadable),
            (SidecarStatus::Unsupported, FindingCode::SidecarUnsupported),
        ];
        let gate = self.gate.as_ref().is_none_or(|gate| {
            let refused = gate.verdict == VerdictKind::Refused;
            refused != gate.reasons.is_empty() && untrusted == (gate.reasons == [RefusalCode::UntrustedLog])
        });
        let texts = self.findings.iter().flat_map(|finding| [&finding.message, &finding.help]);
        let lines = self.findings.iter().filter_map(|finding| finding.line);
        let lines = lines.chain(self.decisions.iter().flat_map(Decision::lines));
        let lines = lines.chain(self.receipt.iter().map(|receipt| receipt.line));
        let head = format!("{}:{}:{}", self.lines, self.bytes, self.blake3).parse::<Head>();
        let rules = [
            (texts.into_iter().all(|text| text.chars().all(is_display_safe)), "a text in it is not safe to show"),
            (
                lines.into_iter().all(|line| (1..=self.lines).contains(&line)),
                "it tells of a line that it does not have",
            ),
            (head.is_ok(), "its BLAKE3 is none"),
            (self.decisions.iter().all(is_sound), "a decision's status does not follow from its verdicts and runs"),
            (
                error || self.decisions.iter().all(|decision| decision.status != DecisionStatus::Violated),
                "a decision is violated, and nothing was found that violates it",
            ),
            ((self.integrity == Integrity::Broken) == broken, "its integrity does not follow from what was found"),
            (
                (self.tail == TailStatus::Torn) == found(FindingCode::TornTail),
                "its tail does not follow from what was found",
            ),
            (
                sidecar.iter().all(|(status, code)| (self.sidecar.status == *status) == found(*code))
                    && (self.sidecar.status == SidecarStatus::Drift) != self.sidecar.differences.is_empty(),
                "the sidecar's status does not follow from what was found",
            ),
            (gate, "what the gate would answer does not follow from its reasons"),
            ((self.lines == 0) == (self.bytes == 0), "lines and bytes do not go together"),
        ];
        rules.into_iter().find_map(|(holds, why)| (!holds).then_some(why))
    }

    /// Whether it can be the answer to that demand.
    pub(super) fn answers(&self, demand: &AuditOptions) -> bool {
        let levels = self.findings.iter().all(|finding| match (finding.code.level(), finding.level) {
            (Level::Note, Level::Note) | (Level::Error, Level::Error) => true,
            (Level::Warning, Level::Warning) => !demand.strict,
            (Level::Warning, Level::Error) => demand.strict,
            (_, Level::Note) => demand.since.is_some(),
            _ => false,
        });
        let own_word = Some(RegistrySource::SelfDeclared);
        let registries = demand.registry.is_none()
            || self.decisions.iter().all(|decision| decision.registry_source != own_word)
                && self.gate.as_ref().is_none_or(|gate| gate.registry_source != own_word);
        let plans = demand.plan_id.as_ref().is_none_or(|plan| self.decisions.iter().all(|one| one.plan_id == *plan));
        levels && registries && plans
    }
}

impl Decision {
    /// The lines that it tells of.
    fn lines(&self) -> impl Iterator<Item = u64> {
        [Some(self.line), self.receipt_line].into_iter().flatten().chain(self.runs.iter().map(|run| run.line))
    }
}

/// Whether a decision's status follows from the rest of it, as far as that tells.
fn is_sound(decision: &Decision) -> bool {
    let derived = decision.derived.as_ref().map(|derived| derived.verdict);
    let confirmed = match (&decision.recorded, &decision.derived) {
        (Some(recorded), Some(derived)) => recorded == derived,
        (recorded, _) => recorded.is_none(),
    };
    let taken = !decision.runs.is_empty();
    let authorized = derived == Some(VerdictKind::Authorized) && decision.receipt_line.is_some() && confirmed;
    let fits = match decision.status {
        DecisionStatus::Violated => true,
        DecisionStatus::Unjudged => derived.is_none(),
        DecisionStatus::Unproven => taken && derived.is_some() && confirmed,
        DecisionStatus::Permitted => {
            !taken && confirmed && matches!(derived, Some(VerdictKind::Dormant | VerdictKind::Bypassed))
        }
        DecisionStatus::Verified => authorized && taken,
        DecisionStatus::Authorized => authorized && !taken,
        DecisionStatus::Refused => derived == Some(VerdictKind::Refused) && confirmed && decision.recorded.is_some(),
    };
    fits && (decision.status == DecisionStatus::Unproven) == decision.because.is_some()
}
