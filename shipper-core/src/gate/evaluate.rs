//! The evaluation of a question: pure, and the whole decision on one screen.

use std::sync::Arc;

use shipper_events::RegistryName;

use crate::fold::{GateState, Receipt};
use crate::gate::query::GateQuery;
use crate::gate::verdict::{RefusalReason, Verdict};

/// Evaluates a question. Pure: the same state and query give the same verdict, anywhere and at any time.
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
        (Some(receipt), None) => vec![RefusalReason::StalePlan { receipt: Arc::clone(receipt) }],
        (_, Some(receipt)) => receipt_objections(receipt, state, registry),
    };
    reasons.extend(unknown_gate_event(state));
    match of_this_plan {
        Some(receipt) if reasons.is_empty() => Verdict::Authorized { receipt: Arc::clone(receipt) },
        _ => Verdict::Refused { reasons },
    }
}

/// Evaluates a question for which neither the caller nor the log names a registry.
pub(crate) fn refuse_without_registry(state: &GateState) -> Verdict {
    let reasons = [RefusalReason::NoRehearsal].into_iter().chain(unknown_gate_event(state));
    Verdict::Refused { reasons: reasons.collect() }
}

/// The reasons that forbid a publish on a receipt of the queried plan.
fn receipt_objections(receipt: &Arc<Receipt>, state: &GateState, registry: &RegistryName) -> Vec<RefusalReason> {
    let mut reasons = Vec::new();
    if receipt.registry != *registry {
        reasons.push(RefusalReason::RegistryMismatch { receipt: Arc::clone(receipt) });
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
        reasons.push(RefusalReason::UnsoundEvidence { receipt: Arc::clone(receipt) });
    }
    reasons
}

fn unknown_gate_event(state: &GateState) -> Option<RefusalReason> {
    let event = state.unknown_gate_events().first()?.clone();
    Some(RefusalReason::UnknownGateEvent { event })
}
