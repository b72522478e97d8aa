//! One event, owned; and where it stands.

use std::fmt;

use crate::integrity::ChainLink;
use crate::line::error::LineError;
use crate::line::parse::{ParsedLine, parse_line};
use crate::timestamp::Timestamp;
use crate::value::{ExtraMembers, write_string};
use crate::vocabulary::EventType;

/// One event: what a line of the log says.
///
/// Its [`Display`](fmt::Display) is the line that a writer writes, without LF: members in the contract's order, then
/// those that this version does not know. A real line comes back byte for byte.
///
/// ```
/// use shipper_events::Event;
/// let line = r#"{"timestamp":"2026-11-23T08:12:27.100Z","event_type":{"type":"package_published","duration_ms":73},"package":"a@0.1.0"}"#;
/// let event: Event = line.parse()?;
/// assert_eq!(event.event_type.name(), "package_published");
/// assert_eq!(event.to_string(), line);
/// # Ok::<(), shipper_events::ParseEventError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The link to the line before; `None` on a foreign line.
    pub link: Option<ChainLink>,
    /// When it is said to have happened: a claim.
    pub timestamp: Timestamp,
    /// What happened.
    pub event_type: EventType,
    /// The package it concerns, `name@version`, or `all`.
    pub package: String,
    /// Members of the line that this version does not know.
    pub others: ExtraMembers,
}

/// An event and the number of its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// The line's number; the first is 1.
    pub line: u64,
    /// The event.
    pub event: Event,
}

/// The text is not one event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseEventError {
    /// It is corrupt.
    #[error(transparent)]
    Corrupt(#[from] LineError),
    /// It is blank.
    #[error("the line is blank; expected one JSON object")]
    Blank,
}

impl Event {
    /// A foreign event: one that is not chained.
    pub fn new(timestamp: Timestamp, event_type: impl Into<EventType>, package: impl Into<String>) -> Self {
        Self {
            link: None,
            timestamp,
            event_type: event_type.into(),
            package: package.into(),
            others: ExtraMembers::default(),
        }
    }
}

impl std::str::FromStr for Event {
    type Err = ParseEventError;

    fn from_str(line: &str) -> Result<Self, ParseEventError> {
        match parse_line(line.as_bytes())? {
            ParsedLine::Event(record) => Ok(record.into_event()),
            ParsedLine::Blank => Err(ParseEventError::Blank),
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = String::new();
        match &self.link {
            Some(link) => line.push_str(&link.to_string()),
            None => line.push('{'),
        }
        line.push_str("\"timestamp\":");
        write_string(self.timestamp.as_str(), &mut line);
        line.push_str(",\"event_type\":");
        self.event_type.write(&mut line);
        line.push_str(",\"package\":");
        write_string(&self.package, &mut line);
        for (name, value) in self.others.iter() {
            line.push(',');
            write_string(name, &mut line);
            line.push(':');
            line.push_str(value.text());
        }
        line.push('}');
        f.write_str(&line)
    }
}
