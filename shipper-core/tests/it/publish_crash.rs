//! A publish that stops at any step goes on by itself in the next publish of the same plan, also if the crash cut the last
//! line of the log. It uploads each package once, and the log is verified.

use std::collections::{BTreeSet, HashMap};

use camino::Utf8Path;
use shipper_core::audit::{AuditOptions, Conclusion, SidecarInput, TailStatus};
use shipper_core::release::{CancelToken, PublishError, publish, rehearse};
use shipper_core::state_dir::StateOptions;
use shipper_testkit::crash_scenarios::{DiskFiles, LOG, STATE, disk_files, disk_with};
use shipper_testkit::fake_publisher::{FakePublisher, PATIENT, plan, publish_options, rehearse_options};
use shipper_testkit::log_builder::audit;
use shipper_testkit::settings::{print_figure, scaled};
use shipper_testkit::sim_storage::{FaultPoint, InjectedFault, SimStorage};

/// The registries, which a crash of the machine does not change.
#[derive(Clone, Default)]
struct Registries {
    published: HashMap<(String, String), blake3::Hash>,
    /// The number of uploads to the live registry.
    uploads: usize,
}

/// Publishes the plan in a new process. Returns `true` if every package was published or skipped.
fn publish_on(disk: &SimStorage, registries: &mut Registries) -> Result<bool, PublishError> {
    let mut publisher = FakePublisher::new(None);
    publisher.published = std::mem::take(&mut registries.published);
    let mut options = publish_options(false);
    options.limits = PATIENT;
    options.state = StateOptions::default().repair_torn_tail(true);
    let (state, cancel) = (Utf8Path::new(STATE), CancelToken::default());
    let done = publish(disk.clone(), state, &plan(1, 1), &options, &mut publisher, &cancel, &mut ());
    registries.published = publisher.published;
    registries.uploads += publisher.reached;
    done.map(|outcome| outcome.failure.is_none())
}

/// Returns the files and the registries after a passed rehearsal.
fn rehearsed() -> (DiskFiles, Registries) {
    let (disk, mut publisher) = (SimStorage::default(), FakePublisher::new(None));
    let (state, cancel) = (Utf8Path::new(STATE), CancelToken::default());
    let mut options = rehearse_options(false);
    options.limits = PATIENT;
    let done = rehearse(disk.clone(), state, &plan(1, 1), &options, &mut publisher, &cancel, &mut ());
    assert!(done.expect("it is recorded").receipt.is_valid_evidence());
    (disk_files(&disk), Registries { published: publisher.published, uploads: 0 })
}

/// Stops a publish of these files at a step. Returns the disk at that moment and the registries, or `None` if the publish
/// has fewer steps.
fn stopped_at(step: usize, files: &DiskFiles, registries: &Registries) -> Option<(SimStorage, Registries)> {
    let (disk, mut registries) =
        (disk_with(files).failing(FaultPoint::Step(step), InjectedFault::Crash), registries.clone());
    // The error of a process on a stopped machine is irrelevant.
    let _ = publish_on(&disk, &mut registries);
    disk.crashed().then_some((disk, registries))
}

/// Publishes again, and checks the end. Returns `true` if the last line was cut.
fn assert_goes_on(disk: &SimStorage, registries: &Registries, what: &str) -> bool {
    let before = disk.read(LOG).expect("the log");
    let mut registries = registries.clone();
    let ended = publish_on(disk, &mut registries);
    assert!(ended.as_ref().is_ok_and(|succeeded| *succeeded), "{what}: {ended:?}");
    assert_eq!(registries.uploads, 3, "{what}: each package is uploaded once");
    let log = disk.read(LOG).expect("the log");
    let audited = audit(&log, SidecarInput::NotRequested, &AuditOptions::default()).expect("no line is demanded");
    assert_eq!(audited.conclusion(), Conclusion::Verified, "{what}: {:#?}", audited.findings);
    assert!(audited.tail == TailStatus::Clean, "{what}");
    let run = audited.decisions.iter().flat_map(|decision| &decision.runs).last().expect("a run");
    assert_eq!((run.finished.as_deref(), run.published + run.skipped), (Some("success"), 3), "{what}");
    !before.ends_with(b"\n")
}

/// A publish is stopped at every step of its storage, with every possible state of the disk, of which a small run tries
/// at least one: unsynced bytes are cut anywhere.
#[test]
fn publish_goes_on_after_a_crash_at_any_step() {
    let (files, registries) = rehearsed();
    let (stride, mut states, mut cut, mut uploads) = (scaled(211, 1), 0, 0, BTreeSet::new());
    let mut step = 0;
    while let Some((disk, registries)) = stopped_at(step, &files, &registries) {
        uploads.insert(registries.uploads);
        let possible = disk.after_crash();
        let last = possible.len() - 1;
        for (position, state) in possible.into_iter().enumerate() {
            // The last state has all unsynced bytes.
            if position == last || (position + step) % stride == 0 {
                let what = format!("stopped at step {step}, state {position}");
                cut += usize::from(assert_goes_on(&state, &registries, &what));
                states += 1;
            }
        }
        step += 1;
    }
    assert_eq!(uploads, BTreeSet::from([0, 1, 2, 3]), "it was stopped before and after each upload");
    assert!(step > 100 && cut > 30, "{step} steps, {cut} cut lines");
    print_figure(&format!(
        "a publish was stopped at {step} steps: it went on from {states} states of the disk, {cut} with a cut line"
    ));
}

/// The publish that repairs a cut line is stopped too, at every step, and the next one goes on.
#[test]
fn publish_goes_on_after_a_crash_during_a_repair() {
    let (files, registries) = rehearsed();
    let whole = disk_with(&files);
    publish_on(&whole, &mut registries.clone()).expect("it ends");
    // Half of each line of the publish, in a small run of some.
    let (begun, log) = (files[Utf8Path::new(LOG)].len(), whole.read(LOG).expect("the log"));
    let ends: Vec<usize> = (begun..log.len()).filter(|at| log[*at] == b'\n').collect();
    let (mut stops, mut states) = (0, 0);
    for (number, line) in ends.windows(2).enumerate().filter(|(number, _)| number % scaled(12, 1) == 0) {
        let cut = (line[0] + line[1]) / 2;
        // The registries after the whole lines before the cut one.
        let whole_lines = &log[..=line[0]];
        let uploaded = String::from_utf8_lossy(whole_lines).matches("\"package_uploaded\"").count();
        let mut registries = registries.clone();
        registries.uploads = uploaded;
        for package in &plan(1, 1).packages()[..uploaded] {
            registries.published.insert(("live".to_owned(), package.id()), package.content());
        }
        let mut files = files.clone();
        files.insert(LOG.into(), log[..cut].to_vec());
        let mut step = 0;
        while let Some((disk, registries)) = stopped_at(step, &files, &registries) {
            stops += 1;
            let possible = disk.after_crash();
            let chosen = (step + number) % possible.len();
            let what = format!("line {number} cut, repair stopped at step {step}, state {chosen}");
            assert_goes_on(&possible[chosen], &registries, &what);
            states += 1;
            step += scaled(11, 1);
        }
    }
    assert!(stops > 30, "{stops}");
    print_figure(&format!(
        "a publish that repairs a cut line was stopped at {stops} steps, and went on from {states} states"
    ));
}
