//! The human report: a headline, the findings, a summary of the log, and the caveats of the audit.

mod baseline;
mod diagnostic;
mod multi;
mod options;
mod timeline;
mod writer;

pub(crate) use baseline::render_comparison;
pub(crate) use multi::{detailed_logs, render};
pub(crate) use options::{RenderOptions, finding_filter};
pub(crate) use timeline::TimelinePrinter;
