//! A stream, cut into blocks of complete lines.

use std::io;

use crate::line::error::MAX_LINE_LEN;
use crate::split::Tail;

/// Complete lines, or a part of a line that is too long to be one.
#[derive(Debug, Default)]
pub(crate) struct Block {
    /// The buffer that they stand in.
    pub(crate) buffer: Vec<u8>,
    /// How much of the buffer is theirs.
    pub(crate) filled: usize,
    /// Whether the line ends here, for a part of a long one.
    pub(crate) long: Option<bool>,
}

impl Block {
    /// The bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.buffer.get(..self.filled).unwrap_or_default()
    }
}

/// How long to read before a block is handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fill {
    /// Until the buffer is full.
    Whole,
    /// Until there is a line: nobody is kept waiting for what a slow stream has brought.
    Line,
}

/// Cuts a stream into blocks.
#[derive(Debug, Default)]
pub(crate) struct Blocks {
    /// What was read after the last line of the last block.
    carry: Vec<u8>,
    /// How many bytes of a long line were handed out; 0 outside one.
    long: u64,
    ended: bool,
}

impl Blocks {
    /// Whether the stream has ended: what comes was read already.
    pub(crate) fn ended(&self) -> bool {
        self.ended
    }

    /// The next block of about that size, in a buffer that is of no more use; an empty one is replaced. A longer line is a
    /// block by itself. `None` at the end.
    pub(crate) fn next(
        &mut self,
        mut read: impl FnMut(&mut [u8]) -> io::Result<usize>,
        mut buffer: Vec<u8>,
        size: usize,
        fill: Fill,
    ) -> io::Result<Option<Block>> {
        let mut filled = self.carry.len();
        let size = size.max(filled);
        if buffer.is_empty() {
            buffer = vec![0; size];
        } else {
            // One that was made for a long line is not kept at that size.
            buffer.resize(size, 0);
            buffer.shrink_to_fit();
        }
        if let Some(start) = buffer.get_mut(..filled) {
            start.copy_from_slice(&self.carry);
        }
        self.carry.clear();
        // Up to there no line feed stands.
        let mut searched = 0;
        loop {
            let free = buffer.get_mut(filled..).filter(|free| !free.is_empty());
            if let Some(free) = free.filter(|_| !self.ended) {
                match read(free) {
                    Ok(0) => self.ended = true,
                    Ok(count) => filled += count,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
                if fill == Fill::Whole {
                    continue;
                }
            }
            if let Some((end, long)) = self.cut(buffer.get(searched..filled).unwrap_or_default(), searched) {
                self.long = if long == Some(false) { self.long + end as u64 } else { 0 };
                self.carry.extend_from_slice(buffer.get(end..filled).unwrap_or_default());
                return Ok(Some(Block { buffer, filled: end, long }));
            }
            searched = filled;
            if self.ended {
                self.carry.extend_from_slice(buffer.get(..filled).unwrap_or_default());
                return Ok(None);
            }
            if filled == buffer.len() {
                buffer.resize((filled * 2).min(MAX_LINE_LEN + 1), 0);
            }
        }
    }

    /// Where the block ends, if what was read makes one; `new` was not looked through and stands at `offset`.
    fn cut(&self, new: &[u8], offset: usize) -> Option<(usize, Option<bool>)> {
        let filled = offset + new.len();
        if self.long > 0 {
            // The rest of the long line, by itself.
            let end = memchr::memchr(b'\n', new).map(|last| offset + last + 1);
            return end.map(|end| (end, Some(true))).or((filled > 0).then_some((filled, Some(false))));
        }
        match memchr::memrchr(b'\n', new) {
            Some(last) => Some((offset + last + 1, None)),
            // More than a line may have, and no line feed.
            None => (filled > MAX_LINE_LEN).then_some((filled, Some(false))),
        }
    }

    /// What stands after the last line feed, once the stream has ended.
    pub(crate) fn tail(&self) -> Tail {
        match self.long + self.carry.len() as u64 {
            0 => Tail::Clean,
            bytes => Tail::Torn { bytes },
        }
    }
}
