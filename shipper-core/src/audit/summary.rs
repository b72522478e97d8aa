//! The summary: what is said once over many logs, counted log by log, in any order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::conclusion::Conclusion;
use super::demand::AuditOptions;
use super::report::{LogReport, Report, Schema};

/// What an audit of many logs comes to: the last line of a report in ndjson.
///
/// It depends on which logs were judged and not on their order.
///
/// ```
/// use shipper_core::audit::{Conclusion, AuditOptions, LogReport, SummaryBuilder};
/// let mut tally = SummaryBuilder::new(AuditOptions::default());
/// tally.count(&LogReport::unreadable("events.jsonl", "no such file"));
/// let summary = tally.summary();
/// assert_eq!((summary.conclusion, summary.logs), (Conclusion::Unjudged, 1));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// What its members mean.
    pub schema: Schema,
    /// The conclusion over all logs.
    pub conclusion: Conclusion,
    /// The exit status of the program: the conclusion's, unless the demand [requires](AuditOptions::require) something.
    pub exit_code: u8,
    /// What was asked.
    pub demand: AuditOptions,
    /// How many logs there are.
    pub logs: u64,
    /// How many of them have which conclusion.
    pub counts: Counts,
    /// The logs that were given more than once and count once, by path.
    pub duplicates: Vec<Duplicate>,
    /// The paths under which different logs, or different states of one, were judged; each of them counts.
    pub conflicts: Vec<Conflict>,
    /// The logs that hold the same bytes under different paths; each of them counts.
    pub copies: Vec<DuplicateContent>,
}

impl Summary {
    /// Whether what it says of the whole follows from its own counts. Whether what was required holds does not.
    pub fn adds_up(&self) -> bool {
        self.conclusion == self.counts.conclusion()
            && (self.demand.require.is_some() || self.exit_code == self.conclusion.exit_code())
            && self.logs == self.counts.total()
            && self.duplicates.iter().all(|duplicate| duplicate.again > 0)
    }
}

/// How many logs have which conclusion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Those that are violated.
    pub violated: u64,
    /// Those that are unjudged.
    pub unjudged: u64,
    /// Those that are inconclusive.
    pub inconclusive: u64,
    /// Those that are verified.
    pub verified: u64,
}

impl Counts {
    /// The conclusions, the weightiest first, and how many logs have them.
    pub fn each(self) -> [(Conclusion, u64); 4] {
        [
            (Conclusion::Violated, self.violated),
            (Conclusion::Unjudged, self.unjudged),
            (Conclusion::Inconclusive, self.inconclusive),
            (Conclusion::Verified, self.verified),
        ]
    }

    /// How many logs there are.
    pub fn total(self) -> u64 {
        self.each().into_iter().fold(0, |total, (_, count)| total.saturating_add(count))
    }

    /// The conclusion over all of them.
    pub fn conclusion(self) -> Conclusion {
        Conclusion::over(self.each().into_iter().filter(|(_, count)| *count > 0).map(|(conclusion, _)| conclusion))
    }

    /// Counts one more.
    pub fn add(&mut self, conclusion: Conclusion) {
        self.add_all(match conclusion {
            Conclusion::Violated => Self { violated: 1, ..Self::default() },
            Conclusion::Unjudged => Self { unjudged: 1, ..Self::default() },
            Conclusion::Inconclusive => Self { inconclusive: 1, ..Self::default() },
            Conclusion::Verified => Self { verified: 1, ..Self::default() },
        });
    }

    /// Adds the counts of others. A summary may claim any number, so it stops at the largest.
    pub(super) fn add_all(&mut self, others: Self) {
        self.violated = self.violated.saturating_add(others.violated);
        self.unjudged = self.unjudged.saturating_add(others.unjudged);
        self.inconclusive = self.inconclusive.saturating_add(others.inconclusive);
        self.verified = self.verified.saturating_add(others.verified);
    }
}

/// A log that was given more than once, or whose very same report was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Duplicate {
    /// Where the log is.
    pub path: String,
    /// How many times more than once.
    pub again: u64,
}

/// A path under which more than one log was judged: it grew between two audits, or two hosts have one of that path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflict {
    /// The path.
    pub path: String,
    /// How many there are.
    pub logs: u64,
}

/// Logs that hold the same bytes, not none, under different paths.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DuplicateContent {
    /// The BLAKE3 of their complete lines.
    pub blake3: String,
    /// How many bytes these are.
    pub bytes: u64,
    /// How many paths hold them.
    pub paths: u64,
    /// The first of these paths in the order of their bytes.
    pub first: String,
}

/// A [`Summary`] in the making, for whoever does not keep every log's report.
#[derive(Debug, Clone)]
pub struct SummaryBuilder {
    demand: AuditOptions,
    counts: Counts,
    /// What the logs add to the exit status.
    weights: Counts,
    /// How many logs there are of each path.
    paths: BTreeMap<Arc<str>, u64>,
    /// Under which paths the same bytes were found.
    contents: BTreeMap<(u64, String), BTreeSet<Arc<str>>>,
    /// How many times more than once a log was given.
    again: BTreeMap<String, u64>,
}

impl SummaryBuilder {
    /// A tally of no log yet.
    pub fn new(demand: AuditOptions) -> Self {
        let (paths, contents, again) = Default::default();
        Self { demand, counts: Counts::default(), weights: Counts::default(), paths, contents, again }
    }

    /// Counts one more log.
    pub fn count(&mut self, log: &LogReport) {
        self.counts.add(log.conclusion);
        self.weights.add(log.weighs(&self.demand));
        let path: Arc<str> = log.path.as_str().into();
        if let Some(audit) = log.audit.as_ref().filter(|audit| audit.bytes > 0) {
            let content = (audit.bytes, audit.blake3.clone());
            self.contents.entry(content).or_default().insert(Arc::clone(&path));
        }
        *self.paths.entry(path).or_default() += 1;
    }

    /// A log was given again, that many times, and is not counted again.
    pub fn again(&mut self, path: &str, times: u64) {
        if times > 0 {
            let again = self.again.entry(path.to_owned()).or_default();
            *again = again.saturating_add(times);
        }
    }

    /// What it comes to so far.
    pub fn summary(&self) -> Summary {
        let conclusion = self.counts.conclusion();
        let duplicates = self.again.iter().map(|(path, again)| Duplicate { path: path.clone(), again: *again });
        let conflicts = self.paths.iter().filter(|(_, logs)| **logs > 1);
        let conflicts = conflicts.map(|(path, logs)| Conflict { path: path.to_string(), logs: *logs });
        Summary {
            schema: Schema::V1,
            conclusion,
            exit_code: self.weights.conclusion().exit_code(),
            demand: self.demand.clone(),
            logs: self.counts.total(),
            counts: self.counts,
            duplicates: duplicates.collect(),
            conflicts: conflicts.collect(),
            copies: self.contents.iter().filter_map(copies).collect(),
        }
    }
}

fn copies(((bytes, blake3), paths): (&(u64, String), &BTreeSet<Arc<str>>)) -> Option<DuplicateContent> {
    let first = paths.first().filter(|_| paths.len() > 1)?;
    Some(DuplicateContent {
        blake3: blake3.clone(),
        bytes: *bytes,
        paths: paths.len() as u64,
        first: first.to_string(),
    })
}

impl Report {
    /// What the report comes to; `duplicates` were given again and left out.
    pub fn summary(&self, duplicates: &[Duplicate]) -> Summary {
        let mut tally = SummaryBuilder::new(self.demand.clone());
        for log in &self.logs {
            tally.count(log);
        }
        for duplicate in duplicates {
            tally.again(&duplicate.path, duplicate.again);
        }
        tally.summary()
    }
}
