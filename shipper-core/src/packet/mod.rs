//! The packet: `state.json` and `receipt.json`, which the shipper tool derives from the log. They are compared with the
//! log and never trusted: `docs/evidence.md`, "The packet".
//!
//! - `file` parses a file strictly and with a limit.
//! - `comparison` follows the events of a log and compares the file with them.

mod comparison;
mod file;

pub use comparison::PacketDiff;
pub(crate) use comparison::{Outcome, PacketComparison};
pub use file::{PackageState, PacketError, PacketFile, PacketKind};
