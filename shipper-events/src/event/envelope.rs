//! An event with the members that every event has.

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::commit::GitCommit;
use super::members::{ExtraMembers, Lenient, ObjectWriter, json};
use super::timestamp::Timestamp;
use super::types::EventType;
use crate::integrity::ChainLink;
use crate::line::error::LineError;

/// One event of the log.
///
/// An event is parsed from its line with [`FromStr`](std::str::FromStr) and written with [`to_line`](Self::to_line).
/// Its `serde` form is that JSON object. Only `serde_json` supports it, because numbers of any size stay as written.
///
/// ```
/// use shipper_events::Event;
/// let line = r#"{"timestamp":"2026-11-23T08:12:27.100Z","event_type":{"type":"package_published","duration_ms":73},"package":"a@0.1.0"}"#;
/// let event: Event = line.parse()?;
/// assert_eq!(event.event_type.name(), "package_published");
/// assert_eq!(event.to_line(), line);
/// # Ok::<(), shipper_events::event::ParseEventError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// The link to the previous line; `None` on an unchained line.
    pub link: Option<ChainLink>,
    /// The time of the event, as its writer recorded it.
    pub timestamp: Timestamp,
    /// The type and its members.
    pub event_type: EventType,
    /// The package that the event concerns, `name@version`, or `all`.
    pub package: String,
    /// Members of the line that this version does not know.
    pub extra: ExtraMembers,
}

/// An event and the number of its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// The line's number; the first is 1.
    pub line: u64,
    /// The event of that line.
    pub event: Event,
}

/// The error for a text that is not one event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseEventError {
    /// The text is a corrupt line.
    #[error(transparent)]
    Corrupt(#[from] LineError),
    /// The text is a blank line.
    #[error("expected one JSON object, found a blank line")]
    Blank,
}

impl Event {
    /// Builds an unchained event.
    pub fn new(timestamp: Timestamp, event_type: impl Into<EventType>, package: impl Into<String>) -> Self {
        Self {
            link: None,
            timestamp,
            event_type: event_type.into(),
            package: package.into(),
            extra: ExtraMembers::default(),
        }
    }

    /// Returns the content of the package that the event records, a hash of the packed files: `docs/log-format.md`,
    /// "Content". `None` on an unchained line, where another tool may use the name for something else.
    pub fn content(&self) -> Option<&str> {
        self.link.as_ref()?;
        self.event_type.content()?.get().map(String::as_str)
    }

    /// Returns the git commit that the event records: `docs/log-format.md`, "Commits". `None` on an unchained line.
    pub fn git(&self) -> Option<&GitCommit> {
        self.link.as_ref()?;
        self.event_type.git()?.get()
    }

    /// Returns whether the event records that the live registry had the package of a rehearsal already, with the same
    /// content, so that the rehearsal did not build it. `false` on an unchained line.
    pub fn is_already_published(&self) -> bool {
        let member = self.event_type.already_published().filter(|_| self.link.is_some());
        member.and_then(Lenient::get) == Some(&true)
    }

    /// Returns the line of the event, without LF: the known members in the order of the format, then the others. A line
    /// of a log writer that was parsed comes back byte for byte.
    pub fn to_line(&self) -> String {
        let mut line = self.link.as_ref().map_or_else(ObjectWriter::new, |link| ObjectWriter(link.to_string()));
        line.member("timestamp", &json(self.timestamp.as_str()));
        line.member("event_type", &self.event_type.to_json());
        line.member("package", &json(&self.package));
        self.extra.write(&mut line);
        line.finish()
    }
}

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.to_line()).map_err(serde::ser::Error::custom)?.serialize(serializer)
    }
}
