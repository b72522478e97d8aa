//! The publish gate: what a log of events means, whether it lets a plan be published, and what it proves.
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
//! # The rooms of this crate
//!
//! - [`GateState`] is the fold: feed it the events of a log, one by one. What a completed rehearsal left is a [`Receipt`].
//! - [`evaluate`] is the gate: a state and a [`GateQuery`] give a [`Verdict`] with its [`RefusalReason`]s.
//! - [`Sidecar`] is `rehearsal.json`, compared with a receipt and never believed; [`snapshot`] makes its text.
//! - [`audit`] re-derives every decision of a log and says what it proves, as one [`Report`](audit::Report).
//! - `history` (feature `proptest`) generates histories for the property tests of embedding tools.
//!
//! - [`RehearsalRecorder`] records a rehearsal, and [`ask_gate`] asks the gate: both write the log, by way of
//!   [`shipper_events::write`]. `release` (feature `release`) does what they record.
//!
//! Every decision is pure: no file, clock, environment, thread or terminal. The rules are described for their
//! readers in `docs/gate.md` and `docs/auditing.md`; lines and events are `shipper-events`' business.

mod ask_gate;
pub mod audit;
mod folded;
mod gate;
#[cfg(feature = "proptest")]
pub mod history;
mod keep;
mod receipt;
mod record;
#[cfg(feature = "release")]
pub mod release;
mod sidecar;
mod state;

pub use ask_gate::{AskGateError, Enforced, SidecarUpdate, SkipRequest, UntrustedReason, ask_gate};
pub use folded::GateProjection;
pub use gate::{GateQuery, RefusalCode, RefusalReason, Verdict, VerdictKind, evaluate};
pub use keep::{LOG_FILE_NAME, SIDECAR_FILE_NAME, WriteSidecarError, create_state_directory, write_sidecar};
pub use receipt::{Evidence, EvidenceFlaw, Receipt, RehearsalStart};
pub use record::{CompletedRehearsal, OpenRehearsal, RecordError, RehearsalRecorder, RunLock};
pub use sidecar::{FieldDiff, FieldValue, SIDECAR_SCHEMA, Sidecar, SidecarError, snapshot};
pub use state::{GateState, RehearsalState, UnknownGateEvent};
