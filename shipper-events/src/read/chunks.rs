//! From bytes to chunks of complete lines.

use std::io::{self, Read};

use super::lines::Tail;
use crate::line::error::MAX_LINE_LEN;

/// A part of a log that ends with an LF, or a part of one oversized line.
#[derive(Debug)]
pub(crate) struct Chunk {
    /// The chunk and what was read before into the same buffer.
    pub(crate) buffer: Vec<u8>,
    len: usize,
    /// True for a part of a line that is longer than [`MAX_LINE_LEN`]. The parts of such a line follow each other
    /// without anything in between; the last one ends with LF.
    pub(crate) is_oversized: bool,
}

impl Chunk {
    pub(crate) fn bytes(&self) -> &[u8] {
        self.buffer.get(..self.len).unwrap_or_default()
    }
}

/// Divides a stream into chunks. It holds one chunk, and grows only for a line that is longer, up to [`MAX_LINE_LEN`].
#[derive(Debug, Clone, Default)]
pub(crate) struct ChunkReader {
    /// The bytes that were read and not returned, then free space.
    buffer: Vec<u8>,
    filled: usize,
    /// The number of those bytes that are known to contain no LF.
    searched: usize,
    /// The number of bytes of an oversized line that were returned; 0 outside one.
    oversized: u64,
    /// True if the stream has ended. Complete lines may still be left, and it may have more later.
    pub(crate) ended: bool,
}

impl ChunkReader {
    /// Returns the next chunk, of about `size` bytes, or `None` at the end of the stream. `spare` is a buffer for reuse.
    pub(crate) fn next(&mut self, read: &mut impl Read, spare: Vec<u8>, size: usize) -> io::Result<Option<Chunk>> {
        if !self.ended {
            self.grow(size);
        }
        loop {
            while !self.ended && self.filled < self.buffer.len() {
                match read.read(self.buffer.get_mut(self.filled..).unwrap_or_default()) {
                    Ok(0) => self.ended = true,
                    Ok(count) => self.filled += count,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
            if let Some(end) = self.find_boundary() {
                return Ok(Some(self.split_off(end, spare)));
            }
            self.searched = self.filled;
            if self.ended {
                return Ok(None);
            }
            self.grow((self.filled * 2).min(MAX_LINE_LEN + 1));
        }
    }

    /// Makes the buffer at least `len` bytes long.
    fn grow(&mut self, len: usize) {
        self.buffer.resize(self.buffer.len().max(len), 0);
    }

    /// Returns the end of the next chunk; `None` if the bytes so far contain none.
    fn find_boundary(&self) -> Option<usize> {
        let new = self.buffer.get(self.searched..self.filled).unwrap_or_default();
        let (feed, longest) = if self.oversized > 0 {
            // The rest of the line, by itself.
            (memchr::memchr(b'\n', new), 0)
        } else {
            (memchr::memrchr(b'\n', new), MAX_LINE_LEN)
        };
        feed.map(|feed| self.searched + feed + 1).or_else(|| (self.filled > longest).then_some(self.filled))
    }

    /// Takes the first `end` bytes as a chunk and continues in `spare`.
    fn split_off(&mut self, end: usize, mut spare: Vec<u8>) -> Chunk {
        let ends_line = self.buffer.get(..end).is_some_and(|chunk| chunk.ends_with(b"\n"));
        let is_oversized = self.oversized > 0 || !ends_line;
        let rest = self.buffer.get(end..self.filled).unwrap_or_default();
        spare.resize(spare.len().max(rest.len()), 0);
        if let Some(start) = spare.get_mut(..rest.len()) {
            start.copy_from_slice(rest);
        }
        self.filled = rest.len();
        self.searched = if is_oversized { 0 } else { rest.len() };
        self.oversized = if ends_line { 0 } else { self.oversized + end as u64 };
        Chunk { buffer: std::mem::replace(&mut self.buffer, spare), len: end, is_oversized }
    }

    /// Returns the bytes after the last LF so far.
    pub(crate) fn tail(&self) -> Tail {
        Tail::of(self.oversized + self.filled as u64)
    }
}
