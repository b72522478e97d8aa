//! The link of a chained line.

use std::fmt;

use super::head::parse_hash;
use crate::event::JsonUint;

/// The link of a chained line to the one before it: the line begins with exactly `{"seq":N,"prev":"H",`. N is the
/// number of lines before it. H is the BLAKE3 hash of the previous line with its LF; on line 1, of no bytes.
///
/// Every other line is unchained, even if it has these members in another place.
///
/// ```
/// use shipper_events::ChainLink;
/// assert!(ChainLink::from_line(br#"{"seq":0,"prev":"af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262","x":1}"#).is_some());
/// assert!(ChainLink::from_line(br#"{"timestamp":"2026-11-23T08:12:26Z"}"#).is_none());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainLink {
    seq: JsonUint,
    prev: blake3::Hash,
}

impl ChainLink {
    /// Builds the link of a line that follows `lines` lines, the last of which has these bytes, LF included. For the
    /// first line, pass 0 and no bytes.
    pub fn to_previous(lines: u64, previous: &[u8]) -> Self {
        Self::to_previous_hash(lines, blake3::hash(previous))
    }

    /// Builds the link of a line that follows `lines` lines, the last of which has that hash.
    pub(crate) fn to_previous_hash(lines: u64, previous: blake3::Hash) -> Self {
        Self { seq: lines.into(), prev: previous }
    }

    /// Returns the link at the beginning of a line; `None` if the line is unchained.
    pub fn from_line(line: &[u8]) -> Option<Self> {
        Self::parse(line).map(|(link, _)| link)
    }

    /// Returns the link at the beginning of a line, and its length in bytes.
    pub(crate) fn parse(line: &[u8]) -> Option<(Self, usize)> {
        let rest = line.strip_prefix(b"{\"seq\":")?;
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = rest.split_at_checked(digits)?;
        if digits.is_empty() || (digits.len() > 1 && digits.starts_with(b"0")) {
            return None;
        }
        let rest = rest.strip_prefix(b",\"prev\":\"")?;
        let (prev, rest) = rest.split_at_checked(64)?;
        let rest = rest.strip_prefix(b"\",")?;
        let link = Self { seq: JsonUint::parse(std::str::from_utf8(digits).ok()?), prev: parse_hash(prev)? };
        Some((link, line.len() - rest.len()))
    }

    /// Returns the number of preceding lines that the line claims.
    pub fn seq(&self) -> &JsonUint {
        &self.seq
    }

    /// Returns the hash of the preceding line that the line claims.
    pub fn prev(&self) -> blake3::Hash {
        self.prev
    }
}

impl fmt::Display for ChainLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seq = &self.seq;
        write!(f, "{{\"seq\":{seq},\"prev\":\"{}\",", self.prev)
    }
}
