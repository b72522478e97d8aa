//! From new events to the lines of a log.

use std::time::SystemTime;

use time::{OffsetDateTime, UtcOffset};

use super::error::AppendError;
use super::new_event::NewEvent;
use crate::event::Event;
use crate::event::LogAdopted;
use crate::event::Timestamp;
use crate::integrity::{ChainLink, Head};
use crate::line::error::MAX_LINE_LEN;
use crate::read::{Interest, LogScanner, ReadError, read_events};

/// Encodes the events that `decide` returns for the head before them. After an unchained line, a `log_adopted` precedes
/// them.
pub(super) fn encode(
    now: SystemTime,
    after: &LogScanner,
    decide: impl FnOnce(&Head) -> Vec<NewEvent>,
) -> Result<Vec<u8>, AppendError> {
    let timestamp = timestamp(now);
    let mut log = after.clone();
    let mut bytes = Vec::new();
    if log.verifier.chain.prev_unchained {
        let head = log.head();
        let adopted = LogAdopted::new(head.lines, head.bytes, head.blake3.to_string());
        bytes = encode_lines(vec![NewEvent::new(adopted, "all")], &timestamp, &log)?;
        verify_encoded(&bytes, &mut log)?;
    }
    let events = decide(&log.head());
    if events.is_empty() {
        return Err(AppendError::Empty);
    }
    let decided = encode_lines(events, &timestamp, &log)?;
    verify_encoded(&decided, &mut log)?;
    bytes.extend(decided);
    Ok(bytes)
}

/// Encodes each event as a line that links to the one before it.
fn encode_lines(events: Vec<NewEvent>, timestamp: &Timestamp, after: &LogScanner) -> Result<Vec<u8>, AppendError> {
    let (mut lines, mut prev_line, mut bytes) = (after.lines(), after.verifier.chain.prev_line, Vec::new());
    for event in events {
        let event = Event {
            link: Some(ChainLink::to_previous_hash(lines, prev_line)),
            timestamp: timestamp.clone(),
            event_type: event.event_type,
            package: event.package,
            extra: event.extra,
        };
        let line = (event.to_line() + "\n").into_bytes();
        if line.len() > MAX_LINE_LEN {
            return Err(AppendError::TooLong { bytes: line.len() });
        }
        lines += 1;
        prev_line = blake3::hash(&line);
        bytes.extend(line);
    }
    Ok(bytes)
}

/// Verifies encoded lines as a reader would: the members that a caller adds may make a line invalid.
fn verify_encoded(bytes: &[u8], log: &mut LogScanner) -> Result<(), AppendError> {
    match read_events(log, bytes, |_| Interest::Skip, |_, _| {}) {
        Err(ReadError::Corrupt { error, .. }) => Err(AppendError::InvalidEvent { error }),
        Err(ReadError::Chain { error, .. }) => Err(AppendError::ChainViolation { error }),
        _ => Ok(()),
    }
}

/// The time as events have it: UTC, nine digits, `Z`.
pub(super) fn timestamp(now: SystemTime) -> Timestamp {
    let now = OffsetDateTime::from(now).to_offset(UtcOffset::UTC);
    let (date, (hour, minute, second, nano)) = (now.date(), now.time().as_hms_nano());
    let text = format!("{date}T{hour:02}:{minute:02}:{second:02}.{nano:09}Z");
    Timestamp::from_parts(&text, now)
}
