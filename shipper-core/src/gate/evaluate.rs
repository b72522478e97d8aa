//! The query to the gate and its evaluation, which does no I/O.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use shipper_events::{PlanId, RegistryName};

use crate::fold::GateState;
use crate::gate::verdict::{RefusalReason, Verdict};

/// A query to the gate: may this plan be published?
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GateQuery {
    /// Plan to publish.
    pub plan_id: PlanId,
    /// Configured rehearsal registry. If it is `None`, the gate is dormant.
    pub rehearsal_registry: Option<RegistryName>,
    /// True if the caller asks for a skip, which is a publish without a rehearsal.
    pub skip: bool,
}

impl GateQuery {
    /// Creates a query without a skip. Without a rehearsal registry the gate is dormant.
    pub fn new(plan_id: PlanId, rehearsal_registry: Option<RegistryName>) -> Self {
        Self { plan_id, rehearsal_registry, skip: false }
    }

    /// Sets whether the caller asks to publish without a rehearsal.
    #[must_use]
    pub fn with_skip(self, skip: bool) -> Self {
        Self { skip, ..self }
    }
}

/// Evaluates a query. Pure: the same state and query give the same verdict, anywhere and at any time.
///
/// ```
/// use shipper_core::{GateQuery, GateState, RefusalCode, evaluate};
/// let query = GateQuery::new("p".parse()?, Some("rehearsal".parse()?));
/// let verdict = evaluate(&GateState::default(), &query);
/// assert!(!verdict.may_publish());
/// assert_eq!(verdict.reason_codes(), [RefusalCode::NoRehearsal]);
/// # Ok::<(), shipper_core::shipper_events::event::EmptyNameError>(())
/// ```
pub fn evaluate(state: &GateState, query: &GateQuery) -> Verdict {
    let Some(registry) = &query.rehearsal_registry else {
        return Verdict::Dormant;
    };
    if query.skip {
        return Verdict::Bypassed;
    }
    let of_this_plan = state.receipt().filter(|receipt| receipt.plan_id == query.plan_id);
    let mut reasons = Vec::new();
    reasons.extend(match (state.receipt(), of_this_plan) {
        (None, _) => Some(RefusalReason::NoRehearsal),
        (Some(receipt), None) => Some(RefusalReason::StalePlan(Arc::clone(receipt))),
        (_, Some(receipt)) => {
            (receipt.registry != *registry).then(|| RefusalReason::RegistryMismatch(Arc::clone(receipt)))
        }
    });
    let failed = of_this_plan.filter(|receipt| !receipt.passed);
    let open = state.open_rehearsal().filter(|open| open.has_failed(&query.plan_id, Some(registry)));
    if failed.is_some() || open.is_some() {
        let (receipt, open) = (failed.cloned(), open.map(|open| open.start.line));
        reasons.push(RefusalReason::RehearsalFailed { receipt, open });
    }
    let unsound = of_this_plan.filter(|receipt| !receipt.unsound.is_empty());
    reasons.extend(unsound.cloned().map(RefusalReason::UnsoundEvidence));
    reasons.extend(unknown_gate_event(state));
    match of_this_plan {
        Some(receipt) if reasons.is_empty() => Verdict::Authorized { receipt: Arc::clone(receipt) },
        _ => Verdict::Refused { reasons },
    }
}

/// Evaluates a query for which neither the caller nor the log names a registry.
pub(crate) fn refuse_without_registry(state: &GateState) -> Verdict {
    let reasons = [RefusalReason::NoRehearsal].into_iter().chain(unknown_gate_event(state));
    Verdict::Refused { reasons: reasons.collect() }
}

fn unknown_gate_event(state: &GateState) -> Option<RefusalReason> {
    state.unknown_gate_events().first().cloned().map(RefusalReason::UnknownGateEvent)
}
