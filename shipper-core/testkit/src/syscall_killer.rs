//! Kills a program at its system calls.

use std::io::Write;

use crate::settings::scaled;

/// Kills a program at every third system call in turn, in the full run at every one, and calls `check` after each kill
/// with the directory and standard output. Returns the number of kills. It needs `strace`, which `.ci/run` installs.
pub fn kill_at_syscalls(
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
        // The program may end before it reads.
        let _ = child.stdin.take().expect("a standard input").write_all(input.as_bytes());
        child.wait_with_output().expect("it ends")
    };
    // The calls of a complete run, in order: `strace` counts the calls of each name separately. The first starts the
    // program.
    let directory = prepare();
    let trace = directory.path().join("trace");
    let complete = run(directory.path(), &["-o", trace.to_str().expect("UTF-8")]);
    assert!(complete.status.code().is_some_and(|code| code <= 1), "{complete:?}");
    let trace = std::fs::read_to_string(trace).expect("a trace");
    let mut counts = std::collections::BTreeMap::new();
    let (mut killed, mut call) = (0, 0);
    for name in trace.lines().filter_map(|line| Some(line.split_once('(')?.0.to_owned())).skip(1) {
        let count = counts.entry(name.clone()).or_insert(0);
        *count += 1;
        call += 1;
        if call % scaled(3, 1) != 0 {
            continue;
        }
        let directory = prepare();
        let inject = format!("inject={name}:signal=SIGKILL:when={count}");
        let output = run(directory.path(), &["-o", "/dev/null", "-e", &format!("trace={name}"), "-e", &inject]);
        assert_eq!(output.status.code(), None, "call {call}, {name} {count}: it was not killed");
        check(directory.path(), &String::from_utf8_lossy(&output.stdout));
        killed += 1;
    }
    killed
}
