//! Packages are published after their dependencies, the publisher requests the same index paths as cargo, and its
//! output is bounded and has no secrets. Otherwise a release fails half-way or leaks a token.

use std::time::{Duration, Instant};

use camino::Utf8Path;
use shipper_core::release::cargo::{CargoPublisher, Workspace, WorkspaceError, WorkspaceOptions};
use shipper_core::release::{
    CancelToken, PlannedPackage, Progress, PublishedState, Publisher, Registry, RegistryRole, StepContext, StepTarget,
};
use shipper_testkit::registry::{self, write};

/// Each package follows its dependencies and dev-dependencies, except in a cycle of dev-dependencies.
#[test]
fn packages_follow_their_dependencies() {
    let directory = tempfile::tempdir().expect("a directory");
    let root = Utf8Path::from_path(directory.path()).expect("UTF-8");
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
    let workspace = Workspace::read(
        &root.join("Cargo.toml"),
        &WorkspaceOptions::new("crates-io").allow_dirty(true),
        &cancel,
        &mut (),
    )
    .expect("a workspace");
    let order: Vec<&str> = workspace.plan().packages().iter().map(|package| package.name.as_str()).collect();
    assert_eq!(order, ["zq-d", "zq-c", "zq-a", "zq-b"]);
    cancel.cancel();
    let stopped = Workspace::read(
        &root.join("Cargo.toml"),
        &WorkspaceOptions::new("crates-io").allow_dirty(true),
        &cancel,
        &mut (),
    );
    assert!(matches!(stopped, Err(WorkspaceError::NotRead { stderr, .. }) if stderr.contains("asked to stop")));
}

/// The longest line and the longest tail of output, in bytes.
const MAX_LEN: usize = 8 * 1024;

/// A publisher of the package `zq`, and a registry beside it.
struct Setup {
    _directory: tempfile::TempDir,
    publisher: CargoPublisher,
    served: registry::Registry,
    registry: Registry,
}

/// Reads a workspace of one package that also has these files.
fn set_up(files: &[(&str, &str)]) -> Setup {
    let directory = tempfile::tempdir().expect("a directory");
    let manifest = directory.path().join("Cargo.toml");
    write(&manifest, "[package]\nname = \"zq\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
    for (path, text) in [("src/lib.rs", "")].iter().chain(files) {
        write(&directory.path().join(path), text);
    }
    let manifest = Utf8Path::from_path(&manifest).expect("UTF-8");
    let workspace = Workspace::read(
        manifest,
        &WorkspaceOptions::new("crates-io").allow_dirty(true),
        &CancelToken::default(),
        &mut (),
    )
    .expect("a workspace");
    let publisher = CargoPublisher::new(workspace).expect("a directory");
    let served = registry::Registry::start();
    let registry = Registry { name: "rehearsal".parse().expect("a name"), index: served.index_url() };
    Setup { _directory: directory, publisher, served, registry }
}

/// Lookups request the paths of the index that cargo requests.
#[test]
fn lookups_request_the_paths_of_cargo() {
    let mut setup = set_up(&[]);
    let (deadline, cancel) = (Instant::now() + Duration::from_secs(60), CancelToken::default());
    let mut context = StepContext { deadline, cancel: &cancel, progress: &mut () };
    for (name, path) in [
        ("a", "/index/1/a"),
        ("ab", "/index/2/ab"),
        ("abc", "/index/3/a/abc"),
        ("aBcd", "/index/ab/cd/abcd"),
        ("serde_json", "/index/se/rd/serde_json"),
    ] {
        let package = PlannedPackage::new(name, "0.1.0", Vec::new());
        let target = StepTarget { package: &package, role: RegistryRole::Rehearsal(&setup.registry) };
        let state = setup.publisher.lookup(target, &mut context);
        assert_eq!(state, Ok(PublishedState::Absent), "{name}");
        assert_eq!(setup.served.requests().last().map(|request| request.path.as_str()), Some(path));
    }
}

/// Each printed secret is hidden, even if its line is truncated. A text too short for a secret hides nothing, and the
/// failure contains the end of the output.
#[test]
fn printed_lines_are_redacted_and_bounded() {
    struct Lines(Vec<String>);
    impl Progress for Lines {
        fn output_line(&mut self, line: &str) {
            self.0.push(line.to_owned());
        }
    }
    let tokens =
        ["s3cret", "s3cret-token", "a"].map(|token| format!("[registries.r{}]\ntoken = {token:?}\n", token.len()));
    let script = r#"fn main() {
        for before in 8192 - 24..=8192 {
            eprintln!("{}s3cret-token{}", "x".repeat(before), "y".repeat(40_000));
            eprintln!("a token=s3cret-token, s3cret-tokens, s3cret");
        }
        (0..2_000).for_each(|line| eprintln!("line {line}"));
        std::process::exit(1);
    }"#;
    let mut setup = set_up(&[(".cargo/config.toml", &tokens.concat()), ("build.rs", script)]);
    let (deadline, cancel) = (Instant::now() + Duration::from_secs(60), CancelToken::default());
    let mut lines = Lines(Vec::new());
    let mut context = StepContext { deadline, cancel: &cancel, progress: &mut lines };
    let package = setup.publisher.workspace().plan().packages()[0].clone();
    let target = StepTarget { package: &package, role: RegistryRole::Rehearsal(&setup.registry) };
    let failure = setup.publisher.verify_build(target, &mut context).expect_err("it fails");
    let starts: Vec<usize> = (0..lines.0.len()).filter(|line| lines.0[*line].trim().starts_with("xx")).collect();
    assert_eq!(starts.len(), 25, "{failure}");
    for start in starts {
        assert!(lines.0[start].len() <= MAX_LEN && !lines.0[start].contains("s3c"), "{}", lines.0[start]);
        assert_eq!(lines.0[start + 1].trim(), "a token=[hidden], [hidden]s, [hidden]");
    }
    let tail = failure.tails.stderr;
    assert!(tail.len() <= MAX_LEN && tail.contains("line 1999\n") && !tail.contains("line 999\n"), "{tail}");
}
