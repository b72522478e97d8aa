//! `shipper-release` reaches registries as the real cargo does, or names the setting that prevents it before anything
//! begins.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::time::{Duration, SystemTime};

use shipper_core::audit::Conclusion;
use shipper_testkit::registry::{Demands, Fault, On, Registry, TOKEN, edit, write};
use shipper_testkit::release_fixture::ReleaseFixture;

/// A live registry that needs a token from a credential provider, names its siblings by another registry's address, and
/// limits the rate of uploads, gets the rehearsed packages.
#[test]
fn private_group_registry_with_a_rate_limit_gets_a_release() {
    let live = Registry::start_with(Demands { private: true, ..Demands::default() });
    let fixture = ReleaseFixture::between(live, Registry::start());
    // The registry of the group has the same packages under another address.
    let (index, provider) = (fixture.live.index_url(), fixture.sandbox.path("home/provider"));
    let group = index.replace("127.0.0.1", "localhost");
    let response =
        format!(r#"{{"Ok":{{"kind":"get","token":"{TOKEN}","cache":"session","operation_independent":true}}}}"#);
    write(&provider, &format!("#!/bin/sh\necho '{{\"v\":[1]}}'\nwhile read request; do echo '{response}'; done\n"));
    std::fs::set_permissions(&provider, std::fs::Permissions::from_mode(0o755)).expect("it can be run");
    let provider = format!("credential-provider = {provider:?}\n");
    let config = format!("[registries.live]\n{provider}[registries.group]\nindex = {group:?}\n{provider}");
    write(&fixture.root.join(".cargo/config.toml"), &config);
    write(
        &fixture.sandbox.path("home/credentials.toml"),
        &format!("[registries.rehearsal]\ntoken = {:?}\n", fixture.rehearsal.token()),
    );
    std::fs::remove_dir_all(fixture.root.join("crates/c")).expect("removed");
    let manifest = fixture.root.join("crates/b/Cargo.toml");
    edit(&manifest, |text| text.replace("registry = \"live\"", "registry = \"group\""));

    fixture.rehearse(&[]).expect_success();
    let entry = fixture.rehearsal.index_entry("b", "0.1.0").expect("an entry");
    assert_eq!(entry["deps"][0]["registry"].as_str(), Some(group.as_str()), "{entry}");
    let refused = "Please try again after Thu, 01 Jan 1970 00:00:00 GMT or email help@example.org";
    fixture.live.order(On::Publish, "a", 1, Fault::refuse(429, refused));
    let output = fixture.publish(&[]).expect_success();
    assert!(output.contains("waiting to publish a@0.1.0 until"), "{output}");
    let log = fixture.log_text();
    assert!(log.contains(r#""rate_limit_observed","is_new_crate":true,"retry_after_ms":0"#), "{log}");
    assert_eq!(log.matches(r#""package_attempted","attempt":1"#).count(), 3, "{log}");
    fixture.assert_conclusion(Conclusion::Verified);
}

/// A wait for another cargo is shown, already before there is a plan.
#[test]
fn wait_for_the_lock_of_another_cargo_is_shown() {
    let fixture = ReleaseFixture::create();
    let lock = std::fs::File::create(fixture.sandbox.path("home/.package-cache")).expect("created");
    lock.lock().expect("locked");
    let mut command = fixture.command("plan", &[]);
    let mut running = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut lines = BufReader::new(running.stderr.take().expect("its errors")).lines().map_while(Result::ok);
    let shown = lines.find(|line| line.contains("waiting for another cargo, which locks its package cache"));
    drop(lock);
    assert!(shown.is_some(), "it is shown");
    assert_eq!(lines.last(), None, "nothing else is printed");
    assert!(running.wait().expect("it ends").success());
}

/// Settings that cannot be used are errors before cargo packs anything, and do not show a password.
#[test]
fn unusable_network_settings_begin_nothing() {
    let fixture = ReleaseFixture::create();
    let started = SystemTime::now();
    for (name, value, message) in [
        ("CARGO_HTTP_PROXY", "gopher://user:secret@x", "http.proxy has the unknown scheme"),
        ("http_proxy", "http://user:secret@:x", "http_proxy is not the address of a proxy"),
        ("CARGO_HTTP_CAINFO", "/nowhere/ca.pem", "cannot use the certificates in /nowhere/ca.pem"),
    ] {
        let mut command = fixture.command("rehearse", &["--rehearsal-registry", "rehearsal"]);
        let output = command.env("NO_PROXY", "").env(name, value).output().expect("it starts");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), stderr.contains(message)), (Some(2), true), "{stderr}");
        assert!(!stderr.contains("secret"), "{stderr}");
    }
    assert!(!fixture.log().exists() && started.elapsed().is_ok_and(|took| took < Duration::from_secs(60)));
}
