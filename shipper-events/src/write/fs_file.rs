//! Files of the real file system, and their identity, which does not depend on their names.

use std::io::{self, Write};

use camino::Utf8Path;
use fs_err::{File, OpenOptions};

use super::storage::{StorageFile, if_found};

/// A file that [`FsStorage`](super::FsStorage) has opened.
#[derive(Debug)]
pub struct FsFile {
    file: File,
    id: identity::FileId,
}

impl FsFile {
    pub(super) fn new(file: File) -> io::Result<Self> {
        Ok(Self { id: identity::of_file(&file)?, file })
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Returns true if the path names this file.
    pub(super) fn is_at(&self, path: &Utf8Path) -> io::Result<bool> {
        Ok(if_found(identity::of_path(path))?.is_some_and(|id| id == self.id))
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
            // Windows cannot truncate a file that was opened for appending.
            return OpenOptions::new().write(true).open(self.file.path())?.set_len(length);
        }
        self.file.set_len(length)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }
}

/// Sets the permissions of a file that the options create; the umask can only remove some. Only Unix has them.
pub(super) fn with_mode(options: &mut OpenOptions, mode: u32) -> &mut OpenOptions {
    #[cfg(unix)]
    fs_err::os::unix::fs::OpenOptionsExt::mode(options, mode);
    #[cfg(not(unix))]
    let _ = mode;
    options
}

#[cfg(unix)]
fn read_at(file: &File, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file.file(), buffer, offset)
}

#[cfg(not(unix))]
fn read_at(mut file: &File, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
    use std::io::{Read, Seek};
    file.seek(io::SeekFrom::Start(offset))?;
    file.read(buffer)
}

/// Device and inode. They come from metadata: opening a path could block on a named pipe.
#[cfg(unix)]
mod identity {
    use std::os::unix::fs::MetadataExt;

    pub(super) type FileId = (u64, u64);

    fn of(metadata: &std::fs::Metadata) -> FileId {
        (metadata.dev(), metadata.ino())
    }

    pub(super) fn of_file(file: &fs_err::File) -> std::io::Result<FileId> {
        file.metadata().map(|metadata| of(&metadata))
    }

    pub(super) fn of_path(path: &camino::Utf8Path) -> std::io::Result<FileId> {
        fs_err::metadata(path).map(|metadata| of(&metadata))
    }
}

/// The identity that the operating system gives an open file.
#[cfg(not(unix))]
mod identity {
    pub(super) type FileId = same_file::Handle;

    pub(super) fn of_file(file: &fs_err::File) -> std::io::Result<FileId> {
        FileId::from_file(file.file().try_clone()?)
    }

    pub(super) fn of_path(path: &camino::Utf8Path) -> std::io::Result<FileId> {
        FileId::from_path(path)
    }
}
