//! The gate: one question, one verdict, with its evidence inside.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use shipper_events::{PlanId, RegistryName, display_safe};

use crate::receipt::{EvidenceFlaw, Receipt};
use crate::state::{GateState, UnknownGateEvent};

/// A question to the gate: may this plan be published?
///
/// Its names cannot be empty: see [`Name`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateQuery {
    /// The plan that would be published.
    pub plan_id: PlanId,
    /// The registry that rehearsals are configured to use; none means that there is nothing to rehearse on.
    pub rehearsal_registry: Option<RegistryName>,
    /// Whether somebody asked to publish without a rehearsal.
    pub skip: bool,
}

/// The gate's answer: `docs/gate.md`, "The verdict".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// No rehearsal registry is configured. The plan may be published; nothing backs it.
    Dormant,
    /// Somebody asked to skip the gate. The plan may be published, with a loud warning.
    Bypassed,
    /// The plan must not be published. There is at least one reason; the first is the headline.
    Refused {
        /// Every reason that holds, in the contract's order.
        reasons: Vec<RefusalReason>,
    },
    /// The plan may be published.
    Authorized {
        /// The passing, sound rehearsal of this very plan on this very registry.
        receipt: Arc<Receipt>,
    },
}

/// The contract's word for a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VerdictKind {
    /// See [`Verdict::Dormant`].
    Dormant,
    /// See [`Verdict::Bypassed`].
    Bypassed,
    /// See [`Verdict::Refused`].
    Refused,
    /// See [`Verdict::Authorized`].
    Authorized,
}

/// Why a plan is refused, and what shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefusalReason {
    /// No rehearsal was ever completed.
    NoRehearsal,
    /// The latest completed rehearsal is of another plan.
    StalePlan {
        /// That rehearsal.
        receipt: Arc<Receipt>,
    },
    /// It is of this plan, on another registry.
    RegistryMismatch {
        /// That rehearsal.
        receipt: Arc<Receipt>,
    },
    /// It did not pass, or a rehearsal of this plan and registry is open with a failure marked.
    RehearsalFailed {
        /// The rehearsal that was completed last, if it is the one that did not pass.
        receipt: Option<Arc<Receipt>>,
        /// The line on which the failing open rehearsal was started, if there is one.
        open: Option<u64>,
    },
    /// It says that it passed and the events say otherwise.
    UnsoundEvidence {
        /// That rehearsal.
        receipt: Arc<Receipt>,
    },
    /// An event stands in the log that a newer version may have meant for the gate.
    UnknownGateEvent {
        /// The first such event.
        event: UnknownGateEvent,
    },
    /// The log itself is not to be trusted: torn, corrupt, or its chain broken. Only those who look at a whole log
    /// can say so; [`evaluate`] never does.
    UntrustedLog,
}

/// The contract's word for a reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RefusalCode {
    /// See [`RefusalReason::NoRehearsal`].
    NoRehearsal,
    /// See [`RefusalReason::StalePlan`].
    StalePlan,
    /// See [`RefusalReason::RegistryMismatch`].
    RegistryMismatch,
    /// See [`RefusalReason::RehearsalFailed`].
    RehearsalFailed,
    /// See [`RefusalReason::UnsoundEvidence`].
    UnsoundEvidence,
    /// See [`RefusalReason::UnknownGateEvent`].
    UnknownGateEvent,
    /// See [`RefusalReason::UntrustedLog`].
    UntrustedLog,
}

/// Asks the gate. Pure: the same state and query give the same verdict, anywhere and at any time.
///
/// ```
/// use shipper_core::{GateQuery, RefusalCode, GateState, Verdict, evaluate};
/// let query = GateQuery { plan_id: "p".parse()?, rehearsal_registry: Some("rehearsal".parse()?), skip: false };
/// let verdict = evaluate(&GateState::default(), &query);
/// assert!(!verdict.may_publish());
/// assert_eq!(verdict.reason_codes(), [RefusalCode::NoRehearsal]);
/// # Ok::<(), shipper_events::event::EmptyNameError>(())
/// ```
pub fn evaluate(state: &GateState, query: &GateQuery) -> Verdict {
    let Some(registry) = &query.rehearsal_registry else {
        return Verdict::Dormant;
    };
    if query.skip {
        return Verdict::Bypassed;
    }
    let mut reasons = Vec::new();
    let of_this_plan = state.receipt().filter(|receipt| receipt.plan_id == query.plan_id);
    match (state.receipt(), of_this_plan) {
        (None, _) => reasons.push(RefusalReason::NoRehearsal),
        (Some(receipt), None) => reasons.push(RefusalReason::StalePlan { receipt: Arc::clone(receipt) }),
        (_, Some(receipt)) => speak_against(receipt, state, registry, &mut reasons),
    }
    reasons.extend(unknown_gate_event(state));
    match of_this_plan {
        Some(receipt) if reasons.is_empty() => Verdict::Authorized { receipt: Arc::clone(receipt) },
        _ => Verdict::Refused { reasons },
    }
}

/// What speaks against publishing on a receipt of the queried plan.
fn speak_against(receipt: &Arc<Receipt>, state: &GateState, registry: &RegistryName, reasons: &mut Vec<RefusalReason>) {
    if receipt.registry != *registry {
        let receipt = Arc::clone(receipt);
        reasons.push(RefusalReason::RegistryMismatch { receipt });
    }
    let failing =
        state.open().filter(|open| open.failed && open.plan_id == receipt.plan_id && open.registry == *registry);
    if failing.is_some() || !receipt.passed {
        reasons.push(RefusalReason::RehearsalFailed {
            receipt: (!receipt.passed).then(|| Arc::clone(receipt)),
            open: failing.map(|open| open.start.line),
        });
    }
    if !receipt.unsound.is_empty() {
        let receipt = Arc::clone(receipt);
        reasons.push(RefusalReason::UnsoundEvidence { receipt });
    }
}

fn unknown_gate_event(state: &GateState) -> Option<RefusalReason> {
    let event = state.unknown_gate_events().first()?.clone();
    Some(RefusalReason::UnknownGateEvent { event })
}

/// The refusal of a plan for which nobody, not even the log, names a registry.
pub(crate) fn refuse_unnamed(state: &GateState) -> Verdict {
    let mut reasons = vec![RefusalReason::NoRehearsal];
    reasons.extend(unknown_gate_event(state));
    Verdict::Refused { reasons }
}

impl Verdict {
    /// Whether the plan may be published.
    pub fn may_publish(&self) -> bool {
        !matches!(self, Self::Refused { .. })
    }

    /// The contract's word for it.
    pub fn code(&self) -> VerdictKind {
        match self {
            Self::Dormant => VerdictKind::Dormant,
            Self::Bypassed => VerdictKind::Bypassed,
            Self::Refused { .. } => VerdictKind::Refused,
            Self::Authorized { .. } => VerdictKind::Authorized,
        }
    }

    /// Every reason of a refusal; none for a permission.
    pub fn reasons(&self) -> &[RefusalReason] {
        match self {
            Self::Refused { reasons } => reasons,
            _ => &[],
        }
    }

    /// The contract's words for the reasons.
    pub fn reason_codes(&self) -> Vec<RefusalCode> {
        self.reasons().iter().map(RefusalReason::code).collect()
    }

    /// The receipt that an authorization rests on.
    pub fn receipt(&self) -> Option<&Arc<Receipt>> {
        match self {
            Self::Authorized { receipt } => Some(receipt),
            _ => None,
        }
    }
}

impl RefusalReason {
    /// The contract's word for it.
    pub fn code(&self) -> RefusalCode {
        match self {
            Self::NoRehearsal => RefusalCode::NoRehearsal,
            Self::StalePlan { .. } => RefusalCode::StalePlan,
            Self::RegistryMismatch { .. } => RefusalCode::RegistryMismatch,
            Self::RehearsalFailed { .. } => RefusalCode::RehearsalFailed,
            Self::UnsoundEvidence { .. } => RefusalCode::UnsoundEvidence,
            Self::UnknownGateEvent { .. } => RefusalCode::UnknownGateEvent,
            Self::UntrustedLog => RefusalCode::UntrustedLog,
        }
    }
}

/// What the reason says, with the line that shows it; the text is fit for a terminal.
impl fmt::Display for RefusalReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRehearsal => f.write_str("no rehearsal was completed"),
            Self::StalePlan { receipt } => {
                let plan = display_safe(receipt.plan_id.as_str()).max_chars(16);
                write!(f, "the rehearsal on line {} is of another plan, {plan}", receipt.line)
            }
            Self::RegistryMismatch { receipt } => {
                let registry = display_safe(receipt.registry.as_str()).quoted();
                write!(f, "the rehearsal on line {} ran on registry {registry}", receipt.line)
            }
            Self::RehearsalFailed { receipt: Some(receipt), .. } => {
                write!(f, "the rehearsal on line {} did not pass", receipt.line)
            }
            Self::RehearsalFailed { open: Some(line), .. } => {
                write!(f, "the rehearsal started on line {line} has a failure and is still open")
            }
            Self::RehearsalFailed { .. } => f.write_str("the rehearsal did not pass"),
            Self::UnsoundEvidence { receipt } => {
                let flaws: Vec<&str> = receipt.unsound.iter().copied().map(EvidenceFlaw::as_str).collect();
                let flaws = flaws.join(", ");
                write!(
                    f,
                    "the rehearsal on line {} says it passed, but its events do not bear it out ({flaws})",
                    receipt.line
                )
            }
            Self::UnknownGateEvent { event } => {
                let name = display_safe(&event.name).max_chars(60);
                write!(f, "line {} holds {name}, which this version does not know", event.line)
            }
            Self::UntrustedLog => f.write_str("the log is torn, corrupt, or its chain is broken"),
        }
    }
}

impl RefusalCode {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoRehearsal => "no-rehearsal",
            Self::StalePlan => "stale-plan",
            Self::RegistryMismatch => "registry-mismatch",
            Self::RehearsalFailed => "rehearsal-failed",
            Self::UnsoundEvidence => "unsound-evidence",
            Self::UnknownGateEvent => "unknown-gate-event",
            Self::UntrustedLog => "untrusted-log",
        }
    }

    /// What to do next.
    pub fn advice(self) -> &'static str {
        match self {
            Self::NoRehearsal | Self::StalePlan | Self::RegistryMismatch => "rehearse this plan on this registry",
            Self::RehearsalFailed => "mend what failed, then rehearse this plan on this registry again",
            Self::UnsoundEvidence => "rehearse this plan on this registry again, one rehearsal at a time",
            Self::UnknownGateEvent => {
                "use a version that knows the event, since it may tell of a failure; a whole rehearsal of this plan on this registry after it leaves it behind"
            }
            Self::UntrustedLog => {
                "look at what is wrong with the log; a torn tail is repaired by the next rehearsal, a corrupt or broken log is moved aside and continued by a new one"
            }
        }
    }
}

impl VerdictKind {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dormant => "dormant",
            Self::Bypassed => "bypassed",
            Self::Refused => "refused",
            Self::Authorized => "authorized",
        }
    }
}

impl fmt::Display for VerdictKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for RefusalCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
