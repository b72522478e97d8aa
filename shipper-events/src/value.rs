//! The kinds of value that members of events have.

use std::borrow::Cow;
use std::fmt;

use crate::integrity::ClaimedHead;
use crate::line::error::LineErrorKind;
use crate::line::strict_json::{Member, Value, find};

/// An unsigned integer of any size: digits only. Real logs hold integers that exceed 64 bits.
///
/// ```
/// use shipper_events::JsonUint;
/// let count = JsonUint::from(3);
/// assert_eq!(count, 3);
/// assert_eq!(count.as_u64(), Some(3));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct JsonUint(Digits);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Digits {
    Small(u64),
    /// More than a `u64` holds. JSON allows no leading zeros, so equal numbers have equal digits.
    Large(Box<str>),
}

impl JsonUint {
    /// The number that a JSON value is, if it is digits only.
    pub fn of(value: Value<'_>) -> Option<Self> {
        value.as_digits().map(Self::parse)
    }

    /// The number of these digits, which have no leading zeros.
    pub(crate) fn parse(digits: &str) -> Self {
        Self(digits.parse().map_or_else(|_| Digits::Large(digits.into()), Digits::Small))
    }

    /// The number, if 64 bits hold it.
    pub fn as_u64(&self) -> Option<u64> {
        match self.0 {
            Digits::Small(number) => Some(number),
            Digits::Large(_) => None,
        }
    }
}

impl From<u64> for JsonUint {
    fn from(number: u64) -> Self {
        Self(Digits::Small(number))
    }
}

impl PartialEq<u64> for JsonUint {
    fn eq(&self, other: &u64) -> bool {
        self.as_u64() == Some(*other)
    }
}

impl fmt::Display for JsonUint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Digits::Small(number) => number.fmt(f),
            Digits::Large(digits) => digits.fmt(f),
        }
    }
}

/// A JSON value kept as it stands in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawJson(Box<str>);

impl RawJson {
    /// The value's text: valid JSON.
    pub fn text(&self) -> &str {
        &self.0
    }
}

/// A string.
impl From<&str> for RawJson {
    fn from(text: &str) -> Self {
        let mut json = String::new();
        write_string(text, &mut json);
        Self(json.into())
    }
}

impl From<Value<'_>> for RawJson {
    fn from(value: Value<'_>) -> Self {
        Self(value.raw().into())
    }
}

/// Members that this version does not know, in the order in which they stood. They survive a rewrite.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExtraMembers(Vec<(Box<str>, RawJson)>);

impl ExtraMembers {
    /// Name and value of each.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &RawJson)> {
        self.0.iter().map(|(name, value)| (&**name, value))
    }

    pub(crate) fn of(members: &[Member<'_>], known: impl Fn(&str) -> bool) -> Self {
        let others = members.iter().filter(|member| !known(member.name()));
        Self(others.map(|member| (member.name().into(), member.value().into())).collect())
    }

    pub(crate) fn push(&mut self, name: &str, value: RawJson) {
        self.0.push((name.into(), value));
    }

    pub(crate) fn without(mut self, names: &[&str]) -> Self {
        self.0.retain(|(name, _)| !names.contains(&&**name));
        self
    }

    pub(crate) fn write(&self, out: &mut ObjectWriter<'_>) {
        for (name, value) in self.iter() {
            out.raw(name, value.text());
        }
    }
}

/// A member that this version types but does not depend on: a newer shape of it spoils nothing and is kept.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Lenient<T> {
    /// The member is not there.
    #[default]
    Absent,
    /// It has the kind that this version knows.
    Typed(T),
    /// It has another kind.
    Other(RawJson),
}

impl<T> Lenient<T> {
    /// The typed value, if it has the kind that this version knows.
    pub fn get(&self) -> Option<&T> {
        match self {
            Self::Typed(value) => Some(value),
            Self::Absent | Self::Other(_) => None,
        }
    }
}

impl<T> From<T> for Lenient<T> {
    fn from(value: T) -> Self {
        Self::Typed(value)
    }
}

/// A kind of value: how it is recognized and written.
pub(crate) trait Kind: Sized {
    /// What a value of this kind is called in an error.
    const EXPECTED: &'static str;
    fn read(value: Value<'_>) -> Option<Self>;
    fn write(&self, out: &mut String);
}

/// What stands under a member's name; its type says whether it must be there and what happens to another kind.
pub(crate) trait Field: Sized {
    /// Whether the member is read: a line with another kind in its place is corrupt.
    const READ: bool;
    fn read(name: &'static str, value: Option<Value<'_>>) -> Result<Self, FieldError>;
    fn write(&self, name: &str, out: &mut ObjectWriter<'_>);
}

/// A fault, and its offset in the line where there is a place for it.
pub(crate) struct FieldError {
    pub(crate) kind: LineErrorKind,
    pub(crate) offset: Option<usize>,
}

impl FieldError {
    fn wrong_kind<T: Kind>(member: &'static str, value: Value<'_>) -> Self {
        let expected = T::EXPECTED;
        Self { kind: LineErrorKind::WrongKind { member, expected }, offset: Some(value.offset()) }
    }
}

impl<T: Kind> Field for T {
    const READ: bool = true;

    fn read(member: &'static str, value: Option<Value<'_>>) -> Result<Self, FieldError> {
        let Some(value) = value else {
            let (object, expected) = ("this event type", T::EXPECTED);
            return Err(FieldError { kind: LineErrorKind::MissingMember { member, object, expected }, offset: None });
        };
        Kind::read(value).ok_or_else(|| FieldError::wrong_kind::<T>(member, value))
    }

    fn write(&self, name: &str, out: &mut ObjectWriter<'_>) {
        let mut text = String::new();
        Kind::write(self, &mut text);
        out.raw(name, &text);
    }
}

impl<T: Kind> Field for Option<T> {
    const READ: bool = true;

    fn read(member: &'static str, value: Option<Value<'_>>) -> Result<Self, FieldError> {
        match value {
            Some(value) if !value.is_null() => Field::read(member, Some(value)).map(Some),
            _ => Ok(None),
        }
    }

    fn write(&self, name: &str, out: &mut ObjectWriter<'_>) {
        if let Some(value) = self {
            Field::write(value, name, out);
        }
    }
}

impl<T: Kind> Field for Lenient<T> {
    const READ: bool = false;

    fn read(_: &'static str, value: Option<Value<'_>>) -> Result<Self, FieldError> {
        Ok(match value {
            None => Self::Absent,
            Some(value) => Kind::read(value).map_or_else(|| Self::Other(value.into()), Self::Typed),
        })
    }

    fn write(&self, name: &str, out: &mut ObjectWriter<'_>) {
        match self {
            Self::Absent => {}
            Self::Typed(value) => Field::write(value, name, out),
            Self::Other(json) => out.raw(name, json.text()),
        }
    }
}

impl Kind for String {
    const EXPECTED: &'static str = "a string";

    fn read(value: Value<'_>) -> Option<Self> {
        value.as_str().map(Cow::into_owned)
    }

    fn write(&self, out: &mut String) {
        write_string(self, out);
    }
}

impl Kind for bool {
    const EXPECTED: &'static str = "true or false";

    fn read(value: Value<'_>) -> Option<Self> {
        value.as_bool()
    }

    fn write(&self, out: &mut String) {
        out.push_str(if *self { "true" } else { "false" });
    }
}

impl Kind for JsonUint {
    const EXPECTED: &'static str = "an unsigned integer, digits only";

    fn read(value: Value<'_>) -> Option<Self> {
        Self::of(value)
    }

    fn write(&self, out: &mut String) {
        out.push_str(&self.to_string());
    }
}

impl Kind for Vec<String> {
    const EXPECTED: &'static str = "an array of strings";

    fn read(value: Value<'_>) -> Option<Self> {
        value.as_array()?.into_iter().map(Kind::read).collect()
    }

    fn write(&self, out: &mut String) {
        out.push('[');
        for (position, text) in self.iter().enumerate() {
            if position > 0 {
                out.push(',');
            }
            write_string(text, out);
        }
        out.push(']');
    }
}

impl Kind for ClaimedHead {
    const EXPECTED: &'static str = "a head: an object with unsigned integers lines and bytes and a string blake3";

    fn read(value: Value<'_>) -> Option<Self> {
        Self::of(value)
    }

    fn write(&self, out: &mut String) {
        let mut object = ObjectWriter::new(out);
        Field::write(&self.lines, "lines", &mut object);
        Field::write(&self.bytes, "bytes", &mut object);
        Field::write(&self.blake3, "blake3", &mut object);
        object.end();
    }
}

impl Kind for RawJson {
    const EXPECTED: &'static str = "a value";

    fn read(value: Value<'_>) -> Option<Self> {
        Some(value.into())
    }

    fn write(&self, out: &mut String) {
        out.push_str(self.text());
    }
}

pub(crate) fn read<T: Field>(members: &[Member<'_>], name: &'static str) -> Result<T, FieldError> {
    T::read(name, find(members, name))
}

pub(crate) fn write_string(text: &str, out: &mut String) {
    out.push_str(&serde_json::Value::from(text).to_string());
}

/// Writes an object's members one after the other, compactly.
pub(crate) struct ObjectWriter<'o> {
    out: &'o mut String,
    first: bool,
}

impl<'o> ObjectWriter<'o> {
    pub(crate) fn new(out: &'o mut String) -> Self {
        out.push('{');
        Self { out, first: true }
    }

    /// A member whose value is already JSON.
    pub(crate) fn raw(&mut self, name: &str, json: &str) {
        if !std::mem::take(&mut self.first) {
            self.out.push(',');
        }
        write_string(name, self.out);
        self.out.push(':');
        self.out.push_str(json);
    }

    pub(crate) fn string(&mut self, name: &str, text: &str) {
        let mut json = String::new();
        write_string(text, &mut json);
        self.raw(name, &json);
    }

    pub(crate) fn end(self) {
        self.out.push('}');
    }
}
