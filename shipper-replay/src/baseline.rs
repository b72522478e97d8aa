//! The comparison with an earlier report (`--baseline`).

use std::io::Write;

use camino::Utf8Path;
use shipper_core::audit::{BaselineComparison, compare_with_baseline};

use crate::audit::{AuditCommandError, run_audit};
use crate::cli::{Cli, Format};
use crate::formats::human::{self, RenderOptions};
use crate::formats::json;
use crate::inputs::check_stdin;
use crate::merge::{read_report, run_merge};

/// Compares the audit or the merged report with the earlier report at a path, and returns the exit status.
pub(crate) fn run_baseline(cli: &Cli, path: &Utf8Path, mut out: impl Write) -> Result<u8, AuditCommandError> {
    if !matches!(cli.format, Format::Human | Format::Json) {
        return Err(AuditCommandError::BaselineFormat);
    }
    let logs = cli.logs.iter().filter_map(|log| log.to_str());
    check_stdin(logs.chain(cli.files_from.as_ref().map(|list| list.as_str())).chain([path.as_str()]))?;
    let baseline = read_report(path)?;
    let view = if cli.merge { run_merge(cli)? } else { run_audit(cli)? };
    let comparison: BaselineComparison = compare_with_baseline(&baseline, &view.report);
    match cli.format {
        Format::Json => json::write(&comparison, &mut out)?,
        _ => out.write_all(human::render_comparison(&comparison, &RenderOptions::from_cli(cli)).as_bytes())?,
    }
    Ok(comparison.exit_code)
}
