//! The log of a publish gate: its lines, its events, and how they are read without being lenient.
//!
//! A log, `events.jsonl`, holds one event a line. These are two lines that the shipper tool wrote:
//!
//! ```json
//! {"timestamp":"2026-11-23T08:12:26.839276350Z","event_type":{"type":"rehearsal_started","registry":"rehearsal","plan_id":"4f6e939d0470","package_count":3},"package":"all"}
//! {"timestamp":"2026-11-23T08:12:26.924541033Z","event_type":{"type":"rehearsal_package_published","name":"zq-a","version":"0.1.0","duration_ms":73},"package":"zq-a@0.1.0"}
//! ```
//!
//! # Modules
//!
//! - From a line to an event: [`parse_line`] reads strictly and gives the column of a [`LineError`]. [`json`] is the reader
//!   under it, for other documents that must be as strict.
//! - From a stream to events: [`EventReader`], one after the other, in memory that does not grow with the log.
//! - From a stream to the few events of interest, many times faster and as strictly: [`scan`].
//! - From events to a log, durably: [`write`](mod@write).
//! - The content of events: [`Event`] and the structs of [`event`]. Unknown members and types are kept.
//! - The exact bytes up to a line: [`Head`], and [`HeadHasher`], which computes it.
//! - Text from a log is hostile: [`display_safe`] makes it fit to be shown.
//!
//! # What it does not do
//!
//! It does not interpret events: which of them open a rehearsal or authorize a publish is decided in `shipper-core`. It
//! prints nothing; only [`write`](mod@write) touches files and the clock, and only [`scan`] starts threads, which end with
//! the call that started them. The format is described for its readers in `docs/log-format.md`.

pub mod display_safe;
pub mod event;
mod integrity;
mod line;
mod read;
mod survey;
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

/// Reading a log many times faster than event by event, and as strictly: on all processors, and building only the events
/// that the caller is interested in.
///
/// A [`Projection`](scan::Projection) folds the events of a valid log. A [`LogVisitor`](scan::LogVisitor) also sees what
/// is wrong with a log, and a [`LogScanner`](scan::LogScanner) can be fed with a log while it grows.
pub mod scan {
    pub use crate::integrity::{LineCursor, VerifiedLine};
    pub use crate::read::{
        Interest, LineContent, LineReader, LogScanner, LogVisitor, Projection, read_projection, scan_log, split_lines,
    };
}
