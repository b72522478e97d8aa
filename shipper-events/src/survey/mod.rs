//! The canonical form of a line, and the bytes that matter to it.

pub(crate) mod index;
pub(crate) mod prove;
