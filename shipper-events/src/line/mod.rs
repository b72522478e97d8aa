//! One line of the log, read strictly: [`parse_line`] for any line, and a fast path for the form that writers use.
//!
//! - `strict_json` parses one JSON object, and `json_check` rejects JSON that two readers could interpret differently.
//! - `parse` reads the members of an event.
//! - `canonical` accepts a line in the form that every writer uses, without allocating, with the help of `structural_index` and
//!   `member_names`.

pub(crate) mod canonical;
pub(crate) mod error;
mod json_check;
pub(crate) mod member_names;
pub(crate) mod parse;
pub mod strict_json;
pub(crate) mod structural_index;

pub use error::{LineError, LineErrorKind, MAX_LINE_LEN};
pub use parse::{ParsedLine, RawEvent, parse_line};
