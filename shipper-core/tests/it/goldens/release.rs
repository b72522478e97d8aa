//! The events of the release engine and the canonical form of plans equal the golden files. An audit reads the events,
//! and a plan ID is the BLAKE3 of the canonical form.
//!
//! Set `SHIPPER_UPDATE_GOLDENS=1` to write the files again.

use std::time::Duration;

use super::{STATE, StateDirectory, compare, skip_request};
use camino::Utf8Path;
use shipper_core::SkipRequest;
use shipper_core::release::{
    CancelToken, Limits, LockedDependency, Plan, PlannedFile, PlannedPackage, publish, rehearse,
};
use shipper_events::event::GitCommit;
use shipper_testkit::fake_publisher::{
    FakePublisher, LIMITS, LookupFault, PublishFault, publish_options, registry, rehearse_options,
};

/// Returns a package of version 0.1.0 with these files (path, text) and dependencies (name, version, checksum).
fn package(name: &str, files: &[(&str, &str)], locked: &[(&str, &str, &str)]) -> PlannedPackage {
    let files = files.iter().map(|&(path, text)| PlannedFile::new(path, text.as_bytes()));
    let locked = locked.iter().map(|&(name, version, checksum)| LockedDependency {
        name: name.to_owned(),
        version: version.to_owned(),
        checksum: checksum.to_owned(),
    });
    let mut package = PlannedPackage::new(name, "0.1.0", files.collect());
    package.locked = locked.collect();
    package.has_program = name == "c";
    package
}

/// The canonical form of plans equals the goldens.
#[test]
fn canonical_plans_equal_the_goldens() {
    let manifest = ("Cargo.toml", "[package]\n");
    let full = package(
        "zq-a",
        &[manifest, ("src/ü b.rs", ""), ("src/lib.rs", "// a"), ("src-x", "x"), ("SRC/lib.rs", "b")],
        &[
            ("syn", "2.0.1", "4a5f"),
            ("itoa", "1.0.9", "b0"),
            ("itoa", "1.0.15", "4a5f"),
            ("x", "1.0.0", "git+https://x.example/x#1"),
        ],
    );
    let mut newer = package("a", &[manifest], &[]);
    newer.version = "0.10.0".to_owned();
    for (name, packages) in [
        ("one-file", vec![package("a", &[manifest], &[])]),
        ("no-files", vec![package("a", &[], &[])]),
        ("sorted", vec![package("zq-b", &[manifest], &[]), full, newer, package("a", &[("b", ""), ("a", "")], &[])]),
    ] {
        let plan = Plan::new(registry("live"), packages).expect("a plan");
        let form = plan.canonical_form();
        assert_eq!(plan.plan_id().as_str(), blake3::hash(form.as_bytes()).to_string());
        compare(&format!("plan-{name}"), [("plan.txt".to_owned(), form.as_bytes().to_vec())].into());
    }
}

/// Limits with a long wait: every package appears, so a busy machine must not end the wait.
const PATIENT: Limits = Limits { visibility_timeout: Duration::from_secs(60), ..LIMITS };

/// A release tool with a state directory and three packages.
struct Release {
    state: StateDirectory,
    plan: Plan,
    registries: FakePublisher,
}

impl Release {
    fn new() -> Self {
        let files = [("src/lib.rs", "// a")];
        let packages = ["a", "b", "c"].map(|name| package(name, &files, &[])).into();
        let git = GitCommit::new("3f2a9c1d5be84770a1c6e0b2d94f8835716c2e0d".parse().expect("a commit"), true);
        let plan = Plan::new(registry("live"), packages).expect("a plan").with_git(Some(git));
        Self { state: StateDirectory::new(b""), plan, registries: FakePublisher::new(None) }
    }

    fn rehearse(&mut self, faults: &[PublishFault]) {
        self.registries.faults = faults.to_vec();
        let mut options = rehearse_options(true);
        options.limits = PATIENT;
        let (disk, cancel) = (self.state.later(), CancelToken::default());
        let done = rehearse(disk, Utf8Path::new(STATE), &self.plan, &options, &mut self.registries, &cancel, &mut ());
        done.expect("recorded");
    }

    /// Publishes. Returns `true` if the gate permitted it.
    fn publish(&mut self, skip: Option<SkipRequest>, faults: &[PublishFault]) -> bool {
        self.registries.faults = faults.to_vec();
        let mut options = publish_options(false);
        options.skip = skip;
        options.limits = PATIENT;
        let (disk, cancel) = (self.state.later(), CancelToken::default());
        publish(disk, Utf8Path::new(STATE), &self.plan, &options, &mut self.registries, &cancel, &mut ()).is_ok()
    }

    /// Compares the files, except for members that depend on the time of a step: durations, times, lengths and hashes.
    fn assert_matches(&self, scenario: &str) {
        let files = self.state.files().into_iter().map(|(name, bytes)| {
            let text = String::from_utf8(bytes).expect("UTF-8");
            let members = [
                "\"duration_ms\":",
                "\"elapsed_ms\":",
                "\"next_attempt_at\":",
                "\"prev\":",
                "\"bytes\":",
                "\"bytes\": ",
                "\"blake3\":",
                "\"blake3\": ",
            ];
            let text = members.iter().fold(text, |text, member| blanked(&text, member));
            (name.strip_prefix("state/").expect("a file of the state directory").to_owned(), text.into_bytes())
        });
        compare(scenario, files.collect());
    }
}

/// Returns the text with `_` in place of each number or text after these words.
fn blanked(text: &str, words: &str) -> String {
    let mut parts = text.split(words);
    let mut blanked = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = match part.strip_prefix('"').and_then(|text| text.split_once('"')) {
            Some((_, rest)) => rest,
            None => part.trim_start_matches(|c: char| c.is_ascii_digit()),
        };
        let value = if rest.len() == part.len() { "" } else { "_" };
        blanked.extend([words, value, rest]);
    }
    blanked
}

/// The goldens contain every event of the release engine: success, retries, unknown outcomes, failure, resumption,
/// refusal and skip.
#[test]
fn release_events_equal_the_goldens() {
    use PublishFault::{Lost, None as Done, Permanent, Retryable, Unknown};
    let mut release = Release::new();
    assert!(!release.publish(None, &[]));
    release.rehearse(&[]);
    assert!(release.publish(None, &[]));
    assert!(release.publish(None, &[]), "each package is skipped");
    release.assert_matches("release-published");

    let mut release = Release::new();
    release.rehearse(&[Retryable, Done, Lost]);
    release.registries.lookup_faults = vec![LookupFault::Hidden; 2];
    assert!(release.publish(None, &[Retryable, Done, Lost, Unknown]));
    release.assert_matches("release-retried");

    let mut release = Release::new();
    release.rehearse(&[Done, Done, Done, Permanent]);
    release.rehearse(&[Done, Permanent]);
    assert!(!release.publish(None, &[]));
    assert!(release.publish(Some(skip_request()), &[Done, Permanent]));
    release.rehearse(&[]);
    assert!(release.publish(None, &[Unknown, Unknown]));
    let other = blake3::hash(b"other");
    release.registries.published.insert(("live".to_owned(), "b@0.1.0".to_owned()), other);
    assert!(release.publish(None, &[]));
    release.registries.published.insert(("rehearsal".to_owned(), "a@0.1.0".to_owned()), other);
    release.rehearse(&[]);
    release.assert_matches("release-failed");
}
