//! Integration tests of `shipper-core`, one module for each promise of the crate.

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

mod acceptance;
mod adversarial_cost;
mod ask_gate;
mod baseline;
#[cfg(all(unix, feature = "cargo"))]
mod cargo_cases;
#[cfg(all(unix, feature = "cargo"))]
mod cargo_content;
#[cfg(all(target_os = "linux", feature = "cargo"))]
mod cargo_crash;
#[cfg(all(unix, feature = "cargo"))]
mod cargo_networks;
#[cfg(all(unix, feature = "cargo"))]
mod cargo_preflight;
#[cfg(all(unix, feature = "cargo"))]
mod cargo_release;
#[cfg(all(unix, feature = "cargo"))]
mod cargo_release_scenarios;
#[cfg(all(unix, feature = "cargo"))]
mod cargo_settings;
#[cfg(feature = "cargo")]
mod cargo_workspace;
mod chain_tampering;
mod coexistence;
mod compare;
mod concurrent_model;
#[cfg(feature = "release")]
mod content_law;
mod crash_consistency;
mod decisions;
mod false_permission;
mod finding_labels;
mod fold_oracle;
mod gate_invariant;
mod goldens;
mod io_faults;
mod kept_heads;
#[cfg(target_os = "linux")]
mod kill_at_syscall;
mod merge;
mod packet;
mod policy;
#[cfg(target_os = "linux")]
mod power_cut;
#[cfg(target_os = "linux")]
mod program_cases;
mod properties;
#[cfg(feature = "release")]
mod publish_crash;
#[cfg(feature = "release")]
mod rate_limits;
mod refusals;
#[cfg(feature = "release")]
mod release_model;
mod shipper_tool;
mod sidecar;
mod state_access;
mod strategies;
#[cfg(feature = "release")]
mod test_registry;
mod timeline;
mod torn_tail;
mod verified_law;
