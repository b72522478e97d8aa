//! Bytes of a log, from a file or a stream, that can be read twice.

use std::io::{self, Read, Seek, Write};

use camino::Utf8Path;
use fs_err::File;
use shipper_core::audit::{Compression, LogAudit};

use crate::compression::{ContentReader, detect, read_start};
use crate::streams::{WaitingReader, stdin};

/// The content of a log, decompressed if the file is compressed.
pub(crate) struct LogSource {
    /// The compression of the file; `None` for one that is not compressed.
    pub(crate) compression: Option<Compression>,
    content: ContentReader<StoredBytes>,
}

/// The bytes of a log as they are stored.
enum StoredBytes {
    /// A regular file, or the copy of a stream.
    File { file: File, is_copy: bool },
    /// Standard input or a pipe, which can be read once.
    Stream {
        stream: Box<dyn Read>,
        /// The first bytes of the stream, as far as they were not read from here yet.
        start: io::Cursor<Vec<u8>>,
        /// The unnamed temporary file that receives a copy of the bytes. An error if there is no such file.
        copy: io::Result<File>,
    },
}

/// A file, or a stream that can be read once.
enum Opened {
    File(File),
    Stream(Box<dyn Read>),
}

fn open_stored(path: &Utf8Path) -> io::Result<Opened> {
    if path == "-" {
        return Ok(Opened::Stream(Box::new(stdin()?)));
    }
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Err(io::Error::other("is a directory"));
    }
    Ok(if metadata.is_file() { Opened::File(file) } else { Opened::Stream(Box::new(WaitingReader(file))) })
}

impl LogSource {
    /// Opens a file, a named pipe, or standard input for `-`. If `with_copy` is true, the bytes of a stream are
    /// available for [`LogSource::rewind`] and [`LogSource::into_copy`].
    pub(crate) fn open(path: &Utf8Path, with_copy: bool) -> io::Result<Self> {
        let mut stream = match open_stored(path)? {
            Opened::File(file) => return Self::from_file(file, false),
            Opened::Stream(stream) => stream,
        };
        let start = read_start(&mut stream)?;
        let compression = detect(&start).map_err(io::Error::other)?;
        let copy = if with_copy { tempfile::tempfile() } else { Err(io::Error::other("no copy was requested")) };
        let copy = copy.map(|file| File::from_parts(file, "a temporary file"));
        let stored = StoredBytes::Stream { stream, start: io::Cursor::new(start), copy };
        Ok(Self { compression, content: ContentReader::new(stored, compression) })
    }

    /// Opens a copy of the file or stream at a path, which has the same bytes whenever it is read.
    pub(crate) fn snapshot(path: &Utf8Path) -> io::Result<Self> {
        let mut copy = File::from_parts(tempfile::tempfile()?, "a temporary file");
        match open_stored(path)? {
            Opened::File(mut file) => io::copy(&mut file, &mut copy)?,
            Opened::Stream(mut stream) => io::copy(&mut stream, &mut copy)?,
        };
        Self::from_copy(copy)
    }

    /// Reads a temporary copy of a log from its start.
    pub(crate) fn from_copy(copy: File) -> io::Result<Self> {
        Self::from_file(copy, true)
    }

    fn from_file(file: File, is_copy: bool) -> io::Result<Self> {
        let compression = rewind(&file)?;
        Ok(Self { compression, content: ContentReader::new(StoredBytes::File { file, is_copy }, compression) })
    }

    /// Returns to the first byte.
    pub(crate) fn rewind(self) -> io::Result<Self> {
        match self.content.into_inner() {
            StoredBytes::File { file, is_copy } => Self::from_file(file, is_copy),
            StoredBytes::Stream { copy, .. } => {
                let message = |error| format!("cannot copy the stream to a temporary file: {error}");
                Self::from_file(copy.map_err(|error| io::Error::other(message(error)))?, true)
            }
        }
    }

    /// Returns the copy of a stream, compressed like the stream; `None` for a file, and for a stream that was not
    /// copied.
    pub(crate) fn into_copy(self) -> Option<File> {
        match self.content.into_inner() {
            StoredBytes::File { file, is_copy } => is_copy.then_some(file),
            StoredBytes::Stream { copy, .. } => copy.ok(),
        }
    }
}

impl Read for LogSource {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.content.read(buffer)
    }
}

impl Read for StoredBytes {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::File { file, .. } => file.read(buffer),
            Self::Stream { stream, start, copy } => {
                let count = match start.read(buffer)? {
                    0 => stream.read(buffer)?,
                    count => count,
                };
                if let Ok(file) = copy
                    && let Err(error) = file.write_all(buffer.get(..count).unwrap_or_default())
                {
                    *copy = Err(error);
                }
                Ok(count)
            }
        }
    }
}

/// Returns to the first byte of a file, and returns its compression.
fn rewind(mut file: &File) -> io::Result<Option<Compression>> {
    file.rewind()?;
    let compression = detect(&read_start(file)?).map_err(io::Error::other)?;
    file.rewind()?;
    Ok(compression)
}

/// Passes the audited bytes of a log, decompressed, to `read`, from `copy` or else from the file at `path`. `read` may
/// stop before the end. Returns `None` if they differ from the bytes that were audited.
pub(crate) fn reread<T>(
    path: &str,
    copy: Option<&File>,
    audit: &LogAudit,
    read: impl FnOnce(&mut HashingReader<'_>) -> io::Result<T>,
) -> io::Result<Option<T>> {
    let opened;
    let file = match copy {
        Some(copy) => copy,
        None => {
            opened = reopen(path)?;
            &opened
        }
    };
    let compression = rewind(file)?;
    if compression.is_none() && file.metadata()?.len() < audit.bytes {
        return Err(io::Error::other("the file is shorter than before"));
    }
    let content = ContentReader::new(file, compression);
    let mut reader = HashingReader { bytes: content.take(audit.bytes), hasher: blake3::Hasher::new() };
    let value = read(&mut reader)?;
    io::copy(&mut reader, &mut io::sink())?;
    Ok((reader.hasher.finalize().to_string() == audit.blake3).then_some(value))
}

/// Opens a regular file.
fn reopen(path: &str) -> io::Result<File> {
    // Opening a named pipe would block.
    if !fs_err::metadata(path)?.is_file() {
        return Err(io::Error::other("the stream has no temporary copy"));
    }
    File::open(path)
}

/// Reader that hashes what it reads.
pub(crate) struct HashingReader<'f> {
    bytes: io::Take<ContentReader<&'f File>>,
    hasher: blake3::Hasher,
}

impl Read for HashingReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.bytes.read(buffer)?;
        self.hasher.update(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}
