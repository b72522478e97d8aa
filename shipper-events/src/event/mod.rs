//! Events, typed: [`Event`] and a struct for each type of the vocabulary, `docs/log-format.md`, "Vocabulary".
//!
//! The Rust type of a member expresses what the format requires of it:
//!
//! - A plain type: the member is required. A line without it, or with another type of value, is corrupt.
//! - [`Option`]: the member may be absent or null, and a line with another type of value is corrupt.
//! - [`Lenient`]: the member is typed for callers. A value of another type is kept as written, and the line is valid.
//!
//! Types and members that this version does not know are kept: [`UnknownEvent`], [`ExtraMembers`]. Members in `_ms` are
//! in milliseconds, and those in `_at` are RFC 3339 times. The first `attempt` is 1; `max_attempts` is the limit.
//!
//! ```
//! use shipper_events::Event;
//! use shipper_events::event::PackageFailed;
//! let event = PackageFailed::new().class("retryable").message("the registry answered 503");
//! let event = Event::new("2026-11-23T08:12:26Z".parse()?, event, "zq-a@0.1.0");
//! assert_eq!(event.event_type.name(), "package_failed");
//! # Ok::<(), shipper_events::event::ParseTimestampError>(())
//! ```

mod commit;
mod content;
mod decision;
mod envelope;
mod members;
mod names;
mod number;
mod timestamp;
mod types;

pub use commit::{CommitId, CommitIdError, GitCommit};
pub use decision::{DecisionRecord, GateEvaluated, RULES_VERSION};
pub use envelope::{Event, LogEntry, ParseEventError};
pub(crate) use members::MemberError;
pub use members::{ExtraMembers, Lenient, RawJson, UnknownEvent};
pub use names::{EmptyNameError, PlanId, RegistryName};
pub use number::JsonUint;
pub(crate) use timestamp::parse_instant;
pub use timestamp::{ParseTimestampError, Timestamp};
#[doc(inline)]
pub use types::*;
