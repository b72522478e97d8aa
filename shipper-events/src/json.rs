//! Strict JSON (RFC 8259), read in one pass that builds nothing but spans.
//!
//! A general JSON reader is too forgiving for evidence: it lets the second of two equal names win, and it does not
//! look inside members it ignores. Here one pass over the text checks everything that makes a line corrupt (grammar,
//! duplicate names at any depth compared after unescaping, lone surrogates, depth) and hands out where the members
//! stand; a string is decoded only when somebody asks for it.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::fault::{Corruption, Fault};

/// How deep a line may nest; the line's own object is 1. Deeper is corrupt: no event of any version comes near it,
/// and a bound here bounds the stack of every reader.
pub const MAX_DEPTH: u32 = 128;

/// Above this many members an object's names are compared by hash, not pair by pair.
const FEW_MEMBERS: usize = 16;

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
enum Shape {
    Object,
    Array,
    String { escaped: bool },
    Number { digits_only: bool },
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
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Corruption> {
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

pub(crate) fn utf8(bytes: &[u8]) -> Result<&str, Corruption> {
    if bytes.starts_with(b"\xef\xbb\xbf") {
        return Err(Corruption::new(Fault::ByteOrderMark, bytes, 0));
    }
    std::str::from_utf8(bytes).map_err(|error| Corruption::new(Fault::NotUtf8, bytes, error.valid_up_to()))
}

/// Members of the line's object, and those of the object under one of its names.
pub(crate) struct Line<'a> {
    pub(crate) top: Vec<Member<'a>>,
    pub(crate) inner: Vec<Member<'a>>,
}

/// Reads one object and, in the same pass, the members of the object that stands under `inner`.
pub(crate) fn line<'a>(text: &'a str, inner: &'static str) -> Result<Line<'a>, Corruption> {
    let mut line = Line { top: Vec::with_capacity(6), inner: Vec::with_capacity(8) };
    let keep = Keep::Line { top: &mut line.top, named: inner, inner: &mut line.inner };
    Scanner::new(text).document(keep).map_err(|flaw| flaw.place(text))?;
    Ok(line)
}

/// What of an object is handed out.
enum Keep<'k, 'a> {
    Nothing,
    Members(&'k mut Vec<Member<'a>>),
    Line { top: &'k mut Vec<Member<'a>>, named: &'static str, inner: &'k mut Vec<Member<'a>> },
}

/// A fault and where it stands; its column is only counted when somebody will read it.
struct Flaw {
    fault: Fault,
    offset: usize,
}

impl Flaw {
    fn place(self, text: &str) -> Corruption {
        Corruption::new(self.fault, text.as_bytes(), self.offset)
    }
}

/// A name's place on the stack of names: those of the objects that are open.
#[derive(Clone, Copy)]
struct Name {
    start: usize,
    end: usize,
    escaped: bool,
}

struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    names: Vec<Name>,
}

impl<'a> Scanner<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, bytes: text.as_bytes(), at: 0, names: Vec::with_capacity(16) }
    }

    fn document(&mut self, keep: Keep<'_, 'a>) -> Result<(), Flaw> {
        self.skip_white();
        if self.peek() != Some(b'{') {
            return self.fail(Fault::NotAnObject);
        }
        self.object(1, keep)?;
        self.skip_white();
        if self.at < self.bytes.len() {
            return self.fail(Fault::TrailingData);
        }
        Ok(())
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn fail<T>(&self, fault: Fault) -> Result<T, Flaw> {
        Err(Flaw { fault, offset: self.at })
    }

    fn expected<T>(&self, what: &'static str) -> Result<T, Flaw> {
        self.fail(Fault::Expected { what })
    }

    fn skip_white(&mut self) {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.peek() {
            self.at += 1;
        }
    }

    fn slice(&self, start: usize, end: usize) -> &'a str {
        self.text.get(start..end).unwrap_or_default()
    }

    fn value(&mut self, depth: u32) -> Result<Value<'a>, Flaw> {
        let offset = self.at;
        let shape = match self.peek() {
            Some(b'"') => Shape::String { escaped: self.string()? },
            Some(b'{') => {
                self.object(depth, Keep::Nothing)?;
                Shape::Object
            }
            Some(b'[') => {
                self.array(depth, None)?;
                Shape::Array
            }
            Some(b't') => self.word("true", Shape::True)?,
            Some(b'f') => self.word("false", Shape::False)?,
            Some(b'n') => self.word("null", Shape::Null)?,
            Some(b'-' | b'0'..=b'9') => Shape::Number { digits_only: self.number()? },
            _ => return self.expected("a value"),
        };
        Ok(Value { text: self.slice(offset, self.at), offset, shape })
    }

    fn word(&mut self, word: &'static str, shape: Shape) -> Result<Shape, Flaw> {
        let end = self.at + word.len();
        if self.bytes.get(self.at..end) != Some(word.as_bytes()) {
            return self.expected("true, false or null");
        }
        self.at = end;
        Ok(shape)
    }

    fn digits(&mut self) -> Result<(), Flaw> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at == start {
            return self.expected("a digit");
        }
        Ok(())
    }

    /// Passes over a number; true if it is digits only.
    fn number(&mut self) -> Result<bool, Flaw> {
        let mut digits_only = true;
        if self.peek() == Some(b'-') {
            digits_only = false;
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
            if let Some(b'0'..=b'9') = self.peek() {
                return self.expected("no digit after a leading zero");
            }
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            digits_only = false;
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            digits_only = false;
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(digits_only)
    }

    /// Passes over a string, its quotes included; true if it has an escape.
    fn string(&mut self) -> Result<bool, Flaw> {
        let open = self.at;
        let mut escaped = false;
        self.at += 1;
        loop {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            let Some(step) = memchr::memchr2(b'"', b'\\', rest) else {
                return Err(Flaw { fault: Fault::Expected { what: "the closing quote of this string" }, offset: open });
            };
            let plain = rest.get(..step).unwrap_or_default();
            if let Some(control) = plain.iter().position(|byte| *byte < 0x20) {
                self.at += control;
                return self.fail(Fault::ControlCharacter);
            }
            self.at += step;
            if self.peek() == Some(b'"') {
                self.at += 1;
                return Ok(escaped);
            }
            escaped = true;
            self.escape()?;
        }
    }

    /// Passes over one escape, both halves of a surrogate pair at once.
    fn escape(&mut self) -> Result<(), Flaw> {
        match self.bytes.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.at += 2;
                Ok(())
            }
            Some(b'u') => match self.unit(self.at)? {
                0xD800..=0xDBFF => {
                    let low = self.at + 6;
                    let is_escape = self.bytes.get(low..low + 2) == Some(b"\\u");
                    if !is_escape || !matches!(self.unit(low)?, 0xDC00..=0xDFFF) {
                        return self.fail(Fault::LoneSurrogate);
                    }
                    self.at += 12;
                    Ok(())
                }
                0xDC00..=0xDFFF => self.fail(Fault::LoneSurrogate),
                _ => {
                    self.at += 6;
                    Ok(())
                }
            },
            _ => self.expected("one of the escapes \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX"),
        }
    }

    /// The four hexadecimal digits of the `\u` escape at `escape`.
    fn unit(&self, escape: usize) -> Result<u32, Flaw> {
        let digits = self.bytes.get(escape + 2..escape + 6).unwrap_or_default();
        let mut unit = 0;
        for byte in digits {
            match char::from(*byte).to_digit(16) {
                Some(digit) => unit = unit * 16 + digit,
                None => return self.expected("four hexadecimal digits after \\u"),
            }
        }
        if digits.len() < 4 {
            return self.expected("four hexadecimal digits after \\u");
        }
        Ok(unit)
    }

    fn array(&mut self, depth: u32, mut keep: Option<&mut Vec<Value<'a>>>) -> Result<(), Flaw> {
        if depth > MAX_DEPTH {
            return self.fail(Fault::TooDeep);
        }
        self.at += 1;
        self.skip_white();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.skip_white();
            let value = self.value(depth + 1)?;
            if let Some(elements) = &mut keep {
                elements.push(value);
            }
            self.skip_white();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return self.expected("a comma or the closing bracket of the array"),
            }
        }
    }

    fn object(&mut self, depth: u32, mut keep: Keep<'_, 'a>) -> Result<(), Flaw> {
        if depth > MAX_DEPTH {
            return self.fail(Fault::TooDeep);
        }
        let first_name = self.names.len();
        self.at += 1;
        self.skip_white();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.skip_white();
            let name = self.name(first_name)?;
            self.skip_white();
            if self.peek() != Some(b':') {
                return self.expected("a colon after the member's name");
            }
            self.at += 1;
            self.skip_white();
            self.member(depth, name, &mut keep)?;
            self.skip_white();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    break;
                }
                _ => return self.expected("a comma or the closing brace of the object"),
            }
        }
        if self.names.len() - first_name > FEW_MEMBERS {
            self.compare_many(first_name)?;
        }
        self.names.truncate(first_name);
        Ok(())
    }

    fn member(&mut self, depth: u32, name: Name, keep: &mut Keep<'_, 'a>) -> Result<(), Flaw> {
        let members = match keep {
            Keep::Nothing => {
                self.value(depth + 1)?;
                return Ok(());
            }
            Keep::Members(members) => members,
            Keep::Line { top, named, inner } => {
                if self.peek() == Some(b'{') && self.decode(name) == *named {
                    let offset = self.at;
                    self.object(depth + 1, Keep::Members(inner))?;
                    top.push(Member {
                        name: Cow::Borrowed(*named),
                        value: Value { text: self.slice(offset, self.at), offset, shape: Shape::Object },
                    });
                    return Ok(());
                }
                top
            }
        };
        let value = self.value(depth + 1)?;
        let name = self.decode(name);
        members.push(Member { name, value });
        Ok(())
    }

    /// Reads a member's name; among few, a duplicate is seen here.
    fn name(&mut self, first_name: usize) -> Result<Name, Flaw> {
        if self.peek() != Some(b'"') {
            return self.expected("a member's name in quotes");
        }
        let start = self.at;
        let escaped = self.string()?;
        let name = Name { start, end: self.at, escaped };
        let earlier = self.names.get(first_name..).unwrap_or_default();
        if earlier.len() < FEW_MEMBERS && earlier.iter().any(|other| self.same(*other, name)) {
            return Err(self.duplicate(name));
        }
        self.names.push(name);
        Ok(name)
    }

    fn same(&self, left: Name, right: Name) -> bool {
        if left.escaped || right.escaped {
            self.decode(left) == self.decode(right)
        } else {
            self.bytes.get(left.start..left.end) == self.bytes.get(right.start..right.end)
        }
    }

    fn duplicate(&self, name: Name) -> Flaw {
        Flaw { fault: Fault::DuplicateName { name: self.decode(name).into_owned() }, offset: name.start }
    }

    fn decode(&self, name: Name) -> Cow<'a, str> {
        decode(self.slice(name.start, name.end), name.escaped).unwrap_or_default()
    }

    /// Compares many names by hash: a line is as long as its writer likes, and pairs grow with its square.
    fn compare_many(&self, first_name: usize) -> Result<(), Flaw> {
        let names = self.names.get(first_name..).unwrap_or_default();
        let mut hashed: Vec<(u64, Name)> = names.iter().map(|name| (self.hash(*name), *name)).collect();
        hashed.sort_unstable_by_key(|(hash, name)| (*hash, name.start));
        let mut first: Option<Name> = None;
        for group in hashed.chunk_by(|left, right| left.0 == right.0) {
            for (position, (_, name)) in group.iter().enumerate() {
                let earlier = group.get(..position).unwrap_or_default();
                let repeats = earlier.iter().any(|(_, other)| self.same(*other, *name));
                if repeats && first.is_none_or(|found| name.start < found.start) {
                    first = Some(*name);
                }
                if repeats {
                    break;
                }
            }
        }
        first.map_or(Ok(()), |name| Err(self.duplicate(name)))
    }

    fn hash(&self, name: Name) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.decode(name).hash(&mut hasher);
        hasher.finish()
    }
}
