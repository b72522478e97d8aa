//! The head of a log without an audit (`--head`).

use std::io::{self, Write};

use camino::Utf8Path;
use shipper_core::audit::{LogHeads, read_heads};
use shipper_events::Tail;

use crate::audit::{AuditCommandError, select_inputs};
use crate::bundle;
use crate::cli::Cli;
use crate::inputs::Input;

/// Prints the head of the only log, with BLAKE3 and then with SHA-256. Warns on standard error if the tail is torn.
pub(crate) fn run_head(cli: &Cli, mut out: impl Write) -> Result<(), AuditCommandError> {
    let (inputs, _) = select_inputs(cli)?;
    let path = inputs.first().map_or("-", Input::path);
    let unreadable = |source| AuditCommandError::UnreadableLog { path: path.to_owned(), source };
    let source = bundle::open_log(Utf8Path::new(path)).map_err(unreadable)?;
    let LogHeads { blake3, sha256, tail, .. } = read_heads(source).map_err(unreadable)?;
    writeln!(out, "{blake3}\n{sha256}")?;
    if let Tail::Torn { bytes } = tail {
        let line = blake3.lines;
        // The heads are correct without the warning.
        let _ = writeln!(
            io::stderr(),
            "warning: the heads do not cover an incomplete line of {bytes} bytes after line {line}"
        );
    }
    Ok(())
}
