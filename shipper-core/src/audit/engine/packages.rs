//! Tracker of the packages of a log: which were published, by which run, and which uploads have no recorded outcome.

use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroU32;

use indexmap::IndexMap;
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

/// The number of a run among those of a tracker, from 1. The lines of more runs take hundreds of gigabytes.
type RunNumber = NonZeroU32;

/// The history of a package. A log may have many packages, so it is small.
#[derive(Debug, Clone, Default)]
struct PackageHistory {
    /// The latest run that uploaded or published the package.
    latest_run: Option<RunNumber>,
    /// The latest run that uploaded the package without a recorded outcome since.
    unconfirmed: Option<RunNumber>,
    /// The latest run that published, skipped or failed the package, and which of them it did.
    counted_by: Option<RunNumber>,
    is_counted: [bool; 3],
    is_published: bool,
}

impl PackageHistory {
    /// Records an upload. Returns the run before that uploaded the package without a recorded outcome since.
    fn uploaded(&mut self, run: Option<RunNumber>, is_judged: bool) -> Option<RunNumber> {
        self.latest_run = run.or(self.latest_run);
        let run = run.filter(|_| is_judged)?;
        self.unconfirmed.replace(run).filter(|earlier| *earlier != run)
    }

    /// Records a publish, a skip or a failure, and returns whether it is the first of its kind on the package in its run.
    fn ended(&mut self, kind: EventKind, run: Option<RunNumber>) -> bool {
        let number = match kind {
            EventKind::PackagePublished => {
                self.latest_run = run.or(self.latest_run);
                self.is_published = true;
                0
            }
            EventKind::PackageSkipped => 1,
            _ => 2,
        };
        run.is_some_and(|run| self.count(run, number))
    }

    /// Counts an action in a run, and returns whether it is the first of its kind.
    fn count(&mut self, run: RunNumber, number: usize) -> bool {
        if self.counted_by != Some(run) {
            (self.counted_by, self.is_counted) = (Some(run), [false; 3]);
        }
        self.is_counted.get_mut(number).is_some_and(|is_counted| !std::mem::replace(is_counted, true))
    }
}

/// The histories by package. While this map grows it hashes no name again, for which the audit would wait.
type Histories = IndexMap<Box<str>, PackageHistory>;

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
    histories: Histories,
    /// Of each package that several runs uploaded without a recorded outcome since, these runs without the latest.
    earlier_unconfirmed: HashMap<Box<str>, Vec<RunNumber>>,
    /// The runs that the histories may name, by number.
    runs: Vec<RunKey>,
}

impl PackageTracker {
    /// Records an action of a run, or one outside every run. `is_judged` is false if no finding about the run is wanted.
    pub(super) fn record(&mut self, action: &PackageAction<'_>, run: Option<RunKey>, is_judged: bool) -> ActionFacts {
        let (kind, package) = (action.kind, action.package);
        if kind == EventKind::PackageAttempted {
            return ActionFacts { was_published: false, is_first: false };
        }
        let run = run.map(|run| self.number(run));
        update(&mut self.histories, package, |history| {
            let was_published = history.is_published;
            if kind != EventKind::PackageUploaded {
                confirm(history, &mut self.earlier_unconfirmed, package);
                return ActionFacts { was_published, is_first: history.ended(kind, run) };
            }
            if let Some(earlier) = history.uploaded(run, is_judged) {
                self.earlier_unconfirmed.entry(package.into()).or_default().push(earlier);
            }
            ActionFacts { was_published, is_first: false }
        })
    }

    /// Records the outcome of an upload that the release tool looked up.
    pub(super) fn reconciled(&mut self, package: &str, is_published: bool) {
        update(&mut self.histories, package, |history| {
            confirm(history, &mut self.earlier_unconfirmed, package);
            history.is_published |= is_published;
        });
    }

    /// Returns the latest run that uploaded or published the package.
    pub(super) fn latest_run(&self, package: &str) -> Option<RunKey> {
        self.run(self.histories.get(package)?.latest_run?)
    }

    /// Reports the uploads without a recorded outcome, once for each run.
    pub(super) fn finish(&self, findings: &mut Findings) {
        let latest = self.histories.iter().filter_map(|(package, history)| Some((package, history.unconfirmed?)));
        let earlier =
            self.earlier_unconfirmed.iter().flat_map(|(package, runs)| runs.iter().map(move |run| (package, *run)));
        let mut by_run: BTreeMap<RunKey, Vec<&str>> = BTreeMap::new();
        for (package, run) in latest.chain(earlier) {
            if let Some(run) = self.run(run) {
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

    /// Returns the number of the active run, which may be new.
    fn number(&mut self, run: RunKey) -> RunNumber {
        if self.runs.last() != Some(&run) {
            self.runs.push(run);
        }
        u32::try_from(self.runs.len()).ok().and_then(RunNumber::new).unwrap_or(RunNumber::MAX)
    }

    /// Returns the run of that number.
    fn run(&self, number: RunNumber) -> Option<RunKey> {
        self.runs.get(usize::try_from(number.get() - 1).ok()?).copied()
    }
}

/// Changes the history of a package, which may be new.
fn update<T>(histories: &mut Histories, package: &str, change: impl FnOnce(&mut PackageHistory) -> T) -> T {
    // The name of a known package is not copied.
    match histories.get_mut(package) {
        Some(history) => change(history),
        None => change(histories.entry(package.into()).or_default()),
    }
}

/// Records that the outcome of all uploads of a package is known.
fn confirm(history: &mut PackageHistory, earlier: &mut HashMap<Box<str>, Vec<RunNumber>>, package: &str) {
    // Hardly any log has earlier ones.
    if history.unconfirmed.take().is_some() && !earlier.is_empty() {
        earlier.remove(package);
    }
}
