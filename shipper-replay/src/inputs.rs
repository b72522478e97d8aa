//! Inputs of an audit: the logs that the arguments and the list of `--files-from` name, and their sidecars.

use std::collections::BTreeMap;
use std::fs::FileType;
use std::io::{self, Read};
#[cfg(unix)]
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err::File;
use shipper_core::audit::{Duplicate, SidecarInput, UnauditedReason};
use shipper_core::state_dir::LOG_FILE_NAME;
use shipper_events::{MAX_LINE_LEN, display_safe};
use thiserror::Error;
use walkdir::WalkDir;

use crate::cli::Cli;
use crate::streams::stdin;

/// Length in bytes below which a log is audited in parallel with others. A longer one uses all processors by itself.
const SMALL_LOG: u64 = 1024 * 1024;

/// Longest list of `--files-from`, in bytes.
const MAX_LIST_LEN: u64 = 256 * 1024 * 1024;

/// Ends of the names of logs in a directory, after the name of a log.
const LOG_SUFFIXES: [&str; 3] = ["", ".gz", ".zst"];

/// Suffix of a log that was moved aside and continued by a new one, before the part that distinguishes such logs.
const MOVED_ASIDE: &str = ".aside-";

/// Returns whether a log was moved aside. The sidecar beside it is that of the log that continues it.
pub(crate) fn is_moved_aside(path: &Utf8Path) -> bool {
    let suffix = path.file_name().and_then(|name| name.strip_prefix(LOG_FILE_NAME));
    suffix.is_some_and(|suffix| suffix.starts_with(MOVED_ASIDE))
}

pub(crate) const NOT_UTF8: &str = "the path is not valid UTF-8";

/// The error for inputs that cannot be read.
#[derive(Debug, Error)]
pub(crate) enum InputsError {
    #[error("standard input (-) was given {count} times")]
    StdinTwice { count: usize },
    #[error("cannot read the list {}", display_safe(path.as_str()).quoted())]
    List { path: Utf8PathBuf, source: io::Error },
}

/// A log, or a path without a log, which the report names, too.
#[derive(Debug)]
pub(crate) enum Input {
    /// A log; `-` is standard input.
    Log(Utf8PathBuf),
    /// A path that cannot be audited, and the reason.
    Unaudited(String, UnauditedReason),
}

impl Input {
    /// Returns the path as it was given.
    pub(crate) fn path(&self) -> &str {
        match self {
            Self::Log(path) => path.as_str(),
            Self::Unaudited(path, _) => path,
        }
    }

    /// Returns true for an input that one thread audits quickly; false for a pipe, which may block.
    pub(crate) fn is_small_file(&self) -> bool {
        match self {
            Self::Log(path) => {
                path != "-" && path.metadata().is_ok_and(|file| file.is_file() && file.len() < SMALL_LOG)
            }
            Self::Unaudited(..) => true,
        }
    }

    fn unreadable(path: impl Into<String>, error: impl Into<String>) -> Self {
        Self::Unaudited(path.into(), UnauditedReason::Unreadable(error.into()))
    }
}

/// Returns the inputs of the arguments, then those of the list.
pub(crate) fn collect_inputs(cli: &Cli) -> Result<Vec<Input>, InputsError> {
    let listed = read_list(cli)?;
    let mut inputs = Vec::new();
    for path in &cli.logs {
        match path.to_str() {
            Some(path) => inputs.extend(find(Utf8Path::new(path))),
            None => inputs.push(Input::unreadable(path.to_string_lossy(), NOT_UTF8)),
        }
    }
    for path in listed {
        match std::str::from_utf8(&path) {
            Ok(path) => inputs.extend(find_listed(Utf8Path::new(path))),
            Err(_) => inputs.push(Input::unreadable(String::from_utf8_lossy(&path), NOT_UTF8)),
        }
    }
    Ok(inputs)
}

/// Removes all but the first input of each path, and returns the number of repeats. It compares the text of a path, not
/// its target.
pub(crate) fn dedup(inputs: &mut Vec<Input>) -> Vec<Duplicate> {
    let mut repeats: BTreeMap<String, u64> = BTreeMap::new();
    inputs.retain(|input| match repeats.get_mut(input.path()) {
        Some(repeats) => {
            *repeats += 1;
            false
        }
        None => repeats.insert(input.path().to_owned(), 0).is_none(),
    });
    let repeats = repeats.into_iter().filter(|(_, repeats)| *repeats > 0);
    repeats.map(|(path, repeats)| Duplicate::new(path, repeats)).collect()
}

/// Returns an error if more than one of `paths` is standard input.
pub(crate) fn check_stdin<'p>(paths: impl Iterator<Item = &'p str>) -> Result<(), InputsError> {
    match paths.filter(|path| *path == "-").count() {
        0 | 1 => Ok(()),
        count => Err(InputsError::StdinTwice { count }),
    }
}

/// Returns the paths of `--files-from` in their order; empty without that option. A path may contain any bytes. If
/// standard input is also a log, reading the list would block, so that is an error.
pub(crate) fn read_list(cli: &Cli) -> Result<Vec<Vec<u8>>, InputsError> {
    let arguments = cli.logs.iter().filter_map(|path| path.to_str());
    check_stdin(arguments.chain(cli.files_from.as_ref().map(|list| list.as_str())))?;
    let Some(path) = &cli.files_from else {
        return Ok(Vec::new());
    };
    let read = || {
        let mut bytes = Vec::new();
        open(path)?.take(MAX_LIST_LEN + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MAX_LIST_LEN {
            return Err(io::Error::other("longer than 256 MiB"));
        }
        Ok(bytes)
    };
    let bytes = read().map_err(|source| InputsError::List { path: path.clone(), source })?;
    let terminator = if cli.null { 0 } else { b'\n' };
    Ok(bytes.split(|byte| *byte == terminator).filter(|path| !path.is_empty()).map(<[u8]>::to_vec).collect())
}

/// Opens a file, or standard input for `-`.
pub(crate) fn open(path: &Utf8Path) -> io::Result<Box<dyn Read>> {
    Ok(if path == "-" { Box::new(stdin()?) } else { Box::new(File::open(path)?) })
}

/// Returns the inputs at a path of a list. A list may contain thousands of paths, so none of them may block: a special
/// file is not opened.
fn find_listed(path: &Utf8Path) -> Vec<Input> {
    match path.metadata() {
        Ok(file) if path != "-" && !file.is_file() && !file.is_dir() => {
            vec![Input::unreadable(path.as_str(), special_file(file.file_type()))]
        }
        _ => find(path),
    }
}

/// Returns the reason why a file that is neither a regular file nor a directory is not read.
#[cfg(unix)]
fn special_file(file: FileType) -> &'static str {
    if file.is_fifo() {
        "a named pipe, not a regular file"
    } else if file.is_socket() {
        "a socket, not a regular file"
    } else {
        "a device, not a regular file"
    }
}

#[cfg(not(unix))]
fn special_file(_file: FileType) -> &'static str {
    "not a regular file"
}

/// Returns the inputs at `path`. For a directory, these are the logs below it, sorted by name.
///
/// It follows symbolic links to logs, but not those to directories, which may form a cycle.
fn find(path: &Utf8Path) -> Vec<Input> {
    if path == "-" || !path.is_dir() {
        return vec![Input::Log(path.to_owned())];
    }
    let logs: Vec<Input> = WalkDir::new(path).sort_by_file_name().into_iter().filter_map(log_in_dir).collect();
    if logs.is_empty() { vec![Input::Unaudited(path.to_string(), UnauditedReason::NoLogs)] } else { logs }
}

fn log_in_dir(entry: walkdir::Result<walkdir::DirEntry>) -> Option<Input> {
    let unreadable = |path: &Path, error: &str| Some(Input::unreadable(path.to_string_lossy(), error));
    let entry = match entry {
        Ok(entry) => entry,
        Err(error) => return unreadable(error.path().unwrap_or(Path::new("")), &error.to_string()),
    };
    let suffix = entry.file_name().to_str().and_then(|name| name.strip_prefix(LOG_FILE_NAME));
    let is_log = |suffix: &str| {
        let moved_aside = suffix.strip_prefix(MOVED_ASIDE).is_some_and(|id| !id.contains('.'));
        moved_aside || LOG_SUFFIXES.contains(&suffix)
    };
    if !suffix.is_some_and(is_log) || entry.file_type().is_dir() {
        return None;
    }
    let Some(path) = Utf8Path::from_path(entry.path()) else {
        return unreadable(entry.path(), NOT_UTF8);
    };
    // Only a link needs more metadata than the directory entry has.
    let file_type =
        if entry.path_is_symlink() { path.metadata().map(|file| file.file_type()) } else { Ok(entry.file_type()) };
    match file_type {
        Ok(file) if file.is_file() => Some(Input::Log(path.to_owned())),
        Ok(file) if file.is_dir() => unreadable(entry.path(), "a directory, not a regular file"),
        Ok(file) => unreadable(entry.path(), special_file(file)),
        Err(error) => unreadable(entry.path(), &error.to_string()),
    }
}

/// Reads a sidecar or a file of the packet, up to one byte more than its maximum length.
pub(crate) fn read_sidecar(path: &Utf8Path) -> SidecarInput {
    let read = || {
        // Opening a named pipe would block.
        if !fs_err::metadata(path)?.is_file() {
            return Err(io::Error::other("not a regular file"));
        }
        let mut bytes = Vec::new();
        File::open(path)?.take(MAX_LINE_LEN as u64 + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let path = path.to_string();
    match read() {
        Ok(bytes) => SidecarInput::Found { path, bytes },
        Err(error) if error.kind() == io::ErrorKind::NotFound => SidecarInput::Absent { path },
        Err(error) => SidecarInput::Unreadable { path, error: error.to_string() },
    }
}
