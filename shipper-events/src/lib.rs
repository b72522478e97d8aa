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
//! - One line: [`parse_line`] reads it strictly and returns the column of a [`LineError`].
//! - A log, event by event: [`EventReader`], in memory that does not grow with the log.
//! - A log, many times faster and as strictly, if few events are of interest: [`scan`].
//! - The content of an event: [`Event`] and the structs of [`event`]. Unknown members and types are kept.
//! - The exact bytes of a log up to a line: [`Head`]; [`HeadHasher`] computes it.
//! - Appending events durably: [`write`](mod@write).
//! - Other documents that must be read as strictly: [`json`].
//! - Text from a log, escaped for a terminal: [`display_safe()`].
//!
//! # Out of scope
//!
//! This crate does not interpret events: `shipper-core` decides which of them open a rehearsal or authorize a publish. It
//! prints nothing. Only [`write`](mod@write) uses files and the clock, and only [`scan`] starts threads, which end with the
//! call that started them. `docs/log-format.md` describes the format.

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

/// Reading a log many times faster than event by event, and as strictly: on all processors, and building only the events
/// that the caller is interested in.
///
/// A [`Projection`](scan::Projection) folds the events of a valid log. A [`LogVisitor`](scan::LogVisitor) also sees what
/// is wrong with a log, and a [`LogScanner`](scan::LogScanner) can be fed with a log while it grows.
pub mod scan {
    pub use crate::integrity::{LineCursor, VerifiedLine};
    pub use crate::read::{Interest, LineContent, LineReader, LogScanner, LogVisitor, Projection, read_projection};
}
