//! Durable writer. An acknowledged event is on stable storage. The writer appends only to a valid log.
//!
//! Opening a log first checks who else can write it (`check_access`). An append, in this order (`docs/log-format.md`, "Writing"):
//!
//! 1. Take the lock of the log, `events.jsonl.lock`; after a timeout, fail and name the holder
//!    (`LockOptions::acquire`).
//! 2. Check that the path still names the file, and read the lines that other processes appended. Refuse a corrupt
//!    line, a chain error or a wrong recorded head. Refuse a torn tail, or repair it if the options allow that
//!    (`LogWriter::prepare`, `LogFile::read_appended`).
//!    Refuse a log that the shipper tool writes, unless the options allow it (`LogWriter::refuse_coexistence`).
//! 3. Encode all lines; if the last line is unchained, a `log_adopted` precedes them (`encode`). Steps 3 to 7 are in
//!    `LogFile::append_under_lock`.
//! 4. Write once in append mode. Cut off a short write again (`LogFile::roll_back`).
//! 5. Call `fdatasync`. If it fails, the content of the disk is unknown: the writer is poisoned and never writes again.
//!    The marker `events.jsonl.unsynced` stops later writers (`LogFile::sync`).
//! 6. Check that the path still names the file and that the lines have the expected offset (`LogFile::verify_written`).
//! 7. Acknowledge the append, and pass the events to the projection.
//!
//! The file system is behind the small trait [`Storage`], so that tests can fail or crash at every step.

mod access;
mod checks;
mod coexist;
mod encode;
mod error;
mod fs;
mod fs_file;
mod fs_lock;
mod log_file;
mod markers;
mod paths;
mod repair;
mod rotate;
mod storage;
mod writer;

pub use access::{AccessRisk, FileAccess};
pub use coexist::ShipperSign;
pub use encode::NewEvent;
pub use error::{AppendError, LogError, RotateError};
pub use fs::FsStorage;
pub use fs_file::FsFile;
pub use fs_lock::FsLock;
pub use markers::{Markers, markers};
pub use rotate::rotate_log;
pub use storage::{Storage, StorageFile, replace_file};
pub use writer::{LockOptions, LogWriter, TailRepair, WriterOptions};
