//! Only bytes that were built in the passed rehearsal of the plan reach the live registry, with a hostile build script,
//! hostile registries and a moving clock. If another program changes a package between its comparison and its upload, an
//! audit of the log is not verified.

use std::cell::Cell;

use camino::Utf8Path;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use shipper_core::audit::{AuditOptions, Conclusion, LogAudit, SidecarInput};
use shipper_core::release::{CancelToken, PublishError, publish, rehearse};
use shipper_testkit::adversary::{Adversary, BuildTrick, ClockTrick, LookupTrick, NAMES, Source, UploadTrick, World};
use shipper_testkit::crash_scenarios::{LOG, STATE};
use shipper_testkit::fake_publisher::{LIMITS, publish_options, rehearse_options};
use shipper_testkit::log_builder::audit;
use shipper_testkit::settings::{print_figure, proptest_config};

/// An action of the user of a release tool.
#[derive(Debug, Clone, Copy)]
enum Action {
    Edit { package: usize, source: Source },
    Rehearse,
    Publish,
}

/// Rehearses the workspace. Returns `true` if the rehearsal passed.
fn rehearse_world(world: &mut World) -> bool {
    let (plan, disk) = (world.read(), world.disk.clone());
    let mut options = rehearse_options(false);
    options.limits = world.limits;
    let done = rehearse(disk, Utf8Path::new(STATE), &plan, &options, world, &CancelToken::default(), &mut ());
    let passed = done.expect("it is recorded").receipt.is_valid_evidence();
    world.rehearsal_ended(passed);
    passed
}

/// Publishes the workspace. Returns `true` if every package was published or skipped.
fn publish_world(world: &mut World) -> bool {
    let (plan, disk) = (world.read(), world.disk.clone());
    let mut options = publish_options(false);
    options.limits = world.limits;
    match publish(disk, Utf8Path::new(STATE), &plan, &options, world, &CancelToken::default(), &mut ()) {
        Ok(outcome) => outcome.failure.is_none(),
        Err(PublishError::Refused(_)) => false,
        Err(error) => panic!("{error}"),
    }
}

fn act(world: &mut World, action: Action) {
    match action {
        Action::Edit { package, source } => world.source[package] = source,
        Action::Rehearse => drop(rehearse_world(world)),
        Action::Publish => drop(publish_world(world)),
    }
}

fn audited(world: &World) -> LogAudit {
    let log = world.disk.read(LOG).unwrap_or_default();
    audit(&log, SidecarInput::NotRequested, &AuditOptions::default()).expect("no line is demanded")
}

/// The hostile parts of a world.
#[derive(Debug, Clone, Copy)]
struct Powers {
    build_script: bool,
    registry: bool,
    clock: bool,
    /// Another program on the machine.
    program: bool,
}

/// Returns effects of which most are none.
fn tricks<T: Clone + std::fmt::Debug + 'static>(
    none: T,
    others: Vec<T>,
    enabled: bool,
) -> impl Strategy<Value = std::collections::VecDeque<T>> {
    let trick = prop_oneof![4 => Just(none), 1 => prop::sample::select(others)];
    prop::collection::vec_deque(trick, if enabled { 0..16 } else { 0..1 })
}

fn adversary(powers: Powers) -> impl Strategy<Value = Adversary> {
    use UploadTrick::{
        ChangedBetween, Drops, KeepsOther, LosesAnswer, LosesUpload, NotBegun, NotBegunAndOvertaken, Overtaken,
        RateLimited, ShowsLate,
    };
    let builds = vec![
        BuildTrick::ChangesPackage,
        BuildTrick::ChangesWorkspace,
        BuildTrick::ChangesLater,
        BuildTrick::ChangesPack,
        BuildTrick::Fails,
    ];
    let of_registry = [
        NotBegun,
        NotBegunAndOvertaken,
        KeepsOther,
        Drops,
        LosesAnswer,
        LosesUpload,
        Overtaken,
        ShowsLate(1),
        ShowsLate(200),
        RateLimited,
    ];
    let with_program = if powers.program { &[ChangedBetween; 10][..] } else { &[] };
    let uploads = [&of_registry[..], with_program].concat();
    let lookups = vec![
        LookupTrick::Unanswered,
        LookupTrick::Refused,
        LookupTrick::Absent,
        LookupTrick::Other,
        LookupTrick::Planned,
        LookupTrick::Planned,
    ];
    let clock = vec![
        ClockTrick::Jumps(0),
        ClockTrick::Jumps(250_000_000_000),
        ClockTrick::Jumps(1_800_000_000),
        ClockTrick::GoesBack(1),
        ClockTrick::GoesBack(86_400),
    ];
    (
        tricks(BuildTrick::None, builds, powers.build_script),
        tricks(UploadTrick::None, of_registry.to_vec(), powers.registry),
        tricks(UploadTrick::None, uploads, powers.registry),
        tricks(LookupTrick::None, lookups, powers.registry),
        tricks(ClockTrick::None, clock, powers.clock),
    )
        .prop_map(|(builds, rehearsal_uploads, uploads, lookups, clock)| Adversary {
            builds,
            rehearsal_uploads,
            uploads,
            lookups,
            clock,
        })
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    let source = (1..3_u8, 1..3_u8).prop_map(|(byte, version)| Source { byte, version });
    let edit = (0..NAMES.len(), source).prop_map(|(package, source)| Action::Edit { package, source });
    let one = |action: Action| Just(vec![action]);
    let release = Just(vec![Action::Rehearse, Action::Publish]);
    let some = prop_oneof![
        1 => edit.prop_map(|edit| vec![edit]),
        1 => one(Action::Rehearse),
        2 => one(Action::Publish),
        3 => release,
    ];
    prop::collection::vec(some, 1..5).prop_map(|actions| actions.concat())
}

/// Checks generated worlds. Returns the number of uploads, of uploads of other bytes, and of verified logs with uploads.
fn check(powers: Powers, cases: u32) -> (usize, usize, usize) {
    let config = ProptestConfig { source_file: Some(file!()), ..proptest_config(cases) };
    let (uploads, unlawful, verified) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let checked = TestRunner::new(config).run(&(adversary(powers), actions()), |(adversary, actions)| {
        let mut world = World::new(adversary);
        if powers.registry {
            // A registry may never show a package.
            world.limits = LIMITS;
        }
        for action in actions {
            act(&mut world, action);
        }
        let audited = audited(&world);
        let is_verified = audited.conclusion() == Conclusion::Verified;
        prop_assert!(world.unlawful.is_empty() || !is_verified, "verified in spite of {:?}", world.unlawful);
        prop_assert!(powers.program || world.unlawful.is_empty(), "{:?}", world.unlawful);
        uploads.set(uploads.get() + world.uploads);
        unlawful.set(unlawful.get() + world.unlawful.len());
        verified.set(verified.get() + usize::from(is_verified && world.uploads > 0));
        Ok(())
    });
    checked.unwrap_or_else(|error| panic!("{powers:?}: {error}"));
    (uploads.get(), unlawful.get(), verified.get())
}

/// No build script and no clock makes the live registry get bytes that were not built in the rehearsal.
#[test]
fn build_scripts_and_clocks_change_no_upload() {
    let (uploads, unlawful, verified) =
        check(Powers { build_script: true, registry: false, clock: true, program: false }, 80);
    print_figure(&format!(
        "hostile build script and clock: {uploads} uploads, all rehearsed, in {verified} verified logs"
    ));
    assert!(unlawful == 0 && verified > 5);
}

/// Registries that show other content, drop uploads, answer late or not at all, and show the content of the plan without
/// having it, do not either.
#[test]
fn hostile_registries_change_no_upload() {
    let (uploads, unlawful, verified) =
        check(Powers { build_script: true, registry: true, clock: true, program: false }, 80);
    print_figure(&format!(
        "hostile build script, registries and clock: {uploads} uploads, all rehearsed, in {verified} verified logs"
    ));
    assert!(unlawful == 0 && verified > 5);
}

/// A program that changes a package between its comparison with the plan and its upload leaves no verified log, also if
/// the live registry shows the content of the plan.
#[test]
fn changed_upload_is_not_verified() {
    let (uploads, unlawful, verified) =
        check(Powers { build_script: false, registry: true, clock: true, program: true }, 80);
    print_figure(&format!(
        "hostile program: {uploads} uploads, {unlawful} of them changed, none in {verified} verified logs"
    ));
    assert!(unlawful > 0 && verified > 5);
}

/// No clock changes an upload, an answer of the gate, or the conclusion of an audit.
#[test]
fn moving_clock_changes_no_answer() {
    let config = ProptestConfig { source_file: Some(file!()), ..proptest_config(30) };
    let powers = Powers { build_script: true, registry: false, clock: true, program: false };
    let checked = TestRunner::new(config).run(&(adversary(powers), actions()), |(adversary, actions)| {
        let still = Adversary { clock: [].into(), ..adversary.clone() };
        let [moving, still] = [adversary, still].map(|adversary| {
            let mut world = World::new(adversary);
            actions.iter().for_each(|action| act(&mut world, *action));
            let audited = audited(&world);
            let verdicts = audited.decisions.iter().map(|one| one.recorded.as_ref().map(|one| one.verdict.clone()));
            (world.uploads, verdicts.collect::<Vec<_>>(), audited.conclusion())
        });
        prop_assert_eq!(moving, still);
        Ok(())
    });
    checked.unwrap_or_else(|error| panic!("{error}"));
}

/// A package that another publisher uploaded after a failed attempt is built in the rehearsal.
#[test]
fn package_of_another_publisher_is_built() {
    let rehearsal_uploads = [UploadTrick::NotBegunAndOvertaken].into();
    let mut world = World::new(Adversary { rehearsal_uploads, ..Adversary::default() });
    assert!(rehearse_world(&mut world));
    assert!(publish_world(&mut world));
    assert_eq!((world.uploads, world.unlawful.as_slice()), (2, &[][..]));
    let builds = [BuildTrick::Fails].into();
    let rehearsal_uploads = [UploadTrick::NotBegunAndOvertaken].into();
    let mut world = World::new(Adversary { builds, rehearsal_uploads, ..Adversary::default() });
    assert!(!rehearse_world(&mut world), "it does not build");
}

/// A changed upload is recorded also if the registry shows the content of the plan.
#[test]
fn changed_upload_is_recorded_although_the_registry_hides_it() {
    let mut world = World::new(Adversary::default());
    assert!(rehearse_world(&mut world));
    world.adversary.uploads = [UploadTrick::ChangedBetween].into();
    world.adversary.lookups = [LookupTrick::None, LookupTrick::Planned].into();
    assert!(!publish_world(&mut world));
    assert_eq!((world.uploads, world.unlawful.len()), (1, 1));
    let audited = audited(&world);
    assert_eq!(audited.conclusion(), Conclusion::Violated, "{:?}", audited.findings);
    assert!(audited.findings.iter().any(|finding| finding.code.as_str() == "published-content-differs"));
}

/// A changed upload whose answer is lost is recorded, unless the registry hides it. The next publish uploads nothing.
#[test]
fn changed_upload_with_a_lost_answer_is_recorded() {
    let mut world = World::new(Adversary::default());
    assert!(rehearse_world(&mut world));
    world.adversary.uploads = [UploadTrick::ChangedAndLost].into();
    assert!(!publish_world(&mut world) && !publish_world(&mut world));
    assert_eq!((world.uploads, world.unlawful.len()), (1, 1));
    let audited = audited(&world);
    assert_eq!(audited.conclusion(), Conclusion::Violated, "{:?}", audited.findings);
}
