//! The content of a package that an event records, and the head of another log.

use super::members::Lenient;
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
