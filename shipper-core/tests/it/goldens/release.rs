//! Events that the release engine records, and the canonical form of plans, equal the golden files: an audit reads the
//! events, and a plan's name is the BLAKE3 of its form.
//!
//! Set `SHIPPER_UPDATE_GOLDENS=1` to write the files anew.

use std::collections::HashMap;
use std::time::Duration;

use super::{STATE, StateDirectory, compare, skip_request};
use camino::Utf8Path;
use shipper_core::SkipRequest;
use shipper_core::release::{
    CancelToken, Failure, FailureClass, Limits, LockedDependency, OutputTails, Plan, PlannedFile, PlannedPackage,
    PublishOptions, PublishedState, Publisher, Registry, RegistryRole, RehearseOptions, StepContext, publish, rehearse,
};

/// A registry that fails as told.
struct Registries {
    published: HashMap<(String, String), blake3::Hash>,
    /// The outcomes of the next uploads, builds and installations; then all succeed. The flag tells if the upload arrived.
    outcomes: Vec<Option<(FailureClass, bool)>>,
    /// How many of the next look-ups find nothing.
    hidden: usize,
}

impl Registries {
    fn step(&mut self, arrives: impl FnOnce(&mut Self)) -> Result<(), Failure> {
        let outcome = if self.outcomes.is_empty() { None } else { self.outcomes.remove(0) };
        if outcome.is_none_or(|(_, has_arrived)| has_arrived) {
            arrives(self);
        }
        let Some((class, _)) = outcome else { return Ok(()) };
        let tails = OutputTails { stdout: "Compiling".to_owned(), stderr: "error\n".to_owned() };
        Err(Failure { tails, ..Failure::new(class, "\u{1b} it failed") })
    }
}

fn key(package: &PlannedPackage, role: RegistryRole<'_>) -> (String, String) {
    (role.registry().name.to_string(), package.id())
}

impl Publisher for Registries {
    fn upload_endpoint(&mut self, role: RegistryRole<'_>, _: &mut StepContext<'_>) -> Result<String, Failure> {
        Ok(format!("https://{}.example/api", role.registry().name))
    }

    fn preflight(&mut self, _: &Plan, _: &mut StepContext<'_>) -> Result<(), Failure> {
        Ok(())
    }

    fn lookup(
        &mut self,
        package: &PlannedPackage,
        role: RegistryRole<'_>,
        _: &mut StepContext<'_>,
    ) -> Result<PublishedState, Failure> {
        if self.hidden > 0 {
            self.hidden -= 1;
            return Ok(PublishedState::Absent);
        }
        Ok(match self.published.get(&key(package, role)) {
            None => PublishedState::Absent,
            Some(content) if *content == package.files[0].blake3 => PublishedState::SameContent,
            Some(_) => PublishedState::DifferentContent,
        })
    }

    fn publish(
        &mut self,
        package: &PlannedPackage,
        role: RegistryRole<'_>,
        _: &mut StepContext<'_>,
    ) -> Result<OutputTails, Failure> {
        let published = self.step(|registries| {
            registries.published.insert(key(package, role), package.files[0].blake3);
        });
        published.map(|()| OutputTails { stdout: "Uploaded".to_owned(), stderr: String::new() })
    }

    fn verify_build(
        &mut self,
        _: &PlannedPackage,
        _: RegistryRole<'_>,
        _: &mut StepContext<'_>,
    ) -> Result<(), Failure> {
        self.step(|_| {})
    }

    fn install(&mut self, _: &PlannedPackage, _: RegistryRole<'_>, _: &mut StepContext<'_>) -> Result<(), Failure> {
        self.step(|_| {})
    }

    fn describe_command(&self, package: &PlannedPackage, role: RegistryRole<'_>) -> String {
        format!("upload {} to {}", package.id(), role.registry().name)
    }
}

fn registry(name: &str) -> Registry {
    Registry { name: name.parse().expect("a name"), index: format!("sparse+https://{name}.example/index/") }
}

/// A package of version 0.1.0, with these files (path, text) and dependencies (name, version, checksum).
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

/// (Pass) The canonical form of plans, whose BLAKE3 is the plan's name.
#[test]
fn plans() {
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

/// A release tool on a state directory, with three packages.
struct Release {
    state: StateDirectory,
    plan: Plan,
    registries: Registries,
}

impl Release {
    fn new() -> Self {
        let files = [("src/lib.rs", "// a")];
        let packages = ["a", "b", "c"].map(|name| package(name, &files, &[])).into();
        let plan = Plan::new(registry("live"), packages).expect("a plan");
        let registries = Registries { published: HashMap::new(), outcomes: Vec::new(), hidden: 0 };
        Self { state: StateDirectory::new(b""), plan, registries }
    }

    fn limits() -> Limits {
        let minute = Duration::from_secs(60);
        Limits {
            command_timeout: minute,
            visibility_timeout: minute,
            poll_interval: Duration::from_millis(1),
            max_attempts: 2,
        }
    }

    fn rehearse(&mut self, outcomes: &[Option<(FailureClass, bool)>]) {
        self.registries.outcomes = outcomes.to_vec();
        let mut options = RehearseOptions::new(registry("rehearsal"));
        options.smoke_install = Some("c".to_owned());
        options.limits = Self::limits();
        let (disk, cancel) = (self.state.later(), CancelToken::default());
        let done = rehearse(disk, Utf8Path::new(STATE), &self.plan, &options, &mut self.registries, &cancel, &mut ());
        done.expect("recorded");
    }

    /// Publishes. Returns whether the gate permitted it.
    fn publish(&mut self, skip: Option<SkipRequest>, outcomes: &[Option<(FailureClass, bool)>]) -> bool {
        self.registries.outcomes = outcomes.to_vec();
        let mut options = PublishOptions::default();
        options.rehearsal = Some(registry("rehearsal"));
        options.skip = skip;
        options.limits = Self::limits();
        let (disk, cancel) = (self.state.later(), CancelToken::default());
        publish(disk, Utf8Path::new(STATE), &self.plan, &options, &mut self.registries, &cancel, &mut ()).is_ok()
    }

    /// Compares the files, but for what depends on how long a step took: durations, lengths and hashes.
    fn assert_matches(&self, scenario: &str) {
        let files = self.state.files().into_iter().map(|(name, bytes)| {
            let text = String::from_utf8(bytes).expect("UTF-8");
            let members = ["\"duration_ms\":", "\"prev\":", "\"bytes\":", "\"bytes\": ", "\"blake3\":", "\"blake3\": "];
            let text = members.iter().fold(text, |text, member| blanked(&text, member));
            (name.strip_prefix("state/").expect("a file of the state directory").to_owned(), text.into_bytes())
        });
        compare(scenario, files.collect());
    }
}

/// A text with `_` in place of each number or hash that follows these words.
fn blanked(text: &str, words: &str) -> String {
    let mut parts = text.split(words);
    let mut blanked = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_hexdigit() || c == '"');
        let value = if rest.len() == part.len() { "" } else { "_" };
        blanked.extend([words, value, rest]);
    }
    blanked
}

/// (Pass) Everything that the release engine records: success, retries, doubt, failure, continuation, refusal and skip.
#[test]
fn releases() {
    use FailureClass::{Ambiguous, Permanent, Retryable};
    let mut release = Release::new();
    assert!(!release.publish(None, &[]));
    release.rehearse(&[]);
    assert!(release.publish(None, &[]));
    assert!(release.publish(None, &[]), "each package is skipped");
    release.assert_matches("release-published");

    let mut release = Release::new();
    release.rehearse(&[Some((Retryable, false)), None, Some((Ambiguous, true))]);
    release.registries.hidden = 2;
    assert!(
        release.publish(None, &[Some((Retryable, false)), None, Some((Ambiguous, true)), Some((Ambiguous, false))])
    );
    release.assert_matches("release-retried");

    let mut release = Release::new();
    release.rehearse(&[None, None, None, Some((Permanent, false))]);
    release.rehearse(&[None, Some((Permanent, false))]);
    assert!(!release.publish(None, &[]));
    assert!(release.publish(Some(skip_request()), &[None, Some((Permanent, false))]));
    release.rehearse(&[]);
    assert!(release.publish(None, &[Some((Ambiguous, false)), Some((Ambiguous, false))]));
    let other = blake3::hash(b"other");
    release.registries.published.insert(("live".to_owned(), "b@0.1.0".to_owned()), other);
    assert!(release.publish(None, &[]));
    release.registries.published.insert(("rehearsal".to_owned(), "a@0.1.0".to_owned()), other);
    release.rehearse(&[]);
    release.assert_matches("release-failed");
}
