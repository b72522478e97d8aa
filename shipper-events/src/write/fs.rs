//! The real file system.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, Write};
use std::time::{Duration, SystemTime};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err::{File, OpenOptions};

use super::file_id::FileId;
use super::fs_lock::{FsLock, read_at};
use super::paths::{file_name, parent_dir};
use super::storage::{Storage, StorageFile};

/// The file system of the operating system, its clock and its randomness.
#[derive(Debug, Clone, Copy, Default)]
pub struct FsStorage;

/// A file that [`FsStorage`] has opened.
#[derive(Debug)]
pub struct FsFile {
    file: File,
    id: FileId,
}

impl FsFile {
    fn new(file: File) -> io::Result<Self> {
        Ok(Self { id: FileId::of_file(&file)?, file })
    }
}

impl Storage for FsStorage {
    type File = FsFile;
    type Lock = FsLock;

    fn resolve(&self, path: &Utf8Path) -> io::Result<Utf8PathBuf> {
        match path.canonicalize_utf8() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Ok(parent_dir(path).canonicalize_utf8()?.join(file_name(path)))
            }
            resolved => resolved,
        }
    }

    fn open(&self, path: &Utf8Path) -> io::Result<FsFile> {
        let file = OpenOptions::new().read(true).append(true).open(path)?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::other("it is not a regular file"));
        }
        FsFile::new(file)
    }

    fn create(&self, path: &Utf8Path) -> io::Result<FsFile> {
        FsFile::new(OpenOptions::new().read(true).append(true).create_new(true).open(path)?)
    }

    fn len_if_same_file(&self, path: &Utf8Path, file: &FsFile) -> io::Result<Option<u64>> {
        match FileId::of_path(path) {
            Ok(id) if id == file.id => file.file.metadata().map(|file| Some(file.len())),
            Ok(_) => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn rename(&self, from: &Utf8Path, to: &Utf8Path) -> io::Result<()> {
        fs_err::rename(from, to)
    }

    fn link(&self, from: &Utf8Path, to: &Utf8Path) -> io::Result<()> {
        fs_err::hard_link(from, to)
    }

    fn remove(&self, path: &Utf8Path) -> io::Result<()> {
        fs_err::remove_file(path)
    }

    fn read_dir(&self, directory: &Utf8Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs_err::read_dir(directory)? {
            // No companion file has a name that is not UTF-8.
            names.extend(entry?.file_name().into_string());
        }
        names.sort();
        Ok(names)
    }

    fn sync_directory(&self, directory: &Utf8Path) -> io::Result<()> {
        if cfg!(unix) {
            File::open(directory)?.sync_all()
        } else {
            // Elsewhere a directory cannot be synced; `docs/log-format.md` gives the consequence.
            Ok(())
        }
    }

    fn lock(&self, path: &Utf8Path, timeout: Duration, note: &str) -> io::Result<FsLock> {
        let mut lock = FsLock::open(path)?;
        lock.acquire(path, timeout, note)?;
        Ok(lock)
    }

    fn unlock(&self, lock: &mut FsLock) -> io::Result<()> {
        lock.release()
    }

    fn lock_again(&self, path: &Utf8Path, lock: &mut FsLock, timeout: Duration, note: &str) -> io::Result<()> {
        lock.acquire(path, timeout, note)
    }

    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn random_name(&self) -> String {
        // Each `RandomState` has keys of its own, seeded by the operating system.
        let half = || RandomState::new().build_hasher().finish();
        format!("{:016x}{:016x}", half(), half())
    }
}

impl StorageFile for FsFile {
    fn length(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match read_at(&self.file, offset, buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => return read,
            }
        }
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        if cfg!(windows) {
            // There a file that was opened for appending cannot be cut.
            return OpenOptions::new().write(true).open(self.file.path())?.set_len(length);
        }
        self.file.set_len(length)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }
}
