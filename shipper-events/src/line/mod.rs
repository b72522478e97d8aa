//! One line of the log, read strictly: [`parse_line`] for any line.
//!
//! - `strict_json` reads one JSON object and rejects everything that two readers could read in two ways.
//! - `json_check` checks what `serde_json` does not, and finds the reason and the column of a syntax error.
//! - `parse` reads the members of an event.

pub(crate) mod error;
mod json_check;
pub(crate) mod parse;
pub mod strict_json;

pub use error::{LineError, LineErrorKind, MAX_LINE_LEN};
pub use parse::{ParsedLine, RawEvent, parse_line};
