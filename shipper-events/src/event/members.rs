//! Members of events: their JSON types, and codecs that read and write them.

use std::borrow::Cow;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::number::JsonUint;
use crate::integrity::ClaimedHead;
use crate::line::error::LineErrorKind;
use crate::line::strict_json::{Member, Value, find};

/// A JSON value kept as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawJson(Box<str>);

impl RawJson {
    /// Returns the value's text: valid JSON.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Returns the string member of that name; `None` if the value is not an object or has no such string.
    pub fn member(&self, name: &str) -> Option<String> {
        let value: serde_json::Value = serde_json::from_str(&self.0).ok()?;
        value.get(name)?.as_str().map(str::to_owned)
    }
}

/// Encodes the text as a JSON string; does not parse the text as JSON.
impl From<&str> for RawJson {
    fn from(text: &str) -> Self {
        Self(json(text).into())
    }
}

impl From<&serde_json::Value> for RawJson {
    fn from(value: &serde_json::Value) -> Self {
        Self(value.to_string().into())
    }
}

impl From<Value<'_>> for RawJson {
    fn from(value: Value<'_>) -> Self {
        Self(value.raw().into())
    }
}

/// Members that this version does not know, in their order. A rewrite keeps them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExtraMembers(Vec<(Box<str>, RawJson)>);

impl ExtraMembers {
    /// Iterates over name and value of each member.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &RawJson)> {
        self.0.iter().map(|(name, value)| (&**name, value))
    }

    pub(crate) fn from_members(members: &[Member<'_>], is_known: impl Fn(&str) -> bool) -> Self {
        let extra = members.iter().filter(|member| !is_known(member.name()));
        Self(extra.map(|member| (member.name().into(), member.value().into())).collect())
    }

    pub(crate) fn write(&self, out: &mut ObjectWriter) {
        for (name, value) in self.iter() {
            out.member(name, value.text());
        }
    }
}

/// An event of a type that this version does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnknownEvent {
    /// The type's name, as written.
    pub name: String,
    /// The members of `event_type`, except `type`.
    pub extra: ExtraMembers,
}

/// A typed member that no rule reads. If its value has another type, the line is valid, and the value is kept.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Lenient<T> {
    /// The member is absent.
    #[default]
    Absent,
    /// The member has the type that this version knows.
    Valid(T),
    /// The member has another type.
    Other(RawJson),
}

impl<T> Lenient<T> {
    /// Returns the typed value; `None` if the member is absent or has another type.
    pub fn get(&self) -> Option<&T> {
        match self {
            Self::Valid(value) => Some(value),
            Self::Absent | Self::Other(_) => None,
        }
    }

    /// Returns whether the member is neither absent nor null, and has another type.
    pub(crate) fn is_ill_typed(&self) -> bool {
        matches!(self, Self::Other(json) if json.text() != "null")
    }
}

impl<T> From<T> for Lenient<T> {
    fn from(value: T) -> Self {
        Self::Valid(value)
    }
}

impl From<&str> for Lenient<String> {
    fn from(text: &str) -> Self {
        Self::Valid(text.to_owned())
    }
}

impl From<u64> for Lenient<JsonUint> {
    fn from(number: u64) -> Self {
        Self::Valid(number.into())
    }
}

/// A Rust type and its JSON form.
pub(crate) trait JsonType: Sized {
    /// The name of the type in an error.
    const EXPECTED: &'static str;
    fn from_value(value: Value<'_>) -> Option<Self>;
    fn to_json(&self) -> String;
}

/// The type of a member. It decides if an absent member, or a value of another type, is an error.
pub(crate) trait MemberCodec: Sized {
    /// True if a line with another type of value is corrupt.
    const REQUIRED: bool;
    fn read(name: &'static str, value: Option<Value<'_>>) -> Result<Self, MemberError>;
    fn write(&self, name: &str, out: &mut ObjectWriter);
}

/// Reads and writes the members of an object.
pub(super) trait MembersCodec: Sized {
    /// True if the object is corrupt when a member is missing or has another type of value.
    const ANY_REQUIRED: bool;
    fn from_members(members: &[Member<'_>]) -> Result<Self, MemberError>;
    fn write_members(&self, out: &mut ObjectWriter);
}

/// The reason why a member is corrupt, and the offset of its value in the line; `None` if the member is missing.
pub(crate) struct MemberError {
    pub(crate) kind: LineErrorKind,
    pub(crate) offset: Option<usize>,
}

impl MemberError {
    /// Returns the error of a member of `object` whose value is absent or is not `expected`.
    pub(crate) fn new(
        member: &'static str,
        object: &'static str,
        expected: &'static str,
        value: Option<Value<'_>>,
    ) -> Self {
        let kind = match value {
            Some(_) => LineErrorKind::WrongKind { member, expected },
            None => LineErrorKind::MissingMember { member, object, expected },
        };
        Self { kind, offset: value.map(Value::offset) }
    }
}

impl<T: JsonType> MemberCodec for T {
    const REQUIRED: bool = true;

    fn read(name: &'static str, value: Option<Value<'_>>) -> Result<Self, MemberError> {
        value.and_then(T::from_value).ok_or_else(|| MemberError::new(name, "this event type", T::EXPECTED, value))
    }

    fn write(&self, name: &str, out: &mut ObjectWriter) {
        out.member(name, &self.to_json());
    }
}

impl<T: JsonType> MemberCodec for Option<T> {
    const REQUIRED: bool = true;

    fn read(name: &'static str, value: Option<Value<'_>>) -> Result<Self, MemberError> {
        match value {
            Some(value) if !value.is_null() => MemberCodec::read(name, Some(value)).map(Some),
            _ => Ok(None),
        }
    }

    fn write(&self, name: &str, out: &mut ObjectWriter) {
        if let Some(value) = self {
            value.write(name, out);
        }
    }
}

impl<T: JsonType> MemberCodec for Lenient<T> {
    const REQUIRED: bool = false;

    fn read(_: &'static str, value: Option<Value<'_>>) -> Result<Self, MemberError> {
        Ok(match value {
            None => Self::Absent,
            Some(value) => T::from_value(value).map_or_else(|| Self::Other(value.into()), Self::Valid),
        })
    }

    fn write(&self, name: &str, out: &mut ObjectWriter) {
        match self {
            Self::Absent => {}
            Self::Valid(value) => value.write(name, out),
            Self::Other(json) => json.write(name, out),
        }
    }
}

/// A [`JsonType`] whose JSON form is that of `serde`.
pub(super) trait SerdeType: Serialize + DeserializeOwned {
    const EXPECTED: &'static str;
}

impl SerdeType for bool {
    const EXPECTED: &'static str = "true or false";
}

impl SerdeType for Vec<String> {
    const EXPECTED: &'static str = "an array of strings";
}

impl<T: SerdeType> JsonType for T {
    const EXPECTED: &'static str = T::EXPECTED;

    fn from_value(value: Value<'_>) -> Option<Self> {
        serde_json::from_str(value.raw()).ok()
    }

    fn to_json(&self) -> String {
        json(self)
    }
}

impl JsonType for String {
    const EXPECTED: &'static str = "a string";

    fn from_value(value: Value<'_>) -> Option<Self> {
        value.as_str().map(Cow::into_owned)
    }

    fn to_json(&self) -> String {
        json(self)
    }
}

impl JsonType for JsonUint {
    const EXPECTED: &'static str = "an unsigned integer, digits only";

    fn from_value(value: Value<'_>) -> Option<Self> {
        Self::from_value(value)
    }

    fn to_json(&self) -> String {
        self.to_string()
    }
}

impl JsonType for ClaimedHead {
    const EXPECTED: &'static str = "a head: an object with unsigned integers `lines` and `bytes` and a string `blake3`";

    fn from_value(value: Value<'_>) -> Option<Self> {
        Self::of(value)
    }

    fn to_json(&self) -> String {
        let mut object = ObjectWriter::new();
        self.lines.write("lines", &mut object);
        self.bytes.write("bytes", &mut object);
        self.blake3.write("blake3", &mut object);
        object.finish()
    }
}

impl JsonType for RawJson {
    const EXPECTED: &'static str = "a value";

    fn from_value(value: Value<'_>) -> Option<Self> {
        Some(value.into())
    }

    fn to_json(&self) -> String {
        self.text().to_owned()
    }
}

pub(crate) fn read_member<T: MemberCodec>(members: &[Member<'_>], name: &'static str) -> Result<T, MemberError> {
    T::read(name, find(members, name))
}

/// Returns the JSON of a string, a boolean or an array of strings.
#[expect(clippy::expect_used, reason = "no such value fails")]
pub(super) fn json(value: &(impl Serialize + ?Sized)) -> String {
    serde_json::to_string(value).expect("invariant: memory can be written, and there are no maps")
}

/// Writes an object's members one after the other, compactly, after the text that it begins with.
pub(crate) struct ObjectWriter(pub(super) String);

impl ObjectWriter {
    pub(crate) fn new() -> Self {
        Self("{".to_owned())
    }

    /// Writes a member whose value is JSON.
    pub(crate) fn member(&mut self, name: &str, value: &str) {
        if !self.0.ends_with(['{', ',']) {
            self.0.push(',');
        }
        self.0.push_str(&json(name));
        self.0.push(':');
        self.0.push_str(value);
    }

    pub(crate) fn finish(mut self) -> String {
        self.0.push('}');
        self.0
    }
}
