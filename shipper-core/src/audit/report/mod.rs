//! The report as data: plain values with their JSON form, which is byte-identical for the same input and options.
//! `docs/auditing.md`, "The JSON report".

mod conclusion;
mod decision;
mod finding;
mod label;
mod log_audit;
mod log_report;
mod sidecar;
mod timeline;

pub use conclusion::Conclusion;
pub use decision::{
    Decision, DecisionStatus, RecordedVerdict, RegistrySource, RunReport, UnprovenCause, VerdictSummary,
};
pub(super) use finding::GivenHead;
pub use finding::{Finding, FindingCode, Level};
pub(super) use label::paths;
pub use label::{Label, LabelTarget};
pub use log_audit::{GateReport, Integrity, LogAudit, ReceiptReport, TailStatus};
pub use log_report::{LogReport, Report, Schema, UnauditedReason};
pub use sidecar::{SidecarReport, SidecarStatus};
pub use timeline::{
    OpenRehearsalSummary, ReceiptSummary, RehearsalReport, RehearsalStatus, RunSpan, StateAfter, TimelineEntry,
};
