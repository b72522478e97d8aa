//! Scenarios of a gate on a disk, and every state of the disk after the machine stopped at any step of them.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use shipper_core::state_dir::StateOptions;
use shipper_core::{GateQuery, RehearsalRecorder, SkipRequest, ask_gate};
use shipper_events::Head;
use shipper_events::write::{LockOptions, LogWriter, NewEvent, WriterOptions, rotate_log};

use crate::log_builder::LogBuilder;
use crate::sim_storage::{FaultPoint, InjectedFault, SimStorage};

/// The state directory, and the log in it.
pub const STATE: &str = "state";
pub const LOG: &str = "state/events.jsonl";

/// The acknowledged results of a scenario before the machine stops.
#[derive(Default)]
pub struct Acknowledged {
    /// The heads of acknowledged appends.
    pub heads: Vec<Head>,
    /// `true` if the plan must not be authorized: a failure was acknowledged, or no completion was attempted.
    pub refused: bool,
    /// `true` if the gate gave a permission.
    pub permitted: bool,
    /// `true` if the log was moved aside and continued: then the heads belong to another file.
    pub continued: bool,
}

/// Options that adopt the lines of a tool that does not chain.
pub fn adopting() -> StateOptions {
    StateOptions::default().adopt_unchained(true)
}

/// The actions of a scenario; `None` if one of them fails.
type Scenario = fn(&SimStorage, &RefCell<Acknowledged>) -> Option<()>;

/// The plan and the registry of the scenarios.
pub fn query() -> GateQuery {
    GateQuery::new("p".parse().expect("a name"), Some("r".parse().expect("a name")))
}

fn rehearse(disk: &SimStorage, acknowledged: &RefCell<Acknowledged>, passes: bool) -> Option<()> {
    let state = Utf8Path::new(STATE);
    let mut recorder = RehearsalRecorder::open(disk.clone(), state, adopting()).ok()?;
    let mut rehearsing = recorder.start("p".parse().ok()?, "r".parse().ok()?, 2).ok()?;
    rehearsing.published("a", "1.0.0", Duration::ZERO).ok()?;
    if passes {
        rehearsing.published("b", "1.0.0", Duration::ZERO).ok()?;
        acknowledged.borrow_mut().refused = false;
    } else {
        rehearsing.failed("b", "1.0.0", "permanent", "no").ok()?;
        acknowledged.borrow_mut().refused = true;
    }
    let completed = rehearsing.complete(passes, "done").ok()?;
    acknowledged.borrow_mut().heads.push(completed.head);
    Some(())
}

fn ask(disk: &SimStorage, acknowledged: &RefCell<Acknowledged>) -> Option<()> {
    let answer =
        ask_gate(disk.clone(), Utf8Path::new(STATE), &query(), &SkipRequest::default(), None, adopting()).ok()?;
    acknowledged.borrow_mut().heads.extend(answer.head());
    acknowledged.borrow_mut().permitted |= answer.verdict().may_publish();
    Some(())
}

fn publish(disk: &SimStorage, acknowledged: &RefCell<Acknowledged>) -> Option<()> {
    let options = WriterOptions::default().repair_torn_tail(true).adopt_unchained(true);
    let mut log = LogWriter::open(disk.clone(), Utf8Path::new(LOG), options, ()).ok()?;
    for line in [
        r#"{"event_type":{"type":"plan_created","plan_id":"p","package_count":2},"package":"all"}"#,
        r#"{"event_type":{"type":"package_published"},"package":"a@1.0.0"}"#,
    ] {
        let head = log.append(&[line.parse::<NewEvent>().ok()?]).ok()?;
        acknowledged.borrow_mut().heads.push(head);
    }
    Some(())
}

/// The name of a scenario, its initial disk, and its actions.
pub type Case = (&'static str, fn() -> SimStorage, Scenario);

pub const SCENARIOS: &[Case] = &[
    ("rehearse, ask, publish", SimStorage::default, |disk, acknowledged| {
        acknowledged.borrow_mut().refused = true;
        rehearse(disk, acknowledged, true)?;
        ask(disk, acknowledged)?;
        publish(disk, acknowledged)
    }),
    ("ask before any rehearsal", SimStorage::default, |disk, acknowledged| {
        acknowledged.borrow_mut().refused = true;
        ask(disk, acknowledged)?;
        rehearse(disk, acknowledged, false)
    }),
    ("a failure after a pass", passed, |disk, acknowledged| {
        rehearse(disk, acknowledged, false)?;
        ask(disk, acknowledged)
    }),
    ("a torn line in an open rehearsal", torn, |disk, acknowledged| {
        // The line may have recorded a failure. Until the plan is rehearsed again, it counts as one.
        acknowledged.borrow_mut().refused = true;
        drop(RehearsalRecorder::open(disk.clone(), Utf8Path::new(STATE), adopting()).ok()?);
        ask(disk, acknowledged)?;
        acknowledged.borrow_mut().refused = false;
        rehearse(disk, acknowledged, true)?;
        ask(disk, acknowledged)
    }),
    ("the same torn bytes twice", torn_twice, |disk, acknowledged| {
        acknowledged.borrow_mut().refused = true;
        drop(RehearsalRecorder::open(disk.clone(), Utf8Path::new(STATE), adopting()).ok()?);
        ask(disk, acknowledged)
    }),
    ("lines of a tool that does not chain", foreign, |disk, acknowledged| {
        ask(disk, acknowledged)?;
        publish(disk, acknowledged)
    }),
    ("a corrupt log moved aside", corrupt, |disk, acknowledged| {
        acknowledged.borrow_mut().refused = true;
        let path = Utf8Path::new(LOG);
        acknowledged.borrow_mut().continued = true;
        rotate_log(disk.clone(), path, LockOptions::default(), ()).ok()?;
        rehearse(disk, acknowledged, true)?;
        ask(disk, acknowledged)
    }),
];

/// Returns a disk with a log that gets these events.
fn with_log(mut log: LogBuilder, add: impl FnOnce(&mut LogBuilder) -> &mut LogBuilder) -> SimStorage {
    SimStorage::with(&[(LOG, add(&mut log).bytes())])
}

fn passed() -> SimStorage {
    with_log(LogBuilder::chained(), |log| log.pass("p", "r"))
}

fn torn() -> SimStorage {
    with_log(LogBuilder::chained(), |log| {
        log.pass("p", "r").start("p", "r", 2).raw(r#"{"seq":4,"prev":"half of a fail"#)
    })
}

/// Returns a disk whose log had a torn tail that was repaired, and has the same torn tail in another rehearsal.
fn torn_twice() -> SimStorage {
    let tail = b"{\"seq\":";
    let hash = blake3::hash(tail);
    let mut log = LogBuilder::chained();
    log.event(&format!(r#"{{"type":"tail_repaired","bytes":7,"blake3":"{hash}"}}"#));
    log.pass("p", "r").start("p", "r", 2).raw(r#"{"seq":"#);
    SimStorage::with(&[(LOG, log.bytes()), (&format!("{LOG}.torn-{hash}"), tail)])
}

fn foreign() -> SimStorage {
    with_log(LogBuilder::foreign(), |log| log.pass("p", "r"))
}

fn corrupt() -> SimStorage {
    with_log(LogBuilder::chained(), |log| log.pass("p", "r").raw("{\n"))
}

/// The files of a disk.
pub type DiskFiles = BTreeMap<Utf8PathBuf, Vec<u8>>;

/// Returns the files of a disk.
pub fn disk_files(disk: &SimStorage) -> DiskFiles {
    let content = |path: &Utf8PathBuf| disk.read(path.as_str()).expect("a name has a file");
    disk.names().into_iter().map(|path| (path.clone(), content(&path))).collect()
}

/// Returns a disk with these durable files.
pub fn disk_with(files: &DiskFiles) -> SimStorage {
    let files: Vec<(&str, &[u8])> = files.iter().map(|(path, bytes)| (path.as_str(), &bytes[..])).collect();
    SimStorage::with(&files)
}

/// Writes the files of a disk below a directory. The state directory exists also if it is empty.
pub fn write_files(files: &DiskFiles, directory: &Utf8Path) {
    std::fs::create_dir_all(directory.join(STATE)).expect("a directory");
    for (path, bytes) in files {
        std::fs::write(directory.join(path), bytes).expect("a file");
    }
}

/// Stops every scenario at every step, and passes every possible state of the disk to `check`, or only one of each
/// `stride` states, with a different first state at each step. Returns the number of steps.
pub fn for_each_crash(stride: usize, mut check: impl FnMut(&SimStorage, &Acknowledged, &str)) -> usize {
    let mut points = 0;
    for (name, disk, scenario) in SCENARIOS {
        let undisturbed = disk();
        let acknowledged = RefCell::new(Acknowledged::default());
        scenario(&undisturbed, &acknowledged).unwrap_or_else(|| panic!("{name}: fails without a crash"));
        for step in 0..undisturbed.steps() {
            let crashing = disk().failing(FaultPoint::Step(step), InjectedFault::Crash);
            let acknowledged = RefCell::new(Acknowledged::default());
            // The result is irrelevant: a sidecar that cannot be written is no error.
            let _ = scenario(&crashing, &acknowledged);
            assert!(crashing.crashed(), "{name}: step {step}");
            points += 1;
            for (position, state) in crashing.after_crash().into_iter().enumerate() {
                if (position + step) % stride == 0 {
                    check(&state, &acknowledged.borrow(), &format!("{name}, stopped at step {step}"));
                }
            }
        }
    }
    points
}

/// Fails at every step of every scenario with an error of the disk, of each kind, and passes the state of the disk, as
/// the running system sees it, to `check`. A failed sync leaves a marker.
pub fn for_each_failure(mut check: impl FnMut(&SimStorage, &str)) {
    for (name, disk, scenario) in SCENARIOS {
        let undisturbed = disk();
        let _ = scenario(&undisturbed, &RefCell::default());
        for step in 0..undisturbed.steps() {
            for fault in [InjectedFault::Eio, InjectedFault::Full, InjectedFault::Short] {
                let failing = disk().failing(FaultPoint::Step(step), fault);
                let _ = scenario(&failing, &RefCell::default());
                failing.mended();
                check(&failing, &format!("{name}, {fault:?} at step {step}"));
            }
        }
    }
}
