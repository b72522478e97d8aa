//! The complete lines of a log and its tail, found without the library's readers.

use shipper_events::Tail;

/// Divides a log into its complete lines, each with its LF, and its tail.
pub fn split_lines(log: &[u8]) -> (impl Iterator<Item = &[u8]>, Tail) {
    let complete = log.iter().rposition(|byte| *byte == b'\n').map_or(0, |position| position + 1);
    let (lines, rest) = log.split_at(complete);
    let tail = if rest.is_empty() { Tail::Clean } else { Tail::Torn { bytes: rest.len() as u64 } };
    (lines.split_inclusive(|byte| *byte == b'\n'), tail)
}
