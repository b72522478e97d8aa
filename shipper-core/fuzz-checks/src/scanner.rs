//! A log in pieces: the scanner gives the same result for every line as `chain_oracle`, which works line by line.
//!
//! The first bytes determine how the log is built and cut. No fuzzer finds hashes, so the target adds the links: a
//! correct one for `#`, one with a wrong number for `%`, and one with a wrong hash for `&` at the start of a line.

use shipper_events::scan::{Interest, LogScanner};
use shipper_events::{ChainLink, EventKind};
use shipper_testkit::chain_oracle::{Collector, Verified, verify};
use shipper_testkit::lines::split_lines;

use crate::pieces::Pieces;

const TRACKED: u64 = 2;

fn interest(name: &str) -> Interest {
    match name {
        "package_published" => Interest::PackageOnly,
        "package_output" | "registry_policy_applied" => Interest::Full,
        _ if EventKind::from_name(name).is_none() => Interest::Full,
        _ => Interest::Skip,
    }
}

fn scanned(scan: impl FnOnce(&mut LogScanner, &mut Collector)) -> Verified {
    Collector::scan(LogScanner::new(), TRACKED, interest, scan)
}

/// Returns a filler that moves the rest to the end of a window of 64 KiB, then the lines with their links.
fn made(filler: u8, text: &[u8]) -> Vec<u8> {
    let mut log = Vec::new();
    if let Some(before) = filler.checked_sub(224) {
        let rest =
            r#"{"timestamp":"2026-11-23T08:12:26Z","event_type":{"type":"preflight_complete","x":""},"package":"a"}"#;
        let text = "x".repeat(65_535 - rest.len() - usize::from(before) * 11);
        log.extend_from_slice(rest.replace("\"\"", &format!("\"{text}\"")).as_bytes());
        log.push(b'\n');
    }
    let (mut start, mut lines) = (0, u64::from(!log.is_empty()));
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let mut previous = log.get(start..).unwrap_or_default();
        start = log.len();
        let (off_by, rest) = match line.split_first() {
            Some((b'#', rest)) => (0, rest),
            Some((b'%', rest)) => (3, rest),
            Some((b'&', rest)) => {
                previous = b"another line";
                (0, rest)
            }
            _ => {
                log.extend_from_slice(line);
                lines += 1;
                continue;
            }
        };
        let link = ChainLink::to_previous(lines + off_by, previous).to_string();
        log.extend_from_slice(link.as_bytes());
        log.extend_from_slice(rest);
        lines += 1;
    }
    log
}

pub fn check(bytes: &[u8]) {
    let Some(([filler, one, other, piece], text)) = bytes.split_first_chunk::<4>() else { return };
    let log = made(*filler, text);
    let (lines, tail) = split_lines(&log);
    let lines: Vec<&[u8]> = lines.collect();
    let expected = verify(&log, interest, TRACKED, u64::MAX);
    let at_once = scanned(|scanner, collector| assert!(scanner.feed(&log, collector).is_continue()));
    assert_eq!(at_once, expected, "as one piece");
    let in_blocks = scanned(|scanner, collector| {
        let (mut rest, mut sizes) = (&lines[..], [one, other].into_iter().cycle());
        while let Some(size) = sizes.next().filter(|_| !rest.is_empty()) {
            let (block, after) = rest.split_at(usize::from(*size % 8 + 1).min(rest.len()));
            assert!(scanner.feed(&block.concat(), collector).is_continue());
            rest = after;
        }
    });
    assert_eq!(in_blocks, expected, "in blocks");
    // A stream reads ahead, which is slow: only a quarter of the inputs use it.
    if piece % 4 > 0 {
        return;
    }
    let streamed = scanned(|scanner, collector| {
        let stream = Pieces(&log, u64::from(*piece) * 16 + 1);
        assert!(scanner.read_to_end(stream, collector).expect("memory can be read").is_continue());
        assert_eq!(scanner.tail(), tail);
    });
    assert_eq!(streamed, expected, "from a stream");
}
