//! The writer of a log.

use std::collections::HashSet;
use std::io;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use time::OffsetDateTime;

use super::disk::{Disk, DiskFile};
use super::error::{AppendError, ContinueError, LogError};
use super::os::OsDisk;
use super::repair;
use crate::chain::Chain;
use crate::event::{Entry, Event, NotAnEvent};
use crate::fault::Corruption;
use crate::head::{Head, Prefix};
use crate::line::{Line, parse_line};
use crate::link::Link;
use crate::split::{Cut, Splitter, Tail};
use crate::timestamp::Timestamp;
use crate::value::Others;
use crate::vocabulary::{EventType, LogAdopted, LogContinued};
use crate::{Json, MAX_LINE};

/// How much is read at a time, in bytes.
const BUFFER: usize = 256 * 1024;

/// How a log is opened for writing.
#[derive(Debug, Clone)]
pub struct Options {
    /// Whether a log that is not there is created.
    pub create: bool,
    /// Whether a torn tail is cut off, saved and recorded. Only who would record a failure may do that: the bytes may be
    /// a lost failure, or another writer's at work.
    pub repair: bool,
    /// How long to wait for another process that has the lock.
    pub patience: Duration,
    /// What others are told who wait for this process.
    pub note: String,
}

impl Default for Options {
    /// Creates, does not repair, and waits ten seconds.
    fn default() -> Self {
        Self {
            create: true,
            repair: false,
            patience: Duration::from_secs(10),
            note: format!("process {}", std::process::id()),
        }
    }
}

/// An event before it stands in a log: the writer stamps and links it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// What happened.
    pub event_type: EventType,
    /// The package it concerns, `name@version`, or `all`.
    pub package: String,
    /// Further members of the line.
    pub others: Others,
}

impl Draft {
    /// An event about a package, `name@version`, or about `all`.
    pub fn new(event_type: impl Into<EventType>, package: impl Into<String>) -> Self {
        Self { event_type: event_type.into(), package: package.into(), others: Others::default() }
    }
}

/// Sees every event of a log in order: those that stand in it when it is opened, those that others append, and those
/// that this writer appends, once they are durable.
pub trait Observer {
    /// The event, and the log up to and including its line.
    fn observe(&mut self, entry: &Entry, prefix: &Prefix);

    /// Any line, blank ones included: the log up to and including it. Comes before its event.
    fn line(&mut self, prefix: &Prefix) {
        let _ = prefix;
    }
}

/// Sees nothing.
impl Observer for () {
    fn observe(&mut self, _: &Entry, _: &Prefix) {}
}

/// Appends to a log, durably; see the [module](super) for the order of steps.
///
/// ```
/// use shipper_events::write::{Draft, LogWriter, Options, OsDisk};
/// use shipper_events::EventType;
/// # let directory = tempfile::tempdir()?;
/// # let path = camino::Utf8PathBuf::try_from(directory.path().join("events.jsonl"))?;
/// let mut log = LogWriter::open(OsDisk, &path, Options::default(), ())?;
/// let event: shipper_events::Event =
///     r#"{"timestamp":"2026-11-23T08:00:00Z","event_type":{"type":"execution_started"},"package":"all"}"#.parse()?;
/// let head = log.append(&[Draft::new(event.event_type, "all")])?;
/// assert_eq!(head.lines, 1);
/// assert!(std::fs::read_to_string(&path)?.starts_with(r#"{"seq":0,"prev":"af1349b9"#));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct LogWriter<O = (), D: Disk = OsDisk> {
    pub(super) disk: D,
    pub(super) path: Utf8PathBuf,
    options: Options,
    pub(super) file: D::File,
    pub(super) prefix: Prefix,
    chain: Chain,
    observer: O,
    /// The hashes of the torn tails that the log names as repaired.
    pub(super) named_tails: HashSet<String>,
    pub(super) poisoned: bool,
    looked_for_tails: bool,
}

impl<O: Observer, D: Disk> LogWriter<O, D> {
    /// Opens a log, reads it to its end and verifies it; the observer sees every event.
    ///
    /// # Errors
    ///
    /// When it cannot be read, is corrupt or broken, or has a torn tail and is not to be repaired.
    pub fn open(disk: D, path: &Utf8Path, options: Options, observer: O) -> Result<Self, LogError> {
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
            prefix: Prefix::new(),
            chain: Chain::new(),
            observer,
            named_tails: HashSet::new(),
            poisoned: false,
            looked_for_tails: false,
        };
        // The file may be a crash's: created, and its name not durable yet.
        log.sync_names()?;
        log.settle()?;
        // What others wrote may not be durable yet, and whoever keeps this head relies on it.
        log.file.sync().map_err(|source| log.io("sync", source))?;
        drop(lock);
        Ok(log)
    }

    /// The head of the log as this writer knows it.
    pub fn head(&self) -> Head {
        self.prefix.head()
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
    pub fn append(&mut self, drafts: &[Draft]) -> Result<Head, AppendError> {
        self.append_with(|_, _| drafts.to_vec())
    }

    /// Appends what is decided on the log as it stands under the lock: `decide` gets the observer, which has seen every
    /// event, and the head of everything that will stand before the first event.
    ///
    /// # Errors
    ///
    /// When the events are not acknowledged: see [`AppendError`].
    pub fn append_with(&mut self, decide: impl FnOnce(&O, &Head) -> Vec<Draft>) -> Result<Head, AppendError> {
        if self.poisoned {
            return Err(AppendError::Poisoned { path: self.path.clone() });
        }
        let lock = lock(&self.disk, &self.path, &self.options)?;
        self.settle()?;
        let head = self.append_locked(decide)?;
        drop(lock);
        Ok(head)
    }

    /// Brings what this writer knows up to the file: reads what was appended, refuses or repairs a torn tail, and names
    /// saved tails that no event names. Under the lock.
    fn settle(&mut self) -> Result<(), LogError> {
        match self.disk.open(&unsynced(&self.path)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(LogError::Io { what: "look at", path: unsynced(&self.path), source }),
            Ok(_) => return Err(LogError::Unsynced { path: self.path.clone(), marker: unsynced(&self.path) }),
        }
        let mut cut = None;
        while let Tail::Torn { bytes } = self.catch_up()? {
            if !self.options.repair {
                let (path, line) = (self.path.clone(), self.prefix.lines());
                return Err(LogError::TornTail { path, line, bytes });
            }
            cut = repair::cut_off(self)?.or(cut);
        }
        if !self.options.repair {
            return repair::refuse_marked(self);
        }
        // Looking for saved tails takes a look at the whole directory: once, not at every append.
        let first = !std::mem::replace(&mut self.looked_for_tails, true);
        if first || cut.is_some() || repair::is_marked(self)? { repair::record(self, cut) } else { Ok(()) }
    }

    /// Reads and verifies what stands after the lines that are known.
    fn catch_up(&mut self) -> Result<Tail, LogError> {
        if !self.disk.names(&self.path, &self.file).map_err(|source| self.io("look up", source))? {
            return Err(LogError::Replaced { path: self.path.clone() });
        }
        let length = self.file.length().map_err(|source| self.io("measure", source))?;
        if length < self.prefix.bytes() {
            return Err(LogError::Replaced { path: self.path.clone() });
        }
        if length == self.prefix.bytes() {
            return Ok(Tail::Clean);
        }
        let (mut splitter, mut offset) = (Splitter::new(), self.prefix.bytes());
        let mut buffer = vec![0; BUFFER];
        loop {
            let count = self.file.read_at(offset, &mut buffer).map_err(|source| self.io("read", source))?;
            if count == 0 {
                return Ok(splitter.tail());
            }
            offset += count as u64;
            let mut piece = buffer.get(..count).unwrap_or_default();
            while let Some(cut) = splitter.next(&mut piece) {
                match cut {
                    Cut::Line(bytes) => self.take_line(bytes)?,
                    Cut::LongPart { ends_line: false, .. } => {}
                    Cut::LongPart { ends_line: true, .. } => return Err(self.corrupt(Corruption::too_long())),
                }
            }
        }
    }

    /// Takes a complete line into account that stands in the file. A writer that cannot is of no more use.
    fn take_line(&mut self, bytes: &[u8]) -> Result<(), LogError> {
        let taken = self.follow_line(bytes);
        self.poisoned |= taken.is_err();
        taken
    }

    fn follow_line(&mut self, bytes: &[u8]) -> Result<(), LogError> {
        let parsed = parse_line(bytes).map_err(|corruption| self.corrupt(corruption))?;
        let line = self.prefix.lines() + 1;
        let followed = self.chain.follow(bytes, &parsed, &self.prefix);
        if let Some(found) = followed.breaks.into_iter().next() {
            return Err(LogError::Broken { path: self.path.clone(), line, found });
        }
        self.prefix.push_line(bytes);
        self.observer.line(&self.prefix);
        if let Line::Event(record) = parsed {
            let event = record.into_event();
            if let EventType::TailRepaired(repaired) = &event.event_type {
                self.named_tails.insert(repaired.blake3.clone());
            }
            self.observer.observe(&Entry { line, event }, &self.prefix);
        }
        Ok(())
    }

    /// Steps 3 to 7 of an append.
    pub(super) fn append_locked(&mut self, decide: impl FnOnce(&O, &Head) -> Vec<Draft>) -> Result<Head, AppendError> {
        let lines = self.build(decide)?;
        let bytes = lines.concat();
        let before = self.prefix.bytes();
        let written = self.file.append(&bytes);
        if !matches!(written, Ok(count) if count == bytes.len()) {
            let short = || io::Error::new(io::ErrorKind::StorageFull, "only a part of it was taken");
            return Err(self.take_back(before, &bytes, written.err().unwrap_or_else(short)));
        }
        if let Err(source) = self.file.sync() {
            self.poisoned = true;
            // Later writers must know, too: a later sync may succeed and tell nothing of these bytes.
            let _ = write_new(&self.disk, &unsynced(&self.path), b"a sync of the log failed\n");
            let _ = self.sync_names();
            return Err(AppendError::Unknown { path: self.path.clone(), source });
        }
        match self.stands(before, &bytes) {
            Ok(true) => {}
            stands => {
                self.poisoned = true;
                let path = self.path.clone();
                return Err(match stands {
                    Ok(_) => AppendError::Interleaved { path },
                    Err(source) => AppendError::Unknown { path, source },
                });
            }
        }
        for line in &lines {
            self.take_line(line)?;
        }
        Ok(self.prefix.head())
    }

    /// Builds the lines, each linked to the one before it.
    fn build(&self, decide: impl FnOnce(&O, &Head) -> Vec<Draft>) -> Result<Vec<Vec<u8>>, AppendError> {
        let (mut prefix, mut chain) = (self.prefix.clone(), self.chain.clone());
        let stamp = stamp(self.disk.now());
        let mut lines = Vec::new();
        let mut build = |draft: Draft, prefix: &mut Prefix| {
            let event = Event {
                link: Some(Link::after(prefix.lines(), chain.previous())),
                timestamp: stamp.clone(),
                event_type: draft.event_type,
                package: draft.package,
                others: draft.others,
            };
            let line = format!("{event}\n").into_bytes();
            if line.len() > MAX_LINE {
                return Err(AppendError::TooLong { bytes: line.len() });
            }
            // What is written must be readable: members given by a caller are not trusted to be.
            let parsed = parse_line(&line).map_err(|corruption| AppendError::Invalid { corruption })?;
            if let Some(found) = chain.follow(&line, &parsed, prefix).breaks.into_iter().next() {
                return Err(AppendError::Breaks { found });
            }
            prefix.push_line(&line);
            lines.push(line);
            Ok(())
        };
        if self.chain.ends_foreign() {
            let head = prefix.head();
            let adopted = LogAdopted {
                lines: head.lines.into(),
                bytes: head.bytes.into(),
                blake3: head.blake3.to_string(),
                others: Others::default(),
            };
            build(Draft::new(adopted, "all"), &mut prefix)?;
        }
        let drafts = decide(&self.observer, &prefix.head());
        if drafts.is_empty() {
            return Err(AppendError::Nothing);
        }
        for draft in drafts {
            build(draft, &mut prefix)?;
        }
        Ok(lines)
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
                self.file.sync()?;
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
                AppendError::Unknown { path, source }
            }
        }
    }

    /// Whether the bytes stand at the offset, and the path still names the file. Others may have appended since.
    fn stands(&mut self, offset: u64, bytes: &[u8]) -> io::Result<bool> {
        if !self.disk.names(&self.path, &self.file)? {
            return Ok(false);
        }
        let (mut buffer, mut at) = (vec![0; bytes.len().min(BUFFER)], 0);
        while at < bytes.len() {
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

    fn corrupt(&self, corruption: Corruption) -> LogError {
        LogError::Corrupt { path: self.path.clone(), line: self.prefix.lines() + 1, corruption }
    }
}

/// Moves a log that can no longer be written aside, whole, and continues it by a new one whose first line names its
/// head. Gives where the old log is now, and a writer of the new one, whose fold starts empty: rehearse again.
///
/// # Errors
///
/// When a step fails; the error says whether the log stands where it stood or aside.
pub fn continue_log<O: Observer, D: Disk>(
    disk: D,
    path: &Utf8Path,
    options: Options,
    observer: O,
) -> Result<(Utf8PathBuf, LogWriter<O, D>), ContinueError> {
    let given = path;
    let failed = |aside: Option<&Utf8PathBuf>, source: AppendError| ContinueError {
        path: given.to_owned(),
        aside: aside.cloned(),
        source: Box::new(source),
    };
    let path = &resolve(&disk, path).map_err(|source| failed(None, source.into()))?;
    let aside = move_aside(&disk, path, &options).map_err(|source| failed(None, source))?;
    let opened = LogWriter::open(disk, path, options, observer);
    let opened = opened.map_err(|source| failed(Some(&aside), source.into()))?;
    Ok((aside, opened))
}

fn move_aside<D: Disk>(disk: &D, path: &Utf8Path, options: &Options) -> Result<Utf8PathBuf, AppendError> {
    let io = |what| move |source| LogError::Io { what, path: path.to_owned(), source };
    let _lock = lock(disk, path, options)?;
    let mut old = disk.open(path).map_err(io("open"))?;
    let (mut splitter, mut prefix, mut offset, mut buffer) = (Splitter::new(), Prefix::new(), 0, vec![0; BUFFER]);
    loop {
        let count = old.read_at(offset, &mut buffer).map_err(io("read"))?;
        if count == 0 {
            break;
        }
        offset += count as u64;
        let mut piece = buffer.get(..count).unwrap_or_default();
        while let Some(cut) = splitter.next(&mut piece) {
            match cut {
                Cut::Line(line) => prefix.push_line(line),
                Cut::LongPart { part, ends_line } => prefix.push_part(part, ends_line),
            }
        }
    }
    let head = prefix.head();
    let event = Event {
        link: Some(Link::after(0, &[])),
        timestamp: stamp(disk.now()),
        event_type: EventType::LogContinued(LogContinued {
            lines: head.lines.into(),
            bytes: head.bytes.into(),
            blake3: head.blake3.to_string(),
            others: Others::default(),
        }),
        package: "all".to_owned(),
        others: Others::default(),
    };
    // The new log is whole and durable before it takes the old one's name, and the old one has its second name before
    // it loses the first: at every instant the path names a log.
    let new = path.with_file_name(format!("{}.new-{}", name(path), disk.random_name()));
    write_new(disk, &new, format!("{event}\n").as_bytes()).map_err(io("write the new log beside"))?;
    let short: String = head.blake3.to_string().chars().take(16).collect();
    let aside = path.with_file_name(format!("{}.aside-{short}-{}", name(path), disk.random_name()));
    let swapped = disk
        .link(path, &aside)
        .and_then(|()| disk.sync_directory(directory(path)))
        .and_then(|()| disk.rename(&new, path));
    if let Err(error) = swapped {
        // It would only be litter.
        let _ = disk.remove(&new);
        return Err(io("move aside")(error).into());
    }
    // What is marked of the old log is no matter of the new one.
    for marker in [repair::marker(path), unsynced(path)] {
        match disk.remove(&marker) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(io("remove the marker beside")(error).into());
            }
            _ => {}
        }
    }
    disk.sync_directory(directory(path)).map_err(io("sync the directory of"))?;
    Ok(aside)
}

/// Writes a file that did not exist, durably but for its name.
pub(super) fn write_new<D: Disk>(disk: &D, path: &Utf8Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = disk.create(path)?;
    let written = file.append(bytes).and_then(|count| {
        if count == bytes.len() { file.sync() } else { Err(io::Error::from(io::ErrorKind::StorageFull)) }
    });
    if written.is_err() {
        // What is left of it has a name that nobody looks for.
        let _ = disk.remove(path);
    }
    written
}

fn create<D: Disk>(disk: &D, path: &Utf8Path) -> Result<D::File, LogError> {
    let io = |source| LogError::Io { what: "create", path: path.to_owned(), source };
    let mut file = disk.create(path).map_err(io)?;
    file.sync().map_err(io)?;
    Ok(file)
}

fn lock<D: Disk>(disk: &D, path: &Utf8Path, options: &Options) -> Result<D::Lock, LogError> {
    let path = path.with_file_name(format!("{}.lock", name(path)));
    disk.lock(&path, options.patience, &options.note).map_err(|source| {
        if source.kind() == io::ErrorKind::WouldBlock {
            LogError::Locked { path, waited: options.patience, holder: source.to_string() }
        } else {
            LogError::Io { what: "lock", path, source }
        }
    })
}

fn resolve<D: Disk>(disk: &D, path: &Utf8Path) -> Result<Utf8PathBuf, LogError> {
    disk.resolve(path).map_err(|source| LogError::Io { what: "look up", path: path.to_owned(), source })
}

/// Where a failed sync is marked.
fn unsynced(log: &Utf8Path) -> Utf8PathBuf {
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
fn stamp(now: OffsetDateTime) -> Timestamp {
    let now = now.to_offset(time::UtcOffset::UTC);
    let (date, (hour, minute, second, nano)) = (now.date(), now.time().as_hms_nano());
    let text = format!("{date}T{hour:02}:{minute:02}:{second:02}.{nano:09}Z");
    Timestamp::from_parts(&text, now)
}

impl std::str::FromStr for Draft {
    type Err = NotAnEvent;

    /// Reads `{"event_type":{…},"package":"…"}`, without the members that the writer gives.
    fn from_str(text: &str) -> Result<Self, NotAnEvent> {
        let members = text.trim_start().strip_prefix('{').unwrap_or(text);
        let event: Event = format!(r#"{{"timestamp":"1970-01-01T00:00:00Z",{members}"#).parse()?;
        Ok(Self { event_type: event.event_type, package: event.package, others: event.others })
    }
}

impl Draft {
    /// Further members of the line, which readers that do not know them ignore.
    #[must_use]
    pub fn with(mut self, name: &str, value: Json) -> Self {
        self.others.push(name, value);
        self
    }
}
