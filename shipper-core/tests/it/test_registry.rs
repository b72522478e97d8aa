//! The real cargo can use the tests' own registry, which fails exactly as a test orders. Otherwise tests of rehearsals would
//! find the registry's defects.

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

/// A workspace of one crate without dependencies.
fn one(sandbox: &CargoSandbox, name: &str) -> PathBuf {
    let root = sandbox.path(&format!("one-{name}"));
    members(&root, &[(name, "", ANSWER)]);
    root
}

/// Publishes without building.
fn publish(sandbox: &CargoSandbox, root: &Path, name: &str) -> CommandResult {
    sandbox.cargo(root, &["publish", "--registry", "rehearsal", "--no-verify", "-p", name])
}

#[test]
fn dependent_crates_are_published_and_installed() {
    // (Pass) Cargo publishes, resolves, downloads, builds and installs, whatever names and features a dependency has.
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
        // A member looks for its siblings in the registry, so each is published from a workspace of its own.
        let alone = root.join("crates").join(name);
        let manifest = std::fs::read_to_string(alone.join("Cargo.toml")).expect("a manifest");
        write(&alone.join("Cargo.toml"), &format!("{manifest}\n[workspace]\n"));
        let said = sandbox.cargo(&alone, &[&["publish", "--registry", "rehearsal"], further].concat()).expect_success();
        assert!(said.contains("Published"), "{said}");
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
    let said = std::process::Command::new(installed.join("bin/c")).output().expect("it runs");
    assert_eq!(said.stdout, b"42\n");

    let said = sandbox.cargo(&sandbox.path(""), &["info", "b", "--registry", "rehearsal"]).expect_success();
    assert!(said.contains("version: 0.1.0"), "{said}");
    sandbox.cargo(&sandbox.path(""), &["yank", "c@0.1.0", "--registry", "rehearsal"]).expect_success();
    let entry = registry.index_entry("c", "0.1.0").expect("it is still in the index");
    assert_eq!(entry["yanked"], true);
    // Its message depends on cargo's version; the same call succeeded before the version was yanked.
    let again = sandbox.path("again");
    let into = again.to_str().expect("UTF-8");
    let install = ["install", "c", "--registry", "rehearsal", "--debug", "--root", into];
    let said = sandbox.cargo(&sandbox.path(""), &install).expect_failure();
    assert!(said.contains("`c`") && !again.join("bin").exists(), "a yanked version is not installed: {said}");
}

#[test]
fn version_can_be_uploaded_once() {
    // (Fail) Cargo sees in the index that a version is there; where the index hides it, the registry refuses.
    let registry = Registry::start();
    let sandbox = CargoSandbox::new("rehearsal", &registry);
    let root = one(&sandbox, "seen");
    publish(&sandbox, &root, "seen").expect_success();
    let said = publish(&sandbox, &root, "seen").expect_failure();
    assert!(said.contains("crate seen@0.1.0 already exists"), "{said}");
    assert_eq!(registry.uploads().len(), 1, "it was not even sent");

    registry.order(On::Publish, "hidden", 1, Fault::hide().and_answer(500, "kept all the same"));
    let root = one(&sandbox, "hidden");
    let said = publish(&sandbox, &root, "hidden").expect_failure();
    assert!(said.contains("kept all the same"), "{said}");
    let said = publish(&sandbox, &root, "hidden").expect_failure();
    assert!(said.contains("crate version `0.1.0` is already uploaded"), "{said}");
    assert_eq!(registry.uploads().iter().map(|upload| upload.kept).collect::<Vec<_>>(), [true, true, false]);

    registry.wipe();
    assert!(registry.versions("seen").is_empty());
    publish(&sandbox, &root, "hidden").expect_success();
}

#[test]
fn unauthenticated_upload_is_rejected() {
    // (Fail) An upload wants the token; a private registry wants it for every request, and cargo gives it.
    let registry = Registry::start();
    let sandbox = CargoSandbox::new("rehearsal", &registry);
    let root = one(&sandbox, "a");
    let wrong = [("CARGO_REGISTRIES_REHEARSAL_TOKEN", "wrong")];
    let said =
        sandbox.cargo_with(&wrong, &root, &["publish", "--registry", "rehearsal", "--no-verify"]).expect_failure();
    assert!(said.contains("403") && said.contains("authentication failed"), "{said}");
    assert!(registry.uploads().is_empty() && registry.versions("a").is_empty());
    let asked = registry.requests();
    assert_eq!(asked.last().and_then(|request| request.token.as_deref()), Some("wrong"));

    let private = Registry::start_with(Demands { token: "inside".to_owned(), private: true, ..Demands::default() });
    let sandbox = CargoSandbox::new("rehearsal", &private);
    publish(&sandbox, &one(&sandbox, "a"), "a").expect_success();
    assert_eq!(private.versions("a"), ["0.1.0"]);
    let said =
        sandbox.cargo_with(&wrong, &sandbox.path(""), &["info", "a", "--registry", "rehearsal"]).expect_failure();
    assert!(said.contains("token rejected"), "{said}");
}

#[test]
fn uploads_fail_as_ordered() {
    // (Fail) Each ordered fault concerns the request that it was ordered for, and has its documented effect.
    let registry = Registry::start();
    let sandbox = CargoSandbox::new("rehearsal", &registry);

    // The second of two: the first succeeds.
    registry.order(On::Publish, "a", 2, Fault::refuse(500, "out of order"));
    let root = one(&sandbox, "a");
    publish(&sandbox, &root, "a").expect_success();
    registry.wipe();
    let said = publish(&sandbox, &root, "a").expect_failure();
    assert!(said.contains("500") && said.contains("out of order"), "{said}");
    assert!(registry.versions("a").is_empty());
    publish(&sandbox, &root, "a").expect_success();

    // The answer breaks off, once with the upload kept and once with it lost.
    for (name, fault, kept) in [("b", Fault::cut_off(), 1), ("c", Fault::cut_off().and_lose_it(), 0)] {
        registry.order(On::Publish, name, 1, fault);
        publish(&sandbox, &one(&sandbox, name), name).expect_failure();
        assert_eq!(registry.versions(name).len(), kept, "{name}");
    }

    // A late answer is an answer.
    registry.order(On::Publish, "d", 1, Fault::late(Duration::from_millis(700)));
    let start = Instant::now();
    publish(&sandbox, &one(&sandbox, "d"), "d").expect_success();
    assert!(start.elapsed() >= Duration::from_millis(700));

    // Orders can be for every request, and be withdrawn.
    registry.order_for_every(On::Index, "e", Fault::refuse(503, "busy"));
    let root = one(&sandbox, "e");
    let said = publish(&sandbox, &root, "e").expect_failure();
    assert!(said.contains("503"), "{said}");
    registry.mend();
    publish(&sandbox, &root, "e").expect_success();
}

#[test]
fn delayed_index_shows_a_version_late() {
    // (Pass) Cargo asks again until the index shows what it uploaded.
    let registry = Registry::start();
    let sandbox = CargoSandbox::new("rehearsal", &registry);
    registry.order(On::Publish, "a", 1, Fault::show_after(2));
    let said = publish(&sandbox, &one(&sandbox, "a"), "a").expect_success();
    assert!(said.contains("Published"), "{said}");
    let requests = registry.requests();
    let after_upload = requests.iter().skip_while(|request| request.method != "PUT");
    let looks = after_upload.filter(|request| request.path == "/index/1/a").count();
    assert_eq!(looks, 3, "two that saw nothing, one that saw it");
}

#[test]
fn siblings_without_a_registry_are_looked_up_on_crates_io() {
    // (Fail) A rehearsal cannot publish an unchanged workspace: a path and version mean crates-io once published.
    let registry = Registry::start();
    let sandbox = CargoSandbox::new("rehearsal", &registry);
    let root = sandbox.path("three");
    three_members(&root);
    publish(&sandbox, &root, "a").expect_success();
    let said = publish(&sandbox, &root, "b").expect_failure();
    assert!(said.contains("no matching package named `a` found"), "{said}");
    assert_eq!(registry.uploads().len(), 1);
}

#[test]
fn stopped_registry_refuses_connections() {
    // (Fail) A registry that is gone refuses connections at once; one that came back has the same packages.
    let registry = Registry::start();
    let sandbox = CargoSandbox::new("rehearsal", &registry);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sees = Arc::clone(&seen);
    registry.at_upload(move |upload| sees.lock().expect("whole").push((upload.name.clone(), upload.kept)));

    registry.order(On::Publish, "a", 1, Fault::vanish());
    publish(&sandbox, &one(&sandbox, "a"), "a").expect_failure();
    let refused = TcpStream::connect(registry.address()).expect_err("nobody listens");
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    assert_eq!(*seen.lock().expect("whole"), [("a".to_owned(), false)], "told before it was kept");
    assert_eq!(registry.versions("a"), ["0.1.0"]);

    registry.come_back();
    let said = publish(&sandbox, &one(&sandbox, "a"), "a").expect_failure();
    assert!(said.contains("already exists"), "{said}");

    // A registry that vanishes closes the connection of a client that waits for an answer.
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
