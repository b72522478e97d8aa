//! The lock of a log.

use std::io;
use std::time::Duration;

use camino::Utf8Path;

use super::error::LogError;
use super::paths::companion;
use super::storage::Storage;

/// The wait for the lock of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LockOptions {
    /// The time to wait for another process that holds the lock; ten seconds by default.
    pub timeout: Duration,
    /// The note that other processes show while they wait for this one; by default the process's number.
    pub holder_note: String,
}

impl LockOptions {
    /// Waits that long, and leaves this note.
    pub fn new(timeout: Duration, holder_note: impl Into<String>) -> Self {
        Self { timeout, holder_note: holder_note.into() }
    }

    /// Takes the lock of a log; dropping it releases it.
    pub(super) fn acquire<S: Storage>(&self, storage: &S, log: &Utf8Path) -> Result<S::Lock, LogError> {
        let path = companion(log, "lock");
        storage.lock(&path, self.timeout, &self.holder_note).map_err(|source| match source.kind() {
            io::ErrorKind::WouldBlock => LogError::Locked { path, waited: self.timeout, holder: source.to_string() },
            _ => LogError::Io { what: "lock", path, source },
        })
    }
}

impl Default for LockOptions {
    fn default() -> Self {
        Self::new(Duration::from_secs(10), format!("process {}", std::process::id()))
    }
}
