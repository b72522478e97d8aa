//! The list of paths of `--files-from`, and all inputs: those of the arguments, then those of the list.

use std::collections::{BTreeMap, HashSet};
use std::io::{self, Read};

use camino::{Utf8Path, Utf8PathBuf};
use shipper_core::audit::Duplicate;
use shipper_events::display_safe;
use thiserror::Error;

use crate::cli::Cli;
use crate::inputs::{Input, find};

/// Longest list, in bytes.
const MAX_LEN: u64 = 256 * 1024 * 1024;

/// The list cannot be read.
#[derive(Debug, Error)]
#[error("cannot read the list {}; nothing was judged", display_safe(path.as_str()).quoted())]
pub(crate) struct FileListError {
    path: Utf8PathBuf,
    source: io::Error,
}

/// A path in the list.
#[derive(Debug)]
pub(crate) struct ListedPath {
    /// The path as a report shows it.
    pub(crate) text: String,
    /// False if `text` is only a displayable form of the path.
    is_utf8: bool,
}

impl ListedPath {
    fn new(path: &[u8]) -> Self {
        Self { text: String::from_utf8_lossy(path).into_owned(), is_utf8: std::str::from_utf8(path).is_ok() }
    }

    fn find(self) -> Vec<Input> {
        if self.is_utf8 { find(Utf8Path::new(&self.text)) } else { vec![Input::not_utf8(self.text)] }
    }
}

/// Returns the paths of `--files-from` in their order; empty without that option.
pub(crate) fn read_list(cli: &Cli) -> Result<Vec<ListedPath>, FileListError> {
    let Some(path) = &cli.files_from else {
        return Ok(Vec::new());
    };
    let bytes = read(path).map_err(|source| FileListError { path: path.clone(), source })?;
    let terminator = if cli.null { 0 } else { b'\n' };
    Ok(bytes.split(|byte| *byte == terminator).filter(|path| !path.is_empty()).map(ListedPath::new).collect())
}

fn read(path: &Utf8Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if path == "-" {
        io::stdin().lock().take(MAX_LEN + 1).read_to_end(&mut bytes)?;
    } else {
        fs_err::File::open(path)?.take(MAX_LEN + 1).read_to_end(&mut bytes)?;
    }
    if bytes.len() as u64 > MAX_LEN {
        return Err(io::Error::other("it is longer than 256 MiB; split it, if it is a list of paths"));
    }
    Ok(bytes)
}

/// Returns the inputs of the arguments and of the list.
pub(crate) fn collect_inputs(cli: &Cli) -> Result<Vec<Input>, FileListError> {
    let given = cli.logs.iter().flat_map(|path| find(path));
    let mut inputs: Vec<Input> = given.collect();
    inputs.extend(read_list(cli)?.into_iter().flat_map(ListedPath::find));
    Ok(inputs)
}

/// Keeps the first input of each path, and counts the others, as a merge of two reports with the same path does. It
/// compares the text of a path, not its target.
pub(crate) fn dedup(inputs: Vec<Input>) -> (Vec<Input>, Vec<Duplicate>) {
    let mut seen = HashSet::with_capacity(inputs.len());
    let mut repeats: BTreeMap<String, u64> = BTreeMap::new();
    let mut unique = Vec::with_capacity(inputs.len());
    for input in inputs {
        if seen.insert(input.path().to_owned()) {
            unique.push(input);
        } else {
            *repeats.entry(input.path().to_owned()).or_default() += 1;
        }
    }
    (unique, repeats.into_iter().map(|(path, again)| Duplicate::new(path, again)).collect())
}
