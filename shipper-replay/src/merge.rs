//! Merge of ndjson reports into one (`--merge`).

use std::borrow::Cow;
use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Read};

use camino::{Utf8Path, Utf8PathBuf};
use shipper_core::audit::{MergeError, MergedReport, NdjsonMerger, merge as merge_reports};
use thiserror::Error;

use crate::cli::{Cli, Format};
use crate::formats::text::phrases::path_text;
use crate::inputs::{InputsError, NOT_UTF8, open, read_list};
use crate::view::ReportView;

/// Longest line of a report, in bytes. It allows about a million findings of one log.
const MAX_LINE_LEN: u64 = 256 * 1024 * 1024;

/// The error for reports that cannot be merged.
#[derive(Debug, Error)]
pub(crate) enum MergeCommandError {
    #[error("--merge cannot be used with --format vsa")]
    Vsa,
    #[error(transparent)]
    Inputs(#[from] InputsError),
    #[error("cannot read the report {}", path_text(path.as_str()).quoted())]
    Unreadable { path: Utf8PathBuf, source: io::Error },
    #[error("{place}: {reason}")]
    Invalid { place: String, reason: String },
    #[error(transparent)]
    Nothing(MergeError),
    #[error("no report covers {}{more} of the list", path_text(first).quoted())]
    Missing { first: String, more: String },
}

/// Merges the reports that the arguments name.
pub(crate) fn run_merge(cli: &Cli) -> Result<ReportView, MergeCommandError> {
    if cli.format == Format::Vsa {
        return Err(MergeCommandError::Vsa);
    }
    let listed = read_list(cli)?;
    let reports =
        cli.logs.iter().map(|path| read_argument(path)).collect::<Result<Vec<MergedReport>, MergeCommandError>>()?;
    let merged = merge_reports(reports).map_err(|why| match &why {
        MergeError::Policy { position, .. } => {
            let path = cli.logs.get(*position).map(|path| path.to_string_lossy()).unwrap_or_default();
            MergeCommandError::Invalid { place: path_text(&path).quoted().to_string(), reason: why.to_string() }
        }
        _ => MergeCommandError::Nothing(why),
    })?;
    check_complete(&merged, &listed)?;
    Ok(ReportView { duplicates: merged.duplicates, ..ReportView::new(merged.report) })
}

/// Reads the file of one or more reports that an argument names.
fn read_argument(path: &OsStr) -> Result<MergedReport, MergeCommandError> {
    if let Some(path) = path.to_str() {
        return read_report(Utf8Path::new(path));
    }
    let path = Utf8PathBuf::from(path.to_string_lossy().into_owned());
    Err(MergeCommandError::Unreadable { path, source: io::Error::other(NOT_UTF8) })
}

/// Reads a file of one or more reports.
pub(crate) fn read_report(path: &Utf8Path) -> Result<MergedReport, MergeCommandError> {
    let unreadable = |source| MergeCommandError::Unreadable { path: path.to_owned(), source };
    // Line 0 is the whole report.
    let invalid = |line: u64, reason: String| {
        let line = if line == 0 { String::new() } else { format!(" line {line}") };
        MergeCommandError::Invalid { place: format!("{}{line}", path_text(path.as_str()).quoted()), reason }
    };
    let mut bytes = BufReader::new(open(path).map_err(unreadable)?);
    let mut stream = NdjsonMerger::default();
    let (mut line, mut text) = (0, Vec::new());
    while bytes.by_ref().take(MAX_LINE_LEN + 1).read_until(b'\n', &mut text).map_err(unreadable)? > 0 {
        line += 1;
        if text.len() as u64 > MAX_LINE_LEN {
            return Err(invalid(line, format!("longer than {MAX_LINE_LEN} bytes")));
        }
        stream.push_line(&text).map_err(|bad| invalid(line, bad.to_string()))?;
        text.clear();
    }
    stream.finish().map_err(|why| invalid(line, why.to_string()))
}

/// Returns an error if a listed log is in no report. Without a list, a missing report is not noticed.
fn check_complete(merged: &MergedReport, listed: &[Vec<u8>]) -> Result<(), MergeCommandError> {
    let listed: Vec<Cow<'_, str>> = listed.iter().map(|path| String::from_utf8_lossy(path)).collect();
    let missing = merged.missing_paths(listed.iter().map(AsRef::as_ref));
    let Some((first, more)) = missing.split_first() else {
        return Ok(());
    };
    let more = if more.is_empty() { String::new() } else { format!(" and {} more", more.len()) };
    Err(MergeCommandError::Missing { first: (*first).to_owned(), more })
}
