//! The real file system.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::time::{Duration, SystemTime};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err::{File, OpenOptions};

#[cfg(unix)]
use super::access::FileAccess;
use super::fs_file::{FsFile, with_mode};
use super::fs_lock::FsLock;
use super::paths::{file_name, parent_dir};
use super::storage::{Storage, StorageFile};
use crate::display_safe::display_safe;

/// The part of a link's target that an error shows.
const MAX_TARGET_CHARS: usize = 1000;

/// The file system of the operating system, its clock and its randomness.
///
/// On Unix, it creates files with mode 0644 and lock files with mode 0600, less the umask. A user who cannot open a lock
/// file for reading cannot lock it.
#[derive(Debug, Clone, Copy, Default)]
pub struct FsStorage;

impl Storage for FsStorage {
    type File = FsFile;
    type Lock = FsLock;

    fn resolve(&self, path: &Utf8Path) -> io::Result<Utf8PathBuf> {
        match path.canonicalize_utf8() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if let Ok(target) = fs_err::read_link(path) {
                    let target = target.to_string_lossy();
                    let target = display_safe(&target).max_chars(MAX_TARGET_CHARS);
                    let message = format!("it is a symbolic link to {target}, which does not exist");
                    return Err(io::Error::new(io::ErrorKind::NotFound, message));
                }
                Ok(parent_dir(path).canonicalize_utf8()?.join(file_name(path)))
            }
            resolved => resolved,
        }
    }

    fn open(&self, path: &Utf8Path) -> io::Result<FsFile> {
        let file = OpenOptions::new().read(true).append(true).open(path)?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::other("not a regular file"));
        }
        FsFile::new(file)
    }

    fn create(&self, path: &Utf8Path) -> io::Result<FsFile> {
        let mut options = OpenOptions::new();
        options.read(true).append(true).create_new(true);
        FsFile::new(with_mode(&mut options, 0o644).open(path)?)
    }

    fn len_if_same_file(&self, path: &Utf8Path, file: &FsFile) -> io::Result<Option<u64>> {
        if file.is_at(path)? { file.length().map(Some) } else { Ok(None) }
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
        FsLock::acquire(path, timeout, note)
    }

    #[cfg(unix)]
    fn access(&self, path: &Utf8Path) -> io::Result<Option<FileAccess>> {
        use std::os::unix::fs::MetadataExt;

        use rustix::process::{getegid, geteuid};

        let metadata = fs_err::metadata(path)?;
        Ok(Some(FileAccess {
            mode: metadata.mode() & 0o7777,
            owner: metadata.uid(),
            group: metadata.gid(),
            process_user: geteuid().as_raw(),
            process_group: getegid().as_raw(),
        }))
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
