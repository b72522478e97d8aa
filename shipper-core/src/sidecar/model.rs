//! The content of a sidecar, and its strict parser.

use std::str::FromStr;

use shipper_events::json::{Object, Value};
use shipper_events::{ClaimedHead, JsonUint, LineError, MAX_LINE_LEN, PlanId, RegistryName, Timestamp, display_safe};
use thiserror::Error;

/// The only schema that this version reads.
pub const SIDECAR_SCHEMA: &str = "shipper.rehearsal.v1";

/// The content of a sidecar: `docs/gate.md`, "The sidecar".
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sidecar {
    /// Plan that was rehearsed.
    pub plan_id: PlanId,
    /// Registry that it was rehearsed on.
    pub registry: RegistryName,
    /// True if the rehearsal passed.
    pub passed: bool,
    /// Number of packages that were attempted.
    pub packages_attempted: JsonUint,
    /// Number of packages that were published.
    pub packages_published: JsonUint,
    /// Summary of the rehearsal.
    pub summary: String,
    /// Time of its start.
    pub started_at: Timestamp,
    /// Time of its completion.
    pub completed_at: Timestamp,
    /// Head of the log up to the line of the completion. `None` if the shipper tool wrote the sidecar.
    pub log: Option<ClaimedHead>,
}

/// The sidecar cannot be compared with a receipt.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SidecarError {
    /// It is not one JSON object, read as strictly as a line of the log.
    #[error("it is not one JSON object: line {line}, {corruption}")]
    NotAnObject {
        /// The line of the sidecar; the first is 1.
        line: usize,
        /// The syntax error.
        corruption: LineError,
    },
    /// It is longer than 16 MiB.
    #[error("it is longer than 16 MiB; no sidecar is")]
    TooLong,
    /// It has no schema version.
    #[error("it has no string \"schema_version\"")]
    NoSchema,
    /// It has a schema version that this version does not know.
    #[error("it is of schema {schema}, which this version does not know; use a version of shipper-replay that does")]
    Unsupported {
        /// The schema version, quoted and safe to print.
        schema: String,
    },
    /// A member is missing or of the wrong kind.
    #[error("its member \"{member}\" is missing or of the wrong kind; expected {expected}")]
    Member {
        /// Name of the member.
        member: &'static str,
        /// Expected kind.
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
        let members = MemberReader(&object);
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
}

/// Reads the members of a sidecar by their kind.
struct MemberReader<'o, 'a>(&'o Object<'a>);

impl<'a> MemberReader<'_, 'a> {
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
