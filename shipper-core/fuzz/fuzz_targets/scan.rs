//! Bytes in pieces: the same lines, head and tail as the whole. The first byte says how the rest is cut.

#![no_main]

use libfuzzer_sys::fuzz_target;
use shipper_events::{Cut, HeadHasher, EventReader, Splitter, scan};

fuzz_target!(|bytes: &[u8]| {
    let Some((size, log)) = bytes.split_first() else { return };
    let (lines, tail) = scan(log);
    let lines: Vec<&[u8]> = lines.collect();
    let (mut splitter, mut prefix, mut split) = (Splitter::new(), HeadHasher::new(), Vec::new());
    for mut piece in log.chunks(usize::from(*size).max(1)) {
        while let Some(cut) = splitter.next(&mut piece) {
            let Cut::Lines(run) = cut else { panic!("no line is that long") };
            for line in scan(run).0 {
                prefix.push_line(line);
                split.push(line.to_vec());
            }
        }
    }
    assert_eq!(split, lines);
    assert_eq!(splitter.tail(), tail);
    let mut whole = HeadHasher::new();
    whole.push_part(&lines.concat(), true);
    assert_eq!(prefix.head().blake3, if lines.is_empty() { HeadHasher::new().head().blake3 } else { whole.head().blake3 });
    for _ in EventReader::new(log) {}
});
