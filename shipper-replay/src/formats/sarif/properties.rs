//! Property bags: the members that are our own, beside those of the standard.

use serde::Serialize;
use serde_sarif::sarif::PropertyBag;
use shipper_core::audit::{
    AuditOptions, Conclusion, Decision, DecisionStatus, GateReport, Integrity, LogAudit, LogReport, RegistrySource,
    RequiredVerdict, TailStatus,
};
use shipper_events::display_safe;

use super::text::name;

/// Most reasons of a recorded verdict that are reported.
const MAX_RECORDED_REASONS: usize = 8;

/// Makes a property bag of a struct.
#[expect(clippy::expect_used, reason = "the structs of this file hold only texts, numbers and lists of them")]
pub(super) fn bag(properties: &impl Serialize) -> PropertyBag {
    serde_json::to_value(properties).and_then(serde_json::from_value).expect("invariant: a struct is a JSON object")
}

/// Properties of the run.
#[derive(Serialize)]
pub(super) struct RunProperties {
    pub(super) conclusion: Conclusion,
    pub(super) demand: DemandProperties,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DemandProperties {
    registry: Option<String>,
    plan_id: Option<String>,
    at: Option<String>,
    extends: Option<String>,
    since: Option<String>,
    strict: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    require: Option<&'static str>,
}

impl From<&AuditOptions> for DemandProperties {
    fn from(demand: &AuditOptions) -> Self {
        Self {
            registry: demand.registry.as_ref().map(|registry| name(registry.as_str())),
            plan_id: demand.plan_id.as_ref().map(|plan_id| name(plan_id.as_str())),
            at: demand.at.as_ref().map(ToString::to_string),
            extends: demand.extends.map(|head| head.to_string()),
            since: demand.since.map(|head| head.to_string()),
            strict: demand.strict,
            require: demand.require.map(RequiredVerdict::as_str),
        }
    }
}

/// Properties of a log's artifact.
#[derive(Serialize)]
pub(super) struct LogProperties {
    conclusion: Conclusion,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(flatten)]
    audit: Option<AuditProperties>,
}

#[derive(Serialize)]
struct AuditProperties {
    /// `LINES:BYTES:BLAKE3` of the complete lines.
    head: String,
    integrity: Integrity,
    tail: TailStatus,
    gate: Option<GateProperties>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GateProperties {
    plan_id: String,
    registry: Option<String>,
    registry_source: Option<RegistrySource>,
    #[serde(flatten)]
    verdict: VerdictProperties,
}

#[derive(Serialize)]
struct VerdictProperties {
    verdict: String,
    reasons: Vec<String>,
}

impl From<&LogReport> for LogProperties {
    fn from(log: &LogReport) -> Self {
        let error = log.error.as_ref().map(|error| display_safe(error.as_str()).max_chars(400).to_string());
        Self { conclusion: log.conclusion, error, audit: log.audit.as_ref().map(Into::into) }
    }
}

impl From<&LogAudit> for AuditProperties {
    fn from(audit: &LogAudit) -> Self {
        let head = format!("{}:{}:{}", audit.lines, audit.bytes, audit.blake3);
        Self { head, integrity: audit.integrity, tail: audit.tail, gate: audit.gate.as_ref().map(Into::into) }
    }
}

impl From<&GateReport> for GateProperties {
    fn from(gate: &GateReport) -> Self {
        Self {
            plan_id: name(gate.query.plan_id.as_str()),
            registry: gate.query.rehearsal_registry.as_ref().map(|registry| name(registry.as_str())),
            registry_source: gate.registry_source,
            verdict: VerdictProperties {
                verdict: gate.verdict.to_string(),
                reasons: gate.reasons.iter().map(ToString::to_string).collect(),
            },
        }
    }
}

/// Properties of a result.
#[derive(Serialize)]
pub(super) struct ResultProperties {
    /// The conclusion of the log.
    pub(super) conclusion: Conclusion,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) decision: Option<DecisionProperties>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DecisionProperties {
    line: u64,
    plan_id: String,
    status: DecisionStatus,
    registry: Option<String>,
    registry_source: Option<RegistrySource>,
    receipt_line: Option<u64>,
    derived: Option<VerdictProperties>,
    recorded: Option<VerdictProperties>,
}

impl From<&Decision> for DecisionProperties {
    fn from(decision: &Decision) -> Self {
        let derived = decision.derived.as_ref().map(|derived| VerdictProperties {
            verdict: derived.verdict.to_string(),
            reasons: derived.reasons.iter().map(ToString::to_string).collect(),
        });
        let short = |text: &String| display_safe(text).max_chars(40).to_string();
        let recorded = decision.recorded.as_ref().map(|recorded| VerdictProperties {
            verdict: short(&recorded.verdict),
            reasons: recorded.reasons.iter().take(MAX_RECORDED_REASONS).map(short).collect(),
        });
        Self {
            line: decision.line,
            plan_id: name(decision.plan_id.as_str()),
            status: decision.status,
            registry: decision.registry.as_ref().map(|registry| name(registry.as_str())),
            registry_source: decision.registry_source,
            receipt_line: decision.receipt_line,
            derived,
            recorded,
        }
    }
}
