//! Packages of a workspace are published in an order in which cargo can build each against those before it, and a stop ends
//! the reading of a workspace.

use shipper_core::release::CancelToken;
use shipper_core::release::cargo::{Workspace, WorkspaceError};
use shipper_testkit::registry::write;

/// (Pass) Each package follows its dependencies and dev-dependencies, except in the cycle that dev-dependencies form.
#[test]
fn packages_follow_their_dependencies() {
    let directory = tempfile::tempdir().expect("a directory");
    let root = camino::Utf8Path::from_path(directory.path()).expect("UTF-8");
    write(root.join("Cargo.toml").as_std_path(), "[workspace]\nmembers = [\"*\"]\n");
    let member = |name: &str, kind: &str, dependency: &str| {
        let lines = format!("[{kind}]\nzq-{dependency} = {{ path = \"../{dependency}\", version = \"0.1\" }}\n");
        let lines = if kind.is_empty() { String::new() } else { lines };
        let manifest = format!("[package]\nname = \"zq-{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n{lines}");
        write(root.join(name).join("Cargo.toml").as_std_path(), &manifest);
        write(root.join(name).join("src/lib.rs").as_std_path(), "");
    };
    member("a", "dev-dependencies", "b");
    member("b", "dependencies", "a");
    member("c", "dev-dependencies", "d");
    member("d", "", "");
    let cancel = CancelToken::default();
    let workspace = Workspace::read(&root.join("Cargo.toml"), "crates-io", &cancel).expect("a workspace");
    let order: Vec<&str> = workspace.plan().packages().iter().map(|package| package.name.as_str()).collect();
    assert_eq!(order, ["zq-d", "zq-c", "zq-a", "zq-b"]);
    cancel.cancel();
    let stopped = Workspace::read(&root.join("Cargo.toml"), "crates-io", &cancel);
    assert!(matches!(stopped, Err(WorkspaceError::NotRead { stderr, .. }) if stderr.contains("asked to stop")));
}
