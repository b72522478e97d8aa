//! Signs that the shipper tool writes a log. Its reader rejects event types that it does not know, so one line of ours
//! breaks it: writing needs the consent of the caller.

use std::fmt;

use camino::Utf8PathBuf;

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
