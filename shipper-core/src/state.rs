//! The fold: what a log means, event by event.

use std::collections::BTreeSet;
use std::sync::Arc;

use shipper_events::event::{RehearsalComplete, RehearsalStarted};
use shipper_events::{EventType, LogEntry, PlanId, RegistryName, Timestamp};

use crate::receipt::{EvidenceFlaw, Receipt, RehearsalStart};

/// What the events so far mean to the gate: `docs/gate.md`, "The fold".
///
/// [`evolve`](Self::evolve) is pure, total and cannot fail; a state depends on nothing but the events.
///
/// ```
/// use shipper_core::GateState;
/// use shipper_events::EventReader;
/// let log = br#"{"timestamp":"2026-11-23T08:00:00Z","event_type":{"type":"rehearsal_started","registry":"r","plan_id":"p","package_count":1},"package":"all"}
/// {"timestamp":"2026-11-23T08:00:01Z","event_type":{"type":"rehearsal_package_published","name":"a","version":"1.0.0","duration_ms":7},"package":"a@1.0.0"}
/// {"timestamp":"2026-11-23T08:00:02Z","event_type":{"type":"rehearsal_complete","passed":true,"registry":"r","plan_id":"p","summary":"done"},"package":"all"}
/// "#;
/// let mut state = GateState::default();
/// for entry in EventReader::new(&log[..]) {
///     state.evolve(&entry?);
/// }
/// assert!(state.receipt().is_some_and(|receipt| receipt.is_valid_evidence()));
/// # Ok::<(), shipper_events::ReadError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GateState {
    open: Option<RehearsalState>,
    receipt: Option<Arc<Receipt>>,
    unknown: Vec<UnknownGateEvent>,
}

/// A rehearsal that was started and not completed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RehearsalState {
    /// The plan that it rehearses.
    pub plan_id: PlanId,
    /// The registry that it rehearses on.
    pub registry: RegistryName,
    /// How it began.
    pub start: RehearsalStart,
    /// The packages that it has published so far, each `name@version`.
    pub packages: BTreeSet<String>,
    /// Whether a failure is marked in it.
    pub failed: bool,
    duplicate: bool,
}

/// An event of a type that this version does not know, of a name that a newer writer may have meant for the gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownGateEvent {
    /// Its line.
    pub line: u64,
    /// Its type.
    pub name: Arc<str>,
}

/// Whether an unknown type of that name is remembered by the fold.
pub(crate) fn is_gate_name(type_name: &str) -> bool {
    type_name.starts_with("rehearsal_") || type_name.starts_with("gate_")
}

impl GateState {
    /// The rehearsal that is open, if any.
    pub fn open(&self) -> Option<&RehearsalState> {
        self.open.as_ref()
    }

    /// The receipt of the latest completed rehearsal, if any.
    pub fn receipt(&self) -> Option<&Arc<Receipt>> {
        self.receipt.as_ref()
    }

    /// The unknown gate events that are remembered, in the order in which they stand.
    pub fn unknown_gate_events(&self) -> &[UnknownGateEvent] {
        &self.unknown
    }

    /// Takes one event into account. Lines must come in order.
    pub fn evolve(&mut self, entry: &LogEntry) {
        let LogEntry { line, event } = entry;
        match &event.event_type {
            EventType::RehearsalStarted(started) => {
                self.open = Some(RehearsalState::new(*line, started, &event.timestamp));
            }
            EventType::RehearsalPackagePublished(published) => {
                if let Some(open) = &mut self.open {
                    let package = format!("{}@{}", published.name, published.version);
                    open.duplicate |= !open.packages.insert(package);
                }
            }
            EventType::RehearsalPackageFailed(_)
            | EventType::RehearsalSmokeCheckFailed(_)
            | EventType::TailRepaired(_) => {
                if let Some(open) = &mut self.open {
                    open.failed = true;
                }
            }
            EventType::RehearsalComplete(complete) => self.complete(*line, complete, &event.timestamp),
            EventType::Unknown(unknown) if is_gate_name(&unknown.name) => {
                let name = unknown.name.as_str().into();
                self.unknown.push(UnknownGateEvent { line: *line, name });
            }
            _ => {}
        }
    }

    fn complete(&mut self, line: u64, complete: &RehearsalComplete, at: &Timestamp) {
        let matching = self.open.take_if(|open| open.plan_id == complete.plan_id && open.registry == complete.registry);
        if let Some(rehearsal) = &matching {
            self.unknown.retain(|event| event.line >= rehearsal.start.line);
        }
        let unsound = if complete.passed {
            matching.as_ref().map_or_else(|| vec![EvidenceFlaw::CompletionWithoutStart], RehearsalState::flaws)
        } else {
            Vec::new()
        };
        let (packages, start) = matching.map_or_else(Default::default, |open| (open.packages, Some(open.start)));
        self.receipt = Some(Arc::new(Receipt {
            line,
            plan_id: complete.plan_id.clone(),
            registry: complete.registry.clone(),
            passed: complete.passed,
            summary: complete.summary.clone(),
            packages: Arc::new(packages),
            start,
            completed_at: at.clone(),
            unsound,
        }));
    }
}

impl RehearsalState {
    fn new(line: u64, started: &RehearsalStarted, at: &Timestamp) -> Self {
        Self {
            plan_id: started.plan_id.clone(),
            registry: started.registry.clone(),
            start: RehearsalStart { line, at: at.clone(), package_count: started.package_count.clone() },
            packages: BTreeSet::new(),
            failed: false,
            duplicate: false,
        }
    }

    /// Why a pass of this rehearsal would be no evidence.
    fn flaws(&self) -> Vec<EvidenceFlaw> {
        let flaws = [
            (self.start.package_count != self.packages.len() as u64, EvidenceFlaw::PackageCountMismatch),
            (self.failed, EvidenceFlaw::FailureRecorded),
            (self.duplicate, EvidenceFlaw::DuplicatePackage),
        ];
        flaws.into_iter().filter_map(|(holds, flaw)| holds.then_some(flaw)).collect()
    }
}

impl<'e> Extend<&'e LogEntry> for GateState {
    fn extend<I: IntoIterator<Item = &'e LogEntry>>(&mut self, entries: I) {
        for entry in entries {
            self.evolve(entry);
        }
    }
}

impl<'e> FromIterator<&'e LogEntry> for GateState {
    fn from_iter<I: IntoIterator<Item = &'e LogEntry>>(entries: I) -> Self {
        let mut state = Self::default();
        state.extend(entries);
        state
    }
}
