//! The content of a file of the packet, and its strict parser.

use std::collections::{BTreeMap, BTreeSet};

use shipper_events::json::{Object, Value};
use shipper_events::{LineError, MAX_LINE_LEN, PlanId, display_safe};
use thiserror::Error;

use crate::json_file::{MemberError, line_of, read};

/// One of the two files of the packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PacketKind {
    /// `state.json`, the progress of the packages.
    State,
    /// `receipt.json`, the result of the latest run that finished.
    Receipt,
}

impl PacketKind {
    /// Returns the name of the file in a state directory.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::State => "state.json",
            Self::Receipt => "receipt.json",
        }
    }

    /// Returns the member that contains the schema version, and the only version that this version reads.
    fn schema(self) -> (&'static str, &'static str) {
        match self {
            Self::State => ("state_version", "shipper.state.v1"),
            Self::Receipt => ("receipt_version", "shipper.receipt.v2"),
        }
    }
}

/// The state of a package, as a file of the packet has it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum PackageState {
    /// Not yet published.
    Pending,
    /// Uploaded, and not yet visible in the registry.
    Uploaded,
    /// Published.
    Published,
    /// Skipped.
    Skipped,
    /// Failed.
    Failed,
    /// Another word, such as `ambiguous`.
    Other(String),
}

impl PackageState {
    /// Returns the word in the file.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Pending => "pending",
            Self::Uploaded => "uploaded",
            Self::Published => "published",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
            Self::Other(word) => word,
        }
    }
}

impl From<&str> for PackageState {
    fn from(word: &str) -> Self {
        let known = [Self::Pending, Self::Uploaded, Self::Published, Self::Skipped, Self::Failed];
        known.into_iter().find(|state| state.as_str() == word).unwrap_or_else(|| Self::Other(word.to_owned()))
    }
}

/// The content of a file of the packet, without the members that are not compared.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PacketFile {
    /// The file.
    pub kind: PacketKind,
    /// Plan of the latest run that the file is about.
    pub plan_id: PlanId,
    /// States of each package, `name@version`: more than one only if a receipt lists a package more than once.
    pub packages: BTreeMap<String, BTreeSet<PackageState>>,
    /// Result of the run, only in a receipt. `None` if the receipt does not contain it.
    pub execution_result: Option<String>,
}

/// The error for a file of the packet that cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PacketError {
    /// It does not begin like JSON. The shipper tool can encrypt its files.
    #[error("it is not JSON at all, so it may be encrypted")]
    NotJson,
    /// It is not one JSON object by the rules for a line of the log.
    #[error("it is not one JSON object (line {line}, {corruption})")]
    NotAnObject {
        /// The line of the file; the first is 1.
        line: usize,
        /// The syntax error.
        corruption: LineError,
    },
    /// It is longer than 16 MiB.
    #[error("it is longer than 16 MiB")]
    TooLong,
    /// It has no schema version.
    #[error("it has no string member \"{member}\"")]
    NoVersion {
        /// Name of the member.
        member: &'static str,
    },
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

impl PacketFile {
    /// Parses a file of the packet, as strictly as a line of the log. Unknown members are ignored.
    ///
    /// # Errors
    ///
    /// [`PacketError`] if it is not a file of the known schema with every member that is compared.
    ///
    /// ```
    /// use shipper_core::packet::{PacketError, PacketFile, PacketKind};
    /// assert_eq!(PacketFile::parse(PacketKind::State, b"c2FsdA=="), Err(PacketError::NotJson));
    /// let state = br#"{"state_version":"shipper.state.v1","plan_id":"4f6e","packages":{"zq-a@0.1.0":{"state":{"state":"published"}}}}"#;
    /// assert_eq!(PacketFile::parse(PacketKind::State, state)?.packages.len(), 1);
    /// # Ok::<(), PacketError>(())
    /// ```
    pub fn parse(kind: PacketKind, bytes: &[u8]) -> Result<Self, PacketError> {
        if bytes.len() > MAX_LINE_LEN {
            return Err(PacketError::TooLong);
        }
        let object = Object::parse(bytes).map_err(|corruption| match bytes.trim_ascii_start().first() {
            Some(b'{' | b'[') | None => PacketError::NotAnObject { line: line_of(bytes, &corruption), corruption },
            Some(_) => PacketError::NotJson,
        })?;
        let (member, version) = kind.schema();
        let schema = object.get(member).and_then(Value::as_str).ok_or(PacketError::NoVersion { member })?;
        if schema != version {
            let schema = display_safe(&schema).max_chars(40).quoted().to_string();
            return Err(PacketError::Unsupported { schema });
        }
        let plan_id = read(&object, "plan_id", "a non-empty string", |value| value.as_str()?.parse().ok())?;
        let (packages, execution_result) = match kind {
            PacketKind::State => (read(&object, "packages", STATE_PACKAGES, state_packages)?, None),
            PacketKind::Receipt => {
                let has_result = object.get("execution_result").is_some_and(|result| !result.is_null());
                let result = has_result.then(|| read(&object, "execution_result", "a string", Value::as_str));
                let result = result.transpose()?.map(Into::into);
                (read(&object, "packages", RECEIPT_PACKAGES, receipt_packages)?, result)
            }
        };
        Ok(Self { kind, plan_id, packages, execution_result })
    }
}

const STATE_PACKAGES: &str = "an object of packages, each with an object `state` that has a string `state`";
const RECEIPT_PACKAGES: &str =
    "an array of packages, each with strings `name` and `version` and an object `state` that has a string `state`";

impl From<MemberError> for PacketError {
    fn from(MemberError { member, expected }: MemberError) -> Self {
        Self::Member { member, expected }
    }
}

type Packages = BTreeMap<String, BTreeSet<PackageState>>;

fn state_packages(value: Value<'_>) -> Option<Packages> {
    let packages = value.as_object()?;
    let package = |member: &shipper_events::json::Member<'_>| {
        let state = state_of(&member.value().as_object()?)?;
        Some((member.name().to_owned(), BTreeSet::from([state])))
    };
    packages.members().iter().map(package).collect()
}

fn receipt_packages(value: Value<'_>) -> Option<Packages> {
    let mut packages = Packages::new();
    for package in value.as_array()? {
        let package = package.as_object()?;
        let text = |member| package.get(member).and_then(Value::as_str);
        let name = format!("{}@{}", text("name")?, text("version")?);
        packages.entry(name).or_default().insert(state_of(&package)?);
    }
    Some(packages)
}

/// Returns the state of a package: `{"state":{"state":"published"}}`.
fn state_of(package: &Object<'_>) -> Option<PackageState> {
    let state = package.get("state")?.as_object()?.get("state")?.as_str()?;
    Some(PackageState::from(&*state))
}
