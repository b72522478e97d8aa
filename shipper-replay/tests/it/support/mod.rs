//! Runs the built program in the fixtures' directory, so that paths in its output are short and the same on every
//! machine.

pub(crate) mod json_schema;
pub(crate) mod ndjson;
pub(crate) mod sarif;
pub(crate) mod timeline_reader;

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// The fixtures' directory.
pub(crate) fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fixtures")
}

/// Returns a command for the program.
pub(crate) fn program(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shipper-replay"));
    command.args(args).current_dir(fixtures()).env_remove("NO_COLOR").env_remove("COLUMNS");
    command
}

/// Runs the program to its end, with empty standard input.
pub(crate) fn replay(args: &[&str]) -> Output {
    program(args).stdin(Stdio::null()).output().expect("the program starts")
}

/// Runs the program to its end, with these bytes on standard input.
pub(crate) fn replay_stdin(args: &[&str], input: &[u8]) -> Output {
    let mut command = program(args);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    let mut stdin = child.stdin.take().expect("it has a standard input");
    let input = input.to_vec();
    let writer = std::thread::spawn(move || {
        // The program may stop reading early.
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output().expect("the program ends");
    writer.join().expect("the writer ends");
    output
}

/// Returns the JSON report of a run.
pub(crate) fn report(args: &[&str]) -> serde_json::Value {
    let output = replay(&[&["--format", "json"], args].concat());
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

/// Returns standard output, then standard error, and the exit status.
pub(crate) fn seen(output: &Output) -> String {
    format!(
        "{}{}[exit status {}]\n",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
        output.status.code().expect("it was not killed"),
    )
}

/// Returns every fixture by its path in the fixtures' directory.
pub(crate) fn cases() -> Vec<String> {
    let mut cases = Vec::new();
    for collection in ["real", "damaged", "recorded"] {
        for entry in std::fs::read_dir(fixtures().join(collection)).expect("the collection is there") {
            let entry = entry.expect("it can be listed");
            if entry.path().is_dir() {
                cases.push(format!("{collection}/{}", entry.file_name().to_str().expect("UTF-8")));
            }
        }
    }
    cases.sort();
    cases
}

/// The ten real cases that every format is tested with, and their arguments.
pub(crate) const TEN: [(&str, &[&str]); 10] = [
    ("pass-3crate", &[]),
    ("fail-fix-pass", &["--registry", "rehearsal"]),
    ("stale-bump", &[]),
    ("skip", &[]),
    ("skip-over-failed", &[]),
    ("registry-swap", &["--registry", "rehearsal-b"]),
    ("tampered-sidecar", &[]),
    ("concurrent-rehearse-one-fails", &[]),
    ("torn-log-gate", &[]),
    ("odd-registry-name", &[]),
];
