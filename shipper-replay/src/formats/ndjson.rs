//! The report as a stream: one line of JSON for each log, in their order, then one with the summary. A report without
//! its last line was cut short. `docs/fleet.md`, "A report in parts".

use std::io;

use serde::Serialize;
use shipper_core::audit::{AuditOptions, LogReport, Summary, SummaryBuilder};

use super::json;
use crate::view::ReportView;

/// A report that is written while logs are judged.
pub(crate) struct Stream<W> {
    out: W,
    tally: SummaryBuilder,
}

#[derive(Serialize)]
struct LastLine<'s> {
    summary: &'s Summary,
}

impl<W: io::Write> Stream<W> {
    pub(crate) fn new(demand: AuditOptions, out: W) -> Self {
        Self { out, tally: SummaryBuilder::new(demand) }
    }

    /// Writes what was found in one log.
    pub(crate) fn log(&mut self, log: &LogReport) -> io::Result<()> {
        self.tally.count(log);
        json::write(log, &mut self.out)
    }

    /// A log was given again, that many times.
    pub(crate) fn again(&mut self, path: &str, times: u64) {
        self.tally.add_repeat(path, times);
    }

    /// Writes the summary, and gives the exit status that it names.
    pub(crate) fn end(mut self) -> io::Result<u8> {
        let summary = self.tally.summary();
        json::write(&LastLine { summary: &summary }, &mut self.out)?;
        self.out.flush()?;
        Ok(summary.exit_code)
    }
}

/// Writes the view.
pub(crate) fn write(view: &ReportView, out: impl io::Write) -> io::Result<()> {
    let mut stream = Stream::new(view.report.demand.clone(), out);
    for log in &view.report.logs {
        stream.log(log)?;
    }
    for duplicate in &view.duplicates {
        stream.again(&duplicate.path, duplicate.repeats);
    }
    stream.end().map(|_| ())
}
