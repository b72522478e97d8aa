//! Programs that tests run: our own, and those of the system.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::settings::print_figure;

/// Path of an example program of a crate of the workspace. Testing the whole workspace builds it; testing one crate may not.
pub fn example_program(package: &str, name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("the test has a path");
    let built = test.parent().and_then(Path::parent).expect("a target directory");
    let example = built.join("examples").join(name);
    if !example.exists() {
        let build = ["build", "-q", "--all-features", "-p", package, "--example", name];
        assert!(Command::new(env!("CARGO")).args(build).status().expect("cargo starts").success());
    }
    example
}

/// Returns whether these programs are installed. If one is missing, it prints that the current test is skipped; on CI, where
/// the environment variable `CI` is set, the test fails instead.
#[must_use]
pub fn installed(programs: &[&str]) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let directories: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let is_missing = |program: &&str| !directories.iter().any(|directory| directory.join(program).is_file());
    let missing: Vec<&str> = programs.iter().copied().filter(is_missing).collect();
    if missing.is_empty() {
        return true;
    }
    let (test, missing) = (std::thread::current(), missing.join(", "));
    let test = test.name().unwrap_or("a test");
    assert!(std::env::var_os("CI").is_none(), "{test} needs {missing}");
    print_figure(&format!("skipped: {test} needs {missing}"));
    false
}
