//! Encodes new events as the lines of a log.

use std::str::FromStr;
use std::time::SystemTime;

use time::OffsetDateTime;

use super::error::AppendError;
use crate::event::{Event, EventType, ExtraMembers, LogAdopted, ParseEventError, Timestamp};
use crate::integrity::{ChainLink, Head};
use crate::line::error::MAX_LINE_LEN;
use crate::read::{Interest, LogScanner, ReadError, read_events};

/// An event before it is in a log: the writer adds its timestamp and link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// The type and its members.
    pub event_type: EventType,
    /// The package that the event concerns, `name@version`, or `all`.
    pub package: String,
    /// Further members of the line.
    pub extra: ExtraMembers,
}

impl NewEvent {
    /// Builds an event about a package, `name@version`, or about `all`.
    pub fn new(event_type: impl Into<EventType>, package: impl Into<String>) -> Self {
        Self { event_type: event_type.into(), package: package.into(), extra: ExtraMembers::default() }
    }
}

impl FromStr for NewEvent {
    type Err = ParseEventError;

    /// Parses `{"event_type":{…},"package":"…"}`, without the members that the writer adds.
    fn from_str(text: &str) -> Result<Self, ParseEventError> {
        let members = text.trim_start().strip_prefix('{').unwrap_or(text);
        let event: Event = format!(r#"{{"timestamp":"1970-01-01T00:00:00Z",{members}"#).parse()?;
        Ok(Self { event_type: event.event_type, package: event.package, extra: event.extra })
    }
}

/// Encodes the events that `decide` returns for the head before them; after an unchained line, a `log_adopted` first.
pub(super) fn encode(
    now: SystemTime,
    after: &LogScanner,
    decide: impl FnOnce(&Head) -> Vec<NewEvent>,
) -> Result<Vec<u8>, AppendError> {
    let timestamp = timestamp(now).ok_or(AppendError::ClockOutOfRange)?;
    let (mut log, mut bytes) = (after.clone(), Vec::new());
    if log.verifier.chain.prev_unchained {
        let head = log.head();
        let adopted = LogAdopted::new(head.lines, head.bytes, head.blake3.to_string());
        bytes = encode_line(NewEvent::new(adopted, "all"), &timestamp, &mut log)?;
    }
    let events = decide(&log.head());
    if events.is_empty() {
        return Err(AppendError::Empty);
    }
    for event in events {
        bytes.extend(encode_line(event, &timestamp, &mut log)?);
    }
    Ok(bytes)
}

/// Encodes an event as the next line of a log, and verifies it as a reader would: members of a caller may be invalid.
fn encode_line(event: NewEvent, timestamp: &Timestamp, log: &mut LogScanner) -> Result<Vec<u8>, AppendError> {
    let NewEvent { event_type, package, extra } = event;
    let link = ChainLink::to_previous_hash(log.lines(), log.verifier.chain.prev_line);
    let event = Event { link: Some(link), timestamp: timestamp.clone(), event_type, package, extra };
    let line = (event.to_line() + "\n").into_bytes();
    if line.len() > MAX_LINE_LEN {
        return Err(AppendError::TooLong { bytes: line.len() });
    }
    match read_events(log, &line[..], |_| Interest::Skip, |_, _| {}) {
        Err(ReadError::Corrupt { error, .. }) => Err(AppendError::InvalidEvent { error }),
        Err(ReadError::Chain { error, .. }) => Err(AppendError::ChainViolation { error }),
        _ => Ok(line),
    }
}

/// Returns the time as writers encode it: UTC, nine digits, `Z`. `None` if it is outside the years 0 to 9999.
pub(super) fn timestamp(now: SystemTime) -> Option<Timestamp> {
    // `OffsetDateTime::from(now)` panics for such a time.
    let nanoseconds = match now.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => i128::try_from(after.as_nanos()).ok()?,
        Err(before) => -i128::try_from(before.duration().as_nanos()).ok()?,
    };
    let now = OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).ok().filter(|now| now.year() >= 0)?;
    let (date, (hour, minute, second, nano)) = (now.date(), now.time().as_hms_nano());
    let text = format!("{date}T{hour:02}:{minute:02}:{second:02}.{nano:09}Z");
    Some(Timestamp::from_parts(&text, now))
}
