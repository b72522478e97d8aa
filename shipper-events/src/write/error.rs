//! What can go wrong when a log is written, and what it means for the caller.

use std::io;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use thiserror::Error;

use crate::integrity::{ChainError, Head};
use crate::line::error::LineError;

/// The log cannot be read for writing, or is not in a state to be written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LogError {
    /// The file system refuses.
    #[error("cannot {what} {path}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// On which file or directory.
        path: Utf8PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// Another process has the lock.
    #[error("{path} is locked since more than {waited:?} by another process ({holder}); wait until it is done")]
    Locked {
        /// The lock file.
        path: Utf8PathBuf,
        /// How long this process waited.
        waited: Duration,
        /// The note that the holder left.
        holder: String,
    },
    /// There is no log, and it was not to be created.
    #[error("there is no log at {path}")]
    NoLog {
        /// Where it was looked for.
        path: Utf8PathBuf,
    },
    /// A complete line is corrupt. Nothing is appended to a log that is not understood.
    #[error("{path}, line {line}, {error}; keep the file, audit it, then move it aside and continue in a new log")]
    Corrupt {
        /// The log.
        path: Utf8PathBuf,
        /// The line.
        line: u64,
        /// What is wrong, and where.
        error: LineError,
    },
    /// A line does not follow those before it.
    #[error("{path}, line {line}: {error}; keep the file, audit it, then move it aside and continue in a new log")]
    Broken {
        /// The log.
        path: Utf8PathBuf,
        /// The line.
        line: u64,
        /// What does not fit.
        error: ChainError,
    },
    /// It does not extend the head that the caller kept.
    #[error(
        "{path} does not begin with the bytes of the kept head {kept}; compare it with a copy, and find out who changed it"
    )]
    NotExtended {
        /// The log.
        path: Utf8PathBuf,
        /// That head.
        kept: Head,
    },
    /// Bytes stand after the last line: a lost event, or another writer at work.
    #[error(
        "{path} ends in the middle of a line ({bytes} bytes after line {line}); a writer died there or is still at work: \
         rehearse again, which repairs it"
    )]
    TornTail {
        /// The log.
        path: Utf8PathBuf,
        /// The last complete line.
        line: u64,
        /// How many bytes stand after it.
        bytes: u64,
    },
    /// A torn tail was cut off and saved, and the log does not say so: a repair was cut short.
    #[error(
        "the repair of {path} was cut short, and what was cut off is not in the log; rehearse again, which completes it"
    )]
    RepairInterrupted {
        /// The log.
        path: Utf8PathBuf,
    },
    /// A sync of the log failed, and nobody knows which of its bytes are on stable storage.
    #[error(
        "a sync of {path} failed, and which of its bytes are durable is unknown; see to the disk, then move the log aside, continue it and rehearse again (continuing removes {marker})"
    )]
    SyncFailed {
        /// The log.
        path: Utf8PathBuf,
        /// The file that says so.
        marker: Utf8PathBuf,
    },
    /// Another writer, one that takes no lock, was at work while the torn tail was to be cut off.
    #[error("another writer is at work on {path}; wait until it is done, then try again")]
    ConcurrentWriter {
        /// The log.
        path: Utf8PathBuf,
    },
    /// The path names another file than the one that was opened, or none, or one that has become shorter.
    #[error("{path} was replaced or cut while it was in use; find out by whom, then open it again")]
    FileReplaced {
        /// The log.
        path: Utf8PathBuf,
    },
    /// A repair could not be acknowledged.
    #[error("the torn tail of {path} could not be repaired")]
    Repair {
        /// The log.
        path: Utf8PathBuf,
        /// Why.
        source: Box<AppendError>,
    },
}

impl LogError {
    /// Returns the conversion of the error of a step on that file or directory.
    pub(super) fn io(what: &'static str, path: &Utf8Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { what, path, source }
    }
}

/// The events were not acknowledged. Nothing may be done that depends on them.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AppendError {
    /// The log is not in a state to be written.
    #[error(transparent)]
    Log(#[from] LogError),
    /// There was nothing to append.
    #[error("there is no event to append")]
    Empty,
    /// An event would make a line that no reader takes.
    #[error("the event would make a corrupt line: {error}")]
    InvalidEvent {
        /// What would be wrong with the line.
        error: LineError,
    },
    /// An event records a head that does not fit where it would stand.
    #[error("the event would break the log: {error}")]
    ChainViolation {
        /// What would not fit.
        error: ChainError,
    },
    /// An event would make a line longer than any reader takes.
    #[error("the event makes a line of {bytes} bytes, and a line has at most 16 MiB; shorten its members")]
    TooLong {
        /// How long the line would be.
        bytes: usize,
    },
    /// The write failed or was short; what was written of it was cut off again.
    #[error("{path} could not be written, and is as it was; see to the disk, then try again")]
    NotWritten {
        /// The log.
        path: Utf8PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Nobody knows what is on stable storage, and a later sync that succeeds does not tell. The writer is poisoned. Move
    /// the log aside before going on.
    #[error(
        "whether what was written to {path} is durable is unknown; see to the disk, audit the log, and move it aside before going on"
    )]
    DurabilityUnknown {
        /// The log.
        path: Utf8PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A writer that takes no lock came between, or the file was replaced: the lines do not stand where they were meant
    /// to. The writer is poisoned.
    #[error("another writer came between in {path}; stop it, audit the log, then open it again")]
    Interleaved {
        /// The log.
        path: Utf8PathBuf,
    },
    /// An earlier append ended in one of the two states above.
    #[error("this writer is poisoned by an earlier failure on {path}; open the log again")]
    Poisoned {
        /// The log.
        path: Utf8PathBuf,
    },
}

/// A log could not be moved aside and continued.
#[derive(Debug, Error)]
#[error("{path} could not be moved aside and continued; {}", aside.as_ref().map_or("try again".to_owned(), |aside| format!("the old log stands at {aside}, and the new one could not be opened")))]
pub struct RotateError {
    /// The log.
    pub path: Utf8PathBuf,
    /// Where the old log stands, if it was moved.
    pub aside: Option<Utf8PathBuf>,
    /// Why.
    pub source: Box<AppendError>,
}

impl AppendError {
    /// Whether the events may be in the log all the same, now or after a crash.
    pub fn may_be_persisted(&self) -> bool {
        matches!(self, Self::DurabilityUnknown { .. } | Self::Interleaved { .. })
    }
}
