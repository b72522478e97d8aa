//! `shipper-release` works with the real cargo and with registries that fail. It reaches the live registry only with a
//! permission in the log, and records the end of every rehearsal and run, so that an audit gives the same conclusion.

use std::process::Command;
use std::time::Duration;

use shipper_core::audit::{Conclusion, FindingCode, SidecarStatus};
use shipper_testkit::program::installed;
use shipper_testkit::registry::{CommandResult, Fault, On, Registry, edit, write};
use shipper_testkit::release_fixture::ReleaseFixture;

/// A workspace is rehearsed twice, published and verified. The live registry then has the rehearsed packages.
#[test]
fn workspace_is_rehearsed_published_and_verified() {
    let fixture = ReleaseFixture::create();
    fixture
        .rehearse(&["--smoke-install", "c"])
        .expect_status(0, "rehearsed 3 packages against 'rehearsal' successfully");
    assert!(fixture.live.uploads().is_empty() && fixture.rehearsal.uploads().len() == 3);
    // Packages with the same content are accepted.
    fixture.rehearse(&[]).expect_success();
    assert_eq!(fixture.rehearsal.uploads().len(), 3, "each package is uploaded once");
    fixture.publish(&[]).expect_success();
    let audited = fixture.assert_conclusion(Conclusion::Verified);
    let run = &audited.decisions[0].runs[0];
    assert_eq!(
        (run.published, run.finished.as_deref(), run.live_registry.as_deref()),
        (3, Some("success"), Some("live"))
    );
    assert_eq!(audited.sidecar.status, SidecarStatus::Match);
    assert!(
        audited.findings.iter().all(|finding| finding.code.as_str() != "shared-authority"),
        "{:?}",
        audited.findings
    );
    let names: Vec<String> = fixture.live.uploads().into_iter().map(|upload| upload.name).collect();
    assert_eq!(names, ["a", "b", "c"]);
    let entry = fixture.rehearsal.index_entry("c", "0.1.0").expect("an entry");
    let live = fixture.live.index_url();
    assert_eq!(
        entry["deps"][0]["registry"].as_str(),
        Some(live.as_str()),
        "the dependency is on the live registry: {entry}"
    );
    // A repeated publish finds every package.
    fixture.publish(&[]).expect_success();
    assert_eq!(fixture.live.uploads().len(), 3);
    assert_eq!(fixture.assert_conclusion(Conclusion::Verified).decisions[1].runs[0].skipped, 3);
}

/// One changed byte or a bumped version makes another plan, which is refused until it is rehearsed. A rehearsal fails,
/// with a remedy, if the rehearsal registry has other content of a package.
#[test]
#[ignore = "it takes seconds; .ci/run runs it"]
fn changed_byte_or_version_needs_a_new_rehearsal() {
    let fixture = ReleaseFixture::create();
    fixture.rehearse(&[]).expect_success();
    let before = fixture.run("plan", &[]).expect_success();
    write(&fixture.root.join("crates/a/src/lib.rs"), "pub fn answer() -> u32 { 43 }");
    let after = fixture.run("plan", &[]).expect_success();
    assert_ne!(before.lines().next(), after.lines().next(), "one byte is another plan");
    fixture.publish(&[]).expect_status(1, "the gate refused: the rehearsal on line");
    fixture.rehearse(&[]).expect_status(1, "another content; bump the version");
    for name in ["a", "b", "c"] {
        let manifest = fixture.root.join(format!("crates/{name}/Cargo.toml"));
        edit(&manifest, |text| text.replace("0.1.0", "0.2.0"));
    }
    fixture.publish(&[]).expect_status(1, "of another plan");
    fixture.rehearse(&[]).expect_success();
    fixture.publish(&[]).expect_success();
    assert_eq!(fixture.live.versions("c"), ["0.2.0"]);
    fixture.assert_conclusion(Conclusion::Verified);
}

/// A package that does not compile against the published ones fails the rehearsal, and the publish is refused.
#[test]
fn compile_error_fails_the_rehearsal() {
    let fixture = ReleaseFixture::create();
    write(&fixture.root.join("crates/b/src/lib.rs"), "pub fn answer() -> u32 { a::question() }");
    let output = fixture.rehearse(&[]).expect_status(1, "");
    assert!(
        output.contains("rehearsal stopped at 2/3: b@0.1.0") && output.contains("cannot find function `question`"),
        "{output}"
    );
    fixture.publish(&[]).expect_status(1, "did not pass; fix what failed");
    assert!(fixture.live.uploads().is_empty());
    fixture.assert_conclusion(Conclusion::Verified);
}

/// A refused token, a permanent error and a registry that vanishes are recorded failures, and a temporary error is
/// retried.
#[test]
#[ignore = "it takes seconds; .ci/run runs it"]
fn rehearsal_registry_failures_are_recorded() {
    let fixture = ReleaseFixture::create();
    let mut command = fixture.command("rehearse", &["--rehearsal-registry", "rehearsal"]);
    command.env("CARGO_REGISTRIES_REHEARSAL_TOKEN", "a-wrong-secret");
    let output = CommandResult::run(&mut command).expect_status(1, "403");
    let log = fixture.log_text();
    assert!(!output.contains("a-wrong-secret") && !log.contains("a-wrong-secret"), "{output}");

    fixture.rehearsal.order(On::Publish, "b", 1, Fault::refuse(500, "out of order"));
    // A temporary failure is retried.
    fixture.rehearse(&[]).expect_success();

    fixture.rehearsal.wipe();
    fixture.rehearsal.order_for_every(On::Publish, "b", Fault::refuse(500, "out of order"));
    fixture.rehearse(&[]).expect_status(1, "out of order");
    fixture.rehearsal.mend();

    fixture.rehearsal.wipe();
    fixture.rehearsal.order(On::Publish, "b", 1, Fault::vanish());
    fixture.rehearse(&[]).expect_status(1, "");
    fixture.rehearsal.come_back();
    let audited = fixture.audit();
    assert!(audited.receipt.is_some_and(|receipt| !receipt.passed), "it is completed in the log");
    fixture.publish(&[]).expect_status(1, "");
}

/// A failure and a lost answer of the live registry are recorded, and the next run resumes.
#[test]
fn failed_run_is_recorded_and_can_be_resumed() {
    let fixture = ReleaseFixture::create();
    fixture.rehearse(&[]).expect_success();
    // The upload of a arrives, but its answer is lost. Every upload of b is refused.
    fixture.live.order(On::Publish, "a", 1, Fault::cut_off());
    fixture.live.order_for_every(On::Publish, "b", Fault::refuse(403, "not yours"));
    let CommandResult { code, output } = fixture.publish(&["-v"]);
    let log = fixture.log_text();
    assert_eq!((code, output.contains("not yours")), (Some(1), true), "{output}\n{log}");
    let run = fixture.assert_conclusion(Conclusion::Verified).decisions[0].runs[0].clone();
    assert_eq!((run.published, run.failed, run.finished.as_deref()), (1, 1, Some("partial_failure")));
    assert_eq!(fixture.live.uploads().iter().filter(|upload| upload.name == "a").count(), 1, "not published twice");
    fixture.live.mend();
    fixture.publish(&[]).expect_success();
    let audited = fixture.assert_conclusion(Conclusion::Verified);
    let run = &audited.decisions[1].runs[0];
    assert_eq!((run.published, run.skipped), (2, 1), "the second run resumes after a");
}

/// A program that cannot be installed from the rehearsal registry fails the rehearsal.
#[test]
#[ignore = "it takes seconds; .ci/run runs it"]
fn failed_install_fails_the_rehearsal() {
    let fixture = ReleaseFixture::create();
    let fails =
        "fn main() { assert!(!env!(\"CARGO_MANIFEST_DIR\").contains(\"registry\"), \"built from the registry\"); }";
    write(&fixture.root.join("crates/c/build.rs"), fails);
    // It builds only in the workspace.
    fixture.rehearse(&[]).expect_success();
    fixture.rehearse(&["--smoke-install", "c"]).expect_status(1, "could not be installed");
    fixture.publish(&[]).expect_status(1, "");
    fixture.rehearse(&["--smoke-install", "nothing"]).expect_status(2, "no package \"nothing\" with a program");
}

/// A kill during a rehearsal or a run is visible in the log. A torn rehearsal is no pass, and the next run resumes.
#[test]
fn killed_release_is_resumed_and_a_torn_rehearsal_does_not_pass() {
    let fixture = ReleaseFixture::create();
    let killed = fixture.signalled("rehearse", &fixture.rehearsal, "b", "-9");
    assert_eq!(killed.code, None, "it was killed");
    fixture.publish(&[]).expect_status(1, "no rehearsal was completed");
    fixture.rehearse(&[]).expect_success();
    let killed = fixture.signalled("publish", &fixture.live, "b", "-9");
    assert_eq!(killed.code, None, "it was killed");
    fixture.publish(&[]).expect_success();
    assert_eq!(fixture.live.versions("c"), ["0.1.0"]);
    let audited = fixture.assert_conclusion(Conclusion::Verified);
    let unfinished = audited.decisions.iter().flat_map(|decision| &decision.runs).filter(|run| run.finished.is_none());
    assert_eq!(unfinished.count(), 1, "the killed run is reported");
}

/// A publish with another registry than the rehearsed one is refused, and so are two names of one registry.
#[test]
fn wrong_or_aliased_registry_is_refused() {
    let fixture = ReleaseFixture::create();
    fixture.rehearse(&[]).expect_success();
    let other = Registry::start();
    let config = format!(
        "[registries.other]\nindex = {:?}\n[registries.alias]\nindex = {:?}\n",
        other.index_url(),
        fixture.live.index_url().replace("127.0.0.1", "localhost")
    );
    write(&fixture.root.join(".cargo/config.toml"), &config);
    fixture.run("publish", &["--rehearsal-registry", "other"]).expect_status(1, "used another registry, \"rehearsal\"");
    for action in ["rehearse", "publish"] {
        fixture.run(action, &["--rehearsal-registry", "alias"]).expect_status(2, "have the same address");
    }
    fixture.run("rehearse", &["--rehearsal-registry", "nowhere"]).expect_status(2, "[registries.nowhere]");
    assert!(fixture.live.uploads().is_empty());
}

/// A skip publishes, and the log contains the actor and the justification.
#[test]
fn skip_publishes_and_records_who_and_why() {
    let fixture = ReleaseFixture::create();
    fixture.publish(&["--skip-rehearsal"]).expect_status(2, "--actor");
    fixture
        .publish(&["--skip-rehearsal", "--actor", "bot", "--justification", "the registry is down"])
        .expect_success();
    let audited = fixture.assert_conclusion(Conclusion::Inconclusive);
    let bypassed =
        audited.findings.iter().find(|finding| finding.code == FindingCode::GateBypassed).expect("a finding");
    assert!(bypassed.message.contains("bot") && bypassed.message.contains("the registry is down"));
}

/// A build that prints megabytes ends. A build that does not end is killed with every process that it started.
#[test]
#[ignore = "it takes seconds; .ci/run runs it"]
fn large_output_does_not_block_and_a_hanging_build_is_killed() {
    if !installed(&["pgrep"]) {
        return;
    }
    let fixture = ReleaseFixture::create();
    let chatty = "fn main() { for line in 0..40_000 { println!(\"cargo::warning={line} {}\", \"x\".repeat(80)); } }";
    write(&fixture.root.join("crates/a/build.rs"), chatty);
    fixture.rehearse(&[]).expect_success();
    let hanging = "fn main() { std::thread::sleep(std::time::Duration::from_secs(600)); }";
    write(&fixture.root.join("crates/a/build.rs"), hanging);
    fixture.rehearsal.wipe();
    let begun = std::time::Instant::now();
    let CommandResult { code, output } = fixture.rehearse(&["--time-limit", "8"]);
    assert!(begun.elapsed() < Duration::from_secs(120), "{output}");
    assert_eq!((code, output.contains("exceeded its time limit")), (Some(1), true), "{output}");
    let left =
        Command::new("pgrep").args(["-f", fixture.sandbox.path("").to_str().expect("UTF-8")]).output().expect("pgrep");
    assert_eq!(String::from_utf8_lossy(&left.stdout), "", "no process is still running");
}

/// Ctrl-C during a rehearsal completes it in the log as failed.
#[test]
fn interrupted_rehearsal_is_completed_as_failed() {
    let fixture = ReleaseFixture::create();
    let output = fixture.signalled("rehearse", &fixture.rehearsal, "b", "-INT").expect_status(1, "");
    assert!(fixture.audit().receipt.is_some_and(|receipt| !receipt.passed), "{output}");
}
