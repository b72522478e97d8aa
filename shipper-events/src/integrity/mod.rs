//! Heads, links, and the verifier that checks them for a whole log.
//!
//! - `head`: the head of a prefix, computed or claimed by an event.
//! - `link`: the `seq` and `prev` of a chained line.
//! - `verifier`: the checks of a line against the lines before it.

mod head;
mod link;
mod verifier;

pub(crate) use head::parse_hash;
pub use head::{ClaimedHead, Head, HeadHasher, ParseHeadError};
pub use link::ChainLink;
pub use verifier::{ChainError, LineCursor, VerifiedLine};
pub(crate) use verifier::{LogVerifier, split_after_lines};
