//! How the lines of a block hang together.

use std::ops::Range;

use fearless_simd::Level;

use super::lanes;
use crate::link::ChainLink;

/// Lines in a row that hang together in one way; it ends where the next one begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    /// How many lines of the block stand before it.
    pub position: u64,
    /// How its first line begins, if its lines are chained: each but the first then follows the one before it. `None`
    /// where they are foreign.
    pub link: Option<ChainLink>,
    /// The hash of the line before the first, if that is one of the block's.
    pub follows: Option<blake3::Hash>,
}

/// A chained line.
struct Chained {
    position: u64,
    link: ChainLink,
    /// Where the line before it stands in the block, if it is in it.
    previous: Option<Range<usize>>,
}

/// How many chained lines are compared at a time: enough to hash them side by side.
const TOGETHER: usize = 1024;

/// So few lines are hashed one by one.
const FEW: usize = 8;

/// Puts the lines of a block together.
pub(super) struct Stretches<'b> {
    block: &'b [u8],
    stretches: Vec<Stretch>,
    /// Chained lines that were not compared yet.
    pending: Vec<Chained>,
    /// How many lines are in stretches.
    placed: u64,
    /// What the next line says if it follows; `None` after a foreign line.
    next_seq: Option<u64>,
}

impl<'b> Stretches<'b> {
    pub(super) fn new(block: &'b [u8]) -> Self {
        Self { block, stretches: Vec::new(), pending: Vec::new(), placed: 0, next_seq: None }
    }

    /// A chained line. Of foreign ones nothing needs to be told.
    #[inline(always)]
    pub(super) fn chained(&mut self, position: u64, link: ChainLink, previous: Option<Range<usize>>) {
        self.pending.push(Chained { position, link, previous });
        if self.pending.len() == TOGETHER {
            self.compare();
        }
    }

    /// Compares the chained lines so far with the lines before them.
    fn compare(&mut self) {
        let pending = std::mem::take(&mut self.pending);
        let previous = |chained: &Chained| self.block.get(chained.previous.clone()?);
        let lines: Vec<&[u8]> = pending.iter().map(|chained| previous(chained).unwrap_or_default()).collect();
        let hashes = if lines.len() < FEW { vec![None; lines.len()] } else { lanes::hashes(Level::new(), &lines) };
        for ((chained, line), hash) in pending.into_iter().zip(lines).zip(hashes) {
            let Chained { position, link, previous } = chained;
            self.foreign_up_to(position);
            let seq = link.seq().as_u64();
            let fits = previous.is_some() && (hash == Some(link.prev()) || blake3::hash(line) == link.prev());
            if !(fits && seq.is_some() && seq == self.next_seq) {
                let follows = previous.is_some().then(|| blake3::hash(line));
                self.stretches.push(Stretch { position, link: Some(link), follows });
            }
            self.next_seq = seq.and_then(|seq| seq.checked_add(1));
            self.placed = position + 1;
        }
    }

    /// Ends the block after so many lines.
    pub(super) fn end(mut self, lines: u64) -> Vec<Stretch> {
        self.compare();
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
