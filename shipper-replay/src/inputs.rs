//! Inputs of an audit: the logs that the arguments name, below directories too, and their sidecars.

use std::io::{self, Read};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err::File;
use shipper_core::audit::SidecarInput;
use shipper_core::state_dir::{LOG_FILE_NAME, SIDECAR_FILE_NAME};
use shipper_events::MAX_LINE_LEN;
use walkdir::WalkDir;

/// Length in bytes below which a log is audited beside others; a longer one uses all processors by itself.
const SMALL_LOG: u64 = 1024 * 1024;

/// A log, or an entry of the report in place of one: each given path is reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Input {
    /// Standard input.
    Stdin,
    /// A log.
    Log(Utf8PathBuf),
    /// A directory without logs.
    EmptyDirectory(Utf8PathBuf),
    /// A path that cannot be searched, or a log that is not a regular file.
    Unreadable { path: String, error: String },
}

impl Input {
    /// Returns the path as it was given.
    pub(crate) fn path(&self) -> &str {
        match self {
            Self::Stdin => "-",
            Self::Log(path) | Self::EmptyDirectory(path) => path.as_str(),
            Self::Unreadable { path, .. } => path,
        }
    }

    /// Returns true for an input that one thread audits quickly. A pipe may block.
    pub(crate) fn is_small_file(&self) -> bool {
        match self {
            Self::Stdin => false,
            Self::Log(path) => path.metadata().is_ok_and(|file| file.is_file() && file.len() < SMALL_LOG),
            Self::EmptyDirectory(_) | Self::Unreadable { .. } => true,
        }
    }

    /// Returns the entry for a path that is not UTF-8, with its displayable form.
    pub(crate) fn not_utf8(path: String) -> Self {
        Self::Unreadable { path, error: "its path is not UTF-8; move it to one that is".to_owned() }
    }
}

/// Returns the inputs at `path`: of a directory, the logs below it in the order of their names.
///
/// Symbolic links to logs are followed, those to directories are not, since they may form a cycle.
pub(crate) fn find(path: &Utf8Path) -> Vec<Input> {
    if path == "-" {
        return vec![Input::Stdin];
    }
    if !path.is_dir() {
        return vec![Input::Log(path.to_owned())];
    }
    let logs: Vec<Input> = WalkDir::new(path).sort_by_file_name().into_iter().filter_map(log_in_dir).collect();
    if logs.is_empty() { vec![Input::EmptyDirectory(path.to_owned())] } else { logs }
}

fn log_in_dir(entry: walkdir::Result<walkdir::DirEntry>) -> Option<Input> {
    let displayed = |path: &std::path::Path| path.to_string_lossy().into_owned();
    let unreadable = |path: String, error: String| Some(Input::Unreadable { path, error });
    let entry = match entry {
        Ok(entry) => entry,
        Err(error) => return unreadable(error.path().map(displayed).unwrap_or_default(), error.to_string()),
    };
    if entry.file_name() != LOG_FILE_NAME || entry.file_type().is_dir() {
        return None;
    }
    let Some(path) = Utf8Path::from_path(entry.path()) else {
        return Some(Input::not_utf8(displayed(entry.path())));
    };
    // Only a link needs more metadata than the directory has.
    let is_file = if entry.path_is_symlink() {
        path.metadata().map(|file| file.is_file())
    } else {
        Ok(entry.file_type().is_file())
    };
    match is_file {
        Ok(true) => Some(Input::Log(path.to_owned())),
        Ok(false) => unreadable(path.to_string(), "it is not a regular file".to_owned()),
        Err(error) => unreadable(path.to_string(), error.to_string()),
    }
}

/// Returns the default path of a log's sidecar.
pub(crate) fn sidecar_path(log: &Utf8Path) -> Utf8PathBuf {
    log.with_file_name(SIDECAR_FILE_NAME)
}

/// Reads a sidecar, at most one byte more than the longest.
pub(crate) fn read_sidecar(path: &Utf8Path) -> SidecarInput {
    let read = || {
        // Opening a named pipe would block.
        if !fs_err::metadata(path)?.is_file() {
            return Err(io::Error::other("it is not a regular file"));
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
