//! Durable writer of a log.

use std::time::Duration;
use std::{fmt, io};

use camino::Utf8Path;

use super::access::AccessRisk;
use super::checks::{check_access, coexists, refuse_shipper_files};
use super::coexist::ShipperSign;
use super::encode::NewEvent;
use super::error::{AppendError, LogError};
use super::fs::FsStorage;
use super::log_file::LogFile;
use super::paths::{REPAIRING, UNSYNCED, companion};
use super::storage::{Storage, if_found};
use crate::integrity::Head;
use crate::read::{Projection, Tail};

/// Options of waiting for the lock of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LockOptions {
    /// The time to wait for another process that holds the lock; ten seconds by default.
    pub timeout: Duration,
    /// The note that other processes show while they wait; by default, the ID of this process.
    pub holder_note: String,
}

impl LockOptions {
    /// Builds options with this timeout and note.
    pub fn new(timeout: Duration, holder_note: impl Into<String>) -> Self {
        Self { timeout, holder_note: holder_note.into() }
    }

    /// Takes the lock of a log; dropping it releases it.
    fn acquire<S: Storage>(&self, storage: &S, log: &Utf8Path) -> Result<S::Lock, LogError> {
        let path = companion(log, "lock");
        storage.lock(&path, self.timeout, &self.holder_note).map_err(|source| match source.kind() {
            io::ErrorKind::WouldBlock => LogError::Locked { path, waited: self.timeout, holder: source.to_string() },
            _ => LogError::Io { what: "lock", path, source },
        })
    }
}

impl Default for LockOptions {
    fn default() -> Self {
        Self::new(Duration::from_secs(10), format!("process {}", std::process::id()))
    }
}

/// When a writer repairs a torn tail. See `docs/log-format.md`, "Writing".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TailRepair {
    /// Never: a torn tail is an error.
    #[default]
    Never,
    /// If no decision of the projection depends on the lost line: [`Projection::depends_on_next_line`].
    IfHarmless,
    /// Always. Use it only before recording a rehearsal: the bytes may have recorded a failure.
    Always,
}

/// Options of opening a log. By default, the writer creates a missing log, expects no head, and refuses a torn tail and
/// a log that the shipper tool writes.
#[derive(Debug, Clone, Default)]
pub struct WriterOptions {
    open_only: bool,
    tail_repair: TailRepair,
    adopt_unchained: bool,
    allow_foreign_owner: bool,
    expected_head: Option<Head>,
    lock: LockOptions,
}

impl WriterOptions {
    /// Builds the default options with these lock options.
    pub fn new(lock: LockOptions) -> Self {
        Self { lock, ..Self::default() }
    }

    /// Creates a missing log if `create` is true, the default.
    #[must_use]
    pub fn create(mut self, create: bool) -> Self {
        self.open_only = !create;
        self
    }

    /// Repairs a torn tail if `repair` is true; false by default. Set it only to record a rehearsal with this writer: the
    /// bytes may have recorded a failure, or another writer may still be writing them. The event `tail_repaired` marks
    /// only an open rehearsal as failed. If none is open, a repair without a new rehearsal can hide a failure after
    /// its completion from the gate.
    #[must_use]
    pub fn repair_torn_tail(self, repair: bool) -> Self {
        self.tail_repair(if repair { TailRepair::Always } else { TailRepair::Never })
    }

    /// Sets when the writer repairs a torn tail; never by default.
    #[must_use]
    pub fn tail_repair(mut self, repair: TailRepair) -> Self {
        self.tail_repair = repair;
        self
    }

    /// Appends to a log that the shipper tool writes if `adopt` is true; false by default. Such a log ends with
    /// unchained lines, or is missing or empty beside a `state.json` or `receipt.json`. After unchained lines, the
    /// writer appends a `log_adopted` first.
    ///
    /// Set it only if the shipper tool never reads this log again: its reader rejects event types that it does not know.
    /// Its publish then uploads every package and fails without its `receipt.json`, and its `resume`, `status` and
    /// `inspect-events` fail.
    #[must_use]
    pub fn adopt_unchained(mut self, adopt: bool) -> Self {
        self.adopt_unchained = adopt;
        self
    }

    /// Accepts a log that other users can change if `allow` is true; false by default. By default, the writer refuses a
    /// log or a directory that every user or a group can write, except the private group of the user. It also refuses
    /// one whose owner is neither the effective user nor the superuser. For the superuser, these are only
    /// [`warnings`](LogWriter::warnings).
    #[must_use]
    pub fn allow_foreign_owner(mut self, allow: bool) -> Self {
        self.allow_foreign_owner = allow;
        self
    }

    /// Sets a head that the caller has kept; `None` by default. The writer refuses a log that begins differently.
    #[must_use]
    pub fn expected_head(mut self, head: Option<Head>) -> Self {
        self.expected_head = head;
        self
    }

    /// Returns the lock options.
    pub fn lock_options(&self) -> &LockOptions {
        &self.lock
    }

    /// Fails if another user can change the log, unless the caller allows that.
    pub(super) fn check_access<S: Storage>(
        &self,
        storage: &S,
        given: &Utf8Path,
        log: &Utf8Path,
    ) -> Result<Vec<AccessRisk>, LogError> {
        if self.allow_foreign_owner { Ok(Vec::new()) } else { check_access(storage, given, log) }
    }

    /// Takes the lock of a log; dropping it releases it.
    pub(super) fn acquire_lock<S: Storage>(&self, storage: &S, log: &Utf8Path) -> Result<S::Lock, LogError> {
        self.lock.acquire(storage, log)
    }
}

impl From<LockOptions> for WriterOptions {
    fn from(lock: LockOptions) -> Self {
        Self::new(lock)
    }
}

/// Durable writer of a log; see the [module](super) for the order of steps.
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
pub struct LogWriter<P = (), S: Storage = FsStorage> {
    log: LogFile<P, S>,
    options: WriterOptions,
    warnings: Vec<AccessRisk>,
    checked_saved_tails: bool,
}

impl<P, S: Storage> fmt::Debug for LogWriter<P, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogWriter").field("path", &self.log.path).finish_non_exhaustive()
    }
}

impl<P: Projection, S: Storage> LogWriter<P, S> {
    /// Opens a log, reads it to its end and verifies it. The projection gets the events in the log, the events that
    /// other processes append, and those that this writer appends, once they are durable.
    ///
    /// # Errors
    ///
    /// [`LogError`]: see its variants. A corrupt line, a chain error and an earlier failed sync are errors. So are a
    /// log that does not extend the expected head, and a torn tail without the option to repair it. A log that the
    /// shipper tool writes is [`LogError::NotAdopted`] without the option to adopt it. A log that other users can change
    /// is [`LogError::OthersCanWrite`] without the option to allow that.
    pub fn open(storage: S, path: &Utf8Path, options: WriterOptions, projection: P) -> Result<Self, LogError> {
        let given = path;
        let path = storage.resolve(given).map_err(LogError::io("look up", given))?;
        let warnings = options.check_access(&storage, given, &path)?;
        let _locked = options.acquire_lock(&storage, &path)?;
        let log = LogFile::open(storage, path, projection, |storage, path| {
            if options.open_only {
                Err(LogError::NoLog { path: path.to_owned() })
            } else if options.adopt_unchained {
                Ok(())
            } else {
                refuse_shipper_files(storage, path)
            }
        })?;
        let expected_head = options.expected_head;
        let mut writer = Self { log, options, warnings, checked_saved_tails: false };
        if let Some(kept) = expected_head {
            writer.log.known.scanner.track_head(kept.lines);
        }
        // A crash may have left the file with a name that is not durable yet.
        writer.log.sync_directory()?;
        writer.prepare()?;
        let log = &mut writer.log;
        if let Some(kept) = expected_head.filter(|kept| log.known.scanner.tracked_head(kept.lines) != Some(*kept)) {
            return Err(LogError::NotExtended { path: log.path.clone(), kept });
        }
        // Lines of other processes may not be durable yet, and a caller that keeps this head relies on them.
        log.sync().map_err(LogError::io("sync", &log.path))?;
        Ok(writer)
    }

    /// Returns the head of the log as this writer last read or wrote it.
    pub fn head(&self) -> Head {
        self.log.known.scanner.head()
    }

    /// Returns the projection of the events so far.
    pub fn projection(&self) -> &P {
        &self.log.known.projection
    }

    /// Returns the ways in which other users can change the log. Empty unless the superuser runs this process.
    pub fn warnings(&self) -> &[AccessRisk] {
        &self.warnings
    }

    /// Returns the file system of the log.
    pub fn storage(&self) -> &S {
        &self.log.storage
    }

    /// Appends events in one write and returns the head of the log after them.
    ///
    /// # Errors
    ///
    /// [`AppendError`], see its variants, if the events are not acknowledged.
    pub fn append(&mut self, events: &[NewEvent]) -> Result<Head, AppendError> {
        self.append_with(|_, _| events.to_vec())
    }

    /// Appends the events that `decide` returns under the lock. It gets the projection of every event in the log, and the
    /// head before the first event that it returns.
    ///
    /// # Errors
    ///
    /// [`AppendError`], see its variants, if the events are not acknowledged.
    pub fn append_with(&mut self, decide: impl FnOnce(&P, &Head) -> Vec<NewEvent>) -> Result<Head, AppendError> {
        if self.log.poisoned {
            return Err(AppendError::Poisoned { path: self.log.path.clone() });
        }
        let _locked = self.options.acquire_lock(&self.log.storage, &self.log.path)?;
        self.prepare()?;
        self.log.append_under_lock(decide)
    }

    /// Reads appended lines, refuses or repairs a torn tail, and records saved tails that the log does not record. The
    /// caller holds the lock.
    fn prepare(&mut self) -> Result<(), LogError> {
        if self.marker_exists(UNSYNCED)? {
            let path = self.log.path.clone();
            return Err(LogError::SyncFailed { marker: companion(&path, UNSYNCED), path });
        }
        let mut cut = None;
        while let Tail::Torn { bytes } = self.log.read_appended()? {
            if !self.may_repair() {
                let (path, line) = (self.log.path.clone(), self.log.known.scanner.lines());
                return Err(LogError::TornTail { path, line, bytes });
            }
            self.refuse_coexistence()?;
            cut = self.log.truncate_tail()?.or(cut);
        }
        self.refuse_coexistence()?;
        let interrupted = self.marker_exists(REPAIRING)?;
        if !self.may_repair() {
            let path = self.log.path.clone();
            return if interrupted { Err(LogError::RepairInterrupted { path }) } else { Ok(()) };
        }
        // Finding saved tails lists the whole directory, so it happens once and not at every append.
        let first = !std::mem::replace(&mut self.checked_saved_tails, true);
        if first || interrupted { self.log.record_repairs(cut, interrupted) } else { Ok(()) }
    }

    fn may_repair(&self) -> bool {
        match self.options.tail_repair {
            TailRepair::Never => false,
            TailRepair::IfHarmless => !self.log.known.projection.depends_on_next_line(),
            TailRepair::Always => true,
        }
    }

    /// Refuses a log that the shipper tool writes, unless the caller opted in.
    fn refuse_coexistence(&self) -> Result<(), LogError> {
        let LogFile { storage, path, known, .. } = &self.log;
        let line = known.scanner.lines();
        if self.options.adopt_unchained {
            return Ok(());
        }
        if line == 0 {
            return refuse_shipper_files(storage, path);
        }
        // Unchained lines before the last chained one were adopted by a caller that opted in.
        let is_unchained = known.scanner.verifier.chain.prev_unchained;
        if is_unchained { Err(coexists(path, ShipperSign::UnchainedLine { line })) } else { Ok(()) }
    }

    fn marker_exists(&self, suffix: &str) -> Result<bool, LogError> {
        let marker = companion(&self.log.path, suffix);
        let found = if_found(self.log.storage.open(&marker)).map_err(LogError::io("open", &marker))?;
        Ok(found.is_some())
    }
}
