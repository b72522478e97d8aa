//! Decisions in the report: the query, the derived and the recorded verdict, and the runs. `docs/auditing.md`, "Decisions".

use serde::{Deserialize, Serialize};
use shipper_events::{PlanId, RegistryName};

use super::commit::DecisionCommits;
use crate::gate::{RefusalCode, Verdict, VerdictKind};
use crate::words::word_enums;

/// One query to the gate, its status, and the runs that used the verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Decision {
    /// The line of the `gate_evaluated`; for a decision that was not recorded, the line of its run.
    pub line: u64,
    /// The plan of the query.
    pub plan_id: PlanId,
    /// The status that the audit gives it.
    pub status: DecisionStatus,
    /// The cause if the status is [`DecisionStatus::Unproven`], otherwise `None`.
    pub because: Option<UnprovenCause>,
    /// The registry of the query. `None` if no source names one.
    pub registry: Option<RegistryName>,
    /// The source of that registry. `None` if no source names one.
    pub registry_source: Option<RegistrySource>,
    /// The line of the `rehearsal_complete` that supports the authorization. `None` if the derived verdict, or a
    /// recorded one, is not `authorized`.
    pub receipt_line: Option<u64>,
    /// The verdict that the events before it give. `None` under unknown rules.
    pub derived: Option<VerdictSummary>,
    /// The verdict that was recorded. `None` for a decision that was not recorded, and under unknown rules.
    pub recorded: Option<RecordedVerdict>,
    /// The runs that used it, by line.
    pub runs: Vec<RunReport>,
    /// The git commits that its events record. `None` if they record none, and in a report of an older version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git: Option<Box<DecisionCommits>>,
}

word_enums! {
    /// The status of a decision.
    pub enum DecisionStatus {
        /// An error finding contradicts it or one of its runs.
        Violated = "violated",
        /// It was made under rules that this version does not know.
        Unjudged = "unjudged",
        /// A run used the decision, no rehearsal supports it, and no error finding contradicts it.
        Unproven = "unproven",
        /// The gate was dormant or bypassed, and no run used the decision.
        Permitted = "permitted",
        /// It is a confirmed authorization, and a run used it.
        Verified = "verified",
        /// It is a confirmed authorization, and no run used it.
        Authorized = "authorized",
        /// It is a confirmed refusal, and no run published despite it.
        Refused = "refused",
    }

    /// The reason why a decision is unproven.
    pub enum UnprovenCause {
        /// The gate was recorded as dormant.
        Dormant = "dormant",
        /// The gate was recorded as bypassed.
        Bypassed = "bypassed",
        /// No decision was recorded.
        Unrecorded = "unrecorded",
    }

    /// The source of the registry under which a verdict was derived.
    pub enum RegistrySource {
        /// A recorded decision.
        Recorded = "recorded",
        /// The options of the audit.
        Demanded = "demanded",
        /// The rehearsal itself.
        SelfDeclared = "self-declared",
    }
}

/// A derived verdict and its reasons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct VerdictSummary {
    /// The verdict that the audit derived.
    pub verdict: VerdictKind,
    /// The reasons of a refusal, in the order of `docs/gate.md`, "The verdict"; empty for a permission.
    pub reasons: Vec<RefusalCode>,
}

impl VerdictSummary {
    /// Returns the verdict on a log that cannot be trusted.
    pub(in crate::audit) fn untrusted_log() -> Self {
        Self { verdict: VerdictKind::Refused, reasons: vec![RefusalCode::UntrustedLog] }
    }
}

impl From<&Verdict> for VerdictSummary {
    fn from(verdict: &Verdict) -> Self {
        Self { verdict: verdict.code(), reasons: verdict.reason_codes() }
    }
}

/// A recorded verdict and its reasons, as the log contains them: any text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RecordedVerdict {
    /// The recorded verdict, such as `refused`.
    pub verdict: String,
    /// The recorded reasons, such as `no-rehearsal`; empty for a permission.
    pub reasons: Vec<String>,
}

impl RecordedVerdict {
    /// Returns whether the recorded text is the word of this verdict.
    pub(in crate::audit) fn is(&self, kind: VerdictKind) -> bool {
        self.verdict == kind.as_str()
    }

    /// Returns whether the verdict permits publishing.
    pub(in crate::audit) fn is_permission(&self) -> bool {
        [VerdictKind::Dormant, VerdictKind::Bypassed, VerdictKind::Authorized].into_iter().any(|kind| self.is(kind))
    }
}

impl PartialEq<VerdictSummary> for RecordedVerdict {
    fn eq(&self, derived: &VerdictSummary) -> bool {
        self.is(derived.verdict) && self.reasons.iter().eq(derived.reasons.iter().map(|reason| reason.as_str()))
    }
}

/// One attempt to publish to the live registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RunReport {
    /// The line of its `plan_created`.
    pub line: u64,
    /// The live registry that the run records. `None` if it records none.
    pub live_registry: Option<String>,
    /// The result that its `execution_finished` records, such as `success`. `None` if there is none.
    pub finished: Option<String>,
    /// Number of distinct packages that it published.
    pub published: u64,
    /// Number of distinct packages that it skipped.
    pub skipped: u64,
    /// Number of distinct packages that failed in it.
    pub failed: u64,
}
