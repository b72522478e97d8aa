//! Options about heads.

use camino::Utf8PathBuf;
use clap::Args;
use shipper_events::Timestamp;

/// The heading of options of an audit in the help.
const AUDIT: &str = "Audit options";

/// The options about heads.
#[derive(Debug, Args)]
pub(crate) struct HeadArgs {
    /// Print the head of LOG with BLAKE3 and with SHA-256, without an audit
    ///
    /// Each is one line. To sign a head, write one of these lines to a file.
    #[arg(long, requires = "logs", conflicts_with_all = ["merge", "registry", "plan_id", "sidecar", "no_sidecar", "at",
        "since", "extends", "signed_head", "strict", "require", "accept", "acknowledge_earlier",
        "policy", "baseline", "packet", "no_packet", "paths", "timeline", "follow",
        "format", "quiet", "verbose", "resource_uri", "verifier_id", "time"])]
    pub(crate) head: bool,

    /// Require that the log begins with the head in FILE, which FILE.sig signs
    ///
    /// FILE has one line that --head printed. FILE.sig is an SSH signature of it in the namespace shipper-head. The
    /// signer must be in the list of --allowed-signers. Then the effect is that of --extends.
    #[arg(long, value_name = "FILE", requires = "allowed_signers", conflicts_with_all = ["extends", "merge"],
        help_heading = AUDIT)]
    pub(crate) signed_head: Option<Utf8PathBuf>,

    /// Accept the signers that FILE lists for --signed-head
    ///
    /// FILE has the form of ALLOWED SIGNERS in ssh-keygen(1), with names without patterns, and the options namespaces,
    /// valid-after and valid-before.
    #[arg(long, value_name = "FILE", requires = "signed_head", help_heading = AUDIT)]
    pub(crate) allowed_signers: Option<Utf8PathBuf>,

    /// Judge the validity dates of signers at TIMESTAMP
    ///
    /// It is required if FILE of --allowed-signers has a validity date.
    #[arg(long, value_name = "TIMESTAMP", requires = "signed_head", help_heading = AUDIT)]
    pub(crate) verify_time: Option<Timestamp>,
}
