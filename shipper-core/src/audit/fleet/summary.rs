//! Summary of many logs, which are counted one by one in any order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::audit::options::AuditOptions;
use crate::audit::report::{Conclusion, LogReport, Report, Schema};

/// The summary of many logs, the last line of a report in ndjson. It does not depend on the order of the logs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Summary {
    /// The schema of its JSON form.
    pub schema: Schema,
    /// The conclusion about all logs.
    pub conclusion: Conclusion,
    /// The exit status, 0 to 3: the conclusion's, unless the options [require](AuditOptions::require) a
    /// verdict or a [sealed](AuditOptions::require_sealed) log, or [accept](AuditOptions::accept) causes.
    pub exit_code: u8,
    /// The options of the audits.
    pub demand: AuditOptions,
    /// Number of logs.
    pub logs: u64,
    /// Number of logs by conclusion.
    pub counts: Counts,
    /// The logs that were given more than once and count once, by path.
    pub duplicates: Vec<Duplicate>,
    /// The paths with several logs, or several states of one, each of which counts.
    pub conflicts: Vec<Conflict>,
    /// The contents that several paths have, each of which counts.
    pub copies: Vec<DuplicateContent>,
}

impl Summary {
    /// Returns the summary of a report. `duplicates` are the logs that were given again and are not in it.
    pub fn new(report: &Report, duplicates: &[Duplicate]) -> Self {
        let mut builder = SummaryBuilder::new(report.demand.clone());
        report.logs.iter().for_each(|log| builder.count(log));
        duplicates.iter().for_each(|duplicate| builder.add_repeat(&duplicate.path, duplicate.repeats));
        builder.summary()
    }

    /// Returns whether its totals follow from its counts. If a verdict is required, or an
    /// earlier log acknowledged, its exit status is not checked. If
    /// causes are accepted, the exit status of an inconclusive summary may be 0.
    pub fn is_consistent(&self) -> bool {
        let may_be_accepted = self.conclusion == Conclusion::Inconclusive && !self.demand.accept.is_empty();
        self.conclusion == self.counts.conclusion()
            && (self.demand.require.is_some()
                || self.demand.require_sealed
                || self.demand.acknowledge_earlier.is_some()
                || self.exit_code == self.conclusion.exit_code()
                || may_be_accepted && self.exit_code == 0)
            && self.logs == self.counts.total()
            && self.duplicates.iter().all(|duplicate| duplicate.repeats > 0)
    }
}

/// Number of logs by conclusion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Number of violated logs.
    pub violated: u64,
    /// Number of unjudged logs.
    pub unjudged: u64,
    /// Number of inconclusive logs.
    pub inconclusive: u64,
    /// Number of verified logs.
    pub verified: u64,
}

impl Counts {
    /// Returns the conclusions, the most serious first, with their numbers of logs.
    pub fn by_conclusion(self) -> [(Conclusion, u64); 4] {
        [
            (Conclusion::Violated, self.violated),
            (Conclusion::Unjudged, self.unjudged),
            (Conclusion::Inconclusive, self.inconclusive),
            (Conclusion::Verified, self.verified),
        ]
    }

    /// Returns the number of all logs.
    pub fn total(self) -> u64 {
        self.by_conclusion().into_iter().fold(0, |total, (_, count)| total.saturating_add(count))
    }

    /// Returns the conclusion about all logs.
    pub fn conclusion(self) -> Conclusion {
        let any = self.by_conclusion().into_iter().filter(|(_, count)| *count > 0);
        Conclusion::combine(any.map(|(conclusion, _)| conclusion))
    }

    /// Counts one more log.
    pub fn add(&mut self, conclusion: Conclusion) {
        self.add_logs(conclusion, 1);
    }

    /// Counts `logs` more logs. A count stops at the largest number: a summary may claim any.
    pub(super) fn add_logs(&mut self, conclusion: Conclusion, logs: u64) {
        let count = match conclusion {
            Conclusion::Violated => &mut self.violated,
            Conclusion::Unjudged => &mut self.unjudged,
            Conclusion::Inconclusive => &mut self.inconclusive,
            Conclusion::Verified => &mut self.verified,
        };
        *count = count.saturating_add(logs);
    }
}

/// A log that was given more than once and counts once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Duplicate {
    /// The path of the log.
    pub path: String,
    /// Number of times that it was given after the first.
    #[serde(rename = "again")]
    pub repeats: u64,
}

impl Duplicate {
    /// Creates a log that was given `repeats` times after the first.
    pub fn new(path: impl Into<String>, repeats: u64) -> Self {
        Self { path: path.into(), repeats }
    }
}

/// A path at which several different logs were found: one that grew between two audits, or those of two hosts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Conflict {
    /// The path.
    pub path: String,
    /// Number of logs at this path.
    pub logs: u64,
}

/// Identical non-empty content found at several paths.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DuplicateContent {
    /// The BLAKE3 of its complete lines, 64 lowercase hex digits.
    pub blake3: String,
    /// Number of bytes of these lines.
    pub bytes: u64,
    /// Number of paths with this content.
    pub paths: u64,
    /// The first of the paths, compared as bytes.
    pub first: String,
}

/// Builder of a summary, for callers that do not keep every report.
#[derive(Debug, Clone, Default)]
pub struct SummaryBuilder {
    options: AuditOptions,
    counts: Counts,
    /// Number of logs by the conclusion that decides the exit status, without acknowledged logs.
    exit_counts: Counts,
    /// Number of logs by path.
    paths: BTreeMap<Arc<str>, u64>,
    /// Paths by bytes and BLAKE3.
    contents: BTreeMap<(u64, String), BTreeSet<Arc<str>>>,
    /// Repeats by path.
    repeats: BTreeMap<String, u64>,
}

impl SummaryBuilder {
    /// Creates a builder that has counted no log.
    pub fn new(options: AuditOptions) -> Self {
        Self { options, ..Self::default() }
    }

    /// Counts one more log.
    pub fn count(&mut self, log: &LogReport) {
        self.counts.add(log.conclusion);
        if !log.acknowledged {
            self.exit_counts.add(log.exit_conclusion(&self.options));
        }
        let path: Arc<str> = log.path.as_str().into();
        if let Some(audit) = log.audit.as_ref().filter(|audit| audit.bytes > 0) {
            let content = (audit.bytes, audit.blake3.clone());
            self.contents.entry(content).or_default().insert(Arc::clone(&path));
        }
        *self.paths.entry(path).or_default() += 1;
    }

    /// Returns whether a counted log has that head, `LINES:BYTES:BLAKE3`.
    pub fn has_head(&self, head: &str) -> bool {
        let mut parts = head.splitn(3, ':').skip(1);
        let bytes = parts.next().and_then(|bytes| bytes.parse().ok());
        let content = bytes.zip(parts.next().map(str::to_owned));
        content.is_some_and(|content| self.contents.contains_key(&content))
    }

    /// Records that a log was given `times` more times. They do not count.
    pub fn add_repeat(&mut self, path: &str, times: u64) {
        if times > 0 {
            let repeats = self.repeats.entry(path.to_owned()).or_default();
            *repeats = repeats.saturating_add(times);
        }
    }

    /// Returns the summary of the logs so far.
    pub fn summary(&self) -> Summary {
        let deciding = if self.exit_counts.total() == 0 { self.counts } else { self.exit_counts };
        let conflicts = self.paths.iter().filter(|(_, logs)| **logs > 1);
        Summary {
            schema: Schema::V1,
            conclusion: self.counts.conclusion(),
            exit_code: deciding.conclusion().exit_code(),
            demand: self.options.clone(),
            logs: self.counts.total(),
            counts: self.counts,
            duplicates: self.repeats.iter().map(|(path, repeats)| Duplicate::new(path, *repeats)).collect(),
            conflicts: conflicts.map(|(path, logs)| Conflict { path: path.to_string(), logs: *logs }).collect(),
            copies: self.contents.iter().filter_map(duplicate_content).collect(),
        }
    }
}

fn duplicate_content(((bytes, blake3), paths): (&(u64, String), &BTreeSet<Arc<str>>)) -> Option<DuplicateContent> {
    let first = paths.first().filter(|_| paths.len() > 1)?.to_string();
    Some(DuplicateContent { blake3: blake3.clone(), bytes: *bytes, paths: paths.len() as u64, first })
}
