//! Signs that the shipper tool writes a log. Its reader rejects event types that it does not know, so one line of ours
//! breaks it: writing needs the consent of the caller.

use std::fmt;

use camino::{Utf8Path, Utf8PathBuf};

use super::error::LogError;
use super::paths::parent_dir;
use super::storage::{Storage, if_found};

/// Files that the shipper tool keeps beside its log.
const SHIPPER_FILES: [&str; 2] = ["state.json", "receipt.json"];

/// A sign that the shipper tool writes a log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ShipperSign {
    /// The log ends with an unchained line.
    #[non_exhaustive]
    UnchainedLine {
        /// The number of the line.
        line: u64,
    },
    /// The log is missing or empty, and beside it is a file of the shipper tool.
    #[non_exhaustive]
    File {
        /// Path of the file.
        path: Utf8PathBuf,
    },
}

impl fmt::Display for ShipperSign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnchainedLine { line } => write!(f, "line {line} is unchained"),
            Self::File { path } => write!(f, "{path} exists"),
        }
    }
}

/// Refuses to begin a log beside a file of the shipper tool.
pub(super) fn refuse_shipper_files<S: Storage>(storage: &S, log: &Utf8Path) -> Result<(), LogError> {
    let directory = parent_dir(log);
    let names = if_found(storage.read_dir(directory)).map_err(LogError::io("list the directory", directory))?;
    let found = names.unwrap_or_default().into_iter().find(|name| SHIPPER_FILES.contains(&name.as_str()));
    found.map_or(Ok(()), |name| Err(coexists(log, ShipperSign::File { path: directory.join(name) })))
}

/// Returns the error for a log with that sign.
pub(super) fn coexists(log: &Utf8Path, sign: ShipperSign) -> LogError {
    LogError::NotAdopted { path: log.to_owned(), sign }
}
