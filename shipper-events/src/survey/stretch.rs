//! Segments of a block's lines, by their links.

use crate::link::ChainLink;

/// Consecutive lines that are all unchained, or of which each but the first links to its predecessor. A segment ends
/// where the next one begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    /// How many lines of the block precede it.
    pub position: u64,
    /// The link of its first line; `None` for unchained lines.
    pub link: Option<ChainLink>,
    /// The hash of the line before its first line; `None` if that line is not in the block.
    pub follows: Option<blake3::Hash>,
}

/// Divides the lines of a block into segments.
#[derive(Debug, Default)]
pub(super) struct Stretches {
    stretches: Vec<Stretch>,
    /// How many lines belong to a segment so far.
    placed: u64,
    /// The `seq` of the next line if it continues the segment; `None` after an unchained line.
    next_seq: Option<u64>,
}

impl Stretches {
    /// Adds a chained line and its predecessor, if that is in the block. Lines in between are unchained.
    #[inline(always)]
    pub(super) fn chained(&mut self, position: u64, link: ChainLink, previous: Option<&[u8]>) {
        self.foreign_up_to(position);
        let seq = link.seq().as_u64();
        let previous = previous.map(blake3::hash);
        if seq.is_none() || seq != self.next_seq || previous != Some(link.prev()) {
            self.stretches.push(Stretch { position, link: Some(link), follows: previous });
        }
        self.next_seq = seq.and_then(|seq| seq.checked_add(1));
        self.placed = position + 1;
    }

    /// Ends the block after that many lines.
    pub(super) fn end(mut self, lines: u64) -> Vec<Stretch> {
        self.foreign_up_to(lines);
        self.stretches
    }

    fn foreign_up_to(&mut self, position: u64) {
        if self.placed < position {
            self.stretches.push(Stretch { position: self.placed, link: None, follows: None });
            self.placed = position;
            self.next_seq = None;
        }
    }
}
