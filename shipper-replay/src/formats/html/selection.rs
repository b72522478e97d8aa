//! [`LogSection`]: a log with the decisions, runs and findings that its section shows.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use shipper_core::audit::{Decision, Finding, LogAudit, LogReport, Report};

use crate::formats::text::decisions::sort_rank;
use crate::view::{FindingFilter, LogExcerpts};

/// Largest number of decisions, of runs and of findings of a log, and of rows and package marks of its timeline.
pub(super) const MAX_SHOWN: usize = 500;

/// A log with a section on the page.
pub(super) struct LogSection<'a> {
    pub(super) log: &'a LogReport,
    pub(super) audit: &'a LogAudit,
    pub(super) excerpts: &'a LogExcerpts,
    pub(super) report: &'a Report,
    /// The anchor of the section. The anchors of its parts begin with it.
    pub(super) id: String,
    /// The decisions in the section, in the order of their lines.
    pub(super) decisions: Vec<&'a Decision>,
    /// The first lines of the runs in the section.
    pub(super) runs: BTreeSet<u64>,
    /// The findings in the section, each with its position in the report, the most severe first.
    pub(super) findings: Vec<(usize, &'a Finding)>,
}

impl<'a> LogSection<'a> {
    pub(super) fn new(
        log: &'a LogReport,
        audit: &'a LogAudit,
        excerpts: &'a LogExcerpts,
        report: &'a Report,
        id: String,
    ) -> Self {
        let decisions = sample(audit.decisions.iter().collect(), MAX_SHOWN, |decision| sort_rank(decision.status));
        let runs = decisions
            .iter()
            .flat_map(|decision| decision.runs.iter().map(|run| (sort_rank(decision.status), run.line)))
            .collect();
        let runs = sample(runs, MAX_SHOWN, |(rank, _)| *rank).into_iter().map(|(_, line)| line).collect();
        let findings = FindingFilter { max: MAX_SHOWN, notes: true }.select(&audit.findings).into_iter();
        let findings = findings.filter_map(|position| Some((position, audit.findings.get(position)?))).collect();
        Self { log, audit, excerpts, report, id, decisions, runs, findings }
    }
}

/// Returns at most `most` items in their order: those of the lowest ranks. If a rank fits only in part, it returns an
/// even sample of that rank, so that no part of the log is missing.
pub(super) fn sample<T>(items: Vec<T>, most: usize, rank: impl Fn(&T) -> u8) -> Vec<T> {
    let mut ranks: Vec<u8> = items.iter().map(&rank).collect();
    ranks.sort_unstable();
    let Some(last) = ranks.get(most).copied() else {
        return items;
    };
    let lower = ranks.partition_point(|rank| *rank < last);
    let (chosen, all) = (most - lower, ranks.partition_point(|rank| *rank <= last) - lower);
    let mut seen = 0;
    let is_chosen = |item: &T| match rank(item).cmp(&last) {
        Ordering::Less => true,
        Ordering::Equal => {
            seen += 1;
            seen * chosen / all > (seen - 1) * chosen / all
        }
        Ordering::Greater => false,
    };
    items.into_iter().filter(is_chosen).collect()
}
