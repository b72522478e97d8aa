//! The query to the gate and its evaluation, which does no I/O.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use shipper_events::{PlanId, RegistryName};

use crate::fold::{GateState, Receipt};
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
    let mut reasons = match (state.receipt(), of_this_plan) {
        (None, _) => vec![RefusalReason::NoRehearsal],
        (Some(receipt), None) => vec![RefusalReason::StalePlan(Arc::clone(receipt))],
        (_, Some(receipt)) => receipt_objections(receipt, state, registry),
    };
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

/// Returns the reasons that forbid a publish on a receipt of the queried plan.
fn receipt_objections(receipt: &Arc<Receipt>, state: &GateState, registry: &RegistryName) -> Vec<RefusalReason> {
    let mut reasons = Vec::new();
    if receipt.registry != *registry {
        reasons.push(RefusalReason::RegistryMismatch(Arc::clone(receipt)));
    }
    let failing = state
        .open_rehearsal()
        .filter(|open| open.failed && open.plan_id == receipt.plan_id && open.registry == *registry);
    if failing.is_some() || !receipt.passed {
        reasons.push(RefusalReason::RehearsalFailed {
            receipt: (!receipt.passed).then(|| Arc::clone(receipt)),
            open: failing.map(|open| open.start.line),
        });
    }
    if !receipt.unsound.is_empty() {
        reasons.push(RefusalReason::UnsoundEvidence(Arc::clone(receipt)));
    }
    reasons
}

fn unknown_gate_event(state: &GateState) -> Option<RefusalReason> {
    state.unknown_gate_events().first().cloned().map(RefusalReason::UnknownGateEvent)
}
