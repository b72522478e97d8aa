//! What an auditor demands: the questions and the trusted inputs that the log cannot give.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use shipper_events::{Head, PlanId, RegistryName, Timestamp};
use thiserror::Error;

/// What is asked of a log. The default asks about the whole log and takes its own word for the registry.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AuditOptions {
    /// The registry that rehearsals must have used.
    pub registry: Option<RegistryName>,
    /// The only plan that is judged.
    pub plan_id: Option<PlanId>,
    /// The prefix that is judged.
    pub at: Option<AsOf>,
    /// A head that was kept elsewhere: the log must begin with exactly those bytes.
    #[serde(with = "as_text")]
    pub extends: Option<Head>,
    /// A head up to which everything has been dealt with.
    #[serde(with = "as_text")]
    pub since: Option<Head>,
    /// Whether warnings are errors.
    pub strict: bool,
    /// What the exit status is to say instead of the conclusion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub require: Option<RequiredVerdict>,
}

/// What is required of the gate at the end of a log: then the exit status says whether it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RequiredVerdict {
    /// The gate would authorize the demanded plan.
    Authorized,
}

impl RequiredVerdict {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Authorized => "authorized",
        }
    }
}

/// The prefix of a log that is judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum AsOf {
    /// The first so many lines.
    Line(u64),
    /// Up to the last line that is stamped not later.
    Timestamp(Timestamp),
}

/// The text is neither a line nor a timestamp.
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
    fn from(at: AsOf) -> Self {
        at.to_string()
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

/// A head in the form in which it is given by flag.
mod as_text {
    use serde::{Deserialize, Deserializer, Serializer, de};
    use shipper_events::Head;

    #[expect(clippy::ref_option, reason = "the signature that serde calls")]
    pub(super) fn serialize<S: Serializer>(head: &Option<Head>, serializer: S) -> Result<S::Ok, S::Error> {
        match head {
            Some(head) => serializer.collect_str(head),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Head>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| text.parse().map_err(de::Error::custom)).transpose()
    }
}
