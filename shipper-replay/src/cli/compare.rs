//! Option of the comparison.

use clap::Args;

/// The option of the comparison.
#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    /// Compare two logs byte by byte, and show what each adds
    ///
    /// It requires two LOGs. The exit status is 0 if they have the same content, 3 if one begins with the other, 1 if
    /// neither does, and 2 if one cannot be read. The formats are human and json.
    #[arg(long, requires = "logs", conflicts_with_all = ["files_from", "head", "merge", "registry", "plan_id", "sidecar",
        "no_sidecar", "at", "since", "extends", "signed_head", "strict", "require", "accept", "acknowledge_earlier",
        "policy", "baseline", "packet", "no_packet", "paths",
        "timeline", "follow", "quiet", "verbose", "resource_uri", "verifier_id", "time"])]
    pub(crate) compare: bool,
}
