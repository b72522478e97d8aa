//! Names of the checks that a verified log passed. An attestation contains them as `verifiedLevels`.

use super::options::AuditOptions;
use super::report::{Conclusion, Integrity, LogAudit, LogReport, SidecarStatus};
use super::sealed::unsealed_cause;
use crate::words::word_enums;

word_enums! {
    /// A check that a verified log passed. An audit with narrower options has a different variant.
    /// `docs/attesting.md` explains each.
    #[non_exhaustive]
    pub enum VerifiedLevel {
        /// Every decision of the log is verified.
        Gate = "SHIPPER_GATE_VERIFIED",
        /// Every decision of the log after the head of `--since` is verified.
        GateSince = "SHIPPER_GATE_VERIFIED_SINCE",
        /// Every decision of one plan is verified.
        Plan = "SHIPPER_PLAN_VERIFIED",
        /// Every decision of one plan after the head of `--since` is verified.
        PlanSince = "SHIPPER_PLAN_VERIFIED_SINCE",
        /// The audit used the registry of the options, not the one that the log names.
        RegistryDemanded = "SHIPPER_REGISTRY_DEMANDED",
        /// The log begins with the head of `--extends` or `--signed-head`.
        HeadExtended = "SHIPPER_HEAD_EXTENDED",
        /// A valid signed head covers the whole log.
        LogSealed = "SHIPPER_LOG_SEALED",
        /// Every line is chained, and the chain is intact.
        LogChained = "SHIPPER_LOG_CHAINED",
        /// The sidecar equals the latest rehearsal.
        SidecarMatched = "SHIPPER_SIDECAR_MATCHED",
        /// The log satisfies the policy of the options.
        Policy = "SHIPPER_POLICY_SATISFIED",
        /// The log has no warnings.
        Strict = "SHIPPER_STRICT",
    }
}

impl VerifiedLevel {
    /// Returns the checks that a log passed under these options; none unless the log is verified.
    pub fn of(log: &LogReport, options: &AuditOptions) -> Vec<Self> {
        match &log.audit {
            Some(audit) if log.conclusion == Conclusion::Verified => Self::of_verified(audit, options),
            _ => Vec::new(),
        }
    }

    fn of_verified(audit: &LogAudit, options: &AuditOptions) -> Vec<Self> {
        let decisions = match (&options.plan_id, &options.since) {
            (None, None) => Self::Gate,
            (None, Some(_)) => Self::GateSince,
            (Some(_), None) => Self::Plan,
            (Some(_), Some(_)) => Self::PlanSince,
        };
        [
            (decisions, true),
            (Self::RegistryDemanded, options.registry.is_some()),
            // The head may include lines that `at` excludes from the audit.
            (Self::HeadExtended, options.extends.is_some_and(|head| head.bytes <= audit.bytes)),
            (Self::LogSealed, unsealed_cause(audit, options).is_none()),
            (Self::LogChained, audit.integrity == Integrity::Chained),
            (Self::SidecarMatched, audit.sidecar.status == SidecarStatus::Match),
            (Self::Policy, options.policy.is_some()),
            (Self::Strict, options.strict),
        ]
        .into_iter()
        .filter_map(|(verified, holds)| holds.then_some(verified))
        .collect()
    }
}
