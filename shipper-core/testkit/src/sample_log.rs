//! Benchmark input: repeated lines of the shipper tool.

use shipper_events::{ChainLink, parse_line};

use crate::lines::split_lines;

/// The directory of the logs that the shipper tool wrote.
const REAL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/real");

/// Returns complete events of at least `bytes` bytes, in their original order.
pub fn sample_log(bytes: usize) -> Vec<u8> {
    let mut cases: Vec<_> =
        std::fs::read_dir(REAL).expect("the fixtures").map(|case| case.expect("a case").path()).collect();
    cases.sort();
    let logs: Vec<u8> =
        cases.iter().flat_map(|case| std::fs::read(case.join("events.jsonl")).expect("a log")).collect();
    let lines: Vec<&[u8]> =
        split_lines(&logs).0.filter(|line| line.starts_with(b"{") && parse_line(line).is_ok()).collect();
    let once = lines.concat();
    once.repeat(bytes.div_ceil(once.len()))
}

/// Returns the same lines, chained.
pub fn chain(log: &[u8]) -> Vec<u8> {
    let (mut chained, mut previous) = (Vec::new(), Vec::new());
    for (before, line) in (0..).zip(split_lines(log).0) {
        let mut line_and_link = ChainLink::to_previous(before, &previous).to_string().into_bytes();
        line_and_link.extend(line.strip_prefix(b"{").expect("an object"));
        chained.extend_from_slice(&line_and_link);
        previous = line_and_link;
    }
    chained
}
