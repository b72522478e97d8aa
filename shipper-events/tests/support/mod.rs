//! What the tests of this crate share.

#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::expect_used, reason = "a test that finds something wrong stops at once")]

use std::io::Write;

use proptest::prelude::ProptestConfig;
use proptest::test_runner::FileFailurePersistence;

/// Inputs that ever failed are kept beside the test and tried first. `PROPTEST_CASES` says how many others, where it is
/// set.
pub(crate) fn config(cases: u32) -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|asked| asked.parse().ok());
    let cases = asked.unwrap_or(cases);
    let kept = FileFailurePersistence::WithSource("regressions");
    ProptestConfig { cases, failure_persistence: Some(Box::new(kept)), ..ProptestConfig::default() }
}

/// Says a figure past the capture of the test runner: it is part of what the tests show.
pub(crate) fn say(figure: &str) {
    writeln!(std::io::stderr(), "{figure}").expect("standard error takes it");
}

/// An example program of this crate. Testing the whole crate builds it; testing one file does not.
pub(crate) fn example(name: &str) -> std::path::PathBuf {
    let test = std::env::current_exe().expect("the test has a path");
    let built = test.parent().and_then(std::path::Path::parent).expect("a target directory");
    let example = built.join("examples").join(name);
    if !example.exists() {
        let build = ["build", "-q", "--all-features", "-p", env!("CARGO_PKG_NAME"), "--example", name];
        assert!(std::process::Command::new(env!("CARGO")).args(build).status().expect("cargo").success());
    }
    example
}

/// Kills a program at every system call in turn, and calls `check` after each with what it had printed. Gives how many
/// calls there were. Needs `strace`, which `.ci/run` installs.
#[cfg(target_os = "linux")]
pub(crate) fn kill_at_every_call(
    program: &std::path::Path,
    args: &[&str],
    input: &str,
    prepare: impl Fn() -> tempfile::TempDir,
    mut check: impl FnMut(&std::path::Path, &str),
) -> usize {
    let run = |directory: &std::path::Path, options: &[&str]| {
        let args = args.iter().map(|arg| arg.replace("DIR", directory.to_str().expect("UTF-8")));
        let mut command = std::process::Command::new("strace");
        command.args(["-qq", "-e", "signal=none"]).args(options).arg(program).args(args);
        command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
        let mut child =
            command.stderr(std::process::Stdio::null()).spawn().expect("strace is there (apt-get install strace)");
        // It may die before it reads.
        let _ = child.stdin.take().expect("a standard input").write_all(input.as_bytes());
        child.wait_with_output().expect("it ends")
    };
    // The calls of a whole run, in order: `strace` counts the calls of each name apart. The first starts the program.
    let directory = prepare();
    let trace = directory.path().join("trace");
    let whole = run(directory.path(), &["-o", trace.to_str().expect("UTF-8")]);
    assert!(whole.status.code().is_some_and(|code| code <= 1), "{whole:?}");
    let trace = std::fs::read_to_string(trace).expect("a trace");
    let mut counts = std::collections::BTreeMap::new();
    let mut killed = 0;
    for name in trace.lines().filter_map(|line| Some(line.split_once('(')?.0.to_owned())).skip(1) {
        let count = counts.entry(name.clone()).or_insert(0);
        *count += 1;
        let directory = prepare();
        let inject = format!("inject={name}:signal=SIGKILL:when={count}");
        let output = run(directory.path(), &["-o", "/dev/null", "-e", &format!("trace={name}"), "-e", &inject]);
        assert_eq!(output.status.code(), None, "call {killed}, {name} {count}: it was not killed");
        check(directory.path(), &String::from_utf8_lossy(&output.stdout));
        killed += 1;
    }
    killed
}
