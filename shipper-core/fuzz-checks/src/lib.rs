//! The checks of the fuzz targets. Each takes any bytes, and panics if a promise does not hold.
//!
//! The fuzzer calls them from `shipper-core/fuzz`, and a test of this crate calls them with the committed corpus.

// The included files have unit tests in their own crates.
#![cfg(not(test))]
#![allow(missing_docs, reason = "an internal crate: the first lines of each module say what it checks")]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::cast_possible_truncation,
    clippy::too_many_lines,
    reason = "a failed check must stop the fuzzer"
)]

pub mod audit;
pub mod bundle;
pub mod compressed;
pub mod evidence;
pub mod followed;
pub mod head;
pub mod line;
pub mod lines;
pub mod packed;
mod pieces;
pub mod policy;
pub mod reports;
mod samples;
pub mod scanner;

// The programs export nothing, so their files are compiled here, too. They name each other by their path in the program.
macro_rules! program_files {
    ($($name:ident $path:literal)*) => {
        $(
            #[allow(dead_code, reason = "the program uses the rest")]
            #[path = $path]
            mod $name;
        )*
    };
}

program_files! {
    chunks "../../../shipper-replay/src/chunks.rs"
    compression "../../../shipper-replay/src/compression.rs"
    digest "../../../shipper-replay/src/digest.rs"
    follow_file "../../../shipper-replay/src/follow_file.rs"
    zstd "../../../shipper-replay/src/zstd.rs"
}

/// A check of any bytes.
pub type Check = fn(&[u8]);

/// The checks by the names of their targets.
pub const CHECKS: [(&str, Check); 12] = [
    ("line", line::check),
    ("lines", lines::check),
    ("scanner", scanner::check),
    ("audit", audit::check),
    ("compressed", compressed::check),
    ("packed", packed::check),
    ("followed", followed::check),
    ("evidence", evidence::check),
    ("policy", policy::check),
    ("reports", reports::check),
    ("bundle", bundle::check),
    ("head", head::check),
];
