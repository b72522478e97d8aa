//! Finding logs and opening what belongs to them.

use std::io::{self, Read, Seek};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err::File;
use shipper_core::audit::SidecarInput;
use shipper_events::MAX_LINE;
use walkdir::WalkDir;

/// A log's name: only files of this name are taken from directories.
const LOG: &str = "events.jsonl";

/// A sidecar's name, beside the log.
const SIDECAR: &str = "rehearsal.json";

/// A log of fewer bytes is judged beside others; one of more takes all processors by itself.
const FEW: u64 = 1024 * 1024;

/// Something to be judged, or not: nothing that was given goes unmentioned.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    if entry.file_name() != LOG || entry.file_type().is_dir() {
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
    log.with_file_name(SIDECAR)
}

/// Reads a sidecar, at most as much of it as can be one.
pub(crate) fn read_sidecar(path: &Utf8Path) -> SidecarInput {
    let read = || {
        // A named pipe would be waited for.
        if !fs_err::metadata(path)?.is_file() {
            return Err(io::Error::other("it is not a regular file"));
        }
        let mut bytes = Vec::new();
        let most = MAX_LINE as u64 + 1;
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

/// A log's bytes, readable once or, where a demand wants it, twice.
pub(crate) enum Bytes {
    /// A regular file.
    File(File),
    /// Standard input or a pipe.
    Stream(Box<dyn Read>),
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

    /// Makes the bytes readable twice: those of a stream are set down in a nameless temporary file.
    pub(crate) fn twice(self) -> io::Result<Box<dyn ReadSeek>> {
        Ok(match self {
            Self::File(file) => Box::new(file),
            Self::Stream(mut stream) => {
                let mut spool = || {
                    let mut file = tempfile::tempfile()?;
                    io::copy(&mut stream, &mut file)?;
                    file.rewind()?;
                    Ok(file)
                };
                Box::new(spool().map_err(|error: io::Error| {
                    io::Error::other(format!("a stream is read twice for --at, by way of a temporary file: {error}"))
                })?)
            }
        })
    }
}

impl Read for Bytes {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.read(buffer),
            Self::Stream(stream) => stream.read(buffer),
        }
    }
}

/// Bytes that can be read again from the start.
pub(crate) trait ReadSeek: Read + Seek {}

impl<T: Read + Seek> ReadSeek for T {}
