//! The git commit of a workspace, which events of our release engine record. `docs/log-format.md`, "Commits".

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::members::{ExtraMembers, JsonType, ObjectWriter, json};
use crate::line::strict_json::Value;

/// The greatest length of a commit's ID: a SHA-256 in hexadecimal digits.
const MAX_ID_LEN: usize = 64;

/// The error for a text that is not a commit's ID.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("expected 1 to 64 lowercase hexadecimal digits")]
#[non_exhaustive]
pub struct CommitIdError;

/// ID of a git commit: 1 to 64 lowercase hexadecimal digits, compared byte for byte.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "Cow<'_, str>", into = "String")]
pub struct CommitId(Box<str>);

impl CommitId {
    /// Returns the text as an ID.
    ///
    /// # Errors
    ///
    /// [`CommitIdError`] if the text is empty, is longer than 64 characters, or has another character than a lowercase
    /// hexadecimal digit.
    pub fn new(text: impl Into<Box<str>>) -> Result<Self, CommitIdError> {
        let text = text.into();
        let is_hex = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if is_hex && (1..=MAX_ID_LEN).contains(&text.len()) { Ok(Self(text)) } else { Err(CommitIdError) }
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<Cow<'_, str>> for CommitId {
    type Error = CommitIdError;

    fn try_from(text: Cow<'_, str>) -> Result<Self, CommitIdError> {
        Self::new(text)
    }
}

impl FromStr for CommitId {
    type Err = CommitIdError;

    fn from_str(text: &str) -> Result<Self, CommitIdError> {
        Self::new(text)
    }
}

impl From<CommitId> for String {
    fn from(id: CommitId) -> Self {
        id.0.into()
    }
}

impl fmt::Display for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The git commit of a workspace: member `git` of an event.
///
/// ```
/// use shipper_events::Event;
/// use shipper_events::event::{GitCommit, RehearsalStarted};
/// let commit = GitCommit::new("3f2a9c".parse()?, false);
/// let event = RehearsalStarted::new("r".parse::<shipper_events::RegistryName>()?, "p".parse::<shipper_events::PlanId>()?, 1);
/// let event = Event::new("2026-11-23T08:12:26Z".parse()?, event.git(commit), "all");
/// assert!(event.to_line().contains(r#""git":{"commit":"3f2a9c","dirty":false}"#));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct GitCommit {
    /// The commit.
    pub commit: CommitId,
    /// True if files of the workspace differed from the commit.
    pub dirty: bool,
    /// Members that this version does not know.
    pub extra: ExtraMembers,
}

impl GitCommit {
    /// Builds the object. `dirty` is true if files of the workspace differ from the commit.
    pub fn new(commit: CommitId, dirty: bool) -> Self {
        Self { commit, dirty, extra: ExtraMembers::default() }
    }
}

impl JsonType for GitCommit {
    const EXPECTED: &'static str =
        "a commit: an object with `commit`, 1 to 64 lowercase hexadecimal digits, and a boolean `dirty`";

    fn from_value(value: Value<'_>) -> Option<Self> {
        let object = value.as_object()?;
        let commit = CommitId::new(object.get("commit")?.as_str()?).ok()?;
        let dirty = bool::from_value(object.get("dirty")?)?;
        let extra = ExtraMembers::from_members(object.members(), |name| matches!(name, "commit" | "dirty"));
        Some(Self { commit, dirty, extra })
    }

    fn to_json(&self) -> String {
        let mut object = ObjectWriter::new();
        object.member("commit", &json(self.commit.as_str()));
        object.member("dirty", &json(&self.dirty));
        self.extra.write(&mut object);
        object.finish()
    }
}
