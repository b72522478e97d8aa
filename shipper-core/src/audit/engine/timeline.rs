//! Tracker of the timeline: the events that led to a verdict, with the state after each.

use shipper_events::{Event, EventType, PlanId, RegistryName};

use super::format::result_text;
use super::gate_events::affects_gate;
use crate::audit::report::{RehearsalReport, RehearsalStatus, StateAfter, TimelineEntry, VerdictSummary};
use crate::fold::{Evidence, GateState};

/// The timeline so far.
#[derive(Debug, Clone, Default)]
pub(super) struct TimelineTracker {
    entries: Vec<TimelineEntry>,
    rehearsals: Vec<RehearsalReport>,
    /// The position of the open rehearsal. `None` if none is open.
    open: Option<usize>,
}

impl TimelineTracker {
    /// Adds an event, with the state and the gate's verdict after it.
    pub(super) fn push(&mut self, line: u64, event: &Event, state: &GateState, gate: Option<VerdictSummary>) {
        self.track_rehearsal(line, &event.event_type, state);
        self.entries.push(entry(line, event, StateAfter::new(state, gate)));
    }

    /// Removes and returns the entries so far.
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
                let opened = rehearsal(Some(started.start.line), &started.plan_id, &started.registry);
                self.rehearsals.push(opened);
            }
            (EventType::RehearsalComplete(_), _, Some(receipt)) => {
                let mut completed =
                    rehearsal(receipt.start.as_ref().map(|start| start.line), &receipt.plan_id, &receipt.registry);
                completed.end_line = Some(line);
                completed.status = match (receipt.passed, receipt.evidence()) {
                    (false, _) => RehearsalStatus::Failed,
                    (true, Evidence::Sound) => RehearsalStatus::Passed,
                    (true, Evidence::Unsound) => RehearsalStatus::Unsound,
                };
                completed.unsound.clone_from(&receipt.unsound);
                completed.packages_published = receipt.packages_published();
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

/// Returns an open rehearsal that has published nothing.
fn rehearsal(line: Option<u64>, plan_id: &PlanId, registry: &RegistryName) -> RehearsalReport {
    RehearsalReport {
        line,
        end_line: None,
        plan_id: plan_id.clone(),
        registry: registry.clone(),
        status: RehearsalStatus::Open,
        unsound: Vec::new(),
        packages_published: 0,
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
