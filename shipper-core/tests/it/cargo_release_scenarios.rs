//! Unusual workspaces, registries and interruptions of a release with the real cargo: each works, or ends in a recorded
//! failure with a remedy. A release must never be in an unrecorded state.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use serde_json::json;
use shipper_core::audit::{Conclusion, FindingCode};
use shipper_testkit::program::installed;
use shipper_testkit::registry::{CommandResult, Demands, Fault, On, Registry, TOKEN, edit, members, write};
use shipper_testkit::release_fixture::ReleaseFixture;

/// Returns the names of the files of an uploaded package.
fn files(registry: &Registry, name: &str) -> Vec<String> {
    let bytes = registry.crate_bytes(name, "0.1.0").expect("a package");
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(&*bytes));
    let entries = archive.entries().expect("an archive");
    let mut files: Vec<String> = entries
        .map(|entry| entry.expect("an entry").path().expect("a path").to_str().expect("UTF-8").to_owned())
        .collect();
    files.sort();
    files
}

/// Appends lines to a file.
fn append(path: &Path, lines: &str) {
    edit(path, |text| format!("{text}\n{lines}"));
}

fn git(root: &Path, args: &[&str]) {
    let who = ["-c", "user.name=someone", "-c", "user.email=someone@example.org"];
    CommandResult::run(Command::new("git").current_dir(root).args(who).args(args)).expect_success();
}

/// A repository with one package at its root is rehearsed as it is published, with files that begin with a dot and an
/// executable build script, and without the log in the checkout. The log has the commit.
#[test]
fn package_at_the_root_of_a_git_repository_is_published() {
    if !installed(&["git"]) {
        return;
    }
    let fixture = ReleaseFixture::create();
    let root = fixture.sandbox.path("one");
    write(
        &root.join("Cargo.toml"),
        "[package]\nname = \"one\"\nversion = \"0.1.0\"\nedition = \"2024\"\ndescription = \"A test\"\nlicense = \"MIT\"\n\
         publish = [\"live\"]\nexclude = [\"notes\"]\n",
    );
    write(&root.join("src/main.rs"), "fn main() {}\n");
    write(
        &root.join("build.rs"),
        "fn main() { assert!(std::process::Command::new(\"./.tools/look\").status().unwrap().success()); }\n",
    );
    write(&root.join(".tools/look"), "#!/bin/sh\nexit 0\n");
    std::fs::set_permissions(root.join(".tools/look"), PermissionsExt::from_mode(0o755)).expect("a mode");
    for (file, text) in [(".gitignore", "/target\n"), (".github/workflows/x.yml", "on: push\n"), ("notes", "none\n")] {
        write(&root.join(file), text);
    }
    git(&root, &["init", "-q"]);
    let fixture = ReleaseFixture { root: root.clone(), ..fixture };
    // The first command creates the missing Cargo.lock, which is part of the checkout.
    fixture.run("plan", &[]).expect_success();
    git(&root, &["add", "-A"]);
    git(&root, &["commit", "-qm", "One"]);
    let before = fixture.run("plan", &[]).expect_success();
    fixture.rehearse(&["--smoke-install", "one"]).expect_success();
    let after = fixture.run("plan", &[]).expect_success();
    assert_eq!(before, after, "the plan does not contain a log in the checkout");
    // Without the option, uncommitted files are not rehearsed.
    write(&root.join("src/more.rs"), "// more\n");
    fixture.rehearsal.wipe();
    for action in ["rehearse", "publish"] {
        fixture.run(action, &["--rehearsal-registry", "rehearsal"]).expect_status(2, "not yet committed");
    }
    fixture.rehearse(&["--allow-dirty"]).expect_success();
    fixture.publish(&[]).expect_status(2, "not yet committed");
    fixture.publish(&["--allow-dirty"]).expect_success();
    let log = fixture.log_text();
    assert!(
        log.contains("cargo publish --no-verify --locked -p one@0.1.0 --allow-dirty --registry live"),
        "the log contains the option: {log}"
    );
    let published = files(&fixture.live, "one");
    assert!(published.contains(&"one-0.1.0/.tools/look".to_owned()), "{published:?}");
    assert!(!published.iter().any(|file| file.contains(".shipper") || file.contains("notes")), "{published:?}");
    let without_commit = |files: Vec<String>| -> Vec<String> {
        files.into_iter().filter(|file| !file.ends_with(".cargo_vcs_info.json")).collect()
    };
    assert_eq!(without_commit(files(&fixture.rehearsal, "one")), without_commit(published));
    // The publish can be repeated.
    fixture.rehearse(&["--allow-dirty"]).expect_success();
    // The same plan is published from another commit.
    git(&root, &["add", "-A"]);
    git(&root, &["commit", "-qm", "Two"]);
    fixture.publish(&[]).expect_success();
    let mut log = Command::new("git");
    let commits = log.current_dir(&root).args(["log", "--format=%H"]).output().expect("git").stdout;
    let commits = String::from_utf8(commits).expect("UTF-8");
    let (two, one) = commits.trim().split_once('\n').expect("two commits");
    // The fixture looks for a permission in the log of its own workspace.
    fixture.unauthorized_uploads.lock().expect("no panic").clear();
    let audited = fixture.assert_conclusion(Conclusion::Verified);
    let recorded = audited.decisions.iter().map(|decision| serde_json::to_value(&decision.git).expect("JSON"));
    let (one, two) = (json!({ "commit": one, "dirty": true }), json!({ "commit": two, "dirty": false }));
    let expected = [&one, &two].map(|commit| json!({ "rehearsal": one, "decision": commit, "run": commit }));
    assert_eq!(recorded.collect::<Vec<_>>(), expected);
    let notes = audited.findings.iter().filter(|finding| finding.code == FindingCode::OtherCommit);
    assert_eq!(notes.map(|finding| finding.line).collect::<Vec<_>>(), [Some(audited.decisions[1].runs[0].line)]);
}

/// A `Cargo.lock` beside the packages is part of the plan, but cargo does not compare it with the commit.
#[test]
fn uncommitted_lock_file_of_a_workspace_is_refused() {
    if !installed(&["git"]) {
        return;
    }
    let fixture = ReleaseFixture::create();
    let root = &fixture.root;
    write(&root.join(".gitignore"), "/target\n");
    fixture.run("plan", &[]).expect_success();
    git(root, &["init", "-q"]);
    git(root, &["add", "-A"]);
    git(root, &["commit", "-qm", "All"]);
    git(root, &["rm", "-q", "--cached", "Cargo.lock"]);
    git(root, &["commit", "-qm", "Without the lock file"]);
    fixture.rehearse(&[]).expect_status(2, "Cargo.lock is not committed; commit it, or pass --allow-dirty");
    assert!(!fixture.log().exists());
    let status = fixture.run("status", &["--rehearsal-registry", "rehearsal"]);
    status.expect_status(1, "next: commit the changed files, or pass --allow-dirty");
}

/// An updated dependency makes another plan, whose rehearsal builds the uploaded packages again. A dependency of an
/// unpublished member does not.
#[test]
#[ignore = "it takes seconds; .ci/run runs it"]
fn updated_dependency_is_another_plan() {
    let fixture = ReleaseFixture::create();
    let elsewhere = fixture.sandbox.path("elsewhere");
    let publish = |version: &str, source: &str| {
        members(&elsewhere, &[("used", "publish = [\"live\"]\n", source), ("other", "publish = [\"live\"]\n", source)]);
        for name in ["used", "other"] {
            let manifest = elsewhere.join(format!("crates/{name}/Cargo.toml"));
            edit(&manifest, |text| text.replace("0.1.0", version));
            fixture.sandbox.cargo(&elsewhere, &["publish", "-p", name, "--registry", "live"]).expect_success();
        }
    };
    publish("0.1.0", "pub const IT: u32 = 42;");
    let need = |member: &str, name: &str| {
        let lines = format!("[dependencies.{name}]\nversion = \"0.1\"\nregistry = \"live\"\n");
        append(&fixture.root.join(format!("crates/{member}/Cargo.toml")), &lines);
    };
    need("a", "used");
    write(&fixture.root.join("crates/a/src/lib.rs"), "pub fn answer() -> u32 { used::IT }");
    write(
        &fixture.root.join("crates/tool/Cargo.toml"),
        "[package]\nname = \"tool\"\nversion = \"0.1.0\"\nedition = \"2024\"\npublish = false\n",
    );
    write(&fixture.root.join("crates/tool/src/lib.rs"), "");
    need("tool", "other");
    let plan = || fixture.run("plan", &[]).expect_success();
    let update = |name: &str| fixture.sandbox.cargo(&fixture.root, &["update", "-p", name]).expect_success();
    // The fixture requires a permission for every upload to the live registry, but these uploads are not part of the
    // release.
    fixture.unauthorized_uploads.lock().expect("no panic").clear();
    fixture.rehearse(&[]).expect_success();
    let before = plan();
    assert!(before.contains("\nlocked used 0.1.0 "), "{before}");
    publish("0.1.1", "pub const IS_GONE: u32 = 42;");
    fixture.unauthorized_uploads.lock().expect("no panic").clear();
    update("other");
    assert_eq!(plan(), before, "the dependencies of an unpublished member are not in the plan");
    update("used");
    assert!(plan().contains("\nlocked used 0.1.1 "), "{}", plan());
    fixture.publish(&[]).expect_status(1, "of another plan");
    // The packages are built again.
    fixture.rehearse(&[]).expect_status(1, "cannot find value `IT` in crate `used`");
    fixture.sandbox.cargo(&fixture.root, &["update", "-p", "used", "--precise", "0.1.0"]).expect_success();
    fixture.rehearse(&[]).expect_success();
    fixture.publish(&[]).expect_success();
    fixture.assert_conclusion(Conclusion::Verified);
    // Users would not get the package of the patch in the configuration.
    let patch =
        format!("[patch.{:?}]\nused = {{ path = {:?} }}\n", fixture.live.index_url(), elsewhere.join("crates/used"));
    write(&fixture.root.join(".cargo/config.toml"), &patch);
    fixture.rehearse(&[]).expect_status(2, "config.toml patches used, but");
}

/// The plan of each member contains the source of a git dependency, in the spelling of each format of `Cargo.lock`,
/// beside a package of the same name and version from a registry.
#[test]
fn git_dependency_has_its_source_in_the_plan() {
    if !installed(&["git"]) {
        return;
    }
    let fixture = ReleaseFixture::create();
    let elsewhere = fixture.sandbox.path("elsewhere");
    members(&elsewhere, &[("used", "publish = [\"live\"]\n", "")]);
    fixture.sandbox.cargo(&elsewhere, &["publish", "-p", "used", "--registry", "live"]).expect_success();
    git(&elsewhere, &["init", "-q", "-b", "x/y"]);
    git(&elsewhere, &["add", "-A"]);
    git(&elsewhere, &["commit", "-qm", "One"]);
    let from_git =
        format!("[dependencies.used]\nversion = \"0.1\"\ngit = \"file://{}\"\nbranch = \"x/y\"\n", elsewhere.display());
    append(&fixture.root.join("crates/a/Cargo.toml"), &from_git);
    let from_registry = "[dependencies.other]\npackage = \"used\"\nversion = \"0.1\"\nregistry = \"live\"\n";
    append(&fixture.root.join("crates/b/Cargo.toml"), from_registry);
    let lock_file = fixture.root.join("Cargo.lock");
    let source_in_plan = || {
        let output = fixture.run("plan", &[]).expect_success();
        let lock_file = std::fs::read_to_string(&lock_file).expect("a lock file");
        let source = lock_file.lines().find_map(|line| line.strip_prefix("source = \"git+")?.strip_suffix('"'));
        let source = source.expect("a git source").to_owned();
        let locked = |checksum: &str| output.matches(&format!("\nlocked used 0.1.0 {checksum}\n")).count();
        assert_eq!(locked(&format!("git+{source}")), 3, "{output}");
        let checksum = lock_file.lines().find_map(|line| line.strip_prefix("checksum = \"")?.strip_suffix('"'));
        assert_eq!(locked(checksum.expect("a checksum")), 2, "each member that depends on it: {output}");
        source
    };
    let source = source_in_plan();
    assert!(source.contains("?branch=x%2Fy#"), "{source}");
    let version_4 = std::fs::read_to_string(&lock_file).expect("a lock file");
    write(&lock_file, &version_4.replace("version = 4\n", "version = 3\n").replace("x%2Fy", "x/y"));
    assert_eq!(source_in_plan(), source.replace("x%2Fy", "x/y"));
}

/// A token that only cargo's credentials contain is hidden in the output and in the log, even if the registry repeats
/// it.
#[test]
fn token_repeated_by_the_registry_is_redacted() {
    let fixture = ReleaseFixture::create();
    fixture.rehearsal.order_for_every(On::Publish, "a", Fault::refuse(403, &format!("{TOKEN} may not do this")));
    fixture.rehearse(&["-v"]).expect_status(1, "[hidden] may not do this");
    fixture.audit();
    let sidecar = std::fs::read_to_string(fixture.root.join(".shipper/rehearsal.json")).expect("the sidecar");
    assert!(!sidecar.contains(TOKEN) && sidecar.contains("[hidden]"), "{sidecar}");
}

/// Private registries work with the token in cargo's credentials, also with downloads on another host.
#[test]
fn private_registries_are_supported() {
    let private = |downloads_elsewhere| {
        Registry::start_with(Demands { private: true, downloads_elsewhere, ..Demands::default() })
    };
    let fixture = ReleaseFixture::between(private(false), private(true));
    fixture.rehearse(&["--smoke-install", "c"]).expect_success();
    fixture.publish(&[]).expect_success();
    fixture.assert_conclusion(Conclusion::Verified);
}

/// A package that differs from its entry in the index is rejected, because cargo would refuse it as a dependency.
#[test]
fn package_that_differs_from_its_index_entry_is_rejected() {
    let fixture = ReleaseFixture::create();
    fixture.rehearse(&[]).expect_success();
    fixture.rehearsal.order_for_every(On::Download, "a", Fault::refuse(200, "it is something else"));
    fixture.rehearse(&[]).expect_status(1, "but its index has");
}

/// A mirror whose uploads go to the live registry gets no upload, and nothing is recorded.
#[test]
fn mirror_of_the_live_registry_is_rejected() {
    let live = Registry::start();
    let mirror = Registry::start_with(Demands { api: Some(live.base_url()), ..Demands::default() });
    let fixture = ReleaseFixture::between(live, mirror);
    fixture.rehearse(&[]).expect_status(2, "and the upload address of the live registry are the same");
    assert!(fixture.live.uploads().is_empty() && fixture.rehearsal.uploads().is_empty());
    fixture.publish(&[]).expect_status(1, "");
    fixture.assert_conclusion(Conclusion::Verified);
}

/// A second release in the same directory does nothing and names the first, and the log stays intact.
#[test]
#[ignore = "it takes seconds; .ci/run runs it"]
fn second_concurrent_release_is_rejected() {
    let fixture = ReleaseFixture::create();
    let others = ["rehearse", "publish"].map(|action| fixture.command(action, &["--rehearsal-registry", "rehearsal"]));
    let (others, ended) = (Mutex::new(Vec::from(others)), Arc::new(Mutex::new(Vec::new())));
    let results = Arc::clone(&ended);
    fixture.rehearsal.at_upload(move |_| {
        for mut command in others.lock().expect("no panic").drain(..) {
            results.lock().expect("no panic").push(command.output().expect("it starts"));
        }
    });
    fixture.rehearse(&[]).expect_success();
    let ended = ended.lock().expect("no panic");
    assert_eq!(ended.len(), 2);
    for output in ended.iter() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(
            (output.status.code(), stderr.contains("another rehearsal or run holds it")),
            (Some(2), true),
            "{stderr}"
        );
    }
    fixture.publish(&[]).expect_success();
    fixture.assert_conclusion(Conclusion::Verified);
}

/// A terminated run records its end, its cargo stops, and the next run resumes.
#[test]
#[ignore = "it takes seconds; .ci/run runs it"]
fn terminated_run_is_recorded_and_resumed() {
    let fixture = ReleaseFixture::create();
    fixture.rehearse(&[]).expect_success();
    let (log, attempted) = (fixture.log(), Arc::new(Mutex::new(Vec::new())));
    let seen = Arc::clone(&attempted);
    fixture.live.at_upload(move |_| {
        let log = std::fs::read_to_string(&log).expect("the log");
        seen.lock().expect("no panic").push(log.matches("\"package_attempted\"").count());
    });
    let output = fixture.signalled("publish", &fixture.live, "b", "-TERM");
    assert_eq!(*attempted.lock().expect("no panic"), [1, 2], "the log contains an attempt before the upload");
    assert_eq!(output.code, Some(1), "{output:?}");
    let run = fixture.assert_conclusion(Conclusion::Verified).decisions[0].runs[0].clone();
    assert_eq!(run.finished.as_deref(), Some("partial_failure"), "{run:?}");
    fixture.publish(&[]).expect_success();
    let uploads = fixture.live.uploads();
    assert_eq!(["a", "b", "c"].map(|name| uploads.iter().filter(|one| one.name == name && one.kept).count()), [1; 3]);
}

/// A signal stops the program while cargo hangs before there is a plan, and nothing is recorded. The message about an
/// unreadable manifest contains cargo's error.
#[test]
fn hanging_or_failing_cargo_metadata_begins_nothing() {
    let fixture = ReleaseFixture::create();
    let (cargo, begun) = (fixture.sandbox.path("cargo"), fixture.sandbox.path("begun"));
    write(&cargo, &format!("#!/bin/sh\ntouch {}\nsleep 600\n", begun.display()));
    std::fs::set_permissions(&cargo, std::fs::Permissions::from_mode(0o755)).expect("it can be run");
    let mut command = fixture.command("rehearse", &["--rehearsal-registry", "rehearsal"]);
    let running = command.env("CARGO", &cargo).stderr(Stdio::piped()).spawn().expect("it starts");
    let since = SystemTime::now();
    while !begun.exists() {
        assert!(since.elapsed().is_ok_and(|passed| passed < Duration::from_secs(60)), "cargo was not started");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(Command::new("kill").args(["-TERM", &running.id().to_string()]).status().expect("kill").success());
    let output = running.wait_with_output().expect("it ends");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), stderr.contains("the caller asked to stop")), (Some(2), true), "{stderr}");
    write(&fixture.root.join("Cargo.toml"), "[workspace]\nmembers = [\"crates/*\", \"nowhere\"]\n");
    let output = fixture.rehearse(&[]).expect_status(2, "nowhere/Cargo.toml");
    assert!(output.contains("Cargo.toml: cargo failed"), "{output}");
    assert!(!fixture.log().exists(), "nothing is recorded");
}

/// If a file changes during a run, the package differs from the plan, and nothing else is published.
#[test]
fn source_changed_during_a_run_stops_it() {
    let fixture = ReleaseFixture::create();
    fixture.rehearse(&[]).expect_success();
    let source = fixture.root.join("crates/b/src/lib.rs");
    fixture.live.at_upload(move |_| write(&source, "pub fn answer() -> u32 { a::answer() + 1 }"));
    fixture.publish(&[]).expect_status(1, "b@0.1.0: the source changed since the plan was made");
    assert_eq!((fixture.live.versions("a").len(), fixture.live.versions("b").len()), (1, 0));
}

/// If cargo is killed during an upload, the index shows that the upload arrived.
#[test]
fn upload_by_a_killed_cargo_is_found_in_the_index() {
    if !installed(&["pkill"]) {
        return;
    }
    let fixture = ReleaseFixture::create();
    fixture.rehearse(&[]).expect_success();
    let place = fixture.live.address().to_string();
    fixture.live.at_upload(move |upload| {
        if upload.name == "a" {
            let cargo = format!("cargo publish .*{place}.* -p a@0.1.0");
            assert!(Command::new("pkill").args(["-9", "-f", &cargo]).status().expect("pkill").success());
            std::thread::sleep(Duration::from_millis(300));
        }
    });
    let CommandResult { code, output } = fixture.publish(&[]);
    let log = fixture.log_text();
    assert_eq!(code, Some(0), "{output}\n{log}");
    assert!(log.contains("\"outcome\":\"published\""), "{log}");
    assert_eq!(fixture.live.uploads().iter().filter(|upload| upload.name == "a").count(), 1);
}

/// Only rehearsed packages are used, beside a newer published version with other dependencies, and with another crate
/// that depends on a package of the plan.
#[test]
fn rehearsed_packages_are_used_beside_published_versions() {
    let fixture = ReleaseFixture::create();
    let elsewhere = fixture.sandbox.path("elsewhere");
    let on =
        |name: &str, version: &str| format!("[dependencies.{name}]\nversion = \"{version}\"\nregistry = \"live\"\n");
    let publish = |name: &str, version: &str, lines: &str, source: &str| {
        members(&elsewhere, &[(name, &format!("publish = [\"live\"]\n{lines}"), source)]);
        let manifest = elsewhere.join(format!("crates/{name}/Cargo.toml"));
        edit(&manifest, |text| {
            text.replace("version = \"0.1.0\"\nedition", &format!("version = \"{version}\"\nedition"))
        });
        fixture.sandbox.cargo(&elsewhere, &["publish", "-p", name, "--registry", "live"]).expect_success();
        std::fs::remove_dir_all(&elsewhere).expect("removed");
    };
    publish("under", "1.0.0", "", "pub struct It;");
    publish("under", "2.0.0", "", "pub struct It;");
    publish("a", "0.1.9", &on("under", "2"), "pub use under::It; pub fn answer() -> u32 { 42 }");
    publish("plugin", "1.0.0", &on("a", "0.1"), "pub fn make() -> a::It { a::It }");
    let lines = |name: &str, more: &str| append(&fixture.root.join(format!("crates/{name}/Cargo.toml")), more);
    lines("a", &on("under", "1"));
    write(&fixture.root.join("crates/a/src/lib.rs"), "pub use under::It; pub fn answer() -> u32 { 42 }");
    lines("b", &on("plugin", "1"));
    write(
        &fixture.root.join("crates/b/src/lib.rs"),
        "pub fn take(_: a::It) -> u32 { a::answer() } pub fn answer() -> u32 { take(plugin::make()) }",
    );
    append(&fixture.root.join("Cargo.toml"), "[patch.live]\na = { path = \"crates/a\" }\n");
    fixture.unauthorized_uploads.lock().expect("no panic").clear();
    fixture.rehearse(&["--smoke-install", "c"]).expect_success();
    fixture.publish(&[]).expect_success();
    // The published packages are recognized.
    fixture.publish(&[]).expect_success();
    fixture.assert_conclusion(Conclusion::Verified);
}

/// A patch in cargo's configuration is rejected: a rehearsal would build with it, and users without it.
#[test]
fn patch_in_the_configuration_is_rejected() {
    let fixture = ReleaseFixture::create();
    let patch = format!("[patch.{:?}]\na = {{ path = \"crates/a\" }}\n", fixture.live.index_url());
    write(&fixture.root.join(".cargo/config.toml"), &patch);
    for action in ["rehearse", "publish"] {
        fixture.run(action, &["--rehearsal-registry", "rehearsal"]).expect_status(2, "config.toml patches a, but");
    }
}

/// A token in an included configuration file is hidden, even if a build script prints it. Cargo prints its errors even
/// if it is configured to be quiet.
#[test]
fn token_in_an_included_file_is_redacted() {
    let fixture = ReleaseFixture::create();
    let secret = "the-included-secret";
    let config = "include = [\"more.toml\"]\n[term]\nquiet = true\n";
    write(&fixture.root.join(".cargo/config.toml"), config);
    write(&fixture.root.join(".cargo/more.toml"), &format!("[registries.third]\ntoken = {secret:?}\n"));
    write(&fixture.root.join("crates/b/build.rs"), &format!("fn main() {{ panic!(\"here: {secret}\"); }}"));
    let output = fixture.rehearse(&["-v"]).expect_status(1, "here: [hidden]");
    let log = fixture.log_text();
    assert!(!output.contains(secret) && !log.contains(secret), "{output}\n{log}");
    assert!(log.contains("\"package_output\""), "the log contains the output of cargo: {log}");
}

/// A yanked version fails the rehearsal, because users cannot get it.
#[test]
fn yanked_version_fails_the_rehearsal() {
    let fixture = ReleaseFixture::create();
    fixture.rehearse(&[]).expect_success();
    fixture.sandbox.cargo(&fixture.root, &["yank", "--registry", "rehearsal", "a@0.1.0"]).expect_success();
    fixture.rehearse(&[]).expect_status(1, "a 0.1.0 was yanked from the registry rehearsal");
}

/// Cargo succeeds without installing anything, and the rehearsal fails.
#[test]
fn install_of_a_package_without_a_program_is_rejected() {
    let fixture = ReleaseFixture::create();
    let wants = "[features]\ncli = []\n[[bin]]\nname = \"c\"\npath = \"src/main.rs\"\nrequired-features = [\"cli\"]\n";
    append(&fixture.root.join("crates/c/Cargo.toml"), wants);
    fixture.rehearse(&["--smoke-install", "c"]).expect_status(1, "cargo installed no program");
}

/// A log that would be packed is refused before it can change the plan.
#[test]
fn state_dir_inside_package_is_rejected() {
    let fixture = ReleaseFixture::create();
    write(&fixture.root.join("crates/a/log/old"), "x");
    fixture
        .rehearse(&["--state-dir", fixture.root.join("crates/a/log").to_str().expect("UTF-8")])
        .expect_status(2, "would be packed into a");
    assert!(fixture.rehearsal.uploads().is_empty());
}

/// The workspace's own configuration applies from any directory, also to an installation.
#[test]
fn workspace_configuration_applies_from_any_directory() {
    let fixture = ReleaseFixture::create();
    let (config, rest) =
        (fixture.sandbox.path("home/config.toml"), "[registry]\nglobal-credential-providers = [\"cargo:token\"]\n");
    let text = std::fs::read_to_string(&config).expect("the configuration");
    let (registries, _) = text.split_once("[source").expect("registries");
    write(&fixture.root.join(".cargo/config.toml"), registries.strip_prefix(rest).expect("its begin"));
    write(&config, &text.replace(registries, rest));
    for (action, args) in [("rehearse", &["--smoke-install", "c"][..]), ("publish", &[])] {
        let mut command = fixture.command(action, &["--rehearsal-registry", "rehearsal"]);
        let output = command.args(args).current_dir(fixture.sandbox.path("home")).output().expect("it starts");
        assert!(output.status.success(), "{output:?}");
    }
    fixture.assert_conclusion(Conclusion::Verified);
}
