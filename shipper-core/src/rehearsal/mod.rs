//! Recording a rehearsal: each step is an event before it counts, and the sidecar follows the last.

mod recorder;
mod run_lock;

pub use recorder::{CompletedRehearsal, OpenRehearsal, RecordError, RehearsalRecorder};
#[cfg(feature = "release")]
pub(crate) use recorder::{milliseconds, package_output, policy_applied};
pub use run_lock::{RunLock, RunLockError};
