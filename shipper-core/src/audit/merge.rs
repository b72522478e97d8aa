//! Merging: reports that were made elsewhere become one.
//!
//! The order in which reports, or the lines of one stream of reports, come makes no difference, nor does it in which steps
//! they are merged: what is merged is a set of logs, sorted by path and then by bytes. Nothing is believed that can be
//! derived: the totals are counted again, and a stream whose summaries count other logs than it holds was cut short.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use shipper_events::display_safe;
use thiserror::Error;

use super::demand::AuditOptions;
use super::part::{ReportLine, ReportLineError};
use super::report::{LogReport, Report};
use super::summary::{Counts, Duplicate, Summary};

/// A report whose logs are a set: sorted by path and then by bytes, none in it twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergedReport {
    /// The report.
    pub report: Report,
    /// The logs that were given more than once, by path; each counts once.
    pub duplicates: Vec<Duplicate>,
}

impl From<Report> for MergedReport {
    fn from(report: Report) -> Self {
        let mut set = Set::default();
        report.logs.into_iter().for_each(|log| set.insert(log));
        set.merged(report.demand)
    }
}

impl MergedReport {
    /// What it comes to.
    pub fn summary(&self) -> Summary {
        self.report.summary(&self.duplicates)
    }

    /// Which of these paths it has no log of: neither of that path nor, for a directory, below it.
    pub fn without<'p>(&self, listed: impl IntoIterator<Item = &'p str>) -> Vec<&'p str> {
        let logs = &self.report.logs;
        let has = |path: &str, exactly: bool| {
            let found = logs.get(logs.partition_point(|log| log.path.as_str() < path));
            found.is_some_and(|log| if exactly { log.path == path } else { log.path.starts_with(path) })
        };
        let separators = ['/', std::path::MAIN_SEPARATOR];
        let below = |path: &str| {
            let path = path.trim_end_matches(separators);
            separators.iter().any(|separator| has(&format!("{path}{separator}"), false))
        };
        listed.into_iter().filter(|path| !has(path, true) && !below(path)).collect()
    }
}

/// Reports cannot be merged.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MergeError {
    /// There is none.
    #[error("there is no report to merge; name at least one")]
    Nothing,
    /// They answer different questions.
    #[error("{differing}")]
    Demands {
        /// Which report differs from those before it; the first is 0.
        position: usize,
        /// In what.
        differing: PolicyMismatch,
    },
}

/// Two reports answer different questions.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "the reports were made with different demands: {member} is {here} in this one and {before} in those before it; judge all logs with the same options"
)]
#[non_exhaustive]
pub struct PolicyMismatch {
    /// The member of the demand that differs.
    pub member: String,
    /// Its value in the later report, safe to show.
    pub here: String,
    /// Its value in the reports before, safe to show.
    pub before: String,
}

/// Merges reports. It is associative, and their order makes no difference; merging a report with itself changes its
/// [duplicates](MergedReport::duplicates) only.
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
/// When there is no report, or two of them answer different questions.
pub fn merge(reports: impl IntoIterator<Item = MergedReport>) -> Result<MergedReport, MergeError> {
    let mut set = Set::default();
    let mut demand: Option<AuditOptions> = None;
    for (position, merged) in reports.into_iter().enumerate() {
        let demand = demand.get_or_insert_with(|| merged.report.demand.clone());
        same(&merged.report.demand, demand).map_err(|differing| MergeError::Demands { position, differing })?;
        merged.report.logs.into_iter().for_each(|log| set.insert(log));
        merged.duplicates.iter().for_each(|duplicate| set.again(duplicate));
    }
    demand.map(|demand| set.merged(demand)).ok_or(MergeError::Nothing)
}

/// The lines of one stream that holds one or more reports in ndjson, one after the other or mixed.
#[derive(Debug, Clone, Default)]
pub struct NdjsonMerger {
    set: Set,
    demand: Option<AuditOptions>,
    /// What stands in it, and what its summaries say.
    counts: [Counts; 2],
    /// How many summaries there are.
    summaries: u64,
}

/// A line that a stream cannot take.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MergeLineError {
    /// It is no part of a report.
    #[error(transparent)]
    Part(#[from] ReportLineError),
    /// It is of a report that answers another question.
    #[error(transparent)]
    Demands(#[from] PolicyMismatch),
}

/// A stream ended that is not whole.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum IncompleteReport {
    /// It holds nothing.
    #[error("it is empty: what should have written it did not; make the report again")]
    Empty,
    /// There is no summary.
    #[error("the report ends without its summary, so it was cut short; make it again")]
    NoSummary,
    /// The summaries count other logs.
    #[error("the report holds {} and its summaries count {}, so it was cut short or lines were lost; make it again", counted(*held), counted(*claimed))]
    Counts {
        /// What stands in it.
        held: Counts,
        /// What its summaries say.
        claimed: Counts,
    },
    /// A line stands in it more often than it has summaries.
    #[error("the report on {} stands in it {times} times, so lines were copied, and others may be lost; make it again", display_safe(path).max_chars(200).quoted())]
    Copied {
        /// Where the log is.
        path: String,
        /// How often.
        times: u64,
    },
    /// A log's report cannot be the answer to what was asked.
    #[error("the report on {} does not answer what its summary says was asked: one of them was edited; judge the log again", display_safe(path).max_chars(200).quoted())]
    AnotherAnswer {
        /// Where the log would be.
        path: String,
    },
    /// A log was given again that is not there.
    #[error("its summaries tell of a duplicate of {}, which is not in it; make the report again", display_safe(path).max_chars(200).quoted())]
    Duplicate {
        /// Where the log would be.
        path: String,
    },
}

impl NdjsonMerger {
    /// Takes a line, with or without its end.
    ///
    /// # Errors
    ///
    /// When it is no part of a report, or one of a report that answers another question.
    pub fn take(&mut self, line: &[u8]) -> Result<(), MergeLineError> {
        let [held, claimed] = &mut self.counts;
        match ReportLine::parse(line)? {
            ReportLine::Log(log) => {
                held.add(log.conclusion);
                self.set.insert(*log);
            }
            ReportLine::Summary(summary) => {
                let demand = self.demand.get_or_insert_with(|| summary.demand.clone());
                same(&summary.demand, demand)?;
                claimed.add_all(summary.counts);
                self.summaries += 1;
                summary.duplicates.iter().for_each(|duplicate| self.set.again(duplicate));
            }
        }
        Ok(())
    }

    /// What the stream held.
    ///
    /// # Errors
    ///
    /// When it held nothing, or not all that its summaries count.
    pub fn end(self) -> Result<MergedReport, IncompleteReport> {
        let [held, claimed] = self.counts;
        let Some(demand) = self.demand else {
            return Err(if held.total() == 0 { IncompleteReport::Empty } else { IncompleteReport::NoSummary });
        };
        if held != claimed {
            return Err(IncompleteReport::Counts { held, claimed });
        }
        if let Some((path, times)) = self.set.most_often().filter(|(_, times)| *times > self.summaries) {
            return Err(IncompleteReport::Copied { path: path.to_owned(), times });
        }
        if let Some(path) = self.set.again.keys().find(|path| !self.set.logs.contains_key(*path)) {
            return Err(IncompleteReport::Duplicate { path: path.clone() });
        }
        let merged = self.set.merged(demand);
        let answers = |log: &&LogReport| log.audit.as_ref().is_none_or(|audit| audit.answers(&merged.report.demand));
        match merged.report.logs.iter().find(|log| !answers(log)) {
            Some(log) => Err(IncompleteReport::AnotherAnswer { path: log.path.clone() }),
            None => Ok(merged),
        }
    }
}

/// A set of logs, by path.
#[derive(Debug, Clone, Default)]
struct Set {
    logs: BTreeMap<String, OfPath>,
    again: BTreeMap<String, u64>,
}

/// The logs of one path, and how often each stood there; as they are written, where there are several.
#[derive(Debug, Clone)]
enum OfPath {
    One(Box<LogReport>, u64),
    Several(BTreeMap<String, (LogReport, u64)>),
}

impl Set {
    fn insert(&mut self, log: LogReport) {
        let path = log.path.clone();
        let is_new = match self.logs.entry(path.clone()) {
            Entry::Vacant(place) => {
                place.insert(OfPath::One(Box::new(log), 1));
                true
            }
            Entry::Occupied(mut place) => place.get_mut().insert(log),
        };
        if !is_new {
            self.again(&Duplicate { path, again: 1 });
        }
    }

    /// A log that stood there most often, and how often.
    fn most_often(&self) -> Option<(&str, u64)> {
        self.logs.iter().map(|(path, logs)| (path.as_str(), logs.most_often())).max_by_key(|(_, times)| *times)
    }

    fn again(&mut self, duplicate: &Duplicate) {
        let again = self.again.entry(duplicate.path.clone()).or_default();
        *again = again.saturating_add(duplicate.again);
    }

    fn merged(self, demand: AuditOptions) -> MergedReport {
        let logs = self.logs.into_values().flat_map(OfPath::into_logs).collect();
        let duplicates = self.again.into_iter().map(|(path, again)| Duplicate { path, again }).collect();
        MergedReport { report: Report::new(demand, logs), duplicates }
    }
}

impl OfPath {
    /// Whether it was not there yet.
    fn insert(&mut self, log: LogReport) -> bool {
        let text = written(&log);
        match self {
            Self::One(only, times) => {
                let other = written(only);
                let is_new = other != text;
                if is_new {
                    let only = ((**only).clone(), *times);
                    *self = Self::Several(BTreeMap::from([(other, only), (text, (log, 1))]));
                } else {
                    *times += 1;
                }
                is_new
            }
            Self::Several(logs) => {
                let (_, times) = logs.entry(text).or_insert((log, 0));
                *times += 1;
                *times == 1
            }
        }
    }

    fn most_often(&self) -> u64 {
        match self {
            Self::One(_, times) => *times,
            Self::Several(logs) => logs.values().map(|(_, times)| *times).max().unwrap_or(0),
        }
    }

    fn into_logs(self) -> Vec<LogReport> {
        match self {
            Self::One(only, _) => vec![*only],
            Self::Several(logs) => logs.into_values().map(|(log, _)| log).collect(),
        }
    }
}

/// A log's report as it is written: what is not, such as marks, makes no difference.
fn written(log: &LogReport) -> String {
    // A report has no map whose keys are not text, and nothing else can fail.
    serde_json::to_string(log).unwrap_or_default()
}

/// Whether two demands are the same as they are written; if not, in what they differ first.
fn same(here: &AuditOptions, before: &AuditOptions) -> Result<(), PolicyMismatch> {
    let value = |demand| serde_json::to_value(demand).unwrap_or_default();
    let (here, before) = (value(here), value(before));
    let shown = |value: &Value| match value.as_str() {
        Some(text) => display_safe(text).max_chars(120).quoted().to_string(),
        None => display_safe(&value.to_string()).max_chars(120).to_string(),
    };
    // What is not demanded may not be written at all.
    let members: BTreeSet<&String> =
        [&here, &before].into_iter().flat_map(Value::as_object).flat_map(Map::keys).collect();
    let mut differing = members.into_iter().filter_map(|member| {
        let (here, before) = (here.get(member).unwrap_or(&Value::Null), before.get(member).unwrap_or(&Value::Null));
        (here != before).then(|| PolicyMismatch { member: member.clone(), here: shown(here), before: shown(before) })
    });
    differing.next().map_or(Ok(()), Err)
}

/// The counts in words.
fn counted(counts: Counts) -> String {
    let some = counts.each().into_iter().filter(|(_, count)| *count > 0);
    let some: Vec<String> = some.map(|(conclusion, count)| format!("{count} {conclusion}")).collect();
    let logs = if counts.total() == 1 { "log" } else { "logs" };
    let some = if some.is_empty() { String::new() } else { format!(" ({})", some.join(", ")) };
    format!("{} {logs}{some}", counts.total())
}
