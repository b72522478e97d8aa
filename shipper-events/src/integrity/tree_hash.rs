//! BLAKE3 of a log of which several threads hash parts.
//!
//! BLAKE3 is a tree, so the hash of a subtree can be computed apart from the bytes before it (section 2.1 of its paper).
//! A log is divided into subtrees of [`SUBTREE_LEN`] bytes. [`SubtreeHashes`] has those of a block, and [`TreeHasher`] joins
//! them in order; bytes at the ends of a block, which are part of no whole subtree of it, are hashed then.

use blake3::hazmat::{ChainingValue, HasherExt, Mode, merge_subtrees_non_root, merge_subtrees_root};

/// The number of bytes of a subtree: a power of two, and enough for the vector instructions.
const SUBTREE_LEN: usize = 16 * 1024;

/// The hashes of the whole subtrees in a part of a log.
#[derive(Debug)]
pub(crate) struct SubtreeHashes {
    /// The number of bytes of the log that precede the first of them.
    start: u64,
    values: Vec<ChainingValue>,
}

impl SubtreeHashes {
    /// Hashes the subtrees in `bytes`, which `offset` bytes of the log precede.
    pub(crate) fn of(bytes: &[u8], offset: u64) -> Self {
        let start = offset.next_multiple_of(SUBTREE_LEN as u64);
        let skipped = usize::try_from(start - offset).unwrap_or(usize::MAX);
        let (subtrees, _) = bytes.get(skipped..).unwrap_or_default().as_chunks::<SUBTREE_LEN>();
        let starts = (start..).step_by(SUBTREE_LEN);
        let values =
            subtrees.iter().zip(starts).map(|(bytes, start)| hasher_at(start).update(bytes).finalize_non_root());
        Self { start, values: values.collect() }
    }

    /// Returns the hash of the subtree that `offset` bytes precede.
    fn at(&self, offset: u64) -> Option<&ChainingValue> {
        let number = offset.checked_sub(self.start)? / SUBTREE_LEN as u64;
        self.values.get(usize::try_from(number).ok()?)
    }
}

/// Computes the hash of a log from its start.
#[derive(Debug, Clone, Default)]
pub(super) struct TreeHasher {
    /// The number of bytes in `subtrees`.
    joined: u64,
    /// The subtrees of the log before the last one, joined in pairs of equal length: the longest is the first.
    subtrees: Vec<ChainingValue>,
    /// The last subtree. It is empty only if the log is: only the root of the tree may have no sibling.
    last: blake3::Hasher,
}

impl TreeHasher {
    /// Adds the next bytes. `known` may have hashes of the subtrees in them.
    pub(super) fn update(&mut self, mut bytes: &[u8], known: Option<&SubtreeHashes>) {
        while !bytes.is_empty() {
            let free = SUBTREE_LEN.saturating_sub(usize::try_from(self.last.count()).unwrap_or(usize::MAX));
            if free == 0 {
                self.join(self.last.finalize_non_root());
                // One byte at least is left for the last subtree.
                while let (Some(value), Some((_, rest @ [_, ..]))) =
                    (known.and_then(|known| known.at(self.joined)), bytes.split_first_chunk::<SUBTREE_LEN>())
                {
                    self.join(*value);
                    bytes = rest;
                }
                self.last = hasher_at(self.joined);
            } else {
                let (part, rest) = bytes.split_at_checked(free).unwrap_or((bytes, &[]));
                self.last.update(part);
                bytes = rest;
            }
        }
    }

    /// Joins the next subtree to those before it, as a binary counter adds one.
    fn join(&mut self, mut value: ChainingValue) {
        self.joined += SUBTREE_LEN as u64;
        for _ in 0..(self.joined / SUBTREE_LEN as u64).trailing_zeros() {
            if let Some(left) = self.subtrees.pop() {
                value = merge_subtrees_non_root(&left, &value, Mode::Hash);
            }
        }
        self.subtrees.push(value);
    }

    /// Returns the hash of the bytes so far.
    pub(super) fn finalize(&self) -> blake3::Hash {
        let Some((first, others)) = self.subtrees.split_first() else {
            return self.last.finalize();
        };
        let join = |right, left| merge_subtrees_non_root(left, &right, Mode::Hash);
        let right = others.iter().rfold(self.last.finalize_non_root(), join);
        merge_subtrees_root(first, &right, Mode::Hash)
    }
}

/// Returns a hasher of the subtree that `offset` bytes precede.
fn hasher_at(offset: u64) -> blake3::Hasher {
    let mut hasher = blake3::Hasher::new();
    hasher.set_input_offset(offset);
    hasher
}

#[cfg(test)]
#[path = "../../tests/unit/tree_hash.rs"]
mod tests;
