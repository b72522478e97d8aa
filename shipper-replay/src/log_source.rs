//! Bytes of a log, from a file or a stream, for a first and a second reading.

use std::io::{self, Read, Seek, Write};

use camino::Utf8Path;
use fs_err::File;
use shipper_core::audit::LogAudit;

/// Length of a read, in bytes.
pub(crate) const READ_LEN: usize = 256 * 1024;

/// The bytes of a log.
pub(crate) enum LogSource {
    /// A regular file.
    File(File),
    /// Standard input or a pipe, which can be read once.
    Stream(Box<dyn Read>),
    /// A stream whose bytes are copied to a nameless temporary file as they are read, or the error of that file.
    Teed { stream: Box<dyn Read>, copy: io::Result<File> },
    /// The copy of a stream.
    Spooled(File),
}

impl LogSource {
    /// Opens a file or a named pipe.
    pub(crate) fn open(path: &Utf8Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(io::Error::other("it is a directory"));
        }
        Ok(if metadata.is_file() { Self::File(file) } else { Self::Stream(Box::new(file)) })
    }

    /// Returns standard input.
    pub(crate) fn stdin() -> Self {
        Self::Stream(Box::new(io::stdin().lock()))
    }

    /// Makes the bytes that are read from now on available for [`LogSource::rewind`] and [`LogSource::into_copy`].
    pub(crate) fn with_copy(self) -> Self {
        match self {
            Self::Stream(stream) => {
                let copy = tempfile::tempfile().map(|file| File::from_parts(file, "a temporary file"));
                Self::Teed { stream, copy }
            }
            other => other,
        }
    }

    /// Starts again from the first byte.
    pub(crate) fn rewind(self) -> io::Result<Self> {
        let (mut file, is_copy) = match self {
            Self::File(file) => (file, false),
            Self::Spooled(file) => (file, true),
            Self::Teed { copy, .. } => {
                let message = |error| format!("a stream is read a second time, by way of a temporary file: {error}");
                (copy.map_err(|error| io::Error::other(message(error)))?, true)
            }
            Self::Stream(_) => return Err(io::Error::other("a stream cannot be read twice")),
        };
        file.rewind()?;
        Ok(if is_copy { Self::Spooled(file) } else { Self::File(file) })
    }

    /// Returns the copy of a stream; `None` for a file, and for a stream that could not be copied.
    pub(crate) fn into_copy(self) -> Option<File> {
        match self {
            Self::Spooled(file) => Some(file),
            Self::Teed { copy, .. } => copy.ok(),
            Self::File(_) | Self::Stream(_) => None,
        }
    }
}

impl Read for LogSource {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::File(file) | Self::Spooled(file) => file.read(buffer),
            Self::Stream(stream) => stream.read(buffer),
            Self::Teed { stream, copy } => {
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

/// Opens an audited log a second time: its copy, or else the file, which must still have at least `bytes` bytes.
pub(crate) fn reopen(path: &str, copy: Option<File>, bytes: u64) -> io::Result<File> {
    if let Some(mut copy) = copy {
        copy.rewind()?;
        return Ok(copy);
    }
    // Opening a named pipe would block.
    let metadata = fs_err::metadata(path)?;
    if !metadata.is_file() {
        return Err(io::Error::other("what was read of it could not be kept in a temporary file"));
    }
    if metadata.len() < bytes {
        return Err(io::Error::other("it is no longer what was read"));
    }
    File::open(path)
}

/// Reader of the audited bytes of a log that compares them with the audit.
pub(crate) struct VerifyingReader<'a, R> {
    bytes: io::Take<R>,
    hasher: blake3::Hasher,
    audit: &'a LogAudit,
}

impl<'a, R: Read> VerifyingReader<'a, R> {
    pub(crate) fn new(bytes: R, audit: &'a LogAudit) -> Self {
        Self { bytes: bytes.take(audit.bytes), hasher: blake3::Hasher::new(), audit }
    }

    /// Reads the rest and returns true if the bytes are those that were audited.
    pub(crate) fn matches_audit(mut self) -> io::Result<bool> {
        io::copy(&mut self, &mut io::sink())?;
        Ok(self.hasher.finalize().to_string() == self.audit.blake3)
    }
}

impl<R: Read> Read for VerifyingReader<'_, R> {
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
