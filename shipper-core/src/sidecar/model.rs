//! The content of a sidecar: its strict parser, and its comparison with a receipt.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use shipper_events::json::{Object, Value};
use shipper_events::{
    ClaimedHead, Head, JsonUint, LineError, MAX_LINE_LEN, PlanId, RegistryName, Timestamp, display_safe,
};
use thiserror::Error;
use time::Duration;

use crate::fold::Receipt;
use crate::json_file::{MemberError, line_of, read};

/// The only schema that this version reads.
pub const SIDECAR_SCHEMA: &str = "shipper.rehearsal.v1";

/// Maximum by which the start in a sidecar may precede the event: the shipper tool takes the time before it writes.
const STARTED_AT_TOLERANCE: Duration = Duration::MINUTE;

/// The content of a sidecar: `docs/gate.md`, "The sidecar".
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sidecar {
    /// Plan that was rehearsed.
    pub plan_id: PlanId,
    /// Registry that the plan was rehearsed on.
    pub registry: RegistryName,
    /// True if the rehearsal passed.
    pub passed: bool,
    /// Number of packages that were attempted.
    pub packages_attempted: JsonUint,
    /// Number of packages that were published.
    pub packages_published: JsonUint,
    /// Summary of the rehearsal.
    pub summary: String,
    /// Time of the start of the rehearsal.
    pub started_at: Timestamp,
    /// Time of the completion of the rehearsal.
    pub completed_at: Timestamp,
    /// Head of the log up to the line of the completion. `None` if the shipper tool wrote the sidecar.
    pub log: Option<ClaimedHead>,
}

/// The error for a sidecar that cannot be compared with a receipt.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SidecarError {
    /// It is not one JSON object by the rules for a line of the log.
    #[error("it is not one JSON object (line {line}, {corruption})")]
    NotAnObject {
        /// The line of the sidecar; the first is 1.
        line: usize,
        /// The syntax error.
        corruption: LineError,
    },
    /// It is longer than 16 MiB.
    #[error("it is longer than 16 MiB")]
    TooLong,
    /// It has no schema version.
    #[error("it has no string member \"schema_version\"")]
    NoSchema,
    /// It has a schema version that this version does not know.
    #[error("this version does not know its schema {schema}")]
    Unsupported {
        /// The schema version, quoted and safe to print.
        schema: String,
    },
    /// A member is missing or has the wrong type.
    #[error("its member \"{member}\" is missing or is not {expected}")]
    Member {
        /// Name of the member.
        member: &'static str,
        /// Values that the member must have.
        expected: &'static str,
    },
}

impl Sidecar {
    /// Parses a sidecar, as strictly as a line of the log. Unknown members are ignored.
    ///
    /// # Errors
    ///
    /// [`SidecarError`] if it is not a sidecar of the known schema with every member.
    ///
    /// ```
    /// use shipper_core::sidecar::{Sidecar, SidecarError};
    /// assert!(matches!(Sidecar::parse(b"{\"schema_ver"), Err(SidecarError::NotAnObject { .. })));
    /// assert_eq!(Sidecar::parse(br#"{"schema_version":"v9"}"#), Err(SidecarError::Unsupported { schema: "\"v9\"".to_owned() }));
    /// ```
    pub fn parse(bytes: &[u8]) -> Result<Self, SidecarError> {
        if bytes.len() > MAX_LINE_LEN {
            return Err(SidecarError::TooLong);
        }
        let object = Object::parse(bytes)
            .map_err(|corruption| SidecarError::NotAnObject { line: line_of(bytes, &corruption), corruption })?;
        let schema = object.get("schema_version").and_then(Value::as_str);
        let schema = schema.ok_or(SidecarError::NoSchema)?;
        if schema != SIDECAR_SCHEMA {
            let schema = display_safe(&schema).max_chars(40).quoted().to_string();
            return Err(SidecarError::Unsupported { schema });
        }
        let has_log = object.get("log").is_some_and(|log| !log.is_null());
        Ok(Self {
            plan_id: read(&object, "plan_id", NAME, parse_text)?,
            registry: read(&object, "registry", NAME, parse_text)?,
            passed: read(&object, "passed", "true or false", Value::as_bool)?,
            packages_attempted: read(&object, "packages_attempted", NUMBER, JsonUint::from_value)?,
            packages_published: read(&object, "packages_published", NUMBER, JsonUint::from_value)?,
            summary: read(&object, "summary", "a string", parse_text)?,
            started_at: read(&object, "started_at", TIME, parse_text)?,
            completed_at: read(&object, "completed_at", TIME, parse_text)?,
            log: has_log.then(|| read(&object, "log", HEAD, ClaimedHead::of)).transpose()?,
        })
    }

    /// Returns the fields in which the sidecar differs from a receipt. `head` returns the head of the log up to the line of the
    /// completion, and is called only if the sidecar has one.
    ///
    /// Times are compared as instants, and `started_at` may be up to one minute earlier than the event. For a receipt without
    /// a start, the members that depend on the start are not compared.
    pub fn differences(&self, receipt: &Receipt, head: impl FnOnce() -> Head) -> Vec<FieldDiff> {
        let mut diffs = Vec::new();
        compare(&mut diffs, "plan_id", &self.plan_id, &receipt.plan_id, FieldValue::text);
        compare(&mut diffs, "registry", &self.registry, &receipt.registry, FieldValue::text);
        compare(&mut diffs, "passed", self.passed, receipt.passed, FieldValue::Flag);
        if receipt.start.is_some() {
            let (attempted, published) = (receipt.packages_attempted().into(), receipt.packages_published().into());
            compare(&mut diffs, "packages_attempted", &self.packages_attempted, &attempted, FieldValue::number);
            compare(&mut diffs, "packages_published", &self.packages_published, &published, FieldValue::number);
        }
        compare(&mut diffs, "summary", &self.summary, &receipt.summary, FieldValue::text);
        if let Some(start) = &receipt.start {
            let early = start.at.instant() - self.started_at.instant();
            if !(Duration::ZERO..=STARTED_AT_TOLERANCE).contains(&early) {
                compare(&mut diffs, "started_at", &self.started_at, &start.at, FieldValue::text);
            }
        }
        compare(&mut diffs, "completed_at", &self.completed_at, &receipt.completed_at, FieldValue::text);
        if let Some(log) = &self.log {
            compare(&mut diffs, "log", log, &head().into(), FieldValue::text);
        }
        diffs
    }
}

/// A field in which a sidecar and a receipt differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FieldDiff {
    /// Name of the field in the sidecar.
    pub field: String,
    /// Value in the sidecar.
    pub sidecar: FieldValue,
    /// Value in the log.
    pub log: FieldValue,
}

/// A field's value in a [`FieldDiff`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FieldValue {
    /// A boolean.
    Flag(bool),
    /// A number that fits 64 bits.
    Number(u64),
    /// A text; a number that does not fit 64 bits, as its digits; a head, as `LINES:BYTES:BLAKE3`.
    Text(String),
}

const NAME: &str = "a non-empty string";
const NUMBER: &str = "an unsigned integer, digits only";
const TIME: &str = "an RFC 3339 time";
const HEAD: &str = "a head: an object with unsigned integers `lines` and `bytes` and a string `blake3`";

impl From<MemberError> for SidecarError {
    fn from(MemberError { member, expected }: MemberError) -> Self {
        Self::Member { member, expected }
    }
}

fn parse_text<T: FromStr>(value: Value<'_>) -> Option<T> {
    value.as_str()?.parse().ok()
}

/// Adds a field if its values differ. Copies the values only then, because a summary may be long.
fn compare<T: PartialEq>(diffs: &mut Vec<FieldDiff>, field: &str, sidecar: T, log: T, value: impl Fn(T) -> FieldValue) {
    if sidecar != log {
        diffs.push(FieldDiff { field: field.to_owned(), sidecar: value(sidecar), log: value(log) });
    }
}

impl FieldValue {
    fn text(text: &impl ToString) -> Self {
        Self::Text(text.to_string())
    }

    fn number(number: &JsonUint) -> Self {
        number.as_u64().map_or_else(|| Self::text(number), Self::Number)
    }
}
