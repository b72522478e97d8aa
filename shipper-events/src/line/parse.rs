//! One line, read strictly.

use std::borrow::Cow;

use time::OffsetDateTime;

use crate::event::Event;
use crate::integrity::ChainLink;
use crate::line::error::{LineError, LineErrorKind, MAX_LINE_LEN};
use crate::line::strict_json::{self, LineMembers, Member, Object, Value, find};
use crate::timestamp::{self, Timestamp};
use crate::value::{ExtraMembers, FieldError};
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
        let text = strict_json::utf8(bytes)?;
        let LineMembers { top, event_type: inner } = strict_json::read_line(text)?;
        let in_line = |error: FieldError| {
            LineError::new(error.kind, bytes, error.offset.or_else(|| text.find('{')).unwrap_or_default())
        };
        let in_event_type = |error: FieldError| {
            let event_type = || Object::parse(bytes).ok()?.get("event_type").map(Value::offset);
            LineError::new(error.kind, bytes, error.offset.or_else(event_type).unwrap_or_default())
        };

        let stamp = string(&top, "timestamp", "the line").map_err(in_line)?;
        let instant = timestamp::instant(&stamp).ok_or_else(|| {
            let expected = "an RFC 3339 time such as 2026-11-23T08:12:26.839Z";
            in_line(missing_or_wrong("timestamp", "the line", expected, find(&top, "timestamp")))
        })?;
        let inner = inner.ok_or_else(|| {
            let expected = "an object with a string \"type\"";
            in_line(missing_or_wrong("event_type", "the line", expected, find(&top, "event_type")))
        })?;
        let type_name = string(&inner, "type", "event_type").map_err(in_event_type)?;
        let package = string(&top, "package", "the line").map_err(in_line)?;
        let event_type = if EventType::is_read(&type_name) {
            Some(EventType::from_members(&type_name, &inner).map_err(in_event_type)?)
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

fn string<'a>(members: &[Member<'a>], member: &'static str, object: &'static str) -> Result<Cow<'a, str>, FieldError> {
    let value = find(members, member);
    value.and_then(Value::as_str).ok_or_else(|| missing_or_wrong(member, object, "a string", value))
}

fn missing_or_wrong(
    member: &'static str,
    object: &'static str,
    expected: &'static str,
    value: Option<Value<'_>>,
) -> FieldError {
    let kind = match value {
        Some(_) => LineErrorKind::WrongKind { member, expected },
        None => LineErrorKind::MissingMember { member, object, expected },
    };
    FieldError { kind, offset: value.map(Value::offset) }
}
