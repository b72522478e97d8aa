//! The report as data: plain values with their JSON form, which is byte-identical for the same input and options.
//! `docs/auditing.md`, "The JSON report".

mod commit;
mod decision;
mod finding;
mod index;
mod label;
mod log_audit;
mod log_report;
mod packet;
mod timeline;

pub use commit::{CommitReport, DecisionCommits};
pub use decision::{
    Decision, DecisionStatus, RecordedVerdict, RegistrySource, RunReport, UnprovenCause, VerdictSummary,
};
pub use finding::{Finding, FindingCode, Level};
pub use index::IndexReport;
pub(super) use label::paths;
pub use label::{Label, LabelTarget};
pub use log_audit::{
    BundleReport, Compression, Conclusion, GateReport, Integrity, LogAudit, ReceiptReport, SidecarReport,
    SidecarStatus, TailStatus,
};
pub use log_report::{LogReport, Report, Schema, UnauditedReason};
pub use packet::{PacketFileReport, PacketReport, PacketStatus};
pub use timeline::{
    OpenRehearsalSummary, ReceiptSummary, RehearsalReport, RehearsalStatus, RunSpan, StateAfter, TimelineEntry,
};
