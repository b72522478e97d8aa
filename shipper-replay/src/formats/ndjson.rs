//! The report as JSON lines: one for each log, in their order, then the summary. A report without its last line was cut
//! off. `docs/fleet.md`, "A report in parts".

use std::io;

use serde::Serialize;
use shipper_core::audit::{AuditOptions, LogReport, Summary, SummaryBuilder};

use super::json;
use crate::view::ReportView;

/// Writer of a report while logs are audited.
pub(crate) struct NdjsonWriter<W> {
    out: W,
    tally: SummaryBuilder,
}

#[derive(Serialize)]
struct LastLine<'s> {
    summary: &'s Summary,
}

impl<W: io::Write> NdjsonWriter<W> {
    pub(crate) fn new(demand: AuditOptions, out: W) -> Self {
        Self { out, tally: SummaryBuilder::new(demand) }
    }

    /// Writes the report on one log.
    pub(crate) fn write_log(&mut self, log: &LogReport) -> io::Result<()> {
        self.tally.count(log);
        json::write(log, &mut self.out)
    }

    /// Records that a log was given again `times` times.
    pub(crate) fn add_duplicate(&mut self, path: &str, times: u64) {
        self.tally.add_repeat(path, times);
    }

    /// Writes the summary and returns its exit status.
    pub(crate) fn finish(mut self) -> io::Result<u8> {
        let summary = self.tally.summary();
        json::write(&LastLine { summary: &summary }, &mut self.out)?;
        self.out.flush()?;
        Ok(summary.exit_code)
    }
}

/// Writes the whole report.
pub(crate) fn write(view: &ReportView, out: impl io::Write) -> io::Result<()> {
    let mut writer = NdjsonWriter::new(view.report.demand.clone(), out);
    for log in &view.report.logs {
        writer.write_log(log)?;
    }
    for duplicate in &view.duplicates {
        writer.add_duplicate(&duplicate.path, duplicate.repeats);
    }
    writer.finish().map(|_| ())
}
