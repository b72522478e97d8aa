//! Error of an audit.

use std::io;

use thiserror::Error;

/// A log cannot be audited under the options.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AuditError {
    /// The options name a line that the log does not have.
    #[error("there is no line {line} in this log, which has {lines} lines")]
    BeyondEnd {
        /// The line of the options.
        line: u64,
        /// Number of complete lines of the log.
        lines: u64,
    },
    /// The options name a time. An auditor that reads the log once cannot find its line; [`resolve_as_of`](crate::audit::resolve_as_of) does.
    #[error("the time of the options was not resolved to a line")]
    UnresolvedTime,
    /// The log cannot be read.
    #[error("cannot read the log")]
    Read {
        /// The cause.
        #[from]
        source: io::Error,
    },
}
