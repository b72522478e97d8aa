//! Records a rehearsal step by step, and writes the sidecar after its completion. `recorder` records the steps.
//! `run_lock` has the lock that rehearsals and runs take.

mod recorder;
mod run_lock;

pub use recorder::{CompletedRehearsal, OpenRehearsal, RecordError, RehearsalRecorder};
#[cfg(feature = "release")]
pub(crate) use recorder::{milliseconds, package_output, policy_applied};
pub use run_lock::{RunLock, RunLockError};
