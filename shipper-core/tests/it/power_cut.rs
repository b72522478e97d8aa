//! The real programs run on a mounted file system that forgets what was not synced, and the power fails at any operation.
//! In every state that may be left, what they acknowledged is in the log, the gate authorizes nothing new, and the next
//! program continues. Otherwise a gate could forget a failure, or a permission that a publish relies on.

use std::any::Any;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use shipper_core::state_dir::create_state_directory;
use shipper_testkit::crash_scenarios::STATE;
use shipper_testkit::forgetful::{CutRun, Lie, PowerCut, Tree, Volume, can_mount};
use shipper_testkit::settings::{print_figure, scaled};

use crate::program_cases::{ALL, APPEND, FAILURE, GATE, ProgramCase, REHEARSAL, REPAIR};

/// The volume on which a case begins.
fn prepared(case: &ProgramCase) -> Volume {
    Volume::from(&Tree::read((case.prepare)().path(), STATE))
}

/// Runs the program of a case until the power fails at an operation, or to its end.
fn run(case: &ProgramCase, volume: &Volume, at: Option<usize>, lie: Option<Lie>) -> CutRun {
    PowerCut { input: case.input, at, lie, ..PowerCut::default() }.run(volume, |mounted| {
        let state = mounted.join(STATE);
        let mut command = Command::new(case.program());
        command.args(case.args.iter().map(|arg| arg.replace("DIR", state.to_str().expect("UTF-8"))));
        command
    })
}

/// The note in a lock file is never synced and never read by a program that gets the lock.
fn is_lock(path: &Utf8Path) -> bool {
    matches!(path.extension(), Some("lock" | "work"))
}

/// Checks a tree that was left: see [`ProgramCase::check`].
fn check(case: &ProgramCase, stdout: &str, left: &Tree) {
    let directory = tempfile::tempdir().expect("a directory");
    left.write(directory.path());
    let state = directory.path().join(STATE);
    create_state_directory(&Utf8PathBuf::try_from(state.clone()).expect("UTF-8")).expect("as the programs do");
    (case.check)(&state, stdout);
}

/// Returns the trees that may be left. A small run takes three of them: without any unsynced change, with all, and
/// another one.
fn chosen(volume: &Volume, number: usize) -> BTreeSet<Tree> {
    let survivors = volume.survivors(is_lock);
    let last = survivors.count() - 1;
    let small = [0, number * 31 % (last + 1), last];
    scaled(small.to_vec(), (0..=last).collect()).into_iter().map(|position| survivors.nth(position)).collect()
}

/// The power fails at every operation of a case, and after its end. Returns the number of cuts and of checked trees.
fn sweep(case: &ProgramCase, lie: Option<Lie>) -> (usize, usize) {
    let volume = prepared(case);
    let operations = run(case, &volume, None, lie).operations;
    let mut checked = 0;
    for at in 0..=operations {
        let cut = run(case, &volume, Some(at), lie);
        assert_eq!((cut.operations, cut.code.is_none()), (at, at < operations), "{}: {}", case.what, cut.stderr);
        for tree in chosen(&cut.volume, at) {
            check(case, &cut.stdout, &tree);
            checked += 1;
        }
    }
    (operations + 1, checked)
}

fn assert_survives(case: &ProgramCase) {
    if !can_mount() {
        return;
    }
    let (cuts, trees) = sweep(case, None);
    print_figure(&format!(
        "{}: the power failed at {cuts} operations, in {trees} states nothing acknowledged was lost",
        case.what
    ));
    assert!(cuts > 5 && trees > 2 * cuts);
}

#[test]
fn rehearsal_survives_a_power_cut() {
    assert_survives(&REHEARSAL);
}

#[test]
fn repair_survives_a_power_cut() {
    assert_survives(&REPAIR);
}

#[test]
fn failing_rehearsal_survives_a_power_cut() {
    assert_survives(&FAILURE);
}

#[test]
fn gate_survives_a_power_cut() {
    assert_survives(&GATE);
}

#[test]
fn append_survives_a_power_cut() {
    assert_survives(&APPEND);
}

/// A program is killed, or the power fails, at an operation. The next rehearsal continues, and a power cut after its end
/// loses nothing of it, although the first program left names and content that were not synced.
#[test]
fn next_program_continues_and_is_durable() {
    if !can_mount() {
        return;
    }
    let next =
        ProgramCase { args: &["DIR", "--adopt", "--plan-id", "p", "--registry", "r", "a@1.0.0=ok"], ..REHEARSAL };
    let mut continued = 0;
    for case in &ALL {
        let volume = prepared(case);
        let operations = run(case, &volume, None, None).operations;
        for at in (scaled(1, 0)..=operations).step_by(scaled(10, 1)) {
            let stopped = run(case, &volume, Some(at), None).volume;
            let left = chosen(&stopped, at);
            for start in left.iter().step_by(scaled(1, left.len() / 8 + 1)).map(Volume::from).chain([stopped]) {
                let ended = run(&next, &start, None, None);
                assert_eq!(ended.code, Some(0), "{}, stopped at {at}: {}", case.what, ended.stderr);
                let left = ended.volume.forgotten();
                let began_empty = start.live().0.len() <= 1;
                assert!(!began_empty || left.file("state/.gitignore").is_some(), "{}, stopped at {at}", case.what);
                check(&next, &ended.stdout, &left);
                continued += 1;
            }
        }
    }
    print_figure(&format!(
        "the next rehearsal continued after {continued} kills and power cuts, and survived a power cut"
    ));
}

/// Runs a shell script in a mounted directory, and returns the trees that a power cut after it may leave.
fn left_by(script: &str, lie: Option<Lie>) -> Vec<String> {
    let before = Tree([("kept".into(), Some(b"old".to_vec()))].into());
    let run = PowerCut { lie, ..PowerCut::default() }.run(&Volume::from(&before), |mounted| {
        let mut command = Command::new("sh");
        command.args(["-ec", script]).current_dir(mounted);
        command
    });
    assert_eq!(run.code, Some(0), "{script}: {}", run.stderr);
    let shown = |(path, content): (&Utf8PathBuf, &Option<Vec<u8>>)| {
        let content = content.as_ref().map(|content| String::from_utf8_lossy(content).into_owned());
        format!("{path}={}", content.unwrap_or_else(|| "directory".to_owned()))
    };
    let survivors = run.volume.survivors(|_| false);
    let left: BTreeSet<Tree> = (0..survivors.count()).map(|position| survivors.nth(position)).collect();
    left.iter().map(|tree| tree.0.iter().map(shown).collect::<Vec<_>>().join(" ")).collect()
}

/// The file system forgets, so the tests above can fail: without a sync of the file its content is lost, without one of
/// the directory its name. What was synced is kept.
#[test]
fn unsynced_content_and_names_are_lost() {
    if !can_mount() {
        return;
    }
    assert_eq!(left_by("printf new >kept", None), ["kept=", "kept=n", "kept=ne", "kept=new", "kept=old"]);
    assert_eq!(left_by("printf er >>kept", None), ["kept=old", "kept=olde", "kept=older"]);
    assert_eq!(left_by("printf new >kept; sync kept", None), ["kept=new"]);
    assert_eq!(left_by("printf 1 >a; sync a", None), ["a=1 kept=old", "kept=old"]);
    assert_eq!(left_by("printf 1 >a; sync .", None), ["a= kept=old", "a=1 kept=old"]);
    assert_eq!(left_by("printf 1 >a; sync a .", None), ["a=1 kept=old"]);
    assert_eq!(left_by("mv kept moved", None), ["kept=old", "moved=old"]);
    assert_eq!(left_by("mv kept moved; sync .", None), ["moved=old"]);
    assert_eq!(left_by("ln kept second; rm kept", None).len(), 4);
    assert_eq!(left_by("mkdir d; printf 1 >d/a; sync d/a d", None), ["d=directory d/a=1 kept=old", "kept=old"]);
    assert_eq!(left_by("mkdir d; printf 1 >d/a; sync d/a d .", None), ["d=directory d/a=1 kept=old"]);
    let locked = "flock kept sh -c 'if flock -n kept true; then exit 1; fi'";
    assert_eq!(left_by(locked, None), ["kept=old"], "a lock excludes another process");
    assert_eq!(left_by("printf new >kept; sync kept", Some(Lie::FileSyncs)).len(), 5);
    assert_eq!(left_by("mv kept moved; sync .", Some(Lie::DirectorySyncs)).len(), 2);
}

/// The text of a panic.
fn text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or(panic.downcast_ref::<&str>().copied()).unwrap_or_default()
}

/// A disk that acknowledges a sync and makes nothing durable is noticed: the sweep finds the loss.
#[test]
fn loss_on_a_lying_disk_is_noticed() {
    if !can_mount() {
        return;
    }
    for (case, lie) in [
        (REHEARSAL, Lie::FileSyncs),
        (REHEARSAL, Lie::DirectorySyncs),
        (FAILURE, Lie::FileSyncs),
        (GATE, Lie::FileSyncs),
        (APPEND, Lie::FileSyncs),
    ] {
        let volume = prepared(&case);
        let ended = run(&case, &volume, None, Some(lie));
        assert_eq!(ended.code, Some(0), "{}: {}", case.what, ended.stderr);
        let left = ended.volume.forgotten();
        let message = catch_unwind(|| check(&case, &ended.stdout, &left)).expect_err("the loss is not noticed");
        let message = text(&*message);
        assert!(message.contains("an acknowledged event is gone"), "{}: {message}", case.what);
    }
}

/// A program that does not end is killed, and the file system is unmounted although the program uses it.
#[test]
fn endless_program_is_killed() {
    if !can_mount() {
        return;
    }
    let mut directory = None;
    let time_limit = Some(Duration::from_millis(50));
    let ended = catch_unwind(AssertUnwindSafe(|| {
        PowerCut { time_limit, ..PowerCut::default() }.run(&Volume::from(&Tree::default()), |mounted| {
            directory = Some(mounted.to_owned());
            let mut command = Command::new("sleep");
            command.arg("600").current_dir(mounted);
            command
        })
    }));
    let message = ended.err().expect("it takes too long");
    assert!(text(&*message).contains("did not end within 50ms"), "{}", text(&*message));
    let directory = directory.expect("it was mounted");
    let mounts = std::fs::read_to_string("/proc/self/mounts").expect("the mounts");
    assert!(!mounts.contains(directory.to_str().expect("UTF-8")) && !directory.exists(), "{mounts}");
}
