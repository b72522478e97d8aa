//! Writing a log: what is acknowledged is on stable storage, and nothing is appended to a log that is not understood.
//!
//! An append, in this order (`docs/log-format.md`, "Writing"):
//!
//! 1. Take the lock of the log, `events.jsonl.lock`, or give up after a time and say who has it.
//! 2. Check that the path still names the file, and read what others have appended since. A corrupt line, a broken chain
//!    or a recorded head that does not fit is refused. A torn tail is refused, or repaired by a writer that is told to.
//! 3. Build all lines; where the last line is foreign, a `log_adopted` goes before them.
//! 4. One write in append mode. What is written short is cut off again.
//! 5. `fdatasync`. If it fails, nobody knows what is on the disk: the writer is poisoned and never writes again.
//! 6. Check that the path still names the file and that the lines stand where they were meant to.
//! 7. Only now is the append acknowledged, and the observer sees the events.
//!
//! The file system is behind the small trait [`Storage`], so that tests can fail or crash at every step.

mod aside;
mod build;
mod disk;
mod draft;
mod error;
mod os;
mod repair;
mod taking;
mod writer;

pub use aside::rotate_log;
pub use disk::{Storage, StorageFile, replace_file};
pub use draft::NewEvent;
pub use error::{AppendError, LogError, RotateError};
pub use os::{FsFile, FsStorage};
pub use writer::{LogWriter, Projection, WriterOptions};
