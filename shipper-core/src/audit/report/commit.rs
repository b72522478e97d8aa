//! Commits in the report: those that the rehearsal, the decision and the run record. `docs/auditing.md`, "Decisions".

use serde::{Deserialize, Serialize};
use shipper_events::event::{CommitId, GitCommit};

/// The git commits that the events of a decision record.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DecisionCommits {
    /// The commit of the rehearsal that supports the authorization. `None` if it records none, or there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rehearsal: Option<CommitReport>,
    /// The commit of the `gate_evaluated`. `None` if it records none, or there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<CommitReport>,
    /// The commit of the latest run that used the decision and records one. `None` without such a run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<CommitReport>,
}

/// A git commit as an event records it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CommitReport {
    /// The commit.
    pub commit: CommitId,
    /// True if files of the workspace differed from the commit.
    pub dirty: bool,
}

impl From<&GitCommit> for CommitReport {
    fn from(git: &GitCommit) -> Self {
        Self { commit: git.commit.clone(), dirty: git.dirty }
    }
}

impl DecisionCommits {
    /// Returns the commits that are recorded, with the names of their members.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &CommitReport)> {
        let commits = [("rehearsal", &self.rehearsal), ("decision", &self.decision), ("run", &self.run)];
        commits.into_iter().filter_map(|(name, commit)| Some((name, commit.as_ref()?)))
    }
}

impl CommitReport {
    /// Returns the beginning of the commit, and the words `uncommitted changes` if it is dirty.
    pub fn to_short_text(&self) -> String {
        let short: String = self.commit.as_str().chars().take(12).collect();
        if self.dirty { format!("{short} with uncommitted changes") } else { short }
    }
}
