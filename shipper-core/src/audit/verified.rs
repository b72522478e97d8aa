//! Verified: what was checked of a log that is verified, by names that other tools can ask for.

use super::conclusion::Conclusion;
use super::demand::AuditOptions;
use super::report::{Integrity, LogAudit, LogReport, SidecarStatus};

/// One thing that was checked of a log that is verified, and held. A name never stands for less than it says: what
/// narrows the judging changes the name. `docs/attesting.md` explains each.
///
/// ```
/// use shipper_core::audit::{AuditOptions, LogReport, SidecarInput, VerifiedLevel, audit};
/// let log = LogReport::judged("events.jsonl", audit(b"", SidecarInput::NotRequested, &AuditOptions::default())?);
/// assert_eq!(VerifiedLevel::of(&log, &AuditOptions::default()), [], "an empty log proves nothing");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VerifiedLevel {
    /// Every decision of the log.
    Gate,
    /// Every decision of the log, but for what was dealt with up to a kept head.
    GateSince,
    /// Every decision of one plan.
    Plan,
    /// Every decision of one plan, but for what was dealt with up to a kept head.
    PlanSince,
    /// The decisions rest on the registry that was demanded, not on the log's word for it.
    RegistryDemanded,
    /// The log extends a head that was kept elsewhere.
    HeadExtended,
    /// Every line is chained, and the chain holds.
    LogChained,
    /// The sidecar tells of the latest rehearsal, field by field.
    SidecarMatched,
    /// There is no warning either.
    Strict,
}

impl VerifiedLevel {
    /// What was checked of a log under a demand. Nothing, unless the log is verified.
    pub fn of(log: &LogReport, demand: &AuditOptions) -> Vec<Self> {
        match &log.audit {
            Some(audit) if log.conclusion == Conclusion::Verified => Self::of_verified(audit, demand),
            _ => Vec::new(),
        }
    }

    fn of_verified(audit: &LogAudit, demand: &AuditOptions) -> Vec<Self> {
        let decisions = match (&demand.plan_id, &demand.since) {
            (None, None) => Self::Gate,
            (None, Some(_)) => Self::GateSince,
            (Some(_), None) => Self::Plan,
            (Some(_), Some(_)) => Self::PlanSince,
        };
        [
            (decisions, true),
            (Self::RegistryDemanded, demand.registry.is_some()),
            // Under a place the head speaks of the whole log, of which less may have been judged.
            (Self::HeadExtended, demand.extends.is_some_and(|head| head.bytes <= audit.bytes)),
            (Self::LogChained, audit.integrity == Integrity::Chained),
            (Self::SidecarMatched, audit.sidecar.status == SidecarStatus::Match),
            (Self::Strict, demand.strict),
        ]
        .into_iter()
        .filter_map(|(verified, holds)| holds.then_some(verified))
        .collect()
    }

    /// Its name in a statement.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gate => "SHIPPER_GATE_VERIFIED",
            Self::GateSince => "SHIPPER_GATE_VERIFIED_SINCE",
            Self::Plan => "SHIPPER_PLAN_VERIFIED",
            Self::PlanSince => "SHIPPER_PLAN_VERIFIED_SINCE",
            Self::RegistryDemanded => "SHIPPER_REGISTRY_DEMANDED",
            Self::HeadExtended => "SHIPPER_HEAD_EXTENDED",
            Self::LogChained => "SHIPPER_LOG_CHAINED",
            Self::SidecarMatched => "SHIPPER_SIDECAR_MATCHED",
            Self::Strict => "SHIPPER_STRICT",
        }
    }
}
