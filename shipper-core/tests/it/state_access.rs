//! Only the user of the process and the superuser can write a log, and only they can hold its lock: any other user who
//! can write the directory could replace the log that the gate reads.

use camino::Utf8Path;
use shipper_core::gate::AskGateError;
use shipper_core::rehearsal::RecordError;
use shipper_core::state_dir::StateOptions;
use shipper_core::{GateQuery, RehearsalRecorder, SkipRequest, ask_gate};
use shipper_events::write::{
    AccessRisk, FileAccess, LockOptions, LogError, LogWriter, RotateError, WriterOptions, rotate_log,
};
use shipper_testkit::log_builder::LogBuilder;
use shipper_testkit::sim_storage::SimStorage;

const STATE: &str = "state";
const LOG: &str = "state/events.jsonl";

/// A file of user 1000 and its private group, in a process of that user.
const OWN: FileAccess = FileAccess { mode: 0o644, owner: 1000, group: 1000, process_user: 1000, process_group: 1000 };

fn disk(directory: FileAccess, log: FileAccess) -> SimStorage {
    let mut lines = LogBuilder::chained();
    lines.pass("p", "r");
    let disk = SimStorage::with(&[(LOG, lines.bytes())]);
    disk.set_access(STATE, directory);
    disk.set_access(LOG, log);
    disk
}

/// Asks the gate, opens the recorder and a writer, and rotates the log. All agree: returns the risk that they refuse, or
/// the warnings.
fn open(disk: &SimStorage, options: &StateOptions, writer: &WriterOptions) -> Result<Vec<AccessRisk>, AccessRisk> {
    let before = disk.read(LOG);
    let query = GateQuery::new("p".parse().expect("a name"), Some("r".parse().expect("a name")));
    let (state, log, skip) = (Utf8Path::new(STATE), Utf8Path::new(LOG), SkipRequest::default());
    let recorder = match RehearsalRecorder::open(disk.clone(), state, options.clone()) {
        Ok(recorder) => Ok(recorder.warnings().to_vec()),
        Err(RecordError::Log(LogError::OthersCanWrite { risk })) => Err(risk),
        Err(error) => panic!("{error}"),
    };
    let opened = match LogWriter::open(disk.clone(), log, writer.clone(), ()) {
        Ok(writer) => Ok(writer.warnings().to_vec()),
        Err(LogError::OthersCanWrite { risk }) => Err(risk),
        Err(error) => panic!("{error}"),
    };
    let gate = match ask_gate(disk.clone(), state, &query, &skip, None, options.clone()) {
        Ok(answer) => Ok(answer.warnings().to_vec()),
        Err(AskGateError::Log(LogError::OthersCanWrite { risk })) => Err(risk),
        Err(error) => panic!("{error}"),
    };
    let refused = gate.is_err().then(|| disk.read(LOG));
    assert!(refused.is_none_or(|log| log == before), "nothing is recorded in a log that is refused");
    let rotated: Result<_, RotateError> = rotate_log(disk.clone(), log, writer.clone(), ());
    assert_eq!(rotated.is_ok(), gate.is_ok());
    assert_eq!((&gate, &gate), (&recorder, &opened));
    gate
}

/// A directory or log that others can write, or that belongs to another user, is refused. The caller can opt out.
#[test]
fn log_that_others_can_change_is_refused() {
    let as_default = (StateOptions::default(), WriterOptions::default());
    let allowed =
        (StateOptions::default().allow_foreign_owner(true), WriterOptions::default().allow_foreign_owner(true));
    for (access, accepted) in [
        (OWN, true),
        (FileAccess { mode: 0o600, ..OWN }, true),
        (FileAccess { owner: 0, ..OWN }, true),
        (FileAccess { mode: 0o664, ..OWN }, true),
        (FileAccess { owner: 1001, ..OWN }, false),
        (FileAccess { mode: 0o646, ..OWN }, false),
        (FileAccess { mode: 0o1777, ..OWN }, false),
        (FileAccess { mode: 0o664, group: 100, process_group: 100, ..OWN }, false),
        (FileAccess { mode: 0o664, group: 100, ..OWN }, false),
        (FileAccess { mode: 0o664, process_group: 100, ..OWN }, false),
    ] {
        for disk in [|access| disk(access, OWN), |access| disk(OWN, access)] {
            let opened = open(&disk(access), &as_default.0, &as_default.1);
            assert_eq!(opened.is_ok(), accepted, "{access:?}: {opened:?}");
            assert!(opened.is_err() || opened == Ok(Vec::new()), "{access:?}: {opened:?}");
            assert_eq!(open(&disk(access), &allowed.0, &allowed.1), Ok(Vec::new()));
        }
    }
}

/// For the superuser, a risk is a warning: containers often mount a checkout that another user owns.
#[test]
fn superuser_is_warned() {
    let root = FileAccess { process_user: 0, process_group: 0, ..OWN };
    let disk = disk(FileAccess { mode: 0o777, owner: 0, group: 0, ..root }, root);
    let opened = open(&disk, &LockOptions::default().into(), &WriterOptions::default()).expect("it is accepted");
    let shown: Vec<String> = opened.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        ["every user can write state", "state/events.jsonl belongs to user 1000, and this process runs as user 0",]
    );
}

#[cfg(unix)]
mod real_files {
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;
    use std::process::{Command, Output};

    use shipper_testkit::program::example_program;

    const PLAN: [&str; 4] = ["--plan-id", "p", "--registry", "r"];

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).expect("it exists").permissions().mode() & 0o7777
    }

    fn set_mode(path: &Path, mode: u32) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("set");
    }

    /// Files have the documented modes under a loose umask, and a strict umask stays.
    #[test]
    fn files_have_safe_modes_under_any_umask() {
        let directory = tempfile::tempdir().expect("a directory");
        for (umask, expected) in [("0", [0o755, 0o644, 0o600]), ("077", [0o700, 0o600, 0o600])] {
            let parent = directory.path().join(umask);
            let state = parent.join("state");
            let status = Command::new("sh")
                .args(["-c", "umask $1; shift; exec \"$@\"", "sh", umask])
                .arg(example_program("shipper-core", "record_rehearsal"))
                .arg(&state)
                .args(PLAN)
                .arg("a@1.0.0=ok")
                .output()
                .expect("it starts")
                .status;
            assert!(status.success());
            let [directory, file, lock] = expected;
            assert_eq!((mode(&parent), mode(&state)), (directory, directory), "umask {umask}");
            for name in ["events.jsonl", "rehearsal.json", ".gitignore"] {
                assert_eq!(mode(&state.join(name)), file, "{name}, umask {umask}");
            }
            for name in ["events.jsonl.lock", "events.jsonl.work"] {
                assert_eq!(mode(&state.join(name)), lock, "{name}, umask {umask}");
            }
        }
    }

    /// Runs `ask_gate` as an ordinary user.
    fn ask_as_user(program: &Path, state: &Path, options: &[&str]) -> Output {
        // Tests that run as root start the program as the user `nobody`.
        let script = "if [ \"$(id -u)\" = 0 ]; then exec setpriv --reuid=65534 --regid=65534 --clear-groups \"$@\"; else exec \"$@\"; fi";
        let mut command = Command::new("bash");
        command.args(["-c", script, "bash"]).arg(program).arg(state).args(PLAN).args(options);
        command.output().expect("bash and setpriv")
    }

    /// The program refuses a directory that every user can write, says how to opt out, and does so with the option.
    #[test]
    fn program_refuses_a_directory_that_everyone_can_write() {
        let directory = tempfile::tempdir().expect("a directory");
        let (program, state) = (directory.path().join("gate"), directory.path().join("state"));
        std::fs::copy(example_program("shipper-core", "ask_gate"), &program).expect("a copy that every user may run");
        std::fs::create_dir(&state).expect("a directory");
        set_mode(directory.path(), 0o755);
        set_mode(&program, 0o755);
        set_mode(&state, 0o777);
        let refused = ask_as_user(&program, &state, &[]);
        let message = String::from_utf8_lossy(&refused.stderr);
        assert_eq!(refused.status.code(), Some(2), "{message}");
        assert!(message.contains("every user can write") && message.contains("--allow-foreign-owner"), "{message}");
        assert!(!state.join("events.jsonl").exists());
        let asked = ask_as_user(&program, &state, &["--allow-foreign-owner"]);
        assert_eq!(asked.status.code(), Some(1), "{}", String::from_utf8_lossy(&asked.stderr));
        assert!(state.join("events.jsonl").exists(), "the decision is recorded");
    }

    /// As the superuser, the program warns about a directory of another user, and goes on.
    #[test]
    fn program_warns_the_superuser() {
        let directory = tempfile::tempdir().expect("a directory");
        if std::os::unix::fs::chown(directory.path(), Some(65534), None).is_err() {
            return; // Only the superuser can give a directory away.
        }
        let output =
            Command::new(example_program("shipper-core", "ask_gate")).arg(directory.path()).args(PLAN).output();
        let output = output.expect("it starts");
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{message}");
        assert!(message.contains("warning: ") && message.contains("belongs to user 65534"), "{message}");
    }
}
