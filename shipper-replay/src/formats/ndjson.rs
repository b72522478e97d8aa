//! The report as JSON lines: one for each log, in their order, then the summary. Without the last line, a report is
//! incomplete. See `docs/fleet.md`, "A report in parts".

use std::collections::{BTreeMap, HashSet};
use std::io;

use shipper_core::audit::{AuditOptions, Duplicate, LogAudit, LogReport, SummaryBuilder};

use super::json;
use crate::view::ReportView;

/// Writer of a report, log by log.
pub(crate) struct NdjsonWriter<W> {
    out: W,
    tally: SummaryBuilder,
    /// Logs that continue an earlier log, which may follow.
    continuing: Vec<LogReport>,
}

impl<W: io::Write> NdjsonWriter<W> {
    pub(crate) fn new(demand: AuditOptions, out: W) -> Self {
        Self { out, tally: SummaryBuilder::new(demand), continuing: Vec::new() }
    }

    /// Writes the report on one log. A log that continues an earlier one comes after all others.
    pub(crate) fn write_log(&mut self, log: &LogReport) -> io::Result<()> {
        if log.continues().is_some() {
            self.continuing.push(log.clone());
            return Ok(());
        }
        self.tally.count(log);
        json::write(log, &mut self.out)
    }

    /// Writes the summary with the `duplicates`, and returns its exit status.
    pub(crate) fn finish(mut self, duplicates: &[Duplicate]) -> io::Result<u8> {
        for duplicate in duplicates {
            self.tally.add_repeat(&duplicate.path, duplicate.repeats);
        }
        let mut continuing = std::mem::take(&mut self.continuing);
        let heads: HashSet<String> =
            continuing.iter().filter_map(|log| log.audit.as_ref()).map(LogAudit::head).collect();
        for log in &mut continuing {
            if log.continues().is_some_and(|head| heads.contains(head) || self.tally.has_head(head)) {
                log.resolve_earlier_log();
            }
            self.tally.count(log);
            json::write(log, &mut self.out)?;
        }
        let summary = self.tally.summary();
        json::write(&BTreeMap::from([("summary", &summary)]), &mut self.out)?;
        self.out.flush()?;
        Ok(summary.exit_code)
    }
}

/// Writes the whole report.
pub(crate) fn write(view: &ReportView, out: impl io::Write) -> io::Result<()> {
    let mut writer = NdjsonWriter::new(view.report.demand.clone(), out);
    view.report.logs.iter().try_for_each(|log| writer.write_log(log))?;
    writer.finish(&view.duplicates).map(|_| ())
}
