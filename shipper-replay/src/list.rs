//! Everything that was given: the arguments, then what a list names.

use std::io::{self, Read};

use camino::{Utf8Path, Utf8PathBuf};
use shipper_core::audit::Duplicate;
use std::collections::{BTreeMap, HashSet};
use thiserror::Error;

use crate::cli::Cli;
use crate::input::{Input, find};
use shipper_events::display_safe;

/// How long a list may be, in bytes.
const MOST: u64 = 256 * 1024 * 1024;

/// A list cannot be read.
#[derive(Debug, Error)]
#[error("cannot read the list {}; nothing was judged", display_safe(path.as_str()).quoted())]
pub(crate) struct NoList {
    path: Utf8PathBuf,
    source: io::Error,
}

/// What a list names, in its order.
pub(crate) fn listed(cli: &Cli) -> Result<Vec<Listed>, NoList> {
    let Some(list) = &cli.files_from else {
        return Ok(Vec::new());
    };
    let bytes = read(list).map_err(|source| NoList { path: list.clone(), source })?;
    let end = if cli.null { 0 } else { b'\n' };
    Ok(bytes.split(|byte| *byte == end).filter(|path| !path.is_empty()).map(Listed::from).collect())
}

/// A path in a list.
#[derive(Debug)]
pub(crate) enum Listed {
    /// As paths are.
    Path(Utf8PathBuf),
    /// It is not UTF-8: what can be shown of it.
    NotUtf8(String),
}

impl From<&[u8]> for Listed {
    fn from(path: &[u8]) -> Self {
        match std::str::from_utf8(path) {
            Ok(path) => Self::Path(path.into()),
            Err(_) => Self::NotUtf8(String::from_utf8_lossy(path).into_owned()),
        }
    }
}

impl Listed {
    /// The path as a report shows it.
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Path(path) => path.as_str(),
            Self::NotUtf8(path) => path,
        }
    }

    fn find(self) -> Vec<Input> {
        match self {
            Self::Path(path) => find(&[path]),
            Self::NotUtf8(path) => {
                let error = "its path is not UTF-8; move it to one that is".to_owned();
                vec![Input::Unreadable { path, error }]
            }
        }
    }
}

fn read(list: &Utf8Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let most = MOST + 1;
    if list == "-" {
        io::stdin().lock().take(most).read_to_end(&mut bytes)?;
    } else {
        fs_err::File::open(list)?.take(most).read_to_end(&mut bytes)?;
    }
    if bytes.len() as u64 == most {
        return Err(io::Error::other("it is longer than 256 MiB; split it, if it is a list of paths"));
    }
    Ok(bytes)
}

/// The logs that are given by arguments and by the list, directories searched.
pub(crate) fn given(cli: &Cli) -> Result<Vec<Input>, NoList> {
    let mut inputs = find(&cli.logs);
    inputs.extend(listed(cli)?.into_iter().flat_map(Listed::find));
    Ok(inputs)
}

/// Leaves each input once, where it was given first: judging a log twice tells nothing new. What was given again is
/// reported, as a merge of two reports on it would: that goes by the text of a path, not by where it leads.
pub(crate) fn once(inputs: Vec<Input>) -> (Vec<Input>, Vec<Duplicate>) {
    let mut seen = HashSet::with_capacity(inputs.len());
    let mut again: BTreeMap<String, u64> = BTreeMap::new();
    let mut left = Vec::with_capacity(inputs.len());
    for input in inputs {
        if seen.insert(input.path().to_owned()) {
            left.push(input);
        } else {
            *again.entry(input.path().to_owned()).or_default() += 1;
        }
    }
    (left, again.into_iter().map(|(path, again)| Duplicate::new(path, again)).collect())
}
