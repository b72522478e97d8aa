//! Cargo as the [`Publisher`](super::Publisher), and plans of workspaces.
//!
//! - [`Workspace::read`] makes a plan of the files that `cargo package` packs.
//! - A rehearsal publishes each package as it would be uploaded, from a directory of its own. Cargo takes the other
//!   packages of the plan from the rehearsal registry, by patches. So every package is built as users will build it,
//!   with one version of each.
//! - A rehearsal builds with the settings of registries only: `build_settings` leaves out others of the workspace.
//! - A publish runs `cargo publish` in the workspace.
//! - Both pack the packages again first. Cargo may refuse that, for example if a file is not committed, and the packages
//!   must equal the plan.
//! - [`Workspace::registry`] finds registries as cargo does.
//! - A lookup reads the registry's sparse index, downloads the package and compares its content.
//! - Cargo finds its tokens by itself. They are replaced wherever a command or a registry prints them.

mod build_settings;
mod cache;
mod config;
mod crate_file;
mod crates_io;
mod endpoints;
mod index;
mod lockfile;
mod order;
mod overrides;
mod process;
mod publisher;
mod redact;
mod stage;
mod stderr;
mod workspace;

pub use config::ConfigError;
pub use publisher::CargoPublisher;
pub use workspace::{Workspace, WorkspaceError};
