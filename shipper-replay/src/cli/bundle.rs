//! The option about a bundle.

use camino::Utf8PathBuf;
use clap::Args;

/// The archive that another auditor can judge again.
#[derive(Debug, Args)]
pub(crate) struct BundleArgs {
    /// Also write the audit of one log to the new file OUT.tar
    ///
    /// The archive contains the log and every file that the audit used, the report in JSON, the unsigned statement of
    /// --format vsa, and SHA256SUMS. As LOG, such an archive is checked, and its log is judged with your own options.
    #[arg(long, value_name = "OUT.tar", conflicts_with_all = ["merge", "follow", "compare", "head", "baseline", "require"],
        help_heading = "Output options")]
    pub(crate) bundle: Option<Utf8PathBuf>,
}
