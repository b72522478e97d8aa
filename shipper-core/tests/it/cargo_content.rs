//! The live registry gets only rehearsed packages: no code of the plan runs during the publish, other content on the
//! registry is recorded, and packages are built with the siblings and dependencies that users get.

use std::os::unix::fs::PermissionsExt;

use shipper_core::audit::Conclusion;
use shipper_testkit::registry::{CommandResult, Fault, On, edit, members, write};
use shipper_testkit::release_fixture::ReleaseFixture;

const LIVE: &str = "publish = [\"live\"]\n";

/// Returns the text members of that name in the events of that type.
fn recorded(fixture: &ReleaseFixture, event: &str, member: &str) -> Vec<String> {
    let log = fixture.log_text();
    let events = log.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"));
    let values = events.filter(|entry| entry["event_type"]["type"] == event);
    values.filter_map(|value| value["event_type"][member].as_str().map(str::to_owned)).collect()
}

/// A build script runs in the rehearsal only. The log has the content of each package, equal in rehearsal and run, and
/// the checksum in the index.
#[test]
fn build_scripts_do_not_run_in_a_publish() {
    let fixture = ReleaseFixture::create();
    let ran = fixture.sandbox.path("ran");
    let script = "fn main() { std::fs::write(std::env::var(\"RAN\").unwrap(), \"yes\").unwrap(); }";
    write(&fixture.root.join("crates/b/build.rs"), script);
    let run = |action: &str| {
        let mut command = fixture.command(action, &["--rehearsal-registry", "rehearsal"]);
        CommandResult::run(command.env("RAN", &ran)).expect_success();
        std::fs::remove_file(&ran).is_ok()
    };
    assert!(run("rehearse"), "the rehearsal builds the package");
    assert!(!run("publish"), "the publish builds nothing");
    let rehearsed = recorded(&fixture, "rehearsal_package_published", "content");
    assert_eq!(rehearsed.len(), 3);
    for event in ["package_uploaded", "package_published"] {
        assert_eq!(recorded(&fixture, event, "content"), rehearsed, "{event}");
        let in_index = ["a", "b", "c"].map(|name| fixture.live.index_entry(name, "0.1.0").expect("an entry"));
        let in_index = in_index.map(|entry| entry["cksum"].as_str().expect("a checksum").to_owned());
        assert_eq!(recorded(&fixture, event, "cksum"), in_index, "{event}");
    }
    fixture.assert_conclusion(Conclusion::Verified);
}

/// A live registry that shows another file than was uploaded ends the run, and the log says so.
#[test]
fn another_file_on_the_live_registry_is_recorded() {
    let fixture = ReleaseFixture::create();
    fixture.rehearse(&[]).expect_success();
    fixture.live.order(On::Publish, "a", 1, Fault::tamper());
    fixture.publish(&[]).expect_status(1, "the registry shows this version with other content than was uploaded");
    let uploaded = recorded(&fixture, "package_uploaded", "cksum");
    assert_eq!(recorded(&fixture, "package_content_mismatch", "expected"), uploaded);
    assert_ne!(recorded(&fixture, "package_content_mismatch", "found"), uploaded);
    let audited = fixture.assert_conclusion(Conclusion::Violated);
    assert!(audited.findings.iter().any(|finding| finding.code.as_str() == "published-content-differs"));
}

/// A program that changes a package between its comparison with the plan and its upload is recorded.
#[test]
#[ignore = "it takes seconds; .ci/run runs it"]
fn change_between_comparison_and_upload_is_recorded() {
    let fixture = ReleaseFixture::create();
    fixture.rehearse(&[]).expect_success();
    let (cargo, source) = (fixture.sandbox.path("cargo"), fixture.root.join("crates/b/src/lib.rs"));
    let real = std::env::var("CARGO").expect("the cargo of the test");
    let script = format!(
        "#!/bin/sh\ncase \"$*\" in *publish*b@0.1.0*) echo '// more' >> {} ;; esac\nexec {real} \"$@\"\n",
        source.display()
    );
    write(&cargo, &script);
    std::fs::set_permissions(&cargo, PermissionsExt::from_mode(0o755)).expect("it can be run");
    let mut command = fixture.command("publish", &["--rehearsal-registry", "rehearsal"]);
    let message = "b@0.1.0: another file was uploaded";
    CommandResult::run(command.env("CARGO", &cargo)).expect_status(1, message);
    assert_eq!(["a", "b", "c"].map(|name| fixture.live.versions(name).len()), [1, 1, 0]);
    let found = fixture.live.index_entry("b", "0.1.0").expect("an entry")["cksum"].clone();
    assert_eq!(recorded(&fixture, "package_content_mismatch", "found"), [found.as_str().expect("a checksum")]);
    let audited = fixture.assert_conclusion(Conclusion::Violated);
    assert!(audited.findings.iter().any(|finding| finding.code.as_str() == "published-content-differs"));
}

/// A package is built with the new version of its sibling, although a dependency locks the published one.
#[test]
fn old_version_of_a_sibling_is_not_used() {
    let fixture = ReleaseFixture::create();
    let elsewhere = fixture.sandbox.path("elsewhere");
    let utils = "[dependencies]\nutils = { version = \"0.1\", registry = \"live\" }\n";
    members(&elsewhere, &[("utils", LIVE, "pub fn old() {}"), ("helper", LIVE, "")]);
    let manifest = elsewhere.join("crates/helper/Cargo.toml");
    fixture.sandbox.cargo(&elsewhere, &["publish", "-p", "utils", "--registry", "live"]).expect_success();
    edit(&manifest, |text| text + utils);
    fixture
        .sandbox
        .cargo(&elsewhere, &["publish", "-p", "helper", "--no-verify", "--registry", "live"])
        .expect_success();

    // No permission was needed for these.
    fixture.unauthorized_uploads.lock().expect("no panic").clear();

    std::fs::remove_dir_all(fixture.root.join("crates")).expect("removed");
    let user = format!(
        "{LIVE}[dependencies]\nutils = {{ path = \"../utils\", version = \"0.1\", registry = \"live\" }}\n\
         [dev-dependencies]\nhelper = {{ version = \"0.1\", registry = \"live\" }}\n"
    );
    members(&fixture.root, &[("utils", LIVE, "pub fn new() {}"), ("user", &user, "pub fn f() { utils::old() }")]);
    let manifest = fixture.root.join("crates/utils/Cargo.toml");
    edit(&manifest, |text| text.replace("0.1.0", "0.1.1"));
    fixture.rehearse(&[]).expect_status(1, "cannot find function `old`");
    write(&fixture.root.join("crates/user/src/lib.rs"), "pub fn f() { utils::new() }");
    fixture.rehearse(&[]).expect_success();
    fixture.publish(&[]).expect_success();
    fixture.assert_conclusion(Conclusion::Verified);
}

/// The plan contains the permissions of files. It does not contain the dependencies of an unpublished test helper, nor
/// those of a published version of a sibling.
#[test]
fn plan_has_what_users_get() {
    let fixture = ReleaseFixture::create();
    let elsewhere = fixture.sandbox.path("elsewhere");
    members(&elsewhere, &[("a", LIVE, ""), ("mockserver", LIVE, "")]);
    for name in ["a", "mockserver"] {
        let args = ["publish", "-p", name, "--no-verify", "--registry", "live"];
        fixture.sandbox.cargo(&elsewhere, &args).expect_success();
    }
    let helper = "publish = false\n[dependencies]\nmockserver = { version = \"0.1\", registry = \"live\" }\n\
                  a = { version = \"0.1\", registry = \"live\" }\n";
    members(&fixture.root, &[("testkit", helper, "")]);
    let manifest = fixture.root.join("crates/b/Cargo.toml");
    edit(&manifest, |text| text + "[dev-dependencies]\ntestkit = { path = \"../testkit\" }\n");
    let before = fixture.run("plan", &[]).expect_success();
    assert!(!before.contains("locked"), "{before}");
    #[cfg(unix)]
    {
        let source = fixture.root.join("crates/a/src/lib.rs");
        std::fs::set_permissions(source, PermissionsExt::from_mode(0o755)).expect("a mode");
        let after = fixture.run("plan", &[]).expect_success();
        assert!(
            after.contains("\nexecutable src/lib.rs\n") && after.lines().next() != before.lines().next(),
            "{after}"
        );
    }
}

/// `status` tells which packages are published, what the gate would answer and what comes next, from any directory of the
/// workspace. It records nothing. `-p` makes a plan of one package.
#[test]
fn status_names_the_next_step() {
    let fixture = ReleaseFixture::create();
    let status = |args: &[&str]| {
        let mut command = fixture.sandbox.command(shipper_testkit::program::binary("shipper-core", "shipper-release"));
        command.current_dir(fixture.root.join("crates/a/src")).args(["status", "--live-registry", "live"]);
        CommandResult::run(command.args(["--rehearsal-registry", "rehearsal"]).args(args))
    };
    let before = status(&[]).expect_status(1, "a@0.1.0: not on live\n");
    assert!(
        before.contains("\ngate: refused: ")
            && before.contains("\nnext: shipper-release rehearse --live-registry live "),
        "{before}"
    );
    assert!(!fixture.log().exists(), "it records nothing");
    fixture.rehearse(&["-p", "a"]).expect_success();
    fixture.publish(&["-p", "a"]).expect_success();
    assert_eq!(fixture.live.uploads().len(), 1);
    let after = status(&["--format", "json"]).expect_status(1, "");
    let after: serde_json::Value = serde_json::from_str(after.trim()).expect("JSON");
    let states = after["packages"].as_array().expect("packages").iter().map(|package| &package["state"]);
    assert_eq!(states.collect::<Vec<_>>(), ["published", "absent", "absent"]);
    assert_eq!(after["gate"]["reasons"][0], "stale-plan");
    status(&["-p", "a"]).expect_status(0, "next: nothing is left to publish");
    fixture.run("plan", &["-p", "nothing"]).expect_status(2, "no package \"nothing\"");
}

/// Returns a `.crate` file with another text of its manifest.
fn with_manifest(file: &[u8], change: impl Fn(&str) -> String) -> Vec<u8> {
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(file));
    let mut changed = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    for entry in archive.entries().expect("an archive") {
        let mut entry = entry.expect("an entry");
        let (path, mut header) = (entry.path().expect("a path").into_owned(), entry.header().clone());
        let mut text = String::new();
        std::io::Read::read_to_string(&mut entry, &mut text).expect("UTF-8");
        let text = if path.ends_with("Cargo.toml") { change(&text) } else { text };
        header.set_size(text.len() as u64);
        changed.append_data(&mut header, path, text.as_bytes()).expect("memory");
    }
    changed.into_inner().expect("memory").finish().expect("memory")
}

/// Members whose versions are live with the same content are not built in a rehearsal, and a run skips them, also if an
/// older version of cargo published one. With other content, nothing is uploaded.
#[test]
fn unbumped_members_are_not_built_and_skipped() {
    let fixture = ReleaseFixture::create();
    std::fs::remove_dir_all(fixture.root.join("crates")).expect("removed");
    let on_common =
        format!("{LIVE}[dependencies]\ncommon = {{ path = \"../common\", version = \"0.1\", registry = \"live\" }}\n");
    let sources = [("common", LIVE, "pub fn f() {}"), ("user", &on_common, "pub use common::f;"), ("zz", LIVE, "")];
    members(&fixture.root, &sources);
    write(&fixture.root.join("crates/zz/build.rs"), "fn main() { panic!(\"zz is built\"); }");
    for name in ["common", "zz"] {
        let args = ["publish", "-p", name, "--no-verify", "--registry", "live"];
        fixture.sandbox.cargo(&fixture.root, &args).expect_success();
    }
    // No permission was needed for these.
    fixture.unauthorized_uploads.lock().expect("no panic").clear();
    let published = fixture.live.crate_bytes("zz", "0.1.0").expect("a package");
    let older = with_manifest(&published, |manifest| {
        let found = ["build = ", "auto", "readme = ", "[lib]", "name = \"zz\"\npath", "path = "];
        let kept = manifest.replace("[lib]\nname = \"zz\"\n", "");
        kept.lines()
            .filter(|line| !found.iter().any(|found| line.starts_with(found)))
            .map(|line| format!("{line}\n"))
            .collect()
    });
    assert_ne!(older, published);
    fixture.live.replace_crate("zz", "0.1.0", older.clone());
    fixture.rehearse(&[]).expect_success();
    assert_eq!(fixture.rehearsal.uploads().len(), 3, "the plan is whole");
    let log = fixture.log_text();
    assert_eq!(log.matches(r#""already_published":true"#).count(), 2, "{log}");
    fixture.publish(&[]).expect_success();
    let run = fixture.assert_conclusion(Conclusion::Verified).decisions[0].runs[0].clone();
    assert_eq!((run.published, run.skipped), (1, 2));

    let hostile = with_manifest(&older, |manifest| format!("{manifest}\n[dependencies]\ncommon = \"0.1\"\n"));
    fixture.live.replace_crate("zz", "0.1.0", hostile);
    let message = "the registry live has 0.1.0 with another content (package.version in crates/zz/Cargo.toml); bump the \
                   version, or leave the package out with --exclude";
    fixture.rehearse(&[]).expect_status(2, message);
    fixture.live.replace_crate("zz", "0.1.0", older);
    write(&fixture.root.join("crates/zz/src/lib.rs"), "// comment");
    fixture.rehearse(&[]).expect_status(2, message);
    assert_eq!(fixture.rehearsal.uploads().len(), 3, "nothing is uploaded");
}
