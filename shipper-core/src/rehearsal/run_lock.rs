//! The lock that allows one rehearsal or run at a time on a log.

use std::io;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use shipper_events::write::Storage;
use thiserror::Error;

use crate::state_dir::LOG_FILE_NAME;

/// The error for a run lock that cannot be taken.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RunLockError {
    /// Another rehearsal or run holds it.
    #[error("cannot take the run lock of {path}: another rehearsal or run holds it ({holder})")]
    Busy {
        /// The state directory.
        path: Utf8PathBuf,
        /// Note that the holder left in the lock file.
        holder: String,
    },
    /// The file system failed.
    #[error("cannot take the run lock of {path}")]
    Io {
        /// The state directory.
        path: Utf8PathBuf,
        /// Error of the file system.
        source: io::Error,
    },
}

/// Lock that a rehearsal or run holds on a log from its first event to its last. Dropping it releases it.
pub struct RunLock<S: Storage> {
    _lock: S::Lock,
}

impl<S: Storage> RunLock<S> {
    /// Takes the run lock without waiting. Only callers that record a run themselves need it, before `plan_created`.
    /// While the lock is held, other processes report the note.
    ///
    /// # Errors
    ///
    /// [`RunLockError::Busy`], at once, if another rehearsal or run holds it; [`RunLockError::Io`] if the file system fails.
    pub fn take(storage: &S, state_directory: &Utf8Path, note: &str) -> Result<Self, RunLockError> {
        let path = state_directory.to_owned();
        // Links in two state directories may point to one log.
        let log = storage.resolve(&path.join(LOG_FILE_NAME));
        let lock = log.and_then(|log| storage.lock(&Utf8PathBuf::from(format!("{log}.work")), Duration::ZERO, note));
        let lock = lock.map_err(|source| match source.kind() {
            io::ErrorKind::WouldBlock => RunLockError::Busy { path, holder: source.to_string() },
            _ => RunLockError::Io { path, source },
        })?;
        Ok(Self { _lock: lock })
    }
}
