//! The structural index equals a byte-by-byte classification, because the fast path trusts it.

use fearless_simd::Level;
use proptest::prelude::*;

use super::{BitCursor, StructuralIndex};

/// Bytes of every class, and some others.
const BYTES: &[u8] = b"\"\\\\\\nu/a {\n\t\x00\x1f\x7f\x80\xff";

fn all<const CLASS: usize>(index: &StructuralIndex) -> Vec<usize> {
    let mut cursor = BitCursor::<CLASS>::new(index, 0);
    std::iter::from_fn(|| cursor.next_before(usize::MAX)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    /// The index equals a byte-by-byte classification, on every instruction set: an escape that crosses from one
    /// word into the next is easily lost.
    #[test]
    fn index_equals_byte_by_byte_classification(
        line in prop::collection::vec(prop::sample::select(BYTES.to_vec()), 0..300),
        limit in 0_usize..300,
    ) {
        // A window ends with a line.
        let window = [line, vec![b'\n']].concat();
        let (mut expected, mut escaped) = ([const { Vec::new() }; 4], false);
        for (at, byte) in window.iter().enumerate() {
            let irregular = if escaped { !b"\"\\/bfnrt".contains(byte) } else { *byte < 0x20 && *byte != b'\n' };
            let special = irregular || *byte == b'\\' || !byte.is_ascii();
            let classes = [*byte == b'"' && !escaped, *byte == b'\n', special, irregular];
            for (offsets, _) in expected.iter_mut().zip(classes).filter(|(_, is_member)| *is_member) {
                offsets.push(at);
            }
            escaped = *byte == b'\\' && !escaped;
        }
        for level in [Level::new(), Level::baseline()] {
            let mut index = StructuralIndex { level, words: Vec::new() };
            index.fill(&window);
            prop_assert_eq!(&[all::<0>(&index), all::<1>(&index), all::<2>(&index), all::<3>(&index)], &expected);
            for (start, end) in (0..=window.len()).flat_map(|start| [(start, limit), (start, window.len())]) {
                let quote = expected[0].iter().copied().find(|quote| (start..end).contains(quote));
                prop_assert_eq!(index.next_quote(start, end), quote, "from {} to {}", start, end);
            }
        }
    }
}
