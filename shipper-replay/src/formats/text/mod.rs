//! Texts about a report that several formats for people contain.

pub(crate) mod caveats;
pub(super) mod commits;
pub(crate) mod decisions;
pub(crate) mod headline;
pub(crate) mod next_command;
mod packet;
pub(crate) mod phrases;
pub(crate) mod seal;
pub(crate) mod summary;
