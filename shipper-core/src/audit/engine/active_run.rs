//! A run that has not ended, and its deviations from the rehearsal.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use shipper_events::event::PlanCreated;
use shipper_events::{EventKind, PlanId, display_safe};

use super::format::{format_number, format_packages};
use super::packages::{ActionFacts, PackageAction, RunKey};
use crate::audit::report::{Finding, FindingCode, Label, RunReport, paths};
use crate::fold::Receipt;

/// A run that has not ended.
#[derive(Debug, Clone)]
pub(super) struct ActiveRun {
    /// The position of the decision that the run uses.
    pub(super) decision: usize,
    pub(super) plan_id: PlanId,
    pub(super) report: RunReport,
    /// False if its decision has rules that this version does not know.
    pub(super) is_judged: bool,
    /// The receipt that authorizes the run. `None` unless the decision is an authorization.
    receipt: Option<Arc<Receipt>>,
    /// The findings that are reported only if the run publishes a package.
    findings_if_active: Vec<Finding>,
    /// The finding that the authorization was outdated when the run used it. It is reported only if the run publishes.
    pub(super) outdated: Option<Finding>,
    /// The line of the latest gate event when `outdated` was last computed.
    pub(super) checked_up_to: u64,
    /// The first deviation from the rehearsal. It is reported only if the run publishes a package.
    deviation: Option<Finding>,
    /// The first package that was skipped as published and has other content than the rehearsal.
    skipped_deviation: Option<Finding>,
    /// Packages with content in the rehearsal or in the run, and whether the run records it.
    contents: BTreeMap<String, bool>,
    /// Packages that were skipped as published, although the log does not show that they were.
    unexplained_skips: BTreeSet<String>,
    /// True if the run names the registry of its rehearsal as the live registry.
    uses_rehearsal_registry: bool,
    /// The first and the last line at which it attempted, uploaded or published a package.
    action_lines: Option<(u64, u64)>,
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
            is_judged: true,
            receipt,
            findings_if_active,
            outdated: None,
            checked_up_to: 0,
            deviation,
            skipped_deviation: None,
            contents: BTreeMap::new(),
            unexplained_skips: BTreeSet::new(),
            uses_rehearsal_registry: false,
            action_lines: None,
        }
    }

    pub(super) fn key(&self) -> RunKey {
        (self.report.line, self.decision)
    }

    /// Records an action on a package. A package counts once for each kind of action.
    pub(super) fn record_action(&mut self, action: &PackageAction<'_>, facts: ActionFacts) {
        if action.publishes() {
            let (first, _) = self.action_lines.unwrap_or((action.line, action.line));
            self.action_lines = Some((first, action.line));
            self.check_package(action);
        }
        if action.is_already_published && !facts.was_published && self.is_judged {
            self.unexplained_skips.insert(action.package.to_owned());
        }
        self.check_content(action);
        let count = match action.kind {
            EventKind::PackagePublished => &mut self.report.published,
            EventKind::PackageSkipped => &mut self.report.skipped,
            EventKind::PackageFailed => &mut self.report.failed,
            _ => return,
        };
        *count += u64::from(facts.is_first);
    }

    /// Records the live registry that the run names.
    pub(super) fn name_live_registry(&mut self, registry: &str) {
        self.report.live_registry.get_or_insert_with(|| registry.to_owned());
        let of_rehearsal = self.receipt.as_ref().is_some_and(|receipt| receipt.registry.as_str() == registry);
        self.uses_rehearsal_registry |= of_rehearsal;
    }

    fn check_package(&mut self, action: &PackageAction<'_>) {
        let (line, package) = (action.line, action.package);
        let Some(receipt) = &self.receipt else {
            return;
        };
        let rehearsed = receipt.line;
        let (why, label) = if !receipt.packages.contains(package) {
            (format!("which is not in the rehearsal on line {rehearsed}"), "not in the rehearsal")
        } else if receipt.already_published.contains(package) {
            (format!("which the rehearsal on line {rehearsed} did not build as already published"), "not built")
        } else {
            return;
        };
        self.deviation.get_or_insert_with(|| {
            let message = format!("the run publishes {}, {why}", display_safe(package).quoted());
            Finding::new(FindingCode::NotWhatWasRehearsed, self.report.line, message).with_labels([
                Label::new(line, paths::PACKAGE, label),
                Label::new(rehearsed, paths::PASSED, "the rehearsal used as evidence"),
            ])
        });
    }

    /// Compares the content of a package with that of the rehearsal.
    fn check_content(&mut self, action: &PackageAction<'_>) {
        let is_upload = matches!(action.kind, EventKind::PackageUploaded | EventKind::PackagePublished);
        let is_compared = is_upload || (action.is_already_published && action.content.is_some());
        let Some(receipt) = self.receipt.as_ref().filter(|_| is_compared) else {
            return;
        };
        let rehearsed = receipt.contents.get(action.package);
        // A package that is not in the rehearsal is a deviation of its own.
        if (rehearsed.is_none() && action.content.is_none()) || !receipt.packages.contains(action.package) {
            return;
        }
        *self.contents.entry(action.package.to_owned()).or_default() |= action.content.is_some();
        let (Some(rehearsed), Some(found)) = (rehearsed, action.content) else {
            return;
        };
        if rehearsed == found {
            return;
        }
        let deviation = if is_upload { &mut self.deviation } else { &mut self.skipped_deviation };
        deviation.get_or_insert_with(|| {
            let package = display_safe(action.package).quoted();
            let message =
                format!("the content of {package} differs from the content in the rehearsal on line {}", receipt.line);
            Finding::new(FindingCode::NotWhatWasRehearsed, self.report.line, message).with_labels([
                Label::new(action.line, paths::CONTENT, "not the rehearsed content"),
                Label::new(receipt.line, paths::PASSED, "the rehearsal used as evidence"),
            ])
        });
    }

    /// Returns the last line at which the run acted; 0 if it did not.
    pub(super) fn last_action_line(&self) -> u64 {
        self.action_lines.map_or(0, |(_, last)| last)
    }

    /// Removes and returns the findings to report.
    pub(super) fn take_findings(&mut self) -> Vec<Finding> {
        let mut found = Vec::new();
        if let Some((line, _)) = self.action_lines {
            let publishes = Label::new(line, paths::PACKAGE, "the run publishes from here on");
            let with_label = |finding: Finding| finding.with_labels([publishes]);
            found.extend(self.deviation.take());
            found.extend(std::mem::take(&mut self.findings_if_active).into_iter().map(with_label));
            found.extend(self.outdated.take().map(with_label));
        }
        if !found.iter().any(|finding| finding.code == FindingCode::NotWhatWasRehearsed) {
            found.extend(self.skipped_deviation.take());
        }
        found.extend(self.report_contents());
        found.extend(self.report_live_registry());
        if !self.unexplained_skips.is_empty() {
            let packages = format_packages(self.unexplained_skips.iter().map(String::as_str));
            let message = format!("skipped as already published, but the log does not show a publish: {packages}");
            found.push(Finding::new(FindingCode::SkipUnexplained, self.report.line, message));
        }
        found
    }

    /// Reports the packages whose content only the rehearsal or only the run records.
    fn report_contents(&self) -> Option<Finding> {
        let receipt = self.receipt.as_ref()?;
        let one_sided = |(package, in_run): &(&String, &bool)| receipt.contents.contains_key(*package) != **in_run;
        let packages: Vec<&str> = self.contents.iter().filter(one_sided).map(|(package, _)| package.as_str()).collect();
        if packages.is_empty() {
            return None;
        }
        let packages = format_packages(packages.into_iter());
        let message = format!("only the rehearsal or only the run records the content of {packages}");
        Some(Finding::new(FindingCode::ContentNotCompared, self.report.line, message))
    }

    /// Reports that the rehearsal used the live registry of the run.
    fn report_live_registry(&self) -> Option<Finding> {
        let receipt = self.receipt.as_ref().filter(|_| self.uses_rehearsal_registry)?;
        let registry = display_safe(receipt.registry.as_str()).quoted();
        let message = format!("the live registry of the run, {registry}, is the registry of its rehearsal");
        let rehearsal = Label::new(receipt.line, paths::REGISTRY, "the rehearsal used as evidence");
        let finding = Finding::new(FindingCode::RehearsedOnLiveRegistry, self.report.line, message);
        Some(finding.with_labels([rehearsal]))
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
