//! The identity of a file, whatever names it has.

use std::io;

use camino::Utf8Path;
use fs_err::File;

/// Device and inode. They come from metadata: opening a path could block on a named pipe.
#[cfg(unix)]
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FileId(u64, u64);

#[cfg(unix)]
impl FileId {
    fn new(metadata: &std::fs::Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self(metadata.dev(), metadata.ino())
    }

    pub(super) fn of_file(file: &File) -> io::Result<Self> {
        Ok(Self::new(&file.metadata()?))
    }

    pub(super) fn of_path(path: &Utf8Path) -> io::Result<Self> {
        Ok(Self::new(&fs_err::metadata(path)?))
    }
}

/// What the operating system gives of an open file.
#[cfg(not(unix))]
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FileId(same_file::Handle);

#[cfg(not(unix))]
impl FileId {
    pub(super) fn of_file(file: &File) -> io::Result<Self> {
        same_file::Handle::from_file(file.file().try_clone()?).map(Self)
    }

    pub(super) fn of_path(path: &Utf8Path) -> io::Result<Self> {
        same_file::Handle::from_path(path).map(Self)
    }
}
