//! The real `shipper-release publish` is killed when it has written an event, before the event is durable, or the power
//! fails at an operation on its state directory. The next publish goes on by itself, also after the last line was cut,
//! uploads each package once, and leaves a verified log.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use shipper_core::audit::Conclusion;
use shipper_testkit::forgetful::{CutRun, PowerCut, Tree, Volume, can_mount};
use shipper_testkit::program::installed;
use shipper_testkit::registry::CommandResult;
use shipper_testkit::release_fixture::ReleaseFixture;
use shipper_testkit::settings::{print_figure, scaled};

/// Returns the same command under `strace` with these options.
fn traced(command: &Command, options: &[&str]) -> Command {
    let mut traced = Command::new("strace");
    traced.args(["-qq", "-e", "signal=none", "-e", "trace=fsync,fdatasync"]).args(options);
    traced.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => traced.env(name, value),
            None => traced.env_remove(name),
        };
    }
    traced
}

/// Removes everything that the live registry and the log got since the rehearsal.
fn restore(fixture: &ReleaseFixture, log: &[u8]) {
    fixture.live.wipe();
    let directory = fixture.root.join(".shipper");
    for entry in std::fs::read_dir(&directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.to_string_lossy().contains("events.jsonl.") {
            std::fs::remove_file(path).expect("removed");
        }
    }
    std::fs::write(fixture.log(), log).expect("the log");
}

/// Returns the syncs of a publish, in order, each with its number among those of its name.
fn syncs(trace: &Path) -> Vec<(String, usize)> {
    let (trace, mut counts) = (std::fs::read_to_string(trace).expect("a trace"), BTreeMap::new());
    let names = trace.lines().filter_map(|line| Some(line.split_once('(')?.0.to_owned()));
    let numbered = names.map(|name| {
        let count = counts.entry(name.clone()).or_insert(0);
        *count += 1;
        (name, *count)
    });
    numbered.collect()
}

/// Kills at every fourth sync, in the full run at every one. After every second kill, the end of the last line is removed, as
/// a crash of the machine may do.
#[test]
#[ignore = "it takes half a minute; .ci/run runs it"]
fn killed_publish_goes_on() {
    if !installed(&["strace"]) {
        return;
    }
    let fixture = ReleaseFixture::create();
    fixture.rehearse(&[]).expect_success();
    let log = std::fs::read(fixture.log()).expect("the log");
    let command = || fixture.command("publish", &["--rehearsal-registry", "rehearsal"]);
    let trace = fixture.sandbox.path("trace");
    CommandResult::run(&mut traced(&command(), &["-o", trace.to_str().expect("UTF-8")])).expect_success();
    let syncs = syncs(&trace);
    let (mut kills, mut cut) = (0, 0);
    for (name, number) in syncs.iter().skip(1).step_by(scaled(4, 1)) {
        restore(&fixture, &log);
        let before = fixture.live.uploads().len();
        let inject = format!("inject={name}:signal=SIGKILL:when={number}");
        let killed = CommandResult::run(&mut traced(&command(), &["-o", "/dev/null", "-e", &inject]));
        assert_eq!(killed.code, None, "{name} {number}: {}", killed.output);
        kills += 1;
        let written = std::fs::read(fixture.log()).expect("the log");
        if kills % 2 == 0 && written.len() > log.len() + 20 {
            std::fs::write(fixture.log(), &written[..written.len() - 20]).expect("the log");
            cut += 1;
        }
        fixture.publish(&[]).expect_success();
        let uploads = fixture.live.uploads().split_off(before);
        let names: Vec<&str> = uploads.iter().map(|upload| upload.name.as_str()).collect();
        assert_eq!(names, ["a", "b", "c"], "{name} {number}: each package is uploaded once");
        fixture.assert_conclusion(Conclusion::Verified);
    }
    print_figure(&format!(
        "publish with cargo was killed at {kills} of {} syncs, and went on, {cut} times after a cut line",
        syncs.len()
    ));
    assert!(kills > 3 && cut > 1);
}

/// Publishes with a state directory on this volume, until the power fails at an operation, or to the end.
fn publish_on(fixture: &ReleaseFixture, volume: &Volume, at: Option<usize>) -> CutRun {
    let state = fixture.root.join(".shipper");
    let run = PowerCut { at, ..PowerCut::default() }.run(volume, |mounted| {
        std::os::unix::fs::symlink(mounted.join("state"), &state).expect("a link");
        fixture.command("publish", &["--rehearsal-registry", "rehearsal"])
    });
    std::fs::remove_file(state).expect("a link");
    run
}

/// The power fails at every seventh operation, in the full run at every one. What was not synced is lost, or a part of it.
#[test]
#[ignore = "it takes half a minute; .ci/run runs it"]
fn publish_goes_on_after_a_power_cut() {
    if !can_mount() {
        return;
    }
    let fixture = ReleaseFixture::create();
    fixture.rehearse(&[]).expect_success();
    let state = fixture.root.join(".shipper");
    let rehearsed = Volume::from(&Tree::read(&state, "state"));
    std::fs::remove_dir_all(&state).expect("removed");
    let whole = publish_on(&fixture, &rehearsed, None);
    assert_eq!(whole.code, Some(0), "{}", whole.stderr);
    let (mut cuts, mut torn) = (0, 0);
    for at in (0..=whole.operations).step_by(scaled(7, 1)) {
        fixture.live.wipe();
        let before = fixture.live.uploads().len();
        let cut = publish_on(&fixture, &rehearsed, Some(at));
        assert_eq!((cut.operations, cut.code.is_none()), (at, at < whole.operations), "{}", cut.stderr);
        let survivors = cut.volume.survivors(|path| matches!(path.extension(), Some("lock" | "work")));
        let left = survivors.nth(cuts * 101 % survivors.count());
        torn += usize::from(!left.file("state/events.jsonl").expect("the log").ends_with(b"\n"));
        left.write(&fixture.root);
        std::fs::rename(fixture.root.join("state"), &state).expect("renamed");
        fixture.publish(&[]).expect_success();
        let uploads = fixture.live.uploads().split_off(before);
        let names: Vec<&str> = uploads.iter().map(|upload| upload.name.as_str()).collect();
        assert_eq!(names, ["a", "b", "c"], "operation {at}: each package is uploaded once");
        fixture.assert_conclusion(Conclusion::Verified);
        std::fs::remove_dir_all(&state).expect("removed");
        cuts += 1;
    }
    print_figure(&format!(
        "publish with cargo went on after {cuts} power cuts at {} operations, {torn} times after a cut line",
        whole.operations
    ));
    assert!(cuts > 3 && torn > 1);
}
