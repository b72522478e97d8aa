//! The timeline in a report: the events that concern the gate or a run, and the rehearsals and runs that they form.
//!
//! A report has it only where the caller asked for it, because it grows with the gate's events and with the packages
//! that were published.

use serde::{Deserialize, Serialize};
use shipper_events::{PlanId, RegistryName, Timestamp};

use super::decision::VerdictSummary;
use crate::fold::{Evidence, EvidenceFlaw, Receipt};
use crate::fold::{GateState, RehearsalState};
use crate::words::word_enums;

/// An event that concerns the gate, a run or a publish, and the state after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TimelineEntry {
    /// Its line, counted from 1.
    pub line: u64,
    /// The time that the event states: a claim of its writer.
    pub timestamp: Timestamp,
    /// Its type.
    pub event: String,
    /// The plan that it names. `None` where it names none.
    pub plan_id: Option<PlanId>,
    /// The registry that it names: the one rehearsed on, or the one in a question to the gate. `None` where it names
    /// none.
    pub registry: Option<RegistryName>,
    /// The package that it concerns, as `name@version`. `None` where it concerns all.
    pub package: Option<String>,
    /// The outcome that it states: `passed` or `failed` of a rehearsal, the recorded verdict of a decision, the result
    /// of a run. `None` where it states none.
    pub outcome: Option<String>,
    /// The state after it.
    pub after: StateAfter,
}

/// The state after an event. It refers to lines and repeats no text of the log, which may be as long as a line: so a
/// timeline is never longer than its log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StateAfter {
    /// The rehearsal that is open. `None` where none is.
    pub open: Option<OpenRehearsalSummary>,
    /// The receipt of the latest completed rehearsal. `None` before the first completion.
    pub receipt: Option<ReceiptSummary>,
    /// Number of unknown gate events that the fold remembers.
    pub unknown_gate_events: u64,
    /// The answer that the gate would give about the demanded plan, else about the receipt's, under the registry as in
    /// [`LogAudit::gate`](super::LogAudit::gate). `None` where there is neither plan.
    pub gate: Option<VerdictSummary>,
}

/// A rehearsal that is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OpenRehearsalSummary {
    /// The line of its start.
    pub line: u64,
    /// Number of distinct packages that it has published so far.
    pub packages_published: u64,
    /// Whether a failure is marked in it.
    pub failed: bool,
}

impl From<&RehearsalState> for OpenRehearsalSummary {
    fn from(open: &RehearsalState) -> Self {
        Self { line: open.start.line, packages_published: open.packages.len() as u64, failed: open.failed }
    }
}

/// A receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ReceiptSummary {
    /// The line of the completion.
    pub line: u64,
    /// Whether the rehearsal states that it passed.
    pub passed: bool,
    /// Whether the events confirm that.
    pub evidence: Evidence,
    /// The flaws of the evidence; empty where it is sound.
    pub unsound: Vec<EvidenceFlaw>,
}

impl From<&Receipt> for ReceiptSummary {
    fn from(receipt: &Receipt) -> Self {
        Self {
            line: receipt.line,
            passed: receipt.passed,
            evidence: receipt.evidence(),
            unsound: receipt.unsound.clone(),
        }
    }
}

impl StateAfter {
    pub(in crate::audit) fn new(state: &GateState, gate: Option<VerdictSummary>) -> Self {
        Self {
            open: state.open_rehearsal().map(Into::into),
            receipt: state.receipt().map(|receipt| receipt.as_ref().into()),
            unknown_gate_events: state.unknown_gate_events().len() as u64,
            gate,
        }
    }
}

/// A rehearsal, from its start to its end.
///
/// Its events are the `rehearsal_package_published`, `rehearsal_package_failed`, `rehearsal_smoke_check_failed` and
/// `tail_repaired` entries of the timeline between [`line`](Self::line) and [`end_line`](Self::end_line). At most one
/// rehearsal is open at a time, so the spans of two rehearsals with a start do not overlap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RehearsalReport {
    /// The line of its `rehearsal_started`. `None` for a completion without a matching start; such a rehearsal has no
    /// events but its completion, and another rehearsal may be open around it.
    pub line: Option<u64>,
    /// The line of its `rehearsal_complete`, or of the `rehearsal_started` that abandoned it. `None` while it is open
    /// at the end of what was audited.
    pub end_line: Option<u64>,
    /// The plan that it rehearses.
    pub plan_id: PlanId,
    /// The registry that it rehearses on.
    pub registry: RegistryName,
    /// How it ended.
    pub status: RehearsalStatus,
    /// Why a pass is no evidence, in the contract's order; empty unless the status is [`RehearsalStatus::Unsound`].
    pub unsound: Vec<EvidenceFlaw>,
    /// Number of distinct packages that it published; 0 without a start.
    pub packages_published: u64,
}

word_enums! {
    /// How a rehearsal ended.
    pub enum RehearsalStatus {
        /// It was completed, passed, and its evidence is sound.
        Passed = "passed",
        /// It was completed and states that it failed.
        Failed = "failed",
        /// It was completed and states that it passed, but its events contradict that.
        Unsound = "unsound",
        /// Another rehearsal was started before it was completed.
        Abandoned = "abandoned",
        /// The audited lines end before it was completed.
        Open = "open",
    }
}

/// The lines of a run, whether or not the report has the decision that it took.
///
/// The packages that it published are the `package_published` entries of the timeline from [`line`](Self::line) to
/// [`last_line`](Self::last_line). Runs do not overlap. A `package_published` entry in no run was published outside every run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RunSpan {
    /// The line of its `plan_created`.
    pub line: u64,
    /// Its last line: that of its `execution_finished` if it has one, else the last event before the event that ended
    /// it or before the end of what was audited.
    pub last_line: u64,
    /// Whether an `execution_finished` ended it.
    pub finished: bool,
    /// The plan that it publishes.
    pub plan_id: PlanId,
}
