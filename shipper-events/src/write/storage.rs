//! The file system as a writer needs it.

use std::io;
use std::time::{Duration, SystemTime};

use camino::{Utf8Path, Utf8PathBuf};

/// A file system, a clock and a source of random names: everything outside the process that a writer touches.
///
/// Each method is one step that can fail or after which the machine can stop; nothing here retries. It returns the error of
/// the file system.
pub trait Storage {
    /// A file that was opened.
    type File: StorageFile;
    /// A lock that is held until it is dropped.
    type Lock;

    /// Returns the one path of a file that may have several, by links: its lock and companion files are beside that.
    /// A missing file is no error.
    fn resolve(&self, path: &Utf8Path) -> io::Result<Utf8PathBuf>;

    /// Opens a file that exists, for reading and appending. The error's kind is `NotFound` if there is none.
    fn open(&self, path: &Utf8Path) -> io::Result<Self::File>;

    /// Creates a file that must not exist, not even as a link, for reading and appending. The error's kind is
    /// `AlreadyExists` if something has that name.
    fn create(&self, path: &Utf8Path) -> io::Result<Self::File>;

    /// Returns the length of the file in bytes if the path still names it; `None` if it names another file or nothing.
    fn len_if_same_file(&self, path: &Utf8Path, file: &Self::File) -> io::Result<Option<u64>>;

    /// Gives a file another name, in place of whatever has it.
    fn rename(&self, from: &Utf8Path, to: &Utf8Path) -> io::Result<()>;

    /// Gives a file a second name that must not exist.
    fn link(&self, from: &Utf8Path, to: &Utf8Path) -> io::Result<()>;

    /// Takes a name away.
    fn remove(&self, path: &Utf8Path) -> io::Result<()>;

    /// Returns the names in a directory, sorted.
    fn read_dir(&self, directory: &Utf8Path) -> io::Result<Vec<String>>;

    /// Makes the names in a directory durable.
    fn sync_directory(&self, directory: &Utf8Path) -> io::Result<()>;

    /// Takes the lock of that name, waits up to `timeout` for another holder, and leaves a note for those who wait.
    /// The error's kind is `WouldBlock`, with the holder's note, if it is held for longer.
    fn lock(&self, path: &Utf8Path, timeout: Duration, note: &str) -> io::Result<Self::Lock>;

    /// Lets others take the lock. [`lock_again`](Self::lock_again) takes it back, faster than [`lock`](Self::lock).
    /// If that fails, drop the lock.
    fn unlock(&self, lock: &mut Self::Lock) -> io::Result<()>;

    /// Takes a lock back after [`unlock`](Self::unlock), as [`lock`](Self::lock) does.
    fn lock_again(&self, path: &Utf8Path, lock: &mut Self::Lock, timeout: Duration, note: &str) -> io::Result<()>;

    /// Returns the time.
    fn now(&self) -> SystemTime;

    /// Returns a name that cannot be guessed.
    fn random_name(&self) -> String;
}

/// Puts a file in place of whatever has its name, whole or not at all: it is written and synced under a name that
/// cannot be guessed, then renamed. Its name is durable once the directory is synced.
///
/// # Errors
///
/// When a step fails; what has the name is then as it was.
pub fn replace_file<S: Storage>(storage: &S, path: &Utf8Path, bytes: &[u8]) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default();
    let temporary = path.with_file_name(format!(".{name}.{}", storage.random_name()));
    create_synced(storage, &temporary, bytes)?;
    storage.rename(&temporary, path).inspect_err(|_| {
        // What is left has a name that no program looks for.
        let _ = storage.remove(&temporary);
    })
}

/// Writes a file that did not exist, durably but for its name.
pub(super) fn create_synced<S: Storage>(storage: &S, path: &Utf8Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = storage.create(path)?;
    let written = file.append(bytes).and_then(|count| {
        if count == bytes.len() { file.sync() } else { Err(io::Error::from(io::ErrorKind::StorageFull)) }
    });
    written.inspect_err(|_| {
        let _ = storage.remove(path);
    })
}

/// A file that was opened for reading and appending. Each method returns the error of the file system.
pub trait StorageFile {
    /// Returns its length in bytes.
    fn length(&self) -> io::Result<u64>;

    /// Reads at an offset; 0 bytes at the end.
    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;

    /// Reads from an offset to the end, but little more than `most` bytes.
    fn read_from(&mut self, offset: u64, most: usize) -> io::Result<Vec<u8>> {
        let (mut bytes, mut buffer) = (Vec::new(), vec![0; 64 * 1024]);
        while bytes.len() <= most {
            let count = self.read_at(offset + bytes.len() as u64, &mut buffer)?;
            if count == 0 {
                break;
            }
            bytes.extend_from_slice(buffer.get(..count).unwrap_or_default());
        }
        Ok(bytes)
    }

    /// Writes once at the end, and returns how many bytes were taken. If it fails, some may have been taken, too.
    fn append(&mut self, bytes: &[u8]) -> io::Result<usize>;

    /// Cuts it off at a length.
    fn truncate(&mut self, length: u64) -> io::Result<()>;

    /// Makes its bytes durable. If that fails, the durable content is unknown, also after a later sync.
    fn sync(&mut self) -> io::Result<()>;
}
