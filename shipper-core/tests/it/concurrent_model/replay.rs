//! Replays a path of the model on the real writer and the real gate.
//!
//! The processes share a model disk. Before each change of the log, a process stops until the path lets it go on. While
//! it waits, the other processes act.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use camino::{Utf8Path, Utf8PathBuf};
use shipper_core::rehearsal::RunLock;
use shipper_core::{GateAnswer, GateProjection, SkipRequest, VerdictKind, ask_gate};
use shipper_events::event::{RehearsalComplete, RehearsalPackageFailed, RehearsalPackagePublished, RehearsalStarted};
use shipper_events::write::{FileAccess, LogWriter, NewEvent, Storage, StorageFile, WriterOptions};
use shipper_events::{Event, EventType, Head};
use shipper_testkit::crash_scenarios::{LOG, STATE, adopting, query};
use shipper_testkit::log_builder::LogBuilder;
use shipper_testkit::sim_storage::{SimFile, SimLock, SimStorage};

use super::system::{Action, FAILING, GATE, Kind, Outcome, PASSING, Processes, System};

const FOREIGN: &str = "{\"timestamp\":\"2026-11-23T08:00:00Z\",\"event_type\":{\"type\":\"rehearsal_package_failed\",\"name\":\"a\",\
    \"version\":\"1.0.0\"},\"package\":\"a@1.0.0\"}\n";
const HALF: usize = 40;

/// A process: its storage fails after it was killed.
#[derive(Clone)]
struct Hooked {
    world: Rc<World>,
    disk: SimStorage,
    process: usize,
    killed: Rc<Cell<bool>>,
}

struct HookedFile {
    storage: Hooked,
    file: SimFile,
    is_log: bool,
}

type Recorder = (LogWriter<GateProjection, Hooked>, RunLock<Hooked>);

/// The disk, the path, and the processes.
struct World {
    disk: RefCell<SimStorage>,
    path: Vec<Action>,
    position: Cell<usize>,
    /// The model goes the same path, for the survivors of a crash.
    model: RefCell<System>,
    expected: RefCell<Vec<(usize, Outcome)>>,
    outcomes: RefCell<Vec<(usize, Outcome)>>,
    recorders: RefCell<[Option<Recorder>; 2]>,
    operations: RefCell<[usize; 2]>,
    /// True if the process has the permission for the first step of its operation.
    may_begin: RefCell<[bool; 3]>,
    killed: RefCell<[Rc<Cell<bool>>; 3]>,
    kept: Cell<Option<Head>>,
    /// The log before the latest cut of a torn tail.
    uncut: RefCell<Vec<u8>>,
}

/// Replays a path, and compares the results of every operation and the log at the end. Returns the kinds of the results.
pub(super) fn replay(model: &Processes, path: &[Action]) -> Vec<&'static str> {
    let mut log = LogBuilder::chained();
    log.pass("p", "r");
    let world = Rc::new(World {
        disk: RefCell::new(SimStorage::with(&[(LOG, log.bytes())])),
        path: path.to_vec(),
        position: Cell::new(0),
        model: RefCell::new(System::initial(model.limits)),
        expected: RefCell::default(),
        outcomes: RefCell::default(),
        recorders: RefCell::default(),
        operations: RefCell::default(),
        may_begin: RefCell::default(),
        killed: RefCell::default(),
        kept: Cell::new(None),
        uncut: RefCell::default(),
    });
    while let Some(action) = world.next() {
        perform(&world, action);
    }
    // Recorders hold the world.
    *world.recorders.borrow_mut() = [None, None];
    let (expected, outcomes) = (world.expected.borrow(), world.outcomes.borrow());
    assert_eq!(*outcomes, *expected, "{path:?}");
    compare_logs(&world.disk.borrow().read(LOG).expect("a log"), &world.model.borrow(), path);
    outcomes.iter().map(|(_, outcome)| outcome.name()).collect()
}

impl Outcome {
    fn name(self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::Refused => "refused",
            Self::Opened => "opened",
            Self::Acknowledged { .. } => "acknowledged",
            Self::Authorized { .. } => "authorized",
            Self::Denied { .. } => "denied",
        }
    }
}

fn compare_logs(bytes: &[u8], model: &System, path: &[Action]) {
    let text = String::from_utf8_lossy(bytes);
    let (lines, tail) = text.rsplit_once('\n').expect("there are lines");
    let names: Vec<&str> = model.log.iter().map(|line| type_name(line.kind)).collect();
    let parsed = |line: &str| match line.parse::<Event>() {
        Ok(event) => event.event_type.name().to_owned(),
        Err(_) => "garbage".to_owned(),
    };
    let found: Vec<String> = lines.split('\n').map(parsed).collect();
    assert_eq!(found, names, "{path:?}\n{text}");
    assert_eq!(!tail.is_empty(), model.torn.is_some(), "{path:?}\n{text}");
}

fn type_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Started => "rehearsal_started",
        Kind::Published => "rehearsal_package_published",
        Kind::Failed | Kind::Foreign => "rehearsal_package_failed",
        Kind::Completed { .. } => "rehearsal_complete",
        Kind::Decided { .. } => "gate_evaluated",
        Kind::Repaired(_) => "tail_repaired",
        Kind::Adopted => "log_adopted",
        Kind::Garbage => "garbage",
    }
}

impl World {
    /// Takes the next action of the path, and applies it to the model.
    fn next(&self) -> Option<Action> {
        let action = *self.path.get(self.position.get())?;
        self.position.set(self.position.get() + 1);
        let outcome = self.model.borrow_mut().apply(action);
        if let (Action::Step(process), Some(outcome)) = (action, outcome) {
            self.expected.borrow_mut().push((process, outcome));
        }
        if matches!(action, Action::Crash { .. } | Action::CrashUncut) {
            self.crash(action);
        }
        Some(action)
    }

    /// Stops the machine. The log has the content of the model afterwards: a torn line lacks two bytes.
    fn crash(&self, action: Action) {
        let disk = self.disk.borrow().clone();
        let content = if action == Action::CrashUncut {
            self.uncut.borrow().clone()
        } else {
            let (model, live) = (self.model.borrow(), disk.read(LOG).expect("a log"));
            let mut lines = live.split_inclusive(|byte| *byte == b'\n');
            let mut content = lines.by_ref().take(model.log.len()).collect::<Vec<_>>().concat();
            let next = lines.next().filter(|_| model.torn.is_some()).unwrap_or_default();
            let is_whole = next.ends_with(b"\n");
            content.extend(&next[..if is_whole { next.len() - 2 } else { next.len() }]);
            content
        };
        let after = disk.after_crash_with(LOG, content).expect("the model has a possible content");
        for process in [PASSING, FAILING, GATE] {
            self.kill(process);
        }
        *self.disk.borrow_mut() = after;
    }

    fn kill(&self, process: usize) {
        self.killed.borrow()[process].set(true);
        self.killed.borrow_mut()[process] = Rc::default();
        if process != GATE {
            let recorder = self.recorders.borrow_mut()[process].take();
            drop(recorder);
        }
    }

    fn foreign(&self, bytes: &str) {
        let mut log = self.disk.borrow().open(Utf8Path::new(LOG)).expect("a log");
        log.append(bytes.as_bytes()).expect("no fault");
    }

    fn restore(&self) {
        let mut log = self.disk.borrow().open(Utf8Path::new(LOG)).expect("a log");
        let bytes = self.disk.borrow().read(LOG).expect("a log");
        let length: usize =
            bytes.split_inclusive(|byte| *byte == b'\n').take(super::system::INITIAL).map(<[u8]>::len).sum();
        log.truncate(length as u64).and_then(|()| log.sync()).expect("no fault");
    }
}

/// Performs an action of the path. A step begins an operation: a process in an operation waits in [`Hooked::wait`].
fn perform(world: &Rc<World>, action: Action) {
    match action {
        Action::Step(process) => run(world, process),
        Action::Kill(process) => world.kill(process),
        Action::ForeignLine => world.foreign(FOREIGN),
        Action::ForeignHalf => world.foreign(&FOREIGN[..HALF]),
        Action::ForeignRest => world.foreign(&FOREIGN[HALF..]),
        Action::Restore => world.restore(),
        Action::Crash { .. } | Action::CrashUncut => {}
    }
}

/// Runs an operation to its end, or until the process is killed.
fn run(world: &Rc<World>, process: usize) {
    let killed = Rc::clone(&world.killed.borrow()[process]);
    let storage =
        Hooked { world: Rc::clone(world), disk: world.disk.borrow().clone(), process, killed: Rc::clone(&killed) };
    world.may_begin.borrow_mut()[process] = true;
    let outcome = if process == GATE { ask(world, storage) } else { record(world, process, storage) };
    world.may_begin.borrow_mut()[process] = false;
    if !killed.get() {
        world.outcomes.borrow_mut().push((process, outcome));
    }
}

fn ask(world: &World, storage: Hooked) -> Outcome {
    let killed = Rc::clone(&storage.killed);
    let answer =
        ask_gate(storage, Utf8Path::new(STATE), &query(), &SkipRequest::default(), world.kept.get(), adopting());
    match answer {
        Ok(GateAnswer::Recorded { verdict, head, .. }) if !killed.get() => {
            world.kept.set(Some(head));
            let lines = usize::try_from(head.lines).expect("small");
            if verdict.code() == VerdictKind::Authorized {
                Outcome::Authorized { lines }
            } else {
                Outcome::Denied { lines }
            }
        }
        _ => Outcome::Refused,
    }
}

fn record(world: &World, process: usize, storage: Hooked) -> Outcome {
    let killed = Rc::clone(&storage.killed);
    let Some((mut log, run_lock)) = world.recorders.borrow_mut()[process].take() else {
        let Ok(run_lock) = RunLock::take(&storage, Utf8Path::new(STATE), "") else {
            return Outcome::Busy;
        };
        let options = WriterOptions::default().repair_torn_tail(true).adopt_unchained(true);
        return match LogWriter::open(storage, Utf8Path::new(LOG), options, GateProjection::default()) {
            Ok(log) if !killed.get() => {
                world.recorders.borrow_mut()[process] = Some((log, run_lock));
                Outcome::Opened
            }
            _ => Outcome::Refused,
        };
    };
    let operation = world.operations.borrow()[process];
    let (plan, registry) = (query().plan_id, query().rehearsal_registry.expect("a registry"));
    let event: EventType = match operation {
        0 => RehearsalStarted::new(registry, plan, 1_u64).into(),
        1 if process == PASSING => RehearsalPackagePublished::new("a", "1.0.0").into(),
        1 => RehearsalPackageFailed::new().into(),
        _ => RehearsalComplete::new(process == PASSING, registry, plan, "").into(),
    };
    match log.append(&[NewEvent::new(event, "all")]) {
        Ok(head) if !killed.get() => {
            world.operations.borrow_mut()[process] += 1;
            if operation < 2 {
                world.recorders.borrow_mut()[process] = Some((log, run_lock));
            }
            Outcome::Acknowledged { lines: usize::try_from(head.lines).expect("small") }
        }
        _ => Outcome::Refused,
    }
}

impl Hooked {
    fn check(&self) -> io::Result<()> {
        if self.killed.get() { Err(io::Error::other("killed")) } else { Ok(()) }
    }

    /// Waits until the path lets this process go on.
    fn wait(&self) -> io::Result<()> {
        self.check()?;
        while let Some(action) = self.world.next() {
            if action == Action::Step(self.process) {
                return Ok(());
            }
            perform(&self.world, action);
            self.check()?;
        }
        self.world.kill(self.process);
        self.check()
    }

    fn opened(&self, path: &Utf8Path, file: io::Result<SimFile>) -> io::Result<HookedFile> {
        Ok(HookedFile { storage: self.clone(), file: file?, is_log: path == LOG })
    }
}

impl Storage for Hooked {
    type File = HookedFile;
    type Lock = SimLock;

    fn resolve(&self, path: &Utf8Path) -> io::Result<Utf8PathBuf> {
        self.disk.resolve(path)
    }

    fn open(&self, path: &Utf8Path) -> io::Result<HookedFile> {
        self.check()?;
        self.opened(path, self.disk.open(path))
    }

    fn create(&self, path: &Utf8Path) -> io::Result<HookedFile> {
        self.check()?;
        self.opened(path, self.disk.create(path))
    }

    fn len_if_same_file(&self, path: &Utf8Path, file: &HookedFile) -> io::Result<Option<u64>> {
        self.check()?;
        self.disk.len_if_same_file(path, &file.file)
    }

    fn rename(&self, from: &Utf8Path, to: &Utf8Path) -> io::Result<()> {
        self.check()?;
        self.disk.rename(from, to)
    }

    fn link(&self, from: &Utf8Path, to: &Utf8Path) -> io::Result<()> {
        self.check()?;
        self.disk.link(from, to)
    }

    fn remove(&self, path: &Utf8Path) -> io::Result<()> {
        self.check()?;
        self.disk.remove(path)
    }

    fn read_dir(&self, directory: &Utf8Path) -> io::Result<Vec<String>> {
        self.check()?;
        self.disk.read_dir(directory)
    }

    fn sync_directory(&self, directory: &Utf8Path) -> io::Result<()> {
        self.check()?;
        self.disk.sync_directory(directory)
    }

    fn access(&self, path: &Utf8Path) -> io::Result<Option<FileAccess>> {
        self.disk.access(path)
    }

    fn lock(&self, path: &Utf8Path, timeout: Duration, note: &str) -> io::Result<SimLock> {
        self.check()?;
        if path.as_str().ends_with(".lock") {
            let begins = std::mem::replace(&mut self.world.may_begin.borrow_mut()[self.process], false);
            if !begins {
                self.wait()?;
            }
        }
        self.disk.lock(path, timeout, note)
    }

    fn now(&self) -> SystemTime {
        self.disk.now()
    }

    fn random_name(&self) -> String {
        self.disk.random_name()
    }
}

impl HookedFile {
    /// Waits before a change of the log.
    fn wait(&self) -> io::Result<()> {
        if self.is_log { self.storage.wait() } else { self.storage.check() }
    }
}

impl StorageFile for HookedFile {
    fn length(&self) -> io::Result<u64> {
        self.storage.check()?;
        self.file.length()
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.storage.check()?;
        self.file.read_at(offset, buffer)
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.wait()?;
        self.file.append(bytes)
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.wait()?;
        *self.storage.world.uncut.borrow_mut() = self.storage.disk.read(LOG).expect("a log");
        self.file.truncate(length)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.wait()?;
        self.file.sync()
    }
}
