//! The event of a recorded decision of the gate.

use super::commit::GitCommit;
use super::members::{ExtraMembers, Lenient, MemberCodec, MemberError, MembersCodec, ObjectWriter, read_member};
use super::names::{PlanId, RegistryName};
use super::number::JsonUint;
use crate::integrity::ClaimedHead;
use crate::line::strict_json::Member;

/// The version of the gate's rules (`docs/gate.md`) whose decisions this crate reads completely. For other versions, it
/// reads only the members `rules` and `plan_id` of a `gate_evaluated`.
pub const RULES_VERSION: u64 = 1;

/// The gate evaluated a query and recorded its decision. For other rules than [`RULES_VERSION`], only `rules` and
/// `plan_id` are read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct GateEvaluated {
    /// The version of the rules that the decision was made under.
    pub rules: JsonUint,
    /// The plan of the query.
    pub plan_id: PlanId,
    /// The rest of the query, and the verdict; `None` under other rules than [`RULES_VERSION`].
    pub details: Option<DecisionRecord>,
    /// Members that this version does not know.
    pub extra: ExtraMembers,
}

/// Query and verdict of a [`GateEvaluated`] under [`RULES_VERSION`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DecisionRecord {
    /// The rehearsal registry of the query; `None` if the query names none.
    pub rehearsal_registry: Option<RegistryName>,
    /// True if the query asks to skip the rehearsal.
    pub skip: bool,
    /// The person or program that requested the skip; `None` if it is not recorded.
    pub actor: Option<String>,
    /// The justification of the skip; `None` if it is not recorded.
    pub justification: Option<String>,
    /// Name of the verdict, such as `refused`; any text.
    pub verdict: String,
    /// Codes of the reasons for a refusal, such as `no-rehearsal`; empty for any other verdict.
    pub reasons: Vec<String>,
    /// The head of the log that the decision is based on.
    pub basis: ClaimedHead,
    /// The git commit of the workspace. The gate does not read it.
    pub git: Lenient<GitCommit>,
}

impl DecisionRecord {
    /// Builds the record of a query without a rehearsal registry and without a skip.
    pub fn new(verdict: impl Into<String>, reasons: Vec<String>, basis: impl Into<ClaimedHead>) -> Self {
        Self {
            rehearsal_registry: None,
            skip: false,
            actor: None,
            justification: None,
            verdict: verdict.into(),
            reasons,
            basis: basis.into(),
            git: Lenient::Absent,
        }
    }
}

impl GateEvaluated {
    /// Builds the event of a decision under [`RULES_VERSION`].
    pub fn new(plan_id: PlanId, details: DecisionRecord) -> Self {
        Self { rules: RULES_VERSION.into(), plan_id, details: Some(details), extra: ExtraMembers::default() }
    }
}

impl MembersCodec for GateEvaluated {
    const ANY_REQUIRED: bool = true;

    fn from_members(members: &[Member<'_>]) -> Result<Self, MemberError> {
        let rules: JsonUint = read_member(members, "rules")?;
        let plan_id = read_member(members, "plan_id")?;
        let details = (rules == RULES_VERSION).then(|| {
            Ok(DecisionRecord {
                rehearsal_registry: read_member(members, "rehearsal_registry")?,
                skip: read_member(members, "skip")?,
                actor: read_member(members, "actor")?,
                justification: read_member(members, "justification")?,
                verdict: read_member(members, "verdict")?,
                reasons: read_member(members, "reasons")?,
                basis: read_member(members, "basis")?,
                git: read_member(members, "git")?,
            })
        });
        let details = details.transpose()?;
        let extra = ExtraMembers::from_members(members, |name| match name {
            "type" | "rules" | "plan_id" => true,
            "rehearsal_registry" | "skip" | "actor" | "justification" | "verdict" | "reasons" | "basis" | "git" => {
                details.is_some()
            }
            _ => false,
        });
        Ok(Self { rules, plan_id, details, extra })
    }

    fn write_members(&self, out: &mut ObjectWriter) {
        self.rules.write("rules", out);
        self.plan_id.write("plan_id", out);
        if let Some(details) = &self.details {
            match &details.rehearsal_registry {
                Some(registry) => registry.write("rehearsal_registry", out),
                None => out.member("rehearsal_registry", "null"),
            }
            details.skip.write("skip", out);
            details.actor.write("actor", out);
            details.justification.write("justification", out);
            details.verdict.write("verdict", out);
            details.reasons.write("reasons", out);
            details.basis.write("basis", out);
            details.git.write("git", out);
        }
        self.extra.write(out);
    }
}
