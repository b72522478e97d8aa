//! Options about the rules of the auditor.

use camino::Utf8PathBuf;
use clap::Args;

/// The policy of the auditor.
#[derive(Debug, Args)]
pub(crate) struct PolicyArgs {
    /// Require what the policy in FILE demands
    ///
    /// FILE is TOML, and docs/policy.md explains its keys. A log that does not satisfy the policy is violated. The
    /// program reads no policy that this option does not name.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["merge", "require"], help_heading = "Audit options")]
    pub(crate) policy: Option<Utf8PathBuf>,
}
