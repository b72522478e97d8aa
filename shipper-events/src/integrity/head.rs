//! Heads: the number of lines, the number of bytes and the BLAKE3 hash of a prefix of a log.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

use super::tree_hash::{SubtreeHashes, TreeHasher};
use crate::event::JsonUint;
use crate::line::strict_json::Value;

/// The head of a prefix of a log: the numbers of its lines and bytes, and the BLAKE3 hash of those bytes.
///
/// Its text is `LINES:BYTES:BLAKE3`. An auditor who keeps a head elsewhere can check the log later with
/// `head -c BYTES events.jsonl | b3sum`.
///
/// ```
/// use shipper_events::{Head, HeadHasher};
/// let mut hasher = HeadHasher::new();
/// hasher.push_line(b"{}\n");
/// let head = hasher.head();
/// assert_eq!((head.lines, head.bytes), (1, 3));
/// assert_eq!(head.to_string().parse::<Head>()?, head);
/// # Ok::<(), shipper_events::ParseHeadError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Head {
    /// Number of complete lines in the prefix.
    pub lines: u64,
    /// Number of bytes in the prefix.
    pub bytes: u64,
    /// BLAKE3 hash of those bytes.
    #[serde(serialize_with = "serialize_hash", deserialize_with = "deserialize_hash")]
    pub blake3: blake3::Hash,
}

/// The error for a text that is not `LINES:BYTES:BLAKE3`.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("expected a head LINES:BYTES:BLAKE3: two decimal numbers and 64 lowercase hex digits, such as 38:6928:c8f1…")]
#[non_exhaustive]
pub struct ParseHeadError;

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.lines, self.bytes, self.blake3)
    }
}

impl FromStr for Head {
    type Err = ParseHeadError;

    fn from_str(text: &str) -> Result<Self, ParseHeadError> {
        let number = |text: &str| text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
        let head = || {
            let (lines, rest) = text.split_once(':')?;
            let (bytes, blake3) = rest.split_once(':')?;
            Some(Self { lines: number(lines)?, bytes: number(bytes)?, blake3: parse_hash(blake3.as_bytes())? })
        };
        head().ok_or(ParseHeadError)
    }
}

/// Parses 64 lowercase hex digits.
pub(crate) fn parse_hash(text: &[u8]) -> Option<blake3::Hash> {
    let digits: &[u8; 64] = text.try_into().ok()?;
    let (mut bytes, mut seen) = ([0; 32], 0);
    for (byte, [high, low]) in bytes.iter_mut().zip(digits.as_chunks::<2>().0) {
        let (high, low) = (hex_value(*high), hex_value(*low));
        seen |= high | low;
        *byte = (high << 4) | low;
    }
    // Every chained line has one: no branch for each digit.
    (seen < 16).then(|| blake3::Hash::from_bytes(bytes))
}

/// Returns the value of a lowercase hex digit; of any other byte, at least 16.
fn hex_value(byte: u8) -> u8 {
    match byte {
        b'0'..=b'9' => byte - b'0',
        b'a'..=b'f' => byte - b'a' + 10,
        _ => u8::MAX,
    }
}

fn serialize_hash<S: Serializer>(hash: &blake3::Hash, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(hash)
}

fn deserialize_hash<'de, D: Deserializer<'de>>(deserializer: D) -> Result<blake3::Hash, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_hash(text.as_bytes()).ok_or_else(|| D::Error::custom("`blake3` is not 64 lowercase hex digits"))
}

/// A head that an event or a sidecar records. Its numbers may have any size, and its hash may be any text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedHead {
    /// Number of lines, as recorded.
    pub lines: JsonUint,
    /// Number of bytes, as recorded.
    pub bytes: JsonUint,
    /// BLAKE3 hash, as recorded; usually 64 lowercase hex digits.
    pub blake3: String,
}

impl ClaimedHead {
    /// Returns the head in a JSON value; `None` if the value is not an object with `lines`, `bytes` and `blake3` of
    /// their types.
    pub fn of(value: Value<'_>) -> Option<Self> {
        let object = value.as_object()?;
        Some(Self {
            lines: JsonUint::from_value(object.get("lines")?)?,
            bytes: JsonUint::from_value(object.get("bytes")?)?,
            blake3: object.get("blake3")?.as_str()?.into_owned(),
        })
    }

    /// Returns true if the claimed head equals `head`.
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

/// Computes the head of a log that grows line by line.
#[derive(Debug, Clone, Default)]
pub struct HeadHasher {
    lines: u64,
    bytes: u64,
    hasher: TreeHasher,
    /// The state after the parts of a line that has no end yet, and the bytes with them: they count if an LF follows.
    partial_line: Option<(TreeHasher, u64)>,
}

impl HeadHasher {
    /// Builds a hasher at the start of a log.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the number of complete lines so far.
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// Returns the number of bytes of those lines.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Returns the number of those bytes and of the parts of a line that has no end yet.
    pub(crate) fn bytes_with_parts(&self) -> u64 {
        self.partial_line.as_ref().map_or(self.bytes, |(_, bytes)| *bytes)
    }

    /// Adds a complete line, its LF included.
    pub fn push_line(&mut self, line: &[u8]) {
        self.push_lines(line, 1, None);
    }

    /// Adds `lines` complete lines. `known` may have hashes of the subtrees in them.
    pub(super) fn push_lines(&mut self, bytes: &[u8], lines: u64, known: Option<&SubtreeHashes>) {
        self.lines += lines;
        self.bytes += bytes.len() as u64;
        self.hasher.update(bytes, known);
    }

    /// Adds a part of a line that is too long to be held. It counts once a part ends the line.
    pub(crate) fn push_partial_line(&mut self, part: &[u8], ends_line: bool) {
        let (mut hasher, mut bytes) = self.partial_line.take().unwrap_or_else(|| (self.hasher.clone(), self.bytes));
        hasher.update(part, None);
        bytes += part.len() as u64;
        if ends_line {
            self.lines += 1;
            self.bytes = bytes;
            self.hasher = hasher;
        } else {
            self.partial_line = Some((hasher, bytes));
        }
    }

    /// Discards the parts of a line that has no end.
    pub(crate) fn discard_partial_line(&mut self) {
        self.partial_line = None;
    }

    /// Returns the head of the complete lines so far.
    pub fn head(&self) -> Head {
        Head { lines: self.lines, bytes: self.bytes, blake3: self.hasher.finalize() }
    }
}
