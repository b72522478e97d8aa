//! Property bags: members that the standard does not define.

use serde_json::{Value, json};
use serde_sarif::sarif::PropertyBag;
use shipper_core::audit::{Decision, LogReport, Report};
use shipper_events::{PlanId, RegistryName, display_safe};

use crate::formats::text::seal::signer_text;

/// Longest name from a log, in characters.
const MAX_NAME_CHARS: usize = 200;

/// Most reasons of a recorded verdict that are reported.
const MAX_RECORDED_REASONS: usize = 8;

/// Returns the properties of the run.
pub(super) fn of_run(report: &Report) -> PropertyBag {
    let demand = &report.demand;
    let mut members = json!({
        "registry": registry(demand.registry.as_ref()),
        "planId": demand.plan_id.as_ref().map(plan_id),
        "at": demand.at.as_ref().map(ToString::to_string),
        "extends": demand.extends.map(|head| head.to_string()),
        "since": demand.since.map(|head| head.to_string()),
        "strict": demand.strict,
    });
    let optional = [
        ("require", demand.require.map(|require| json!(require))),
        ("requireSealed", demand.require_sealed.then_some(Value::Bool(true))),
        ("headSigner", demand.head_signer.as_ref().map(|signer| json!(signer_text(signer)))),
        ("accept", (!demand.accept.is_empty()).then(|| json!(demand.accept))),
        ("policy", demand.policy.as_ref().map(|policy| json!(policy))),
        ("acknowledgeEarlier", demand.acknowledge_earlier.map(|head| json!(head.to_string()))),
    ];
    if let Some(members) = members.as_object_mut() {
        members.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    }
    bag([("conclusion", json!(report.conclusion)), ("demand", members)])
}

/// Returns the properties of a log's artifact.
pub(super) fn of_log(log: &LogReport) -> PropertyBag {
    let mut members = vec![("conclusion", json!(log.conclusion))];
    if let Some(error) = &log.error {
        members.push(("error", json!(display_safe(error.as_str()).max_chars(400).to_string())));
    }
    if let Some(audit) = &log.audit {
        let gate = audit.gate.as_ref().map(|gate| {
            json!({
                "planId": gate.query.as_ref().map(|query| plan_id(&query.plan_id)),
                "registry": registry(gate.query.as_ref().and_then(|query| query.rehearsal_registry.as_ref())),
                "registrySource": gate.registry_source,
                "verdict": gate.verdict,
                "reasons": gate.reasons,
            })
        });
        members.extend([
            ("head", json!(audit.head())),
            ("integrity", json!(audit.integrity)),
            ("tail", json!(audit.tail)),
            ("gate", json!(gate)),
        ]);
    }
    bag(members)
}

/// Returns the properties of a result: the conclusion about the log, and the decision that a finding is about.
pub(super) fn of_result(log: &LogReport, decision: Option<&Decision>) -> PropertyBag {
    let decision = decision.map(|decision| {
        let short = |text: &String| display_safe(text).max_chars(40).to_string();
        let recorded = decision.recorded.as_ref().map(|recorded| {
            let reasons: Vec<String> = recorded.reasons.iter().take(MAX_RECORDED_REASONS).map(short).collect();
            json!({ "verdict": short(&recorded.verdict), "reasons": reasons })
        });
        let mut members = json!({
            "line": decision.line,
            "planId": plan_id(&decision.plan_id),
            "status": decision.status,
            "registry": registry(decision.registry.as_ref()),
            "registrySource": decision.registry_source,
            "receiptLine": decision.receipt_line,
            "derived": decision.derived,
            "recorded": recorded,
        });
        if let (Some(git), Some(members)) = (&decision.git, members.as_object_mut()) {
            members.insert("git".to_owned(), json!(git));
        }
        members
    });
    bag([("conclusion", json!(log.conclusion))].into_iter().chain(decision.map(|decision| ("decision", decision))))
}

fn bag(members: impl IntoIterator<Item = (&'static str, Value)>) -> PropertyBag {
    let members = members.into_iter().map(|(name, value)| (name.to_owned(), value));
    PropertyBag { tags: None, additional_properties: members.collect() }
}

fn plan_id(plan_id: &PlanId) -> String {
    display_safe(plan_id.as_str()).max_chars(MAX_NAME_CHARS).to_string()
}

fn registry(registry: Option<&RegistryName>) -> Option<String> {
    registry.map(|registry| display_safe(registry.as_str()).max_chars(MAX_NAME_CHARS).to_string())
}
