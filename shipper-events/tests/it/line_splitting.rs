//! Lines do not depend on the sizes of the reads, and the reader keeps at most one line in memory. Readers of pipes and
//! of growing files rely on both.

use std::io::{self, Read};

use proptest::prelude::*;
use shipper_events::scan::LineReader;
use shipper_events::{MAX_LINE_LEN, Tail};
use shipper_testkit::lines::split_lines;
use shipper_testkit::settings::proptest_config;

/// A stream whose reads give pieces of these sizes in bytes, in turn.
struct Pieces<'a> {
    rest: &'a [u8],
    sizes: &'a [usize],
    turn: usize,
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = self.sizes[self.turn % self.sizes.len()].clamp(1, buffer.len());
        self.turn += 1;
        (&mut self.rest).take(size as u64).read(buffer)
    }
}

fn read_lines(rest: &[u8], sizes: &[usize]) -> Vec<Vec<u8>> {
    let mut reader = LineReader::new(Pieces { rest, sizes, turn: 0 });
    let mut lines = Vec::new();
    while let Some(line) = reader.next_line().expect("nothing fails") {
        lines.push(line.to_vec());
    }
    lines
}

proptest! {
    #![proptest_config(proptest_config(256))]

    /// Bytes that arrive in pieces of any size give the same lines as in one piece.
    #[test]
    fn splitting_is_independent_of_chunking(log in "[ab\n\r]{0,200}", sizes in prop::collection::vec(1_usize..40, 1..9)) {
        let (lines, tail) = split_lines(log.as_bytes());
        let lines: Vec<Vec<u8>> = lines.map(<[u8]>::to_vec).collect();
        let rest = log.len() - lines.concat().len();
        prop_assert_eq!(tail, if rest == 0 { Tail::Clean } else { Tail::Torn { bytes: rest as u64 } });
        prop_assert_eq!(read_lines(log.as_bytes(), &sizes), lines);
    }
}

/// The reader keeps only the beginning of an oversized line, and reads the next line completely.
#[test]
fn oversized_lines_are_shortened() {
    for length in [MAX_LINE_LEN - 1, MAX_LINE_LEN, MAX_LINE_LEN + 1, MAX_LINE_LEN + 2, 3 * MAX_LINE_LEN] {
        let mut log = vec![b'x'; length - 1];
        log.extend_from_slice(b"\nshort\ntail");
        for sizes in [&[1 << 16][..], &[MAX_LINE_LEN - 1, 1, 1, 1], &[usize::MAX]] {
            let lines = read_lines(&log, sizes);
            assert_eq!(lines.len(), 2);
            assert_eq!(lines[0].len(), length.min(MAX_LINE_LEN + 1), "{length}");
            assert_eq!(lines[1], b"short\n");
        }
    }
}
