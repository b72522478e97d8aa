//! The file of a log, and its verified content. The writer reads and appends under the log's lock.

use std::collections::HashSet;
use std::io::{self, Read};

use camino::{Utf8Path, Utf8PathBuf};

use super::encode::{NewEvent, encode};
use super::error::{AppendError, LogError};
use super::paths::{UNSYNCED, companion, parent_dir};
use super::storage::{FileReader, Storage, StorageFile, create_synced, if_found};
use crate::event::{EventKind, EventType};
use crate::integrity::Head;
use crate::read::{self, Interest, LogScanner, Projection, ReadError, Tail, read_events};

/// An open log file and its verified content.
pub(super) struct LogFile<P, S: Storage> {
    pub(super) storage: S,
    pub(super) path: Utf8PathBuf,
    pub(super) file: S::File,
    pub(super) known: KnownLog<P>,
    /// True if a failure has left the content of the file, or of the disk, unknown.
    pub(super) poisoned: bool,
}

/// The lines of a log that its writer has verified, and their content.
pub(super) struct KnownLog<P> {
    pub(super) scanner: LogScanner,
    pub(super) projection: P,
    /// The hashes of the torn tails whose repair the log records.
    pub(super) recorded_tails: HashSet<String>,
}

impl<P: Projection> KnownLog<P> {
    /// Takes the lines after the known ones, and returns the bytes that follow the last of them.
    fn ingest(&mut self, lines: impl Read) -> Result<Tail, ReadError> {
        let Self { scanner, projection, recorded_tails } = self;
        let interest = |type_name: &str| match type_name {
            _ if type_name == EventKind::TailRepaired.name() => Interest::Full,
            _ => read::interest::<P>(type_name),
        };
        let tail = read_events(scanner, lines, interest, |entry, cursor| {
            if let EventType::TailRepaired(repaired) = &entry.event.event_type {
                recorded_tails.insert(repaired.blake3.clone());
            }
            if P::reads(entry.event.event_type.name()) {
                projection.apply(&entry, cursor);
            }
        });
        // On the next read, the tail may be absent or complete.
        scanner.discard_tail();
        tail
    }
}

impl<P: Projection, S: Storage> LogFile<P, S> {
    /// Opens the file without reading it. Creates a missing file if `may_create` succeeds.
    pub(super) fn open(
        storage: S,
        path: Utf8PathBuf,
        projection: P,
        may_create: impl FnOnce(&S, &Utf8Path) -> Result<(), LogError>,
    ) -> Result<Self, LogError> {
        let opened = if_found(storage.open(&path)).map_err(LogError::io("open", &path))?;
        let file = match opened {
            Some(file) => file,
            None => {
                may_create(&storage, &path)?;
                let created = storage.create(&path).and_then(|mut file| file.sync().map(|()| file));
                created.map_err(LogError::io("create", &path))?
            }
        };
        let known = KnownLog { scanner: LogScanner::new(), projection, recorded_tails: HashSet::new() };
        Ok(Self { storage, path, file, known, poisoned: false })
    }

    /// Reads and verifies the lines that follow the known ones.
    pub(super) fn read_appended(&mut self) -> Result<Tail, LogError> {
        let offset = self.known.scanner.bytes();
        let length = self.storage.len_if_same_file(&self.path, &self.file);
        let length = length.map_err(LogError::io("look up", &self.path))?;
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
            let short = || io::Error::new(io::ErrorKind::StorageFull, "the file system wrote only a part");
            return Err(self.roll_back(offset, &bytes, written.err().unwrap_or_else(short)));
        }
        let verified = self.sync().and_then(|()| self.verify_written(offset, &bytes));
        if !matches!(verified, Ok(true)) {
            return Err(self.poison(verified));
        }
        let ingested = self.known.ingest(&bytes[..]);
        ingested.map_err(|error| self.ingest_error(error))?;
        Ok(self.known.scanner.head())
    }

    /// Syncs the file. If that fails, later writers must not continue: a later sync may succeed without these bytes.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        self.file.sync().inspect_err(|_| {
            self.poisoned = true;
            let marker = companion(&self.path, UNSYNCED);
            let _ = create_synced(&self.storage, &marker, b"a sync of the log failed\n");
            let _ = self.sync_directory();
        })
    }

    /// Cuts off the bytes of a failed write, but no bytes of another writer.
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
            uncut => self.poison(uncut),
        }
    }

    /// Poisons the writer: another process changed the file, or the content of the disk is unknown.
    fn poison(&mut self, verified: io::Result<bool>) -> AppendError {
        self.poisoned = true;
        let path = self.path.clone();
        match verified {
            Ok(_) => AppendError::Interleaved { path },
            Err(source) => AppendError::DurabilityUnknown { path, source },
        }
    }

    /// Returns true if the path still names the file and the file has these bytes at the offset. Other lines may
    /// follow.
    fn verify_written(&mut self, offset: u64, bytes: &[u8]) -> io::Result<bool> {
        let is_same_file = self.storage.len_if_same_file(&self.path, &self.file)?.is_some();
        Ok(is_same_file && self.file.read_from(offset, bytes.len())?.starts_with(bytes))
    }

    pub(super) fn sync_directory(&self) -> Result<(), LogError> {
        sync_directory_of(&self.storage, &self.path)
    }

    /// Returns the error for lines that cannot be read or are not valid. Invalid lines poison the writer.
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

/// Syncs the directory of a log. The error names the directory.
pub(super) fn sync_directory_of<S: Storage>(storage: &S, log: &Utf8Path) -> Result<(), LogError> {
    let directory = parent_dir(log);
    storage.sync_directory(directory).map_err(LogError::io("sync the directory", directory))
}
