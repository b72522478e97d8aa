//! The engine of the audit: one tracker for each concern, and the auditor that feeds them the events of a log.
//!
//! The trackers know the report's data and not each other, except that runs use decisions and hosts. Only `auditor` knows
//! all trackers, and only it reads bytes.

mod active_run;
mod auditor;
mod authority;
mod conclude;
mod decisions;
mod entry;
mod findings;
mod format;
mod gate_events;
mod integrity;
mod runs;
mod sidecar;
mod timeline;

pub use auditor::{AuditError, Auditor};
pub use entry::{audit_path, audit_reader, resolve_as_of};
