//! From a stream of bytes to verified lines.
//!
//! 1. [`chunks`] divides the stream into chunks of complete lines.
//! 2. [`block`] checks every line of a chunk and builds the events that the caller is interested in. A line in the form
//!    that every writer uses is checked on the fast path; any other goes to [`parse_line`](crate::parse_line). The result
//!    depends only on the chunk, so [`parallel`] can scan several chunks at a time.
//! 3. The [verifier](crate::integrity) takes the scanned chunks in order and checks links and heads across them.
//! 4. [`scanner`] puts the steps together; most callers use a [`reader`]. [`lines`] reads lines unchecked.

mod block;
mod chunks;
mod interest;
mod lines;
mod parallel;
mod reader;
mod scanner;

pub use block::LineContent;
pub(crate) use block::{ChainSegment, ScannedBlock};
pub use interest::Interest;
pub use lines::{LineReader, Tail};
pub use reader::{EventReader, Projection, ReadError, read_projection};
pub(crate) use reader::{interest, read_events};
pub use scanner::{LogScanner, LogVisitor};
