//! Strict JSON (RFC 8259): one object, as spans of the text.
//!
//! One pass checks the text and finds the first error in it. Besides the grammar it rejects what general readers accept and
//! could read in two ways: duplicate names at any depth (compared after unescaping, also in members that no caller reads),
//! half surrogate pairs, and deep nesting. Values stay raw text, so that a number of any size is kept as written. A string is
//! decoded only on request.

use std::borrow::Cow;
use std::collections::HashSet;

use super::error::{LineError, LineErrorKind};

/// The depth limit of objects and arrays; the line's own object is 1. Deeper is corrupt: no event of any version
/// comes near it, and a limit here bounds the stack of every reader.
pub const MAX_DEPTH: u32 = 128;

/// The number of names in an object up to which pairs are compared; a hash set compares more.
const MAX_COMPARED_PAIRWISE: usize = 16;

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
}

impl<'a> Object<'a> {
    /// Parses bytes that must be exactly one JSON object, white space around it allowed.
    ///
    /// # Errors
    ///
    /// [`LineError`] if the JSON is corrupt by `docs/log-format.md`, "Corrupt lines".
    pub fn parse(bytes: &'a [u8]) -> Result<Self, LineError> {
        Self::parse_line(bytes).map(|(object, _)| object)
    }

    /// As [`parse`](Self::parse). The second object has the members of the object `event_type`, and is empty without it.
    pub(crate) fn parse_line(bytes: &'a [u8]) -> Result<(Self, Self), LineError> {
        if bytes.starts_with(b"\xef\xbb\xbf") {
            return Err(LineError::new(LineErrorKind::ByteOrderMark, bytes, 0));
        }
        let text = std::str::from_utf8(bytes)
            .map_err(|error| LineError::new(LineErrorKind::NotUtf8, bytes, error.valid_up_to()))?;
        Parser::parse(text).map_err(|(kind, offset)| LineError::new(kind, bytes, offset))
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
        let text = self.text.strip_prefix('"')?.strip_suffix('"')?;
        if memchr::memchr(b'\\', text.as_bytes()).is_none() {
            return Some(Cow::Borrowed(text));
        }
        serde_json::from_str(self.text).ok().map(Cow::Owned)
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
        Parser::parse(self.text).ok().map(|(object, _)| object)
    }
}

/// A reason and its offset; the column is counted only for the caller.
type ParseError = (LineErrorKind, usize);

/// Parses a text from its start to its first error.
struct Parser<'a> {
    text: &'a str,
    offset: usize,
    /// The number of objects and arrays that are not closed yet.
    depth: u32,
    event_type: Vec<Member<'a>>,
}

impl<'a> Parser<'a> {
    /// Parses a text that must be exactly one object. The second object has the members of its object `event_type`.
    fn parse(text: &'a str) -> Result<(Object<'a>, Object<'a>), ParseError> {
        let mut parser = Self { text, offset: 0, depth: 0, event_type: Vec::new() };
        if parser.skip_space() != Some(b'{') {
            return Err((LineErrorKind::NotAnObject, parser.offset));
        }
        let members = parser.members()?;
        match parser.skip_space() {
            None => Ok((Object { members }, Object { members: parser.event_type })),
            Some(_) => Err((LineErrorKind::TrailingData, parser.offset)),
        }
    }

    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.offset..).unwrap_or_default()
    }

    /// Skips white space and returns the byte after it; `None` at the end of the text.
    fn skip_space(&mut self) -> Option<u8> {
        self.skip_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'));
        self.rest().first().copied()
    }

    /// Skips bytes and returns their number.
    fn skip_while(&mut self, skips: impl Fn(&u8) -> bool) -> usize {
        let count = self.rest().iter().take_while(|byte| skips(byte)).count();
        self.offset += count;
        count
    }

    /// Skips the next byte if it is one of these, and returns whether it is.
    fn skip_any(&mut self, bytes: &[u8]) -> bool {
        let found = self.rest().first().is_some_and(|byte| bytes.contains(byte));
        self.offset += usize::from(found);
        found
    }

    fn unexpected<T>(&self, expected: &'static str) -> Result<T, ParseError> {
        Err((LineErrorKind::UnexpectedToken { expected }, self.offset))
    }

    /// Parses a value, and returns its members if it is an object.
    fn value(&mut self) -> Result<(Value<'a>, Vec<Member<'a>>), ParseError> {
        let (first, offset, mut members) = (self.skip_space(), self.offset, Vec::new());
        match first {
            Some(b'{') => members = self.members()?,
            Some(b'[') => {
                let expected = "a comma or the closing bracket of the array";
                self.items(b']', expected, |parser| parser.value().map(|_| ()))?;
            }
            Some(b'"') => self.string()?,
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b't' | b'f' | b'n') => self.literal()?,
            _ => return self.unexpected("a value"),
        }
        Ok((Value { text: self.text.get(offset..self.offset).unwrap_or_default(), offset }, members))
    }

    /// Parses an object or array: items with a comma between each two.
    fn items(
        &mut self,
        closing: u8,
        expected: &'static str,
        mut item: impl FnMut(&mut Self) -> Result<(), ParseError>,
    ) -> Result<(), ParseError> {
        if self.depth == MAX_DEPTH {
            return Err((LineErrorKind::TooDeep, self.offset));
        }
        self.depth += 1;
        self.offset += 1;
        if self.skip_space() != Some(closing) {
            item(self)?;
            while self.skip_space() == Some(b',') {
                self.offset += 1;
                item(self)?;
            }
        }
        if self.skip_space() != Some(closing) {
            return self.unexpected(expected);
        }
        self.depth -= 1;
        self.offset += 1;
        Ok(())
    }

    fn members(&mut self) -> Result<Vec<Member<'a>>, ParseError> {
        let (mut members, mut names) = (Vec::<Member<'a>>::with_capacity(8), HashSet::new());
        self.items(b'}', "a comma or the closing brace of the object", |parser| {
            if parser.skip_space() != Some(b'"') {
                return parser.unexpected("a member's name in quotes");
            }
            let (name, _) = parser.value()?;
            let (name, offset) = (name.as_str().unwrap_or_default(), name.offset);
            let is_new = if members.len() < MAX_COMPARED_PAIRWISE {
                find(&members, &name).is_none()
            } else {
                if names.is_empty() {
                    names.extend(members.iter().map(|member| member.name.clone()));
                }
                names.insert(name.clone())
            };
            if !is_new {
                return Err((LineErrorKind::DuplicateName { name: name.into_owned() }, offset));
            }
            if parser.skip_space() != Some(b':') {
                return parser.unexpected("a colon after the member's name");
            }
            parser.offset += 1;
            let (value, inner) = parser.value()?;
            if parser.depth == 1 && name == "event_type" {
                parser.event_type = inner;
            }
            members.push(Member { name, value });
            Ok(())
        })?;
        Ok(members)
    }

    fn literal(&mut self) -> Result<(), ParseError> {
        let Some(literal) =
            ["true", "false", "null"].iter().find(|literal| self.rest().starts_with(literal.as_bytes()))
        else {
            return self.unexpected("true, false or null");
        };
        self.offset += literal.len();
        Ok(())
    }

    fn number(&mut self) -> Result<(), ParseError> {
        self.skip_any(b"-");
        if !self.skip_any(b"0") {
            self.digits()?;
        } else if self.rest().first().is_some_and(u8::is_ascii_digit) {
            return self.unexpected("no digit after a leading zero");
        }
        if self.skip_any(b".") {
            self.digits()?;
        }
        if self.skip_any(b"eE") {
            self.skip_any(b"+-");
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), ParseError> {
        if self.skip_while(u8::is_ascii_digit) == 0 { self.unexpected("a digit") } else { Ok(()) }
    }

    fn string(&mut self) -> Result<(), ParseError> {
        let mut end = self.offset + 1;
        loop {
            let rest = self.text.as_bytes().get(end..).unwrap_or_default();
            let plain = rest.iter().take_while(|byte| !matches!(byte, b'"' | b'\\' | 0..=0x1f)).count();
            end += plain;
            match rest.get(plain..).unwrap_or_default() {
                [b'"', ..] => {
                    self.offset = end + 1;
                    return Ok(());
                }
                escape @ [b'\\', ..] => end += escape_len(escape).map_err(|kind| (kind, end))?,
                [_, after @ ..] if memchr::memchr2(b'"', b'\\', after).is_some() => {
                    return Err((LineErrorKind::ControlCharacter, end));
                }
                _ => return self.unexpected("the closing quote of this string"),
            }
        }
    }
}

/// Returns the length of the escape at the beginning of `rest`; both halves of a surrogate pair are one escape.
fn escape_len(rest: &[u8]) -> Result<usize, LineErrorKind> {
    match rest {
        [_, b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => Ok(2),
        [_, b'u', digits @ ..] => match (hex4(digits)?, digits.get(4..)) {
            (0xD800..=0xDBFF, Some([b'\\', b'u', low @ ..])) => match hex4(low)? {
                0xDC00..=0xDFFF => Ok(12),
                _ => Err(LineErrorKind::LoneSurrogate),
            },
            (0xD800..=0xDFFF, _) => Err(LineErrorKind::LoneSurrogate),
            _ => Ok(6),
        },
        _ => {
            let expected = "one of the escapes \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX";
            Err(LineErrorKind::UnexpectedToken { expected })
        }
    }
}

fn hex4(digits: &[u8]) -> Result<u32, LineErrorKind> {
    let value = |digits: &[u8; 4]| {
        digits.iter().try_fold(0, |number, digit| Some(number * 16 + char::from(*digit).to_digit(16)?))
    };
    let expected = "four hexadecimal digits after \\u";
    digits.first_chunk().and_then(value).ok_or(LineErrorKind::UnexpectedToken { expected })
}
