//! The machine may stop at any step, with any legal state of the disk. Then every acknowledged event is in the log, the
//! log opens or is refused with an error, and no new plan is authorized: a gate must not forget a failure in a crash.

use std::cell::RefCell;
use std::time::Duration;

use camino::Utf8Path;
use shipper_core::audit::{AuditOptions, Conclusion, LogReport, SidecarInput};
use shipper_core::rehearsal::RecordError;
use shipper_core::state_dir::StateOptions;
use shipper_core::{GateQuery, RehearsalRecorder, SkipRequest, ask_gate};
use shipper_events::Head;
use shipper_events::write::{LockOptions, LogError, LogWriter, NewEvent, WriterOptions, rotate_log};
use shipper_testkit::log_builder::LogBuilder;
use shipper_testkit::log_builder::audit;
use shipper_testkit::settings::{print_figure, scaled};
use shipper_testkit::sim_storage::{FaultPoint, InjectedFault, SimStorage};

const STATE: &str = "state";
const LOG: &str = "state/events.jsonl";

/// The acknowledged results of a scenario before the machine stops.
#[derive(Default)]
struct Acknowledged {
    /// The heads of acknowledged appends.
    heads: Vec<Head>,
    /// `true` if the plan must not be authorized: a failure was acknowledged, or no completion was attempted.
    refused: bool,
    /// `true` if the gate gave a permission.
    permitted: bool,
    /// `true` if the log was moved aside and continued: then the heads belong to another file.
    continued: bool,
}

/// Options that adopt the lines of a tool that does not chain.
fn adopting() -> StateOptions {
    StateOptions::default().adopt_unchained(true)
}

type Scenario = fn(&SimStorage, &RefCell<Acknowledged>) -> Option<()>;

fn query() -> GateQuery {
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
type Case = (&'static str, fn() -> SimStorage, Scenario);

const SCENARIOS: &[Case] = &[
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
    let mut log = LogBuilder::foreign();
    log.pass("p", "r");
    SimStorage::with(&[(LOG, log.bytes())])
}

fn corrupt() -> SimStorage {
    let mut log = LogBuilder::chained();
    log.pass("p", "r").raw("{\n");
    SimStorage::with(&[(LOG, log.bytes())])
}

/// Returns `true` if the log begins with the bytes of this head.
fn extends(log: &[u8], head: Head) -> bool {
    let length = usize::try_from(head.bytes).expect("small");
    log.get(..length).is_some_and(|prefix| blake3::hash(prefix) == head.blake3)
}

/// Checks one state after a crash.
fn check(state: &SimStorage, acknowledged: &Acknowledged, what: &str) {
    let log = state.read(LOG);
    let bytes = log.clone().unwrap_or_default();
    if !acknowledged.continued {
        for head in &acknowledged.heads {
            assert!(extends(&bytes, *head), "{what}: the acknowledged {head} is gone");
        }
    } else if let Some(head) = acknowledged.heads.last() {
        assert!(extends(&bytes, *head), "{what}: the acknowledged {head} is gone");
    }
    // The gate does not repair, and must not authorize anything new.
    let answer = ask_gate(state.clone(), Utf8Path::new(STATE), &query(), &SkipRequest::default(), None, adopting());
    let answer = answer.unwrap_or_else(|error| panic!("{what}: {error:?}"));
    assert!(!(acknowledged.refused && answer.verdict().may_publish()), "{what}: authorized after a crash");
    // A rehearsing writer opens the log, or refuses it with an error and leaves it unchanged.
    let before = state.read(LOG).unwrap_or_default();
    match RehearsalRecorder::open(state.clone(), Utf8Path::new(STATE), adopting()) {
        Ok(recorder) => drop(recorder),
        Err(RecordError::Log(LogError::Corrupt { .. })) => assert_eq!(state.read(LOG).unwrap_or_default(), before),
        Err(error) => panic!("{what}: {error:?}"),
    }
    let after = state.read(LOG).unwrap_or_default();
    let audited = audit(&after, SidecarInput::NotRequested, &AuditOptions::default()).expect("no line is demanded");
    assert!(audited.tail == shipper_core::audit::TailStatus::Clean, "{what}");
    let _: Conclusion = LogReport::audited("log", audited).conclusion;
}

/// Every scenario is stopped at every step, in every possible state of the disk. A small run tries a quarter of the
/// states.
#[test]
fn no_crash_loses_an_event_or_authorizes_a_plan() {
    let (mut points, mut states) = (0, 0);
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
                // A small run tries every fourth state, with a different first state at each step.
                if (position + step) % scaled(4, 1) != 0 {
                    continue;
                }
                check(&state, &acknowledged.borrow(), &format!("{name}, stopped at step {step}"));
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
