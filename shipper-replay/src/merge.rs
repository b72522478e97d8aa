//! Reports that were made elsewhere, read and made into one.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err::File;
use shipper_core::audit::{
    IncompleteReport, MergeError, MergeLineError, MergedReport, NdjsonMerger, merge as merge_reports,
};
use shipper_events::display_safe;
use thiserror::Error;

use crate::account::Account;
use crate::cli::{Cli, Format};
use crate::list::{Listed, NoList, listed};

/// The longest line of a report that is read, in bytes. One log's part is about as long as what was found in it: this is
/// a million findings.
const MOST: u64 = 256 * 1024 * 1024;

/// No report can be made of these.
#[derive(Debug, Error)]
pub(crate) enum NotMerged {
    /// A Verification Summary is of a log that was read.
    #[error("--format vsa speaks of a log that was read, and --merge reads none; make it where the log is")]
    Vsa,
    /// Standard input can be read once.
    #[error("standard input (-) was given {count} times; name it once")]
    StdinTwice { count: usize },
    /// A report cannot be read.
    #[error("cannot read the report {}", shown(path))]
    Unreadable { path: Utf8PathBuf, source: io::Error },
    /// A line is longer than any that is read.
    #[error("{place}: it is longer than {MOST} bytes; audit that log by itself")]
    TooLong { place: String },
    /// A line cannot be taken.
    #[error("{place}: {bad}")]
    Line { place: String, bad: MergeLineError },
    /// A report is not all there.
    #[error("{place}: {why}")]
    NotWhole { place: String, why: IncompleteReport },
    /// A report cannot be merged with those before it.
    #[error("{}: {why}", shown(path))]
    Report { path: Utf8PathBuf, why: MergeError },
    /// Nothing was given.
    #[error(transparent)]
    Nothing(MergeError),
    /// The list of what must be there.
    #[error(transparent)]
    NoList(#[from] NoList),
    /// Logs are missing.
    #[error(
        "no report tells of {}{more}, which the list names; judge what is missing and merge again",
        display_safe(first).max_chars(400).quoted()
    )]
    Missing { first: String, more: String },
}

/// Merges the reports that are named.
pub(crate) fn merge(cli: &Cli) -> Result<Account, NotMerged> {
    if cli.format == Format::Vsa {
        return Err(NotMerged::Vsa);
    }
    let from_stdin = cli.logs.iter().chain(&cli.files_from).filter(|path| *path == "-").count();
    if from_stdin > 1 {
        return Err(NotMerged::StdinTwice { count: from_stdin });
    }
    let listed = listed(cli)?;
    let reports = cli.logs.iter().map(|path| read(path)).collect::<Result<Vec<MergedReport>, NotMerged>>()?;
    let merged = merge_reports(reports).map_err(|why| match &why {
        MergeError::Policy { position, .. } => {
            let path = cli.logs.get(*position).cloned().unwrap_or_default();
            NotMerged::Report { path, why }
        }
        _ => NotMerged::Nothing(why),
    })?;
    let MergedReport { report, duplicates, .. } = complete(merged, &listed)?;
    Ok(Account { duplicates, ..Account::new(report, HashMap::new(), None, &[]) })
}

/// Reads one file, of one report or more.
fn read(path: &Utf8Path) -> Result<MergedReport, NotMerged> {
    let unreadable = |source| NotMerged::Unreadable { path: path.to_owned(), source };
    let mut bytes: Box<dyn BufRead> = if path == "-" {
        Box::new(io::stdin().lock())
    } else {
        Box::new(BufReader::new(File::open(path).map_err(unreadable)?))
    };
    let mut stream = NdjsonMerger::default();
    let (mut line, mut text) = (0, Vec::new());
    loop {
        text.clear();
        if bytes.by_ref().take(MOST + 1).read_until(b'\n', &mut text).map_err(unreadable)? == 0 {
            break;
        }
        line += 1;
        if text.len() as u64 > MOST {
            return Err(NotMerged::TooLong { place: place(path, line) });
        }
        stream.push_line(&text).map_err(|bad| NotMerged::Line { place: place(path, line), bad })?;
    }
    stream.finish().map_err(|why| NotMerged::NotWhole { place: place(path, line), why })
}

/// A merge is only as complete as what it is given: a part that never was is not missed, unless somebody says what
/// must be there.
fn complete(merged: MergedReport, listed: &[Listed]) -> Result<MergedReport, NotMerged> {
    let missing = merged.missing_paths(listed.iter().map(Listed::as_str));
    let Some(first) = missing.first() else {
        return Ok(merged);
    };
    let more = match missing.len() - 1 {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Err(NotMerged::Missing { first: (*first).to_owned(), more })
}

/// A line of a report; line 0 stands for one that has none.
fn place(path: &Utf8Path, line: u64) -> String {
    if line == 0 { shown(path) } else { format!("{} line {line}", shown(path)) }
}

fn shown(path: &Utf8Path) -> String {
    display_safe(path.as_str()).max_chars(400).quoted().to_string()
}
