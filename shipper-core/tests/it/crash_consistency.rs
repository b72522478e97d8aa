//! The machine may stop at any instant: at every step of rehearsing, asking, appending, repairing and continuing, every
//! legal state of the disk is tried. In each, no acknowledged event is gone, the log opens or refuses loudly, and
//! nothing is authorized that was not: a gate that forgets a failure in a crash is no gate.

use std::cell::RefCell;
use std::time::Duration;

use camino::Utf8Path;
use shipper_core::audit::{AuditOptions, Conclusion, LogReport, SidecarInput};
use shipper_core::rehearsal::RecordError;
use shipper_core::{GateQuery, RehearsalRecorder, SkipRequest, ask_gate};
use shipper_events::Head;
use shipper_events::write::{LockOptions, LogError, LogWriter, NewEvent, WriterOptions, rotate_log};
use shipper_testkit::log_builder::LogBuilder;
use shipper_testkit::log_builder::audit;
use shipper_testkit::settings::{print_figure, scaled};
use shipper_testkit::sim_storage::{FaultPoint, InjectedFault, SimStorage};

const STATE: &str = "state";
const LOG: &str = "state/events.jsonl";

/// What a scenario was told before the machine stopped.
#[derive(Default)]
struct Told {
    /// The heads of acknowledged appends.
    heads: Vec<Head>,
    /// Whether the plan may not be authorized any more (a failure was acknowledged), or not yet (no completion was
    /// attempted).
    refused: bool,
    /// Whether a permission was given.
    permitted: bool,
    /// Whether the log was moved aside and continued: the heads are then those of another file.
    continued: bool,
}

type Scenario = fn(&SimStorage, &RefCell<Told>) -> Option<()>;

fn query() -> GateQuery {
    GateQuery::new("p".parse().expect("a name"), Some("r".parse().expect("a name")))
}

fn rehearse(disk: &SimStorage, told: &RefCell<Told>, passes: bool) -> Option<()> {
    let state = Utf8Path::new(STATE);
    let mut recorder = RehearsalRecorder::open(disk.clone(), state, LockOptions::default()).ok()?;
    let mut rehearsing = recorder.start("p".parse().ok()?, "r".parse().ok()?, 2).ok()?;
    rehearsing.published("a", "1.0.0", Duration::ZERO).ok()?;
    if passes {
        rehearsing.published("b", "1.0.0", Duration::ZERO).ok()?;
        told.borrow_mut().refused = false;
    } else {
        rehearsing.failed("b", "1.0.0", "permanent", "no").ok()?;
        told.borrow_mut().refused = true;
    }
    let completed = rehearsing.complete(passes, "done").ok()?;
    told.borrow_mut().heads.push(completed.head);
    Some(())
}

fn ask(disk: &SimStorage, told: &RefCell<Told>) -> Option<()> {
    let answer =
        ask_gate(disk.clone(), Utf8Path::new(STATE), &query(), &SkipRequest::default(), None, LockOptions::default())
            .ok()?;
    told.borrow_mut().heads.extend(answer.head());
    told.borrow_mut().permitted |= answer.verdict().may_publish();
    Some(())
}

fn publish(disk: &SimStorage, told: &RefCell<Told>) -> Option<()> {
    let options = WriterOptions::default().repair_torn_tail(true);
    let mut log = LogWriter::open(disk.clone(), Utf8Path::new(LOG), options, ()).ok()?;
    for line in [
        r#"{"event_type":{"type":"plan_created","plan_id":"p","package_count":2},"package":"all"}"#,
        r#"{"event_type":{"type":"package_published"},"package":"a@1.0.0"}"#,
    ] {
        let head = log.append(&[line.parse::<NewEvent>().ok()?]).ok()?;
        told.borrow_mut().heads.push(head);
    }
    Some(())
}

/// A name, the disk that it begins with, and what happens.
type Case = (&'static str, fn() -> SimStorage, Scenario);

const SCENARIOS: &[Case] = &[
    ("rehearse, ask, publish", SimStorage::default, |disk, told| {
        told.borrow_mut().refused = true;
        rehearse(disk, told, true)?;
        ask(disk, told)?;
        publish(disk, told)
    }),
    ("ask before any rehearsal", SimStorage::default, |disk, told| {
        told.borrow_mut().refused = true;
        ask(disk, told)?;
        rehearse(disk, told, false)
    }),
    ("a failure after a pass", passed, |disk, told| {
        rehearse(disk, told, false)?;
        ask(disk, told)
    }),
    ("a torn line in an open rehearsal", torn, |disk, told| {
        // The line may have told of a failure: until the plan is rehearsed again, it counts as one.
        told.borrow_mut().refused = true;
        drop(RehearsalRecorder::open(disk.clone(), Utf8Path::new(STATE), LockOptions::default()).ok()?);
        ask(disk, told)?;
        told.borrow_mut().refused = false;
        rehearse(disk, told, true)?;
        ask(disk, told)
    }),
    ("the same torn bytes twice", torn_twice, |disk, told| {
        told.borrow_mut().refused = true;
        drop(RehearsalRecorder::open(disk.clone(), Utf8Path::new(STATE), LockOptions::default()).ok()?);
        ask(disk, told)
    }),
    ("lines of a tool that does not chain", foreign, |disk, told| {
        ask(disk, told)?;
        publish(disk, told)
    }),
    ("a corrupt log moved aside", corrupt, |disk, told| {
        told.borrow_mut().refused = true;
        let path = Utf8Path::new(LOG);
        told.borrow_mut().continued = true;
        rotate_log(disk.clone(), path, LockOptions::default(), ()).ok()?;
        rehearse(disk, told, true)?;
        ask(disk, told)
    }),
];

fn passed() -> SimStorage {
    let mut log = LogBuilder::chained();
    log.pass("p", "r");
    SimStorage::with(&[(LOG, log.bytes())])
}

fn torn() -> SimStorage {
    let mut log = LogBuilder::chained();
    log.pass("p", "r").start("p", "r", 2).raw(r#"{"seq":4,"prev":"half of a fail"#);
    SimStorage::with(&[(LOG, log.bytes())])
}

/// A tail that was torn and repaired before, and is torn from another rehearsal now.
fn torn_twice() -> SimStorage {
    let tail = b"{\"seq\":";
    let hash = blake3::hash(tail);
    let mut log = LogBuilder::chained();
    log.event(&format!(r#"{{"type":"tail_repaired","bytes":7,"blake3":"{hash}"}}"#));
    log.pass("p", "r").start("p", "r", 2).raw(r#"{"seq":"#);
    SimStorage::with(&[(LOG, log.bytes()), (&format!("{LOG}.torn-{hash}"), tail)])
}

fn foreign() -> SimStorage {
    let mut log = LogBuilder::foreign();
    log.pass("p", "r");
    SimStorage::with(&[(LOG, log.bytes())])
}

fn corrupt() -> SimStorage {
    let mut log = LogBuilder::chained();
    log.pass("p", "r").raw("{\n");
    SimStorage::with(&[(LOG, log.bytes())])
}

/// Whether the log still begins with the bytes of that head.
fn extends(log: &[u8], head: Head) -> bool {
    let length = usize::try_from(head.bytes).expect("small");
    log.get(..length).is_some_and(|prefix| blake3::hash(prefix) == head.blake3)
}

/// Checks one state after a crash.
fn check(state: &SimStorage, told: &Told, what: &str) {
    let log = state.read(LOG);
    let bytes = log.clone().unwrap_or_default();
    if !told.continued {
        for head in &told.heads {
            assert!(extends(&bytes, *head), "{what}: the acknowledged {head} is gone");
        }
    } else if let Some(head) = told.heads.last() {
        assert!(extends(&bytes, *head), "{what}: the acknowledged {head} is gone");
    }
    // The gate does not repair, and must not authorize what was not.
    let answer =
        ask_gate(state.clone(), Utf8Path::new(STATE), &query(), &SkipRequest::default(), None, LockOptions::default());
    let answer = answer.unwrap_or_else(|error| panic!("{what}: {error:?}"));
    assert!(!(told.refused && answer.verdict().may_publish()), "{what}: authorized after a crash");
    // A rehearsing writer opens the log, or refuses it loudly and leaves it as it is.
    let before = state.read(LOG).unwrap_or_default();
    match RehearsalRecorder::open(state.clone(), Utf8Path::new(STATE), LockOptions::default()) {
        Ok(recorder) => drop(recorder),
        Err(RecordError::Log(LogError::Corrupt { .. })) => assert_eq!(state.read(LOG).unwrap_or_default(), before),
        Err(error) => panic!("{what}: {error:?}"),
    }
    let after = state.read(LOG).unwrap_or_default();
    let audited = audit(&after, SidecarInput::NotRequested, &AuditOptions::default()).expect("no line is demanded");
    assert!(audited.tail == shipper_core::audit::TailStatus::Clean, "{what}");
    let _: Conclusion = LogReport::audited("log", audited).conclusion;
}

/// (Pass) Every scenario, stopped at every step, in every state that the disk may then be in; a small run tries a quarter
/// of the states.
#[test]
fn no_crash_loses_an_event_or_authorizes_a_plan() {
    let (mut points, mut states) = (0, 0);
    for (name, disk, scenario) in SCENARIOS {
        let whole = disk();
        let told = RefCell::new(Told::default());
        scenario(&whole, &told).unwrap_or_else(|| panic!("{name}: fails without a crash"));
        for step in 0..whole.steps() {
            let crashing = disk().failing(FaultPoint::Step(step), InjectedFault::Crash);
            let told = RefCell::new(Told::default());
            // Its end says nothing: that the sidecar cannot be written is no error.
            let _ = scenario(&crashing, &told);
            assert!(crashing.crashed(), "{name}: step {step}");
            points += 1;
            for (position, state) in crashing.after_crash().into_iter().enumerate() {
                // A small run tries every fourth state, beginning with another one at each step.
                if (position + step) % scaled(4, 1) != 0 {
                    continue;
                }
                check(&state, &told.borrow(), &format!("{name}, stopped at step {step}"));
                states += 1;
            }
        }
    }
    print_figure(&format!(
        "{} scenarios stopped at {points} points: {states} states of the disk, no acknowledged event gone, nothing \
         authorized that was not",
        SCENARIOS.len()
    ));
}
