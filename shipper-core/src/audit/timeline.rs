//! The timeline: how a verdict came about, event by event.
//!
//! It is kept only where somebody asks for it, since it grows with the gate's events and with what was published.

use shipper_events::{Event, EventType, PlanId, Regard, RegistryName, Timestamp};

use super::auditor::{Auditor, concerns_the_gate, regard, text};
use super::decision::VerdictSummary;
use super::finding::Raised;
use super::report::timeline::{RehearsalReport, RehearsalStatus, StateAfter, TimelineEntry};
use super::take::PackageAction;
use crate::receipt::{Evidence, Receipt};
use crate::state::{GateState, RehearsalState};

/// What an audit with a timeline wants of the events of a type: see [`regard`]. Of what was published, the time is of
/// interest too.
pub fn regard_timeline(type_name: &str) -> Regard<PackageAction> {
    match regard(type_name) {
        Regard::Brief(PackageAction::Published) => Regard::Whole,
        other => other,
    }
}

/// The moments so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Timeline {
    moments: Vec<TimelineEntry>,
    rehearsals: Vec<RehearsalReport>,
    /// The position of the rehearsal that is open.
    open: Option<usize>,
    /// How many of the findings about the log, and about decisions, were looked at.
    looked_at: (usize, usize),
    /// Whether one of them breaks the log's integrity.
    broken: bool,
}

impl Timeline {
    /// Takes what was found since into account.
    fn look_at(&mut self, about_log: &[Raised], about_decisions: &[Raised]) {
        let (log, decisions) = self.looked_at;
        let new = about_log.iter().skip(log).chain(about_decisions.iter().skip(decisions));
        self.broken |= new.into_iter().any(|raised| raised.code.breaks_integrity());
        self.looked_at = (about_log.len(), about_decisions.len());
    }

    /// Adds an event, judged already, to the rehearsal that it belongs to.
    fn track_rehearsal(&mut self, line: u64, event: &str, state: &GateState) {
        match (event, state.open(), state.receipt()) {
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

/// What an event says of itself, if it belongs on a timeline.
pub(super) struct Said {
    line: u64,
    timestamp: Timestamp,
    event: String,
    plan_id: Option<PlanId>,
    registry: Option<RegistryName>,
    package: Option<String>,
    outcome: Option<String>,
}

impl Said {
    pub(super) fn by(line: u64, event: &Event) -> Option<Self> {
        let name = event.event_type.name();
        let of_a_run = matches!(
            event.event_type,
            EventType::ExecutionStarted(_) | EventType::ExecutionFinished(_) | EventType::PackagePublished(_)
        );
        if !of_a_run && !concerns_the_gate(name) {
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
                let said = asked.details.as_ref();
                let registry = said.and_then(|said| said.rehearsal_registry.as_ref());
                (Some(&asked.plan_id), registry, said.map(|said| said.verdict.clone()))
            }
            EventType::PlanCreated(plan) => (Some(&plan.plan_id), None, None),
            EventType::ExecutionFinished(finished) => (None, None, text(&finished.result)),
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

impl Auditor {
    /// Keeps a [timeline](TimelineEntry) as well. Ask for it before the first byte, and survey under [`regard_timeline`] where
    /// that is done elsewhere.
    #[must_use]
    pub fn with_timeline(mut self) -> Self {
        self.timeline = Some(Timeline::default());
        self
    }

    /// Takes the moments that came since this was called last; they are then no part of the report.
    pub fn take_moments(&mut self) -> Vec<TimelineEntry> {
        self.timeline.as_mut().map(|timeline| std::mem::take(&mut timeline.moments)).unwrap_or_default()
    }

    /// Puts an event that was judged on the timeline.
    pub(super) fn remember(&mut self, said: Said) {
        let Some(mut timeline) = self.timeline.take() else {
            return;
        };
        timeline.look_at(&self.raised, self.ledger.raised());
        let gate = self.gate(!timeline.broken);
        let gate = gate.map(|gate| VerdictSummary { verdict: gate.verdict, reasons: gate.reasons });
        let after = StateAfter::new(&self.state, gate);
        timeline.track_rehearsal(said.line, &said.event, &self.state);
        let Said { line, timestamp, event, plan_id, registry, package, outcome } = said;
        timeline.moments.push(TimelineEntry { line, timestamp, event, plan_id, registry, package, outcome, after });
        self.timeline = Some(timeline);
    }

    pub(super) fn keeps_timeline(&self) -> bool {
        self.timeline.is_some()
    }

    /// The timeline and its rehearsals, if they were kept.
    pub(super) fn timeline(&mut self) -> Option<(Vec<TimelineEntry>, Vec<RehearsalReport>)> {
        let timeline = self.timeline.take()?;
        Some((timeline.moments, timeline.rehearsals))
    }
}
