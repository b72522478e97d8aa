//! Strict JSON (RFC 8259), read in one pass that builds nothing but spans.
//!
//! A general JSON reader is too forgiving for evidence: it lets the second of two equal names win, and it does not
//! look inside members it ignores. Here one pass over the text checks everything that makes a line corrupt (grammar,
//! duplicate names at any depth compared after unescaping, lone surrogates, depth) and hands out where the members
//! stand; a string is decoded only when somebody asks for it.

mod scanner;

use std::borrow::Cow;

use scanner::{Keep, Scanner};
pub(crate) use scanner::{Line, line};

use crate::fault::{LineError, LineErrorKind};

/// How deep a line may nest; the line's own object is 1. Deeper is corrupt: no event of any version comes near it,
/// and a bound here bounds the stack of every reader.
pub const MAX_DEPTH: u32 = 128;

/// An object's members in the order in which they stand; no two have the same name.
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

/// A JSON value that has been checked: its text and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Value<'a> {
    text: &'a str,
    offset: usize,
    shape: Shape,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Object,
    Array,
    /// `escaped`: it may have an escape.
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

impl<'a> Object<'a> {
    /// Reads bytes that must be exactly one JSON object, white space around it allowed.
    ///
    /// # Errors
    ///
    /// Whatever `docs/log-format.md` (corrupt lines) calls corrupt in the JSON itself, with its place.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, LineError> {
        let text = utf8(bytes)?;
        let mut members = Vec::new();
        Scanner::new(text).document(Keep::Members(&mut members)).map_err(|flaw| flaw.place(text))?;
        Ok(Self { members })
    }

    /// The members in the order in which they stand.
    pub fn members(&self) -> &[Member<'a>] {
        &self.members
    }

    /// The value of the member of that name.
    pub fn get(&self, name: &str) -> Option<Value<'a>> {
        find(&self.members, name)
    }
}

impl<'a> Member<'a> {
    /// A member that was checked elsewhere: a name without escapes, and the text of a value of that shape.
    pub(crate) fn checked(name: &'a str, text: &'a str, shape: Shape) -> Self {
        Self { name: Cow::Borrowed(name), value: Value { text, offset: 0, shape } }
    }

    /// The member's name, unescaped.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The member's value.
    pub fn value(&self) -> Value<'a> {
        self.value
    }
}

pub(crate) fn find<'a>(members: &[Member<'a>], name: &str) -> Option<Value<'a>> {
    members.iter().find(|member| member.name == name).map(|member| member.value)
}

impl<'a> Value<'a> {
    /// The value as it stands in the text.
    pub fn text(self) -> &'a str {
        self.text
    }

    /// Where the value begins, in bytes from the start of what was parsed.
    pub fn offset(self) -> usize {
        self.offset
    }

    /// The decoded string, if it is one.
    pub fn as_str(self) -> Option<Cow<'a, str>> {
        let Shape::String { escaped } = self.shape else {
            return None;
        };
        decode(self.text, escaped)
    }

    /// The boolean, if it is one.
    pub fn as_bool(self) -> Option<bool> {
        match self.shape {
            Shape::True => Some(true),
            Shape::False => Some(false),
            _ => None,
        }
    }

    /// The digits of a number that is digits only: no sign, fraction or exponent.
    pub fn as_digits(self) -> Option<&'a str> {
        match self.shape {
            Shape::Number { digits_only: true } => Some(self.text),
            _ => None,
        }
    }

    /// Whether it is `null`.
    pub fn is_null(self) -> bool {
        self.shape == Shape::Null
    }

    /// Whether it is an object.
    pub fn is_object(self) -> bool {
        self.shape == Shape::Object
    }

    /// The object, if it is one. Its offsets count from the start of this value.
    pub fn as_object(self) -> Option<Object<'a>> {
        if !self.is_object() {
            return None;
        }
        let mut members = Vec::new();
        let mut scanner = Scanner::new(self.text);
        scanner.object(1, Keep::Members(&mut members)).ok()?;
        Some(Object { members })
    }

    /// The elements, if it is an array. Their offsets count from the start of this value.
    pub fn as_array(self) -> Option<Vec<Value<'a>>> {
        if self.shape != Shape::Array {
            return None;
        }
        let mut elements = Vec::new();
        let mut scanner = Scanner::new(self.text);
        scanner.array(1, Some(&mut elements)).ok()?;
        Some(elements)
    }
}

/// Decodes a checked string, quotes included.
fn decode(text: &str, escaped: bool) -> Option<Cow<'_, str>> {
    if escaped {
        serde_json::from_str(text).ok().map(Cow::Owned)
    } else {
        text.get(1..text.len().checked_sub(1)?).map(Cow::Borrowed)
    }
}

pub(crate) fn utf8(bytes: &[u8]) -> Result<&str, LineError> {
    if bytes.starts_with(b"\xef\xbb\xbf") {
        return Err(LineError::new(LineErrorKind::ByteOrderMark, bytes, 0));
    }
    std::str::from_utf8(bytes).map_err(|error| LineError::new(LineErrorKind::NotUtf8, bytes, error.valid_up_to()))
}
