//! Records a rehearsal step by step, and writes the sidecar after its completion. `recorder` records the steps.
//! `registry_policy` has the event with the hosts of a registry, and `run_lock` the lock that rehearsals and runs take.

mod recorder;
mod registry_policy;
mod run_lock;

pub use recorder::{CompletedRehearsal, OpenRehearsal, RecordError, RehearsalRecorder};
#[cfg(feature = "release")]
pub(crate) use recorder::{milliseconds, package_output};
#[cfg(feature = "release")]
pub(crate) use registry_policy::policy_applied;
pub use run_lock::{RunLock, RunLockError};
