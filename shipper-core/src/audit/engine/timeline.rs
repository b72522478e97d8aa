//! Tracker of the timeline: the events that led to a verdict, with the state after each.

use shipper_events::{Event, EventType};

use super::format::result_text;
use super::gate_events::affects_gate;
use crate::audit::report::{RehearsalReport, RehearsalStatus, StateAfter, TimelineEntry, VerdictSummary};
use crate::fold::{Evidence, GateState, Receipt, RehearsalState};

/// The timeline so far.
#[derive(Debug, Clone, Default)]
pub(super) struct TimelineTracker {
    entries: Vec<TimelineEntry>,
    rehearsals: Vec<RehearsalReport>,
    /// The position of the rehearsal that is open.
    open: Option<usize>,
}

impl TimelineTracker {
    /// Adds an event, with the state and the gate's answer after it.
    pub(super) fn push(&mut self, line: u64, event: &Event, state: &GateState, gate: Option<VerdictSummary>) {
        self.track_rehearsal(line, &event.event_type, state);
        self.entries.push(entry(line, event, StateAfter::new(state, gate)));
    }

    /// Removes the entries so far.
    pub(super) fn drain_entries(&mut self) -> Vec<TimelineEntry> {
        std::mem::take(&mut self.entries)
    }

    pub(super) fn finish(self) -> (Vec<TimelineEntry>, Vec<RehearsalReport>) {
        (self.entries, self.rehearsals)
    }

    /// Adds an event to the rehearsal that it belongs to; `state` is the state after it.
    fn track_rehearsal(&mut self, line: u64, event: &EventType, state: &GateState) {
        let open = self.open.and_then(|open| self.rehearsals.get_mut(open));
        match (event, state.open_rehearsal(), state.receipt()) {
            (EventType::RehearsalStarted(_), Some(started), _) => {
                if let Some(open) = open {
                    (open.status, open.end_line) = (RehearsalStatus::Abandoned, Some(line));
                }
                self.open = Some(self.rehearsals.len());
                self.rehearsals.push(RehearsalReport::open(started));
            }
            (EventType::RehearsalComplete(_), _, Some(receipt)) => {
                let completed = RehearsalReport::completed(receipt);
                match open.filter(|_| receipt.start.is_some()) {
                    Some(open) => (*open, self.open) = (completed, None),
                    None => self.rehearsals.push(completed),
                }
            }
            (_, Some(rehearsal), _) => {
                if let Some(open) = open {
                    open.packages_published = rehearsal.packages.len() as u64;
                }
            }
            _ => {}
        }
    }
}

impl RehearsalReport {
    fn open(rehearsal: &RehearsalState) -> Self {
        Self {
            line: Some(rehearsal.start.line),
            end_line: None,
            plan_id: rehearsal.plan_id.clone(),
            registry: rehearsal.registry.clone(),
            status: RehearsalStatus::Open,
            unsound: Vec::new(),
            packages_published: 0,
        }
    }

    fn completed(receipt: &Receipt) -> Self {
        let status = match (receipt.passed, receipt.evidence()) {
            (false, _) => RehearsalStatus::Failed,
            (true, Evidence::Sound) => RehearsalStatus::Passed,
            (true, Evidence::Unsound) => RehearsalStatus::Unsound,
        };
        Self {
            line: receipt.start.as_ref().map(|start| start.line),
            end_line: Some(receipt.line),
            plan_id: receipt.plan_id.clone(),
            registry: receipt.registry.clone(),
            status,
            unsound: receipt.unsound.clone(),
            packages_published: receipt.packages_published(),
        }
    }
}

/// Returns whether an event belongs on the timeline.
pub(super) fn is_on_timeline(event: &EventType) -> bool {
    affects_gate(event.name())
        || matches!(
            event,
            EventType::ExecutionStarted(_) | EventType::ExecutionFinished(_) | EventType::PackagePublished(_)
        )
}

/// Returns the entry of an event, with its members that the timeline shows.
fn entry(line: u64, event: &Event, after: StateAfter) -> TimelineEntry {
    let passed = |passed| Some(if passed { "passed" } else { "failed" }.to_owned());
    let (plan_id, registry, outcome) = match &event.event_type {
        EventType::RehearsalStarted(started) => (Some(&started.plan_id), Some(&started.registry), None),
        EventType::RehearsalComplete(complete) => {
            (Some(&complete.plan_id), Some(&complete.registry), passed(complete.passed))
        }
        EventType::RehearsalPackageFailed(_) | EventType::RehearsalSmokeCheckFailed(_) => (None, None, passed(false)),
        EventType::GateEvaluated(asked) => {
            let details = asked.details.as_ref();
            let registry = details.and_then(|details| details.rehearsal_registry.as_ref());
            (Some(&asked.plan_id), registry, details.map(|details| details.verdict.clone()))
        }
        EventType::PlanCreated(plan) => (Some(&plan.plan_id), None, None),
        EventType::ExecutionFinished(finished) => (None, None, result_text(&finished.result)),
        _ => (None, None, None),
    };
    TimelineEntry {
        line,
        timestamp: event.timestamp.clone(),
        event: event.event_type.name().to_owned(),
        plan_id: plan_id.cloned(),
        registry: registry.cloned(),
        package: Some(event.package.clone()).filter(|package| package != "all"),
        outcome,
        after,
    }
}
