//! A log in pieces has the same lines, head and tail as in one piece. The first byte is the size of the pieces.

use shipper_events::scan::{LineReader, LogScanner};
use shipper_events::{EventReader, HeadHasher};
use shipper_testkit::chain_oracle::Ignore;
use shipper_testkit::lines::split_lines;

use crate::pieces::Pieces;

pub fn check(bytes: &[u8]) {
    let Some((size, log)) = bytes.split_first() else { return };
    let (lines, tail) = split_lines(log);
    let mut hasher = HeadHasher::new();
    let mut reader = LineReader::new(Pieces(log, u64::from(*size).max(1)));
    for line in lines {
        assert_eq!(reader.next_line().expect("memory can be read"), Some(line));
        hasher.push_line(line);
    }
    assert_eq!(reader.next_line().expect("memory can be read"), None);
    let mut scanner = LogScanner::new();
    for piece in log.chunks(usize::from(*size).max(1)) {
        assert!(scanner.feed(piece, &mut Ignore).is_continue());
    }
    assert_eq!((scanner.head(), scanner.tail()), (hasher.head(), tail));
    for _ in EventReader::new(log) {}
}
