//! Lines of a stream, unchecked.

use std::io::{self, Read};

use super::chunks::{Chunk, ChunkKind, ChunkReader, ReadMode};

/// How many bytes are read at a time.
const READ_LEN: usize = 256 * 1024;

/// Reads the complete lines of a stream without checking them, in memory that does not grow with it.
///
/// ```
/// use shipper_events::scan::LineReader;
/// let mut lines = LineReader::new(&b"one\ntwo\nthr"[..]);
/// assert_eq!(lines.next_line()?, Some(&b"one\n"[..]));
/// assert_eq!(lines.next_line()?, Some(&b"two\n"[..]));
/// assert_eq!(lines.next_line()?, None);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct LineReader<R> {
    stream: R,
    chunks: ChunkReader,
    chunk: Chunk,
    /// How many bytes of the chunk were returned.
    offset: usize,
    /// Whether the beginning of an oversized line was returned and its end not reached.
    in_oversized: bool,
}

impl<R: Read> LineReader<R> {
    /// A reader at the start of a stream.
    pub fn new(stream: R) -> Self {
        Self { stream, chunks: ChunkReader::default(), chunk: Chunk::default(), offset: 0, in_oversized: false }
    }

    /// Returns the next line with its LF, or `None` after the last. Of a line longer than
    /// [`MAX_LINE_LEN`](crate::MAX_LINE_LEN) it returns only the beginning, which is longer than that, too.
    ///
    /// # Errors
    ///
    /// Those of the stream.
    pub fn next_line(&mut self) -> io::Result<Option<&[u8]>> {
        while self.offset == self.chunk.bytes().len() {
            let spare = std::mem::take(&mut self.chunk).into_buffer();
            let next = self.chunks.next(|buffer| self.stream.read(buffer), spare, READ_LEN, ReadMode::Full)?;
            let Some(chunk) = next else {
                return Ok(None);
            };
            (self.chunk, self.offset) = (chunk, 0);
            if let ChunkKind::Oversized { ends_line } = self.chunk.kind {
                if std::mem::replace(&mut self.in_oversized, !ends_line) {
                    self.offset = self.chunk.bytes().len();
                } else if ends_line {
                    // Its only part.
                    break;
                }
            }
        }
        let rest = self.chunk.bytes().get(self.offset..).unwrap_or_default();
        let end = match self.chunk.kind {
            ChunkKind::Lines => memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1),
            ChunkKind::Oversized { .. } => rest.len(),
        };
        self.offset += end;
        Ok(rest.get(..end))
    }
}
