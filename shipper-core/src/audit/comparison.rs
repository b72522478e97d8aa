//! The difference of two logs as data: `docs/evidence.md`, "Comparing two logs".

use std::collections::BTreeMap;

use serde::Serialize;
use shipper_events::PlanId;

use super::report::{Compression, Conclusion, Decision, DecisionStatus, TailStatus, VerdictSummary};
use crate::words::word_enums;

/// The schema of the JSON form of a [`LogComparison`].
pub const COMPARISON_SCHEMA: &str = "shipper.compare.v1";

word_enums! {
    /// The relation of two logs. Only the bytes count, decompressed and with those after the last complete line.
    pub enum LogRelation {
        /// The logs have the same bytes.
        Identical = "identical",
        /// The first log begins with the second one and has more bytes.
        FirstExtendsSecond = "first-extends-second",
        /// The second log begins with the first one and has more bytes.
        SecondExtendsFirst = "second-extends-first",
        /// Neither log begins with the other one.
        Different = "different",
    }
}

impl LogRelation {
    /// Returns the program's exit status: identical 0, different 1, and 3 if one log extends the other one.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Identical => 0,
            Self::Different => 1,
            Self::FirstExtendsSecond | Self::SecondExtendsFirst => 3,
        }
    }
}

/// The difference of two logs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LogComparison {
    /// The schema of its JSON form.
    pub schema: &'static str,
    /// The relation of the logs.
    pub relation: LogRelation,
    /// The exit status, 0, 1 or 3.
    pub exit_code: u8,
    /// The lines at the start that are the same in both logs.
    pub common: CommonLines,
    /// The first difference. `None` if the logs are identical.
    pub difference: Option<Difference>,
    /// The first log.
    pub first: ComparedLog,
    /// The second log.
    pub second: ComparedLog,
}

/// The lines at the start that are the same in two logs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CommonLines {
    /// Number of complete lines.
    pub lines: u64,
    /// Number of bytes in those lines.
    pub bytes: u64,
    /// The BLAKE3 of those bytes, 64 lowercase hex digits.
    pub blake3: String,
}

/// The first byte that differs between two logs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Difference {
    /// The line of the byte.
    pub line: u64,
    /// The column of the byte in its line, in bytes; the first is 1.
    pub column: u64,
    /// The line in the first log, near the byte, safe to display. `None` if the log ends before the line.
    pub first: Option<String>,
    /// The line in the second log, as `first`.
    pub second: Option<String>,
}

/// One of two compared logs: the audit of the whole log, and the content after the common lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ComparedLog {
    /// The path of the log, as the caller gave it.
    pub path: String,
    /// Number of complete lines.
    pub lines: u64,
    /// Number of bytes in those lines.
    pub bytes: u64,
    /// The BLAKE3 of those bytes, 64 lowercase hex digits.
    pub blake3: String,
    /// The compression of the file. `None` if it is not compressed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compression: Option<Compression>,
    /// The state of the end of the log.
    pub tail: TailStatus,
    /// The conclusion of an audit without options, sidecar and files beside the log.
    pub conclusion: Conclusion,
    /// The content after the common lines.
    pub added: AddedContent,
}

/// The content of a log after the lines that it has in common with another one.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct AddedContent {
    /// Number of complete lines.
    pub lines: u64,
    /// Number of events by type, safe to display. Of many types that this version does not know, only some are listed.
    pub events: BTreeMap<String, u64>,
    /// Number of events whose type is not listed.
    pub other_events: u64,
    /// The first line of the log that is not an event, also among the common lines. Events after it are not counted.
    /// `None` if there is none.
    pub corrupt_line: Option<u64>,
    /// The decisions, by line.
    pub decisions: Vec<AddedDecision>,
}

/// A decision of the audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AddedDecision {
    /// The line of the decision, or of the run that took no recorded one.
    pub line: u64,
    /// The plan that was decided on.
    pub plan_id: PlanId,
    /// The verdict that the events before the line give. `None` if it was made under unknown rules.
    pub derived: Option<VerdictSummary>,
    /// The result of the check.
    pub status: DecisionStatus,
}

impl From<Decision> for AddedDecision {
    fn from(decision: Decision) -> Self {
        let Decision { line, plan_id, derived, status, .. } = decision;
        Self { line, plan_id, derived, status }
    }
}
