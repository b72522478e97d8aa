//! The prefix of a log that is audited.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use shipper_events::Timestamp;
use thiserror::Error;

/// The prefix of a log that is audited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum AsOf {
    /// That number of lines; 0 for none.
    Line(u64),
    /// The lines up to the last one whose timestamp is not later. [`resolve_as_of`](super::resolve_as_of) finds it.
    Timestamp(Timestamp),
}

/// The text is neither a line number nor a timestamp.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("expected a line number or an RFC 3339 time such as 2026-11-23T08:12:26Z")]
#[non_exhaustive]
pub struct ParseAsOfError;

impl FromStr for AsOf {
    type Err = ParseAsOfError;

    fn from_str(text: &str) -> Result<Self, ParseAsOfError> {
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            text.parse().map(Self::Line).map_err(|_| ParseAsOfError)
        } else {
            text.parse().map(Self::Timestamp).map_err(|_| ParseAsOfError)
        }
    }
}

impl TryFrom<String> for AsOf {
    type Error = ParseAsOfError;

    fn try_from(text: String) -> Result<Self, ParseAsOfError> {
        text.parse()
    }
}

impl From<AsOf> for String {
    fn from(as_of: AsOf) -> Self {
        as_of.to_string()
    }
}

impl fmt::Display for AsOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => line.fmt(f),
            Self::Timestamp(timestamp) => timestamp.fmt(f),
        }
    }
}
