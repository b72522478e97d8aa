//! Bundles (`--bundle`): one audit as a tar archive that the next auditor judges again: `docs/evidence.md`, "A bundle".
//!
//! - `format` has the names, the order and the headers of the files in a bundle.
//! - `read` checks a bundle. It accepts only the bytes that `write` could have written, and unpacks nothing.
//! - `contents` gives the files of a checked bundle to an audit.
//! - `readme` has the text of the file README, and `write` makes the archive.

mod contents;
mod format;
mod read;
mod readme;
mod write;

pub(crate) use contents::{Bundle, is_bundle, open, open_log};
pub(crate) use write::{BundleOut, BundleWriteError};
