//! Reports on many logs: reads them line by line, merges and summarizes them.

mod consistency;
mod merge;
mod ndjson;
mod summary;

pub use merge::{IncompleteReport, MergeError, MergedReport, NdjsonMerger, merge};
pub use ndjson::{PolicyMismatch, ReportLine, ReportLineError};
pub use summary::{Conflict, Counts, Duplicate, DuplicateContent, Summary, SummaryBuilder};
