//! Every fault during a write is an error, and only durable events are acknowledged: a caller relies on every head and
//! permission that it gets.

use std::error::Error;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use shipper_core::gate::{AskGateError, SidecarUpdate};
use shipper_core::rehearsal::{RecordError, RunLockError};
use shipper_core::sidecar::write_sidecar;
use shipper_core::{GateAnswer, GateProjection, GateQuery, RefusalCode, RehearsalRecorder, SkipRequest, ask_gate};
use shipper_events::write::{
    AppendError, FsStorage, LockOptions, LogError, LogWriter, NewEvent, Storage, WriterOptions, rotate_log,
};
use shipper_testkit::log_builder::LogBuilder;
use shipper_testkit::program::example_program;
use shipper_testkit::sim_storage::{FaultPoint, InjectedFault, SimStorage};

const STATE: &str = "state";
const LOG: &str = "state/events.jsonl";

fn draft() -> NewEvent {
    r#"{"event_type":{"type":"execution_started"},"package":"all"}"#.parse().expect("a draft")
}

fn query() -> GateQuery {
    GateQuery::new("p".parse().expect("a name"), Some("r".parse().expect("a name")))
}

/// Asks the gate about the plan `p`.
fn ask<S: Storage + Clone>(storage: &S, state: impl AsRef<Utf8Path>) -> Result<GateAnswer, AskGateError> {
    let skip = SkipRequest::default();
    ask_gate(storage.clone(), state.as_ref(), &query(), &skip, None, LockOptions::default())
}

/// Returns a state directory, which is removed when the first value drops.
fn temporary_state() -> (tempfile::TempDir, Utf8PathBuf) {
    let directory = tempfile::tempdir().expect("a directory");
    let state = Utf8PathBuf::try_from(directory.path().to_owned()).expect("UTF-8");
    (directory, state)
}

fn passed() -> SimStorage {
    let mut log = LogBuilder::chained();
    log.pass("p", "r");
    SimStorage::with(&[(LOG, log.bytes())])
}

fn open(disk: &SimStorage) -> LogWriter<(), SimStorage> {
    LogWriter::open(disk.clone(), Utf8Path::new(LOG), WriterOptions::default(), ()).expect("it opens")
}

/// If any sync of an append or a decision fails, there is no head and no permission. After a failed sync of the log,
/// the writer is poisoned and does not try again.
#[test]
fn failed_sync_acknowledges_nothing() {
    let disk = passed();
    let mut log = open(&disk);
    let failing = disk.clone().failing(FaultPoint::Sync(2), InjectedFault::Eio);
    let error = log.append(&[draft()]).expect_err("the sync failed");
    assert!(matches!(error, AppendError::DurabilityUnknown { .. }), "{error}");
    failing.mended();
    let error = log.append(&[draft()]).expect_err("the writer is poisoned");
    assert!(matches!(error, AppendError::Poisoned { .. }), "{error}");
    // No other writer appends to bytes whose durability is unknown.
    let asked = ask(&disk, STATE).expect("asked");
    assert!(matches!(asked, GateAnswer::UntrustedLog(_)) && !asked.may_publish());
    assert!(matches!(
        RehearsalRecorder::open(disk.clone(), Utf8Path::new(STATE), LockOptions::default()),
        Err(RecordError::Log(LogError::SyncFailed { .. }))
    ));
    rotate_log(disk.clone(), Utf8Path::new(LOG), LockOptions::default(), ()).expect("continued");
    RehearsalRecorder::open(disk.clone(), Utf8Path::new(STATE), LockOptions::default())
        .map(drop)
        .expect("a new rehearsal");
    for sync in 0..8 {
        let disk = passed().failing(FaultPoint::Sync(sync), InjectedFault::Eio);
        let answer = ask(&disk, STATE);
        match answer {
            // The first three syncs belong to the opening and the decision. The later ones belong to the sidecar, which
            // may fail.
            Ok(answer) => assert!(sync >= 3 && answer.verdict().may_publish(), "sync {sync}"),
            Err(error) => assert!(sync < 3, "sync {sync}: {error}"),
        }
        if (3..5).contains(&sync) {
            let again = ask(&passed().failing(FaultPoint::Sync(sync), InjectedFault::Eio), STATE);
            let again = again.expect("best effort");
            let failed = matches!(again, GateAnswer::Recorded { sidecar: SidecarUpdate::WriteFailed(_), .. });
            assert!(failed, "sync {sync}");
        }
    }
}

/// A failed sync during the opening of a log concerns bytes of other writers, and no writer appends to them.
#[test]
fn failed_sync_while_opening_poisons_the_writer() {
    let disk = passed().failing(FaultPoint::Sync(1), InjectedFault::Eio);
    let asked = ask(&disk, STATE);
    assert!(matches!(asked, Err(AskGateError::Log(LogError::Io { what: "sync", .. }))), "{asked:?}");
    disk.mended();
    let asked = ask(&disk, STATE);
    assert!(!asked.expect("asked").verdict().may_publish());
}

/// If a step fails after the log was moved aside, the error has the new path of the log.
#[test]
fn error_after_moving_the_log_names_its_new_path() {
    let disk = passed().failing(FaultPoint::Sync(2), InjectedFault::Eio);
    let error =
        rotate_log(disk.clone(), Utf8Path::new(LOG), LockOptions::default(), ()).map(drop).expect_err("it failed");
    let aside = error.aside.expect("it was moved");
    assert_eq!(disk.read(aside.as_str()), passed().read(LOG));
}

/// An error names the directory whose sync failed, and not the log or the sidecar.
#[test]
fn failed_sync_of_a_directory_names_the_directory() {
    let mut named = Vec::new();
    for sync in 0..8 {
        let fault = |disk: SimStorage| disk.failing(FaultPoint::Sync(sync), InjectedFault::Eio);
        let rotated = rotate_log(fault(passed()), Utf8Path::new(LOG), LockOptions::default(), ()).map(drop);
        named.extend(rotated.err().map(|error| error.source.to_string()));
        named.extend(ask(&fault(passed()), STATE).err().and_then(|error| error.source().map(ToString::to_string)));
        if let Ok(GateAnswer::Recorded { sidecar: SidecarUpdate::WriteFailed(error), .. }) =
            ask(&fault(passed()), STATE)
        {
            named.push(error.to_string());
        }
    }
    let directories = named.iter().filter(|error| **error == "cannot sync the directory state").count();
    assert!(directories >= 4, "{named:?}");
    assert!(!named.iter().any(|error| error.contains("directory of")), "{named:?}");
}

/// The error for a link without a target says what the path is and where the link points.
#[cfg(unix)]
#[test]
fn dangling_link_is_named() {
    let (_directory, state) = temporary_state();
    let path = state.join("events.jsonl");
    std::os::unix::fs::symlink("elsewhere/log\u{1b}", &path).expect("a link");
    let says = "it is a symbolic link to elsewhere/log\\u{1b}, which does not exist";
    let opened = LogWriter::open(FsStorage, &path, WriterOptions::default(), ()).map(drop).expect_err("no target");
    let recorded = RehearsalRecorder::open(FsStorage, &state, LockOptions::default()).map(drop).expect_err("no target");
    let asked = ask(&FsStorage, &state).expect_err("no target");
    let read = GateProjection::open(&path).expect_err("no target");
    for error in [&opened as &dyn Error, &recorded, &asked, &read] {
        let chain: Vec<String> =
            std::iter::successors(Some(error), |&error| error.source()).map(ToString::to_string).collect();
        assert!(chain.join(": ").contains(says), "{chain:?}");
    }
}

/// The gate and the recorder never begin a log that continues another one: only `rotate_log` does, which the caller
/// calls.
#[test]
fn only_a_rotation_continues_a_log() {
    let chained = LogBuilder::chained().pass("p", "r").bytes().to_vec();
    let broken = chained.iter().position(|byte| *byte == b'\n').map(|end| chained[end + 1..].to_vec());
    let damaged: [(&str, Vec<u8>); 5] = [
        ("corrupt", [&chained[..], b"{\n"].concat()),
        ("broken", broken.expect("several lines")),
        ("torn", [&chained[..], b"{\"seq\":"].concat()),
        ("empty", Vec::new()),
        ("unsynced", chained.clone()),
    ];
    for (damage, log) in damaged {
        let disk = SimStorage::with(&[(LOG, &log)]);
        if damage == "unsynced" {
            disk.create(Utf8Path::new("state/events.jsonl.unsynced")).map(drop).expect("a marker");
        }
        for _ in 0..2 {
            let _ = ask(&disk, STATE);
            let _ = RehearsalRecorder::open(disk.clone(), Utf8Path::new(STATE), LockOptions::default()).map(drop);
        }
        let after = String::from_utf8(disk.read(LOG).expect("the log")).expect("UTF-8");
        assert!(!after.contains("log_continued"), "{damage}");
        assert!(!disk.names().iter().any(|name| name.as_str().contains("aside")), "{damage}");
    }
    let rotated = rotate_log(passed(), Utf8Path::new(LOG), LockOptions::default(), ());
    assert!(rotated.is_ok(), "a rotation does");
}

/// A continued log ignores the saved tails of the old log.
#[test]
fn continued_log_ignores_saved_tails_of_the_old_one() {
    let (_directory, state) = temporary_state();
    let path = state.join("events.jsonl");
    std::fs::write(&path, "{\"half").expect("a torn log");
    let repairing = WriterOptions::default().repair_torn_tail(true);
    let repaired = LogWriter::open(FsStorage, &path, repairing.clone(), ()).expect("it opens").head();
    assert_eq!(repaired.lines, 1, "the repair is recorded");
    let (aside, continued) = rotate_log(FsStorage, &path, LockOptions::default(), ()).expect("continued");
    drop(continued);
    assert_eq!(LogWriter::open(FsStorage, &path, repairing, ()).expect("it opens").head().lines, 1);
    let names = FsStorage.read_dir(&state).expect("listed");
    let aside = aside.file_name().expect("a name").to_owned();
    assert!(names.iter().any(|name| name.starts_with(&format!("{aside}.torn-"))), "{names:?}");
}

/// After a short write or on a full disk, the written part is cut off and the log is unchanged. The next append
/// succeeds once the disk has space.
#[test]
fn short_write_is_rolled_back() {
    for failure in [InjectedFault::Short, InjectedFault::Full, InjectedFault::Eio] {
        let disk = passed();
        let mut log = open(&disk);
        let before = disk.read(LOG);
        let failing = disk.clone().failing(FaultPoint::Writes, failure);
        let error = log.append(&[draft()]).expect_err("it was not written");
        assert!(matches!(error, AppendError::NotWritten { .. }), "{failure:?}: {error}");
        assert_eq!(disk.read(LOG), before, "{failure:?}");
        failing.mended();
        assert_eq!(log.append(&[draft()]).expect("the disk has space").lines, 4);
        let disk = passed().failing(FaultPoint::Writes, failure);
        let answer = ask(&disk, STATE);
        assert!(matches!(answer, Err(AskGateError::RecordFailed(_))), "no permission");
        assert_eq!(disk.read(LOG), before);
    }
}

/// A log that is replaced, cut, or written by a tool without locks is detected.
#[test]
fn log_changed_under_the_writer_is_detected() {
    let (_directory, state) = temporary_state();
    let path = state.join("events.jsonl");
    let options = WriterOptions::default().adopt_unchained(true);
    let open = || LogWriter::open(FsStorage, &path, options.clone(), ()).expect("it opens");
    let mut log = open();
    log.append(&[draft()]).expect("it is written");
    std::fs::rename(&path, path.with_extension("old")).expect("moved");
    assert!(matches!(log.append(&[draft()]), Err(AppendError::Log(LogError::FileReplaced { .. }))));
    let mut log = open();
    log.append(&[draft()]).expect("it is written");
    std::fs::write(&path, "").expect("cut");
    assert!(matches!(log.append(&[draft()]), Err(AppendError::Log(LogError::FileReplaced { .. }))));
    let mut log = open();
    log.append(&[draft()]).expect("it is written");
    let foreign = "{\"timestamp\":\"2026-11-23T08:00:00Z\",\"event_type\":{\"type\":\"execution_started\"},\"package\":\"all\"}\n";
    let appended = [std::fs::read(&path).expect("the log"), foreign.as_bytes().to_vec()].concat();
    std::fs::write(&path, appended).expect("appended");
    assert_eq!(log.append(&[draft()]).expect("it adopts the line").lines, 4);
    let mut broken = std::fs::read(&path).expect("the log");
    broken.extend_from_slice(b"{\n");
    std::fs::write(&path, &broken).expect("appended");
    assert!(matches!(log.append(&[draft()]), Err(AppendError::Log(LogError::Corrupt { line: 5, .. }))));
    assert_eq!(std::fs::read(&path).expect("the log"), broken, "nothing is appended to a corrupt log");
}

/// The error about a held lock names the holder, after the time limit. For the run lock, it comes at once.
#[test]
fn lock_timeout_names_the_holder() {
    let (_directory, state) = temporary_state();
    let held =
        FsStorage.lock(&state.join("events.jsonl.lock"), Duration::ZERO, "process 7, a release\u{1b}").expect("free");
    let lock = LockOptions::new(Duration::from_millis(30), LockOptions::default().holder_note);
    let options = WriterOptions::new(lock.clone());
    let error = LogWriter::open(FsStorage, &state.join("events.jsonl"), options, ()).expect_err("it is held");
    assert!(matches!(&error, LogError::Locked { holder, .. } if holder == r"process 7, a release\u{1b}"), "{error}");
    drop(held);
    let mut recorder = RehearsalRecorder::open(FsStorage, &state, lock.clone()).expect("it is free");
    let rehearsing = recorder.start("p".parse().expect("a name"), "r".parse().expect("a name"), 1).expect("started");
    let second = RehearsalRecorder::open(FsStorage, &state, LockOptions::new(Duration::ZERO, "the second"));
    let Err(RecordError::RunLock(RunLockError::Busy { holder, .. })) = second else { panic!("two rehearsals at once") };
    assert!(holder.contains(&std::process::id().to_string()), "{holder}");
    let gate = ask_gate(FsStorage, &state, &query(), &SkipRequest::default(), None, lock)
        .expect("the gate can be asked meanwhile");
    assert!(!gate.verdict().may_publish());
    assert!(rehearsing.complete(true, "done").expect("completed").sidecar.is_none());
}

/// A log with two paths, by a link, has one lock.
#[cfg(unix)]
#[test]
fn linked_log_has_one_lock() {
    let (_directory, state) = temporary_state();
    std::fs::create_dir(state.join("elsewhere")).expect("a directory");
    let (path, link) = (state.join("events.jsonl"), state.join("elsewhere/log"));
    LogWriter::open(FsStorage, &path, WriterOptions::default(), ())
        .expect("it opens")
        .append(&[draft()])
        .expect("written");
    std::os::unix::fs::symlink("../events.jsonl", &link).expect("a link");
    let mut linked = LogWriter::open(FsStorage, &link, WriterOptions::default(), ()).expect("it opens");
    assert_eq!(linked.append(&[draft()]).expect("written").lines, 2);
    assert!(!state.join("elsewhere/log.lock").exists());
    std::os::unix::fs::symlink("../events.jsonl", state.join("elsewhere/events.jsonl")).expect("a link");
    let _first = RehearsalRecorder::open(FsStorage, &state, LockOptions::default()).expect("it opens");
    let second = RehearsalRecorder::open(FsStorage, &state.join("elsewhere"), LockOptions::default()).map(drop);
    assert!(matches!(second, Err(RecordError::RunLock(RunLockError::Busy { .. }))), "two rehearsals on one log");
}

/// A lock that another process holds is respected, even if another implementation took it.
#[cfg(target_os = "linux")]
#[test]
fn lock_of_another_process_is_respected() {
    let (_directory, state) = temporary_state();
    let lock = state.join("events.jsonl.lock");
    let script = format!("exec 9>'{lock}'; flock 9; echo 'process 7, by hand' >&9; echo held; read line");
    let mut holder = std::process::Command::new("bash")
        .args(["-c", &script])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("bash and flock");
    let mut held = String::new();
    let mut stdout = std::io::BufReader::new(holder.stdout.take().expect("its output"));
    std::io::BufRead::read_line(&mut stdout, &mut held).expect("it prints a line");
    let lock = LockOptions::new(Duration::from_millis(30), LockOptions::default().holder_note);
    let options = WriterOptions::new(lock.clone());
    let error = LogWriter::open(FsStorage, &state.join("events.jsonl"), options, ()).expect_err("it is held");
    assert!(matches!(&error, LogError::Locked { holder, .. } if holder == "process 7, by hand"), "{error}");
    assert!(!state.join("events.jsonl").exists(), "nothing is done before the lock is held");
    drop(holder.stdin.take());
    holder.wait().expect("it ends");
    LogWriter::open(FsStorage, &state.join("events.jsonl"), WriterOptions::new(lock), ()).expect("it is free");
}

/// In a directory that this user cannot write, the gate returns an error and writes nothing.
#[cfg(target_os = "linux")]
#[test]
fn read_only_directory_is_an_error() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().expect("a directory");
    let gate = directory.path().join("gate");
    std::fs::copy(example_program("shipper-core", "ask_gate"), &gate).expect("a copy that every user may run");
    let state = directory.path().join("state");
    std::fs::create_dir(&state).expect("a directory");
    for (path, mode) in [(directory.path(), 0o755), (&gate, 0o755), (&state, 0o555)] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("set");
    }
    // The superuser can write everywhere, so tests that run as root start the program as the user `nobody`.
    let script = "if [ \"$(id -u)\" = 0 ]; then exec setpriv --reuid=65534 --regid=65534 --clear-groups \"$@\"; else exec \"$@\"; fi";
    let output = std::process::Command::new("bash")
        .args(["-c", script, "bash"])
        .arg(&gate)
        .arg(&state)
        .args(["--plan-id", "p", "--registry", "r"])
        .output()
        .expect("bash and setpriv");
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(output.stdout.is_empty() && message.contains("Permission denied"), "{message}");
    assert_eq!(std::fs::read_dir(&state).expect("it can be listed").count(), 0);
}

/// A file with the name of a lock file is not written to if it is something else: a link to the log or to nothing, a
/// second name of another file, or a long file.
#[cfg(unix)]
#[test]
fn files_that_are_no_lock_files_are_not_written_to() {
    let (_directory, state) = temporary_state();
    let (path, lock) = (state.join("events.jsonl"), state.join("events.jsonl.lock"));
    LogWriter::open(FsStorage, &path, WriterOptions::default(), ())
        .expect("it opens")
        .append(&[draft()])
        .expect("written");
    let log = std::fs::read(&path).expect("the log");
    let refused = |what: &str| {
        let asked = ask(&FsStorage, &state);
        assert!(matches!(asked, Err(AskGateError::Log(LogError::Io { what: "lock", .. }))), "{what}");
        assert_eq!(std::fs::read(&path).expect("the log"), log, "{what}");
        std::fs::remove_file(&lock).expect("removed");
    };
    std::fs::remove_file(&lock).expect("removed");
    std::os::unix::fs::symlink("events.jsonl", &lock).expect("a link");
    refused("a link to the log");
    std::fs::hard_link(&path, &lock).expect("a second name");
    refused("a second name of the log");
    std::fs::write(&lock, vec![b'x'; 10_000]).expect("a file");
    refused("a long file");
    std::os::unix::fs::symlink("nowhere", &lock).expect("a link");
    refused("a link to nothing");
    assert!(!state.join("nowhere").exists(), "the target of a link is not created");
    let long = WriterOptions::new(LockOptions::new(Duration::from_secs(10), "x".repeat(10_000)));
    LogWriter::open(FsStorage, &path, long, ()).map(drop).expect("it opens");
    LogWriter::open(FsStorage, &path, WriterOptions::default(), ()).map(drop).expect("a long note does not block");
}

/// If a tool without locks completes its line while the tail is being saved, nothing is cut off.
#[test]
fn growing_tail_is_not_cut_off() {
    const HALF: &str = r#"{"timestamp":"2026-11-23T08:00:00Z","event_type""#;
    const REST: &str = ":{\"type\":\"rehearsal_package_failed\"},\"package\":\"all\"}\n";
    let (_directory, state) = temporary_state();
    let path = state.join("events.jsonl");
    std::fs::write(&path, HALF).expect("a torn log");
    let complete = |saved: &Utf8Path| {
        if saved.as_str().contains(".torn-") {
            let log = saved.with_file_name("events.jsonl");
            let completed = [std::fs::read(&log).expect("the log"), REST.as_bytes().to_vec()].concat();
            std::fs::write(log, completed).expect("completed");
        }
    };
    let options = WriterOptions::default().repair_torn_tail(true).adopt_unchained(true);
    let error =
        LogWriter::open(Guessed { on_rename: complete, on_lookup: |_| () }, &path, options.clone(), ()).map(drop);
    assert!(matches!(error, Err(LogError::ConcurrentWriter { .. })), "{error:?}");
    assert_eq!(std::fs::read_to_string(&path).expect("the log"), format!("{HALF}{REST}"));
    let log = LogWriter::open(FsStorage, &path, options, ()).expect("it has no torn tail");
    assert_eq!(log.head().lines, 3, "the line, its adoption, and the name of the tail that was saved");
}

/// If a tool without locks shortens the log just before the tail is cut off, the cut adds zeros. They are a torn tail, and
/// no event is acknowledged after them.
#[test]
fn log_shortened_before_the_cut_is_an_error() {
    let (_directory, state) = temporary_state();
    let path = state.join("events.jsonl");
    let mut log = LogBuilder::chained();
    log.pass("p", "r").raw("{\"seq\":3");
    std::fs::write(&path, log.bytes()).expect("a torn log");
    let shorten = |log: &Utf8Path| {
        if log.with_extension("jsonl.repairing").exists() {
            std::fs::File::options().write(true).open(log).and_then(|file| file.set_len(0)).expect("shortened");
        }
    };
    let options = WriterOptions::default().repair_torn_tail(true);
    let storage = Guessed { on_rename: |_| (), on_lookup: shorten };
    let error = LogWriter::open(storage, &path, options.clone(), ()).map(drop);
    assert!(matches!(error, Err(LogError::ConcurrentWriter { .. })), "{error:?}");
    let asked = ask(&FsStorage, &state).expect("the gate answers");
    assert_eq!(asked.verdict().reason_codes(), [RefusalCode::UntrustedLog]);
    let log = LogWriter::open(FsStorage, &path, options, ()).expect("it is repaired");
    assert_eq!(log.head().lines, 2, "two saved tails have a name: the bytes and the zeros");
}

/// The file system with predictable random names, and with a hook after each rename and after each look at a path.
#[derive(Clone, Copy)]
struct Guessed {
    on_rename: fn(&Utf8Path),
    on_lookup: fn(&Utf8Path),
}

impl Storage for Guessed {
    type File = <FsStorage as Storage>::File;
    type Lock = <FsStorage as Storage>::Lock;

    fn resolve(&self, path: &Utf8Path) -> std::io::Result<Utf8PathBuf> {
        FsStorage.resolve(path)
    }

    fn open(&self, path: &Utf8Path) -> std::io::Result<Self::File> {
        FsStorage.open(path)
    }

    fn create(&self, path: &Utf8Path) -> std::io::Result<Self::File> {
        FsStorage.create(path)
    }

    fn len_if_same_file(&self, path: &Utf8Path, file: &Self::File) -> std::io::Result<Option<u64>> {
        let length = FsStorage.len_if_same_file(path, file);
        (self.on_lookup)(path);
        length
    }

    fn rename(&self, from: &Utf8Path, to: &Utf8Path) -> std::io::Result<()> {
        FsStorage.rename(from, to)?;
        (self.on_rename)(to);
        Ok(())
    }

    fn link(&self, from: &Utf8Path, to: &Utf8Path) -> std::io::Result<()> {
        FsStorage.link(from, to)
    }

    fn remove(&self, path: &Utf8Path) -> std::io::Result<()> {
        FsStorage.remove(path)
    }

    fn read_dir(&self, directory: &Utf8Path) -> std::io::Result<Vec<String>> {
        FsStorage.read_dir(directory)
    }

    fn sync_directory(&self, directory: &Utf8Path) -> std::io::Result<()> {
        FsStorage.sync_directory(directory)
    }

    fn lock(&self, path: &Utf8Path, wait: Duration, note: &str) -> std::io::Result<Self::Lock> {
        FsStorage.lock(path, wait, note)
    }

    fn now(&self) -> std::time::SystemTime {
        FsStorage.now()
    }

    fn random_name(&self) -> String {
        "guessed".to_owned()
    }
}

/// A symbolic link at the path of the sidecar's temporary file is an error, and its target is not written.
#[cfg(unix)]
#[test]
fn symlink_at_the_temporary_path_is_not_followed() {
    let (_directory, state) = temporary_state();
    let mut recorder = RehearsalRecorder::open(FsStorage, &state, LockOptions::default()).expect("it opens");
    let rehearsing = recorder.start("p".parse().expect("a name"), "r".parse().expect("a name"), 0).expect("started");
    let completed = rehearsing.complete(true, "done").expect("completed");
    let victim = state.join("victim");
    std::fs::write(&victim, "precious").expect("a file");
    std::os::unix::fs::symlink(&victim, state.join(".rehearsal.json.guessed")).expect("a link");
    let error =
        write_sidecar(&Guessed { on_rename: |_| (), on_lookup: |_| () }, &state, &completed.receipt, completed.head)
            .expect_err("the path is occupied");
    assert_eq!(error.source.kind(), std::io::ErrorKind::AlreadyExists);
    assert_eq!(std::fs::read_to_string(&victim).expect("it is there"), "precious");
    // A link at the sidecar's own path is replaced, not followed.
    std::fs::remove_file(state.join("rehearsal.json")).expect("removed");
    std::os::unix::fs::symlink(&victim, state.join("rehearsal.json")).expect("a link");
    write_sidecar(&FsStorage, &state, &completed.receipt, completed.head).expect("it is written");
    assert_eq!(std::fs::read_to_string(&victim).expect("it is there"), "precious");
}

/// A directory that cannot be written, and a directory at the path of a file, are errors.
#[test]
fn unwritable_paths_are_errors() {
    let (_directory, state) = temporary_state();
    let missing = state.join("missing");
    let error = ask(&FsStorage, &missing);
    assert!(matches!(error, Err(AskGateError::Log(LogError::Io { .. }))));
    std::fs::create_dir(state.join("events.jsonl")).expect("a directory");
    let error = ask(&FsStorage, &state);
    assert!(matches!(error, Err(AskGateError::Log(LogError::Io { .. }))));
    if cfg!(target_os = "linux") {
        let error = LogWriter::open(FsStorage, Utf8Path::new("/proc/events.jsonl"), WriterOptions::default(), ());
        assert!(matches!(error, Err(LogError::Io { .. })), "a file system without files");
    }
}

/// An event that a reader would reject is refused before the write.
#[test]
fn event_that_readers_reject_is_not_written() {
    let disk = passed();
    let mut log = open(&disk);
    let before = disk.read(LOG);
    let twice = r#"{"event_type":{"type":"x"},"package":"all","seq":9}"#.parse::<NewEvent>().expect("a draft");
    assert!(matches!(log.append(&[twice]), Err(AppendError::InvalidEvent { .. })));
    let misfit = r#"{"event_type":{"type":"log_adopted","lines":1,"bytes":1,"blake3":""},"package":"all"}"#;
    assert!(matches!(log.append(&[misfit.parse().expect("a draft")]), Err(AppendError::ChainViolation { .. })));
    let long =
        format!(r#"{{"event_type":{{"type":"x"}},"package":"{}"}}"#, "p".repeat(shipper_events::MAX_LINE_LEN - 120));
    assert!(matches!(log.append(&[long.parse().expect("a draft")]), Err(AppendError::TooLong { .. })));
    assert!(matches!(log.append(&[]), Err(AppendError::Empty)));
    assert_eq!(disk.read(LOG), before);
    for twice in [r#"{"timestamp":"2026-11-23T08:00:00Z","event_type":{"type":"x"},"package":"all"}"#, "{}", "x", ""] {
        assert!(twice.parse::<NewEvent>().is_err(), "{twice}");
    }
}

/// A log that does not extend the head that the caller kept is refused, and nothing is recorded.
#[test]
fn expected_head_must_be_extended() {
    let (_directory, state) = temporary_state();
    let ask = |extends| {
        ask_gate(FsStorage, &state, &query(), &SkipRequest::default(), extends, LockOptions::default()).expect("asked")
    };
    let first = ask(None);
    let second = ask(first.head());
    assert_eq!(second.line(), Some(2), "it extends the kept head");
    std::fs::remove_file(state.join("events.jsonl")).expect("removed");
    let refused = ask(second.head());
    assert!(matches!(refused, GateAnswer::UntrustedLog(_)) && refused.head().is_none() && !refused.may_publish());
    assert_eq!(std::fs::read(state.join("events.jsonl")).expect("the log"), b"", "nothing is recorded");
    let empty = shipper_events::HeadHasher::new().head();
    assert_eq!(ask(Some(empty)).line(), Some(1), "every log extends the empty head");
}

/// A clock that no timestamp can express is an error of an append and of a rotation, and changes nothing.
#[test]
fn clock_beyond_the_year_9999_is_an_error() {
    let disk = SimStorage::with(&[]);
    open(&disk).append(&[draft()]).expect("appended");
    let before = disk.read(LOG).expect("the log");
    let epoch = std::time::SystemTime::UNIX_EPOCH;
    for clock in [epoch + Duration::from_secs(253_402_300_800), epoch - Duration::from_secs(62_167_219_201)] {
        disk.set_clock(clock);
        let error = open(&disk).append(&[draft()]).expect_err("no timestamp");
        assert!(matches!(error, AppendError::ClockOutOfRange), "{error}");
        let rotated = rotate_log(disk.clone(), Utf8Path::new(LOG), LockOptions::default(), ());
        assert!(format!("{:?}", rotated.expect_err("no timestamp")).contains("years 0 to 9999"));
        assert_eq!(disk.read(LOG).expect("the log"), before);
    }
    disk.set_clock(epoch + Duration::from_secs(253_402_300_799));
    open(&disk).append(&[draft()]).expect("the last second of the year 9999");
}
