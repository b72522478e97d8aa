//! Files that are not plain event logs: compressed logs are decompressed, archives and UTF-16 texts are errors.

use std::io::{self, BufReader, Read};

use flate2::bufread::MultiGzDecoder;
use shipper_core::audit::Compression;
use thiserror::Error;

use crate::zstd::ZstdReader;

/// Number of bytes that identify the type of a file.
pub(crate) const MAGIC_LEN: usize = 4;

/// Length of a read of compressed bytes.
const BUFFER_LEN: usize = 64 * 1024;

/// The error for a file that contains no log, only something from which the user can get one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum NotALog {
    #[error("the file is a zip archive, not an event log; unpack it, and audit the log in it")]
    Zip,
    #[error("the file is UTF-16 text, but an event log is UTF-8; audit the original log, not this conversion of it")]
    Utf16,
}

/// Returns the compression of a file that begins with `start`; `None` for bytes that are audited as they are.
///
/// # Errors
///
/// [`NotALog`] if the file is of a known other type.
pub(crate) fn detect(start: &[u8]) -> Result<Option<Compression>, NotALog> {
    match start {
        [0x1f, 0x8b, ..] => Ok(Some(Compression::Gzip)),
        // A frame, or a skippable frame, which programs put before the first frame.
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Ok(Some(Compression::Zstd)),
        // The first file of an archive, or the end of an empty archive.
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Err(NotALog::Zip),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Err(NotALog::Utf16),
        _ => Ok(None),
    }
}

/// Reads up to [`MAGIC_LEN`] bytes; less only at the end.
pub(crate) fn read_start(mut bytes: impl Read) -> io::Result<Vec<u8>> {
    let mut start = Vec::with_capacity(MAGIC_LEN);
    bytes.by_ref().take(MAGIC_LEN as u64).read_to_end(&mut start)?;
    Ok(start)
}

/// Reader of the content of a file.
pub(crate) enum ContentReader<R: Read> {
    Plain(R),
    Gzip(MultiGzDecoder<BufReader<R>>),
    Zstd(Box<ZstdReader<BufReader<R>>>),
}

impl<R: Read> ContentReader<R> {
    pub(crate) fn new(file: R, compression: Option<Compression>) -> Self {
        let buffered = |file| BufReader::with_capacity(BUFFER_LEN, file);
        match compression {
            None => Self::Plain(file),
            Some(Compression::Gzip) => Self::Gzip(MultiGzDecoder::new(buffered(file))),
            Some(Compression::Zstd) => Self::Zstd(Box::new(ZstdReader::new(buffered(file)))),
        }
    }

    /// Returns the file, at any position.
    pub(crate) fn into_inner(self) -> R {
        match self {
            Self::Plain(file) => file,
            Self::Gzip(decoder) => decoder.into_inner().into_inner(),
            Self::Zstd(decoder) => decoder.into_inner().into_inner(),
        }
    }
}

impl<R: Read> Read for ContentReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(file) => file.read(buffer),
            Self::Gzip(decoder) => decoder.read(buffer).map_err(|error| damaged(Compression::Gzip, error)),
            Self::Zstd(decoder) => decoder.read(buffer).map_err(|error| damaged(Compression::Zstd, error)),
        }
    }
}

/// Describes damage to compressed data. Other errors are of the file, and are returned as they are.
fn damaged(compression: Compression, error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => io::Error::other(format!("the {compression} data is truncated")),
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
            io::Error::other(format!("the {compression} data is damaged: {error}"))
        }
        _ => error,
    }
}

#[cfg(test)]
#[path = "../tests/unit/compression.rs"]
mod tests;
