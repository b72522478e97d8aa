//! [`ReportView`]: the report and the data that its renderers show with it.
//!
//! Every output format is rendered from a view and from nothing else.

use std::collections::{BTreeMap, HashMap};

use fs_err::File;
use rayon::prelude::*;
use shipper_core::audit::{Duplicate, Finding, Level, LogReport, Report};

use crate::excerpt::{Excerpt, extract};
use crate::log_source::{VerifyingReader, reopen};
use crate::statement::StatementInputs;

/// A report, with excerpts of the logs that show its findings.
#[derive(Debug)]
pub(crate) struct ReportView {
    /// The report.
    pub(crate) report: Report,
    /// The excerpts of each log of the report, in its order.
    pub(crate) excerpts: Vec<LogExcerpts>,
    /// Content of the statement; `None` without `--format vsa`.
    pub(crate) statement: Option<StatementInputs>,
    /// Logs that were given more than once; the report contains each once.
    pub(crate) duplicates: Vec<Duplicate>,
}

/// Excerpts of one log, by the position of the finding that they show.
#[derive(Debug, Default)]
pub(crate) struct LogExcerpts(BTreeMap<usize, Vec<Excerpt>>);

impl LogExcerpts {
    /// Returns the excerpts of the finding at `position` in the report, the one of its own line first. They are empty if
    /// the finding names no line, is filtered out, or if the log cannot be read a second time.
    pub(crate) fn of_finding(&self, position: usize) -> &[Excerpt] {
        self.0.get(&position).map_or(&[], Vec::as_slice)
    }
}

/// Selects the findings that are shown with excerpts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FindingFilter {
    /// Most findings of a log, the most severe first.
    pub(crate) max: usize,
    /// True to include notes.
    pub(crate) notes: bool,
}

impl FindingFilter {
    /// Returns the positions of the selected findings, the most severe first.
    pub(crate) fn select(self, findings: &[Finding]) -> Vec<usize> {
        let is_included = |finding: &Finding| self.notes || finding.level != Level::Note;
        let findings = findings.iter().enumerate().filter(|(_, finding)| is_included(finding));
        let mut selected: Vec<(Level, usize)> = findings.map(|(position, finding)| (finding.level, position)).collect();
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

    /// Loads the excerpts of the logs at the positions in `logs`. `copies` contains, by position, the bytes of logs that
    /// can be read only once.
    pub(crate) fn load_excerpts(&mut self, filter: FindingFilter, logs: &[usize], mut copies: HashMap<usize, File>) {
        let with_report = |position: &usize| Some((*position, self.report.logs.get(*position)?));
        let sources: Vec<(usize, &LogReport, Option<File>)> = logs
            .iter()
            .filter_map(with_report)
            .map(|(position, log)| (position, log, copies.remove(&position)))
            .collect();
        let loaded: Vec<(usize, LogExcerpts)> =
            sources.into_par_iter().map(|(position, log, copy)| (position, load_excerpts(log, copy, filter))).collect();
        for (position, excerpts) in loaded {
            if let Some(slot) = self.excerpts.get_mut(position) {
                *slot = excerpts;
            }
        }
    }
}

/// Reads the lines that findings refer to a second time. Excerpts are optional: a log that can no longer be read, or has
/// other bytes now, has none.
fn load_excerpts(log: &LogReport, copy: Option<File>, filter: FindingFilter) -> LogExcerpts {
    let Some(audit) = &log.audit else {
        return LogExcerpts::default();
    };
    let positions = filter.select(&audit.findings);
    let findings: Vec<&Finding> = positions.iter().filter_map(|position| audit.findings.get(*position)).collect();
    if findings.iter().all(|finding| finding.labels().is_empty()) {
        return LogExcerpts::default();
    }
    let excerpts = reopen(&log.path, copy, audit.bytes).and_then(|file| {
        let mut reader = VerifyingReader::new(file, audit);
        let excerpts = extract(&mut reader, findings)?;
        Ok(if reader.matches_audit()? { excerpts } else { Vec::new() })
    });
    LogExcerpts(positions.into_iter().zip(excerpts.unwrap_or_default()).collect())
}
