//! Parts: the lines of a report in ndjson, read without being lenient.
//!
//! A report that was made elsewhere may have been cut, mixed with another or edited. So a line is read as strictly as a
//! line of a log, it must hold nothing that this version does not know, and what follows from the rest of it is
//! derived again and compared.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use shipper_events::json::Object;
use shipper_events::{LineError, display_safe};
use thiserror::Error;

use super::conclusion::Conclusion;
use super::report::{LogAudit, LogReport};
use super::summary::Summary;

/// The schema that this version reads.
const SCHEMA: &str = "shipper.replay.v1";

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
    /// What was found in one log.
    Log(Box<LogReport>),
    /// What is said once over all logs of a report: its last line.
    Summary(Box<Summary>),
}

/// The line is no part of a report that can be merged.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ReportLineError {
    /// It is not JSON, or JSON that readers disagree on.
    #[error("the line is corrupt, {0}")]
    Corrupt(#[from] LineError),
    /// It is a report of another form.
    #[error(
        "this is a whole report of --format json; make it with --format ndjson, of which every line can be checked"
    )]
    WholeReport,
    /// It is of a schema that this version does not know.
    #[error(
        "its schema is {}, and this version knows {SCHEMA} only; merge with the version that made it",
        quoted(schema)
    )]
    Schema {
        /// What it says.
        schema: String,
    },
    /// It is neither a log's report nor a summary.
    #[error("it is neither a log's report nor a summary: {why}")]
    Neither {
        /// Why not.
        why: String,
    },
    /// It holds something that is lost when it is read by this version.
    #[error("it holds something that this version does not know; merge with the version that made it")]
    Unknown,
    /// The conclusion does not follow from the rest.
    #[error("it concludes {said}, and what it found comes to {derived}: it was edited; judge the log again")]
    Conclusion {
        /// What it says.
        said: Conclusion,
        /// What follows.
        derived: Conclusion,
    },
    /// What it found contradicts itself.
    #[error("it contradicts itself, {why}: it was edited; judge the log again")]
    Contradiction {
        /// In what.
        why: &'static str,
    },
    /// The summary contradicts itself.
    #[error("this summary does not follow from its own counts: it was edited; make the report again")]
    Summary,
}

#[derive(Deserialize, Serialize)]
struct LastLine {
    summary: Summary,
}

impl ReportLine {
    /// Reads a line, with or without its end.
    ///
    /// # Errors
    ///
    /// Whatever this version would not have written so, white space and escapes aside; and a conclusion that does not
    /// follow from what was found.
    pub fn parse(line: &[u8]) -> Result<Self, ReportLineError> {
        let object = Object::parse(line)?;
        let text = std::str::from_utf8(line).unwrap_or_default();
        if let Some(summary) = object.get("summary") {
            let schema = summary.as_object().and_then(|summary| summary.get("schema")?.as_str());
            return match schema {
                Some(schema) if schema != SCHEMA => Err(ReportLineError::Schema { schema: schema.into_owned() }),
                _ => read(text).and_then(summed_up),
            };
        }
        if object.get("schema").is_some() {
            return Err(ReportLineError::WholeReport);
        }
        let log: LogReport = read(text)?;
        if let Some(why) = log.audit.as_ref().and_then(LogAudit::contradiction) {
            return Err(ReportLineError::Contradiction { why });
        }
        let derived = log.derived();
        if log.conclusion == derived {
            Ok(Self::Log(Box::new(log)))
        } else {
            Err(ReportLineError::Conclusion { said: log.conclusion, derived })
        }
    }
}

fn summed_up(line: LastLine) -> Result<ReportLine, ReportLineError> {
    if line.summary.adds_up() { Ok(ReportLine::Summary(Box::new(line.summary))) } else { Err(ReportLineError::Summary) }
}

/// Reads a value that must be all that stands there: written again, it is the same.
fn read<T: DeserializeOwned + Serialize>(text: &str) -> Result<T, ReportLineError> {
    let neither = |error: serde_json::Error| ReportLineError::Neither { why: said(&error.to_string()) };
    let value: T = serde_json::from_str(text).map_err(neither)?;
    let again = serde_json::to_string(&value).map_err(neither)?;
    if again == text.trim_ascii() {
        return Ok(value);
    }
    let (given, read): (Value, Value) =
        (serde_json::from_str(text).map_err(neither)?, serde_json::from_str(&again).map_err(neither)?);
    if given == read { Ok(value) } else { Err(ReportLineError::Unknown) }
}

impl LogReport {
    /// The conclusion that follows from the rest of it.
    pub fn derived(&self) -> Conclusion {
        match &self.audit {
            Some(audit) => audit.conclusion(),
            None if self.error == Self::no_logs("").error => Conclusion::Inconclusive,
            None => Conclusion::Unjudged,
        }
    }
}

fn said(why: &str) -> String {
    display_safe(why).max_chars(200).to_string()
}

fn quoted(text: &str) -> String {
    display_safe(text).max_chars(60).quoted().to_string()
}
