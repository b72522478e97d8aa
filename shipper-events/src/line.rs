//! One line, read strictly.

use std::borrow::Cow;

use time::OffsetDateTime;

use crate::MAX_LINE_LEN;
use crate::event::Event;
use crate::fault::{LineError, LineErrorKind};
use crate::integrity::ChainLink;
use crate::json::{self, Member, Value, find};
use crate::timestamp::{self, Timestamp};
use crate::value::ExtraMembers;
use crate::vocabulary::EventType;

/// What a complete line is, if it is not corrupt.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "nearly every line is an event")]
pub enum ParsedLine<'a> {
    /// Nothing but spaces, tabs and CR: no event.
    Blank,
    /// An event.
    Event(RawEvent<'a>),
}

/// A line that holds an event: everything in it is checked, and only what is asked for is built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawEvent<'a> {
    link: Option<ChainLink>,
    timestamp: Cow<'a, str>,
    instant: OffsetDateTime,
    type_name: Cow<'a, str>,
    package: Cow<'a, str>,
    top: Vec<Member<'a>>,
    inner: Vec<Member<'a>>,
    event_type: Option<EventType>,
}

/// Reads one complete line, with or without its LF.
///
/// # Errors
///
/// When the line is corrupt: see `docs/log-format.md`, "Corrupt lines". Its length is judged first.
///
/// ```
/// use shipper_events::{ParsedLine, parse_line};
/// let line = br#"{"timestamp":"2026-11-23T08:12:26Z","event_type":{"type":"package_uploaded"},"package":"a@0.1.0"}"#;
/// let ParsedLine::Event(record) = parse_line(line)? else { panic!("not blank") };
/// assert_eq!(record.type_name(), "package_uploaded");
/// assert_eq!(record.package(), "a@0.1.0");
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
        let text = json::utf8(bytes)?;
        let json::Line { top, inner } = json::line(text, "event_type")?;
        let at = |fault, value: Option<Value<'_>>| {
            let object = text.find('{').unwrap_or_default();
            LineError::new(fault, bytes, value.map_or(object, Value::offset))
        };
        let string = |members: &[Member<'a>], member: &'static str, of: &'static str| {
            let (value, expected) = (find(members, member), "a string");
            let text = value.and_then(Value::as_str);
            text.ok_or_else(|| at(fault(member, of, expected, value), value))
        };

        let stamp = string(&top, "timestamp", "the line")?;
        let Some(instant) = timestamp::instant(&stamp) else {
            let (member, expected) = ("timestamp", "an RFC 3339 time such as 2026-11-23T08:12:26.839Z");
            return Err(at(LineErrorKind::WrongKind { member, expected }, find(&top, member)));
        };
        let (member, event_type) = ("event_type", find(&top, "event_type"));
        if !event_type.is_some_and(Value::is_object) {
            let expected = "an object with a string \"type\"";
            return Err(at(fault(member, "the line", expected, event_type), event_type));
        }
        let type_name = string(&inner, "type", "event_type").map_err(|corruption| match corruption.fault {
            LineErrorKind::MissingMember { .. } => at(corruption.fault, event_type),
            _ => corruption,
        })?;
        let package = string(&top, "package", "the line")?;
        let event_type = if EventType::is_read(&type_name) {
            let typed = EventType::from_members(&type_name, &inner);
            Some(typed.map_err(|error| match error.offset {
                Some(offset) => LineError::new(error.fault, bytes, offset),
                None => at(error.fault, event_type),
            })?)
        } else {
            None
        };
        Ok(Self {
            link: ChainLink::from_line(bytes),
            timestamp: stamp,
            instant,
            type_name,
            package,
            top,
            inner,
            event_type,
        })
    }

    /// The link to the line before; `None` on a foreign line.
    pub fn link(&self) -> Option<&ChainLink> {
        self.link.as_ref()
    }

    /// When it is said to have happened.
    pub fn instant(&self) -> OffsetDateTime {
        self.instant
    }

    /// The name of the event's type.
    pub fn type_name(&self) -> &str {
        &self.type_name
    }

    /// The package that the event concerns.
    pub fn package(&self) -> &str {
        &self.package
    }

    /// The event's type and its members, typed.
    pub fn event_type(&self) -> EventType {
        // Types with members that must be there were typed when the line was read; the others take every shape, so
        // that the fallback is never reached.
        self.event_type.clone().unwrap_or_else(|| {
            EventType::from_members(&self.type_name, &self.inner).unwrap_or_else(|_| {
                EventType::Unknown(crate::vocabulary::Unknown {
                    name: self.type_name.clone().into_owned(),
                    others: ExtraMembers::of(&self.inner, |member| member == "type"),
                })
            })
        })
    }

    /// The event, owned.
    pub fn into_event(mut self) -> Event {
        let event_type = self.event_type.take().unwrap_or_else(|| self.event_type());
        let chained = self.link.is_some();
        let others = ExtraMembers::of(&self.top, |name| {
            matches!(name, "timestamp" | "event_type" | "package") || (chained && matches!(name, "seq" | "prev"))
        });
        Event {
            link: self.link,
            timestamp: Timestamp::from_parts(&self.timestamp, self.instant),
            event_type,
            package: self.package.into_owned(),
            others,
        }
    }
}

fn fault(member: &'static str, of: &'static str, expected: &'static str, value: Option<Value<'_>>) -> LineErrorKind {
    if value.is_some() {
        LineErrorKind::WrongKind { member, expected }
    } else {
        LineErrorKind::MissingMember { member, of, expected }
    }
}
