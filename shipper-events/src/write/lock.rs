//! The lock of a log.

use std::io;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use super::error::LogError;
use super::paths::lock_path;
use super::storage::Storage;

/// The wait for the lock of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LockOptions {
    /// How long to wait for another process that holds the lock; ten seconds by default.
    pub timeout: Duration,
    /// The note that other processes show while they wait for this one; by default the process's number.
    pub holder_note: String,
}

impl LockOptions {
    /// Waits that long, and leaves this note.
    pub fn new(timeout: Duration, holder_note: impl Into<String>) -> Self {
        Self { timeout, holder_note: holder_note.into() }
    }
}

impl Default for LockOptions {
    fn default() -> Self {
        Self::new(Duration::from_secs(10), format!("process {}", std::process::id()))
    }
}

/// The lock of a log, held or ready to be taken again.
pub(super) struct LogLock<S: Storage> {
    path: Utf8PathBuf,
    options: LockOptions,
    lock: Option<S::Lock>,
}

impl<S: Storage> LogLock<S> {
    pub(super) fn acquire(storage: &S, log: &Utf8Path, options: LockOptions) -> Result<Self, LogError> {
        let mut lock = Self { path: lock_path(log), options, lock: None };
        lock.acquire_again(storage)?;
        Ok(lock)
    }

    pub(super) fn acquire_again(&mut self, storage: &S) -> Result<(), LogError> {
        let Self { path, options: LockOptions { timeout, holder_note }, lock } = self;
        let locked = match lock {
            Some(lock) => storage.lock_again(path, lock, *timeout, holder_note),
            None => storage.lock(path, *timeout, holder_note).map(|new| *lock = Some(new)),
        };
        locked.map_err(|source| match source.kind() {
            io::ErrorKind::WouldBlock => {
                LogError::Locked { path: path.clone(), waited: *timeout, holder: source.to_string() }
            }
            _ => LogError::Io { what: "lock", path: path.clone(), source },
        })
    }

    /// Lets other processes take the lock.
    pub(super) fn release(&mut self, storage: &S) {
        let released = self.lock.as_mut().map(|lock| storage.unlock(lock));
        if released.is_some_and(|released| released.is_err()) {
            // Closing the file releases it, too.
            self.lock = None;
        }
    }
}
