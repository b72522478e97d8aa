//! Errors of writing a log, and their meaning for the caller.

use std::io;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use thiserror::Error;

use crate::integrity::{ChainError, Head};
use crate::line::error::LineError;

/// The error of a log that cannot be read for writing, or is not in a state to be written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LogError {
    /// A step on the file system failed.
    #[error("cannot {what} {path}")]
    Io {
        /// The step, as a verb.
        what: &'static str,
        /// The file or directory.
        path: Utf8PathBuf,
        /// The error of the file system.
        source: io::Error,
    },
    /// Another process has the lock.
    #[error("{path} is locked since more than {waited:?} by another process ({holder}); wait until it is done")]
    Locked {
        /// The lock file.
        path: Utf8PathBuf,
        /// The time that this process waited.
        waited: Duration,
        /// The note that the holder left.
        holder: String,
    },
    /// There is no log, and the options forbid creating one.
    #[error("there is no log at {path}")]
    NoLog {
        /// The path of the missing log.
        path: Utf8PathBuf,
    },
    /// A complete line is corrupt. Nothing is appended to such a log.
    #[error("{path}, line {line}, {error}; keep the file, audit it, then move it aside and continue in a new log")]
    Corrupt {
        /// The log.
        path: Utf8PathBuf,
        /// The number of the line.
        line: u64,
        /// The reason and the column.
        error: LineError,
    },
    /// A line contradicts the lines before it.
    #[error("{path}, line {line}: {error}; keep the file, audit it, then move it aside and continue in a new log")]
    Broken {
        /// The log.
        path: Utf8PathBuf,
        /// The number of the line.
        line: u64,
        /// The contradiction.
        error: ChainError,
    },
    /// The log does not extend the head that the caller kept.
    #[error(
        "{path} does not begin with the bytes of the kept head {kept}; compare it with a copy, and find out who changed it"
    )]
    NotExtended {
        /// The log.
        path: Utf8PathBuf,
        /// That head.
        kept: Head,
    },
    /// Bytes follow the last line: a lost event, or another writer at work.
    #[error(
        "{path} ends in the middle of a line ({bytes} bytes after line {line}); a writer died there or is still at work: \
         rehearse again, which repairs it"
    )]
    TornTail {
        /// The log.
        path: Utf8PathBuf,
        /// The last complete line.
        line: u64,
        /// The number of bytes after it.
        bytes: u64,
    },
    /// A torn tail was cut off and saved, but the repair stopped before it was recorded. Reopen the log with
    /// [`repair_torn_tail`](super::WriterOptions::repair_torn_tail).
    #[error(
        "the repair of {path} was cut short, and what was cut off is not in the log; rehearse again, which completes it"
    )]
    RepairInterrupted {
        /// The log.
        path: Utf8PathBuf,
    },
    /// An earlier sync failed; the marker file records it. Call [`rotate_log`](super::rotate_log) before writing.
    #[error(
        "a sync of {path} failed, and which of its bytes are durable is unknown; see to the disk, then move the log aside, continue it and rehearse again (continuing removes {marker})"
    )]
    SyncFailed {
        /// The log.
        path: Utf8PathBuf,
        /// The file that marks the failure.
        marker: Utf8PathBuf,
    },
    /// Another writer, which takes no lock, wrote while the torn tail was being cut off.
    #[error("another writer is at work on {path}; wait until it is done, then try again")]
    ConcurrentWriter {
        /// The log.
        path: Utf8PathBuf,
    },
    /// The path no longer names the opened file, or the file has become shorter.
    #[error("{path} was replaced or cut while it was in use; find out by whom, then open it again")]
    FileReplaced {
        /// The log.
        path: Utf8PathBuf,
    },
    /// The record of a repair was not acknowledged.
    #[error("the torn tail of {path} could not be repaired")]
    Repair {
        /// The log.
        path: Utf8PathBuf,
        /// The cause.
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

/// The error of events that were not acknowledged. The caller must do nothing that depends on them. Under
/// `DurabilityUnknown` and `Interleaved` they may still be in the log.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AppendError {
    /// The log is not in a state to be written.
    #[error(transparent)]
    Log(#[from] LogError),
    /// There was nothing to append.
    #[error("there is no event to append")]
    Empty,
    /// The line of an event would be corrupt.
    #[error("the event would make a corrupt line: {error}")]
    InvalidEvent {
        /// The reason and the column.
        error: LineError,
    },
    /// An event records a head that is not that of the lines before it.
    #[error("the event would break the log: {error}")]
    ChainViolation {
        /// The contradiction.
        error: ChainError,
    },
    /// The line of an event would be longer than [`MAX_LINE_LEN`](crate::MAX_LINE_LEN).
    #[error("the event makes a line of {bytes} bytes, and a line has at most 16 MiB; shorten its members")]
    TooLong {
        /// The length of the line in bytes.
        bytes: usize,
    },
    /// The write failed or was short; what was written of it was cut off again.
    #[error("{path} could not be written, and is as it was; see to the disk, then try again")]
    NotWritten {
        /// The log.
        path: Utf8PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The content of stable storage is unknown, also after a later sync that succeeds. The writer is poisoned. Move the log
    /// aside before writing again.
    #[error(
        "whether what was written to {path} is durable is unknown; see to the disk, audit the log, and move it aside before going on"
    )]
    DurabilityUnknown {
        /// The log.
        path: Utf8PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// Another writer, which takes no lock, wrote meanwhile, or the file was replaced: the lines are not where they belong.
    /// The writer is poisoned.
    #[error("another writer came between in {path}; stop it, audit the log, then open it again")]
    Interleaved {
        /// The log.
        path: Utf8PathBuf,
    },
    /// An earlier append failed in a way that poisons the writer.
    #[error("this writer is poisoned by an earlier failure on {path}; open the log again")]
    Poisoned {
        /// The log.
        path: Utf8PathBuf,
    },
}

/// The error of a log that could not be moved aside and continued.
#[derive(Debug, Error)]
#[error("{path} could not be moved aside and continued; {}", aside.as_ref().map_or("try again".to_owned(), |aside| format!("the old log stands at {aside}, and the new one could not be opened")))]
pub struct RotateError {
    /// The log.
    pub path: Utf8PathBuf,
    /// The path of the old log; `None` if it was not moved.
    pub aside: Option<Utf8PathBuf>,
    /// The cause.
    pub source: Box<AppendError>,
}
