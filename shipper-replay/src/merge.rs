//! `--merge`: reads ndjson reports and merges them into one.

use std::io::{self, BufRead, BufReader, Read};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err::File;
use shipper_core::audit::{
    IncompleteReport, MergeError, MergedReport, NdjsonMerger, ReportLineError, merge as merge_reports,
};
use shipper_events::display_safe;
use thiserror::Error;

use crate::cli::{Cli, Format};
use crate::file_list::{FileListError, ListedPath, read_list};
use crate::view::ReportView;

/// Longest line of a report, in bytes: about a million findings of one log.
const MAX_LINE_LEN: u64 = 256 * 1024 * 1024;

/// The reports cannot be merged.
#[derive(Debug, Error)]
pub(crate) enum MergeCommandError {
    /// A statement needs a log that was read.
    #[error("--format vsa speaks of a log that was read, and --merge reads none; make it where the log is")]
    Vsa,
    /// Standard input is given more than once.
    #[error("standard input (-) was given {count} times; name it once")]
    StdinTwice { count: usize },
    /// A report cannot be read.
    #[error("cannot read the report {}", quoted_path(path))]
    Unreadable { path: Utf8PathBuf, source: io::Error },
    /// A line is too long.
    #[error("{place}: it is longer than {MAX_LINE_LEN} bytes; audit that log by itself")]
    TooLong { place: String },
    /// A line is not part of a report.
    #[error("{place}: {bad}")]
    Line { place: String, bad: ReportLineError },
    /// A report is incomplete.
    #[error("{place}: {why}")]
    Incomplete { place: String, why: IncompleteReport },
    /// A report does not fit those before it.
    #[error("{}: {why}", quoted_path(path))]
    Report { path: Utf8PathBuf, why: MergeError },
    /// The reports contain nothing to merge.
    #[error(transparent)]
    Nothing(MergeError),
    /// The list of `--files-from` cannot be read.
    #[error(transparent)]
    FileList(#[from] FileListError),
    /// The reports lack a log of the list.
    #[error(
        "no report tells of {}{more}, which the list names; judge what is missing and merge again",
        display_safe(first).max_chars(400).quoted()
    )]
    Missing { first: String, more: String },
}

/// Merges the reports that the arguments name.
pub(crate) fn run_merge(cli: &Cli) -> Result<ReportView, MergeCommandError> {
    if cli.format == Format::Vsa {
        return Err(MergeCommandError::Vsa);
    }
    let from_stdin = cli.logs.iter().chain(&cli.files_from).filter(|path| *path == "-").count();
    if from_stdin > 1 {
        return Err(MergeCommandError::StdinTwice { count: from_stdin });
    }
    let listed = read_list(cli)?;
    let reports = cli.logs.iter().map(|path| read(path)).collect::<Result<Vec<MergedReport>, MergeCommandError>>()?;
    let merged = merge_reports(reports).map_err(|why| match &why {
        MergeError::Policy { position, .. } => {
            let path = cli.logs.get(*position).cloned().unwrap_or_default();
            MergeCommandError::Report { path, why }
        }
        _ => MergeCommandError::Nothing(why),
    })?;
    let MergedReport { report, duplicates, .. } = check_complete(merged, &listed)?;
    Ok(ReportView { duplicates, ..ReportView::new(report) })
}

/// Reads a file of one or more reports.
fn read(path: &Utf8Path) -> Result<MergedReport, MergeCommandError> {
    let unreadable = |source| MergeCommandError::Unreadable { path: path.to_owned(), source };
    let mut bytes: Box<dyn BufRead> = if path == "-" {
        Box::new(io::stdin().lock())
    } else {
        Box::new(BufReader::new(File::open(path).map_err(unreadable)?))
    };
    let mut stream = NdjsonMerger::default();
    let (mut line, mut text) = (0, Vec::new());
    loop {
        text.clear();
        if bytes.by_ref().take(MAX_LINE_LEN + 1).read_until(b'\n', &mut text).map_err(unreadable)? == 0 {
            break;
        }
        line += 1;
        if text.len() as u64 > MAX_LINE_LEN {
            return Err(MergeCommandError::TooLong { place: place(path, line) });
        }
        stream.push_line(&text).map_err(|bad| MergeCommandError::Line { place: place(path, line), bad })?;
    }
    stream.finish().map_err(|why| MergeCommandError::Incomplete { place: place(path, line), why })
}

/// Returns an error if a log of the list is in no report. Only the list shows that a report is missing.
fn check_complete(merged: MergedReport, listed: &[ListedPath]) -> Result<MergedReport, MergeCommandError> {
    let missing = merged.missing_paths(listed.iter().map(|path| path.text.as_str()));
    let Some(first) = missing.first() else {
        return Ok(merged);
    };
    let more = match missing.len() - 1 {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Err(MergeCommandError::Missing { first: (*first).to_owned(), more })
}

/// Returns the location for a message; line 0 is the whole report.
fn place(path: &Utf8Path, line: u64) -> String {
    if line == 0 { quoted_path(path) } else { format!("{} line {line}", quoted_path(path)) }
}

fn quoted_path(path: &Utf8Path) -> String {
    display_safe(path.as_str()).max_chars(400).quoted().to_string()
}
