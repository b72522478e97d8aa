//! Lock files of the real file system.

use std::fs::TryLockError;
use std::io::{self, Seek, Write};
use std::time::{Duration, Instant};

use camino::Utf8Path;
use fs_err::OpenOptions;

use super::fs_file::{FsFile, with_mode};
use super::storage::{StorageFile, if_found};
use crate::display_safe::display_safe;

/// The time to sleep between two attempts.
const LOCK_POLL_INTERVAL: Duration = Duration::from_millis(2);

/// The part of a holder's note that is shown, in bytes.
const HOLDER_SHOWN_LEN: usize = 200;

/// The greatest length of a lock file, in bytes.
const MAX_LOCK_FILE_LEN: usize = 4096;

const NOT_A_LOCK_FILE: &str = "the file is not a lock file; remove it or rename it";

/// A lock file that [`FsStorage`](super::FsStorage) has opened and locked.
#[derive(Debug)]
pub struct FsLock(FsFile);

/// Releases the lock. Closing the file is not enough: a child process between fork and exec has it open, too.
impl Drop for FsLock {
    fn drop(&mut self) {
        let _ = self.0.file().file().unlock();
    }
}

impl FsLock {
    /// Takes the lock, and writes the note into it.
    pub(super) fn acquire(path: &Utf8Path, timeout: Duration, note: &str) -> io::Result<Self> {
        let began = Instant::now();
        let mut lock = Self::open(path)?;
        loop {
            match lock.0.file().file().try_lock() {
                Ok(()) if lock.is_at(path)? => break,
                // Another process may have locked a new file of that name.
                Ok(()) => lock = Self::open(path)?,
                Err(TryLockError::WouldBlock) if began.elapsed() < timeout => std::thread::sleep(LOCK_POLL_INTERVAL),
                Err(TryLockError::WouldBlock) => {
                    let mut holder = vec![0; HOLDER_SHOWN_LEN];
                    let count = lock.0.read_at(0, &mut holder).unwrap_or_default();
                    let holder = String::from_utf8_lossy(holder.get(..count).unwrap_or_default()).into_owned();
                    return Err(io::Error::new(io::ErrorKind::WouldBlock, display_safe(holder.trim()).to_string()));
                }
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
        lock.write_note(note);
        Ok(lock)
    }

    /// Opens the lock file, or creates it. Never opens the target of a link.
    fn open(path: &Utf8Path) -> io::Result<Self> {
        let open = |create| {
            let mut options = OpenOptions::new();
            options.read(true).write(true).create_new(create);
            // Reading is enough to take the lock, so other users must not read the file.
            FsFile::new(with_mode(&mut options, 0o600).open(path)?).map(Self)
        };
        loop {
            match open(true) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                created => return created,
            }
            if let Some(opened) = if_found(open(false))? {
                return Ok(opened);
            }
            if fs_err::symlink_metadata(path).is_ok_and(|named| named.is_symlink()) {
                return Err(io::Error::other(NOT_A_LOCK_FILE));
            }
            // Another process has removed the file.
        }
    }

    /// Writes the note, which waiting processes show. Ignores a failure. Does not rewrite an equal note: a file system
    /// that keeps the order of writes would write it out with every sync of the log.
    fn write_note(&mut self, note: &str) {
        let note = note.as_bytes().get(..MAX_LOCK_FILE_LEN).unwrap_or(note.as_bytes());
        let mut present = vec![0; note.len() + 1];
        let same = self.0.read_at(0, &mut present).is_ok_and(|count| present.get(..count) == Some(note));
        if !same {
            let mut file = self.0.file();
            let _ = file.rewind().and_then(|()| file.set_len(0)).and_then(|()| file.write_all(note));
        }
    }

    /// Returns true if the path names the locked file. Its content is overwritten, so it must be a lock file: not a
    /// link, not a second name of another file, and not longer than a note.
    fn is_at(&self, path: &Utf8Path) -> io::Result<bool> {
        let Some(named) = if_found(fs_err::symlink_metadata(path))? else {
            return Ok(false);
        };
        if !named.is_file() || !has_one_name(&named) || named.len() > MAX_LOCK_FILE_LEN as u64 {
            return Err(io::Error::other(NOT_A_LOCK_FILE));
        }
        self.0.is_at(path)
    }
}

#[cfg(unix)]
fn has_one_name(file: &std::fs::Metadata) -> bool {
    std::os::unix::fs::MetadataExt::nlink(file) == 1
}

#[cfg(not(unix))]
fn has_one_name(_: &std::fs::Metadata) -> bool {
    true
}
