//! The real cargo works with the test registry, which fails exactly as ordered. Otherwise the tests of rehearsals would
//! find defects of the test registry.

use std::io::ErrorKind;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;
use shipper_testkit::registry::{
    CargoSandbox, CommandResult, Demands, Fault, On, Registry, TOKEN, members, three_members, write,
};

const ANSWER: &str = "pub fn answer() -> u32 { 42 }";

/// Creates a workspace of one crate without dependencies.
fn one(sandbox: &CargoSandbox, name: &str) -> PathBuf {
    let root = sandbox.path(&format!("one-{name}"));
    members(&root, &[(name, "", ANSWER)]);
    root
}

/// Publishes without a build.
fn publish(sandbox: &CargoSandbox, root: &Path, name: &str) -> CommandResult {
    sandbox.cargo(root, &["publish", "--registry", "rehearsal", "--no-verify", "-p", name])
}

#[test]
fn dependent_crates_are_published_and_installed() {
    // Cargo publishes, resolves, downloads, builds and installs crates, for any names and features of a dependency.
    let registry = Registry::start();
    let sandbox = CargoSandbox::new("rehearsal", &registry);
    let root = sandbox.path("all");
    let (b, c) = (
        "[features]\nmore = [\"dep:first\"]\nplain = []\n[dependencies]\n\
         first = { package = \"a\", version = \"0.1\", registry = \"rehearsal\", optional = true }\n",
        "[target.'cfg(all())'.dependencies]\n\
         b = { version = \"0.1.0\", registry = \"rehearsal\", features = [\"more\"] }\n",
    );
    let asks = "#[cfg(feature = \"more\")]\npub fn answer() -> u32 { first::answer() }";
    members(&root, &[("a", "", ANSWER), ("b", b, asks), ("c", c, "fn main() { println!(\"{}\", b::answer()); }")]);
    for (name, further) in [("a", &["--no-verify"][..]), ("b", &["--no-verify"]), ("c", &[])] {
        // A member searches the registry for its siblings, so each is published from a workspace of its own.
        let alone = root.join("crates").join(name);
        let manifest = std::fs::read_to_string(alone.join("Cargo.toml")).expect("a manifest");
        write(&alone.join("Cargo.toml"), &format!("{manifest}\n[workspace]\n"));
        let output =
            sandbox.cargo(&alone, &[&["publish", "--registry", "rehearsal"], further].concat()).expect_success();
        assert!(output.contains("Published"), "{output}");
    }

    let uploads = registry.uploads();
    assert_eq!(uploads.iter().map(|upload| upload.name.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
    assert!(uploads.iter().all(|upload| upload.kept && upload.token.as_deref() == Some(TOKEN)), "{uploads:?}");
    assert_eq!(registry.versions("a"), ["0.1.0"]);
    assert!(registry.crate_bytes("a", "0.1.0").expect("its bytes").starts_with(&[0x1f, 0x8b]), "a compressed archive");
    let entry = registry.index_entry("b", "0.1.0").expect("an entry");
    assert_eq!((&entry["v"], &entry["features2"]["more"][0]), (&2.into(), &"dep:first".into()));
    assert!(entry["features"]["plain"].is_array() && entry["features"]["more"].is_null(), "{entry}");
    let first = &entry["deps"][0];
    assert_eq!((&first["name"], &first["package"], &first["registry"]), (&"first".into(), &"a".into(), &Value::Null));

    let installed = sandbox.path("installed");
    let into = installed.to_str().expect("UTF-8");
    sandbox
        .cargo(&sandbox.path(""), &["install", "c", "--registry", "rehearsal", "--debug", "--root", into])
        .expect_success();
    let program = std::process::Command::new(installed.join("bin/c")).output().expect("it runs");
    assert_eq!(program.stdout, b"42\n");

    let output = sandbox.cargo(&sandbox.path(""), &["info", "b", "--registry", "rehearsal"]).expect_success();
    assert!(output.contains("version: 0.1.0"), "{output}");
    sandbox.cargo(&sandbox.path(""), &["yank", "c@0.1.0", "--registry", "rehearsal"]).expect_success();
    let entry = registry.index_entry("c", "0.1.0").expect("it is still in the index");
    assert_eq!(entry["yanked"], true);
    // The message depends on cargo's version. The same call succeeded before the version was yanked.
    let again = sandbox.path("again");
    let into = again.to_str().expect("UTF-8");
    let install = ["install", "c", "--registry", "rehearsal", "--debug", "--root", into];
    let output = sandbox.cargo(&sandbox.path(""), &install).expect_failure();
    assert!(output.contains("`c`") && !again.join("bin").exists(), "a yanked version is not installed: {output}");
}

#[test]
fn version_can_be_uploaded_once() {
    // Cargo finds an existing version in the index. If the index hides it, the registry refuses it.
    let registry = Registry::start();
    let sandbox = CargoSandbox::new("rehearsal", &registry);
    let root = one(&sandbox, "seen");
    publish(&sandbox, &root, "seen").expect_success();
    let output = publish(&sandbox, &root, "seen").expect_failure();
    assert!(output.contains("crate seen@0.1.0 already exists"), "{output}");
    assert_eq!(registry.uploads().len(), 1, "nothing was sent");

    registry.order(On::Publish, "hidden", 1, Fault::hide().and_answer(500, "kept all the same"));
    let root = one(&sandbox, "hidden");
    let output = publish(&sandbox, &root, "hidden").expect_failure();
    assert!(output.contains("kept all the same"), "{output}");
    let output = publish(&sandbox, &root, "hidden").expect_failure();
    assert!(output.contains("crate version `0.1.0` is already uploaded"), "{output}");
    assert_eq!(registry.uploads().iter().map(|upload| upload.kept).collect::<Vec<_>>(), [true, true, false]);

    registry.wipe();
    assert!(registry.versions("seen").is_empty());
    publish(&sandbox, &root, "hidden").expect_success();
}

#[test]
fn unauthenticated_upload_is_rejected() {
    // An upload needs the token, and a private registry needs it for every request.
    let registry = Registry::start();
    let sandbox = CargoSandbox::new("rehearsal", &registry);
    let root = one(&sandbox, "a");
    let invalid_token = [("CARGO_REGISTRIES_REHEARSAL_TOKEN", "wrong")];
    let output = sandbox
        .cargo_with(&invalid_token, &root, &["publish", "--registry", "rehearsal", "--no-verify"])
        .expect_failure();
    assert!(output.contains("403") && output.contains("authentication failed"), "{output}");
    assert!(registry.uploads().is_empty() && registry.versions("a").is_empty());
    let asked = registry.requests();
    assert_eq!(asked.last().and_then(|request| request.token.as_deref()), Some("wrong"));

    let private = Registry::start_with(Demands { token: "inside".to_owned(), private: true, ..Demands::default() });
    let sandbox = CargoSandbox::new("rehearsal", &private);
    publish(&sandbox, &one(&sandbox, "a"), "a").expect_success();
    assert_eq!(private.versions("a"), ["0.1.0"]);
    let output = sandbox
        .cargo_with(&invalid_token, &sandbox.path(""), &["info", "a", "--registry", "rehearsal"])
        .expect_failure();
    assert!(output.contains("token rejected"), "{output}");
}

#[test]
fn uploads_fail_as_ordered() {
    // Each ordered fault has its documented effect, and only on its request.
    let registry = Registry::start();
    let sandbox = CargoSandbox::new("rehearsal", &registry);

    // The second of two requests fails.
    registry.order(On::Publish, "a", 2, Fault::refuse(500, "out of order"));
    let root = one(&sandbox, "a");
    publish(&sandbox, &root, "a").expect_success();
    registry.wipe();
    let output = publish(&sandbox, &root, "a").expect_failure();
    assert!(output.contains("500") && output.contains("out of order"), "{output}");
    assert!(registry.versions("a").is_empty());
    publish(&sandbox, &root, "a").expect_success();

    // The answer breaks off, once with the upload kept and once with it lost.
    for (name, fault, kept) in [("b", Fault::cut_off(), 1), ("c", Fault::cut_off().and_lose_it(), 0)] {
        registry.order(On::Publish, name, 1, fault);
        publish(&sandbox, &one(&sandbox, name), name).expect_failure();
        assert_eq!(registry.versions(name).len(), kept, "{name}");
    }

    // A late answer is accepted.
    registry.order(On::Publish, "d", 1, Fault::late(Duration::from_millis(700)));
    let start = Instant::now();
    publish(&sandbox, &one(&sandbox, "d"), "d").expect_success();
    assert!(start.elapsed() >= Duration::from_millis(700));

    // An order can be for every request, and can be cancelled.
    registry.order_for_every(On::Index, "e", Fault::refuse(503, "busy"));
    let root = one(&sandbox, "e");
    let output = publish(&sandbox, &root, "e").expect_failure();
    assert!(output.contains("503"), "{output}");
    registry.mend();
    publish(&sandbox, &root, "e").expect_success();
}

#[test]
fn delayed_index_shows_a_version_late() {
    // Cargo polls until the index shows its upload.
    let registry = Registry::start();
    let sandbox = CargoSandbox::new("rehearsal", &registry);
    registry.order(On::Publish, "a", 1, Fault::show_after(2));
    let output = publish(&sandbox, &one(&sandbox, "a"), "a").expect_success();
    assert!(output.contains("Published"), "{output}");
    let requests = registry.requests();
    let after_upload = requests.iter().skip_while(|request| request.method != "PUT");
    let looks = after_upload.filter(|request| request.path == "/index/1/a").count();
    assert_eq!(looks, 3, "two without the version, one with it");
}

#[test]
fn siblings_without_a_registry_are_looked_up_on_crates_io() {
    // A rehearsal cannot publish an unchanged workspace: a dependency with path and version is on crates-io once
    // published.
    let registry = Registry::start();
    let sandbox = CargoSandbox::new("rehearsal", &registry);
    let root = sandbox.path("three");
    three_members(&root);
    publish(&sandbox, &root, "a").expect_success();
    let output = publish(&sandbox, &root, "b").expect_failure();
    assert!(output.contains("no matching package named `a` found"), "{output}");
    assert_eq!(registry.uploads().len(), 1);
}

#[test]
fn stopped_registry_refuses_connections() {
    // A stopped registry refuses connections at once, and has the same packages after a restart.
    let registry = Registry::start();
    let sandbox = CargoSandbox::new("rehearsal", &registry);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sees = Arc::clone(&seen);
    registry.at_upload(move |upload| sees.lock().expect("not poisoned").push((upload.name.clone(), upload.kept)));

    registry.order(On::Publish, "a", 1, Fault::vanish());
    publish(&sandbox, &one(&sandbox, "a"), "a").expect_failure();
    let refused = TcpStream::connect(registry.address()).expect_err("the listener is closed");
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    assert_eq!(
        *seen.lock().expect("not poisoned"),
        [("a".to_owned(), false)],
        "the hook runs before the registry keeps it"
    );
    assert_eq!(registry.versions("a"), ["0.1.0"]);

    registry.come_back();
    let output = publish(&sandbox, &one(&sandbox, "a"), "a").expect_failure();
    assert!(output.contains("already exists"), "{output}");

    // A registry that vanishes closes the connection of a waiting client.
    registry.order(On::Publish, "b", 1, Fault::never());
    let root = one(&sandbox, "b");
    let handle = registry.clone();
    let waiting = std::thread::spawn(move || {
        let arrived = handle.wait_until(Duration::from_secs(30), |asked| {
            asked.iter().filter(|request| request.method == "PUT").count() == 2
        });
        handle.vanish();
        arrived
    });
    publish(&sandbox, &root, "b").expect_failure();
    assert!(waiting.join().expect("ends"), "the upload arrived");

    let address = registry.address();
    drop(registry);
    assert!(TcpStream::connect(address).is_err(), "the last handle stops it");
}
