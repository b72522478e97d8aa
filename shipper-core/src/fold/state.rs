//! The state of the gate, and the events that change it.

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use shipper_events::event::{RehearsalComplete, RehearsalStarted};
use shipper_events::{Event, EventType, LogEntry, PlanId, RegistryName, Timestamp};

use crate::fold::receipt::{EvidenceFlaw, Receipt, RehearsalStart};

/// The state of the gate after the events so far: `docs/gate.md`, "The fold".
///
/// [`evolve`](Self::evolve) is pure and cannot fail. The state depends only on the events.
///
/// ```
/// use shipper_core::GateState;
/// use shipper_core::shipper_events::EventReader;
/// let log = br#"{"timestamp":"2026-11-23T08:00:00Z","event_type":{"type":"rehearsal_started","registry":"r","plan_id":"p","package_count":1},"package":"all"}
/// {"timestamp":"2026-11-23T08:00:01Z","event_type":{"type":"rehearsal_package_published","name":"a","version":"1.0.0","duration_ms":7},"package":"a@1.0.0"}
/// {"timestamp":"2026-11-23T08:00:02Z","event_type":{"type":"rehearsal_complete","passed":true,"registry":"r","plan_id":"p","summary":"done"},"package":"all"}
/// "#;
/// let state: GateState = EventReader::new(&log[..]).collect::<Result<_, _>>()?;
/// assert!(state.receipt().is_some_and(|receipt| receipt.is_valid_evidence()));
/// # Ok::<(), shipper_core::shipper_events::ReadError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GateState {
    open_rehearsal: Option<RehearsalState>,
    receipt: Option<Arc<Receipt>>,
    unknown_gate_events: Vec<UnknownGateEvent>,
}

/// A rehearsal that was started and not completed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RehearsalState {
    /// Plan that it rehearses.
    pub plan_id: PlanId,
    /// Registry that it rehearses on.
    pub registry: RegistryName,
    /// Start of the rehearsal.
    pub start: RehearsalStart,
    /// Packages that it has published so far, each `name@version`.
    pub packages: BTreeSet<String>,
    /// Content of those packages that record one.
    pub contents: BTreeMap<String, String>,
    /// Those packages that the live registry had already, so that the rehearsal did not build them.
    pub already_published: BTreeSet<String>,
    /// True if a package or smoke check failed, or a torn tail was repaired, during the rehearsal.
    pub failed: bool,
    has_duplicate: bool,
}

/// An event of an unknown type whose name is reserved for the gate. In a newer version it may affect the verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnknownGateEvent {
    /// Line of the event.
    pub line: u64,
    /// Type of the event.
    pub name: Arc<str>,
}

/// Summary of the receipt of a rehearsal that was abandoned after a failure.
const ABANDONED_SUMMARY: &str = "abandoned after a failure";

/// Returns whether a name is reserved for event types of the gate. The fold remembers unknown types with such a name.
pub(crate) fn is_reserved_event_type(type_name: &str) -> bool {
    type_name.starts_with("rehearsal_") || type_name.starts_with("gate_")
}

impl GateState {
    /// Returns the open rehearsal; `None` if none is open.
    pub fn open_rehearsal(&self) -> Option<&RehearsalState> {
        self.open_rehearsal.as_ref()
    }

    /// Returns the receipt of the latest completed rehearsal, or of a later rehearsal of the same plan that was abandoned
    /// after a failure; `None` if there is none.
    pub fn receipt(&self) -> Option<&Arc<Receipt>> {
        self.receipt.as_ref()
    }

    /// Returns the unknown gate events, in the order of their lines. An event is remembered until the completion of a
    /// rehearsal that started after it.
    pub fn unknown_gate_events(&self) -> &[UnknownGateEvent] {
        &self.unknown_gate_events
    }

    /// Applies one event. `line` is its line in the log; the first is 1. The caller must pass lines in order: out of
    /// order, the method does not fail, but the state is wrong.
    pub fn evolve(&mut self, line: u64, event: &Event) {
        match &event.event_type {
            EventType::RehearsalStarted(started) => self.start(line, started, &event.timestamp),
            EventType::RehearsalPackagePublished(published) => {
                if let Some(open) = &mut self.open_rehearsal {
                    let package = format!("{}@{}", published.name, published.version);
                    if let Some(content) = event.content() {
                        open.contents.insert(package.clone(), content.to_owned());
                    }
                    if event.is_already_published() {
                        open.already_published.insert(package.clone());
                    }
                    open.has_duplicate |= !open.packages.insert(package);
                }
            }
            EventType::RehearsalPackageFailed(_) | EventType::RehearsalSmokeCheckFailed(_) => self.fail(),
            EventType::TailRepaired(_) => {
                if let Some(open) = &mut self.open_rehearsal {
                    open.failed = true;
                }
            }
            EventType::RehearsalComplete(complete) => self.complete(line, complete, &event.timestamp),
            EventType::Unknown(unknown) if is_reserved_event_type(&unknown.name) => {
                let name = unknown.name.as_str().into();
                self.unknown_gate_events.push(UnknownGateEvent { line, name });
            }
            _ => {}
        }
    }

    /// Opens a rehearsal. An open one is abandoned: after a failure it then counts as failed, unless the receipt is of
    /// another plan.
    fn start(&mut self, line: u64, started: &RehearsalStarted, at: &Timestamp) {
        let replaces_receipt = |open: &RehearsalState| {
            open.failed && self.receipt.as_ref().is_none_or(|receipt| receipt.plan_id == open.plan_id)
        };
        if let Some(open) = self.open_rehearsal.take_if(|open| replaces_receipt(open)) {
            self.receipt = Some(Arc::new(Receipt {
                line,
                plan_id: open.plan_id,
                registry: open.registry,
                passed: false,
                summary: ABANDONED_SUMMARY.to_owned(),
                packages: open.packages,
                contents: open.contents,
                already_published: open.already_published,
                start: Some(open.start),
                completed_at: at.clone(),
                abandoned: true,
                unsound: Vec::new(),
            }));
        }
        self.open_rehearsal = Some(RehearsalState {
            plan_id: started.plan_id.clone(),
            registry: started.registry.clone(),
            start: RehearsalStart { line, at: at.clone(), package_count: started.package_count.clone() },
            packages: BTreeSet::new(),
            contents: BTreeMap::new(),
            already_published: BTreeSet::new(),
            failed: false,
            has_duplicate: false,
        });
    }

    /// Marks a failure in the open rehearsal, or else in the receipt: the rehearsal of the failure is then not known.
    fn fail(&mut self) {
        if let Some(open) = &mut self.open_rehearsal {
            open.failed = true;
        } else if let Some(receipt) = &mut self.receipt
            && receipt.passed
            && receipt.start.is_some()
            && !receipt.unsound.contains(&EvidenceFlaw::FailureAfterCompletion)
        {
            Arc::make_mut(receipt).unsound.push(EvidenceFlaw::FailureAfterCompletion);
        }
    }

    fn complete(&mut self, line: u64, complete: &RehearsalComplete, at: &Timestamp) {
        let completed =
            self.open_rehearsal.take_if(|open| open.plan_id == complete.plan_id && open.registry == complete.registry);
        if let Some(rehearsal) = &completed {
            self.unknown_gate_events.retain(|event| event.line >= rehearsal.start.line);
        }
        let unsound = match &completed {
            _ if !complete.passed => Vec::new(),
            None => vec![EvidenceFlaw::CompletionWithoutStart],
            Some(rehearsal) => rehearsal.evidence_flaws(),
        };
        let (packages, contents, already_published, start) = completed.map_or_else(Default::default, |open| {
            (open.packages, open.contents, open.already_published, Some(open.start))
        });
        self.receipt = Some(Arc::new(Receipt {
            line,
            plan_id: complete.plan_id.clone(),
            registry: complete.registry.clone(),
            passed: complete.passed,
            summary: complete.summary.clone(),
            packages,
            contents,
            already_published,
            start,
            completed_at: at.clone(),
            abandoned: false,
            unsound,
        }));
    }
}

impl RehearsalState {
    /// Returns whether it is of that plan and registry, and has a failure.
    pub(crate) fn has_failed(&self, plan_id: &PlanId, registry: Option<&RegistryName>) -> bool {
        self.failed && self.plan_id == *plan_id && Some(&self.registry) == registry
    }

    /// Returns the flaws that the receipt has if this rehearsal completes as passed, in the order of [`EvidenceFlaw`].
    pub fn evidence_flaws(&self) -> Vec<EvidenceFlaw> {
        let flaws = [
            (self.start.package_count != self.packages.len() as u64, EvidenceFlaw::PackageCountMismatch),
            (self.failed, EvidenceFlaw::FailureRecorded),
            (self.has_duplicate, EvidenceFlaw::DuplicatePackage),
            (self.packages.is_empty(), EvidenceFlaw::EmptyRehearsal),
        ];
        flaws.into_iter().filter_map(|(holds, flaw)| holds.then_some(flaw)).collect()
    }
}

/// Entries by value or by reference.
impl<E: Borrow<LogEntry>> Extend<E> for GateState {
    fn extend<I: IntoIterator<Item = E>>(&mut self, entries: I) {
        for entry in entries {
            let LogEntry { line, event } = entry.borrow();
            self.evolve(*line, event);
        }
    }
}

impl<E: Borrow<LogEntry>> FromIterator<E> for GateState {
    fn from_iter<I: IntoIterator<Item = E>>(entries: I) -> Self {
        let mut state = Self::default();
        state.extend(entries);
        state
    }
}
