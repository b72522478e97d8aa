//! A run that has not ended, and its deviations from the rehearsal.

use std::collections::HashSet;

use shipper_events::{EventKind, JsonUint, PlanId, display_safe};

use super::basis::PermissionBasis;
use super::format::format_number;
use crate::audit::report::{FindingCode, Label, RunReport, paths};

/// A finding that is reported only if the run publishes a package.
#[derive(Debug, Clone)]
pub(super) struct ConditionalFinding {
    pub(super) code: FindingCode,
    pub(super) message: String,
    /// The places that show it, beside the run's own line.
    pub(super) labels: Vec<Label>,
}

/// The action of a run on a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PackageAction {
    /// The upload is about to begin.
    Attempted,
    /// The live registry received it.
    Uploaded,
    /// The live registry has it.
    Published,
    /// The live registry had it already.
    Skipped,
    /// It could not be published.
    Failed,
}

impl PackageAction {
    /// Returns the action that an event of this kind records, if it records one.
    pub(super) fn from_kind(kind: EventKind) -> Option<Self> {
        Some(match kind {
            EventKind::PackageAttempted => Self::Attempted,
            EventKind::PackageUploaded => Self::Uploaded,
            EventKind::PackagePublished => Self::Published,
            EventKind::PackageSkipped => Self::Skipped,
            EventKind::PackageFailed => Self::Failed,
            _ => return None,
        })
    }

    /// Whether the action publishes the package or may have published it.
    pub(super) fn publishes(self) -> bool {
        matches!(self, Self::Attempted | Self::Uploaded | Self::Published)
    }
}

/// A run that has not ended.
#[derive(Debug, Clone)]
pub(super) struct ActiveRun {
    /// The position of the decision that it uses.
    pub(super) decision: usize,
    pub(super) plan_id: PlanId,
    pub(super) line: u64,
    pub(super) findings_if_active: Vec<ConditionalFinding>,
    /// The line at which it first attempted, uploaded or published a package.
    pub(super) first_action_line: Option<u64>,
    /// The receipt that its permission rests on.
    basis: Option<PermissionBasis>,
    live_registry: Option<String>,
    published: HashSet<String>,
    skipped: HashSet<String>,
    failed: HashSet<String>,
}

impl ActiveRun {
    pub(super) fn new(
        line: u64,
        plan_id: PlanId,
        package_count: &JsonUint,
        decision: usize,
        basis: Option<PermissionBasis>,
    ) -> Self {
        let mut run = Self {
            decision,
            plan_id,
            line,
            findings_if_active: Vec::new(),
            first_action_line: None,
            basis,
            live_registry: None,
            published: HashSet::new(),
            skipped: HashSet::new(),
            failed: HashSet::new(),
        };
        run.compare_count(package_count);
        run
    }

    fn compare_count(&mut self, package_count: &JsonUint) {
        let Some(basis) = &self.basis else {
            return;
        };
        if let Some(rehearsed) = basis.package_count.as_ref().filter(|rehearsed| *rehearsed != package_count) {
            let (line, planned, rehearsed) = (basis.line, format_number(package_count), format_number(rehearsed));
            let message = format!(
                "the run sets out to publish {planned} packages; the rehearsal on line {line} rehearsed {rehearsed}"
            );
            let rehearsed = basis.start_line.map(|line| Label::new(line, paths::PACKAGE_COUNT, "what was rehearsed"));
            let own = Label::new(self.line, paths::PACKAGE_COUNT, "");
            self.report_deviation(message, [own].into_iter().chain(rehearsed).collect());
        }
    }

    /// A package was attempted, uploaded or published.
    pub(super) fn record_publish_action(&mut self, line: u64, package: &str) {
        self.first_action_line.get_or_insert(line);
        let missing = self.basis.as_ref().filter(|basis| !basis.packages.contains(package));
        if let Some(basis) = missing {
            let (rehearsed, package) = (basis.line, display_safe(package).quoted());
            let message = format!("the run publishes {package}, which the rehearsal on line {rehearsed} does not hold");
            let labels = [
                Label::new(line, paths::PACKAGE, "not in the rehearsal"),
                Label::new(rehearsed, paths::PASSED, "the rehearsal that it rests on"),
            ];
            self.report_deviation(message, labels.into());
        }
    }

    /// Reports the first deviation only.
    fn report_deviation(&mut self, message: String, labels: Vec<Label>) {
        let code = FindingCode::NotWhatWasRehearsed;
        if self.findings_if_active.iter().all(|finding| finding.code != code) {
            self.findings_if_active.push(ConditionalFinding { code, message, labels });
        }
    }

    pub(super) fn set_live_registry(&mut self, registry: &str) {
        self.live_registry.get_or_insert_with(|| registry.to_owned());
    }

    /// Counts a package; each counts once.
    pub(super) fn count(&mut self, action: PackageAction, package: &str) {
        let packages = match action {
            PackageAction::Published => &mut self.published,
            PackageAction::Skipped => &mut self.skipped,
            PackageAction::Failed => &mut self.failed,
            PackageAction::Attempted | PackageAction::Uploaded => return,
        };
        packages.insert(package.to_owned());
    }

    pub(super) fn end(self, finished: Option<String>) -> RunReport {
        RunReport {
            line: self.line,
            live_registry: self.live_registry,
            finished,
            published: self.published.len() as u64,
            skipped: self.skipped.len() as u64,
            failed: self.failed.len() as u64,
        }
    }
}
