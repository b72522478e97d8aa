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
    pub(crate) kind: ChunkKind,
}

impl Chunk {
    pub(crate) fn bytes(&self) -> &[u8] {
        self.buffer.get(..self.len).unwrap_or_default()
    }
}

/// The content of a [`Chunk`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChunkKind {
    /// One or more complete lines.
    Lines,
    /// A part of a line that is longer than [`MAX_LINE_LEN`]. Its parts follow each other without anything in between.
    Oversized {
        /// Whether the part ends with the line's LF.
        ends_line: bool,
    },
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
    ended: bool,
}

impl ChunkReader {
    /// Returns whether the stream has ended. Complete lines may still be left.
    pub(crate) fn ended(&self) -> bool {
        self.ended
    }

    /// Continues after the end: the stream may have more by now.
    pub(crate) fn reopen(&mut self) {
        self.ended = false;
    }

    /// Returns the next chunk, of about `size` bytes, or `None` at the end of the stream. `spare` is a buffer for reuse.
    pub(crate) fn next(&mut self, read: &mut impl Read, spare: Vec<u8>, size: usize) -> io::Result<Option<Chunk>> {
        if self.buffer.len() < size {
            self.buffer.resize(size, 0);
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
            if let Some((end, kind)) = self.find_boundary() {
                return Ok(Some(self.split_off(end, kind, spare)));
            }
            self.searched = self.filled;
            if self.ended {
                return Ok(None);
            }
            self.buffer.resize((self.filled * 2).min(MAX_LINE_LEN + 1), 0);
        }
    }

    /// Returns where the next chunk ends, and its kind, if the bytes so far contain one.
    fn find_boundary(&self) -> Option<(usize, ChunkKind)> {
        let (filled, new) = (self.filled, self.buffer.get(self.searched..self.filled).unwrap_or_default());
        let unended = ChunkKind::Oversized { ends_line: false };
        if self.oversized > 0 {
            // The rest of the line, by itself.
            let end = memchr::memchr(b'\n', new).map(|last| self.searched + last + 1);
            let part = (filled > 0).then_some((filled, unended));
            return end.map(|end| (end, ChunkKind::Oversized { ends_line: true })).or(part);
        }
        match memchr::memrchr(b'\n', new) {
            Some(last) => Some((self.searched + last + 1, ChunkKind::Lines)),
            None => (filled > MAX_LINE_LEN).then_some((filled, unended)),
        }
    }

    /// Takes the first `end` bytes as a chunk and continues in `spare`.
    fn split_off(&mut self, end: usize, kind: ChunkKind, mut spare: Vec<u8>) -> Chunk {
        let rest = self.buffer.get(end..self.filled).unwrap_or_default();
        spare.resize(spare.len().max(rest.len()), 0);
        if let Some(start) = spare.get_mut(..rest.len()) {
            start.copy_from_slice(rest);
        }
        self.filled = rest.len();
        self.searched = if kind == ChunkKind::Lines { rest.len() } else { 0 };
        self.oversized =
            if kind == (ChunkKind::Oversized { ends_line: false }) { self.oversized + end as u64 } else { 0 };
        Chunk { buffer: std::mem::replace(&mut self.buffer, spare), len: end, kind }
    }

    /// Returns the bytes after the last LF so far.
    pub(crate) fn tail(&self) -> Tail {
        Tail::of(self.oversized + self.filled as u64)
    }
}
