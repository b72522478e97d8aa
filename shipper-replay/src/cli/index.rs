//! The options about a registry's index.

use camino::Utf8PathBuf;
use clap::Args;

/// Options about the index of the live registry.
#[derive(Debug, Args)]
#[command(next_help_heading = "Input options")]
pub(crate) struct IndexArgs {
    /// Compare the published versions with the registry's index in PATH
    ///
    /// PATH is a file of a sparse index as downloaded, or a directory of them, which is read recursively. The option can
    /// be given more than once. A published version that no file has is an error.
    #[arg(long = "index", value_name = "PATH", conflicts_with_all = ["merge", "follow"])]
    pub(crate) paths: Vec<Utf8PathBuf>,
}
