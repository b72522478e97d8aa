//! The options about the packet.

use camino::Utf8PathBuf;
use clap::Args;

/// Options about the packet: the files `state.json` and `receipt.json` of the shipper tool.
#[derive(Debug, Args)]
#[command(next_help_heading = "Input options")]
pub(crate) struct PacketArgs {
    /// Compare state.json and receipt.json in DIR with the log
    ///
    /// The default is the directory of the log. With --at, or for standard input, there is no default.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["no_packet", "merge", "follow"])]
    pub(crate) packet: Option<Utf8PathBuf>,

    /// Compare no state.json and no receipt.json
    #[arg(long, conflicts_with = "merge")]
    pub(crate) no_packet: bool,
}
