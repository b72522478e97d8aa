//! The registry that needs no configuration.

/// Its name in cargo's configuration.
pub(super) const CRATES_IO: &str = "crates-io";

/// Its address for uploads.
pub(super) const CRATES_IO_ENDPOINT: &str = "https://crates.io";

/// The address of its index.
pub(super) const CRATES_IO_INDEX: &str = "sparse+https://index.crates.io/";
