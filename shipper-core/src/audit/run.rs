//! Runs: attempts to publish for real, followed from `plan_created` to their end.

use std::collections::HashSet;

use shipper_events::{JsonUint, PlanId, display_safe};

use super::decision::RunReport;
use super::finding::FindingCode;
use super::ledger::Ground;
use super::mark::{Label, member};
use super::wording::number;

/// What a run is charged with.
#[derive(Debug, Clone)]
pub(super) struct Charge {
    pub(super) code: FindingCode,
    pub(super) message: String,
    /// What shows it, beside the run's own line.
    pub(super) marks: Vec<Label>,
}

/// A run that has not ended.
#[derive(Debug, Clone)]
pub(super) struct OpenRun {
    /// The decision that it takes, by its position in the ledger.
    pub(super) decision: usize,
    pub(super) plan_id: PlanId,
    pub(super) line: u64,
    /// What the run violates if it acts.
    pub(super) if_it_acts: Vec<Charge>,
    /// The line on which it first acts.
    pub(super) acts: Option<u64>,
    /// The receipt that its permission rests on.
    rests_on: Option<Ground>,
    live_registry: Option<String>,
    published: HashSet<String>,
    skipped: HashSet<String>,
    failed: HashSet<String>,
}

impl OpenRun {
    pub(super) fn new(
        line: u64,
        plan_id: PlanId,
        package_count: &JsonUint,
        decision: usize,
        rests_on: Option<Ground>,
    ) -> Self {
        let mut run = Self {
            decision,
            plan_id,
            line,
            if_it_acts: Vec::new(),
            acts: None,
            rests_on,
            live_registry: None,
            published: HashSet::new(),
            skipped: HashSet::new(),
            failed: HashSet::new(),
        };
        run.compare_count(package_count);
        run
    }

    fn compare_count(&mut self, package_count: &JsonUint) {
        let Some(ground) = &self.rests_on else {
            return;
        };
        if let Some(rehearsed) = ground.package_count.as_ref().filter(|rehearsed| *rehearsed != package_count) {
            let (line, planned, rehearsed) = (ground.line, number(package_count), number(rehearsed));
            let message = format!(
                "the run sets out to publish {planned} packages; the rehearsal on line {line} rehearsed {rehearsed}"
            );
            let rehearsed = ground.started.map(|line| Label::new(line, member::PACKAGE_COUNT, "what was rehearsed"));
            let own = Label::new(self.line, member::PACKAGE_COUNT, "");
            self.deviates(message, [own].into_iter().chain(rehearsed).collect());
        }
    }

    /// A package was attempted, uploaded or published.
    pub(super) fn act(&mut self, line: u64, package: &str) {
        self.acts.get_or_insert(line);
        let missing = self.rests_on.as_ref().filter(|ground| !ground.packages.contains(package));
        if let Some(ground) = missing {
            let (rehearsed, package) = (ground.line, display_safe(package).quoted());
            let message = format!("the run publishes {package}, which the rehearsal on line {rehearsed} does not hold");
            let marks = [
                Label::new(line, member::PACKAGE, "not in the rehearsal"),
                Label::new(rehearsed, member::PASSED, "the rehearsal that it rests on"),
            ];
            self.deviates(message, marks.into());
        }
    }

    /// Said once a run.
    fn deviates(&mut self, message: String, marks: Vec<Label>) {
        let code = FindingCode::NotWhatWasRehearsed;
        if self.if_it_acts.iter().all(|charge| charge.code != code) {
            self.if_it_acts.push(Charge { code, message, marks });
        }
    }

    pub(super) fn publishes_to(&mut self, registry: &str) {
        self.live_registry.get_or_insert_with(|| registry.to_owned());
    }

    pub(super) fn published(&mut self, package: &str) {
        self.published.insert(package.to_owned());
    }

    pub(super) fn skipped(&mut self, package: &str) {
        self.skipped.insert(package.to_owned());
    }

    pub(super) fn failed(&mut self, package: &str) {
        self.failed.insert(package.to_owned());
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
