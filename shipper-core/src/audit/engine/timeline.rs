//! Tracker of the timeline: the events that led to a verdict, with the state after each.

use shipper_events::{Event, EventType, PlanId, RegistryName, Timestamp};

use super::format::result_text;
use super::gate_events::affects_gate;
use crate::audit::report::{RehearsalReport, RehearsalStatus, StateAfter, TimelineEntry, VerdictSummary};
use crate::fold::{Evidence, Receipt};
use crate::fold::{GateState, RehearsalState};

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
    pub(super) fn push(&mut self, details: EventDetails, state: &GateState, gate: Option<VerdictSummary>) {
        self.track_rehearsal(details.line, &details.event, state);
        let EventDetails { line, timestamp, event, plan_id, registry, package, outcome } = details;
        let after = StateAfter::new(state, gate);
        self.entries.push(TimelineEntry { line, timestamp, event, plan_id, registry, package, outcome, after });
    }

    /// Removes the entries so far.
    pub(super) fn drain_entries(&mut self) -> Vec<TimelineEntry> {
        std::mem::take(&mut self.entries)
    }

    pub(super) fn finish(self) -> (Vec<TimelineEntry>, Vec<RehearsalReport>) {
        (self.entries, self.rehearsals)
    }

    /// Adds an event to the rehearsal that it belongs to; `state` is the state after it.
    fn track_rehearsal(&mut self, line: u64, event: &str, state: &GateState) {
        match (event, state.open_rehearsal(), state.receipt()) {
            ("rehearsal_started", Some(started), _) => {
                if let Some(open) = self.open.and_then(|open| self.rehearsals.get_mut(open)) {
                    (open.status, open.end_line) = (RehearsalStatus::Abandoned, Some(line));
                }
                self.open = Some(self.rehearsals.len());
                self.rehearsals.push(RehearsalReport::open(started));
            }
            ("rehearsal_complete", _, Some(receipt)) => {
                let completed = RehearsalReport::completed(receipt);
                match self.open.take_if(|_| receipt.start.is_some()).and_then(|open| self.rehearsals.get_mut(open)) {
                    Some(open) => *open = completed,
                    None => self.rehearsals.push(completed),
                }
            }
            (_, Some(rehearsal), _) => {
                if let Some(open) = self.open.and_then(|open| self.rehearsals.get_mut(open)) {
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

/// The members of an event that the timeline shows.
pub(super) struct EventDetails {
    line: u64,
    timestamp: Timestamp,
    event: String,
    plan_id: Option<PlanId>,
    registry: Option<RegistryName>,
    package: Option<String>,
    outcome: Option<String>,
}

impl EventDetails {
    /// The details of an event that belongs on the timeline.
    pub(super) fn from_event(line: u64, event: &Event) -> Option<Self> {
        let name = event.event_type.name();
        let of_a_run = matches!(
            event.event_type,
            EventType::ExecutionStarted(_) | EventType::ExecutionFinished(_) | EventType::PackagePublished(_)
        );
        if !of_a_run && !affects_gate(name) {
            return None;
        }
        let passed = |passed| Some(if passed { "passed" } else { "failed" }.to_owned());
        let (plan_id, registry, outcome) = match &event.event_type {
            EventType::RehearsalStarted(started) => (Some(&started.plan_id), Some(&started.registry), None),
            EventType::RehearsalComplete(complete) => {
                (Some(&complete.plan_id), Some(&complete.registry), passed(complete.passed))
            }
            EventType::RehearsalPackageFailed(_) | EventType::RehearsalSmokeCheckFailed(_) => {
                (None, None, passed(false))
            }
            EventType::GateEvaluated(asked) => {
                let details = asked.details.as_ref();
                let registry = details.and_then(|details| details.rehearsal_registry.as_ref());
                (Some(&asked.plan_id), registry, details.map(|details| details.verdict.clone()))
            }
            EventType::PlanCreated(plan) => (Some(&plan.plan_id), None, None),
            EventType::ExecutionFinished(finished) => (None, None, result_text(&finished.result)),
            _ => (None, None, None),
        };
        Some(Self {
            line,
            timestamp: event.timestamp.clone(),
            event: name.to_owned(),
            plan_id: plan_id.cloned(),
            registry: registry.cloned(),
            package: Some(event.package.clone()).filter(|package| package != "all"),
            outcome,
        })
    }
}
