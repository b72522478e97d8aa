//! Programs that tests run.

use std::path::{Path, PathBuf};

/// An example program of a crate of the workspace. Testing the whole crate builds it; testing one file does not.
pub fn example(package: &str, name: &str) -> PathBuf {
    built(package, "--example", name, &target_directory().join("examples").join(name))
}

/// A program of a crate of the workspace, built as [`example`] builds one.
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
        assert!(std::process::Command::new(env!("CARGO")).args(build).status().expect("cargo").success());
    }
    path.to_owned()
}
