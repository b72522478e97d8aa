//! The file operations that the writer needs.

use std::io::{self, Read};
use std::time::{Duration, SystemTime};

use camino::{Utf8Path, Utf8PathBuf};

use super::access::FileAccess;

/// A file system, a clock and a source of random names: everything outside the process that a writer touches.
///
/// Each method is one step, after which the machine can stop. It does not retry, and returns the file system's error.
pub trait Storage {
    /// A file that was opened.
    type File: StorageFile;
    /// A lock that is held until it is dropped.
    type Lock;

    /// Returns the path of a file, which may be missing, without links. The companion files are beside that path.
    fn resolve(&self, path: &Utf8Path) -> io::Result<Utf8PathBuf>;

    /// Opens a file that exists, for reading and appending. The error's kind is `NotFound` if there is none.
    fn open(&self, path: &Utf8Path) -> io::Result<Self::File>;

    /// Creates a file that must not exist, not even as a link, for reading and appending. The error's kind is
    /// `AlreadyExists` if something has that name.
    fn create(&self, path: &Utf8Path) -> io::Result<Self::File>;

    /// Returns the length of the file in bytes if the path still names it; `None` if it names another file or nothing.
    fn len_if_same_file(&self, path: &Utf8Path, file: &Self::File) -> io::Result<Option<u64>>;

    /// Gives a file another name, and replaces the file that has it.
    fn rename(&self, from: &Utf8Path, to: &Utf8Path) -> io::Result<()>;

    /// Gives a file a second name that must not exist.
    fn link(&self, from: &Utf8Path, to: &Utf8Path) -> io::Result<()>;

    /// Removes a name.
    fn remove(&self, path: &Utf8Path) -> io::Result<()>;

    /// Returns the names in a directory, sorted.
    fn read_dir(&self, directory: &Utf8Path) -> io::Result<Vec<String>>;

    /// Makes the names in a directory durable.
    fn sync_directory(&self, directory: &Utf8Path) -> io::Result<()>;

    /// Takes the lock of that name, and leaves a note that waiting processes show. If another holder keeps the lock
    /// longer than `timeout`, the error's kind is `WouldBlock`, and its text is the holder's note.
    fn lock(&self, path: &Utf8Path, timeout: Duration, note: &str) -> io::Result<Self::Lock>;

    /// Returns the owner and the permissions of a file or directory. `None`, the default, if the file system has none.
    fn access(&self, _path: &Utf8Path) -> io::Result<Option<FileAccess>> {
        Ok(None)
    }

    /// Returns the time, for the timestamps of events.
    fn now(&self) -> SystemTime;

    /// Returns a name that cannot be guessed.
    fn random_name(&self) -> String;
}

/// Replaces a file as a whole or not at all. Writes and syncs the new file under a name that cannot be guessed, then
/// renames it. Does not sync the directory: call [`Storage::sync_directory`] afterwards to make the name durable.
///
/// # Errors
///
/// The error of the step that fails; the file of that name is then unchanged.
pub fn replace_file<S: Storage>(storage: &S, path: &Utf8Path, bytes: &[u8]) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default();
    let temporary = path.with_file_name(format!(".{name}.{}", storage.random_name()));
    create_synced(storage, &temporary, bytes)?;
    storage.rename(&temporary, path).inspect_err(|_| {
        // If it cannot be removed, it has a name that no program looks for.
        let _ = storage.remove(&temporary);
    })
}

/// Writes a new file and syncs its content, but not its directory.
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
    /// Returns the length of the file in bytes.
    fn length(&self) -> io::Result<u64>;

    /// Reads at an offset in bytes, and returns the number of bytes read; 0 at the end.
    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;

    /// Reads from an offset to the end, but at most `most + 1` bytes, so that the caller detects more than `most`.
    fn read_from(&mut self, offset: u64, most: usize) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(most.min(8 * 1024));
        FileReader { file: self, offset }.take((most as u64).saturating_add(1)).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Writes once at the end, and returns the number of bytes written. A failed write may also have written bytes.
    fn append(&mut self, bytes: &[u8]) -> io::Result<usize>;

    /// Cuts the file off at a length in bytes.
    fn truncate(&mut self, length: u64) -> io::Result<()>;

    /// Makes the bytes of the file durable. If that fails, the durable content is unknown, also after a later sync.
    fn sync(&mut self) -> io::Result<()>;
}

/// Reads a file from an offset on.
pub(super) struct FileReader<'f, F: ?Sized> {
    pub(super) file: &'f mut F,
    pub(super) offset: u64,
}

impl<F: StorageFile + ?Sized> Read for FileReader<'_, F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(self.offset, buffer)?;
        self.offset += count as u64;
        Ok(count)
    }
}

/// Returns `None` in place of the error that a file does not exist.
pub(super) fn if_found<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        result => result.map(Some),
    }
}
