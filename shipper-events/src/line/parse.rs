//! Parsing of one line.

use std::borrow::Cow;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error};
use serde_json::value::RawValue;
use time::OffsetDateTime;

use super::error::{LineError, LineErrorKind, MAX_LINE_LEN};
use super::strict_json::{Object, Value};
use crate::event::{Event, EventKind, EventType, ExtraMembers, MemberError, ParseEventError, Timestamp, parse_instant};
use crate::integrity::ChainLink;

/// The content of a complete line that is not corrupt.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "nearly every line is an event")]
pub enum ParsedLine<'a> {
    /// Only spaces, tabs and CR: no event.
    Blank,
    /// An event.
    Event(RawEvent<'a>),
}

/// An event that is checked but not built. It borrows from its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawEvent<'a> {
    link: Option<ChainLink>,
    timestamp: Cow<'a, str>,
    instant: OffsetDateTime,
    type_name: Cow<'a, str>,
    package: Cow<'a, str>,
    /// The members of the line and those of `event_type`.
    line: Object<'a>,
    members: Object<'a>,
    /// Built if the type has required members: building checks them.
    event_type: Option<EventType>,
}

/// Parses one complete line, with or without its LF.
///
/// # Errors
///
/// [`LineError`] if the line is corrupt: see `docs/log-format.md`, "Corrupt lines". Its length is checked first.
///
/// ```
/// use shipper_events::{ParsedLine, parse_line};
/// let line = br#"{"timestamp":"2026-11-23T08:12:26Z","event_type":{"type":"package_uploaded"},"package":"a@0.1.0"}"#;
/// let ParsedLine::Event(event) = parse_line(line)? else { panic!("not blank") };
/// assert_eq!(event.type_name(), "package_uploaded");
/// assert_eq!(event.package(), "a@0.1.0");
/// # Ok::<(), shipper_events::LineError>(())
/// ```
pub fn parse_line(bytes: &[u8]) -> Result<ParsedLine<'_>, LineError> {
    let body = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    if body.len() >= MAX_LINE_LEN {
        return Err(LineError::too_long());
    }
    if body.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r')) {
        return Ok(ParsedLine::Blank);
    }
    if let Some(offset) = memchr::memchr(b'\n', body) {
        return Err(LineError::new(LineErrorKind::LineFeed, body, offset));
    }
    RawEvent::parse(body).map(ParsedLine::Event)
}

impl<'a> RawEvent<'a> {
    fn parse(bytes: &'a [u8]) -> Result<Self, LineError> {
        let line = Object::parse(bytes)?;
        let in_line = |error: MemberError| {
            let offset = error.offset.or_else(|| memchr::memchr(b'{', bytes)).unwrap_or_default();
            LineError::new(error.kind, bytes, offset)
        };
        let wrong = |member, expected| in_line(MemberError::new(member, "the line", expected, line.get(member)));
        let timestamp = string(&line, "timestamp", "the line").map_err(in_line)?;
        let instant = parse_instant(&timestamp)
            .ok_or_else(|| wrong("timestamp", "an RFC 3339 time such as 2026-11-23T08:12:26.839Z"))?;
        let event_type = line.get("event_type").and_then(|value| Some((value.offset(), value.as_nested_object()?)));
        let (offset, members) = event_type.ok_or_else(|| wrong("event_type", "an object with a string \"type\""))?;
        let in_event_type = |error: MemberError| LineError::new(error.kind, bytes, error.offset.unwrap_or(offset));
        let type_name = string(&members, "type", "event_type").map_err(in_event_type)?;
        let package = string(&line, "package", "the line").map_err(in_line)?;
        let is_checked = EventKind::from_name(&type_name).is_some_and(EventKind::has_required_members);
        let checked = is_checked.then(|| EventType::from_members(&type_name, members.members())).transpose();
        let event_type = checked.map_err(in_event_type)?;
        let link = ChainLink::from_line(bytes);
        let has_content = link.is_some() && EventKind::from_name(&type_name).is_some_and(EventKind::has_content);
        if has_content && let Some(content) = members.get("content").filter(|content| !content.is_null()) {
            content
                .as_str()
                .ok_or_else(|| in_event_type(MemberError::new("content", "event_type", "a string", Some(content))))?;
        }
        let ill_typed = event_type.as_ref().filter(|_| link.is_some()).and_then(EventType::ill_typed_member);
        if let Some((member, expected)) = ill_typed {
            return Err(in_event_type(MemberError::new(member, "event_type", expected, members.get(member))));
        }
        Ok(Self { link, timestamp, instant, type_name, package, line, members, event_type })
    }

    /// Returns the link to the previous line; `None` on an unchained line.
    pub fn link(&self) -> Option<&ChainLink> {
        self.link.as_ref()
    }

    /// Returns the time of the event, as its writer recorded it.
    pub fn instant(&self) -> OffsetDateTime {
        self.instant
    }

    /// Returns the name of the event's type.
    pub fn type_name(&self) -> &str {
        &self.type_name
    }

    /// Returns the package that the event concerns.
    pub fn package(&self) -> &str {
        &self.package
    }

    /// Builds the event.
    pub fn into_event(self) -> Event {
        let Self { link, timestamp, instant, type_name, package, line, members, event_type } = self;
        let event_type = event_type.unwrap_or_else(|| {
            #[expect(clippy::expect_used, reason = "`parse` has built the types that have required members")]
            EventType::from_members(&type_name, members.members())
                .ok()
                .expect("invariant: every other member may have any type")
        });
        let is_chained = link.is_some();
        let extra = ExtraMembers::from_members(line.members(), |name| {
            matches!(name, "timestamp" | "event_type" | "package") || (is_chained && matches!(name, "seq" | "prev"))
        });
        let timestamp = Timestamp::from_parts(&timestamp, instant);
        Event { link, extra, ..Event::new(timestamp, event_type, package) }
    }
}

fn string<'a>(object: &Object<'a>, member: &'static str, name: &'static str) -> Result<Cow<'a, str>, MemberError> {
    let value = object.get(member);
    value.and_then(Value::as_str).ok_or_else(|| MemberError::new(member, name, "a string", value))
}

impl FromStr for Event {
    type Err = ParseEventError;

    fn from_str(line: &str) -> Result<Self, ParseEventError> {
        match parse_line(line.as_bytes())? {
            ParsedLine::Event(event) => Ok(event.into_event()),
            ParsedLine::Blank => Err(ParseEventError::Blank),
        }
    }
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer)?.get().parse().map_err(Error::custom)
    }
}
