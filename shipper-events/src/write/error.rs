//! Errors of writing a log.

use std::io;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use thiserror::Error;

use super::access::AccessRisk;
use super::coexist::ShipperSign;
use crate::integrity::{ChainError, Head};
use crate::line::error::LineError;

/// The error of a log that the writer cannot read, or must not write.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LogError {
    /// A step on the file system failed.
    #[error("cannot {what} {path}")]
    Io {
        /// The step, as a verb, such as `open`.
        what: &'static str,
        /// Path of the file or directory.
        path: Utf8PathBuf,
        /// The error of the file system.
        source: io::Error,
    },
    /// Another process has the lock.
    #[error("cannot lock {path}: still held by {holder} after {waited:?}")]
    Locked {
        /// Path of the lock file.
        path: Utf8PathBuf,
        /// The time that this process waited for the lock.
        waited: Duration,
        /// The note that the holder left.
        holder: String,
    },
    /// The log does not exist, and the options forbid creating one.
    #[error("cannot open {path}: the log does not exist")]
    NoLog {
        /// The path of the missing log.
        path: Utf8PathBuf,
    },
    /// A complete line is corrupt. Nothing is appended to such a log.
    #[error("line {line} of {path} is corrupt: {error}; audit the log, then rotate it")]
    Corrupt {
        /// Path of the log.
        path: Utf8PathBuf,
        /// The number of the line.
        line: u64,
        /// The reason and the column.
        error: LineError,
    },
    /// A line contradicts the lines before it.
    #[error("line {line} of {path} contradicts the lines before it: {error}; audit the log, then rotate it")]
    Broken {
        /// Path of the log.
        path: Utf8PathBuf,
        /// The number of the line.
        line: u64,
        /// The contradiction.
        error: ChainError,
    },
    /// The shipper tool writes this log, and the options do not allow that. After one line of this writer, that tool's
    /// reader fails. See [`adopt_unchained`](super::WriterOptions::adopt_unchained).
    #[error(
        "cannot write {path}: {sign}, so the shipper tool writes this log. After one line of this writer, its publish \
         uploads every package and then fails without its receipt.json. Its resume, status and inspect-events fail too. \
         Opt in with --adopt or `adopt_unchained` only if that tool never reads this log again"
    )]
    NotAdopted {
        /// Path of the log.
        path: Utf8PathBuf,
        /// The sign that the shipper tool writes the log.
        sign: ShipperSign,
    },
    /// Another user can change the log or its directory. See
    /// [`allow_foreign_owner`](super::WriterOptions::allow_foreign_owner).
    #[error(
        "cannot trust the log: {risk}. Change the owner or the permissions, or opt in with --allow-foreign-owner or \
         `allow_foreign_owner`"
    )]
    OthersCanWrite {
        /// The file or directory, and who can write it.
        risk: AccessRisk,
    },
    /// The log does not extend the head that the caller kept.
    #[error(
        "{path} does not extend the expected head {kept}; compare it with a copy, or expect the new head after a rotation"
    )]
    NotExtended {
        /// Path of the log.
        path: Utf8PathBuf,
        /// The expected head.
        kept: Head,
    },
    /// Bytes follow the last line. A writer stopped in the middle of a line, or is still writing it.
    #[error("{path} has a torn tail of {bytes} bytes after line {line}; rehearse again to repair it")]
    TornTail {
        /// Path of the log.
        path: Utf8PathBuf,
        /// The last complete line.
        line: u64,
        /// The number of bytes after it.
        bytes: u64,
    },
    /// A torn tail was cut off and saved, but the repair stopped before it was recorded. A new rehearsal completes it,
    /// with [`repair_torn_tail`](super::WriterOptions::repair_torn_tail).
    #[error("the repair of {path} is incomplete; rehearse again to complete it")]
    RepairInterrupted {
        /// Path of the log.
        path: Utf8PathBuf,
    },
    /// An earlier sync failed; the marker file records it. Call [`rotate_log`](super::rotate_log) before writing.
    #[error("cannot write {path}: {marker} marks an earlier failed sync; check the disk, then rotate the log")]
    SyncFailed {
        /// Path of the log.
        path: Utf8PathBuf,
        /// Path of the marker of the failed sync.
        marker: Utf8PathBuf,
    },
    /// Another process wrote to the log without its lock during a repair or a rotation.
    #[error("another process writes to {path} without its lock; try again when that process has ended")]
    ConcurrentWriter {
        /// Path of the log.
        path: Utf8PathBuf,
    },
    /// The path no longer names the opened file, or the file has become shorter.
    #[error("another process replaced or truncated {path}; open the log again")]
    FileReplaced {
        /// Path of the log.
        path: Utf8PathBuf,
    },
    /// The record of a repair was not acknowledged.
    #[error("cannot repair the torn tail of {path}")]
    Repair {
        /// Path of the log.
        path: Utf8PathBuf,
        /// Error of appending the record.
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

/// The error of events that were not acknowledged. The caller must do nothing that depends on them. After
/// `DurabilityUnknown` and `Interleaved`, the log may contain them.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AppendError {
    /// The writer cannot read the log, or must not write it.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The caller passed no event.
    #[error("cannot append to the log: no event was given")]
    Empty,
    /// The line of an event would be corrupt.
    #[error("cannot append a corrupt line: {error}")]
    InvalidEvent {
        /// The reason and the column.
        error: LineError,
    },
    /// An event records a head that is not that of the lines before it.
    #[error("cannot append a line that contradicts the log: {error}")]
    ChainViolation {
        /// The contradiction.
        error: ChainError,
    },
    /// The line of an event would be longer than [`MAX_LINE_LEN`](crate::MAX_LINE_LEN).
    #[error("cannot append a line of {bytes} bytes: the limit is 16 MiB")]
    TooLong {
        /// The length of the line in bytes.
        bytes: usize,
    },
    /// The time of the system's clock has no timestamp.
    #[error("cannot append to the log: the system's clock is outside the years 0 to 9999")]
    ClockOutOfRange,
    /// The write failed or was short. The writer cut off the written part again.
    #[error("cannot append to {path}, which is unchanged")]
    NotWritten {
        /// Path of the log.
        path: Utf8PathBuf,
        /// Error of the file system.
        source: io::Error,
    },
    /// The content of stable storage is unknown, also after a later sync that succeeds. The writer is poisoned. Check
    /// the disk, audit the log, and rotate it before writing again.
    #[error("cannot confirm that the lines appended to {path} are durable (check the disk, audit the log, rotate it)")]
    DurabilityUnknown {
        /// Path of the log.
        path: Utf8PathBuf,
        /// Error of the file system.
        source: io::Error,
    },
    /// Another process wrote to the log without its lock, or replaced the file. The writer is poisoned.
    #[error("another process changed {path} during the append; stop that process, then audit the log")]
    Interleaved {
        /// Path of the log.
        path: Utf8PathBuf,
    },
    /// An earlier append failed in a way that poisons the writer.
    #[error("cannot append to {path} after an earlier failure; open the log again")]
    Poisoned {
        /// Path of the log.
        path: Utf8PathBuf,
    },
}

/// The error of a rotation.
#[derive(Debug, Error)]
#[error("cannot complete the rotation of {path}{}", aside.as_ref().map_or(String::new(), |aside| format!(" (the old log is now {aside})")))]
pub struct RotateError {
    /// Path of the log.
    pub path: Utf8PathBuf,
    /// The path of the old log; `None` if it was not moved.
    pub aside: Option<Utf8PathBuf>,
    /// Error of the step that failed.
    pub source: Box<AppendError>,
}
