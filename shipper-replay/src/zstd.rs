//! Reader of zstd files, which consist of frames.

use std::error::Error;
use std::io::{self, BufRead, Read};

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// Largest window, in bytes: that of `zstd` without `--long=28` and above. A frame needs as much memory.
const MAX_WINDOW_LEN: u64 = 128 * 1024 * 1024;

/// Reads all frames of a zstd file and verifies their lengths and checksums.
///
/// [`ruzstd::decoding::StreamingDecoder`] reads one frame, and verifies neither.
pub(crate) struct ZstdReader<R: BufRead> {
    file: R,
    decoder: FrameDecoder,
    /// Number of decompressed bytes of the frame; `None` between frames.
    frame_bytes: Option<u64>,
}

impl<R: BufRead> ZstdReader<R> {
    pub(crate) fn new(file: R) -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(MAX_WINDOW_LEN);
        Self { file, decoder, frame_bytes: None }
    }

    /// Returns the file, at any position.
    pub(crate) fn into_inner(self) -> R {
        self.file
    }

    /// Starts the next frame. Returns false if the file ends before it.
    fn start_frame(&mut self) -> io::Result<bool> {
        while !fill(&mut self.file)?.is_empty() {
            match self.decoder.init(&mut self.file) {
                Ok(()) => {
                    self.frame_bytes = Some(0);
                    return Ok(true);
                }
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    let length = u64::from(length);
                    if io::copy(&mut self.file.by_ref().take(length), &mut io::sink())? < length {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
                Err(error) => return Err(into_io(&error)),
            }
        }
        Ok(false)
    }

    /// Verifies the length and the checksum of a complete frame, if the frame has them.
    fn end_frame(&mut self, bytes: u64) -> io::Result<()> {
        self.frame_bytes = None;
        // 0 means that the frame does not give its length.
        let length = self.decoder.content_size();
        if length != 0 && length != bytes {
            return Err(invalid("a frame has another length than its header says"));
        }
        match self.decoder.get_checksum_from_data() {
            Some(checksum) if Some(checksum) != self.decoder.get_calculated_checksum() => {
                Err(invalid("the checksum of a frame does not match"))
            }
            _ => Ok(()),
        }
    }
}

impl<R: BufRead> Read for ZstdReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let Some(bytes) = self.frame_bytes else {
                if !self.start_frame()? {
                    return Ok(0);
                }
                continue;
            };
            let count = self.decoder.read(buffer)?;
            if count > 0 {
                self.frame_bytes = Some(bytes + count as u64);
                return Ok(count);
            }
            if self.decoder.is_finished() {
                self.end_frame(bytes)?;
            } else {
                // One block at a time, because a block has at most 128 KiB.
                let strategy = BlockDecodingStrategy::UptoBlocks(1);
                self.decoder.decode_blocks(&mut self.file, strategy).map_err(|error| into_io(&error))?;
            }
        }
    }
}

fn fill(file: &mut impl BufRead) -> io::Result<&[u8]> {
    // An interrupted read is not an error of the file. The loop avoids a second borrow of the buffer.
    while let Err(error) = file.fill_buf() {
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
    file.fill_buf()
}

fn invalid(message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

/// Returns the error of the file that stopped the decoder, or else an error about the data.
fn into_io(error: &FrameDecoderError) -> io::Error {
    let message = match error {
        FrameDecoderError::WindowSizeTooBig { requested, .. } => {
            return io::Error::other(format!(
                "the zstd data needs a window of {requested} bytes, but the limit is {MAX_WINDOW_LEN}"
            ));
        }
        FrameDecoderError::DictNotProvided { .. } => {
            return io::Error::other("the zstd data needs a dictionary");
        }
        FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::BadMagicNumber(_)) => {
            "other bytes follow a frame".to_owned()
        }
        _ => error.to_string(),
    };
    let causes = std::iter::successors(Some(error as &(dyn Error + 'static)), |&cause| cause.source());
    let of_file = causes.filter_map(|cause| cause.downcast_ref::<io::Error>()).next();
    match of_file {
        Some(cause) => match cause.raw_os_error() {
            Some(code) => io::Error::from_raw_os_error(code),
            None => io::Error::new(cause.kind(), cause.to_string()),
        },
        None => invalid(&message),
    }
}
