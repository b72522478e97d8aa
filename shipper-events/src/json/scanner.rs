//! The one pass: everything that makes JSON corrupt is seen here, and nothing is built but spans.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::{MAX_DEPTH, Member, Shape, Value, decode};
use crate::fault::{LineError, LineErrorKind};

/// Above this many members an object's names are compared by hash, not pair by pair.
const FEW_MEMBERS: usize = 16;

/// Members of the line's object, and those of the object under one of its names.
pub(crate) struct Line<'a> {
    pub(crate) top: Vec<Member<'a>>,
    pub(crate) inner: Vec<Member<'a>>,
}

/// Reads one object and, in the same pass, the members of the object that stands under `inner`.
pub(crate) fn line<'a>(text: &'a str, inner: &'static str) -> Result<Line<'a>, LineError> {
    let mut line = Line { top: Vec::with_capacity(6), inner: Vec::with_capacity(8) };
    let keep = Keep::Line { top: &mut line.top, named: inner, inner: &mut line.inner };
    Scanner::new(text).document(keep).map_err(|flaw| flaw.place(text))?;
    Ok(line)
}

/// What of an object is handed out.
pub(super) enum Keep<'k, 'a> {
    Nothing,
    Members(&'k mut Vec<Member<'a>>),
    Line { top: &'k mut Vec<Member<'a>>, named: &'static str, inner: &'k mut Vec<Member<'a>> },
}

/// A fault and where it stands; its column is only counted when somebody will read it.
pub(super) struct Flaw {
    fault: LineErrorKind,
    offset: usize,
}

impl Flaw {
    pub(super) fn place(self, text: &str) -> LineError {
        LineError::new(self.fault, text.as_bytes(), self.offset)
    }
}

/// A name's place on the stack of names: those of the objects that are open.
#[derive(Clone, Copy)]
struct Name {
    start: usize,
    end: usize,
    escaped: bool,
}

pub(super) struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    names: Vec<Name>,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, bytes: text.as_bytes(), at: 0, names: Vec::with_capacity(16) }
    }

    pub(super) fn document(&mut self, keep: Keep<'_, 'a>) -> Result<(), Flaw> {
        self.skip_white();
        if self.peek() != Some(b'{') {
            return self.fail(LineErrorKind::NotAnObject);
        }
        self.object(1, keep)?;
        self.skip_white();
        if self.at < self.bytes.len() {
            return self.fail(LineErrorKind::TrailingData);
        }
        Ok(())
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn fail<T>(&self, fault: LineErrorKind) -> Result<T, Flaw> {
        Err(Flaw { fault, offset: self.at })
    }

    fn expected<T>(&self, what: &'static str) -> Result<T, Flaw> {
        self.fail(LineErrorKind::UnexpectedToken { what })
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
                return Err(Flaw {
                    fault: LineErrorKind::UnexpectedToken { what: "the closing quote of this string" },
                    offset: open,
                });
            };
            let plain = rest.get(..step).unwrap_or_default();
            if let Some(control) = plain.iter().position(|byte| *byte < 0x20) {
                self.at += control;
                return self.fail(LineErrorKind::ControlCharacter);
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
                        return self.fail(LineErrorKind::LoneSurrogate);
                    }
                    self.at += 12;
                    Ok(())
                }
                0xDC00..=0xDFFF => self.fail(LineErrorKind::LoneSurrogate),
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

    pub(super) fn array(&mut self, depth: u32, mut keep: Option<&mut Vec<Value<'a>>>) -> Result<(), Flaw> {
        if depth > MAX_DEPTH {
            return self.fail(LineErrorKind::TooDeep);
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

    pub(super) fn object(&mut self, depth: u32, mut keep: Keep<'_, 'a>) -> Result<(), Flaw> {
        if depth > MAX_DEPTH {
            return self.fail(LineErrorKind::TooDeep);
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
        Flaw { fault: LineErrorKind::DuplicateName { name: self.decode(name).into_owned() }, offset: name.start }
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
