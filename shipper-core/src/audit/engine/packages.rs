//! Tracker of the packages of a log: which were published, by which run, and which uploads have no recorded outcome.

use std::collections::{BTreeMap, HashMap};

use shipper_events::{EventKind, Timestamp};

use super::findings::Findings;
use super::format::format_packages;
use crate::audit::report::{Finding, FindingCode};

/// An event about one package, in a run or outside every run.
#[derive(Debug, Clone, Copy)]
pub(super) struct PackageAction<'a> {
    pub(super) line: u64,
    pub(super) kind: EventKind,
    /// The package, `name@version`.
    pub(super) package: &'a str,
    /// The time of the event. `None` if the audit does not need it.
    pub(super) timestamp: Option<&'a Timestamp>,
    /// The content that the event records.
    pub(super) content: Option<&'a str>,
    /// True for a `package_skipped` because the package is already published.
    pub(super) is_already_published: bool,
}

impl PackageAction<'_> {
    /// Returns whether the action published its package, or may have published it.
    pub(super) fn publishes(&self) -> bool {
        matches!(self.kind, EventKind::PackageAttempted | EventKind::PackageUploaded | EventKind::PackagePublished)
    }
}

/// A run: its first line, and the position of the decision that it uses.
pub(super) type RunKey = (u64, usize);

/// The history of a package, with each run as its first line. A log may have many packages, so it is small.
#[derive(Debug, Clone, Default)]
struct PackageHistory {
    /// The latest run that uploaded or published the package; 0 if no run did.
    latest_run: u64,
    /// The runs that uploaded the package without a recorded outcome since.
    unconfirmed: Vec<u64>,
    /// The latest run that published, skipped or failed the package, and which of them it did.
    counted_by: u64,
    is_counted: [bool; 3],
    is_published: bool,
}

impl PackageHistory {
    /// Records an action, and returns whether it is the first of its kind on the package in its run.
    fn record(&mut self, kind: EventKind, run: Option<u64>, is_judged: bool) -> bool {
        let number = match kind {
            EventKind::PackageUploaded => {
                self.latest_run = run.unwrap_or(self.latest_run);
                let unconfirmed = run.filter(|run| is_judged && self.unconfirmed.last() != Some(run));
                self.unconfirmed.extend(unconfirmed);
                return false;
            }
            EventKind::PackagePublished => {
                self.is_published = true;
                self.latest_run = run.unwrap_or(self.latest_run);
                0
            }
            EventKind::PackageSkipped => 1,
            EventKind::PackageFailed => 2,
            _ => return false,
        };
        self.confirm();
        run.is_some_and(|run| self.count(run, number))
    }

    /// Records that the outcome of all uploads is known. Keeps no memory for them.
    fn confirm(&mut self) {
        self.unconfirmed = Vec::new();
    }

    /// Counts an action in a run, and returns whether it is the first of its kind.
    fn count(&mut self, run: u64, number: usize) -> bool {
        if self.counted_by != run {
            (self.counted_by, self.is_counted) = (run, [false; 3]);
        }
        self.is_counted.get_mut(number).is_some_and(|is_counted| !std::mem::replace(is_counted, true))
    }
}

/// The state of a package before an action, and the effect of the action.
#[derive(Debug, Clone, Copy)]
pub(super) struct ActionFacts {
    /// True if the log has recorded before that the package is published.
    pub(super) was_published: bool,
    /// True if the action publishes, skips or fails the package for the first time in its run.
    pub(super) is_first: bool,
}

/// The packages of a log so far.
#[derive(Debug, Clone, Default)]
pub(super) struct PackageTracker {
    history: HashMap<Box<str>, PackageHistory>,
    /// The runs that the histories may name, by line.
    runs: Vec<RunKey>,
}

impl PackageTracker {
    /// Records an action of a run, or one outside every run. `is_judged` is false if no finding about the run is wanted.
    pub(super) fn record(&mut self, action: &PackageAction<'_>, run: Option<RunKey>, is_judged: bool) -> ActionFacts {
        if action.kind == EventKind::PackageAttempted {
            return ActionFacts { was_published: false, is_first: false };
        }
        if let Some(run) = run.filter(|run| self.runs.last() != Some(run)) {
            self.runs.push(run);
        }
        self.update(action.package, |history| {
            let was_published = history.is_published;
            ActionFacts { was_published, is_first: history.record(action.kind, run.map(|(line, _)| line), is_judged) }
        })
    }

    /// Records the outcome of an upload that the release tool looked up.
    pub(super) fn reconciled(&mut self, package: &str, is_published: bool) {
        self.update(package, |history| {
            history.confirm();
            history.is_published |= is_published;
        });
    }

    /// Returns the latest run that uploaded or published the package.
    pub(super) fn latest_run(&self, package: &str) -> Option<RunKey> {
        self.run(self.history.get(package)?.latest_run)
    }

    /// Reports the uploads without a recorded outcome, once for each run.
    pub(super) fn finish(&self, findings: &mut Findings) {
        let mut by_run: BTreeMap<RunKey, Vec<&str>> = BTreeMap::new();
        for (package, history) in &self.history {
            for run in history.unconfirmed.iter().filter_map(|run| self.run(*run)) {
                by_run.entry(run).or_default().push(package);
            }
        }
        for ((line, decision), mut packages) in by_run {
            packages.sort_unstable();
            let packages = format_packages(packages.into_iter());
            let message = format!("the log does not show whether these uploads arrived: {packages}");
            findings.extend_about(decision, [Finding::new(FindingCode::UploadUnconfirmed, line, message)]);
        }
    }

    /// Returns the run that begins on a line.
    fn run(&self, line: u64) -> Option<RunKey> {
        self.runs.get(self.runs.binary_search_by_key(&line, |(line, _)| *line).ok()?).copied()
    }

    /// Changes the history of a package.
    fn update<T>(&mut self, package: &str, change: impl FnOnce(&mut PackageHistory) -> T) -> T {
        // The name of a known package is not copied.
        if let Some(history) = self.history.get_mut(package) {
            return change(history);
        }
        change(self.history.entry(package.into()).or_default())
    }
}
