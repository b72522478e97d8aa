//! `rehearsal.json`: a snapshot of the receipt, and a claim that is compared, never believed.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use shipper_events::json::{Object, Value};
use shipper_events::{
    ClaimedHead, Head, JsonUint, LineError, MAX_LINE_LEN, PlanId, RegistryName, Timestamp, display_safe,
};
use thiserror::Error;
use time::Duration;

use crate::receipt::Receipt;

/// The only schema that this version reads.
pub const SIDECAR_SCHEMA: &str = "shipper.rehearsal.v1";

/// How much earlier than its event a sidecar may say that a rehearsal started: the shipper tool takes the time before
/// it writes the event.
const EARLY: Duration = Duration::MINUTE;

/// What a sidecar says: `docs/gate.md`, "The sidecar".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sidecar {
    /// The plan that was rehearsed.
    pub plan_id: PlanId,
    /// The registry that it was rehearsed on.
    pub registry: RegistryName,
    /// Whether it passed.
    pub passed: bool,
    /// How many packages were attempted.
    pub packages_attempted: JsonUint,
    /// How many of them were published.
    pub packages_published: JsonUint,
    /// What the rehearsal said of itself.
    pub summary: String,
    /// When it was started.
    pub started_at: Timestamp,
    /// When it was completed.
    pub completed_at: Timestamp,
    /// The head of the log up to the completion's line; the shipper tool writes none.
    pub log: Option<ClaimedHead>,
}

/// A sidecar says nothing that can be compared.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SidecarError {
    /// It is not one JSON object, read as strictly as a line of the log.
    #[error("it is not one JSON object: line {line}, {corruption}")]
    NotAnObject {
        /// The line of the sidecar; the first is 1.
        line: usize,
        /// What is wrong with it.
        corruption: LineError,
    },
    /// It is longer than 16 MiB.
    #[error("it is longer than 16 MiB; no sidecar is")]
    TooLong,
    /// It names no schema.
    #[error("it has no string \"schema_version\"")]
    NoSchema,
    /// It is of another schema.
    #[error("it is of schema {schema}, which this version does not know; use a version of shipper-replay that does")]
    Unsupported {
        /// The schema, made safe to show.
        schema: String,
    },
    /// A member is missing or of the wrong kind.
    #[error("its member \"{member}\" is missing or of the wrong kind; expected {expected}")]
    Member {
        /// The member.
        member: &'static str,
        /// What it must be.
        expected: &'static str,
    },
}

/// One field in which a sidecar and a receipt differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldDiff {
    /// The field's name in the sidecar.
    pub field: String,
    /// What the sidecar says.
    pub sidecar: FieldValue,
    /// What the log says.
    pub log: FieldValue,
}

/// A field's value in a [`FieldDiff`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FieldValue {
    /// True or false.
    Flag(bool),
    /// A number that fits 64 bits.
    Number(u64),
    /// A text; a number that does not fit 64 bits, as its digits; a head, as `LINES:BYTES:BLAKE3`.
    Text(String),
}

impl Sidecar {
    /// Reads a sidecar. Members that this version does not know are ignored.
    ///
    /// # Errors
    ///
    /// When it says nothing that can be compared.
    ///
    /// ```
    /// use shipper_core::{Sidecar, SidecarError};
    /// assert!(matches!(Sidecar::parse(b"{\"schema_ver"), Err(SidecarError::NotAnObject { .. })));
    /// assert_eq!(Sidecar::parse(br#"{"schema_version":"v9"}"#), Err(SidecarError::Unsupported { schema: "\"v9\"".to_owned() }));
    /// ```
    pub fn parse(bytes: &[u8]) -> Result<Self, SidecarError> {
        if bytes.len() > MAX_LINE_LEN {
            return Err(SidecarError::TooLong);
        }
        let object = Object::parse(bytes).map_err(|corruption| {
            let before = bytes.iter().take(corruption.offset);
            let line = before.filter(|byte| **byte == b'\n').count() + 1;
            SidecarError::NotAnObject { line, corruption }
        })?;
        let schema = object.get("schema_version").and_then(Value::as_str);
        let schema = schema.ok_or(SidecarError::NoSchema)?;
        if schema != SIDECAR_SCHEMA {
            let schema = display_safe(&schema).max_chars(40).quoted().to_string();
            return Err(SidecarError::Unsupported { schema });
        }
        let members = Members(&object);
        Ok(Self {
            plan_id: members.name("plan_id")?,
            registry: members.name("registry")?,
            passed: members.read("passed", "true or false", Value::as_bool)?,
            packages_attempted: members.unsigned("packages_attempted")?,
            packages_published: members.unsigned("packages_published")?,
            summary: members.read("summary", "a string", |value| Some(value.as_str()?.into_owned()))?,
            started_at: members.timestamp("started_at")?,
            completed_at: members.timestamp("completed_at")?,
            log: members.log()?,
        })
    }

    /// The fields in which the sidecar differs from a receipt; `head` gives the head of the prefix that ends with the
    /// completion's line, and is only asked where the sidecar names one.
    ///
    /// Timestamps are compared as instants, and `started_at` may be up to one minute earlier than the event. For a
    /// receipt without a start, what only the start could tell is not compared.
    pub fn differences(&self, receipt: &Receipt, head: impl FnOnce() -> Head) -> Vec<FieldDiff> {
        let mut found = Differences(Vec::new());
        found.text("plan_id", self.plan_id.as_str(), receipt.plan_id.as_str());
        found.text("registry", self.registry.as_str(), receipt.registry.as_str());
        if self.passed != receipt.passed {
            found.push("passed", FieldValue::Flag(self.passed), FieldValue::Flag(receipt.passed));
        }
        if receipt.start.is_some() {
            found.number("packages_attempted", &self.packages_attempted, receipt.packages_attempted());
            found.number("packages_published", &self.packages_published, receipt.packages_published());
        }
        found.text("summary", &self.summary, &receipt.summary);
        if let Some(start) = &receipt.start {
            let early = start.at.instant() - self.started_at.instant();
            if !(Duration::ZERO..=EARLY).contains(&early) {
                found.push("started_at", self.started_at.as_str().into(), start.at.as_str().into());
            }
        }
        if self.completed_at != receipt.completed_at {
            found.push("completed_at", self.completed_at.as_str().into(), receipt.completed_at.as_str().into());
        }
        if let Some(log) = &self.log {
            let head = head();
            if !log.matches(&head) {
                found.push("log", FieldValue::Text(log.to_string()), FieldValue::Text(head.to_string()));
            }
        }
        found.0
    }
}

/// Values are copied only where they differ: a summary may be long, and a log may complete many rehearsals.
struct Differences(Vec<FieldDiff>);

impl Differences {
    fn push(&mut self, field: &str, sidecar: FieldValue, log: FieldValue) {
        let field = field.to_owned();
        self.0.push(FieldDiff { field, sidecar, log });
    }

    fn text(&mut self, field: &str, sidecar: &str, log: &str) {
        if sidecar != log {
            self.push(field, sidecar.into(), log.into());
        }
    }

    fn number(&mut self, field: &str, sidecar: &JsonUint, log: u64) {
        if *sidecar != log {
            self.push(field, sidecar.into(), FieldValue::Number(log));
        }
    }
}

impl From<&str> for FieldValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<&JsonUint> for FieldValue {
    fn from(number: &JsonUint) -> Self {
        number.as_u64().map_or_else(|| Self::Text(number.to_string()), Self::Number)
    }
}

/// What is written: the shipper tool's members in its order, then ours.
#[derive(Serialize)]
struct Written<'a> {
    schema_version: &'static str,
    plan_id: &'a PlanId,
    registry: &'a RegistryName,
    passed: bool,
    packages_attempted: u64,
    packages_published: u64,
    summary: &'a str,
    started_at: &'a Timestamp,
    completed_at: &'a Timestamp,
    log: Head,
}

/// The text of `rehearsal.json` for a receipt: every field the fold's own, and the head of the log up to the
/// completion's line.
///
/// Compared with the log that it was made from, it is always a `match`.
pub fn snapshot(receipt: &Receipt, log: Head) -> String {
    let written = Written {
        schema_version: SIDECAR_SCHEMA,
        plan_id: &receipt.plan_id,
        registry: &receipt.registry,
        passed: receipt.passed,
        packages_attempted: receipt.packages_attempted(),
        packages_published: receipt.packages_published(),
        summary: &receipt.summary,
        started_at: receipt.started_at(),
        completed_at: &receipt.completed_at,
        log,
    };
    // Strings and numbers only: this cannot fail, and an empty text would be reported as unreadable.
    let mut text = serde_json::to_string_pretty(&written).unwrap_or_default();
    text.push('\n');
    text
}

struct Members<'o, 'a>(&'o Object<'a>);

impl<'a> Members<'_, 'a> {
    fn read<T>(
        &self,
        member: &'static str,
        expected: &'static str,
        kind: impl FnOnce(Value<'a>) -> Option<T>,
    ) -> Result<T, SidecarError> {
        let value = self.0.get(member).and_then(kind);
        value.ok_or(SidecarError::Member { member, expected })
    }

    fn name<T: FromStr>(&self, member: &'static str) -> Result<T, SidecarError> {
        self.read(member, "a string that is not empty", |value| value.as_str()?.parse().ok())
    }

    fn unsigned(&self, member: &'static str) -> Result<JsonUint, SidecarError> {
        self.read(member, "an unsigned integer, digits only", JsonUint::from_value)
    }

    fn timestamp(&self, member: &'static str) -> Result<Timestamp, SidecarError> {
        self.read(member, "an RFC 3339 time", |value| value.as_str()?.parse().ok())
    }

    fn log(&self) -> Result<Option<ClaimedHead>, SidecarError> {
        if self.0.get("log").is_none_or(Value::is_null) {
            return Ok(None);
        }
        let expected = "a head: an object with unsigned integers lines and bytes and a string blake3";
        self.read("log", expected, ClaimedHead::of).map(Some)
    }
}
