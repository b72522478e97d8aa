//! Storage on the model of a disk, which fails on demand, and lists every legal state after a crash.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use camino::{Utf8Path, Utf8PathBuf};
use shipper_events::write::{FileAccess, Storage, StorageFile};

use crate::disk::Disk;

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
struct StorageState {
    disk: Disk,
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
    file: usize,
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
        let files = files.iter().map(|(path, bytes)| (Utf8PathBuf::from(path), bytes.to_vec()));
        Self::of(Disk::with(files), 0)
    }

    fn of(disk: Disk, names_made: usize) -> Self {
        Self(Rc::new(RefCell::new(StorageState { disk, names_made, ..StorageState::default() })))
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
        Some(state.disk.content(state.disk.file(Utf8Path::new(path))?))
    }

    /// The names that the running system sees.
    pub fn names(&self) -> Vec<Utf8PathBuf> {
        self.0.borrow().disk.names().into_keys().collect()
    }

    /// Returns every possible state of the disk after a crash at this moment: see [`Disk::after_crash`].
    pub fn after_crash(&self) -> Vec<Self> {
        let state = self.0.borrow();
        let states = state.disk.after_crash();
        (0..states.count()).map(|position| Self::of(states.nth(position), state.names_made + 1_000)).collect()
    }

    /// Returns the state of the disk after a crash at this moment, with this content of one file: see
    /// [`Disk::after_crash_with`].
    pub fn after_crash_with(&self, path: &str, content: Vec<u8>) -> Option<Self> {
        let state = self.0.borrow();
        let disk = state.disk.after_crash_with(Utf8Path::new(path), content)?;
        Some(Self::of(disk, state.names_made + 1_000))
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

impl Storage for SimStorage {
    type File = SimFile;
    type Lock = SimLock;

    fn resolve(&self, path: &Utf8Path) -> io::Result<Utf8PathBuf> {
        Ok(path.to_owned())
    }

    fn open(&self, path: &Utf8Path) -> io::Result<SimFile> {
        self.plain_step(StepKind::Other)?;
        let file = self.0.borrow().disk.file(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(SimFile { disk: self.clone(), file })
    }

    fn create(&self, path: &Utf8Path) -> io::Result<SimFile> {
        self.plain_step(StepKind::Other)?;
        let disk = &mut self.0.borrow_mut().disk;
        if disk.file(path).is_some() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        Ok(SimFile { disk: self.clone(), file: disk.create(path) })
    }

    fn len_if_same_file(&self, path: &Utf8Path, file: &SimFile) -> io::Result<Option<u64>> {
        self.plain_step(StepKind::Other)?;
        let is_named = self.0.borrow().disk.file(path) == Some(file.file);
        Ok(is_named.then(|| file.live().len() as u64))
    }

    fn rename(&self, from: &Utf8Path, to: &Utf8Path) -> io::Result<()> {
        self.plain_step(StepKind::Other)?;
        self.0.borrow_mut().disk.rename(from, to);
        Ok(())
    }

    fn link(&self, from: &Utf8Path, to: &Utf8Path) -> io::Result<()> {
        self.plain_step(StepKind::Other)?;
        let disk = &mut self.0.borrow_mut().disk;
        let file = disk.file(from).ok_or(io::ErrorKind::NotFound)?;
        disk.link(file, to);
        Ok(())
    }

    fn remove(&self, path: &Utf8Path) -> io::Result<()> {
        self.plain_step(StepKind::Other)?;
        self.0.borrow_mut().disk.remove(path);
        Ok(())
    }

    fn read_dir(&self, directory: &Utf8Path) -> io::Result<Vec<String>> {
        self.plain_step(StepKind::Other)?;
        let names = self.0.borrow().disk.names();
        let below = names.keys().filter(|path| path.parent() == Some(directory));
        Ok(below.filter_map(|path| path.file_name()).map(str::to_owned).collect())
    }

    fn sync_directory(&self, directory: &Utf8Path) -> io::Result<()> {
        self.plain_step(StepKind::Sync)?;
        self.0.borrow_mut().disk.sync_directory(directory);
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
    fn live(&self) -> Vec<u8> {
        self.disk.0.borrow().disk.content(self.file)
    }

    fn write(&self, bytes: &[u8]) {
        self.disk.0.borrow_mut().disk.append(self.file, bytes);
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
                self.write(bytes);
                Ok(bytes.len())
            }
            Err(InjectedFault::Short) => {
                self.write(&bytes[..bytes.len() - 1]);
                Ok(bytes.len() - 1)
            }
            Err(failure) => {
                // A write that fails, or during which the machine stops, may have written a part of the bytes.
                let part = if failure == InjectedFault::Eio { 0 } else { bytes.len() / 2 };
                let part = if failure == InjectedFault::Crash { bytes.len() } else { part };
                self.write(&bytes[..part]);
                Err(failure.error())
            }
        }
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.disk.plain_step(StepKind::Other)?;
        self.disk.0.borrow_mut().disk.truncate(self.file, usize::try_from(length).expect("small"));
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.disk.plain_step(StepKind::Sync)?;
        self.disk.0.borrow_mut().disk.sync(self.file);
        Ok(())
    }
}
