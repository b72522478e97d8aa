//! Options about an earlier report.

use camino::Utf8PathBuf;
use clap::Args;

/// The earlier report that a report is compared with.
#[derive(Debug, Args)]
pub(crate) struct BaselineArgs {
    /// Print only what differs from an earlier REPORT
    ///
    /// REPORT is a report of --format ndjson. Its options may differ. The exit status is 0 if nothing is worse, 1 if
    /// something is worse, and 2 if a report or a log cannot be read or judged. The format is human or json.
    #[arg(long, value_name = "REPORT", conflicts_with_all = ["follow", "timeline", "require"],
        help_heading = "Output options")]
    pub(crate) baseline: Option<Utf8PathBuf>,
}
