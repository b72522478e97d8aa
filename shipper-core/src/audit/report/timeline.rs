//! The timeline in a report: the events that concern the gate or a run, and the rehearsals and runs that they form. It grows
//! with the events, so a report has it only if the caller requests it.

use serde::{Deserialize, Serialize};
use shipper_events::{PlanId, RegistryName, Timestamp};

use super::decision::VerdictSummary;
use crate::fold::{Evidence, EvidenceFlaw, GateState};
use crate::words::word_enums;

/// An event that concerns the gate, a run or a publish, and the state after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TimelineEntry {
    /// Its line, counted from 1.
    pub line: u64,
    /// The timestamp of the event, which is a claim of its writer.
    pub timestamp: Timestamp,
    /// Its type, such as `rehearsal_started`.
    pub event: String,
    /// The plan that it names. `None` if it names none.
    pub plan_id: Option<PlanId>,
    /// The registry of its rehearsal or of its query to the gate. `None` if it names none.
    pub registry: Option<RegistryName>,
    /// The package that it concerns, as `name@version`. `None` if it concerns all packages.
    pub package: Option<String>,
    /// The outcome that it records: `passed` or `failed`, a verdict, or the result of a run. `None` if it records none.
    pub outcome: Option<String>,
    /// The state after it.
    pub after: StateAfter,
}

/// The state after an event, without text copied from the log, so a timeline is never longer than its log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StateAfter {
    /// The open rehearsal. `None` if none is open.
    pub open: Option<OpenRehearsalSummary>,
    /// The receipt of the latest completed rehearsal. `None` before the first completion.
    pub receipt: Option<ReceiptSummary>,
    /// Number of unknown gate events that the fold remembers.
    pub unknown_gate_events: u64,
    /// The verdict of the gate after the event, as in [`LogAudit::gate`](super::LogAudit::gate). `None` without a plan.
    pub gate: Option<VerdictSummary>,
}

/// An open rehearsal as a timeline entry shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OpenRehearsalSummary {
    /// The line of its start.
    pub line: u64,
    /// Number of distinct packages that it has published so far.
    pub packages_published: u64,
    /// True if a package or smoke check failed, or a torn tail was repaired, during the rehearsal.
    pub failed: bool,
}

/// A receipt as a timeline entry shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ReceiptSummary {
    /// The line of the completion.
    pub line: u64,
    /// True if the rehearsal claims that it passed.
    pub passed: bool,
    /// The soundness of the evidence.
    pub evidence: Evidence,
    /// The flaws of the evidence; empty if it is sound.
    pub unsound: Vec<EvidenceFlaw>,
}

impl StateAfter {
    pub(in crate::audit) fn new(state: &GateState, gate: Option<VerdictSummary>) -> Self {
        let open = state.open_rehearsal().map(|open| OpenRehearsalSummary {
            line: open.start.line,
            packages_published: open.packages.len() as u64,
            failed: open.failed,
        });
        let receipt = state.receipt().map(|receipt| ReceiptSummary {
            line: receipt.line,
            passed: receipt.passed,
            evidence: receipt.evidence(),
            unsound: receipt.unsound.clone(),
        });
        Self { open, receipt, unknown_gate_events: state.unknown_gate_events().len() as u64, gate }
    }
}

/// A rehearsal, from its start to its end.
///
/// Its events are the `rehearsal_package_published`, `rehearsal_package_failed`, `rehearsal_smoke_check_failed` and
/// `tail_repaired` entries of the timeline between these lines. Two rehearsals with a start do not overlap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RehearsalReport {
    /// The line of its `rehearsal_started`. `None` for a completion without a matching start, which has no other event.
    pub line: Option<u64>,
    /// The line of its `rehearsal_complete`, or of the `rehearsal_started` that abandoned it. `None` if it is still open.
    pub end_line: Option<u64>,
    /// The plan that it rehearses.
    pub plan_id: PlanId,
    /// The registry that it rehearses on.
    pub registry: RegistryName,
    /// The state at its end.
    pub status: RehearsalStatus,
    /// The flaws of its evidence, in the order of [`EvidenceFlaw`]; empty unless it is [`RehearsalStatus::Unsound`].
    pub unsound: Vec<EvidenceFlaw>,
    /// Number of distinct packages that it published; 0 without a start.
    pub packages_published: u64,
}

word_enums! {
    /// The state of a rehearsal at its end.
    pub enum RehearsalStatus {
        /// It was completed, passed, and its evidence is sound.
        Passed = "passed",
        /// It was completed and failed.
        Failed = "failed",
        /// It was completed and claims that it passed, but its events contradict that.
        Unsound = "unsound",
        /// Another rehearsal was started before it was completed.
        Abandoned = "abandoned",
        /// The audited lines end before it was completed.
        Open = "open",
    }
}

/// The first and last line of a run, even if its decision is not in the report. Runs do not overlap. The packages that
/// it published are the `package_published` entries of the timeline on its lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RunSpan {
    /// The line of its `plan_created`.
    pub line: u64,
    /// The line of its `execution_finished`. Without one, the line of the last event before the next
    /// `plan_created` or `execution_started`, a corrupt line or the end.
    pub last_line: u64,
    /// True if an `execution_finished` ended it.
    pub finished: bool,
    /// The plan that it publishes.
    pub plan_id: PlanId,
}
