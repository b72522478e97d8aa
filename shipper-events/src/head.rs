//! Heads: the exact bytes up to a line, in three numbers.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::line::strict_json::Value;
use crate::value::JsonUint;

/// The head of a prefix of a log: how many lines and bytes it has, and the BLAKE3 of those bytes.
///
/// Written `LINES:BYTES:BLAKE3`. Whoever keeps a head elsewhere can later check the log with nothing but
/// `head -c BYTES events.jsonl | b3sum`.
///
/// ```
/// use shipper_events::{Head, HeadHasher};
/// let mut prefix = HeadHasher::new();
/// prefix.push_line(b"{}\n");
/// let head = prefix.head();
/// assert_eq!((head.lines, head.bytes), (1, 3));
/// assert_eq!(head.to_string().parse::<Head>()?, head);
/// # Ok::<(), shipper_events::ParseHeadError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Head {
    /// Complete lines in the prefix.
    pub lines: u64,
    /// Bytes in the prefix.
    pub bytes: u64,
    /// BLAKE3 of those bytes.
    pub blake3: blake3::Hash,
}

/// The text is no `LINES:BYTES:BLAKE3`.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "expected a head LINES:BYTES:BLAKE3, two decimal numbers and 64 lower-case hexadecimal digits, such as 38:6928:c8f1…"
)]
#[non_exhaustive]
pub struct ParseHeadError;

impl Head {
    /// The head of no bytes at all: every log extends it.
    pub fn empty() -> Self {
        HeadHasher::new().head()
    }
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.lines, self.bytes, self.blake3)
    }
}

impl FromStr for Head {
    type Err = ParseHeadError;

    fn from_str(text: &str) -> Result<Self, ParseHeadError> {
        let mut parts = text.split(':');
        let (Some(lines), Some(bytes), Some(blake3), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(ParseHeadError);
        };
        Ok(Self {
            lines: digits(lines)?,
            bytes: digits(bytes)?,
            blake3: hash(blake3.as_bytes()).ok_or(ParseHeadError)?,
        })
    }
}

fn digits(text: &str) -> Result<u64, ParseHeadError> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.parse().map_err(|_| ParseHeadError)
    } else {
        Err(ParseHeadError)
    }
}

/// The hash that 64 lower-case hexadecimal digits are.
pub(crate) fn hash(text: &[u8]) -> Option<blake3::Hash> {
    let digits: &[u8; 64] = text.try_into().ok()?;
    let (mut bytes, mut seen) = ([0; 32], 0);
    for (byte, [high, low]) in bytes.iter_mut().zip(digits.as_chunks::<2>().0) {
        let (high, low) = (digit(*high), digit(*low));
        seen |= high | low;
        *byte = (high << 4) | low;
    }
    // Every chained line has one: no branch for each digit.
    (seen < 16).then(|| blake3::Hash::from_bytes(bytes))
}

/// What a hexadecimal digit is worth; 16 or more if it is none, or none in lower case.
fn digit(byte: u8) -> u8 {
    match byte {
        b'0'..=b'9' => byte - b'0',
        b'a'..=b'f' => byte - b'a' + 10,
        _ => u8::MAX,
    }
}

#[derive(Serialize, Deserialize)]
struct Members {
    lines: u64,
    bytes: u64,
    blake3: String,
}

impl Serialize for Head {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Members { lines: self.lines, bytes: self.bytes, blake3: self.blake3.to_string() }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Head {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let members = Members::deserialize(deserializer)?;
        Ok(Self {
            lines: members.lines,
            bytes: members.bytes,
            blake3: hash(members.blake3.as_bytes()).ok_or_else(|| serde::de::Error::custom(ParseHeadError))?,
        })
    }
}

/// A head as an event or a sidecar claims it: its numbers may be of any size and its hash any text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedHead {
    /// Lines, as recorded.
    pub lines: JsonUint,
    /// Bytes, as recorded.
    pub bytes: JsonUint,
    /// The hash, as recorded.
    pub blake3: String,
}

impl ClaimedHead {
    /// The head that a JSON value is, if it is an object with `lines`, `bytes` and `blake3` of their kinds.
    pub fn of(value: Value<'_>) -> Option<Self> {
        let object = value.as_object()?;
        Some(Self {
            lines: JsonUint::of(object.get("lines")?)?,
            bytes: JsonUint::of(object.get("bytes")?)?,
            blake3: object.get("blake3")?.as_str()?.into_owned(),
        })
    }

    /// Whether it is the head of that prefix.
    pub fn matches(&self, head: &Head) -> bool {
        self.lines == head.lines && self.bytes == head.bytes && self.blake3 == head.blake3.to_hex().as_str()
    }
}

impl From<Head> for ClaimedHead {
    fn from(head: Head) -> Self {
        Self { lines: head.lines.into(), bytes: head.bytes.into(), blake3: head.blake3.to_string() }
    }
}

impl fmt::Display for ClaimedHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.lines, self.bytes, self.blake3)
    }
}

/// How many bytes are gathered before they are hashed, one chunk of BLAKE3: fewer cost more, and more are hashed again for
/// each head that is asked for. Long pieces are not gathered.
const GATHER: usize = 1024;

/// The bytes of a log so far, as a head that grows line by line.
#[derive(Debug, Clone)]
pub struct HeadHasher {
    lines: u64,
    bytes: u64,
    hasher: blake3::Hasher,
    gathered: Vec<u8>,
    /// A line too long to be held is hashed as it comes, beside the head, until its end shows that it is a line.
    unfinished: Option<(blake3::Hasher, u64)>,
}

impl HeadHasher {
    /// The prefix of no bytes.
    pub fn new() -> Self {
        Self { lines: 0, bytes: 0, hasher: blake3::Hasher::new(), gathered: Vec::new(), unfinished: None }
    }

    /// Complete lines so far.
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// Bytes of those lines.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Adds a complete line, its LF included.
    pub fn push_line(&mut self, line: &[u8]) {
        self.push_lines(line, 1);
    }

    /// Adds so many complete lines.
    pub(crate) fn push_lines(&mut self, bytes: &[u8], lines: u64) {
        self.lines += lines;
        self.bytes += bytes.len() as u64;
        if self.gathered.len() + bytes.len() > GATHER {
            self.flush();
        }
        if bytes.len() > GATHER {
            self.hasher.update(bytes);
        } else {
            self.gathered.extend_from_slice(bytes);
        }
    }

    /// Adds a part of a line that is too long to be held. It counts once a part ends the line.
    pub fn push_part(&mut self, part: &[u8], ends_line: bool) {
        self.flush();
        let (mut hasher, mut bytes) = self.unfinished.take().unwrap_or_else(|| (self.hasher.clone(), self.bytes));
        hasher.update(part);
        bytes += part.len() as u64;
        if ends_line {
            self.lines += 1;
            self.bytes = bytes;
            self.hasher = hasher;
        } else {
            self.unfinished = Some((hasher, bytes));
        }
    }

    /// The head of the complete lines so far.
    pub fn head(&self) -> Head {
        let blake3 = if self.gathered.is_empty() {
            self.hasher.finalize()
        } else {
            self.hasher.clone().update(&self.gathered).finalize()
        };
        Head { lines: self.lines, bytes: self.bytes, blake3 }
    }

    fn flush(&mut self) {
        self.hasher.update(&self.gathered);
        self.gathered.clear();
    }
}

impl Default for HeadHasher {
    fn default() -> Self {
        Self::new()
    }
}
