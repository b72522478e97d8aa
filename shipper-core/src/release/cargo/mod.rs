//! Cargo as the [`Publisher`](super::Publisher), and plans of workspaces.
//!
//! - [`Workspace::read`] makes a plan of the files that `cargo package` packs.
//! - A rehearsal publishes each package as it would be uploaded, from a directory of its own. Cargo takes the other
//!   packages of the plan from the rehearsal registry, by patches. So every package is built as users will build it,
//!   with one version of each.
//! - A rehearsal builds with the settings of registries only: `build_settings` leaves out others of the workspace.
//! - A publish packs each package again, compares every entry with the plan, and runs `cargo publish --no-verify --locked`.
//!   So no code of the workspace or of its dependencies runs, and could change what is uploaded.
//! - Before the first upload, the rules and the index of the live registry are applied to the manifests.
//! - [`Workspace::registry`] finds registries as cargo does.
//! - A lookup reads the registry's sparse index, downloads the package and compares its content.
//! - Cargo finds its tokens by itself. A lookup in an index that needs a token asks cargo's credential providers for it.
//!   Tokens are replaced wherever a command or a registry prints them.

mod build_settings;
mod cache;
mod config;
mod crate_file;
mod crates_io;
mod credential;
mod endpoints;
mod http;
mod index;
mod live_lookup;
mod lockfile;
mod manifest;
mod metadata_rules;
mod order;
mod overrides;
mod package_options;
mod preflight;
mod problem;
mod process;
mod proxy;
mod published_deps;
mod publisher;
mod redact;
mod registry_checks;
mod sibling;
mod stage;
mod stderr;
mod tls;
mod vcs;
mod workspace;

pub use config::ConfigError;
pub use publisher::CargoPublisher;
pub use workspace::{Workspace, WorkspaceError, WorkspaceOptions};
