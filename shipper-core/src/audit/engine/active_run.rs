//! A run that has not ended, and its deviations from the rehearsal.

use std::collections::HashSet;
use std::sync::Arc;

use shipper_events::event::PlanCreated;
use shipper_events::{EventKind, PlanId, display_safe};

use super::format::format_number;
use crate::audit::report::{Finding, FindingCode, Label, RunReport, paths};
use crate::fold::Receipt;

/// Returns whether events of this kind record the action of a run on a package.
pub(super) fn is_package_action(kind: EventKind) -> bool {
    publishes(kind) || matches!(kind, EventKind::PackageSkipped | EventKind::PackageFailed)
}

/// Returns whether an action of this kind published its package, or may have published it.
pub(super) fn publishes(kind: EventKind) -> bool {
    matches!(kind, EventKind::PackageAttempted | EventKind::PackageUploaded | EventKind::PackagePublished)
}

/// A run that has not ended.
#[derive(Debug, Clone)]
pub(super) struct ActiveRun {
    /// The position of the decision that the run uses.
    pub(super) decision: usize,
    pub(super) plan_id: PlanId,
    pub(super) report: RunReport,
    /// The receipt that authorizes the run. `None` unless the decision is an authorization.
    receipt: Option<Arc<Receipt>>,
    /// The findings that are reported only if the run publishes a package.
    findings_if_active: Vec<Finding>,
    /// The first deviation from the rehearsal. It is reported only if the run publishes a package.
    deviation: Option<Finding>,
    /// The line at which it first attempted, uploaded or published a package.
    first_action_line: Option<u64>,
    /// The actions and packages that the numbers of the report count.
    counted: HashSet<(EventKind, String)>,
}

impl ActiveRun {
    pub(super) fn new(
        line: u64,
        plan: &PlanCreated,
        decision: usize,
        receipt: Option<Arc<Receipt>>,
        findings_if_active: Vec<Finding>,
    ) -> Self {
        let report = RunReport { line, live_registry: None, finished: None, published: 0, skipped: 0, failed: 0 };
        let deviation = receipt.as_ref().and_then(|receipt| compare_count(line, plan, receipt));
        Self {
            decision,
            plan_id: plan.plan_id.clone(),
            report,
            receipt,
            findings_if_active,
            deviation,
            first_action_line: None,
            counted: HashSet::new(),
        }
    }

    /// Records an action on a package. A package counts once for each kind of action.
    pub(super) fn record_action(&mut self, line: u64, kind: EventKind, package: &str) {
        if publishes(kind) {
            self.first_action_line.get_or_insert(line);
            self.check_package(line, package);
        }
        let count = match kind {
            EventKind::PackagePublished => &mut self.report.published,
            EventKind::PackageSkipped => &mut self.report.skipped,
            EventKind::PackageFailed => &mut self.report.failed,
            _ => return,
        };
        *count += u64::from(self.counted.insert((kind, package.to_owned())));
    }

    fn check_package(&mut self, line: u64, package: &str) {
        let Some(receipt) = self.receipt.as_ref().filter(|receipt| !receipt.packages.contains(package)) else {
            return;
        };
        self.deviation.get_or_insert_with(|| {
            let (rehearsed, package) = (receipt.line, display_safe(package).quoted());
            let message = format!("the run publishes {package}, which is not in the rehearsal on line {rehearsed}");
            Finding::new(FindingCode::NotWhatWasRehearsed, self.report.line, message).with_labels([
                Label::new(line, paths::PACKAGE, "not in the rehearsal"),
                Label::new(rehearsed, paths::PASSED, "the rehearsal used as evidence"),
            ])
        });
    }

    /// Removes and returns the findings to report.
    pub(super) fn take_findings(&mut self) -> Vec<Finding> {
        let Some(line) = self.first_action_line else {
            return Vec::new();
        };
        let publishes = Label::new(line, paths::PACKAGE, "the run publishes from here on");
        let findings = std::mem::take(&mut self.findings_if_active).into_iter();
        self.deviation.take().into_iter().chain(findings.map(|finding| finding.with_labels([publishes]))).collect()
    }
}

/// Compares the number of packages of a run with that of the rehearsal.
fn compare_count(line: u64, plan: &PlanCreated, receipt: &Receipt) -> Option<Finding> {
    let start = receipt.start.as_ref().filter(|start| start.package_count != plan.package_count)?;
    let (planned, rehearsed) = (format_number(&plan.package_count), format_number(&start.package_count));
    let message = format!(
        "the run plans to publish {planned} packages, but the rehearsal on line {} has {rehearsed}",
        receipt.line
    );
    let own = Label::new(line, paths::PACKAGE_COUNT, "");
    let rehearsed = Label::new(start.line, paths::PACKAGE_COUNT, "number of rehearsed packages");
    Some(Finding::new(FindingCode::NotWhatWasRehearsed, line, message).with_labels([own, rehearsed]))
}
