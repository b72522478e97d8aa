//! Model of a disk that distinguishes live from durable state, fails on demand, and lists every legal state after a crash:
//! the bytes that were not synced are cut at every byte, and the names that were not synced are lost in any combination.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use camino::{Utf8Path, Utf8PathBuf};
use shipper_events::write::{FileAccess, Storage, StorageFile};

/// The failure of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InjectedFault {
    /// The machine stops: this step and all later ones fail.
    Crash,
    /// An input/output error.
    Eio,
    /// The disk is full; a write takes the first half.
    Full,
    /// A write takes all but the last byte, and returns that count.
    Short,
}

#[derive(Debug, Clone, Default)]
struct Inode {
    durable: Vec<u8>,
    /// The changes since the last sync, in order.
    unsynced: Vec<FileChange>,
}

#[derive(Debug, Clone)]
enum FileChange {
    Append(Vec<u8>),
    Truncate(usize),
}

impl Inode {
    fn live(&self) -> Vec<u8> {
        let mut bytes = self.durable.clone();
        for change in &self.unsynced {
            change.apply(&mut bytes);
        }
        bytes
    }

    /// Returns every possible content of the file after a crash.
    fn after_crash(&self) -> BTreeSet<Vec<u8>> {
        let mut contents = BTreeSet::from([self.durable.clone()]);
        let mut bytes = self.durable.clone();
        for change in &self.unsynced {
            if let FileChange::Append(appended) = change {
                contents.extend((0..appended.len()).map(|cut| [&bytes[..], &appended[..cut]].concat()));
            }
            change.apply(&mut bytes);
            contents.insert(bytes.clone());
        }
        contents
    }
}

impl Inode {
    /// Returns whether the file may have this content after a crash.
    fn may_have(&self, content: &[u8]) -> bool {
        let mut bytes = self.durable.clone();
        let mut found = bytes == content;
        for change in &self.unsynced {
            let before = bytes.len();
            change.apply(&mut bytes);
            found |= match change {
                FileChange::Append(_) => content.len() >= before && bytes.starts_with(content),
                FileChange::Truncate(_) => bytes == content,
            };
        }
        found
    }
}

impl FileChange {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Append(appended) => bytes.extend_from_slice(appended),
            Self::Truncate(length) => bytes.truncate(*length),
        }
    }
}

/// A change of names that was not synced.
#[derive(Debug, Clone)]
enum NameChange {
    Set(Utf8PathBuf, usize),
    Remove(Utf8PathBuf),
    Rename(Utf8PathBuf, Utf8PathBuf),
}

impl NameChange {
    fn apply(&self, names: &mut BTreeMap<Utf8PathBuf, usize>) {
        match self {
            Self::Set(path, inode) => {
                names.insert(path.clone(), *inode);
            }
            Self::Remove(path) => {
                names.remove(path);
            }
            Self::Rename(from, to) => {
                if let Some(inode) = names.remove(from) {
                    names.insert(to.clone(), inode);
                }
            }
        }
    }
}

#[derive(Debug, Clone, Default)]
struct StorageState {
    inodes: Vec<Inode>,
    durable_names: BTreeMap<Utf8PathBuf, usize>,
    unsynced_names: Vec<NameChange>,
    locked: BTreeSet<Utf8PathBuf>,
    /// Owners and permissions; the other files have none.
    access: BTreeMap<Utf8PathBuf, FileAccess>,
    steps: usize,
    syncs: usize,
    fail: Option<(FaultPoint, InjectedFault)>,
    crashed: bool,
    names_made: usize,
    /// The fixed time, or `None` for a clock that follows the steps.
    clock: Option<SystemTime>,
}

/// The step that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultPoint {
    /// The n-th step of any kind, from 0.
    Step(usize),
    /// The n-th sync of a file or directory, from 0.
    Sync(usize),
    /// Every write to a file.
    Writes,
}

/// The disk; clones are the same disk.
#[derive(Debug, Clone, Default)]
pub struct SimStorage(Rc<RefCell<StorageState>>);

pub struct SimFile {
    disk: SimStorage,
    inode: usize,
}

pub struct SimLock {
    disk: SimStorage,
    path: Utf8PathBuf,
}

impl Drop for SimLock {
    fn drop(&mut self) {
        self.disk.0.borrow_mut().locked.remove(&self.path);
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum StepKind {
    Write,
    Sync,
    Other,
}

impl SimStorage {
    /// A disk with these durable files.
    pub fn with(files: &[(&str, &[u8])]) -> Self {
        let disk = Self::default();
        for (path, bytes) in files {
            let mut state = disk.0.borrow_mut();
            let inode = state.inodes.len();
            state.inodes.push(Inode { durable: bytes.to_vec(), unsynced: Vec::new() });
            state.durable_names.insert(path.into(), inode);
        }
        disk
    }

    /// Fails at a step.
    pub fn failing(self, when: FaultPoint, failure: InjectedFault) -> Self {
        self.0.borrow_mut().fail = Some((when, failure));
        self
    }

    /// Removes all faults from now on.
    pub fn mended(&self) {
        self.0.borrow_mut().fail = None;
    }

    /// Sets the owner and the permissions of a file or directory.
    pub fn set_access(&self, path: &str, access: FileAccess) {
        self.0.borrow_mut().access.insert(path.into(), access);
    }

    /// Fixes the clock, which otherwise follows the steps.
    pub fn set_clock(&self, now: SystemTime) {
        self.0.borrow_mut().clock = Some(now);
    }

    /// The number of steps so far.
    pub fn steps(&self) -> usize {
        self.0.borrow().steps
    }

    /// Returns `true` if the machine has stopped.
    pub fn crashed(&self) -> bool {
        self.0.borrow().crashed
    }

    /// A file's content as the running system sees it.
    pub fn read(&self, path: &str) -> Option<Vec<u8>> {
        let state = self.0.borrow();
        let inode = state.inode(Utf8Path::new(path))?;
        Some(state.inodes[inode].live())
    }

    /// The names that the running system sees.
    pub fn names(&self) -> Vec<Utf8PathBuf> {
        self.0.borrow().live_names().into_keys().collect()
    }

    /// Returns every possible state of the disk after a crash at this moment. Each unsynced name is lost or not, and
    /// unsynced bytes are cut anywhere, independently of each other.
    pub fn after_crash(&self) -> Vec<Self> {
        let state = self.0.borrow();
        let mut naming = Vec::new();
        for kept in 0..1_usize << state.unsynced_names.len() {
            let mut names = state.durable_names.clone();
            for (position, change) in state.unsynced_names.iter().enumerate() {
                if kept >> position & 1 == 1 {
                    change.apply(&mut names);
                }
            }
            if !naming.contains(&names) {
                naming.push(names);
            }
        }
        let mut contents: Vec<Vec<Vec<u8>>> = vec![Vec::new()];
        for inode in &state.inodes {
            let possible = inode.after_crash();
            contents = contents
                .into_iter()
                .flat_map(|before| {
                    possible.iter().map(move |bytes| [&before[..], std::slice::from_ref(bytes)].concat())
                })
                .collect();
        }
        let mut states = Vec::new();
        for names in &naming {
            for files in &contents {
                let inodes = files.iter().map(|bytes| Inode { durable: bytes.clone(), unsynced: Vec::new() });
                states.push(Self(Rc::new(RefCell::new(StorageState {
                    inodes: inodes.collect(),
                    durable_names: names.clone(),
                    names_made: state.names_made + 1_000,
                    ..StorageState::default()
                }))));
            }
        }
        states
    }

    /// Returns the state of the disk after a crash at this moment, with this content of one file; `None` if that is not
    /// possible. All changes of other files are on the disk.
    pub fn after_crash_with(&self, path: &str, content: Vec<u8>) -> Option<Self> {
        let state = self.0.borrow();
        let names = state.live_names();
        let changed = *names.get(Utf8Path::new(path))?;
        if !state.inodes[changed].may_have(&content) {
            return None;
        }
        let mut inodes: Vec<Inode> =
            state.inodes.iter().map(|inode| Inode { durable: inode.live(), unsynced: Vec::new() }).collect();
        inodes[changed].durable = content;
        let names_made = state.names_made + 1_000;
        let state = StorageState { inodes, durable_names: names, names_made, ..StorageState::default() };
        Some(Self(Rc::new(RefCell::new(state))))
    }

    /// Counts a step, and returns its fault if it fails.
    fn step(&self, kind: StepKind) -> Result<(), InjectedFault> {
        let mut state = self.0.borrow_mut();
        let (step, sync) = (state.steps, state.syncs);
        state.steps += 1;
        state.syncs += usize::from(kind == StepKind::Sync);
        if state.crashed {
            return Err(InjectedFault::Crash);
        }
        match state.fail {
            Some((when, failure))
                if when == FaultPoint::Step(step)
                    || (when == FaultPoint::Sync(sync) && kind == StepKind::Sync)
                    || (when == FaultPoint::Writes && kind == StepKind::Write) =>
            {
                state.crashed |= failure == InjectedFault::Crash;
                Err(failure)
            }
            _ => Ok(()),
        }
    }

    fn plain_step(&self, kind: StepKind) -> io::Result<()> {
        self.step(kind).map_err(InjectedFault::error)
    }
}

impl InjectedFault {
    fn error(self) -> io::Error {
        match self {
            Self::Crash => io::Error::other("the machine stopped"),
            Self::Eio => io::Error::other("input/output error"),
            Self::Full | Self::Short => io::Error::from(io::ErrorKind::StorageFull),
        }
    }
}

impl StorageState {
    /// Returns the file with this name.
    fn inode(&self, path: &Utf8Path) -> Option<usize> {
        if self.unsynced_names.is_empty() {
            return self.durable_names.get(path).copied();
        }
        self.live_names().get(path).copied()
    }

    fn live_names(&self) -> BTreeMap<Utf8PathBuf, usize> {
        let mut names = self.durable_names.clone();
        for change in &self.unsynced_names {
            change.apply(&mut names);
        }
        names
    }
}

impl Storage for SimStorage {
    type File = SimFile;
    type Lock = SimLock;

    fn resolve(&self, path: &Utf8Path) -> io::Result<Utf8PathBuf> {
        Ok(path.to_owned())
    }

    fn open(&self, path: &Utf8Path) -> io::Result<SimFile> {
        self.plain_step(StepKind::Other)?;
        let inode = self.0.borrow().inode(path);
        let inode = inode.ok_or(io::ErrorKind::NotFound)?;
        Ok(SimFile { disk: self.clone(), inode })
    }

    fn create(&self, path: &Utf8Path) -> io::Result<SimFile> {
        self.plain_step(StepKind::Other)?;
        let mut state = self.0.borrow_mut();
        if state.inode(path).is_some() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let inode = state.inodes.len();
        state.inodes.push(Inode::default());
        state.unsynced_names.push(NameChange::Set(path.to_owned(), inode));
        Ok(SimFile { disk: self.clone(), inode })
    }

    fn len_if_same_file(&self, path: &Utf8Path, file: &SimFile) -> io::Result<Option<u64>> {
        self.plain_step(StepKind::Other)?;
        let is_named = self.0.borrow().inode(path) == Some(file.inode);
        Ok(is_named.then(|| file.live().len() as u64))
    }

    fn rename(&self, from: &Utf8Path, to: &Utf8Path) -> io::Result<()> {
        self.plain_step(StepKind::Other)?;
        self.0.borrow_mut().unsynced_names.push(NameChange::Rename(from.to_owned(), to.to_owned()));
        Ok(())
    }

    fn link(&self, from: &Utf8Path, to: &Utf8Path) -> io::Result<()> {
        self.plain_step(StepKind::Other)?;
        let mut state = self.0.borrow_mut();
        let inode = state.inode(from).ok_or(io::ErrorKind::NotFound)?;
        state.unsynced_names.push(NameChange::Set(to.to_owned(), inode));
        Ok(())
    }

    fn remove(&self, path: &Utf8Path) -> io::Result<()> {
        self.plain_step(StepKind::Other)?;
        self.0.borrow_mut().unsynced_names.push(NameChange::Remove(path.to_owned()));
        Ok(())
    }

    fn read_dir(&self, directory: &Utf8Path) -> io::Result<Vec<String>> {
        self.plain_step(StepKind::Other)?;
        let names = self.0.borrow().live_names();
        let below = names.keys().filter(|path| path.parent() == Some(directory));
        Ok(below.filter_map(|path| path.file_name()).map(str::to_owned).collect())
    }

    fn sync_directory(&self, _: &Utf8Path) -> io::Result<()> {
        self.plain_step(StepKind::Sync)?;
        let mut state = self.0.borrow_mut();
        state.durable_names = state.live_names();
        state.unsynced_names.clear();
        Ok(())
    }

    fn access(&self, path: &Utf8Path) -> io::Result<Option<FileAccess>> {
        Ok(self.0.borrow().access.get(path).copied())
    }

    fn lock(&self, path: &Utf8Path, _: Duration, _: &str) -> io::Result<SimLock> {
        self.plain_step(StepKind::Other)?;
        if !self.0.borrow_mut().locked.insert(path.to_owned()) {
            return Err(io::Error::new(io::ErrorKind::WouldBlock, "the model"));
        }
        Ok(SimLock { disk: self.clone(), path: path.to_owned() })
    }

    fn now(&self) -> SystemTime {
        let clock = self.0.borrow().clock;
        clock.unwrap_or_else(|| SystemTime::UNIX_EPOCH + Duration::from_secs(self.steps() as u64))
    }

    fn random_name(&self) -> String {
        let mut state = self.0.borrow_mut();
        state.names_made += 1;
        format!("r{}", state.names_made)
    }
}

impl SimFile {
    fn change(&self, change: FileChange) {
        self.disk.0.borrow_mut().inodes[self.inode].unsynced.push(change);
    }

    fn live(&self) -> Vec<u8> {
        self.disk.0.borrow().inodes[self.inode].live()
    }
}

impl StorageFile for SimFile {
    fn length(&self) -> io::Result<u64> {
        self.disk.plain_step(StepKind::Other)?;
        Ok(self.live().len() as u64)
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.disk.plain_step(StepKind::Other)?;
        let live = self.live();
        let rest = live.get(usize::try_from(offset).expect("small")..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.disk.step(StepKind::Write) {
            Ok(()) => {
                self.change(FileChange::Append(bytes.to_vec()));
                Ok(bytes.len())
            }
            Err(InjectedFault::Short) => {
                self.change(FileChange::Append(bytes[..bytes.len() - 1].to_vec()));
                Ok(bytes.len() - 1)
            }
            Err(failure) => {
                // A write that fails, or during which the machine stops, may have written a part of the bytes.
                let part = if failure == InjectedFault::Eio { 0 } else { bytes.len() / 2 };
                let part = if failure == InjectedFault::Crash { bytes.len() } else { part };
                self.change(FileChange::Append(bytes[..part].to_vec()));
                Err(failure.error())
            }
        }
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.disk.plain_step(StepKind::Other)?;
        self.change(FileChange::Truncate(usize::try_from(length).expect("small")));
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.disk.plain_step(StepKind::Sync)?;
        let mut state = self.disk.0.borrow_mut();
        let live = state.inodes[self.inode].live();
        state.inodes[self.inode] = Inode { durable: live, unsynced: Vec::new() };
        Ok(())
    }
}
