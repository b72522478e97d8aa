//! Files that begin with a dot, a log in the checkout, dependencies that change, private registries, mirrors, two releases at
//! once, signals, and tokens that a registry repeats. Each works, or ends in a recorded failure with a remedy.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use shipper_core::audit::Conclusion;
use shipper_testkit::program::installed;
use shipper_testkit::registry::{CommandResult, Demands, Fault, On, Registry, TOKEN, members, write};
use shipper_testkit::release_fixture::ReleaseFixture;

/// The files of an uploaded package, by name.
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
    let text = std::fs::read_to_string(path).expect("a file");
    write(path, &format!("{text}\n{lines}"));
}

fn git(root: &Path, args: &[&str]) {
    let who = ["-c", "user.name=someone", "-c", "user.email=someone@example.org"];
    CommandResult::run(Command::new("git").current_dir(root).args(who).args(args)).expect_success();
}

/// (Pass) A repository with one package at its root: files that begin with a dot are rehearsed as they are published, a
/// script of the build stays executable, and the log in the checkout is not packed.
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
    // The first command makes a missing Cargo.lock, which belongs to the checkout.
    fixture.run("plan", &[]).expect_success();
    git(&root, &["add", "-A"]);
    git(&root, &["commit", "-qm", "One"]);
    let before = fixture.run("plan", &[]).expect_success();
    fixture.rehearse(&["--smoke-install", "one"]).expect_success();
    let after = fixture.run("plan", &[]).expect_success();
    assert_eq!(before, after, "a log in the checkout is not in the plan");
    // Uncommitted files are not rehearsed either, without the option.
    write(&root.join("src/more.rs"), "// more\n");
    fixture.rehearsal.wipe();
    for action in ["rehearse", "publish"] {
        fixture.run(action, &["--rehearsal-registry", "rehearsal"]).expect_status(2, "not yet committed");
    }
    fixture.rehearse(&["--allow-dirty"]).expect_success();
    fixture.publish(&[]).expect_status(2, "not yet committed");
    fixture.publish(&["--allow-dirty"]).expect_success();
    let log = fixture.log_text();
    assert!(log.contains("cargo publish -p one@0.1.0 --allow-dirty --registry live"), "it shows in the log: {log}");
    let published = files(&fixture.live, "one");
    assert!(published.contains(&"one-0.1.0/.tools/look".to_owned()), "{published:?}");
    assert!(!published.iter().any(|file| file.contains(".shipper") || file.contains("notes")), "{published:?}");
    let without_commit = |files: Vec<String>| -> Vec<String> {
        files.into_iter().filter(|file| !file.ends_with(".cargo_vcs_info.json")).collect()
    };
    assert_eq!(without_commit(files(&fixture.rehearsal, "one")), without_commit(published));
    // It can be repeated.
    fixture.rehearse(&["--allow-dirty"]).expect_success();
}

/// (Fail) An updated dependency makes another plan, whose rehearsal builds with it the packages that the registry has already.
/// A dependency of an unpublished member does not.
#[test]
fn updated_dependency_is_another_plan() {
    let fixture = ReleaseFixture::create();
    let elsewhere = fixture.sandbox.path("elsewhere");
    let publish = |version: &str, source: &str| {
        members(&elsewhere, &[("used", "publish = [\"live\"]\n", source), ("other", "publish = [\"live\"]\n", source)]);
        for name in ["used", "other"] {
            let manifest = elsewhere.join(format!("crates/{name}/Cargo.toml"));
            let text = std::fs::read_to_string(&manifest).expect("a manifest");
            write(&manifest, &text.replace("0.1.0", version));
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
    // The fixture demands a permission for every upload to the live registry. These uploads are not the release's.
    fixture.wrong.lock().expect("no panic").clear();
    fixture.rehearse(&[]).expect_success();
    let before = plan();
    assert!(before.contains("\nlocked used 0.1.0 "), "{before}");
    publish("0.1.1", "pub const IS_GONE: u32 = 42;");
    fixture.wrong.lock().expect("no panic").clear();
    update("other");
    assert_eq!(plan(), before, "what an unpublished member needs is no part of the plan");
    update("used");
    assert!(plan().contains("\nlocked used 0.1.1 "), "{}", plan());
    fixture.publish(&[]).expect_status(1, "of another plan");
    // Built once more.
    fixture.rehearse(&[]).expect_status(1, "cannot find value `IT` in crate `used`");
    fixture.sandbox.cargo(&fixture.root, &["update", "-p", "used", "--precise", "0.1.0"]).expect_success();
    fixture.rehearse(&[]).expect_success();
    fixture.publish(&[]).expect_success();
    fixture.assert_conclusion(Conclusion::Verified);
    // Users would not get the package that the configuration patches in.
    let patch =
        format!("[patch.{:?}]\nused = {{ path = {:?} }}\n", fixture.live.index_url(), elsewhere.join("crates/used"));
    write(&fixture.root.join(".cargo/config.toml"), &patch);
    fixture.rehearse(&[]).expect_status(2, "config.toml patches used, so that");
}

/// (Pass) The plan of each member contains the source of a git dependency as `Cargo.lock` spells it in each of its formats,
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
        let said = fixture.run("plan", &[]).expect_success();
        let lock_file = std::fs::read_to_string(&lock_file).expect("a lock file");
        let source = lock_file.lines().find_map(|line| line.strip_prefix("source = \"git+")?.strip_suffix('"'));
        let source = source.expect("a git source").to_owned();
        let locked = |checksum: &str| said.matches(&format!("\nlocked used 0.1.0 {checksum}\n")).count();
        assert_eq!(locked(&format!("git+{source}")), 3, "{said}");
        let checksum = lock_file.lines().find_map(|line| line.strip_prefix("checksum = \"")?.strip_suffix('"'));
        assert_eq!(locked(checksum.expect("a checksum")), 2, "members that need it: {said}");
        source
    };
    let source = source_in_plan();
    assert!(source.contains("?branch=x%2Fy#"), "{source}");
    let version_4 = std::fs::read_to_string(&lock_file).expect("a lock file");
    write(&lock_file, &version_4.replace("version = 4\n", "version = 3\n").replace("x%2Fy", "x/y"));
    assert_eq!(source_in_plan(), source.replace("x%2Fy", "x/y"));
}

/// (Pass) A token that is only in cargo's credentials, and that the registry repeats, appears nowhere.
#[test]
fn token_repeated_by_the_registry_is_redacted() {
    let fixture = ReleaseFixture::create();
    fixture.rehearsal.order_for_every(On::Publish, "a", Fault::refuse(403, &format!("{TOKEN} may not do this")));
    fixture.rehearse(&["-v"]).expect_status(1, "[hidden] may not do this");
    fixture.audit();
    let sidecar = std::fs::read_to_string(fixture.root.join(".shipper/rehearsal.json")).expect("the sidecar");
    assert!(!sidecar.contains(TOKEN) && sidecar.contains("[hidden]"), "{sidecar}");
}

/// (Pass) Registries that show nothing without a token, which is in cargo's credentials; also with downloads on another host.
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

/// (Fail) The registry's package differs from the entry in its index: cargo would refuse it as a dependency.
#[test]
fn package_that_differs_from_its_index_entry_is_rejected() {
    let fixture = ReleaseFixture::create();
    fixture.rehearse(&[]).expect_success();
    fixture.rehearsal.order_for_every(On::Download, "a", Fault::refuse(200, "it is something else"));
    fixture.rehearse(&[]).expect_status(1, "is not what its index says");
}

/// (Fail) A mirror of the live registry, whose uploads go there: nothing is uploaded, and the log contains the reason.
#[test]
fn mirror_of_the_live_registry_is_rejected() {
    let live = Registry::start();
    let mirror = Registry::start_with(Demands { api: Some(live.base_url()), ..Demands::default() });
    let fixture = ReleaseFixture::between(live, mirror);
    fixture.rehearse(&[]).expect_status(1, "goes to the live registry");
    assert!(fixture.live.uploads().is_empty() && fixture.rehearsal.uploads().is_empty());
    fixture.publish(&[]).expect_status(1, "");
    fixture.assert_conclusion(Conclusion::Verified);
}

/// (Fail) Two at once in one directory: the second does nothing and names the first, and the log stays whole.
#[test]
fn second_concurrent_release_is_rejected() {
    let fixture = ReleaseFixture::create();
    let others = ["rehearse", "publish"].map(|action| fixture.command(action, &["--rehearsal-registry", "rehearsal"]));
    let (others, ended) = (Mutex::new(Vec::from(others)), Arc::new(Mutex::new(Vec::new())));
    let told = Arc::clone(&ended);
    fixture.rehearsal.at_upload(move |_| {
        for mut command in others.lock().expect("no panic").drain(..) {
            told.lock().expect("no panic").push(command.output().expect("it starts"));
        }
    });
    fixture.rehearse(&[]).expect_success();
    let ended = ended.lock().expect("no panic");
    assert_eq!(ended.len(), 2);
    for output in ended.iter() {
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(
            (output.status.code(), said.contains("another rehearsal or run is at work")),
            (Some(2), true),
            "{said}"
        );
    }
    fixture.publish(&[]).expect_success();
    fixture.assert_conclusion(Conclusion::Verified);
}

/// (Pass) Terminated in the middle of a run: the end is in the log, cargo does not go on, and the next run does.
#[test]
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
    assert_eq!(*attempted.lock().expect("no panic"), [1, 2], "an attempt is in the log before it is made");
    assert_eq!(output.code, Some(1), "{output:?}");
    let run = fixture.assert_conclusion(Conclusion::Verified).decisions[0].runs[0].clone();
    assert_eq!(run.finished.as_deref(), Some("partial_failure"), "{run:?}");
    fixture.publish(&[]).expect_success();
    let uploads = fixture.live.uploads();
    assert_eq!(["a", "b", "c"].map(|name| uploads.iter().filter(|one| one.name == name && one.kept).count()), [1; 3]);
}

/// (Fail) A cargo that does not end before there is a plan: a signal stops the program, and nothing was begun. The message
/// about a manifest that cargo cannot read contains cargo's error.
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
        assert!(since.elapsed().is_ok_and(|passed| passed < Duration::from_secs(60)), "it does not run cargo");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(Command::new("kill").args(["-TERM", &running.id().to_string()]).status().expect("kill").success());
    let output = running.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), said.contains("somebody asked to stop")), (Some(2), true), "{said}");
    write(&fixture.root.join("Cargo.toml"), "[workspace]\nmembers = [\"crates/*\", \"nowhere\"]\n");
    let said = fixture.rehearse(&[]).expect_status(2, "nowhere/Cargo.toml");
    assert!(said.contains("cannot be read: cargo failed"), "{said}");
    assert!(!fixture.log().exists(), "nothing was begun");
}

/// (Fail) A file that changes while the packages before it are published: its package differs from the plan, and nothing else
/// is published.
#[test]
fn source_changed_during_a_run_stops_it() {
    let fixture = ReleaseFixture::create();
    fixture.rehearse(&[]).expect_success();
    let source = fixture.root.join("crates/b/src/lib.rs");
    fixture.live.at_upload(move |_| write(&source, "pub fn answer() -> u32 { a::answer() + 1 }"));
    fixture.publish(&[]).expect_status(1, "b@0.1.0: the source changed since the plan was made");
    assert_eq!((fixture.live.versions("a").len(), fixture.live.versions("b").len()), (1, 0));
}

/// (Pass) Cargo is killed while it uploads, as by a system that runs out of memory: the index shows that the upload arrived.
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
            let cargo = format!("cargo publish -p a@0.1.0 .*{place}");
            assert!(Command::new("pkill").args(["-9", "-f", &cargo]).status().expect("pkill").success());
            std::thread::sleep(Duration::from_millis(300));
        }
    });
    let CommandResult { code, said } = fixture.publish(&[]);
    let log = fixture.log_text();
    assert_eq!(code, Some(0), "{said}\n{log}");
    assert!(log.contains("\"publish_reconciled\",\"outcome\":\"published\""), "{log}");
    assert_eq!(fixture.live.uploads().iter().filter(|upload| upload.name == "a").count(), 1);
}

/// (Pass) A backport, beside a newer version that is published already and needs something else; and a crate from elsewhere
/// that needs a package of the plan too: only the rehearsed one is used.
#[test]
fn rehearsed_packages_are_used_beside_published_versions() {
    let fixture = ReleaseFixture::create();
    let elsewhere = fixture.sandbox.path("elsewhere");
    let on =
        |name: &str, version: &str| format!("[dependencies.{name}]\nversion = \"{version}\"\nregistry = \"live\"\n");
    let publish = |name: &str, version: &str, lines: &str, source: &str| {
        members(&elsewhere, &[(name, &format!("publish = [\"live\"]\n{lines}"), source)]);
        let manifest = elsewhere.join(format!("crates/{name}/Cargo.toml"));
        let text = std::fs::read_to_string(&manifest).expect("a manifest");
        write(&manifest, &text.replace("version = \"0.1.0\"\nedition", &format!("version = \"{version}\"\nedition")));
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
    fixture.wrong.lock().expect("no panic").clear();
    fixture.rehearse(&["--smoke-install", "c"]).expect_success();
    fixture.publish(&[]).expect_success();
    // The published packages are recognized.
    fixture.publish(&[]).expect_success();
    fixture.assert_conclusion(Conclusion::Verified);
}

/// (Fail) A patch in cargo's configuration: a rehearsal would build with it, and users without it.
#[test]
fn patch_in_the_configuration_is_rejected() {
    let fixture = ReleaseFixture::create();
    let patch = format!("[patch.{:?}]\na = {{ path = \"crates/a\" }}\n", fixture.live.index_url());
    write(&fixture.root.join(".cargo/config.toml"), &patch);
    for action in ["rehearse", "publish"] {
        fixture.run(action, &["--rehearsal-registry", "rehearsal"]).expect_status(2, "config.toml patches a, so that");
    }
}

/// (Pass) A token in a file that cargo's configuration includes is hidden too, also where a build script prints it; and cargo
/// that is configured to be quiet prints its errors all the same.
#[test]
fn token_in_an_included_file_is_redacted() {
    let fixture = ReleaseFixture::create();
    let secret = "the-included-secret";
    let config = "include = [\"more.toml\"]\n[term]\nquiet = true\n";
    write(&fixture.root.join(".cargo/config.toml"), config);
    write(&fixture.root.join(".cargo/more.toml"), &format!("[registries.third]\ntoken = {secret:?}\n"));
    write(&fixture.root.join("crates/b/build.rs"), &format!("fn main() {{ panic!(\"here: {secret}\"); }}"));
    let said = fixture.rehearse(&["-v"]).expect_status(1, "here: [hidden]");
    let log = fixture.log_text();
    assert!(!said.contains(secret) && !log.contains(secret), "{said}\n{log}");
    assert!(log.contains("\"package_output\""), "what cargo printed is in the log: {log}");
}

/// (Fail) A version that was yanked from a registry fails the rehearsal: users cannot get it.
#[test]
fn yanked_version_fails_the_rehearsal() {
    let fixture = ReleaseFixture::create();
    fixture.rehearse(&[]).expect_success();
    fixture.sandbox.cargo(&fixture.root, &["yank", "--registry", "rehearsal", "a@0.1.0"]).expect_success();
    fixture.rehearse(&[]).expect_status(1, "a 0.1.0 was yanked from the registry rehearsal");
}

/// (Fail) Cargo succeeds if it installs nothing, and the rehearsal fails.
#[test]
fn install_of_a_package_without_a_program_is_rejected() {
    let fixture = ReleaseFixture::create();
    let wants = "[features]\ncli = []\n[[bin]]\nname = \"c\"\npath = \"src/main.rs\"\nrequired-features = [\"cli\"]\n";
    append(&fixture.root.join("crates/c/Cargo.toml"), wants);
    fixture.rehearse(&["--smoke-install", "c"]).expect_status(1, "cargo installed no program");
}

/// (Fail) A log that would be packed is refused before it can change the plan.
#[test]
fn state_dir_inside_package_is_rejected() {
    let fixture = ReleaseFixture::create();
    write(&fixture.root.join("crates/a/log/old"), "x");
    fixture
        .rehearse(&["--state-dir", fixture.root.join("crates/a/log").to_str().expect("UTF-8")])
        .expect_status(2, "would be packed into a");
    assert!(fixture.rehearsal.uploads().is_empty());
}

/// (Pass) Called from another directory, the workspace's own configuration applies, also to an installation.
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
