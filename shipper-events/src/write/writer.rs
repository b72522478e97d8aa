//! The writer of a log.

use std::collections::HashSet;
use std::io;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use time::OffsetDateTime;

use super::build::{check, lines};
use super::disk::{Storage, StorageFile, write_new};
use super::draft::NewEvent;
use super::error::{AppendError, LogError};
use super::os::FsStorage;
use super::repair;
use super::taking::{Failed, Taking, regard};
use crate::event::LogEntry;
use crate::follow::{Follower, Place};
use crate::head::Head;
use crate::line::error::LineError;
use crate::split::Tail;
use crate::stream::{Piece, survey_stream};
use crate::survey::survey;
use crate::timestamp::Timestamp;
use crate::value::ExtraMembers;
use crate::vocabulary::LogAdopted;

/// How much is read at a time, in bytes.
pub(super) const BUFFER: usize = 256 * 1024;

/// How a log is opened for writing.
#[derive(Debug, Clone)]
pub struct WriterOptions {
    /// Whether a log that is not there is created.
    pub create: bool,
    /// Whether a torn tail is cut off, saved and recorded. Only who would record a failure may do that: the bytes may be
    /// a lost failure, or another writer's at work.
    pub repair: bool,
    /// How long to wait for another process that has the lock.
    pub patience: Duration,
    /// What others are told who wait for this process.
    pub note: String,
    /// A head that was kept elsewhere: a log that does not begin with exactly those bytes is refused.
    pub extends: Option<Head>,
}

impl Default for WriterOptions {
    /// Creates, does not repair, and waits ten seconds.
    fn default() -> Self {
        Self {
            create: true,
            repair: false,
            patience: Duration::from_secs(10),
            note: format!("process {}", std::process::id()),
            extends: None,
        }
    }
}

/// Sees the events of a log in order: those that stand in it when it is opened, those that others append, and those
/// that this writer appends, once they are durable.
pub trait Projection {
    /// Whether it looks at events of that type. All are checked; what nobody looks at is not built, which is several
    /// times faster.
    fn looks_at(type_name: &str) -> bool;

    /// The event; `place` gives the head of the log up to and including its line. Events of a type with members that
    /// must be there come even if nobody looks at them.
    fn observe(&mut self, entry: &LogEntry, place: &mut Place<'_>);
}

/// Sees nothing.
impl Projection for () {
    fn looks_at(_: &str) -> bool {
        false
    }

    fn observe(&mut self, _: &LogEntry, _: &mut Place<'_>) {}
}

/// Appends to a log, durably; see the [module](super) for the order of steps.
///
/// ```
/// use shipper_events::write::{NewEvent, LogWriter, WriterOptions, FsStorage};
/// use shipper_events::EventType;
/// # let directory = tempfile::tempdir()?;
/// # let path = camino::Utf8PathBuf::try_from(directory.path().join("events.jsonl"))?;
/// let mut log = LogWriter::open(FsStorage, &path, WriterOptions::default(), ())?;
/// let event: shipper_events::Event =
///     r#"{"timestamp":"2026-11-23T08:00:00Z","event_type":{"type":"execution_started"},"package":"all"}"#.parse()?;
/// let head = log.append(&[NewEvent::new(event.event_type, "all")])?;
/// assert_eq!(head.lines, 1);
/// assert!(std::fs::read_to_string(&path)?.starts_with(r#"{"seq":0,"prev":"af1349b9"#));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct LogWriter<O = (), D: Storage = FsStorage> {
    pub(super) disk: D,
    pub(super) path: Utf8PathBuf,
    options: WriterOptions,
    pub(super) file: D::File,
    pub(super) follower: Follower,
    observer: O,
    /// The hashes of the torn tails that the log names as repaired.
    pub(super) named_tails: HashSet<String>,
    pub(super) poisoned: bool,
    looked_for_tails: bool,
    /// The lock, also between appends, when others may have it.
    lock: Option<D::Lock>,
}

impl<O: Projection, D: Storage> LogWriter<O, D> {
    /// Opens a log, reads it to its end and verifies it; the observer sees every event.
    ///
    /// # Errors
    ///
    /// When it cannot be read, is corrupt or broken, or has a torn tail and is not to be repaired.
    pub fn open(disk: D, path: &Utf8Path, options: WriterOptions, observer: O) -> Result<Self, LogError> {
        let path = &resolve(&disk, path)?;
        let lock = lock(&disk, path, &options)?;
        let file = match disk.open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound && options.create => create(&disk, path)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(LogError::NoLog { path: path.to_owned() });
            }
            Err(source) => return Err(LogError::Io { what: "open", path: path.to_owned(), source }),
        };
        let mut log = Self {
            disk,
            path: path.to_owned(),
            options,
            file,
            follower: Follower::new(),
            observer,
            named_tails: HashSet::new(),
            poisoned: false,
            looked_for_tails: false,
            lock: Some(lock),
        };
        if let Some(kept) = log.options.extends {
            log.follower.keep(kept.lines);
        }
        // The file may be a crash's: created, and its name not durable yet.
        log.sync_names()?;
        log.settle()?;
        if let Some(kept) = log.options.extends.filter(|kept| log.follower.kept(kept.lines) != Some(*kept)) {
            return Err(LogError::NotExtended { path: log.path, kept });
        }
        // What others wrote may not be durable yet, and whoever keeps this head relies on it.
        log.sync().map_err(|source| log.io("sync", source))?;
        log.unlock();
        Ok(log)
    }

    /// The head of the log as this writer knows it.
    pub fn head(&self) -> Head {
        self.follower.head()
    }

    /// Where the log is.
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// Who sees the events.
    pub fn observer(&self) -> &O {
        &self.observer
    }

    /// The file system that the log is on.
    pub fn disk(&self) -> &D {
        &self.disk
    }

    /// Appends events in one write and gives the head of the log after them.
    ///
    /// # Errors
    ///
    /// When they are not acknowledged: see [`AppendError`].
    pub fn append(&mut self, drafts: &[NewEvent]) -> Result<Head, AppendError> {
        self.append_settled(|_, _| drafts.to_vec())
    }

    /// Appends what is decided on the log as it stands under the lock: `decide` gets the observer, which has seen every
    /// event, and the head of everything that will stand before the first event.
    ///
    /// # Errors
    ///
    /// When the events are not acknowledged: see [`AppendError`].
    pub fn append_with(&mut self, decide: impl FnOnce(&O, &Head) -> Vec<NewEvent>) -> Result<Head, AppendError> {
        self.append_settled(|observer, before| decide(observer, &before.head()))
    }

    /// Steps 1 to 7 of an append.
    fn append_settled(&mut self, decide: impl FnOnce(&O, &Follower) -> Vec<NewEvent>) -> Result<Head, AppendError> {
        if self.poisoned {
            return Err(AppendError::Poisoned { path: self.path.clone() });
        }
        self.take_lock()?;
        let appended = self.settle().map_err(AppendError::from).and_then(|()| self.append_locked(decide));
        self.unlock();
        appended
    }

    fn take_lock(&mut self) -> Result<(), LogError> {
        let path = lock_path(&self.path);
        let Self { lock: at_hand, disk, options, .. } = self;
        let locked = match at_hand {
            Some(at_hand) => disk.relock(&path, at_hand, options.patience, &options.note),
            None => disk.lock(&path, options.patience, &options.note).map(|lock| *at_hand = Some(lock)),
        };
        locked.map_err(|source| not_locked(path, options.patience, source))
    }

    fn unlock(&mut self) {
        let unlocked = self.lock.as_mut().map(|lock| self.disk.unlock(lock));
        if unlocked.is_some_and(|unlocked| unlocked.is_err()) {
            // Closing the file lets go of it, too.
            self.lock = None;
        }
    }

    /// Brings what this writer knows up to the file: reads what was appended, refuses or repairs a torn tail, and names
    /// saved tails that no event names. Under the lock.
    fn settle(&mut self) -> Result<(), LogError> {
        if self.is_marked(&unsynced(&self.path))? {
            return Err(LogError::SyncFailed { path: self.path.clone(), marker: unsynced(&self.path) });
        }
        let mut cut = None;
        while let Tail::Torn { bytes } = self.catch_up()? {
            if !self.options.repair {
                let (path, line) = (self.path.clone(), self.follower.lines());
                return Err(LogError::TornTail { path, line, bytes });
            }
            cut = repair::cut_off(self)?.or(cut);
        }
        let marked = self.is_marked(&repair::marker(&self.path))?;
        if !self.options.repair {
            let path = self.path.clone();
            return if marked { Err(LogError::RepairInterrupted { path }) } else { Ok(()) };
        }
        // Looking for saved tails takes a look at the whole directory: once, not at every append.
        let first = !std::mem::replace(&mut self.looked_for_tails, true);
        if first || marked { repair::record(self, cut, marked) } else { Ok(()) }
    }

    /// Whether that marker stands beside the log.
    fn is_marked(&self, marker: &Utf8Path) -> Result<bool, LogError> {
        match self.disk.open(marker) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(source) => Err(LogError::Io { what: "look at", path: marker.to_owned(), source }),
        }
    }

    /// Reads and verifies what stands after the lines that are known.
    fn catch_up(&mut self) -> Result<Tail, LogError> {
        let named = self.disk.named_length(&self.path, &self.file).map_err(|source| self.io("look up", source))?;
        let Some(length) = named else {
            return Err(LogError::FileReplaced { path: self.path.clone() });
        };
        let mut offset = self.follower.bytes();
        if length < offset {
            return Err(LogError::FileReplaced { path: self.path.clone() });
        }
        if length == offset {
            return Ok(Tail::Clean);
        }
        let Self { file, path, follower, observer, named_tails, poisoned, .. } = self;
        let read = |buffer: &mut [u8]| {
            let count = file.read_at(offset, buffer)?;
            offset += count as u64;
            Ok(count)
        };
        let mut taking = Taking { path, follower, observer, named_tails };
        let tail = survey_stream(read, regard::<O>, |piece| match piece {
            Piece::Lines(survey) => taking.take(survey),
            Piece::LongPart { ends_line: false, .. } => Ok(()),
            Piece::LongPart { ends_line: true, .. } => {
                Err(Failed::Log(taking.corrupt(taking.follower.lines() + 1, LineError::too_long())))
            }
        });
        tail.map_err(|failed| match failed {
            Failed::Log(error) => {
                // A writer that cannot follow its log is of no more use.
                *poisoned = true;
                error
            }
            Failed::Read(source) => LogError::Io { what: "read", path: path.clone(), source },
        })
    }

    /// Steps 3 to 7 of an append.
    pub(super) fn append_locked(
        &mut self,
        decide: impl FnOnce(&O, &Follower) -> Vec<NewEvent>,
    ) -> Result<Head, AppendError> {
        let bytes = self.build(decide)?;
        let before = self.follower.bytes();
        let written = self.file.append(&bytes);
        if !matches!(written, Ok(count) if count == bytes.len()) {
            let short = || io::Error::new(io::ErrorKind::StorageFull, "only a part of it was taken");
            return Err(self.take_back(before, &bytes, written.err().unwrap_or_else(short)));
        }
        if let Err(source) = self.sync() {
            return Err(AppendError::DurabilityUnknown { path: self.path.clone(), source });
        }
        match self.stands(before, &bytes) {
            Ok(true) => {}
            stands => {
                self.poisoned = true;
                let path = self.path.clone();
                return Err(match stands {
                    Ok(_) => AppendError::Interleaved { path },
                    Err(source) => AppendError::DurabilityUnknown { path, source },
                });
            }
        }
        let Self { path, follower, observer, named_tails, poisoned, .. } = self;
        let taken = Taking { path, follower, observer, named_tails }.take(survey(&bytes, regard::<O>));
        taken.map_err(|failed| {
            *poisoned = true;
            match failed {
                Failed::Log(error) => error.into(),
                Failed::Read(source) => AppendError::DurabilityUnknown { path: path.clone(), source },
            }
        })?;
        Ok(self.follower.head())
    }

    /// Builds the lines, each linked to the one before it.
    fn build(&self, decide: impl FnOnce(&O, &Follower) -> Vec<NewEvent>) -> Result<Vec<u8>, AppendError> {
        let stamp = stamp(self.disk.now());
        let mut ahead = self.follower.clone();
        let mut bytes = Vec::new();
        if ahead.chain().ends_foreign() {
            let head = ahead.head();
            let adopted = LogAdopted {
                lines: head.lines.into(),
                bytes: head.bytes.into(),
                blake3: head.blake3.to_string(),
                others: ExtraMembers::default(),
            };
            bytes = lines(vec![NewEvent::new(adopted, "all")], &stamp, &ahead)?;
            check(&bytes, &mut ahead)?;
        }
        let drafts = decide(&self.observer, &ahead);
        if drafts.is_empty() {
            return Err(AppendError::Empty);
        }
        let decided = lines(drafts, &stamp, &ahead)?;
        check(&decided, &mut ahead)?;
        bytes.extend(decided);
        Ok(bytes)
    }

    /// Syncs the log. When that fails, later writers must know, too: a later sync may succeed and tell nothing of what stands
    /// there now, whoever wrote it.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        self.file.sync().inspect_err(|_| {
            self.poisoned = true;
            let _ = write_new(&self.disk, &unsynced(&self.path), b"a sync of the log failed\n");
            let _ = self.sync_names();
        })
    }

    /// Cuts off what a failed write left; nothing else, should another writer have come between.
    fn take_back(&mut self, before: u64, bytes: &[u8], source: io::Error) -> AppendError {
        let path = self.path.clone();
        let mut cut = || {
            let left = usize::try_from(self.file.length()?.saturating_sub(before)).ok();
            let Some(ours) = left.and_then(|left| bytes.get(..left)) else {
                return Ok(false);
            };
            let is_ours = self.stands(before, ours)?;
            if is_ours {
                self.file.truncate(before)?;
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

    /// Whether the bytes stand at the offset, and the path still names the file. Others may have appended since.
    fn stands(&mut self, offset: u64, bytes: &[u8]) -> io::Result<bool> {
        if self.disk.named_length(&self.path, &self.file)?.is_none() {
            return Ok(false);
        }
        let (mut buffer, mut at) = (vec![0; bytes.len().min(BUFFER)], 0);
        while at < bytes.len() {
            // What stands after them is none of ours.
            buffer.truncate(bytes.len() - at);
            let count = self.file.read_at(offset + at as u64, &mut buffer)?;
            let (read, meant) = (buffer.get(..count), bytes.get(at..at + count));
            if count == 0 || read != meant {
                return Ok(false);
            }
            at += count;
        }
        Ok(true)
    }

    pub(super) fn io(&self, what: &'static str, source: io::Error) -> LogError {
        LogError::Io { what, path: self.path.clone(), source }
    }

    pub(super) fn sync_names(&self) -> Result<(), LogError> {
        let directory = directory(&self.path);
        let synced = self.disk.sync_directory(directory);
        synced.map_err(|source| LogError::Io { what: "sync the directory", path: directory.to_owned(), source })
    }
}

fn create<D: Storage>(disk: &D, path: &Utf8Path) -> Result<D::File, LogError> {
    let io = |source| LogError::Io { what: "create", path: path.to_owned(), source };
    let mut file = disk.create(path).map_err(io)?;
    file.sync().map_err(io)?;
    Ok(file)
}

pub(super) fn lock<D: Storage>(disk: &D, path: &Utf8Path, options: &WriterOptions) -> Result<D::Lock, LogError> {
    let path = lock_path(path);
    let locked = disk.lock(&path, options.patience, &options.note);
    locked.map_err(|source| not_locked(path, options.patience, source))
}

fn lock_path(log: &Utf8Path) -> Utf8PathBuf {
    log.with_file_name(format!("{}.lock", name(log)))
}

fn not_locked(path: Utf8PathBuf, waited: Duration, source: io::Error) -> LogError {
    if source.kind() == io::ErrorKind::WouldBlock {
        LogError::Locked { path, waited, holder: source.to_string() }
    } else {
        LogError::Io { what: "lock", path, source }
    }
}

pub(super) fn resolve<D: Storage>(disk: &D, path: &Utf8Path) -> Result<Utf8PathBuf, LogError> {
    disk.resolve(path).map_err(|source| LogError::Io { what: "look up", path: path.to_owned(), source })
}

/// Where a failed sync is marked.
pub(super) fn unsynced(log: &Utf8Path) -> Utf8PathBuf {
    log.with_file_name(format!("{}.unsynced", name(log)))
}

pub(super) fn name(path: &Utf8Path) -> &str {
    path.file_name().unwrap_or("events.jsonl")
}

pub(super) fn directory(path: &Utf8Path) -> &Utf8Path {
    match path.parent() {
        Some(parent) if !parent.as_str().is_empty() => parent,
        _ => Utf8Path::new("."),
    }
}

/// The time as events carry it: UTC, nine digits, `Z`.
pub(super) fn stamp(now: OffsetDateTime) -> Timestamp {
    let now = now.to_offset(time::UtcOffset::UTC);
    let (date, (hour, minute, second, nano)) = (now.date(), now.time().as_hms_nano());
    let text = format!("{date}T{hour:02}:{minute:02}:{second:02}.{nano:09}Z");
    Timestamp::from_parts(&text, now)
}
