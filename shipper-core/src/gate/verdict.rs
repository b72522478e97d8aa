//! The verdict on a plan and the reasons of a refusal, each with its evidence.

use std::fmt;
use std::sync::Arc;

use shipper_events::display_safe;

use crate::fold::{EvidenceFlaw, Receipt, UnknownGateEvent};
use crate::words::word_enums;

/// The decision about a plan: dormant, bypassed, refused or authorized. See `docs/gate.md`, "The verdict".
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// No rehearsal registry is configured, so no rehearsal is required.
    Dormant,
    /// The query asked for a skip. The caller must show a warning.
    Bypassed,
    /// The plan must not be published. There is at least one reason.
    Refused {
        /// Every reason that applies, in the order of `docs/gate.md`, "The verdict".
        reasons: Vec<RefusalReason>,
    },
    /// The plan may be published.
    Authorized {
        /// Receipt of the sound, passing rehearsal of this plan on this registry.
        receipt: Arc<Receipt>,
    },
}

/// A reason to refuse a plan, with its evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefusalReason {
    /// The log has no completed rehearsal.
    NoRehearsal,
    /// The latest completed rehearsal, of this receipt, is of another plan.
    StalePlan(Arc<Receipt>),
    /// The latest completed rehearsal, of this receipt, is of this plan, on another registry.
    RegistryMismatch(Arc<Receipt>),
    /// The latest rehearsal of this plan did not pass, or an open rehearsal of this plan and registry has a failure.
    RehearsalFailed {
        /// Receipt that did not pass; `None` if it passed or is of another plan.
        receipt: Option<Arc<Receipt>>,
        /// Line of the start of the open rehearsal with a failure; `None` if there is none.
        open: Option<u64>,
    },
    /// The latest completed rehearsal, of this receipt, claims that it passed, and its events contradict that.
    UnsoundEvidence(Arc<Receipt>),
    /// The log has an event of an unknown type whose name is reserved for the gate; this is the first.
    UnknownGateEvent(UnknownGateEvent),
    /// The log cannot be trusted: see [`GateAnswer`](crate::GateAnswer). [`evaluate`](crate::evaluate) never gives this.
    UntrustedLog,
}

word_enums! {
    /// The kind of a [`Verdict`].
    pub enum VerdictKind {
        /// See [`Verdict::Dormant`].
        Dormant = "dormant",
        /// See [`Verdict::Bypassed`].
        Bypassed = "bypassed",
        /// See [`Verdict::Refused`].
        Refused = "refused",
        /// See [`Verdict::Authorized`].
        Authorized = "authorized",
    }

    /// The kind of a [`RefusalReason`], in the order of `docs/gate.md`, "The verdict".
    #[derive(PartialOrd, Ord)]
    pub enum RefusalCode {
        /// See [`RefusalReason::NoRehearsal`].
        NoRehearsal = "no-rehearsal",
        /// See [`RefusalReason::StalePlan`].
        StalePlan = "stale-plan",
        /// See [`RefusalReason::RegistryMismatch`].
        RegistryMismatch = "registry-mismatch",
        /// See [`RefusalReason::RehearsalFailed`].
        RehearsalFailed = "rehearsal-failed",
        /// See [`RefusalReason::UnsoundEvidence`].
        UnsoundEvidence = "unsound-evidence",
        /// See [`RefusalReason::UnknownGateEvent`].
        UnknownGateEvent = "unknown-gate-event",
        /// See [`RefusalReason::UntrustedLog`].
        UntrustedLog = "untrusted-log",
    }
}

impl Verdict {
    /// Returns whether the plan may be published.
    pub fn may_publish(&self) -> bool {
        !matches!(self, Self::Refused { .. })
    }

    /// Returns the kind of the verdict.
    pub fn code(&self) -> VerdictKind {
        match self {
            Self::Dormant => VerdictKind::Dormant,
            Self::Bypassed => VerdictKind::Bypassed,
            Self::Refused { .. } => VerdictKind::Refused,
            Self::Authorized { .. } => VerdictKind::Authorized,
        }
    }

    /// Returns every reason of a refusal, with its evidence; none for a permission.
    pub fn reasons(&self) -> &[RefusalReason] {
        match self {
            Self::Refused { reasons } => reasons,
            _ => &[],
        }
    }

    /// Returns the kinds of the reasons.
    pub fn reason_codes(&self) -> Vec<RefusalCode> {
        self.reasons().iter().map(RefusalReason::code).collect()
    }

    /// Returns the receipt of an authorization; `None` for other verdicts: the reasons of a refusal have receipts.
    pub fn receipt(&self) -> Option<&Arc<Receipt>> {
        match self {
            Self::Authorized { receipt } => Some(receipt),
            _ => None,
        }
    }
}

impl RefusalReason {
    /// Returns the kind of the reason.
    pub fn code(&self) -> RefusalCode {
        match self {
            Self::NoRehearsal => RefusalCode::NoRehearsal,
            Self::StalePlan(_) => RefusalCode::StalePlan,
            Self::RegistryMismatch(_) => RefusalCode::RegistryMismatch,
            Self::RehearsalFailed { .. } => RefusalCode::RehearsalFailed,
            Self::UnsoundEvidence(_) => RefusalCode::UnsoundEvidence,
            Self::UnknownGateEvent(_) => RefusalCode::UnknownGateEvent,
            Self::UntrustedLog => RefusalCode::UntrustedLog,
        }
    }
}

/// Formats the reason with the line of its evidence. The text is safe to print on a terminal.
impl fmt::Display for RefusalReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRehearsal => f.write_str("no rehearsal was completed"),
            Self::StalePlan(receipt) => {
                let plan = display_safe(receipt.plan_id.as_str()).max_chars(16);
                write!(f, "the rehearsal on line {} is of another plan, {plan}", receipt.line)
            }
            Self::RegistryMismatch(receipt) => {
                let registry = display_safe(receipt.registry.as_str()).quoted();
                write!(f, "the rehearsal on line {} used another registry, {registry}", receipt.line)
            }
            Self::RehearsalFailed { receipt: Some(receipt), .. } if receipt.abandoned => {
                let start = receipt.start.as_ref().map_or(receipt.line, |start| start.line);
                write!(
                    f,
                    "the rehearsal that started on line {start} failed and was abandoned on line {}",
                    receipt.line
                )
            }
            Self::RehearsalFailed { receipt: Some(receipt), .. } => {
                write!(f, "the rehearsal on line {} did not pass", receipt.line)
            }
            Self::RehearsalFailed { open: Some(line), .. } => {
                write!(f, "the rehearsal that started on line {line} has a failure and is still open")
            }
            Self::RehearsalFailed { .. } => f.write_str("the rehearsal did not pass"),
            Self::UnsoundEvidence(receipt) => {
                let flaws: Vec<&str> = receipt.unsound.iter().copied().map(EvidenceFlaw::as_str).collect();
                let flaws = flaws.join(", ");
                write!(
                    f,
                    "the rehearsal on line {} claims to have passed, but its events contradict that ({flaws})",
                    receipt.line
                )
            }
            Self::UnknownGateEvent(event) => {
                let name = display_safe(&event.name).max_chars(60);
                write!(f, "line {} has the event type {name}, which this version does not know", event.line)
            }
            Self::UntrustedLog => f.write_str("the log cannot be trusted: for example, it is torn, corrupt or broken"),
        }
    }
}

impl RefusalCode {
    /// Returns the remedy.
    pub fn help(self) -> &'static str {
        match self {
            Self::NoRehearsal | Self::StalePlan => "rehearse this plan before the next publish",
            Self::RegistryMismatch => "rehearse this plan on the configured registry before the next publish",
            Self::RehearsalFailed => "fix what failed, and rehearse this plan again before the next publish",
            Self::UnsoundEvidence => "rehearse this plan again before the next publish, one rehearsal at a time",
            Self::UnknownGateEvent => {
                "use a version that knows this event, or rehearse this plan again before the next publish; the event may record a failure"
            }
            Self::UntrustedLog => {
                "find the cause; the next rehearsal repairs a torn tail, but a corrupt, broken or unsynced log must be moved aside"
            }
        }
    }
}
