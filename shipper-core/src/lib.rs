//! The publish gate: the fold of an event log, the verdict on a plan, and the audit of recorded decisions.
//!
//! Before a release tool publishes crates for real it rehearses: it publishes the same plan to an alternative
//! registry. The gate lets the real publish go only if the latest rehearsal passed, for this very plan, on the
//! configured registry. This is a rehearsal in a log:
//!
//! ```json
//! {"timestamp":"2026-11-23T08:12:26Z","event_type":{"type":"rehearsal_started","registry":"rehearsal","plan_id":"4f6e","package_count":1},"package":"all"}
//! {"timestamp":"2026-11-23T08:12:27Z","event_type":{"type":"rehearsal_package_published","name":"zq-a","version":"0.1.0","duration_ms":73},"package":"zq-a@0.1.0"}
//! {"timestamp":"2026-11-23T08:12:28Z","event_type":{"type":"rehearsal_complete","passed":true,"registry":"rehearsal","plan_id":"4f6e","summary":"rehearsed 1 package"},"package":"all"}
//! ```
//!
//! # Modules
//!
//! - [`fold`]: [`GateState`] is the fold of a log's events, [`GateProjection`] reads a whole log into one, strictly. A
//!   completed rehearsal becomes a [`Receipt`].
//! - [`gate`]: [`evaluate`] answers a [`GateQuery`] with a [`Verdict`] and records nothing; [`ask_gate`] records its decision
//!   durably before it returns it.
//! - [`rehearsal`]: [`RehearsalRecorder`] records a rehearsal, step by step.
//! - [`sidecar`]: [`Sidecar`] is `rehearsal.json`, compared with a receipt and never trusted.
//! - [`audit`]: re-derives every decision of a log, and gives one [`Report`](audit::Report).
//! - `release` (feature `release`): rehearses and publishes a plan, and records both.
//! - [`state_dir`]: the directory of a log and its sidecar.
//! - `strategies` (feature `proptest`): logs and questions for the property tests of embedding tools.
//!
//! The crates whose types appear in this API are re-exported: [`shipper_events`] for lines, events and the writer, and
//! [`camino`] for paths.
//!
//! Every decision is pure: no file, clock, environment, thread or terminal. The rules are described for their
//! readers in `docs/gate.md` and `docs/auditing.md`.

pub mod audit;
pub mod fold;
pub mod gate;
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
