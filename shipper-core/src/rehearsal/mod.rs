//! Recording a rehearsal: each step is an event before it counts, and the sidecar follows the last.
//!
//! - [`RehearsalRecorder`] opens a log for a rehearsal, [`OpenRehearsal`] records its steps, and completing it gives a
//!   [`CompletedRehearsal`].
//! - [`RunLock`] admits one rehearsal or run at a time.

mod events;
mod recorder;
mod run_lock;

#[cfg(feature = "release")]
pub(crate) use events::{milliseconds, package_output, policy_applied};
pub use recorder::{CompletedRehearsal, OpenRehearsal, RecordError, RehearsalRecorder};
pub use run_lock::{RunLock, RunLockError};
