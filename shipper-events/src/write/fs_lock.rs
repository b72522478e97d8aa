//! Lock files of the real file system.

use std::io::{self, Seek, Write};
use std::time::{Duration, Instant};

use camino::Utf8Path;
use fs_err::{File, OpenOptions};

use super::file_id::FileId;
use crate::display_safe::display_safe;

/// How long to sleep between two attempts.
const LOCK_POLL_INTERVAL: Duration = Duration::from_millis(2);

/// How much of a holder's note is shown, in bytes.
const HOLDER_SHOWN_LEN: usize = 200;

/// The longest lock file, in bytes: a longer file is something else.
const MAX_LOCK_FILE_LEN: usize = 4096;

const NOT_A_LOCK_FILE: &str = "something else than a lock file has its name; find out what, and remove it";

/// A lock file that [`FsStorage`](super::FsStorage) has opened.
#[derive(Debug)]
pub struct FsLock {
    file: File,
    id: FileId,
}

/// Releases the lock. Closing the file is not enough: a child process between fork and exec has it open, too.
impl Drop for FsLock {
    fn drop(&mut self) {
        let _ = self.release();
    }
}

/// What has the name of a lock file.
enum LockFileState {
    /// The file that was opened.
    Ours,
    /// Nothing, or another file.
    Replaced,
    NotALockFile,
}

impl FsLock {
    /// Opens what has the name of a lock file, or creates one; never the target of a link.
    pub(super) fn open(path: &Utf8Path) -> io::Result<Self> {
        let open = |create| -> io::Result<Self> {
            let file = OpenOptions::new().read(true).write(true).create_new(create).open(path)?;
            Ok(Self { id: FileId::of_file(&file)?, file })
        };
        loop {
            match open(true) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                created => return created,
            }
            match open(false) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    if fs_err::symlink_metadata(path).is_ok_and(|named| named.is_symlink()) {
                        return Err(io::Error::other(NOT_A_LOCK_FILE));
                    }
                    // Another process has removed it meanwhile.
                }
                opened => return opened,
            }
        }
    }

    /// Takes the lock, and leaves a note.
    pub(super) fn acquire(&mut self, path: &Utf8Path, timeout: Duration, note: &str) -> io::Result<()> {
        let began = Instant::now();
        loop {
            match self.file.file().try_lock() {
                Ok(()) => match self.check(path)? {
                    LockFileState::Ours => break,
                    // Another process may have locked a new file of that name.
                    LockFileState::Replaced => *self = Self::open(path)?,
                    LockFileState::NotALockFile => return Err(io::Error::other(NOT_A_LOCK_FILE)),
                },
                Err(std::fs::TryLockError::WouldBlock) if began.elapsed() < timeout => {
                    std::thread::sleep(LOCK_POLL_INTERVAL);
                }
                Err(std::fs::TryLockError::WouldBlock) => {
                    let mut holder = vec![0; HOLDER_SHOWN_LEN];
                    let count = read_at(&self.file, 0, &mut holder).unwrap_or_default();
                    let holder = String::from_utf8_lossy(holder.get(..count).unwrap_or_default()).into_owned();
                    return Err(io::Error::new(io::ErrorKind::WouldBlock, display_safe(holder.trim()).to_string()));
                }
                Err(std::fs::TryLockError::Error(error)) => return Err(error),
            }
        }
        self.write_note(note);
        Ok(())
    }

    pub(super) fn release(&self) -> io::Result<()> {
        self.file.file().unlock()
    }

    /// Leaves a note for those who wait. A note that cannot be written is no reason to fail. An equal one is left alone: a
    /// file system that keeps its order would write it out with every sync of the log.
    fn write_note(&self, note: &str) {
        let note = note.as_bytes().get(..MAX_LOCK_FILE_LEN).unwrap_or(note.as_bytes());
        let mut present = vec![0; note.len() + 1];
        let same = read_at(&self.file, 0, &mut present).is_ok_and(|count| present.get(..count) == Some(note));
        if !same {
            let mut file = &self.file;
            let _ = file.rewind().and_then(|()| file.set_len(0)).and_then(|()| file.write_all(note));
        }
    }

    /// Checks what has the lock file's name. Its content is overwritten, so it must be nothing but a lock file: no link, no
    /// second name of another file, nothing longer than a note.
    fn check(&self, path: &Utf8Path) -> io::Result<LockFileState> {
        let named = match fs_err::symlink_metadata(path) {
            Ok(named) => named,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(LockFileState::Replaced),
            Err(error) => return Err(error),
        };
        if !named.is_file() || !has_one_name(&named) || named.len() > MAX_LOCK_FILE_LEN as u64 {
            return Ok(LockFileState::NotALockFile);
        }
        match FileId::of_path(path) {
            Ok(id) if id == self.id => Ok(LockFileState::Ours),
            Ok(_) => Ok(LockFileState::Replaced),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(LockFileState::Replaced),
            Err(error) => Err(error),
        }
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

#[cfg(unix)]
pub(super) fn read_at(file: &File, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file.file(), buffer, offset)
}

#[cfg(not(unix))]
pub(super) fn read_at(mut file: &File, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
    use std::io::Read;
    file.seek(io::SeekFrom::Start(offset))?;
    file.read(buffer)
}
