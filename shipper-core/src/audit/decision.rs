//! Decisions in the report: what the gate was asked, what it answers, what was recorded, and who acted on that:
//! `docs/auditing.md`, "Decisions".

use serde::{Deserialize, Serialize};
use shipper_events::{PlanId, RegistryName};

use super::report::RegistrySource;
use crate::gate::{RefusalCode, Verdict, VerdictKind};

/// One question put to the gate, what became of it, and the runs that took its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The line of the `gate_evaluated`; of the run, for a decision that was not recorded.
    pub line: u64,
    /// The plan.
    pub plan_id: PlanId,
    /// What is concluded of it.
    pub status: DecisionStatus,
    /// Why it is [`DecisionStatus::Unproven`].
    pub because: Option<UnprovenCause>,
    /// The registry that it was judged under.
    pub registry: Option<RegistryName>,
    /// Who named that registry.
    pub registry_source: Option<RegistrySource>,
    /// The line of the completion that the permission rests on.
    pub receipt_line: Option<u64>,
    /// What the events before it give.
    pub derived: Option<VerdictSummary>,
    /// What was recorded.
    pub recorded: Option<RecordedVerdict>,
    /// The runs that took it.
    pub runs: Vec<RunReport>,
}

/// What is concluded of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DecisionStatus {
    /// An error finding contradicts it or one of its runs.
    Violated,
    /// It was made under rules that this version does not know.
    Unjudged,
    /// A run took it that nothing contradicts and no rehearsal backs.
    Unproven,
    /// The gate was dormant or bypassed, and no run took that.
    Permitted,
    /// A run took an authorization that is confirmed.
    Verified,
    /// An authorization that is confirmed; no run took it.
    Authorized,
    /// A refusal that is confirmed; no run acted on it.
    Refused,
}

impl DecisionStatus {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Violated => "violated",
            Self::Unjudged => "unjudged",
            Self::Unproven => "unproven",
            Self::Permitted => "permitted",
            Self::Verified => "verified",
            Self::Authorized => "authorized",
            Self::Refused => "refused",
        }
    }
}

/// Why a run is unproven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnprovenCause {
    /// The gate was recorded as dormant.
    Dormant,
    /// The gate was recorded as bypassed.
    Bypassed,
    /// Nothing was recorded.
    Unrecorded,
}

impl UnprovenCause {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dormant => "dormant",
            Self::Bypassed => "bypassed",
            Self::Unrecorded => "unrecorded",
        }
    }
}

/// A verdict and its reasons, as they are derived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerdictSummary {
    /// The verdict.
    pub verdict: VerdictKind,
    /// Its reasons.
    pub reasons: Vec<RefusalCode>,
}

impl From<&Verdict> for VerdictSummary {
    fn from(verdict: &Verdict) -> Self {
        Self { verdict: verdict.code(), reasons: verdict.reason_codes() }
    }
}

/// A verdict and its reasons, as they were recorded: any text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedVerdict {
    /// The verdict.
    pub verdict: String,
    /// Its reasons.
    pub reasons: Vec<String>,
}

impl PartialEq<VerdictSummary> for RecordedVerdict {
    fn eq(&self, derived: &VerdictSummary) -> bool {
        self.verdict == derived.verdict.as_str()
            && self.reasons.len() == derived.reasons.len()
            && self.reasons.iter().zip(&derived.reasons).all(|(recorded, derived)| recorded == derived.as_str())
    }
}

/// One attempt to publish for real.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunReport {
    /// The line of its `plan_created`.
    pub line: u64,
    /// The registry that it published to, as it says.
    pub live_registry: Option<String>,
    /// How it finished; none if it did not.
    pub finished: Option<String>,
    /// How many packages it published.
    pub published: u64,
    /// How many packages it skipped.
    pub skipped: u64,
    /// How many packages failed in it.
    pub failed: u64,
}
