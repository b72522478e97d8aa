//! Programs that tests run.

/// An example program of a crate of the workspace. Testing the whole crate builds it; testing one file does not.
pub fn example(package: &str, name: &str) -> std::path::PathBuf {
    let test = std::env::current_exe().expect("the test has a path");
    let built = test.parent().and_then(std::path::Path::parent).expect("a target directory");
    let example = built.join("examples").join(name);
    if !example.exists() {
        let build = ["build", "-q", "--all-features", "-p", package, "--example", name];
        assert!(std::process::Command::new(env!("CARGO")).args(build).status().expect("cargo").success());
    }
    example
}
