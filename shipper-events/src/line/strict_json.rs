//! Strict JSON (RFC 8259): one object, as spans of the text.
//!
//! `serde_json` checks the grammar and finds the members; their values stay raw text, so that a number of any size is
//! kept as written. This module also rejects what a general reader accepts: duplicate names at any depth (compared
//! after unescaping, also in members that no caller reads), half surrogate pairs, and deep nesting. A string is decoded
//! only on request.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::error::{LineError, LineErrorKind};
pub use super::json_check::MAX_DEPTH;
use super::json_check::{NameSet, check, explain, unescape};

/// The members of a JSON object in their order; no two have the same name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object<'a> {
    members: Vec<Member<'a>>,
}

/// One member of an [`Object`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member<'a> {
    name: Cow<'a, str>,
    value: Value<'a>,
}

/// A checked JSON value: its text and its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Value<'a> {
    text: &'a str,
    offset: usize,
    kind: ValueKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ValueKind {
    Object,
    Array,
    /// `escaped`: it may contain an escape.
    String {
        escaped: bool,
    },
    Number {
        digits_only: bool,
    },
    True,
    False,
    Null,
}

/// The members of a line's object.
pub(crate) struct LineMembers<'a> {
    /// All members except the object `event_type`.
    pub(crate) top: Vec<Member<'a>>,
    /// The members of the object `event_type`; `None` if there is none or it is no object.
    pub(crate) event_type: Option<Vec<Member<'a>>>,
}

impl<'a> Object<'a> {
    /// Reads bytes that must be exactly one JSON object, white space around it allowed.
    ///
    /// # Errors
    ///
    /// [`LineError`] if the JSON is corrupt by `docs/log-format.md`, "Corrupt lines".
    pub fn parse(bytes: &'a [u8]) -> Result<Self, LineError> {
        let text = utf8(bytes)?;
        let members = read_members(text, None).map_err(|_| explain(text).locate(text))?;
        Ok(Self { members })
    }

    /// Returns the members in their order.
    pub fn members(&self) -> &[Member<'a>] {
        &self.members
    }

    /// Returns the value of the member of that name; `None` if there is none.
    pub fn get(&self, name: &str) -> Option<Value<'a>> {
        find(&self.members, name)
    }
}

impl<'a> Member<'a> {
    /// Builds a member from checked parts: a name without escapes, and the text of a value of that kind.
    pub(crate) fn checked(name: &'a str, text: &'a str, kind: ValueKind) -> Self {
        Self { name: Cow::Borrowed(name), value: Value { text, offset: 0, kind } }
    }

    /// Returns the name, unescaped.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the value.
    pub fn value(&self) -> Value<'a> {
        self.value
    }
}

pub(crate) fn find<'a>(members: &[Member<'a>], name: &str) -> Option<Value<'a>> {
    members.iter().find(|member| member.name == name).map(|member| member.value)
}

impl<'a> Value<'a> {
    /// Returns the value's text.
    pub fn raw(self) -> &'a str {
        self.text
    }

    /// Returns the offset of the value, in bytes from the start of what was parsed.
    pub fn offset(self) -> usize {
        self.offset
    }

    /// Returns the decoded string; `None` for another type.
    pub fn as_str(self) -> Option<Cow<'a, str>> {
        let ValueKind::String { escaped } = self.kind else {
            return None;
        };
        unescape(self.text, escaped)
    }

    /// Returns the boolean; `None` for another type.
    pub fn as_bool(self) -> Option<bool> {
        match self.kind {
            ValueKind::True => Some(true),
            ValueKind::False => Some(false),
            _ => None,
        }
    }

    /// Returns the digits of a number without sign, fraction and exponent; `None` for another number or type.
    pub fn as_digits(self) -> Option<&'a str> {
        match self.kind {
            ValueKind::Number { digits_only: true } => Some(self.text),
            _ => None,
        }
    }

    /// Returns whether the value is `null`.
    pub fn is_null(self) -> bool {
        self.kind == ValueKind::Null
    }

    /// Returns whether the value is an object.
    pub fn is_object(self) -> bool {
        self.kind == ValueKind::Object
    }

    /// Returns the object, whose offsets count from the start of this value; `None` for another type.
    pub fn as_object(self) -> Option<Object<'a>> {
        let object = self.is_object().then(|| read_members(self.text, None))?;
        object.ok().map(|members| Object { members })
    }

    /// Returns the elements, whose offsets count from the start of this value; `None` if the value is no array.
    pub fn as_array(self) -> Option<Vec<Value<'a>>> {
        if self.kind != ValueKind::Array {
            return None;
        }
        let elements: Vec<&'a RawValue> = serde_json::from_str(self.text).ok()?;
        Some(elements.into_iter().map(|element| Value::new(element, self.text)).collect())
    }

    fn new(value: &'a RawValue, whole: &str) -> Self {
        let text = value.get();
        let kind = match text.as_bytes() {
            [b'{', ..] => ValueKind::Object,
            [b'[', ..] => ValueKind::Array,
            [b'"', string @ ..] => ValueKind::String { escaped: memchr::memchr(b'\\', string).is_some() },
            [b't', ..] => ValueKind::True,
            [b'f', ..] => ValueKind::False,
            [b'n', ..] => ValueKind::Null,
            number => ValueKind::Number { digits_only: number.iter().all(u8::is_ascii_digit) },
        };
        Self { text, offset: text.as_ptr().addr() - whole.as_ptr().addr(), kind }
    }

    /// Returns whether no value below this one is corrupt; `depth` objects enclose this one.
    fn is_strict(self, depth: u32) -> bool {
        match self.kind {
            ValueKind::Object | ValueKind::Array | ValueKind::String { escaped: true } => {
                check(self.text, depth).is_ok()
            }
            _ => true,
        }
    }
}

/// Reads the members of a line.
pub(crate) fn read_line(text: &str) -> Result<LineMembers<'_>, LineError> {
    let mut event_type = None;
    match read_members(text, Some(&mut event_type)) {
        Ok(top) => Ok(LineMembers { top, event_type }),
        // The line is corrupt, or its `event_type` is no object.
        Err(_) => Object::parse(text.as_bytes()).map(|object| LineMembers { top: object.members, event_type: None }),
    }
}

/// Reads a text that is exactly one object; [`explain`] has the reason if it is not.
fn read_members<'a>(
    text: &'a str,
    event_type: Option<&mut Option<Vec<Member<'a>>>>,
) -> Result<Vec<Member<'a>>, serde_json::Error> {
    let mut json = serde_json::Deserializer::from_str(text);
    let members = MembersVisitor { text, depth: 1, event_type }.deserialize(&mut json)?;
    json.end()?;
    Ok(members)
}

/// Collects the members of an object.
struct MembersVisitor<'v, 'a> {
    text: &'a str,
    depth: u32,
    /// Takes the members of the object `event_type`; `None` to treat that member as any other.
    event_type: Option<&'v mut Option<Vec<Member<'a>>>>,
}

impl<'a> DeserializeSeed<'a> for MembersVisitor<'_, 'a> {
    type Value = Vec<Member<'a>>;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'a> Visitor<'a> for MembersVisitor<'_, 'a> {
    type Value = Vec<Member<'a>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(mut self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut members, mut names) = (Vec::<Member<'a>>::with_capacity(8), NameSet::default());
        while let Some(Name(name)) = map.next_key()? {
            if let Some(event_type) = &mut self.event_type
                && name == "event_type"
            {
                let inner = MembersVisitor { text: self.text, depth: self.depth + 1, event_type: None };
                if event_type.replace(map.next_value_seed(inner)?).is_some() {
                    return Err(A::Error::custom("a duplicate name"));
                }
                continue;
            }
            let member = Member { name, value: Value::new(map.next_value()?, self.text) };
            if !member.value.is_strict(self.depth) || !names.insert(&member, &members, |member| &member.name) {
                return Err(A::Error::custom("a duplicate name, half surrogate pair or deep nesting"));
            }
            members.push(member);
        }
        Ok(members)
    }
}

/// A member's name, borrowed if it has no escape.
struct Name<'a>(Cow<'a, str>);

impl<'a> Deserialize<'a> for Name<'a> {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(NameVisitor)
    }
}

struct NameVisitor;

impl<'a> Visitor<'a> for NameVisitor {
    type Value = Name<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, name: &'a str) -> Result<Name<'a>, E> {
        Ok(Name(Cow::Borrowed(name)))
    }

    fn visit_str<E>(self, name: &str) -> Result<Name<'a>, E> {
        Ok(Name(Cow::Owned(name.to_owned())))
    }
}

pub(crate) fn utf8(bytes: &[u8]) -> Result<&str, LineError> {
    if bytes.starts_with(b"\xef\xbb\xbf") {
        return Err(LineError::new(LineErrorKind::ByteOrderMark, bytes, 0));
    }
    std::str::from_utf8(bytes).map_err(|error| LineError::new(LineErrorKind::NotUtf8, bytes, error.valid_up_to()))
}
