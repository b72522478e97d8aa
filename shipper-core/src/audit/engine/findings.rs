//! The findings of the trackers, before the options of the audit change their levels.

use std::collections::HashSet;

use crate::audit::report::{Finding, FindingCode};

/// The findings so far, in the order in which they were found.
#[derive(Debug, Clone, Default)]
pub(super) struct Findings {
    all: Vec<(Finding, Option<usize>)>,
    breaks_integrity: bool,
}

impl Findings {
    /// Adds a finding about the log.
    pub(super) fn push(&mut self, finding: Finding) {
        self.add(finding, None);
    }

    /// Adds findings about the log.
    pub(super) fn extend(&mut self, findings: impl IntoIterator<Item = Finding>) {
        findings.into_iter().for_each(|finding| self.push(finding));
    }

    /// Adds findings about the decision at that position of its tracker, or about one of its runs.
    pub(super) fn extend_about(&mut self, decision: usize, findings: impl IntoIterator<Item = Finding>) {
        findings.into_iter().for_each(|finding| self.add(finding, Some(decision)));
    }

    /// Adds a finding about the decision at that position of its tracker; `None` if it is about the log.
    pub(super) fn add(&mut self, finding: Finding, decision: Option<usize>) {
        self.breaks_integrity |= finding.code.breaks_integrity();
        self.all.push((finding, decision));
    }

    /// Returns whether one of them breaks the integrity of the log.
    pub(super) fn breaks_integrity(&self) -> bool {
        self.breaks_integrity
    }

    /// Returns the positions of the decisions that a finding contradicts.
    pub(super) fn violated_decisions(&self) -> HashSet<usize> {
        self.all.iter().filter(|(finding, _)| finding.is_violation()).filter_map(|(_, decision)| *decision).collect()
    }

    /// Returns the positions of the decisions of which a run cannot be judged.
    pub(super) fn unjudged_decisions(&self) -> HashSet<usize> {
        let unjudged = self.all.iter().filter(|(finding, _)| finding.code == FindingCode::UnjudgedRun);
        unjudged.filter_map(|(_, decision)| *decision).collect()
    }

    /// Returns the findings, each with the position of the decision that it is about; `None` if it is about the log.
    pub(super) fn into_vec(self) -> Vec<(Finding, Option<usize>)> {
        self.all
    }
}
