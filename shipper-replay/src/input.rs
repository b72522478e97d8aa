//! Finding logs and opening what belongs to them.

use std::io::{self, Read, Seek, Write};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err::File;
use shipper_core::audit::SidecarInput;
use shipper_core::state_dir::{LOG_FILE_NAME, SIDECAR_FILE_NAME};
use shipper_events::MAX_LINE_LEN;
use walkdir::WalkDir;

/// A log of fewer bytes is judged beside others; one of more takes all processors by itself.
const FEW: u64 = 1024 * 1024;

/// Something to be judged, or not: nothing that was given goes unmentioned.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Input {
    /// Standard input.
    Stdin,
    /// A log.
    Log(Utf8PathBuf),
    /// A directory without logs.
    Empty(Utf8PathBuf),
    /// A part of a directory that cannot be looked into, or a log in it that is no file.
    Unreadable { path: String, error: String },
}

impl Input {
    /// Where it is, as it was given.
    pub(crate) fn path(&self) -> &str {
        match self {
            Self::Stdin => "-",
            Self::Log(path) | Self::Empty(path) => path.as_str(),
            Self::Unreadable { path, .. } => path,
        }
    }

    /// Whether judging it takes a moment and a single thread. A pipe is none such: it may keep one waiting.
    pub(crate) fn is_quick(&self) -> bool {
        match self {
            Self::Stdin => false,
            Self::Log(path) => path.metadata().is_ok_and(|file| file.is_file() && file.len() < FEW),
            Self::Empty(_) | Self::Unreadable { .. } => true,
        }
    }
}

/// What was given, directories replaced by the logs below them in the order of their names.
///
/// Symbolic links to logs are followed, those to directories are not: they may lead in circles.
pub(crate) fn find(given: &[Utf8PathBuf]) -> Vec<Input> {
    let mut found = Vec::new();
    for path in given {
        if path == "-" {
            found.push(Input::Stdin);
        } else if path.is_dir() {
            let before = found.len();
            found.extend(WalkDir::new(path).sort_by_file_name().into_iter().filter_map(below));
            if found.len() == before {
                found.push(Input::Empty(path.clone()));
            }
        } else {
            found.push(Input::Log(path.clone()));
        }
    }
    found
}

fn below(entry: walkdir::Result<walkdir::DirEntry>) -> Option<Input> {
    let unreadable = |path: Option<&std::path::Path>, error: String| {
        let path = path.map(|path| path.to_string_lossy().into_owned()).unwrap_or_default();
        Some(Input::Unreadable { path, error })
    };
    let entry = match entry {
        Ok(entry) => entry,
        Err(error) => return unreadable(error.path(), error.to_string()),
    };
    if entry.file_name() != LOG_FILE_NAME || entry.file_type().is_dir() {
        return None;
    }
    let Some(path) = Utf8Path::from_path(entry.path()) else {
        return unreadable(Some(entry.path()), "its path is not UTF-8; move it to one that is".to_owned());
    };
    // Only of a link more must be known than the directory tells.
    let is_file = if entry.path_is_symlink() {
        path.metadata().map(|file| file.is_file())
    } else {
        Ok(entry.file_type().is_file())
    };
    match is_file {
        Ok(true) => Some(Input::Log(path.to_owned())),
        Ok(false) => unreadable(Some(entry.path()), "it is not a regular file".to_owned()),
        Err(error) => unreadable(Some(entry.path()), error.to_string()),
    }
}

/// Where a log's sidecar is by default.
pub(crate) fn beside(log: &Utf8Path) -> Utf8PathBuf {
    log.with_file_name(SIDECAR_FILE_NAME)
}

/// Reads a sidecar, at most as much of it as can be one.
pub(crate) fn read_sidecar(path: &Utf8Path) -> SidecarInput {
    let read = || {
        // A named pipe would be waited for.
        if !fs_err::metadata(path)?.is_file() {
            return Err(io::Error::other("it is not a regular file"));
        }
        let mut bytes = Vec::new();
        let most = MAX_LINE_LEN as u64 + 1;
        File::open(path)?.take(most).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let path = path.to_string();
    match read() {
        Ok(bytes) => SidecarInput::Found { path, bytes },
        Err(error) if error.kind() == io::ErrorKind::NotFound => SidecarInput::Absent { path },
        Err(error) => SidecarInput::Unreadable { path, error: error.to_string() },
    }
}

/// A log that was judged, once more from its start: what was kept of it, else the file, which must still have as many bytes.
pub(crate) fn open_again(path: &str, copy: Option<File>, bytes: u64) -> io::Result<File> {
    if let Some(mut copy) = copy {
        copy.rewind()?;
        return Ok(copy);
    }
    // A named pipe would be waited for.
    let metadata = fs_err::metadata(path)?;
    if !metadata.is_file() {
        return Err(io::Error::other("what was read of it could not be kept in a temporary file"));
    }
    if metadata.len() < bytes {
        return Err(io::Error::other("it is no longer what was read"));
    }
    File::open(path)
}

/// A log's bytes, readable once or, where that is wanted, again.
pub(crate) enum Bytes {
    /// A regular file.
    File(File),
    /// Standard input or a pipe.
    Stream(Box<dyn Read>),
    /// A stream of which everything that is read is set down in a nameless temporary file, as far as that works.
    Kept { stream: Box<dyn Read>, copy: io::Result<File> },
    /// What was set down of a stream.
    Copy(File),
}

impl Bytes {
    pub(crate) fn open(path: &Utf8Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(io::Error::other("it is a directory"));
        }
        Ok(if metadata.is_file() { Self::File(file) } else { Self::Stream(Box::new(file)) })
    }

    pub(crate) fn stdin() -> Self {
        Self::Stream(Box::new(io::stdin().lock()))
    }

    /// Makes what is read from now on readable again.
    pub(crate) fn kept(self) -> Self {
        match self {
            Self::Stream(stream) => {
                let copy = tempfile::tempfile().map(|file| File::from_parts(file, "a temporary file"));
                Self::Kept { stream, copy }
            }
            other => other,
        }
    }

    /// The bytes that were read, again from the first.
    pub(crate) fn again(self) -> io::Result<Self> {
        let (mut file, is_copy) = match self {
            Self::File(file) => (file, false),
            Self::Copy(file) => (file, true),
            Self::Kept { copy, .. } => {
                let why = |error| format!("a stream is read a second time, by way of a temporary file: {error}");
                (copy.map_err(|error| io::Error::other(why(error)))?, true)
            }
            Self::Stream(_) => return Err(io::Error::other("a stream cannot be read twice")),
        };
        file.rewind()?;
        Ok(if is_copy { Self::Copy(file) } else { Self::File(file) })
    }

    /// What was kept of a stream.
    pub(crate) fn into_copy(self) -> Option<File> {
        match self {
            Self::Copy(file) => Some(file),
            Self::Kept { copy, .. } => copy.ok(),
            Self::File(_) | Self::Stream(_) => None,
        }
    }
}

impl Read for Bytes {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::File(file) | Self::Copy(file) => file.read(buffer),
            Self::Stream(stream) => stream.read(buffer),
            Self::Kept { stream, copy } => {
                let count = stream.read(buffer)?;
                if let Ok(file) = copy
                    && let Err(error) = file.write_all(buffer.get(..count).unwrap_or_default())
                {
                    *copy = Err(error);
                }
                Ok(count)
            }
        }
    }
}
