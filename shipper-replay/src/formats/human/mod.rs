//! The human report: short, with line numbers, and with the caveats of the audit.

pub(crate) mod caveats;
pub(crate) mod decisions;
mod diagnostic;
mod multi;
pub(crate) mod next_command;
mod options;
pub(crate) mod phrases;
pub(crate) mod summary;
mod timeline;
mod writer;

pub(crate) use decisions::sort_rank;
pub(crate) use multi::{detailed_logs, most_severe_first, render};
pub(crate) use options::{RenderOptions, finding_filter};
pub(crate) use timeline::TimelinePrinter;
