//! Bytes of a log, from a file or a stream, that can be read twice.

use std::io::{self, Read, Seek, Write};

use camino::Utf8Path;
use fs_err::File;
use shipper_core::audit::LogAudit;

/// Length of a read, in bytes.
pub(crate) const READ_LEN: usize = 256 * 1024;

/// The bytes of a log.
pub(crate) enum LogSource {
    /// A regular file, or the copy of a stream.
    File { file: File, is_copy: bool },
    /// Standard input or a pipe, which can be read once, and the unnamed temporary file that receives a copy of its
    /// bytes. `copy` is an error if there is no such file.
    Stream { stream: Box<dyn Read>, copy: io::Result<File> },
}

impl LogSource {
    /// Opens a file, a named pipe, or standard input for `-`. If `with_copy` is true, the bytes of a stream are
    /// available for [`LogSource::rewind`] and [`LogSource::into_copy`].
    pub(crate) fn open(path: &Utf8Path, with_copy: bool) -> io::Result<Self> {
        let stream: Box<dyn Read> = if path == "-" {
            Box::new(io::stdin().lock())
        } else {
            let file = File::open(path)?;
            let metadata = file.metadata()?;
            if metadata.is_dir() {
                return Err(io::Error::other("is a directory"));
            }
            if metadata.is_file() {
                return Ok(Self::File { file, is_copy: false });
            }
            Box::new(file)
        };
        let copy = if with_copy { tempfile::tempfile() } else { Err(io::Error::other("no copy was requested")) };
        Ok(Self::Stream { stream, copy: copy.map(|file| File::from_parts(file, "a temporary file")) })
    }

    /// Returns to the first byte.
    pub(crate) fn rewind(self) -> io::Result<Self> {
        let (mut file, is_copy) = match self {
            Self::File { file, is_copy } => (file, is_copy),
            Self::Stream { copy, .. } => {
                let message = |error| format!("cannot copy the stream to a temporary file: {error}");
                (copy.map_err(|error| io::Error::other(message(error)))?, true)
            }
        };
        file.rewind()?;
        Ok(Self::File { file, is_copy })
    }

    /// Returns the copy of a stream; `None` for a file, and for a stream that was not copied.
    pub(crate) fn into_copy(self) -> Option<File> {
        match self {
            Self::File { file, is_copy } => is_copy.then_some(file),
            Self::Stream { copy, .. } => copy.ok(),
        }
    }
}

impl Read for LogSource {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::File { file, .. } => file.read(buffer),
            Self::Stream { stream, copy } => {
                let count = stream.read(buffer)?;
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

/// Passes the audited bytes of a log to `read`, from `copy` or else from the file at `path`. `read` may stop before the
/// end. Returns `None` if they differ from the bytes that were audited.
pub(crate) fn reread<T>(
    path: &str,
    copy: Option<&File>,
    audit: &LogAudit,
    read: impl FnOnce(&mut HashingReader<'_>) -> io::Result<T>,
) -> io::Result<Option<T>> {
    let opened;
    let mut file = match copy {
        Some(copy) => copy,
        None => {
            opened = reopen(path, audit.bytes)?;
            &opened
        }
    };
    file.rewind()?;
    let mut reader = HashingReader { bytes: file.take(audit.bytes), hasher: blake3::Hasher::new() };
    let value = read(&mut reader)?;
    io::copy(&mut reader, &mut io::sink())?;
    Ok((reader.hasher.finalize().to_string() == audit.blake3).then_some(value))
}

/// Opens a file of at least `bytes` bytes.
fn reopen(path: &str, bytes: u64) -> io::Result<File> {
    // Opening a named pipe would block.
    let metadata = fs_err::metadata(path)?;
    if !metadata.is_file() {
        return Err(io::Error::other("the stream has no temporary copy"));
    }
    if metadata.len() < bytes {
        return Err(io::Error::other("the file is shorter than before"));
    }
    File::open(path)
}

/// Reader that hashes what it reads.
pub(crate) struct HashingReader<'f> {
    bytes: io::Take<&'f File>,
    hasher: blake3::Hasher,
}

impl Read for HashingReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.bytes.read(buffer)?;
        self.hasher.update(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}

/// Reads to the end, or until `take` returns false, and passes each chunk to `take`.
pub(crate) fn read_chunks(mut bytes: impl Read, mut take: impl FnMut(&[u8]) -> bool) -> io::Result<()> {
    let mut buffer = vec![0; READ_LEN];
    loop {
        match bytes.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) if take(buffer.get(..count).unwrap_or_default()) => {}
            Ok(_) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
