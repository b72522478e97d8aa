//! The file of a log, read and appended to under the log's lock.

use std::io::{self, Read};

use camino::Utf8PathBuf;

use super::catch_up::KnownLog;
use super::encode::encode;
use super::error::{AppendError, LogError};
use super::new_event::NewEvent;
use super::paths::{parent_dir, unsynced_marker_path};
use super::storage::{Storage, StorageFile, create_synced};
use crate::integrity::Head;
use crate::read::{Projection, ReadError, Tail};

/// How many bytes are read at a time.
const READ_LEN: usize = 256 * 1024;

/// An open log file and its verified content.
pub(super) struct LogFile<P, S: Storage> {
    pub(super) storage: S,
    pub(super) path: Utf8PathBuf,
    pub(super) file: S::File,
    pub(super) known: KnownLog<P>,
    /// Whether a failure has left the content of the file, or of the disk, unknown.
    pub(super) poisoned: bool,
}

impl<P: Projection, S: Storage> LogFile<P, S> {
    /// Opens the file, or creates it if it is missing and `create` is set. Nothing is read.
    pub(super) fn open(storage: S, path: Utf8PathBuf, create: bool, projection: P) -> Result<Self, LogError> {
        let io = |what, source| LogError::Io { what, path: path.clone(), source };
        let file = match storage.open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound && create => {
                let mut file = storage.create(&path).map_err(|source| io("create", source))?;
                file.sync().map_err(|source| io("create", source))?;
                file
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(LogError::NoLog { path }),
            Err(source) => return Err(io("open", source)),
        };
        Ok(Self { storage, path, file, known: KnownLog::new(projection), poisoned: false })
    }

    /// Reads and verifies what follows the known lines.
    pub(super) fn read_appended(&mut self) -> Result<Tail, LogError> {
        let offset = self.known.scanner.bytes();
        let length = self.storage.len_if_same_file(&self.path, &self.file);
        let length = length.map_err(|source| self.io("look up", source))?;
        if length == Some(offset) {
            return Ok(Tail::Clean);
        }
        if length.is_none_or(|length| length < offset) {
            return Err(LogError::FileReplaced { path: self.path.clone() });
        }
        let ingested = self.known.ingest(FileReader { file: &mut self.file, offset });
        ingested.map_err(|error| self.ingest_error(error))
    }

    /// Encodes and appends the events that `decide` returns for the projection and the head before them.
    pub(super) fn append_under_lock(
        &mut self,
        decide: impl FnOnce(&P, &Head) -> Vec<NewEvent>,
    ) -> Result<Head, AppendError> {
        let KnownLog { scanner, projection, .. } = &self.known;
        let bytes = encode(self.storage.now(), scanner, |head| decide(projection, head))?;
        let offset = scanner.bytes();
        let written = self.file.append(&bytes);
        if !matches!(written, Ok(count) if count == bytes.len()) {
            let short = || io::Error::new(io::ErrorKind::StorageFull, "only a part of it was taken");
            return Err(self.roll_back(offset, &bytes, written.err().unwrap_or_else(short)));
        }
        if let Err(source) = self.sync() {
            return Err(AppendError::DurabilityUnknown { path: self.path.clone(), source });
        }
        match self.verify_written(offset, &bytes) {
            Ok(true) => {}
            verified => {
                self.poisoned = true;
                let path = self.path.clone();
                return Err(match verified {
                    Ok(_) => AppendError::Interleaved { path },
                    Err(source) => AppendError::DurabilityUnknown { path, source },
                });
            }
        }
        let ingested = self.known.ingest(&bytes[..]);
        ingested.map_err(|error| self.ingest_error(error))?;
        Ok(self.known.scanner.head())
    }

    /// Syncs the file. If that fails, later writers must not go on: a later sync may succeed without these bytes.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        self.file.sync().inspect_err(|_| {
            self.poisoned = true;
            let marker = unsynced_marker_path(&self.path);
            let _ = create_synced(&self.storage, &marker, b"a sync of the log failed\n");
            let _ = self.sync_directory();
        })
    }

    /// Cuts off what a failed write left, but nothing of another writer.
    fn roll_back(&mut self, offset: u64, bytes: &[u8], source: io::Error) -> AppendError {
        let path = self.path.clone();
        let mut cut = || {
            let left = usize::try_from(self.file.length()?.saturating_sub(offset)).ok();
            let Some(ours) = left.and_then(|left| bytes.get(..left)) else {
                return Ok(false);
            };
            let is_ours = self.verify_written(offset, ours)?;
            if is_ours {
                self.file.truncate(offset)?;
                self.sync()?;
            }
            Ok(is_ours)
        };
        match cut() {
            Ok(true) => AppendError::NotWritten { path, source },
            Ok(false) => {
                self.poisoned = true;
                AppendError::Interleaved { path }
            }
            Err(source) => {
                self.poisoned = true;
                AppendError::DurabilityUnknown { path, source }
            }
        }
    }

    /// Whether the file has these bytes at the offset and the path still names it. Others may have appended since.
    fn verify_written(&mut self, offset: u64, bytes: &[u8]) -> io::Result<bool> {
        if self.storage.len_if_same_file(&self.path, &self.file)?.is_none() {
            return Ok(false);
        }
        let (mut buffer, mut at) = (vec![0; bytes.len().min(READ_LEN)], 0);
        while at < bytes.len() {
            // What follows them was written by others.
            buffer.truncate(bytes.len() - at);
            let count = self.file.read_at(offset + at as u64, &mut buffer)?;
            let (read, written) = (buffer.get(..count), bytes.get(at..at + count));
            if count == 0 || read != written {
                return Ok(false);
            }
            at += count;
        }
        Ok(true)
    }

    pub(super) fn sync_directory(&self) -> Result<(), LogError> {
        let directory = parent_dir(&self.path);
        let synced = self.storage.sync_directory(directory);
        synced.map_err(|source| LogError::Io { what: "sync the directory", path: directory.to_owned(), source })
    }

    pub(super) fn io(&self, what: &'static str, source: io::Error) -> LogError {
        LogError::Io { what, path: self.path.clone(), source }
    }

    /// The error for lines that could not be read or are not valid: a writer that has met invalid lines is poisoned.
    fn ingest_error(&mut self, error: ReadError) -> LogError {
        let path = self.path.clone();
        self.poisoned |= !matches!(error, ReadError::Io { .. });
        match error {
            ReadError::Io { source, .. } => LogError::Io { what: "read", path, source },
            ReadError::Corrupt { line, error } => LogError::Corrupt { path, line, error },
            ReadError::Chain { line, error } => LogError::Broken { path, line, error },
            ReadError::TornTail { line, bytes } => LogError::TornTail { path, line, bytes },
        }
    }
}

/// Reads a file from an offset on.
pub(super) struct FileReader<'f, F> {
    pub(super) file: &'f mut F,
    pub(super) offset: u64,
}

impl<F: StorageFile> Read for FileReader<'_, F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(self.offset, buffer)?;
        self.offset += count as u64;
        Ok(count)
    }
}
