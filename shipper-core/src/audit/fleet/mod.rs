//! Reports on many logs: reads them line by line, merges, summarizes and compares them.

mod baseline;
mod consistency;
mod merge;
mod ndjson;
mod summary;

pub use baseline::{
    BaselineComparison, Change, ComparisonSchema, DecisionChange, DecisionState, FindingChange, LogChange,
    compare_with_baseline,
};
pub use merge::{IncompleteReport, MergeError, MergedReport, NdjsonMerger, merge};
pub use ndjson::{PolicyMismatch, ReportLine, ReportLineError};
pub use summary::{Conflict, Counts, Duplicate, DuplicateContent, Summary, SummaryBuilder};
