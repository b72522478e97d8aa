//! The engine of the audit: one tracker for each concern, and the auditor that feeds them the events of a log.
//!
//! - `entry` opens and reads a whole log, and finds the line of a time. `auditor` passes each event to the trackers.
//! - `visit` makes the auditor the visitor of its scanner.
//! - `integrity`, `gate_events`, `authority`, `commits`, `packages`, `names`, `sidecar`, `packet`, `index` and `timeline` track one
//!   concern each.
//! - `decisions` tracks decisions; `runs` tracks runs, with `decisions`, `authority` and `active_run`, the current run.
//! - `policy_facts` collects the facts that the rules of a policy depend on.
//! - `findings` collects findings, `format` makes their text, and `conclude` applies the options to the result.

mod active_run;
mod auditor;
mod authority;
mod commits;
mod conclude;
mod decisions;
mod entry;
mod file_start;
mod findings;
mod format;
mod gate_events;
mod index;
mod integrity;
mod names;
mod packages;
mod packet;
mod policy_facts;
mod runs;
mod sidecar;
mod timeline;
mod visit;

pub use auditor::{AuditError, Auditor};
pub use entry::{audit_path, audit_reader, resolve_as_of};
