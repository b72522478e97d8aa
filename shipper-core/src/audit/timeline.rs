//! The timeline: how a verdict came about, event by event.
//!
//! It is kept only where somebody asks for it, since it grows with the gate's events and with what was published.

use serde::{Deserialize, Serialize};
use shipper_events::scan::Interest;
use shipper_events::{Event, EventKind, EventType, PlanId, RegistryName, Timestamp};

use super::auditor::{Auditor, concerns_the_gate, interest, text};
use super::decision::VerdictSummary;
use super::finding::Raised;
use super::report::GateReport;
use crate::fold::{Evidence, EvidenceFlaw, GateState, Receipt, RehearsalState};

/// An event that concerns the gate, a run or a publish, and what holds after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelineEntry {
    /// Its line.
    pub line: u64,
    /// When it is said to have happened: a claim.
    pub timestamp: Timestamp,
    /// Its type.
    pub event: String,
    /// The plan that it names.
    pub plan_id: Option<PlanId>,
    /// The registry that it names: the one rehearsed on, or the one that the gate was asked about.
    pub registry: Option<RegistryName>,
    /// The package that it concerns; none where it concerns all.
    pub package: Option<String>,
    /// How it turned out: `passed` or `failed` of a rehearsal, the recorded verdict of a decision, what a run says of
    /// its end.
    pub outcome: Option<String>,
    /// What holds after it.
    pub after: StateAfter,
}

/// What holds after an event. It names lines and repeats no text of the log, which may be as long as a line: a timeline
/// is then no longer than its log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateAfter {
    /// The rehearsal that is open.
    pub open: Option<OpenRehearsalSummary>,
    /// The receipt of the latest completed rehearsal.
    pub receipt: Option<ReceiptSummary>,
    /// How many unknown gate events are remembered.
    pub unknown_gate_events: u64,
    /// What the gate would answer: about the demanded plan, else about the receipt's own, under the registry as in
    /// [`LogAudit::gate`](super::LogAudit::gate).
    pub gate: Option<VerdictSummary>,
}

/// A rehearsal that is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenRehearsalSummary {
    /// The line of its start.
    pub line: u64,
    /// How many packages it has published so far.
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
pub struct ReceiptSummary {
    /// The line of the completion.
    pub line: u64,
    /// Whether it passed.
    pub passed: bool,
    /// Whether the events bear it out.
    pub evidence: Evidence,
    /// Why not.
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

/// The interest of an audit with a timeline in a type of event: of a published package, also in the time.
pub(super) fn timeline_interest(type_name: &str) -> Interest {
    if type_name == EventKind::PackagePublished.name() { Interest::Full } else { interest(type_name) }
}

/// The moments so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Timeline {
    moments: Vec<TimelineEntry>,
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
    /// Keeps a [timeline](TimelineEntry) as well. Ask for it before the first byte.
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
        let after = StateAfter::of(&self.state, self.gate(!timeline.broken));
        let Said { line, timestamp, event, plan_id, registry, package, outcome } = said;
        timeline.moments.push(TimelineEntry { line, timestamp, event, plan_id, registry, package, outcome, after });
        self.timeline = Some(timeline);
    }

    pub(super) fn keeps_timeline(&self) -> bool {
        self.timeline.is_some()
    }

    /// The timeline, if one was kept.
    pub(super) fn timeline(&mut self) -> Option<Vec<TimelineEntry>> {
        Some(self.timeline.take()?.moments)
    }
}

impl StateAfter {
    fn of(state: &GateState, gate: Option<GateReport>) -> Self {
        Self {
            open: state.open_rehearsal().map(Into::into),
            receipt: state.receipt().map(|receipt| receipt.as_ref().into()),
            unknown_gate_events: state.unknown_gate_events().len() as u64,
            gate: gate.map(|gate| VerdictSummary { verdict: gate.verdict, reasons: gate.reasons }),
        }
    }
}
