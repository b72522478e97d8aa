//! Programs that tests run: those of the workspace, and those of the system.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::settings::print_figure;

/// Path of an example program of a workspace crate. A test of the whole workspace builds it. Otherwise this function
/// does.
pub fn example_program(package: &str, name: &str) -> PathBuf {
    built(package, "--example", name, &target_directory().join("examples").join(name))
}

/// Path of a program of a workspace crate, built as [`example_program`] builds one.
pub fn binary(package: &str, name: &str) -> PathBuf {
    built(package, "--bin", name, &target_directory().join(name))
}

fn target_directory() -> PathBuf {
    let test = std::env::current_exe().expect("the test has a path");
    test.parent().and_then(Path::parent).expect("a target directory").to_owned()
}

fn built(package: &str, kind: &str, name: &str, path: &Path) -> PathBuf {
    if !path.exists() {
        let build = ["build", "-q", "--all-features", "-p", package, kind, name];
        assert!(Command::new(env!("CARGO")).args(build).status().expect("cargo starts").success());
    }
    path.to_owned()
}

/// Returns `true` if these programs are installed. If one is missing, it prints that the current test is skipped; on CI, where
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
