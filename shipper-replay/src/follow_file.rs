//! Reader of a file that grows, which detects that the file no longer begins with the bytes that were read.

use std::io::{self, Read, Seek, SeekFrom};
#[cfg(unix)]
use std::os::unix::fs::MetadataExt;
use std::time::SystemTime;

use camino::Utf8Path;
use fs_err::File;
use thiserror::Error;

/// Most bytes at the start, and before the position, that are compared at each read.
const WINDOW_LEN: usize = 16 * 1024;

/// The change of a file after which its next bytes do not continue those that were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum FileChange {
    #[error("the log was truncated")]
    Truncated,
    #[error("the log was replaced: it no longer begins with the bytes that were read")]
    Rewritten,
    #[error("the log was replaced by another file")]
    OtherFile,
    #[error("the log was removed")]
    Removed,
}

/// The result of a read.
pub(crate) enum Growth<'b> {
    /// The next bytes.
    Bytes(&'b [u8]),
    /// There are no more bytes yet.
    Paused,
    /// The file has changed.
    Changed(FileChange),
}

/// A file that another process appends to.
pub(crate) struct FollowedFile<'p> {
    file: File,
    path: &'p Utf8Path,
    /// Number of bytes that were read, and their hash.
    bytes: u64,
    hasher: blake3::Hasher,
    /// The first bytes and the last bytes that were read.
    start: Vec<u8>,
    end: Vec<u8>,
    /// Time of the last change at the last comparison; `None` before it.
    modified: Option<SystemTime>,
}

impl<'p> FollowedFile<'p> {
    pub(crate) fn new(file: File, path: &'p Utf8Path) -> Self {
        let hasher = blake3::Hasher::new();
        Self { file, path, bytes: 0, hasher, start: Vec::new(), end: Vec::new(), modified: None }
    }

    /// Returns the number of bytes that were read.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Returns the length of the file.
    pub(crate) fn file_len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    /// Returns the file. The position is shared.
    pub(crate) fn try_clone(&self) -> io::Result<File> {
        self.file.try_clone()
    }

    /// Reads the next bytes. They are returned only if, after the read, the file still begins and continues with what was
    /// read before: a file that is truncated and filled again may be as long as before.
    pub(crate) fn read<'b>(&mut self, buffer: &'b mut [u8]) -> io::Result<Growth<'b>> {
        self.file.seek(SeekFrom::Start(self.bytes))?;
        let count = match self.file.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => 0,
            count => count?,
        };
        let new = buffer.get(..count).unwrap_or_default();
        let metadata = self.file.metadata()?;
        if metadata.len() < self.bytes + count as u64 {
            return Ok(Growth::Changed(FileChange::Truncated));
        }
        let modified = metadata.modified().ok();
        if (count > 0 || modified != self.modified || modified.is_none()) && !self.has_windows()? {
            return Ok(Growth::Changed(FileChange::Rewritten));
        }
        self.modified = modified;
        if count == 0 {
            return Ok(match is_at_path(&self.file, self.path) {
                Ok(true) => Growth::Paused,
                Ok(false) => Growth::Changed(FileChange::OtherFile),
                Err(_) => Growth::Changed(FileChange::Removed),
            });
        }
        self.record(new);
        Ok(Growth::Bytes(new))
    }

    fn record(&mut self, new: &[u8]) {
        self.bytes += new.len() as u64;
        self.hasher.update(new);
        self.start.extend(new.iter().take(WINDOW_LEN - self.start.len()));
        self.end.extend(new.get(new.len().saturating_sub(WINDOW_LEN)..).unwrap_or_default());
        self.end.drain(..self.end.len().saturating_sub(WINDOW_LEN));
    }

    /// Returns whether the first and the last bytes that were read are still in the file.
    fn has_windows(&mut self) -> io::Result<bool> {
        let end = self.bytes - self.end.len() as u64;
        Ok(is_at(&mut self.file, 0, &self.start)? && is_at(&mut self.file, end, &self.end)?)
    }

    /// Reads the file again, and returns whether it still begins with all bytes that were read.
    pub(crate) fn is_intact(&mut self) -> io::Result<bool> {
        self.file.rewind()?;
        let mut hasher = blake3::Hasher::new();
        let count = io::copy(&mut self.file.by_ref().take(self.bytes), &mut hasher)?;
        Ok(count == self.bytes && hasher.finalize() == self.hasher.finalize())
    }
}

/// Returns whether a file contains these bytes at an offset.
fn is_at(file: &mut File, offset: u64, expected: &[u8]) -> io::Result<bool> {
    file.seek(SeekFrom::Start(offset))?;
    let mut found = Vec::with_capacity(expected.len());
    file.take(expected.len() as u64).read_to_end(&mut found)?;
    Ok(found == expected)
}

/// Returns whether the path still names the open file. It does not open the path: another process may have put a named pipe
/// there, and opening that would block.
#[cfg(unix)]
fn is_at_path(file: &File, path: &Utf8Path) -> io::Result<bool> {
    let (opened, now) = (file.metadata()?, path.metadata()?);
    Ok((opened.dev(), opened.ino()) == (now.dev(), now.ino()))
}

#[cfg(not(unix))]
fn is_at_path(file: &File, path: &Utf8Path) -> io::Result<bool> {
    Ok(same_file::Handle::from_file(file.file().try_clone()?)? == same_file::Handle::from_path(path)?)
}
