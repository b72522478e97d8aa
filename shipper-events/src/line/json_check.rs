//! The checks of JSON that `serde_json` leaves out, and the reason and the offset of an error.
//!
//! [`check`] scans text whose grammar `serde_json` has accepted. [`explain`] runs only for corrupt text. It gets the
//! offset of the syntax error from `serde_json` and checks the text before it, so it reports the first error in the
//! text.

use std::borrow::Cow;
use std::collections::HashSet;

use serde_json::value::RawValue;

use super::error::{LineError, LineErrorKind};

/// The depth limit of objects and arrays; the line's own object is 1. A deeper line is corrupt. No event of any version
/// comes near the limit, which bounds the stack of every reader.
pub const MAX_DEPTH: u32 = 128;

/// The number of names in an object up to which pairs are compared; a hash set compares more.
const MAX_COMPARED_PAIRWISE: usize = 16;

/// A reason and its offset; the column is counted only for the caller.
#[derive(Debug)]
pub(super) struct JsonError {
    kind: LineErrorKind,
    offset: usize,
}

impl JsonError {
    fn unexpected(expected: &'static str, offset: usize) -> Self {
        Self { kind: LineErrorKind::UnexpectedToken { expected }, offset }
    }

    pub(super) fn locate(self, bytes: &[u8]) -> LineError {
        LineError::new(self.kind, bytes, self.offset)
    }
}

/// Decodes the text of a string; `None` for another value.
pub(super) fn unescape(text: &str) -> Option<Cow<'_, str>> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    match memchr::memchr(b'\\', inner.as_bytes()) {
        Some(_) => serde_json::from_str(text).ok().map(Cow::Owned),
        None => Some(Cow::Borrowed(inner)),
    }
}

/// An object or array that is not closed yet.
#[derive(Default)]
struct Container<'a> {
    is_object: bool,
    names: Vec<Cow<'a, str>>,
    /// All names, if there are many: the number of pairs grows with the square of a line's length.
    hashed: HashSet<Cow<'a, str>>,
}

impl<'a> Container<'a> {
    /// Adds a name of an object, and returns whether it differs from all before it.
    fn add(&mut self, name: Cow<'a, str>) -> bool {
        if self.names.len() < MAX_COMPARED_PAIRWISE {
            let is_new = !self.names.contains(&name);
            self.names.push(name);
            return is_new;
        }
        if self.hashed.is_empty() {
            self.hashed.extend(self.names.iter().cloned());
        }
        self.hashed.insert(name)
    }
}

/// The last token of a text.
#[derive(Clone, Copy)]
enum Token {
    OpeningBracket,
    Comma,
    Colon,
    Name,
    /// A string or a closing bracket.
    Value,
    /// A number, `true`, `false` or `null`.
    Scalar {
        start: usize,
    },
    UnclosedString {
        start: usize,
    },
}

/// The state at the end of a text that was checked.
pub(super) struct End<'a> {
    open: Vec<Container<'a>>,
    last: Token,
}

/// Checks names, surrogate pairs and depth of a text that is a value by JSON's grammar or the beginning of one.
pub(super) fn check(text: &str) -> Result<End<'_>, JsonError> {
    let bytes = text.as_bytes();
    let (mut open, mut last, mut at): (Vec<Container<'_>>, _, _) = (Vec::new(), Token::OpeningBracket, 0);
    while let Some(byte) = bytes.get(at) {
        let start = at;
        at += 1;
        last = match byte {
            b' ' | b'\t' | b'\r' | b'\n' => continue,
            b',' => Token::Comma,
            b':' => Token::Colon,
            b'{' | b'[' => {
                if open.len() >= MAX_DEPTH as usize {
                    return Err(JsonError { kind: LineErrorKind::TooDeep, offset: start });
                }
                open.push(Container { is_object: *byte == b'{', ..Container::default() });
                Token::OpeningBracket
            }
            b'}' | b']' => {
                open.pop();
                Token::Value
            }
            b'"' => match scan_string(bytes, start)? {
                StringEnd::Closed { end } => {
                    at = end;
                    let object = open.last_mut().filter(|container| container.is_object);
                    match object.filter(|_| matches!(last, Token::OpeningBracket | Token::Comma)) {
                        None => Token::Value,
                        Some(object) => {
                            let name = text.get(start..end).and_then(unescape).unwrap_or_default();
                            if !object.add(name.clone()) {
                                let kind = LineErrorKind::DuplicateName { name: name.into_owned() };
                                return Err(JsonError { kind, offset: start });
                            }
                            Token::Name
                        }
                    }
                }
                StringEnd::Unclosed { .. } => {
                    at = bytes.len();
                    Token::UnclosedString { start }
                }
            },
            _ => {
                let ends = |byte: &u8| {
                    matches!(byte, b',' | b':' | b'}' | b']' | b'"' | b'{' | b'[') || byte.is_ascii_whitespace()
                };
                at += bytes.get(at..).unwrap_or_default().iter().take_while(|byte| !ends(byte)).count();
                Token::Scalar { start }
            }
        };
    }
    Ok(End { open, last })
}

enum StringEnd {
    Closed {
        end: usize,
    },
    /// `escape`: the offset of an invalid escape.
    Unclosed {
        escape: Option<usize>,
    },
}

/// Finds the end of the string that begins at `start`.
fn scan_string(bytes: &[u8], start: usize) -> Result<StringEnd, JsonError> {
    let mut at = start + 1;
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let Some(step) = memchr::memchr2(b'"', b'\\', rest) else {
            return Ok(StringEnd::Unclosed { escape: None });
        };
        let (plain, rest) = rest.split_at_checked(step).unwrap_or_default();
        if let Some(control) = plain.iter().position(|byte| *byte < 0x20) {
            return Err(JsonError { kind: LineErrorKind::ControlCharacter, offset: at + control });
        }
        at += step;
        if rest.first() == Some(&b'"') {
            return Ok(StringEnd::Closed { end: at + 1 });
        }
        at += match scan_escape(rest) {
            Escape::Valid { len } => len,
            Escape::LoneSurrogate => return Err(JsonError { kind: LineErrorKind::LoneSurrogate, offset: at }),
            Escape::Invalid => return Ok(StringEnd::Unclosed { escape: Some(at) }),
        };
    }
}

enum Escape {
    Valid { len: usize },
    LoneSurrogate,
    Invalid,
}

/// Reads the escape at the beginning of `rest`, both halves of a surrogate pair at once.
fn scan_escape(rest: &[u8]) -> Escape {
    match rest {
        [_, b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => Escape::Valid { len: 2 },
        [_, b'u', digits @ ..] => match hex4(digits) {
            Some(0xD800..=0xDBFF) => match digits.get(4..) {
                Some([b'\\', b'u', digits @ ..]) => match hex4(digits) {
                    Some(0xDC00..=0xDFFF) => Escape::Valid { len: 12 },
                    Some(_) => Escape::LoneSurrogate,
                    None => Escape::Invalid,
                },
                _ => Escape::LoneSurrogate,
            },
            Some(0xDC00..=0xDFFF) => Escape::LoneSurrogate,
            Some(_) => Escape::Valid { len: 6 },
            None => Escape::Invalid,
        },
        _ => Escape::Invalid,
    }
}

fn hex4(digits: &[u8]) -> Option<u32> {
    let digits = digits.first_chunk::<4>()?;
    digits.iter().try_fold(0, |number, digit| Some(number * 16 + char::from(*digit).to_digit(16)?))
}

/// Returns the first error of a text that is not exactly one strict JSON object.
#[cold]
pub(super) fn explain(text: &str) -> JsonError {
    let object = text.len() - text.trim_start_matches([' ', '\t', '\r', '\n']).len();
    if !text.get(object..).unwrap_or_default().starts_with('{') {
        return JsonError { kind: LineErrorKind::NotAnObject, offset: object };
    }
    let offset = syntax_error_offset(text);
    let boundary = (0..=offset).rev().find(|offset| text.is_char_boundary(*offset)).unwrap_or_default();
    match check(text.get(..boundary).unwrap_or_default()) {
        Ok(end) => end.unexpected(text.as_bytes(), offset),
        Err(error) => error,
    }
}

/// Returns the offset of the first byte that violates the grammar; the text's length for complete or incomplete JSON.
fn syntax_error_offset(text: &str) -> usize {
    // With a space at its end, an incomplete number is reported behind its last digit like every other error.
    let padded = format!("{text} ");
    let Err(error) = serde_json::from_str::<&RawValue>(&padded) else {
        return text.len();
    };
    let feeds = error.line().checked_sub(2);
    let line =
        feeds.and_then(|feeds| memchr::memchr_iter(b'\n', text.as_bytes()).nth(feeds)).map_or(0, |feed| feed + 1);
    (line + error.column()).saturating_sub(1).min(text.len())
}

impl End<'_> {
    /// Returns the error at `offset`, whose byte cannot follow this end.
    fn unexpected(&self, bytes: &[u8], offset: usize) -> JsonError {
        if let Token::Scalar { start } = self.last
            && let Some(error) = unfinished_scalar(bytes, start, offset)
        {
            return error;
        }
        let in_object = self.open.last().map(|container| container.is_object);
        let expected = match (self.last, in_object) {
            (Token::UnclosedString { start }, _) => return string_error(bytes, start),
            // The grammar allows a string here, so the error is inside the string.
            (Token::OpeningBracket | Token::Comma | Token::Colon, Some(_)) if bytes.get(offset) == Some(&b'"') => {
                return string_error(bytes, offset);
            }
            (_, None) => return JsonError { kind: LineErrorKind::TrailingData, offset },
            (Token::OpeningBracket | Token::Comma, Some(true)) => "a member name in double quotes",
            (Token::Name, _) => "a colon after the member name",
            (Token::OpeningBracket | Token::Comma | Token::Colon, _) => "a value",
            (_, Some(true)) => "a comma or the closing brace of the object",
            (_, Some(false)) => "a comma or the closing bracket of the array",
        };
        JsonError::unexpected(expected, offset)
    }
}

/// Returns the error in the string that begins at `start`.
fn string_error(bytes: &[u8], start: usize) -> JsonError {
    match scan_string(bytes, start) {
        Err(error) => error,
        Ok(StringEnd::Unclosed { escape: Some(escape) }) => match bytes.get(escape + 1) {
            Some(b'u') => JsonError::unexpected("four hexadecimal digits after \\u", escape),
            _ => JsonError::unexpected("one of the escapes \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX", escape),
        },
        Ok(_) => JsonError::unexpected("the closing quote of this string", start),
    }
}

/// Returns the error of a number or literal that begins at `start` and is not complete at `offset`.
fn unfinished_scalar(bytes: &[u8], start: usize, offset: usize) -> Option<JsonError> {
    let scalar = bytes.get(start..offset)?;
    match (scalar.trim_ascii_end(), bytes.get(offset)) {
        (b"true" | b"false" | b"null", _) => None,
        ([b't' | b'f' | b'n', ..], _) => Some(JsonError::unexpected("true, false or null", start)),
        (token @ [.., b'0'..=b'9'], next) => {
            let is_split = token.len() == scalar.len() && next.is_some_and(u8::is_ascii_digit);
            is_split.then(|| JsonError::unexpected("no digit after a leading zero", offset))
        }
        _ => Some(JsonError::unexpected("a digit", offset)),
    }
}
