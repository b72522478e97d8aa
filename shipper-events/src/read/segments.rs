//! Segments of a block's lines, by their links.

use crate::integrity::ChainLink;

/// Consecutive lines that are all unchained, or of which each but the first links to its predecessor. A segment ends
/// where the next one begins.
#[derive(Debug)]
pub(crate) struct ChainSegment {
    /// The number of lines of the block that precede it.
    pub(crate) position: u64,
    /// The link of its first line; `None` for unchained lines.
    pub(crate) link: Option<ChainLink>,
    /// The hash of the line before its first line; `None` if that line is not in the block.
    pub(crate) prev_line: Option<blake3::Hash>,
}

/// Divides the lines of a block into segments.
#[derive(Debug, Default)]
pub(crate) struct SegmentBuilder {
    segments: Vec<ChainSegment>,
    /// The number of lines that belong to a segment so far.
    lines: u64,
    /// The `seq` of the next line if it continues the segment; `None` after an unchained line.
    next_seq: Option<u64>,
}

impl SegmentBuilder {
    /// Adds a chained line and its predecessor, if that is in the block. Lines in between are unchained.
    #[inline(always)]
    pub(crate) fn push_chained(&mut self, position: u64, link: ChainLink, prev_line: Option<&[u8]>) {
        self.fill_unchained(position);
        let seq = link.seq().as_u64();
        let prev_line = prev_line.map(blake3::hash);
        if seq.is_none() || seq != self.next_seq || prev_line != Some(link.prev()) {
            self.segments.push(ChainSegment { position, link: Some(link), prev_line });
        }
        self.next_seq = seq.and_then(|seq| seq.checked_add(1));
        self.lines = position + 1;
    }

    /// Returns the segments of a block of that many lines.
    pub(crate) fn finish(mut self, lines: u64) -> Vec<ChainSegment> {
        self.fill_unchained(lines);
        self.segments
    }

    fn fill_unchained(&mut self, position: u64) {
        if self.lines < position {
            self.segments.push(ChainSegment { position: self.lines, link: None, prev_line: None });
            self.lines = position;
            self.next_seq = None;
        }
    }
}
