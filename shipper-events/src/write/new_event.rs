//! An event before it is in a log.

use crate::event::{Event, EventType, ExtraMembers, ParseEventError};

/// An event before it is in a log: the writer adds its timestamp and link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// What happened.
    pub event_type: EventType,
    /// The package it concerns, `name@version`, or `all`.
    pub package: String,
    /// Further members of the line.
    pub extra: ExtraMembers,
}

impl NewEvent {
    /// An event about a package, `name@version`, or about `all`.
    pub fn new(event_type: impl Into<EventType>, package: impl Into<String>) -> Self {
        Self { event_type: event_type.into(), package: package.into(), extra: ExtraMembers::default() }
    }
}

impl std::str::FromStr for NewEvent {
    type Err = ParseEventError;

    /// Reads `{"event_type":{…},"package":"…"}`, without the members that the writer gives.
    fn from_str(text: &str) -> Result<Self, ParseEventError> {
        let members = text.trim_start().strip_prefix('{').unwrap_or(text);
        let event: Event = format!(r#"{{"timestamp":"1970-01-01T00:00:00Z",{members}"#).parse()?;
        Ok(Self { event_type: event.event_type, package: event.package, extra: event.extra })
    }
}
