//! The real file system.

use std::hash::{BuildHasher, Hasher, RandomState};
#[cfg(not(unix))]
use std::io::Read;
use std::io::{self, Seek, Write};
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err::{File, OpenOptions};
use time::OffsetDateTime;

use super::disk::{Storage, StorageFile};
use crate::display_safe::display_safe;

/// How long to sleep between two looks at a lock.
const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// How much of a holder's note is shown, in bytes.
const NOTE: usize = 200;

/// A lock file that is longer is none, in bytes.
const MOST_NOTE: u64 = 4096;

/// The file system of the operating system, its clock and its randomness.
#[derive(Debug, Clone, Copy, Default)]
pub struct FsStorage;

/// A file that [`FsStorage`] has opened.
#[derive(Debug)]
pub struct FsFile {
    file: File,
    identity: Identity,
}

impl FsFile {
    fn new(file: File) -> io::Result<Self> {
        let identity = Identity::of(&file.metadata()?);
        Ok(Self { file, identity })
    }
}

/// What tells a file from all others, whatever names they have.
#[cfg(unix)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity(u64, u64);

#[cfg(unix)]
impl Identity {
    fn of(file: &std::fs::Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self(file.dev(), file.ino())
    }
}

/// Without an identity of files, their times of creation stand in for it.
#[cfg(not(unix))]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity(Option<std::time::SystemTime>);

#[cfg(not(unix))]
impl Identity {
    fn of(file: &std::fs::Metadata) -> Self {
        Self(file.created().ok())
    }
}

impl Storage for FsStorage {
    type File = FsFile;
    type Lock = FsFile;

    fn resolve(&self, path: &Utf8Path) -> io::Result<Utf8PathBuf> {
        match path.canonicalize_utf8() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let directory = super::writer::directory(path).canonicalize_utf8()?;
                Ok(directory.join(super::writer::name(path)))
            }
            resolved => resolved,
        }
    }

    fn open(&self, path: &Utf8Path) -> io::Result<FsFile> {
        let file = OpenOptions::new().read(true).append(true).open(path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::other("it is not a regular file"));
        }
        Ok(FsFile { file, identity: Identity::of(&metadata) })
    }

    fn create(&self, path: &Utf8Path) -> io::Result<FsFile> {
        FsFile::new(OpenOptions::new().read(true).append(true).create_new(true).open(path)?)
    }

    fn named_length(&self, path: &Utf8Path, file: &FsFile) -> io::Result<Option<u64>> {
        match fs_err::metadata(path) {
            Ok(named) => Ok((Identity::of(&named) == file.identity).then_some(named.len())),
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

    fn list(&self, directory: &Utf8Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs_err::read_dir(directory)? {
            // A name that is not UTF-8 is none of ours.
            names.extend(entry?.file_name().into_string());
        }
        names.sort();
        Ok(names)
    }

    fn sync_directory(&self, directory: &Utf8Path) -> io::Result<()> {
        if cfg!(unix) {
            File::open(directory)?.sync_all()
        } else {
            // Elsewhere a directory cannot be synced; `docs/log-format.md` says what that means.
            Ok(())
        }
    }

    fn lock(&self, path: &Utf8Path, wait: Duration, note: &str) -> io::Result<FsFile> {
        let mut lock = open_lock(path)?;
        self.relock(path, &mut lock, wait, note)?;
        Ok(lock)
    }

    fn unlock(&self, lock: &mut FsFile) -> io::Result<()> {
        lock.file.file().unlock()
    }

    fn relock(&self, path: &Utf8Path, lock: &mut FsFile, wait: Duration, note: &str) -> io::Result<()> {
        let began = Instant::now();
        loop {
            match lock.file.file().try_lock() {
                Ok(()) => match look_at_lock(path, lock)? {
                    Found::Lock => break,
                    // Somebody has removed the file meanwhile, and another process may have locked a new one.
                    Found::Nothing => *lock = open_lock(path)?,
                    Found::SomethingElse => {
                        return Err(io::Error::other(NO_LOCK));
                    }
                },
                Err(std::fs::TryLockError::WouldBlock) if began.elapsed() < wait => std::thread::sleep(LOOK_AGAIN),
                Err(std::fs::TryLockError::WouldBlock) => {
                    let mut holder = vec![0; NOTE];
                    let count = read_at(&lock.file, 0, &mut holder).unwrap_or_default();
                    let holder = String::from_utf8_lossy(holder.get(..count).unwrap_or_default()).into_owned();
                    return Err(io::Error::new(io::ErrorKind::WouldBlock, display_safe(holder.trim()).to_string()));
                }
                Err(std::fs::TryLockError::Error(error)) => return Err(error),
            }
        }
        // The note is for people who wait: that it cannot be written is no reason not to work. It is left alone where it
        // says the same already: a file system that keeps its order would write it out with every sync of the log.
        let most = usize::try_from(MOST_NOTE).unwrap_or(usize::MAX);
        let note = note.as_bytes().get(..most).unwrap_or(note.as_bytes());
        let mut left = vec![0; note.len() + 1];
        let same = read_at(&lock.file, 0, &mut left).is_ok_and(|count| left.get(..count) == Some(note));
        if !same {
            let mut file = &lock.file;
            let _ = file.rewind().and_then(|()| file.set_len(0)).and_then(|()| file.write_all(note));
        }
        Ok(())
    }

    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc()
    }

    fn random_name(&self) -> String {
        // Each `RandomState` has keys of its own, seeded by the operating system.
        let half = || RandomState::new().build_hasher().finish();
        format!("{:016x}{:016x}", half(), half())
    }
}

/// Opens what has the name of a lock file, or creates one: never what a link leads to.
fn open_lock(path: &Utf8Path) -> io::Result<FsFile> {
    let open = |create| OpenOptions::new().read(true).write(true).create_new(create).open(path);
    loop {
        match open(true) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            created => return FsFile::new(created?),
        }
        match open(false) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if fs_err::symlink_metadata(path).is_ok_and(|named| named.is_symlink()) {
                    return Err(io::Error::other(NO_LOCK));
                }
                // Somebody has removed it meanwhile.
            }
            opened => return FsFile::new(opened?),
        }
    }
}

const NO_LOCK: &str = "something else than a lock file has its name; find out what, and remove it";

/// What has the name of a lock file.
enum Found {
    /// The lock file that was opened.
    Lock,
    /// Nothing any more, or another file than the one that was opened.
    Nothing,
    /// No lock file.
    SomethingElse,
}

/// Looks at a lock file that was opened. Its text is overwritten, so that nothing but a lock file may be behind the name:
/// no link, no second name of another file, nothing longer than a note.
fn look_at_lock(path: &Utf8Path, lock: &FsFile) -> io::Result<Found> {
    let named = match fs_err::symlink_metadata(path) {
        Ok(named) => named,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(error) => return Err(error),
    };
    if !named.is_file() || !has_one_name(&named) || named.len() > MOST_NOTE {
        return Ok(Found::SomethingElse);
    }
    Ok(if Identity::of(&named) == lock.identity { Found::Lock } else { Found::Nothing })
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
fn read_at(file: &File, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file.file(), buffer, offset)
}

#[cfg(not(unix))]
fn read_at(mut file: &File, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
    file.seek(std::io::SeekFrom::Start(offset))?;
    file.read(buffer)
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
