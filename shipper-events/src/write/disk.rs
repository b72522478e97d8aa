//! What a writer needs of a file system.

use std::io;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use time::OffsetDateTime;

/// A file system, a clock and a source of random names: everything outside the process that a writer touches.
///
/// Each method is one step that can fail or after which the machine can stop; nothing here retries.
pub trait Storage {
    /// A file that was opened.
    type File: StorageFile;
    /// A lock that is held until it is dropped.
    type Lock;

    /// The one path of a file that may have several, by links: locks and files beside it go by that.
    ///
    /// # Errors
    ///
    /// As the file system says; a file that does not exist is no error.
    fn resolve(&self, path: &Utf8Path) -> io::Result<Utf8PathBuf>;

    /// Opens a file that exists, for reading and appending.
    ///
    /// # Errors
    ///
    /// Kind `NotFound` where there is none.
    fn open(&self, path: &Utf8Path) -> io::Result<Self::File>;

    /// Creates a file that must not exist, not even as a link, for reading and appending.
    ///
    /// # Errors
    ///
    /// Kind `AlreadyExists` where something has that name.
    fn create(&self, path: &Utf8Path) -> io::Result<Self::File>;

    /// How long this very file is, in bytes, if the path still names it; `None` if it names another, or nothing.
    ///
    /// # Errors
    ///
    /// When the path cannot be looked up.
    fn named_length(&self, path: &Utf8Path, file: &Self::File) -> io::Result<Option<u64>>;

    /// Gives a file another name, in place of whatever has it.
    ///
    /// # Errors
    ///
    /// As the file system says.
    fn rename(&self, from: &Utf8Path, to: &Utf8Path) -> io::Result<()>;

    /// Gives a file a second name that must not exist.
    ///
    /// # Errors
    ///
    /// As the file system says.
    fn link(&self, from: &Utf8Path, to: &Utf8Path) -> io::Result<()>;

    /// Takes a name away.
    ///
    /// # Errors
    ///
    /// As the file system says.
    fn remove(&self, path: &Utf8Path) -> io::Result<()>;

    /// The names in a directory, sorted.
    ///
    /// # Errors
    ///
    /// As the file system says.
    fn list(&self, directory: &Utf8Path) -> io::Result<Vec<String>>;

    /// Makes the names in a directory durable.
    ///
    /// # Errors
    ///
    /// As the file system says.
    fn sync_directory(&self, directory: &Utf8Path) -> io::Result<()>;

    /// Takes the lock of that name, waiting at most so long for another holder, and leaves a note for those who wait.
    ///
    /// # Errors
    ///
    /// Kind `WouldBlock`, with the holder's note, where it is held for longer.
    fn lock(&self, path: &Utf8Path, wait: Duration, note: &str) -> io::Result<Self::Lock>;

    /// Lets others have the lock; [`relock`](Self::relock) takes it again, and sooner than [`lock`](Self::lock) does.
    ///
    /// # Errors
    ///
    /// As the file system says: drop the lock then.
    fn unlock(&self, lock: &mut Self::Lock) -> io::Result<()>;

    /// Takes a lock again that others were let have, as [`lock`](Self::lock) does.
    ///
    /// # Errors
    ///
    /// The same.
    fn relock(&self, path: &Utf8Path, lock: &mut Self::Lock, wait: Duration, note: &str) -> io::Result<()>;

    /// The time.
    fn now(&self) -> OffsetDateTime;

    /// A name that nobody can guess.
    fn random_name(&self) -> String;
}

/// Puts a file in place of whatever has its name, whole or not at all: it is written and synced under a name that nobody
/// can guess, then renamed. Its name is durable once the directory is synced.
///
/// # Errors
///
/// When a step fails; what has the name is then as it was.
pub fn replace_file<D: Storage>(disk: &D, path: &Utf8Path, bytes: &[u8]) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default();
    let temporary = path.with_file_name(format!(".{name}.{}", disk.random_name()));
    write_new(disk, &temporary, bytes)?;
    disk.rename(&temporary, path).inspect_err(|_| {
        // What is left of it has a name that nobody looks for.
        let _ = disk.remove(&temporary);
    })
}

/// Writes a file that did not exist, durably but for its name.
pub(super) fn write_new<D: Storage>(disk: &D, path: &Utf8Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = disk.create(path)?;
    let written = file.append(bytes).and_then(|count| {
        if count == bytes.len() { file.sync() } else { Err(io::Error::from(io::ErrorKind::StorageFull)) }
    });
    written.inspect_err(|_| {
        let _ = disk.remove(path);
    })
}

/// A file that was opened for reading and appending.
pub trait StorageFile {
    /// How long it is, in bytes.
    ///
    /// # Errors
    ///
    /// As the file system says.
    fn length(&self) -> io::Result<u64>;

    /// Reads at an offset; 0 bytes at the end.
    ///
    /// # Errors
    ///
    /// As the file system says.
    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;

    /// Reads from an offset to the end, but little more than `most` bytes.
    ///
    /// # Errors
    ///
    /// As the file system says.
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

    /// One write at the end; how many bytes were taken.
    ///
    /// # Errors
    ///
    /// As the file system says; some bytes may have been taken all the same.
    fn append(&mut self, bytes: &[u8]) -> io::Result<usize>;

    /// Cuts it to a length.
    ///
    /// # Errors
    ///
    /// As the file system says.
    fn truncate(&mut self, length: u64) -> io::Result<()>;

    /// Makes its bytes durable.
    ///
    /// # Errors
    ///
    /// As the file system says. What is durable is then unknown, and trying again would not tell.
    fn sync(&mut self) -> io::Result<()>;
}
