//! Strict reader for the lines of a report in ndjson, which may be truncated, mixed with another report or edited. It
//! rejects unknown members, and recomputes the members that follow from others.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use shipper_events::json::Object;
use shipper_events::{LineError, display_safe};
use thiserror::Error;

use super::consistency::find_inconsistency;
use super::summary::Summary;
use crate::audit::report::{Conclusion, LogReport, Schema};

/// A line of a report in ndjson.
///
/// ```
/// use shipper_core::audit::{ReportLineError, LogReport, ReportLine};
/// let log = LogReport::unreadable("events.jsonl", "no such file");
/// let line = serde_json::to_string(&log)?;
/// assert_eq!(ReportLine::parse(line.as_bytes())?, ReportLine::Log(log.into()));
/// let forged = line.replace("unjudged", "verified");
/// assert!(matches!(ReportLine::parse(forged.as_bytes()), Err(ReportLineError::Conclusion { .. })));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReportLine {
    /// The report on one log.
    Log(Box<LogReport>),
    /// The summary of all logs, the last line of a report.
    Summary(Box<Summary>),
}

/// The error for a line that is not one of a report that this version can merge.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ReportLineError {
    /// It is not JSON, or it is JSON that readers interpret differently.
    #[error("the line is corrupt: {0}")]
    Corrupt(#[from] LineError),
    /// It is a report in the format `json`.
    #[error("expected a line of --format ndjson, found a report of --format json")]
    JsonReport,
    /// It is of a schema that this version does not know.
    #[error(
        "unsupported schema {}, expected {}; use the version that wrote the report",
        display_safe(schema).max_chars(60).quoted(),
        Schema::V1
    )]
    Schema {
        /// The schema that it names.
        schema: String,
    },
    /// It is neither a log's report nor a summary.
    #[error("expected a report on a log or a summary: {why}")]
    NotAReportLine {
        /// The error of the JSON reader, safe to display.
        why: String,
    },
    /// It has members or values that this version does not know.
    #[error("unknown members or values; use the version that wrote the report")]
    Unknown,
    /// The conclusion does not follow from the other members.
    #[error("the line was edited: its conclusion is {claimed}, but its members give {actual}; audit the log again")]
    Conclusion {
        /// The conclusion that it claims.
        claimed: Conclusion,
        /// The conclusion that follows from the other members.
        actual: Conclusion,
    },
    /// Its members contradict each other.
    #[error("the line was edited: {why}; audit the log again")]
    Inconsistent {
        /// The contradiction.
        why: &'static str,
    },
    /// The members of the summary contradict each other.
    #[error("the summary was edited: its members contradict each other; write the report again")]
    Summary,
    /// The options of its report differ from those before it.
    #[error(transparent)]
    Policy(#[from] PolicyMismatch),
}

/// The error for two reports whose options differ.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "the reports have different options: {member} is {here} here and {before} in earlier reports; audit all logs with the same options"
)]
#[non_exhaustive]
pub struct PolicyMismatch {
    /// The first member of the options that differs.
    pub member: String,
    /// Its value in the later report, safe to display.
    pub here: String,
    /// Its value in the reports before, safe to display.
    pub before: String,
}

#[derive(Deserialize, Serialize)]
struct SummaryLine {
    summary: Box<Summary>,
}

impl ReportLine {
    /// Reads a line, with or without its end.
    ///
    /// # Errors
    ///
    /// [`ReportLineError`]: see its variants. White space, escapes and the order of members may differ from what this
    /// version writes, and nothing else.
    pub fn parse(line: &[u8]) -> Result<Self, ReportLineError> {
        let object = Object::parse(line)?;
        let text = std::str::from_utf8(line).unwrap_or_default();
        if let Some(summary) = object.get("summary") {
            let schema = summary.as_object().and_then(|summary| summary.get("schema")?.as_str());
            if let Some(schema) = schema.filter(|schema| schema != Schema::V1.as_str()) {
                return Err(ReportLineError::Schema { schema: schema.into_owned() });
            }
            let SummaryLine { summary } = read(text)?;
            return if summary.is_consistent() { Ok(Self::Summary(summary)) } else { Err(ReportLineError::Summary) };
        }
        if object.get("schema").is_some() {
            return Err(ReportLineError::JsonReport);
        }
        let log: Box<LogReport> = read(text)?;
        if let Some(why) = log.audit.as_ref().and_then(find_inconsistency) {
            return Err(ReportLineError::Inconsistent { why });
        }
        let (claimed, actual) = (log.conclusion, log.recompute_conclusion());
        if claimed == actual { Ok(Self::Log(log)) } else { Err(ReportLineError::Conclusion { claimed, actual }) }
    }
}

/// Reads a value, and checks that it is the same when it is written again.
fn read<T: DeserializeOwned + Serialize>(text: &str) -> Result<T, ReportLineError> {
    let neither = |error: serde_json::Error| {
        let why = display_safe(&error.to_string()).max_chars(200).to_string();
        ReportLineError::NotAReportLine { why }
    };
    let value: T = serde_json::from_str(text).map_err(neither)?;
    let again = serde_json::to_string(&value).map_err(neither)?;
    let parse = |text: &str| serde_json::from_str::<Value>(text).map_err(neither);
    if again == text.trim_ascii() || parse(text)? == parse(&again)? { Ok(value) } else { Err(ReportLineError::Unknown) }
}
