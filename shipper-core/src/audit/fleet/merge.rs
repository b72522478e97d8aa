//! Merges reports of other audits into one.
//!
//! A merged report is a set of logs, sorted by path and then by bytes. So the order of reports and lines and the
//! grouping of merges make no difference. The merge counts the totals again.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Map, Value};
use shipper_events::blake3::{self, Hash};
use shipper_events::display_safe;
use thiserror::Error;

use super::consistency::is_consistent_with;
use super::ndjson::{PolicyMismatch, ReportLine, ReportLineError};
use super::summary::{Counts, Duplicate};
use crate::audit::options::AuditOptions;
use crate::audit::report::{LogReport, Report};

/// A report in which each log occurs once, sorted by path, then by bytes. Create it with `MergedReport::from(report)`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MergedReport {
    /// The merged report.
    pub report: Report,
    /// The logs that were given more than once, by path. Each is in the report once.
    pub duplicates: Vec<Duplicate>,
}

impl From<Report> for MergedReport {
    fn from(report: Report) -> Self {
        let mut set = LogSet::default();
        report.logs.into_iter().for_each(|log| set.insert(log));
        set.into_report(report.demand)
    }
}

impl MergedReport {
    /// Returns the expected paths for which the report has no log at that path or below it.
    pub fn missing_paths<'p>(&self, expected: impl IntoIterator<Item = &'p str>) -> Vec<&'p str> {
        let logs = &self.report.logs;
        let first_from = |path: &str| logs.get(logs.partition_point(|log| log.path.as_str() < path));
        let separators = ['/', std::path::MAIN_SEPARATOR];
        let has_below = |directory: &str| first_from(directory).is_some_and(|log| log.path.starts_with(directory));
        let has = |path: &str| {
            let directory = path.trim_end_matches(separators);
            first_from(path).is_some_and(|log| log.path == path)
                || separators.iter().any(|separator| has_below(&format!("{directory}{separator}")))
        };
        expected.into_iter().filter(|path| !has(path)).collect()
    }
}

/// The error for reports that cannot be merged.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MergeError {
    /// The caller gave no report.
    #[error("cannot merge: no report was given")]
    Nothing,
    /// The options of the reports differ.
    #[error("{mismatch}")]
    Policy {
        /// The position of the first report that differs from those before it; the first report is 0.
        position: usize,
        /// The difference.
        mismatch: PolicyMismatch,
    },
}

/// Merges reports. It is associative and commutative; merging a report with itself changes only its
/// [duplicates](MergedReport::duplicates).
///
/// ```
/// use shipper_core::audit::{AuditOptions, LogReport, MergedReport, Report, merge};
/// let report = |path: &str| MergedReport::from(Report::new(AuditOptions::default(), vec![LogReport::unreadable(path, "gone")]));
/// let both = merge([report("b"), report("a")])?;
/// assert_eq!(both, merge([report("a"), report("b")])?);
/// assert_eq!(merge([both.clone(), report("a")])?.report, both.report);
/// # Ok::<(), shipper_core::audit::MergeError>(())
/// ```
///
/// # Errors
///
/// [`MergeError::Nothing`] without a report, [`MergeError::Policy`] if the options of two reports differ.
pub fn merge(reports: impl IntoIterator<Item = MergedReport>) -> Result<MergedReport, MergeError> {
    let mut set = LogSet::default();
    let mut options: Option<AuditOptions> = None;
    for (position, MergedReport { report, duplicates }) in reports.into_iter().enumerate() {
        check_same_policy(&report.demand, &mut options)
            .map_err(|mismatch| MergeError::Policy { position, mismatch })?;
        report.logs.into_iter().for_each(|log| set.insert(log));
        duplicates.into_iter().for_each(|duplicate| set.add_repeat(duplicate));
    }
    options.map(|options| set.into_report(options)).ok_or(MergeError::Nothing)
}

/// Merges ndjson lines of one or more reports, in any order. Create it with `NdjsonMerger::default()`.
#[derive(Debug, Clone, Default)]
pub struct NdjsonMerger {
    set: LogSet,
    options: Option<AuditOptions>,
    /// Number of the logs in the stream, by conclusion.
    held: Counts,
    /// Number of logs that its summaries count, by conclusion.
    claimed: Counts,
    /// Number of summaries.
    summaries: u64,
}

/// The error for a stream that is not a complete report.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum IncompleteReport {
    /// It is empty.
    #[error("the report is empty; write it again")]
    Empty,
    /// It has no summary.
    #[error("the report is incomplete: it has no summary; write it again")]
    NoSummary,
    /// The summaries' counts differ from the logs in the stream.
    #[error("the report is incomplete: it has {}, but its summaries count {}; write it again", describe_counts(*held), describe_counts(*claimed))]
    Counts {
        /// The counts of the logs in it.
        held: Counts,
        /// The counts of its summaries.
        claimed: Counts,
    },
    /// The stream contains one line more often than it contains summaries.
    #[error(
        "the report on {} occurs {times} times: lines were copied, and others may be missing; write it again",
        shown(path)
    )]
    RepeatedLine {
        /// The path of the log.
        path: String,
        /// Number of times that it occurs.
        times: u64,
    },
    /// The report on one log is impossible under the options that the summary states.
    #[error(
        "the report on {} contradicts the options in the summary: one of them was edited; audit the log again",
        shown(path)
    )]
    PolicyViolation {
        /// The path of the log.
        path: String,
    },
    /// A summary lists a duplicate of a log that the stream does not contain.
    #[error("the report has a duplicate of {}, but not the log itself; write the report again", shown(path))]
    Duplicate {
        /// The path of the log.
        path: String,
    },
}

impl NdjsonMerger {
    /// Adds a line, with or without its LF.
    ///
    /// # Errors
    ///
    /// [`ReportLineError::Policy`] if its report has other options than those before it. The other variants: see there.
    pub fn push_line(&mut self, line: &[u8]) -> Result<(), ReportLineError> {
        match ReportLine::parse(line)? {
            ReportLine::Log(log) => {
                self.held.add(log.conclusion);
                self.set.insert(*log);
            }
            ReportLine::Summary(summary) => {
                check_same_policy(&summary.demand, &mut self.options)?;
                for (conclusion, logs) in summary.counts.by_conclusion() {
                    self.claimed.add_logs(conclusion, logs);
                }
                self.summaries += 1;
                summary.duplicates.into_iter().for_each(|duplicate| self.set.add_repeat(duplicate));
            }
        }
        Ok(())
    }

    /// Returns the merged report of the lines.
    ///
    /// # Errors
    ///
    /// [`IncompleteReport`], see its variants, if lines are missing, copied or edited.
    pub fn finish(self) -> Result<MergedReport, IncompleteReport> {
        let (held, claimed) = (self.held, self.claimed);
        let Some(options) = self.options else {
            return Err(if held.total() == 0 { IncompleteReport::Empty } else { IncompleteReport::NoSummary });
        };
        if held != claimed {
            return Err(IncompleteReport::Counts { held, claimed });
        }
        if let Some((path, times)) = self.set.most_frequent().filter(|(_, times)| *times > self.summaries) {
            return Err(IncompleteReport::RepeatedLine { path: path.to_owned(), times });
        }
        if let Some(path) = self.set.repeats.keys().find(|path| !self.set.logs.contains_key(*path)) {
            return Err(IncompleteReport::Duplicate { path: path.clone() });
        }
        let merged = self.set.into_report(options);
        let options = &merged.report.demand;
        let differs = |log: &&LogReport| log.audit.as_ref().is_some_and(|audit| !is_consistent_with(audit, options));
        match merged.report.logs.iter().find(differs) {
            Some(log) => Err(IncompleteReport::PolicyViolation { path: log.path.clone() }),
            None => Ok(merged),
        }
    }
}

/// A set of reports on logs.
#[derive(Debug, Clone, Default)]
struct LogSet {
    /// By path and by the hash of the JSON form: the report, and the number of times that it was inserted.
    logs: BTreeMap<String, HashMap<Hash, (LogReport, u64)>>,
    /// Repeats by path.
    repeats: BTreeMap<String, u64>,
}

impl LogSet {
    fn insert(&mut self, log: LogReport) {
        let hash = blake3::hash(canonical_json(&log).as_bytes());
        let path = log.path.clone();
        let (_, times) = self.logs.entry(path.clone()).or_default().entry(hash).or_insert((log, 0));
        *times += 1;
        if *times > 1 {
            self.add_repeat(Duplicate::new(path, 1));
        }
    }

    fn add_repeat(&mut self, duplicate: Duplicate) {
        let repeats = self.repeats.entry(duplicate.path).or_default();
        *repeats = repeats.saturating_add(duplicate.repeats);
    }

    /// Returns a path whose report was inserted most often, and the number of times.
    fn most_frequent(&self) -> Option<(&str, u64)> {
        let times = self.logs.iter().flat_map(|(path, logs)| logs.values().map(|(_, times)| (path.as_str(), *times)));
        times.max_by_key(|(_, times)| *times)
    }

    fn into_report(self, options: AuditOptions) -> MergedReport {
        let logs = self.logs.into_values().flat_map(|logs| {
            let mut logs: Vec<LogReport> = logs.into_values().map(|(log, _)| log).collect();
            if logs.len() > 1 {
                logs.sort_by_cached_key(canonical_json);
            }
            logs
        });
        let duplicates = self.repeats.into_iter().map(|(path, repeats)| Duplicate::new(path, repeats));
        MergedReport { report: Report::new(options, logs.collect()), duplicates: duplicates.collect() }
    }
}

/// Returns the JSON form of a log's report.
fn canonical_json(log: &LogReport) -> String {
    // A report has no map whose keys are not text, and nothing else can fail.
    serde_json::to_string(log).unwrap_or_default()
}

/// Compares the options of a report with those before it, if there are any, by their JSON; an absent member is null.
fn check_same_policy(here: &AuditOptions, before: &mut Option<AuditOptions>) -> Result<(), PolicyMismatch> {
    let json = |options: &AuditOptions| serde_json::to_value(options).unwrap_or_default();
    let (before, here) = (json(before.get_or_insert_with(|| here.clone())), json(here));
    let shown = |value: &Value| match value {
        Value::String(text) => display_safe(text).max_chars(120).quoted().to_string(),
        value => display_safe(&value.to_string()).max_chars(120).to_string(),
    };
    let members = [&here, &before].into_iter().flat_map(Value::as_object).flat_map(Map::keys);
    let mut mismatches = members.collect::<BTreeSet<_>>().into_iter().filter_map(|member| {
        let [here, before] = [&here, &before].map(|options| options.get(member).unwrap_or(&Value::Null));
        (here != before).then(|| PolicyMismatch { member: member.clone(), here: shown(here), before: shown(before) })
    });
    mismatches.next().map_or(Ok(()), Err)
}

fn shown(path: &str) -> String {
    display_safe(path).max_chars(200).quoted().to_string()
}

fn describe_counts(counts: Counts) -> String {
    let some = counts.by_conclusion().into_iter().filter(|(_, count)| *count > 0);
    let some: Vec<String> = some.map(|(conclusion, count)| format!("{count} {conclusion}")).collect();
    let logs = if counts.total() == 1 { "log" } else { "logs" };
    let some = if some.is_empty() { String::new() } else { format!(" ({})", some.join(", ")) };
    format!("{} {logs}{some}", counts.total())
}
