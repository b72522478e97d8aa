//! Strict JSON (RFC 8259): one object, as spans of the text.
//!
//! `serde_json` checks the grammar and finds the members. Their values stay raw text, so that a number of any size is kept
//! as written, and a string is decoded only on request. It also rejects duplicate names (at any depth, compared after
//! unescaping, also in members that no caller reads), unpaired surrogates, and nesting deeper than [`MAX_DEPTH`].

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::error::{LineError, LineErrorKind};
pub use super::json_check::MAX_DEPTH;
use super::json_check::{check, explain, unescape};

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

/// A checked JSON value: its text and its offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Value<'a> {
    text: &'a str,
    offset: usize,
}

impl<'a> Object<'a> {
    /// Parses bytes that must be exactly one JSON object, white space around it allowed.
    ///
    /// # Errors
    ///
    /// [`LineError`] if the JSON is corrupt by `docs/log-format.md`, "Corrupt lines". Its offset counts from the start
    /// of `bytes`. Its column counts from the start of the line of `bytes` that contains the error.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, LineError> {
        if bytes.starts_with(b"\xef\xbb\xbf") {
            return Err(LineError::new(LineErrorKind::ByteOrderMark, bytes, 0));
        }
        let text = std::str::from_utf8(bytes)
            .map_err(|error| LineError::new(LineErrorKind::NotUtf8, bytes, error.valid_up_to()))?;
        let object = Self::from_text(text, 0).map_err(|_| explain(text)).and_then(|object| check(text).map(|_| object));
        object.map_err(|error| error.locate(bytes))
    }

    /// Splits the text at an offset into members. Only the grammar is checked.
    fn from_text(text: &'a str, offset: usize) -> serde_json::Result<Self> {
        let Members(members) = serde_json::from_str(text)?;
        let member = |(Name(name), value): (Name<'a>, &'a RawValue)| {
            let value = value.get();
            Member { name, value: Value { text: value, offset: offset + value.as_ptr().addr() - text.as_ptr().addr() } }
        };
        Ok(Self { members: members.into_iter().map(member).collect() })
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
    /// Builds a member from checked parts: a name without escapes, and the text of a value.
    pub(crate) fn checked(name: &'a str, text: &'a str) -> Self {
        Self { name: Cow::Borrowed(name), value: Value { text, offset: 0 } }
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
        unescape(self.text)
    }

    /// Returns the boolean; `None` for another type.
    pub fn as_bool(self) -> Option<bool> {
        self.text.parse().ok()
    }

    /// Returns whether the value is `null`.
    pub fn is_null(self) -> bool {
        self.text == "null"
    }

    /// Returns the object, whose offsets count from the start of this value; `None` for another type.
    pub fn as_object(self) -> Option<Object<'a>> {
        Object::from_text(self.text, 0).ok()
    }

    /// Returns the elements of an array, whose offsets count from the start of this value; `None` for another type.
    pub fn as_array(self) -> Option<Vec<Value<'a>>> {
        let elements: Vec<&'a RawValue> = serde_json::from_str(self.text).ok()?;
        let offset = |text: &str| text.as_ptr().addr() - self.text.as_ptr().addr();
        Some(elements.into_iter().map(|element| Value { text: element.get(), offset: offset(element.get()) }).collect())
    }

    /// Returns what [`as_object`](Self::as_object) returns, with offsets from the start of the parsed text.
    pub(crate) fn as_nested_object(self) -> Option<Object<'a>> {
        Object::from_text(self.text, self.offset).ok()
    }
}

/// The members of an object as `serde_json` gives them.
struct Members<'a>(Vec<(Name<'a>, &'a RawValue)>);

/// The name of a member, borrowed if it has no escape.
#[derive(serde::Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::with_capacity(8);
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}
