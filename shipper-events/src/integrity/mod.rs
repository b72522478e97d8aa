//! Heads, links, and the verifier that checks them for a whole log.
//!
//! - `head`: the head of a prefix, computed or claimed by an event.
//! - `link`: the `seq` and `prev` of a chained line.
//! - `tree_hash`: the BLAKE3 hash of a log, of which other threads hash parts.
//! - `verifier`: the checks of a line against the lines before it.

mod head;
mod link;
mod tree_hash;
mod verifier;

pub(crate) use head::parse_hash;
pub use head::{ClaimedHead, Head, HeadHasher, ParseHeadError};
pub use link::ChainLink;
pub(crate) use tree_hash::SubtreeHashes;
pub use verifier::{ChainError, LineCursor, VerifiedLine};
pub(crate) use verifier::{LogVerifier, split_after_lines};
