//! The account: the one report, and what was looked up beside it for those who show it.
//!
//! Every format is made from an account and from nothing else.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Read};

use fs_err::File;
use rayon::prelude::*;
use shipper_core::audit::{Duplicate, Finding, Level, LogAudit, LogReport, Report};

use crate::attest::Vouched;
use crate::exhibit::{Exhibit, exhibits};
use crate::input::open_again;

/// What was found, and what shows it.
#[derive(Debug)]
pub(crate) struct Account {
    /// The report.
    pub(crate) report: Report,
    /// What was looked up, log by log.
    pub(crate) beside: Vec<Beside>,
    /// What a statement vouches for, where one is asked for.
    pub(crate) vouched: Option<Vouched>,
    /// The logs that were given more than once; each is in the report once.
    pub(crate) duplicates: Vec<Duplicate>,
}

/// What was looked up in one log after it was judged.
#[derive(Debug, Default)]
pub(crate) struct Beside {
    exhibits: BTreeMap<usize, Vec<Exhibit>>,
}

impl Beside {
    /// The places that show the finding of that position in the report, its own line first. None where the finding
    /// names no line, or the log could not be read a second time.
    pub(crate) fn exhibits(&self, position: usize) -> &[Exhibit] {
        self.exhibits.get(&position).map_or(&[], Vec::as_slice)
    }
}

/// Which findings are shown with their places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Showing {
    /// How many of a log's findings, the weightiest first.
    pub(crate) most: usize,
    /// Notes too.
    pub(crate) notes: bool,
}

impl Showing {
    /// The positions of the findings that are shown, the weightiest first.
    pub(crate) fn of(self, findings: &[Finding]) -> Vec<usize> {
        let told = |finding: &Finding| self.notes || finding.level != Level::Note;
        let mut shown: Vec<(Level, usize)> = findings
            .iter()
            .enumerate()
            .filter(|(_, finding)| told(finding))
            .map(|(position, finding)| (finding.level, position))
            .collect();
        shown.sort_unstable();
        shown.into_iter().take(self.most).map(|(_, position)| position).collect()
    }
}

impl Account {
    /// Looks up what shows the findings of the logs that are shown. `copies` holds, by position, what was kept of logs
    /// that can be read only once.
    pub(crate) fn new(report: Report, copies: HashMap<usize, File>, showing: Option<Showing>, logs: &[usize]) -> Self {
        let mut beside: Vec<Beside> = report.logs.iter().map(|_| Beside::default()).collect();
        if let Some(showing) = showing {
            let mut copies = copies;
            let sources: Vec<(usize, &LogReport, Option<File>)> = logs
                .iter()
                .filter_map(|position| Some((*position, report.logs.get(*position)?, copies.remove(position))))
                .collect();
            let looked_up: Vec<(usize, Beside)> =
                sources.into_par_iter().map(|(position, log, copy)| (position, look_up(log, copy, showing))).collect();
            for (position, found) in looked_up {
                if let Some(place) = beside.get_mut(position) {
                    *place = found;
                }
            }
        }
        Self { report, beside, vouched: None, duplicates: Vec::new() }
    }
}

/// The judged bytes of a log, read once more.
pub(crate) struct Again<'a, R> {
    bytes: io::Take<R>,
    hasher: blake3::Hasher,
    audit: &'a LogAudit,
}

impl<'a, R: Read> Again<'a, R> {
    pub(crate) fn of(bytes: R, audit: &'a LogAudit) -> Self {
        Self { bytes: bytes.take(audit.bytes), hasher: blake3::Hasher::new(), audit }
    }

    /// Reads on to the end: whether these are the bytes that were judged.
    pub(crate) fn agrees(mut self) -> io::Result<bool> {
        io::copy(&mut self, &mut io::sink())?;
        Ok(self.hasher.finalize().to_string() == self.audit.blake3)
    }
}

impl<R: Read> Read for Again<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.bytes.read(buffer)?;
        self.hasher.update(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}

/// Reads a log's marked lines once more. A report without exhibits is as true as one with them, so what cannot be read
/// again is left out.
fn look_up(log: &LogReport, copy: Option<File>, showing: Showing) -> Beside {
    let Some(audit) = &log.audit else {
        return Beside::default();
    };
    let shown = showing.of(&audit.findings);
    let findings: Vec<&Finding> = shown.iter().filter_map(|position| audit.findings.get(*position)).collect();
    if findings.iter().all(|finding| finding.labels().is_empty()) {
        return Beside::default();
    }
    let found = open_again(&log.path, copy, audit.bytes).and_then(|bytes| {
        let mut again = Again::of(bytes, audit);
        let found = exhibits(&mut again, findings)?;
        // What is there now may not be what was judged: then it shows nothing.
        Ok(if again.agrees()? { found } else { Vec::new() })
    });
    let found = found.unwrap_or_default();
    Beside { exhibits: shown.into_iter().zip(found).collect() }
}
