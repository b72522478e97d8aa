//! The hash that is joined from subtrees equals the hash of the whole, for every division of a log: heads depend on it.

use proptest::prelude::*;

use super::{SUBTREE_LEN, SubtreeHashes, TreeHasher};

/// Bytes that differ everywhere.
fn bytes(len: usize) -> Vec<u8> {
    (0_u32..).flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()).take(len).collect()
}

/// A length near a boundary of a subtree, or any other.
fn len() -> impl Strategy<Value = usize> {
    let near =
        (0..=3_usize, 0..=4_usize).prop_map(|(subtrees, more)| (subtrees * SUBTREE_LEN + more).saturating_sub(2));
    prop_oneof![near, 0..4 * SUBTREE_LEN]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Blocks come with the hashes of all subtrees in them, of none, or of those in another part of the log.
    #[test]
    fn joined_hash_equals_hash_of_whole(blocks in prop::collection::vec((len(), 0..4_u8), 0..8)) {
        let log = bytes(blocks.iter().map(|(len, _)| len).sum());
        let (mut hasher, mut offset) = (TreeHasher::default(), 0);
        for (len, kind) in blocks {
            let block = &log[offset..offset + len];
            let elsewhere = offset.saturating_sub(100);
            let known = match kind {
                0 => None,
                1 => Some(SubtreeHashes::of(&log[elsewhere..offset + len / 2], elsewhere as u64)),
                _ => Some(SubtreeHashes::of(block, offset as u64)),
            };
            hasher.update(block, known.as_ref());
            offset += len;
            prop_assert_eq!(hasher.finalize(), blake3::hash(&log[..offset]));
        }
    }
}

/// Every number of subtrees up to 70, whole and with a byte more or less: a tree of each shape up to seven levels.
#[test]
fn trees_of_every_shape_are_equal() {
    let log = bytes(70 * SUBTREE_LEN + 1);
    let whole = SubtreeHashes::of(&log, 0);
    for len in (0..=70).flat_map(|subtrees| [0, 1, SUBTREE_LEN - 1].map(|more| subtrees * SUBTREE_LEN + more)) {
        let Some(prefix) = log.get(..len) else {
            continue;
        };
        let mut hasher = TreeHasher::default();
        hasher.update(prefix, Some(&whole));
        assert_eq!(hasher.finalize(), blake3::hash(prefix), "{len} bytes");
    }
}
