//! The publish gate: the fold of an event log, the verdict on a plan, and the audit of recorded decisions.
//!
//! Before a release tool publishes crates for real it rehearses: it publishes the same plan to an alternative
//! registry. The gate permits the real publish only if the latest rehearsal passed, for this plan, on the
//! configured registry. This is a rehearsal in a log:
//!
//! ```json
//! {"timestamp":"2026-11-23T08:12:26Z","event_type":{"type":"rehearsal_started","registry":"rehearsal","plan_id":"4f6e","package_count":1},"package":"all"}
//! {"timestamp":"2026-11-23T08:12:27Z","event_type":{"type":"rehearsal_package_published","name":"zq-a","version":"0.1.0","duration_ms":73},"package":"zq-a@0.1.0"}
//! {"timestamp":"2026-11-23T08:12:28Z","event_type":{"type":"rehearsal_complete","passed":true,"registry":"rehearsal","plan_id":"4f6e","summary":"rehearsed 1 package"},"package":"all"}
//! ```
//!
//! # Tasks
//!
//! | Task | Call |
//! |---|---|
//! | Evaluate without a record | [`GateProjection::open`], then [`evaluate`] |
//! | Ask and record | [`ask_gate`], which folds the log itself and records its decision before it returns |
//! | Audit a log | [`audit_path`] or [`audit_reader`], with [`AuditOptions`], and [`SidecarInput`] or [`ComparedFiles`]; gives a [`LogAudit`] |
//! | Report on several logs | [`Report`](audit::Report), which has a JSON form |
//! | Record a rehearsal | [`RehearsalRecorder::open`], `start`, then the methods of [`OpenRehearsal`] |
//! | Lock a run | [`RunLock::take`](rehearsal::RunLock::take), from the question to the end of the run |
//! | Move a log aside | [`rotate_log`], then rehearse again |
//! | Fold a state of your own | [`Projection`] with [`read_projection`] |
//!
//! [`audit_path`]: audit::audit_path
//! [`audit_reader`]: audit::audit_reader
//! [`AuditOptions`]: audit::AuditOptions
//! [`SidecarInput`]: audit::SidecarInput
//! [`ComparedFiles`]: audit::ComparedFiles
//! [`LogAudit`]: audit::LogAudit
//! [`OpenRehearsal`]: rehearsal::OpenRehearsal
//! [`Projection`]: shipper_events::scan::Projection
//! [`read_projection`]: shipper_events::scan::read_projection
//! [`rotate_log`]: shipper_events::write::rotate_log
//!
//! # Modules
//!
//! - [`fold`] computes the gate's state, [`gate`] decides, [`rehearsal`] records, and [`audit`] checks the records.
//! - [`sidecar`] parses, compares and writes `rehearsal.json`. [`state_dir`] creates the directory of both.
//! - [`packet`] parses and compares `state.json` and `receipt.json`, which the shipper tool derives from the log.
//! - [`registry_index`] parses files of a registry's sparse index, which an audit compares with the log.
//! - `release` (feature `release`) rehearses and publishes a plan, and records both.
//! - `strategies` (feature `proptest`) has logs and queries for the property tests of embedding tools.
//!
//! # Terms
//!
//! - **Head**: number of lines, number of bytes and BLAKE3 hash of a prefix of the log.
//! - **Chain**: the links between lines. A chained line contains its position and the hash of the line before it.
//! - **Torn tail**: the bytes after the last LF, which are the start of a line whose write did not finish.
//! - **Receipt**: the outcome of the latest rehearsal that completed, or was abandoned after a failure, with its flaws.
//! - **Sidecar**: `rehearsal.json`, a snapshot of the receipt, which is compared and never trusted.
//! - **Plan**: the packages that would be published, named by a plan ID.
//!
//! The crates whose types appear in this API are re-exported: [`shipper_events`] for lines, events and the writer, and
//! [`camino`] for paths.
//!
//! [`evaluate`] and [`GateState`] use no file, clock, environment, thread or terminal. [`GateProjection::open`],
//! [`audit_path`] and [`ask_gate`] use files, and `ask_gate` the clock. `docs/gate.md` and `docs/auditing.md` describe
//! the rules.

pub mod audit;
pub mod fold;
pub mod gate;
mod json_file;
pub mod packet;
pub mod registry_index;
pub mod rehearsal;
#[cfg(feature = "release")]
pub mod release;
pub mod sidecar;
pub mod state_dir;
#[cfg(feature = "proptest")]
pub mod strategies;
mod words;

pub use camino;
pub use shipper_events;

pub use fold::{GateProjection, GateState, Receipt};
pub use gate::{
    GateAnswer, GateQuery, RefusalCode, RefusalReason, SkipRequest, Verdict, VerdictKind, ask_gate, evaluate,
};
pub use rehearsal::RehearsalRecorder;
pub use sidecar::Sidecar;
