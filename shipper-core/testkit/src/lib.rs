//! Support for the tests and benchmarks of the workspace: storage that fails on demand, registries, logs under
//! construction, and programs run to their end or killed on the way.

#![allow(missing_docs, reason = "an internal crate: a name that explains itself needs no sentence")]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::too_many_lines,
    reason = "a failed check must stop the test"
)]

#[cfg(feature = "release")]
pub mod adversary;
pub mod chain_oracle;
#[cfg(feature = "core")]
pub mod crash_scenarios;
pub mod disk;
#[cfg(feature = "release")]
pub mod fake_publisher;
#[cfg(all(target_os = "linux", feature = "fuse"))]
pub mod forgetful;
pub mod json_oracle;
pub mod lines;
#[cfg(feature = "core")]
pub mod log_builder;
pub mod program;
#[cfg(feature = "registry")]
pub mod registry;
#[cfg(feature = "release")]
pub mod release_fixture;
pub mod sample_log;
pub mod settings;
pub mod sim_storage;
#[cfg(target_os = "linux")]
pub mod syscall_killer;
pub mod tar_archive;
