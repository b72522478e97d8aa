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

#[derive(Debug, Clone, Copy, Default)]
struct PackageHistory {
    is_published: bool,
    /// The latest run that uploaded or published the package. `None` if no run did.
    latest_run: Option<RunKey>,
}

/// The packages of a log so far.
#[derive(Debug, Clone, Default)]
pub(super) struct PackageTracker {
    history: HashMap<Box<str>, PackageHistory>,
    /// The runs that uploaded a package without a recorded outcome since.
    unconfirmed: HashMap<Box<str>, Vec<RunKey>>,
}

impl PackageTracker {
    /// Records an action of a run, or one outside every run. `is_judged` is false if no finding about the run is wanted.
    pub(super) fn record(&mut self, action: &PackageAction<'_>, run: Option<RunKey>, is_judged: bool) {
        match action.kind {
            EventKind::PackageUploaded => {
                self.history_mut(action.package).latest_run = run.or(self.latest_run(action.package));
                if let Some(run) = run.filter(|_| is_judged) {
                    let runs = self.unconfirmed.entry(action.package.into()).or_default();
                    if runs.last() != Some(&run) {
                        runs.push(run);
                    }
                }
            }
            EventKind::PackagePublished => {
                let history = self.history_mut(action.package);
                history.is_published = true;
                history.latest_run = run.or(history.latest_run);
                self.unconfirmed.remove(action.package);
            }
            EventKind::PackageFailed | EventKind::PackageSkipped => {
                self.unconfirmed.remove(action.package);
            }
            _ => {}
        }
    }

    /// Records the outcome of an upload that the release tool looked up.
    pub(super) fn reconciled(&mut self, package: &str, is_published: bool) {
        self.unconfirmed.remove(package);
        if is_published {
            self.history_mut(package).is_published = true;
        }
    }

    /// Returns whether the log has recorded so far that the package is published.
    pub(super) fn is_published(&self, package: &str) -> bool {
        self.history.get(package).is_some_and(|history| history.is_published)
    }

    /// Returns the latest run that uploaded or published the package.
    pub(super) fn latest_run(&self, package: &str) -> Option<RunKey> {
        self.history.get(package)?.latest_run
    }

    /// Reports the uploads without a recorded outcome, once for each run.
    pub(super) fn finish(self, findings: &mut Findings) {
        let mut by_run: BTreeMap<RunKey, Vec<Box<str>>> = BTreeMap::new();
        for (package, runs) in self.unconfirmed {
            for run in runs {
                by_run.entry(run).or_default().push(package.clone());
            }
        }
        for ((line, decision), mut packages) in by_run {
            packages.sort_unstable();
            let packages = format_packages(packages.iter().map(|package| &**package));
            let message = format!("the log does not show whether these uploads arrived: {packages}");
            findings.extend_about(decision, [Finding::new(FindingCode::UploadUnconfirmed, line, message)]);
        }
    }

    fn history_mut(&mut self, package: &str) -> &mut PackageHistory {
        self.history.entry(package.into()).or_default()
    }
}
