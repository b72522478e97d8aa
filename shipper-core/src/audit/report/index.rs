//! The result of the comparison with a registry's index.

use serde::{Deserialize, Serialize};

/// The extent of the comparison with a registry's index; its differences are findings: `docs/evidence.md`, "The index".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct IndexReport {
    /// The paths of the files that contain a compared package, sorted.
    pub files: Vec<String>,
    /// Number of packages of the log that were compared.
    pub packages: u64,
    /// Number of versions of the log that were compared.
    pub versions: u64,
}

impl IndexReport {
    pub(in crate::audit) fn new(files: Vec<String>, packages: u64, versions: u64) -> Self {
        Self { files, packages, versions }
    }
}
