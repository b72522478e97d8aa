//! All problems of the manifests are reported with the real cargo before anything is recorded or uploaded, and a package
//! that needs a feature is built with it.

use shipper_testkit::registry::members;
use shipper_testkit::release_fixture::ReleaseFixture;

/// A workspace with problems is not rehearsed. Without them, it is, with the feature in its manifest.
#[test]
fn manifest_problems_are_reported_at_once() {
    let fixture = ReleaseFixture::create();
    std::fs::remove_dir_all(fixture.root.join("crates")).expect("removed");
    let on = |name: &str, version: &str| format!("{name} = {{ path = \"../{name}\"{version}, registry = \"live\" }}\n");
    let version = ", version = \"0.1\"";
    let needs_feature = "#[cfg(not(feature = \"arch\"))]\ncompile_error!(\"no architecture\");";
    let write = |a: &str, b: &str| {
        let helper = "publish = false\n";
        let live = "publish = [\"live\"]\n";
        members(
            &fixture.root,
            &[
                ("a", &format!("{live}[features]\narch = []\n{a}"), needs_feature),
                ("b", &format!("{live}[dependencies]\n{}{b}", on("a", version)), ""),
                ("helper", helper, ""),
            ],
        );
    };
    let needs = |b: &str, helper: &str| format!("[dev-dependencies]\n{}{}", on("b", b), on("helper", helper));
    let settings = "[package.metadata.shipper]\nno-default-features = true\nfeatures = [\"arch\"]\n";
    write(&format!("{}{settings}no-verfy = true\n", needs(version, version)), "");
    for action in ["rehearse", "publish"] {
        let output = fixture.run(action, &["--rehearsal-registry", "rehearsal"]).expect_status(2, "3 problems");
        for text in [
            "a: unknown key (package.metadata.shipper.no-verfy in crates/a/Cargo.toml); use `features`",
            "the dev-dependency b is published after this package, in a cycle, and the registry live has no version ^0.1",
            "the dependency helper may not be published, by its `publish`",
        ] {
            assert!(output.contains(text), "{text}: {output}");
        }
    }
    let log = fixture.log();
    assert!(!log.exists() || fixture.log_text().is_empty(), "nothing is recorded");
    write(&format!("{}{settings}", needs("", "")), "[package.metadata.shipper]\nno-verify = true\n");
    let output = fixture.rehearse(&[]).expect_status(0, "warning: b: the package is not built before it is published");
    assert!(!output.contains("warning: a"), "{output}");
    assert_eq!(fixture.rehearsal.uploads().len(), 2);
}
