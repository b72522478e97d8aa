//! The log of a publish gate: its lines, its events, and how they are read without being lenient.
//!
//! A log, `events.jsonl`, holds one event a line. These are two lines that the shipper tool wrote:
//!
//! ```json
//! {"timestamp":"2026-11-23T08:12:26.839276350Z","event_type":{"type":"rehearsal_started","registry":"rehearsal","plan_id":"4f6e939d0470","package_count":3},"package":"all"}
//! {"timestamp":"2026-11-23T08:12:26.924541033Z","event_type":{"type":"rehearsal_package_published","name":"zq-a","version":"0.1.0","duration_ms":73},"package":"zq-a@0.1.0"}
//! ```
//!
//! # The rooms of this crate
//!
//! - From bytes to lines: [`scan`] for a log in memory, [`Splitter`] for pieces of any size. What stands after the
//!   last LF is the [`Tail`].
//! - From a line to an event: [`parse_line`] reads strictly and says at which column a line is [corrupt](LineError);
//!   [`json`] is the reader under it, for other documents that must be as strict.
//! - From a stream to events: [`EventReader`], one after the other, in memory that does not grow with the log.
//! - From a stream to the few events that somebody wants, many times faster and as strictly: [`survey()`] for a block of
//!   lines, [`survey_stream`] for a stream, on all processors, and [`Follower`], which puts surveyed blocks together.
//! - From events to a log, durably: [`write`](mod@write).
//! - What events say: [`Event`] and [`vocabulary`]. Members and types that this version does not know survive.
//! - The exact bytes up to a line: [`Head`], and [`HeadHasher`] that computes it. Whether each line follows the one before
//!   it: [`Chain`]. A [`Follower`] does both.
//! - Text from a log is hostile: [`display_safe`] makes it fit to be shown.
//!
//! # What it does not do
//!
//! It knows no meaning: which events open a rehearsal or let a publish go is `shipper-core`'s to say. It prints nothing;
//! only [`write`](mod@write) touches files and the clock, and only [`survey_stream`] starts threads, which end with it. The format is described for its readers in `docs/log-format.md`.

mod block;
mod chain;
mod display_safe;
mod event;
mod fault;
mod follow;
mod head;
pub mod json;
mod line;
mod link;
mod names;
mod reader;
mod split;
mod stream;
mod survey;
mod timestamp;
mod value;
pub mod vocabulary;
pub mod write;

pub use chain::{Chain, ChainError, Followed};
pub use display_safe::{DisplaySafe, display_safe, is_display_safe};
pub use event::{Event, LogEntry, ParseEventError};
pub use fault::{LineError, LineErrorKind};
pub use follow::{Follower, Place, Seen};
pub use head::{ClaimedHead, Head, HeadHasher, ParseHeadError};
pub use line::{ParsedLine, RawEvent, parse_line};
pub use link::ChainLink;
pub use names::{EmptyNameError, PlanId, RegistryName};
pub use reader::{EventReader, ReadError};
pub use split::{Cut, Splitter, Tail, scan};
pub use stream::{Piece, survey_stream};
pub use survey::{Notable, Regard, Stretch, Survey, What, survey};
pub use timestamp::{ParseTimestampError, Timestamp};
pub use value::{ExtraMembers, JsonUint, Lenient, RawJson};
pub use vocabulary::{EventKind, EventType};

/// The longest line that is read, its LF included, in bytes: 16 MiB. A longer one is corrupt. The longest lines of
/// real logs hold the last output of a command and stay below 100 KiB; the bound keeps a reader's memory flat.
pub const MAX_LINE_LEN: usize = 16 * 1024 * 1024;
