//! Strict reader and durable writer for `events.jsonl`, the event log of a publish gate.
//!
//! A line of the log is one event. These are two lines that the shipper tool wrote:
//!
//! ```json
//! {"timestamp":"2026-11-23T08:12:26.839276350Z","event_type":{"type":"rehearsal_started","registry":"rehearsal","plan_id":"4f6e939d0470","package_count":3},"package":"all"}
//! {"timestamp":"2026-11-23T08:12:26.924541033Z","event_type":{"type":"rehearsal_package_published","name":"zq-a","version":"0.1.0","duration_ms":73},"package":"zq-a@0.1.0"}
//! ```
//!
//! # Overview
//!
//! | Task | Call |
//! |---|---|
//! | Read one line | [`parse_line`] |
//! | Read a log event by event | [`EventReader`] |
//! | Build your own state from a log, fast | [`scan::Projection`], [`scan::read_projection`] |
//! | Read a log together with its errors | [`scan::LogScanner`], [`scan::LogVisitor`] |
//! | Use the content of an event | [`Event`] and the structs of [`event`] |
//! | Compute the head of a log | [`HeadHasher`] |
//! | Append events durably | [`write::LogWriter`] |
//! | Find the marker of an interrupted repair or a failed sync | [`write::markers()`] |
//! | Parse other JSON with the same strict rules | [`json`] |
//! | Escape text from a log for a terminal | [`display_safe()`] |
//!
//! - *Head*: the number of lines, the number of bytes and the BLAKE3 hash of the beginning of a log ([`Head`]).
//! - *Chained line*: a line that begins with its position and the hash of the line before it ([`ChainLink`]).
//! - *Torn tail*: bytes after the last LF, from a write that did not finish ([`Tail`]).
//! - *Adoption*: the event `log_adopted` with the head of all lines before it. Chained lines can then follow.
//! - *Companion file*: a file beside the log, such as its lock, a marker, or a saved torn tail.
//!
//! # Out of scope
//!
//! This crate does not interpret events: `shipper-core` decides which of them start a rehearsal or authorize a publish.
//! It prints nothing. Only [`write`](mod@write) uses files and the clock. Reading a long log, by [`scan`] or by a
//! writer, starts threads, which end with the call. `docs/log-format.md` describes the format.

pub mod display_safe;
pub mod event;
mod integrity;
mod line;
mod read;
pub mod write;

pub use display_safe::{display_safe, is_display_safe};
pub use event::{Event, EventKind, EventType, JsonUint, LogEntry, PlanId, RegistryName, Timestamp};
pub use integrity::{ChainError, ChainLink, ClaimedHead, Head, HeadHasher, ParseHeadError};
pub use line::strict_json as json;
pub use line::{LineError, LineErrorKind, MAX_LINE_LEN, ParsedLine, RawEvent, parse_line};
pub use read::{EventReader, ReadError, Tail};
/// Crates whose types are in this API: a hash, a path and an instant.
#[doc(no_inline)]
pub use {blake3, camino, time};

/// Reads a log with your own [`Projection`](scan::Projection): [`read_projection`](scan::read_projection) verifies
/// every line, on several threads if the log is long, and builds only the requested events.
///
/// A [`Projection`](scan::Projection) folds the events of a valid log. A [`LogVisitor`](scan::LogVisitor) also gets
/// corrupt lines and chain errors. A [`LogScanner`](scan::LogScanner) takes a log piece by piece while it grows.
pub mod scan {
    // The code is in `read/` and `integrity/verifier.rs`.
    pub use crate::integrity::{LineCursor, VerifiedLine};
    pub use crate::read::{Interest, LineContent, LineReader, LogScanner, LogVisitor, Projection, read_projection};
}
