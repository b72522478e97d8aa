//! Reports on many logs: read line by line, merged, summarized.

mod consistency;
mod merge;
mod ndjson;
mod summary;

pub use merge::{IncompleteReport, MergeError, MergeLineError, MergedReport, NdjsonMerger, PolicyMismatch, merge};
pub use ndjson::{ReportLine, ReportLineError};
pub use summary::{Conflict, Counts, Duplicate, DuplicateContent, Summary, SummaryBuilder};
