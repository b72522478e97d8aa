//! Lines are the same however the bytes arrive, and no more is held than one line: readers of pipes and of files that
//! grow depend on it.

use proptest::prelude::*;
use shipper_events::{Cut, Head, HeadHasher, MAX_LINE_LEN, Splitter, Tail, scan};
use shipper_testkit::settings::proptest_config;

/// Lines, the head of all complete ones, and the tail, from pieces of these sizes in turn.
fn split(log: &[u8], sizes: &[usize]) -> (Vec<Vec<u8>>, Head, Tail) {
    let (mut splitter, mut prefix, mut lines, mut long) = (Splitter::new(), HeadHasher::new(), Vec::new(), Vec::new());
    let (mut rest, mut turn) = (log, 0);
    while !rest.is_empty() {
        let size = sizes.get(turn % sizes.len()).copied().unwrap_or(1).clamp(1, rest.len());
        turn += 1;
        let (mut piece, after) = rest.split_at(size);
        rest = after;
        while let Some(cut) = splitter.next(&mut piece) {
            match cut {
                Cut::Lines(run) => {
                    assert!(run.ends_with(b"\n"));
                    for line in scan(run).0 {
                        assert!(line.len() <= MAX_LINE_LEN);
                        prefix.push_line(line);
                        lines.push(line.to_vec());
                    }
                }
                Cut::LongPart { part, ends_line } => {
                    prefix.push_part(part, ends_line);
                    long.extend_from_slice(part);
                    if ends_line {
                        assert!(long.len() > MAX_LINE_LEN);
                        lines.push(std::mem::take(&mut long));
                    }
                }
            }
        }
    }
    (lines, prefix.head(), splitter.tail())
}

fn head_of(lines: &[Vec<u8>]) -> Head {
    let bytes: Vec<u8> = lines.concat();
    Head { lines: lines.len() as u64, bytes: bytes.len() as u64, blake3: blake3::hash(&bytes) }
}

proptest! {
    #![proptest_config(proptest_config(256))]

    /// (Pass) Any bytes, cut anywhere, are the lines that a scan of the whole finds.
    #[test]
    fn splitting_is_independent_of_chunking(log in "[ab\n\r]{0,200}", sizes in prop::collection::vec(1_usize..40, 1..9)) {
        let (expected, tail) = scan(log.as_bytes());
        let expected: Vec<Vec<u8>> = expected.map(<[u8]>::to_vec).collect();
        let (lines, head, split_tail) = split(log.as_bytes(), &sizes);
        prop_assert_eq!(head, head_of(&expected));
        prop_assert_eq!(lines, expected);
        prop_assert_eq!(split_tail, tail);
    }
}

/// (Pass) Lines around the longest that is held, in pieces of several sizes.
#[test]
fn oversized_lines_are_split_into_parts() {
    for length in [MAX_LINE_LEN - 1, MAX_LINE_LEN, MAX_LINE_LEN + 1, 3 * MAX_LINE_LEN] {
        let mut log = vec![b'x'; length - 1];
        log.extend_from_slice(b"\nshort\ntail");
        for sizes in [&[1 << 16][..], &[MAX_LINE_LEN - 1, 1, 1, 1], &[usize::MAX]] {
            let (lines, head, tail) = split(&log, sizes);
            assert_eq!(lines.iter().map(Vec::len).collect::<Vec<_>>(), [length, 6]);
            assert_eq!(head, head_of(&lines), "{length}");
            assert_eq!(tail, Tail::Torn { bytes: 4 });
        }
    }
}

/// (Pass) A tail longer than any line is counted and not held; the head is that of the lines before it.
#[test]
fn oversized_tail_is_not_part_of_the_head() {
    let mut log = b"line\n".to_vec();
    log.resize(5 + 2 * MAX_LINE_LEN, b'x');
    let (lines, head, tail) = split(&log, &[1 << 20]);
    assert_eq!((lines.len(), tail), (1, Tail::Torn { bytes: 2 * MAX_LINE_LEN as u64 }));
    assert_eq!(head, head_of(&lines));
}
