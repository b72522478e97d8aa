//! Optional members that are read on chained lines only, and the head of another log.

use super::commit::GitCommit;
use super::members::{JsonType, Lenient};
use super::types::{EventKind, EventType, LogAdopted, LogContinued};
use crate::integrity::ClaimedHead;

impl EventKind {
    /// Returns whether events of this kind may record the content of a package. On a chained line it must be a string.
    pub(crate) fn has_content(self) -> bool {
        matches!(
            self,
            Self::RehearsalPackagePublished | Self::PackageUploaded | Self::PackagePublished | Self::PackageSkipped
        )
    }
}

impl EventType {
    /// Returns the member `content`, also if it is not a string.
    pub(crate) fn content(&self) -> Option<&Lenient<String>> {
        match self {
            Self::RehearsalPackagePublished(event) => Some(&event.content),
            Self::PackageUploaded(event) => Some(&event.content),
            Self::PackagePublished(event) => Some(&event.content),
            Self::PackageSkipped(event) => Some(&event.content),
            _ => None,
        }
    }

    /// Returns the member `git`, also if it is not a commit.
    pub(crate) fn git(&self) -> Option<&Lenient<GitCommit>> {
        match self {
            Self::RehearsalStarted(event) => Some(&event.git),
            Self::PlanCreated(event) => Some(&event.git),
            Self::GateEvaluated(event) => Some(&event.details.as_ref()?.git),
            _ => None,
        }
    }

    /// Returns the member `already_published`, also if it is not a boolean.
    pub(crate) fn already_published(&self) -> Option<&Lenient<bool>> {
        match self {
            Self::RehearsalPackagePublished(event) => Some(&event.already_published),
            _ => None,
        }
    }

    /// Returns the name of a member that must not have its value on a chained line, and the expected type. Only types
    /// with required members have such members; `content` is not one of them.
    pub(crate) fn ill_typed_member(&self) -> Option<(&'static str, &'static str)> {
        if self.git().is_some_and(Lenient::is_ill_typed) {
            return Some(("git", GitCommit::EXPECTED));
        }
        self.already_published()
            .is_some_and(Lenient::is_ill_typed)
            .then_some(("already_published", <bool as JsonType>::EXPECTED))
    }
}

impl LogAdopted {
    /// Returns the head that the event adopts.
    pub fn head(&self) -> ClaimedHead {
        ClaimedHead { lines: self.lines.clone(), bytes: self.bytes.clone(), blake3: self.blake3.clone() }
    }
}

impl LogContinued {
    /// Returns the head of the earlier log.
    pub fn head(&self) -> ClaimedHead {
        ClaimedHead { lines: self.lines.clone(), bytes: self.bytes.clone(), blake3: self.blake3.clone() }
    }
}
