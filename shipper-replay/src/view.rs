//! The report with the data that its renderers show. Every output format is rendered from a [`ReportView`] only.

use std::collections::{BTreeMap, HashMap};

use fs_err::File;
use rayon::prelude::*;
use shipper_core::audit::{Duplicate, Finding, Level, LogReport, Report};

use crate::excerpt::{Excerpt, extract};
use crate::log_source::reread;
use crate::statement::{Digests, StatementInputs};

/// A report with excerpts of its logs.
#[derive(Debug)]
pub(crate) struct ReportView {
    /// The report.
    pub(crate) report: Report,
    /// The excerpts of each log of the report, in its order.
    pub(crate) excerpts: Vec<LogExcerpts>,
    /// Content of the statement and digests of the audited bytes; `None` without `--format vsa`.
    pub(crate) statement: Option<(StatementInputs, Digests)>,
    /// Logs that the inputs name more than once. The report contains each once.
    pub(crate) duplicates: Vec<Duplicate>,
}

/// Excerpts of one log, by the position of the finding that they show.
#[derive(Debug, Default)]
pub(crate) struct LogExcerpts(BTreeMap<usize, Vec<Excerpt>>);

impl LogExcerpts {
    /// Returns the excerpts of the finding at `position` in the report, that of its own line first. There are none if
    /// the finding names no line or is filtered out, or if the log cannot be read again.
    pub(crate) fn of_finding(&self, position: usize) -> &[Excerpt] {
        self.0.get(&position).map_or(&[], Vec::as_slice)
    }

    /// Returns the excerpt of the finding's own line, and its other excerpts.
    pub(crate) fn split(&self, position: usize, finding: &Finding) -> (Option<&Excerpt>, &[Excerpt]) {
        match self.of_finding(position) {
            [own, others @ ..] if Some(own.line) == finding.line => (Some(own), others),
            others => (None, others),
        }
    }
}

/// Selects the findings that are shown with excerpts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FindingFilter {
    /// Most findings of a log, the most severe first.
    pub(crate) max: usize,
    /// True to include notes.
    pub(crate) notes: bool,
}

impl FindingFilter {
    /// Returns the positions of the selected findings, the most severe first; of one level, those about integrity first.
    pub(crate) fn select(self, findings: &[Finding]) -> Vec<usize> {
        let is_included = |finding: &Finding| self.notes || finding.level != Level::Note;
        let findings = findings.iter().enumerate().filter(|(_, finding)| is_included(finding));
        let rank = |finding: &Finding| (finding.level, !finding.code.breaks_integrity());
        let mut selected: Vec<_> = findings.map(|(position, finding)| (rank(finding), position)).collect();
        selected.sort_unstable();
        selected.into_iter().take(self.max).map(|(_, position)| position).collect()
    }
}

impl ReportView {
    /// Returns a view without excerpts.
    pub(crate) fn new(report: Report) -> Self {
        let excerpts = report.logs.iter().map(|_| LogExcerpts::default()).collect();
        Self { report, excerpts, statement: None, duplicates: Vec::new() }
    }

    /// Loads the excerpts of the logs at the positions in `logs`. `copies` contains, by position, the bytes of streams.
    pub(crate) fn load_excerpts(&mut self, filter: FindingFilter, logs: &[usize], copies: &HashMap<usize, File>) {
        let load = |position: &usize| {
            let log = self.report.logs.get(*position)?;
            Some((*position, load_excerpts(log, copies.get(position), filter)))
        };
        let loaded: Vec<(usize, LogExcerpts)> = logs.par_iter().filter_map(load).collect();
        for (position, excerpts) in loaded {
            if let Some(slot) = self.excerpts.get_mut(position) {
                *slot = excerpts;
            }
        }
    }
}

/// Reads the lines of the findings again. A log that cannot be read again, or has changed, has no excerpts.
fn load_excerpts(log: &LogReport, copy: Option<&File>, filter: FindingFilter) -> LogExcerpts {
    let Some(audit) = &log.audit else {
        return LogExcerpts::default();
    };
    let positions = filter.select(&audit.findings);
    let findings: Vec<&Finding> = positions.iter().filter_map(|position| audit.findings.get(*position)).collect();
    if findings.iter().all(|finding| finding.labels().is_empty()) {
        return LogExcerpts::default();
    }
    let excerpts = reread(&log.path, copy, audit, |bytes| extract(bytes, findings));
    LogExcerpts(positions.into_iter().zip(excerpts.ok().flatten().unwrap_or_default()).collect())
}
