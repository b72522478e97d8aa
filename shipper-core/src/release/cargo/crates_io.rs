//! The registry that needs no configuration.

pub(super) use crate::release::registry::CRATES_IO;

/// Its address for uploads.
pub(super) const CRATES_IO_ENDPOINT: &str = "https://crates.io";

/// The address of its index.
pub(super) const CRATES_IO_INDEX: &str = "sparse+https://index.crates.io/";
