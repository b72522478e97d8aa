//! The comparison of a file of the packet with the package events of a log, event by event.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use shipper_events::PlanId;

use super::file::{PackageState, PacketFile, PacketKind};

/// Most differences that a report lists.
const MAX_DIFFERENCES: usize = 100;

/// The field of a difference in the result of a run.
const RESULT: &str = "execution_result";

/// A field in which a file of the packet and the log differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PacketDiff {
    /// The package, `name@version`, or `execution_result`.
    pub field: String,
    /// State or result in the file. `None` if the file has none.
    pub file: Option<String>,
    /// The latest state or result that the log records. `None` if it records none.
    pub log: Option<String>,
}

/// The result of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The log has no run of the plan.
    Orphan,
    /// No difference.
    Match,
    /// Every difference is one in which the log has a later event.
    Behind,
    /// A difference that no later event explains.
    Drift,
}

/// Difference between a state in the file and the events of the package. `Ord` sorts the more serious last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Mismatch {
    /// The log has a later event.
    LaterEvent,
    /// No event of the log explains the state.
    NoEvent,
}

/// Lines of the latest events of a package; 0 for none.
#[derive(Debug, Clone, Copy, Default)]
struct History {
    uploaded: u64,
    published: u64,
    skipped: u64,
    failed: u64,
}

impl History {
    /// Returns the difference between a state and the events: `docs/evidence.md`, "The packet".
    fn mismatch(&self, state: &PackageState) -> Option<Mismatch> {
        let recorded = match state {
            PackageState::Published => return (self.published == 0).then_some(Mismatch::NoEvent),
            // The initial state needs no event, and the events of other states are not known.
            PackageState::Pending | PackageState::Other(_) => {
                return (self.published > 0).then_some(Mismatch::LaterEvent);
            }
            PackageState::Uploaded => return (self.published > self.uploaded).then_some(Mismatch::LaterEvent),
            PackageState::Skipped => self.skipped,
            PackageState::Failed => self.failed,
        };
        match recorded {
            0 => Some(Mismatch::NoEvent),
            line => (self.published > line).then_some(Mismatch::LaterEvent),
        }
    }

    /// Returns the latest event: its line and the state that it records.
    fn latest(&self) -> Option<(u64, PackageState)> {
        let events = [
            (self.uploaded, PackageState::Uploaded),
            (self.published, PackageState::Published),
            (self.skipped, PackageState::Skipped),
            (self.failed, PackageState::Failed),
        ];
        events.into_iter().filter(|(line, _)| *line > 0).max()
    }
}

/// A package of the file, with its events so far.
#[derive(Debug, Clone)]
struct Package {
    states: BTreeSet<PackageState>,
    history: History,
    /// The most serious difference of `states` from `history`.
    mismatch: Option<Mismatch>,
}

impl Package {
    fn new(states: BTreeSet<PackageState>) -> Self {
        let mut package = Self { states, history: History::default(), mismatch: None };
        package.update();
        package
    }

    fn update(&mut self) {
        self.mismatch = self.states.iter().filter_map(|state| self.history.mismatch(state)).max();
    }
}

/// Comparison of a file of the packet with a log. Memory is bounded by the file, and each event is compared once.
#[derive(Debug, Clone)]
pub(crate) struct PacketComparison {
    kind: PacketKind,
    plan_id: PlanId,
    execution_result: Option<String>,
    packages: BTreeMap<String, Package>,
    /// Number of packages with a mismatch now.
    mismatches: usize,
    /// True if the log has a run of the plan.
    has_run: bool,
    /// True while a run of the plan is open.
    in_run: bool,
    /// The latest finish of a run of the plan: its line and its result, if that is text.
    finish: Option<(u64, Option<String>)>,
    /// True if a receipt agreed with the log at some finish of a run of its plan.
    agreed_at_finish: bool,
}

impl PacketComparison {
    pub(crate) fn new(file: PacketFile) -> Self {
        let PacketFile { kind, plan_id, packages, execution_result } = file;
        let packages: BTreeMap<_, _> =
            packages.into_iter().map(|(name, states)| (name, Package::new(states))).collect();
        Self {
            kind,
            plan_id,
            execution_result,
            mismatches: packages.values().filter(|package| package.mismatch.is_some()).count(),
            packages,
            has_run: false,
            in_run: false,
            finish: None,
            agreed_at_finish: false,
        }
    }

    /// Records that an event gave a package a state, on a line.
    pub(crate) fn package_changed(&mut self, line: u64, name: &str, state: &PackageState) {
        let Some(package) = self.packages.get_mut(name) else {
            return;
        };
        let history = &mut package.history;
        match state {
            PackageState::Uploaded => history.uploaded = line,
            PackageState::Published => history.published = line,
            PackageState::Skipped => history.skipped = line,
            PackageState::Failed => history.failed = line,
            PackageState::Pending | PackageState::Other(_) => {}
        }
        self.mismatches -= usize::from(package.mismatch.is_some());
        package.update();
        self.mismatches += usize::from(package.mismatch.is_some());
    }

    pub(crate) fn run_started(&mut self, plan_id: &PlanId) {
        self.in_run = *plan_id == self.plan_id;
        self.has_run |= self.in_run;
    }

    /// Records that the run, if one is open, ended without a result.
    pub(crate) fn run_ended(&mut self) {
        self.in_run = false;
    }

    /// Records an `execution_finished`. `result` is `None` if it is not text.
    pub(crate) fn run_finished(&mut self, line: u64, result: Option<&str>) {
        if self.in_run {
            self.finish = Some((line, result.map(ToOwned::to_owned)));
            self.agreed_at_finish |= self.mismatches == 0 && !self.result_differs();
        }
        self.in_run = false;
    }

    /// Returns whether a receipt has another result than the latest finish of its plan, or there is none.
    fn result_differs(&self) -> bool {
        let result = self.finish.as_ref().map(|(_, result)| result.as_deref());
        self.kind == PacketKind::Receipt
            && result.is_none_or(|result| self.execution_result.is_some() && self.execution_result.as_deref() != result)
    }

    pub(crate) fn outcome(&self) -> Outcome {
        let has_drifted = |package: &Package| package.mismatch == Some(Mismatch::NoEvent);
        if !self.has_run {
            Outcome::Orphan
        } else if self.mismatches == 0 && !self.result_differs() {
            Outcome::Match
        } else if self.agreed_at_finish && self.kind == PacketKind::Receipt
            || !self.result_differs() && !self.packages.values().any(has_drifted)
        {
            Outcome::Behind
        } else {
            Outcome::Drift
        }
    }

    /// Returns the differences, at most 100, and the number of all.
    pub(crate) fn differences(&self) -> (Vec<PacketDiff>, usize) {
        let result = self.result_differs().then(|| PacketDiff {
            field: RESULT.to_owned(),
            file: self.execution_result.clone(),
            log: self.finish.as_ref().and_then(|(_, result)| result.clone()),
        });
        let packages = self.mismatched().map(|(name, package)| {
            let differs = |state: &&PackageState| package.history.mismatch(state) == package.mismatch;
            PacketDiff {
                field: name.clone(),
                file: package.states.iter().find(differs).map(|state| state.as_str().to_owned()),
                log: package.history.latest().map(|(_, state)| state.as_str().to_owned()),
            }
        });
        let all = self.mismatches + usize::from(result.is_some());
        (result.into_iter().chain(packages).take(MAX_DIFFERENCES).collect(), all)
    }

    /// Returns the line that shows the first difference: of the latest event, or of the latest finish. `None` if the log
    /// has none.
    pub(crate) fn line(&self) -> Option<u64> {
        let finish = self.finish.as_ref().filter(|_| self.result_differs()).map(|(line, _)| *line);
        finish.or_else(|| self.mismatched().find_map(|(_, package)| Some(package.history.latest()?.0)))
    }

    /// Returns the packages with a mismatch, those that no event explains first.
    fn mismatched(&self) -> impl Iterator<Item = (&String, &Package)> {
        let with = |mismatch| self.packages.iter().filter(move |(_, package)| package.mismatch == Some(mismatch));
        with(Mismatch::NoEvent).chain(with(Mismatch::LaterEvent))
    }
}
