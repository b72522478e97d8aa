//! Integration tests of `shipper-events`, one module for each promise of the crate.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::string_slice,
    clippy::too_many_lines,
    clippy::unreachable,
    reason = "a failed check must stop the test"
)]

mod concurrent_writers;
mod corrupt_lines;
mod display_safe;
mod fast_path_equivalence;
mod heads;
mod json_conformance;
mod line_splitting;
mod markers;
mod reading;
mod round_trip;
mod timestamps;
