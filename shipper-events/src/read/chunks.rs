//! From bytes to lines: chunks of complete lines, and what follows the last LF.

use std::io;

use crate::line::error::MAX_LINE_LEN;

/// The bytes after the last LF of a log. They are no line and no event: a writer may have died in the middle of one, or
/// may still be writing it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tail {
    /// The log ends with a complete line, or is empty.
    Clean,
    /// The log ends in the middle of a line.
    Torn {
        /// How many bytes follow the last LF; at least 1.
        bytes: u64,
    },
}

impl Tail {
    fn of(bytes: u64) -> Self {
        if bytes == 0 { Self::Clean } else { Self::Torn { bytes } }
    }
}

/// Divides a whole log into its complete lines, each with its LF, and its tail.
///
/// Nothing is checked or left out, and a line may be longer than [`MAX_LINE_LEN`].
///
/// ```
/// use shipper_events::{Tail, scan::split_lines};
/// let (lines, tail) = split_lines(b"one\ntwo\nthr");
/// assert_eq!(lines.collect::<Vec<_>>(), [b"one\n", b"two\n"]);
/// assert_eq!(tail, Tail::Torn { bytes: 3 });
/// ```
pub fn split_lines(log: &[u8]) -> (impl Iterator<Item = &[u8]>, Tail) {
    let complete = memchr::memrchr(b'\n', log).map_or(0, |position| position + 1);
    let (lines, rest) = log.split_at_checked(complete).unwrap_or((log, &[]));
    (lines.split_inclusive(|byte| *byte == b'\n'), Tail::of(rest.len() as u64))
}

/// A part of a log that ends with an LF, or a part of one oversized line.
#[derive(Debug, Default)]
pub(crate) struct Chunk {
    buffer: Vec<u8>,
    len: usize,
    pub(crate) kind: ChunkKind,
}

/// The content of a [`Chunk`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum ChunkKind {
    /// One or more complete lines.
    #[default]
    Lines,
    /// A part of a line that is longer than [`MAX_LINE_LEN`]. Its parts follow each other without anything in between.
    Oversized {
        /// Whether the part ends with the line's LF.
        ends_line: bool,
    },
}

impl Chunk {
    pub(crate) fn bytes(&self) -> &[u8] {
        self.buffer.get(..self.len).unwrap_or_default()
    }

    /// The buffer, for the next chunk.
    pub(crate) fn into_buffer(self) -> Vec<u8> {
        self.buffer
    }
}

/// When a chunk is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReadMode {
    /// When the buffer is full or the stream ends.
    Full,
    /// As soon as it holds a line: the caller does not wait for more than a slow stream has sent.
    FirstLine,
}

/// Divides a stream into chunks. It holds one chunk, and grows only for a line that is longer, up to [`MAX_LINE_LEN`].
#[derive(Debug, Clone, Default)]
pub(crate) struct ChunkReader {
    /// The bytes that were read and not returned, then free space.
    buffer: Vec<u8>,
    filled: usize,
    /// How many of those bytes are known to contain no LF.
    searched: usize,
    /// How many bytes of an oversized line were returned; 0 outside one.
    oversized: u64,
    ended: bool,
}

impl ChunkReader {
    /// Whether the stream has ended. Complete lines may still be left.
    pub(crate) fn ended(&self) -> bool {
        self.ended
    }

    /// Continues after the end: the stream may have more by now.
    pub(crate) fn reopen(&mut self) {
        self.ended = false;
    }

    /// Returns the next chunk, of about `size` bytes, or `None` at the end of the stream. `spare` is a buffer for reuse.
    pub(crate) fn next(
        &mut self,
        mut read: impl FnMut(&mut [u8]) -> io::Result<usize>,
        spare: Vec<u8>,
        size: usize,
        mode: ReadMode,
    ) -> io::Result<Option<Chunk>> {
        self.grow(size);
        loop {
            let free = self.buffer.get_mut(self.filled..).filter(|free| !free.is_empty());
            if let Some(free) = free.filter(|_| !self.ended) {
                match read(free) {
                    Ok(0) => self.ended = true,
                    Ok(count) => self.filled += count,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
                if mode == ReadMode::Full {
                    continue;
                }
            }
            if let Some((end, kind)) = self.find_boundary() {
                return Ok(Some(self.split_off(end, kind, spare, size)));
            }
            self.searched = self.filled;
            if self.ended {
                return Ok(None);
            }
            if self.filled == self.buffer.len() {
                self.grow((self.filled * 2).min(MAX_LINE_LEN + 1));
            }
        }
    }

    /// Makes the buffer at least `len` bytes long. The allocator has zeroed pages, which `Vec::resize` would write once more.
    fn grow(&mut self, len: usize) {
        if self.buffer.len() < len {
            let mut buffer = vec![0; len];
            if let (Some(new), Some(old)) = (buffer.get_mut(..self.filled), self.buffer.get(..self.filled)) {
                new.copy_from_slice(old);
            }
            self.buffer = buffer;
        }
    }

    /// Where the next chunk ends, if the bytes so far contain one.
    fn find_boundary(&self) -> Option<(usize, ChunkKind)> {
        let new = self.buffer.get(self.searched..self.filled).unwrap_or_default();
        if self.oversized > 0 {
            // The rest of the line, by itself.
            let end = memchr::memchr(b'\n', new).map(|last| self.searched + last + 1);
            let part = (self.filled > 0).then_some((self.filled, ChunkKind::Oversized { ends_line: false }));
            return end.map(|end| (end, ChunkKind::Oversized { ends_line: true })).or(part);
        }
        match memchr::memrchr(b'\n', new) {
            Some(last) => Some((self.searched + last + 1, ChunkKind::Lines)),
            None => (self.filled > MAX_LINE_LEN).then_some((self.filled, ChunkKind::Oversized { ends_line: false })),
        }
    }

    /// Takes the first `end` bytes as a chunk and continues in `spare`.
    fn split_off(&mut self, end: usize, kind: ChunkKind, mut spare: Vec<u8>, size: usize) -> Chunk {
        let rest = self.buffer.get(end..self.filled).unwrap_or_default();
        if spare.len() < rest.len() {
            spare.resize(rest.len(), 0);
        } else if spare.len() > size.max(rest.len()) {
            // It grew for a long line.
            spare.truncate(size.max(rest.len()));
            spare.shrink_to_fit();
        }
        if let Some(start) = spare.get_mut(..rest.len()) {
            start.copy_from_slice(rest);
        }
        self.filled = rest.len();
        self.searched = if kind == ChunkKind::Lines { rest.len() } else { 0 };
        self.oversized =
            if kind == (ChunkKind::Oversized { ends_line: false }) { self.oversized + end as u64 } else { 0 };
        Chunk { buffer: std::mem::replace(&mut self.buffer, spare), len: end, kind }
    }

    /// The bytes after the last LF so far.
    pub(crate) fn tail(&self) -> Tail {
        Tail::of(self.oversized + self.filled as u64)
    }
}
