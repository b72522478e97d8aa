//! A release tool that calls `rehearse` and `publish` cannot bypass the gate under any fault. The log has a permission
//! before each upload to the live registry and the end of each rehearsal and run, and an audit agrees.

use std::time::Duration;

use proptest::prelude::*;
use shipper_core::RefusalCode;
use shipper_core::audit::{Conclusion, DecisionStatus, FindingCode};
use shipper_core::release::{
    CancelToken, Limits, LockedDependency, Plan, PlannedFile, PlannedPackage, PublishError, Registry, RehearseError,
    publish, rehearse,
};
use shipper_events::event::GitCommit;
use shipper_events::write::FsStorage;
use shipper_testkit::fake_publisher::{
    LIMITS, LIVE, LookupFault, MirrorMode, PublishFault, ReleaseTool, plan, publish_options, registry, rehearse_options,
};
use shipper_testkit::settings::proptest_config;

/// A rehearsed plan is published and verified by the audit, and a second rehearsal of the same content passes.
#[test]
fn rehearsed_plan_is_published_and_verified() {
    let mut tool = ReleaseTool::create();
    assert!(tool.rehearse(&plan(1, 1), true, &[]));
    assert!(tool.rehearse(&plan(1, 1), true, &[]), "a rehearsal can be repeated");
    assert_eq!(tool.publish(&plan(1, 1), false, &[]), Ok(true));
    let audited = tool.audit();
    assert_eq!(audited.conclusion(), Conclusion::Verified, "{:?}", audited.findings);
    assert_eq!(audited.decisions[0].runs[0].published, 3);
    assert_eq!(audited.decisions[0].status, DecisionStatus::Verified);
}

/// The gate refuses a plan without a rehearsal, with a failed one, with a changed byte or version, or on another
/// registry.
#[test]
fn gate_refuses_what_was_not_rehearsed() {
    let mut tool = ReleaseTool::create();
    assert_eq!(tool.publish(&plan(1, 1), false, &[]), Err(vec![RefusalCode::NoRehearsal]));
    assert!(!tool.rehearse(&plan(1, 1), false, &[PublishFault::None, PublishFault::Permanent]));
    assert_eq!(tool.publish(&plan(1, 1), false, &[]), Err(vec![RefusalCode::RehearsalFailed]));
    assert!(tool.rehearse(&plan(1, 1), false, &[]));
    assert_eq!(tool.publish(&plan(2, 1), false, &[]), Err(vec![RefusalCode::StalePlan]), "one changed byte");
    assert_eq!(tool.publish(&plan(1, 2), false, &[]), Err(vec![RefusalCode::StalePlan]), "a bumped version");
    assert!(!tool.rehearse(&plan(2, 1), false, &[]), "the registry has other content of this version");
    assert!(tool.rehearse(&plan(1, 1), true, &[]));
    assert!(!tool.rehearse(&plan(1, 1), true, &[PublishFault::Permanent]), "it is uploaded, but does not build");
    assert!(tool.rehearse(&plan(1, 1), true, &[]));
    let installs_not = [PublishFault::None, PublishFault::None, PublishFault::None, PublishFault::Permanent];
    assert!(!tool.rehearse(&plan(1, 1), true, &installs_not), "the installation fails");
    assert_eq!(tool.publish(&plan(1, 1), false, &[]), Err(vec![RefusalCode::RehearsalFailed]));
    assert_eq!(tool.publisher.reached, 0);
    assert_eq!(tool.audit().conclusion(), Conclusion::Verified, "the refusals are confirmed");
}

/// A skip permits the publish, is recorded, and leaves the audit inconclusive.
#[test]
fn skip_is_recorded_and_inconclusive() {
    let mut tool = ReleaseTool::create();
    assert_eq!(tool.publish(&plan(1, 1), true, &[]), Ok(true));
    let audited = tool.audit();
    assert_eq!(audited.conclusion(), Conclusion::Inconclusive);
    assert!(audited.findings.iter().any(|finding| finding.code == FindingCode::GateBypassed));
}

/// A second run resumes a failed one: it asks the gate again, and skips the published packages.
#[test]
fn failed_run_can_be_resumed() {
    let mut tool = ReleaseTool::create();
    assert!(tool.rehearse(&plan(1, 1), false, &[]));
    assert_eq!(tool.publish(&plan(1, 1), false, &[PublishFault::None, PublishFault::Permanent]), Ok(false));
    assert_eq!(tool.publish(&plan(1, 1), false, &[]), Ok(true));
    let audited = tool.audit();
    assert_eq!(audited.conclusion(), Conclusion::Verified, "{:?}", audited.findings);
    let runs: Vec<_> = audited.decisions.iter().flat_map(|decision| &decision.runs).collect();
    assert_eq!(audited.decisions.len(), 2, "the gate was asked again");
    assert_eq!((runs[0].finished.as_deref(), runs[0].published, runs[0].failed), (Some("partial_failure"), 1, 1));
    assert_eq!((runs[1].finished.as_deref(), runs[1].published, runs[1].skipped), (Some("success"), 2, 1));
}

/// A lookup finds a package whose upload had no answer, and the package is not published twice.
#[test]
fn upload_without_an_answer_is_found_by_lookup() {
    let mut tool = ReleaseTool::create();
    assert!(tool.rehearse(&plan(1, 1), false, &[]));
    assert_eq!(tool.publish(&plan(1, 1), false, &[PublishFault::Lost, PublishFault::Retryable]), Ok(true));
    assert_eq!(tool.publisher.reached, 4, "a once, b twice, c once");
    assert_eq!(tool.audit().decisions[0].runs[0].published, 3);
}

/// After an upload with an unknown outcome, a package is not uploaded again while the index gives no answer or shows
/// other content.
#[test]
fn ambiguous_upload_is_not_retried() {
    for (fault, lookup_faults, reason) in [
        (PublishFault::Unknown, vec![LookupFault::Unanswered; 2], " it failed; then the registry answered 503"),
        (PublishFault::Overtaken, Vec::new(), "another content; bump the version"),
    ] {
        let mut tool = ReleaseTool::create();
        assert!(tool.rehearse(&plan(1, 1), false, &[]));
        // The list of faults is taken from its end.
        tool.publisher.lookup_faults = [lookup_faults, vec![LookupFault::Shown]].concat();
        assert_eq!(tool.publish(&plan(1, 1), false, &[fault]), Ok(false));
        assert_eq!(tool.publisher.reached, 1, "{reason}");
        let log = tool.log_text();
        assert!(log.contains(reason), "{log}");
    }
}

/// Hostile text of a registry is escaped and truncated, so that the log contains the end of the failed rehearsal, which
/// replaces the earlier receipt.
#[test]
fn hostile_registry_message_is_sanitized() {
    let mut tool = ReleaseTool::create();
    assert!(tool.rehearse(&plan(1, 1), false, &[]));
    tool.publisher.lookup_faults = vec![LookupFault::Hostile];
    assert!(!tool.rehearse(&plan(1, 1), false, &[]));
    assert_eq!(tool.publish(&plan(1, 1), false, &[]), Err(vec![RefusalCode::RehearsalFailed]));
    let log = tool.log_text();
    assert!(log.contains(r"\\u{1b}[2Jxxx") && log.len() < 20_000, "{}", log.len());
    assert!(tool.rehearse(&plan(1, 1), false, &[]));
    assert_eq!(tool.publish(&plan(1, 1), false, &[PublishFault::ChattyFailure]), Ok(false));
    let log = tool.log_text();
    assert!(log.contains("üüü") && log.len() < 1_000_000, "{}", log.len());
}

/// The output of a successful publish is not recorded, because it may contain secrets. Its event is.
#[test]
fn output_of_a_success_is_not_recorded() {
    let mut tool = ReleaseTool::create();
    assert!(tool.rehearse(&plan(1, 1), false, &[]));
    assert_eq!(tool.publish(&plan(1, 1), false, &[PublishFault::Chatty]), Ok(true));
    let log = tool.log_text();
    let empty = r#""type":"package_output","stdout_tail":"","stderr_tail":"""#;
    assert_eq!((log.matches(empty).count(), log.contains("üüü")), (3, false), "{log}");
}

/// A cancelled run is recorded and finished, and the next run resumes.
#[test]
fn cancelled_run_is_recorded_and_can_be_resumed() {
    let mut tool = ReleaseTool::create();
    assert!(!tool.rehearse(&plan(1, 1), false, &[PublishFault::None, PublishFault::Stopped]));
    assert!(tool.rehearse(&plan(1, 1), false, &[]));
    assert_eq!(tool.publish(&plan(1, 1), false, &[PublishFault::Stopped]), Ok(false));
    let audited = tool.audit();
    let run = &audited.decisions[0].runs[0];
    assert_eq!(
        (run.finished.as_deref(), run.published),
        (Some("partial_failure"), 1),
        "the log contains the published package"
    );
    assert_eq!(tool.publish(&plan(1, 1), false, &[]), Ok(true));
}

/// Two names of one registry are rejected, in a rehearsal and in a publish.
#[test]
fn aliases_of_one_registry_are_rejected() {
    let mut tool = ReleaseTool::create();
    for alias in [
        "sparse+https://live.example/index/",
        "sparse+https://LIVE.example:443/index",
        "https://live.example/index/",
        "sparse+https://user@live.example/index/",
        "sparse+http://live.example./index/",
    ] {
        let alias = Registry { name: "rehearsal".parse().expect("a name"), index: alias.to_owned() };
        let mut options = rehearse_options(false);
        options.rehearsal = alias.clone();
        let cancel = CancelToken::default();
        let error = rehearse(FsStorage, &tool.state, &plan(1, 1), &options, &mut tool.publisher, &cancel, &mut ());
        assert!(matches!(error, Err(RehearseError::SameRegistry(_))), "{alias:?}");
        let mut options = publish_options(false);
        options.rehearsal = Some(alias.clone());
        let error = publish(FsStorage, &tool.state, &plan(1, 1), &options, &mut tool.publisher, &cancel, &mut ());
        assert!(matches!(error, Err(PublishError::SameRegistry(_))), "{alias:?}");
    }
    let loopback =
        |host: &str| Registry { name: "x".parse().expect("a name"), index: format!("sparse+http://{host}/i/") };
    assert!(loopback("localhost:80").is_same_registry(&loopback("127.0.0.1")));
    assert!(!loopback("localhost:8000").is_same_registry(&loopback("127.0.0.1:8001")));
    assert!(loopback("0.0.0.0:8000").is_same_registry(&loopback("[::1]:8000")));
    assert!(loopback("localhost.:8000").is_same_registry(&loopback("[::ffff:127.0.0.1]:8000")));
    assert!(!loopback("a.example").is_same_registry(&loopback("staging.a.example")));
    assert!(!tool.log().exists(), "nothing is recorded");
}

/// A registry is rejected if its uploads go to the live registry, or if it does not give its upload address. Nothing is
/// uploaded or recorded, so an earlier pass is still valid.
#[test]
fn mirror_of_the_live_registry_is_rejected() {
    let mirrors = [
        (MirrorMode::OfLive, "and the upload address of the live registry are the same"),
        (MirrorMode::Silent, "it cannot be reached"),
    ];
    for (mirror, reason) in mirrors.into_iter().chain([(MirrorMode::LiveSilent, "it cannot be reached")]) {
        let mut tool = ReleaseTool::create();
        assert!(tool.rehearse(&plan(1, 1), false, &[]));
        let (log, published) = (tool.log_text(), tool.publisher.published.len());
        tool.publisher.mirror = mirror;
        let (options, cancel) = (rehearse_options(false), CancelToken::default());
        let done = rehearse(FsStorage, &tool.state, &plan(1, 1), &options, &mut tool.publisher, &cancel, &mut ());
        let Err(RehearseError::Registries(failure)) = done else { panic!("{mirror:?}: {done:?}") };
        assert!(failure.message.contains(reason), "{failure}");
        assert_eq!((tool.log_text(), tool.publisher.published.len()), (log, published), "{mirror:?}");
        tool.publisher.mirror = MirrorMode::None;
        assert_eq!(tool.publish(&plan(1, 1), false, &[]), Ok(true));
    }
}

/// If the preflight check fails, nothing is recorded, and the gate is not asked.
#[test]
fn failed_preflight_records_nothing() {
    let mut tool = ReleaseTool::create();
    tool.publisher.ready = false;
    let cancel = CancelToken::default();
    let done =
        rehearse(FsStorage, &tool.state, &plan(1, 1), &rehearse_options(false), &mut tool.publisher, &cancel, &mut ());
    assert!(matches!(done, Err(RehearseError::Preflight(_))));
    let done =
        publish(FsStorage, &tool.state, &plan(1, 1), &publish_options(true), &mut tool.publisher, &cancel, &mut ());
    assert!(matches!(done, Err(PublishError::Preflight(_))));
    assert_eq!(std::fs::read(tool.log()).unwrap_or_default(), b"");
}

/// A failed lookup is retried. If a registry never answers, the log has the failure.
#[test]
fn failed_lookup_is_retried() {
    let mut tool = ReleaseTool::create();
    tool.publisher.lookup_faults = vec![LookupFault::Unanswered];
    assert!(tool.rehearse(&plan(1, 1), false, &[]));
    tool.publisher.lookup_faults = vec![LookupFault::Unanswered];
    assert_eq!(tool.publish(&plan(1, 1), false, &[]), Ok(true));
    tool.publisher.lookup_faults = vec![LookupFault::Unanswered; 100];
    assert_eq!(tool.publish(&plan(1, 1), false, &[]), Ok(false));
    let run = tool.audit().decisions[1].runs[0].clone();
    assert_eq!((run.failed, run.finished.as_deref()), (1, Some("complete_failure")));
}

/// If the deadline passes between two lookups, the log contains the registry's failure and then the deadline's.
#[test]
fn deadline_between_lookups_keeps_the_failure_of_the_registry() {
    let mut tool = ReleaseTool::create();
    assert!(tool.rehearse(&plan(1, 1), false, &[]));
    tool.publisher.lookup_faults = vec![LookupFault::Unanswered; 2];
    let mut options = publish_options(false);
    let (visibility_timeout, poll_interval) = (Duration::from_millis(20), Duration::from_millis(60));
    options.limits = Limits { visibility_timeout, poll_interval, ..LIMITS };
    let cancel = CancelToken::default();
    let done = publish(FsStorage, &tool.state, &plan(1, 1), &options, &mut tool.publisher, &cancel, &mut ());
    let stopped = done.expect("it is recorded").failure.expect("a failure");
    let message = &stopped.failure.message;
    assert!(message.starts_with("the registry answered 503; then the step exceeded its time limit"), "{message}");
    assert_eq!(tool.publisher.lookup_faults.len(), 1, "one lookup");
    let log = tool.log_text();
    assert!(log.contains(message), "{log}");
}

/// A run waits for a package that the index shows late. A package that the index never shows is a recorded failure, and
/// the next run finds it.
#[test]
fn lagging_index_is_waited_for() {
    let mut tool = ReleaseTool::create();
    tool.publisher.lookup_faults = vec![LookupFault::Hidden; 2];
    assert!(tool.rehearse(&plan(1, 1), false, &[]));
    // The first lookup finds nothing. Then the run publishes the package and waits for it.
    tool.publisher.lookup_faults = vec![LookupFault::Hidden; 100];
    assert_eq!(tool.publish(&plan(1, 1), false, &[]), Ok(false));
    let log = tool.log_text();
    assert!(log.contains("\"readiness_timeout\"") && log.contains("did not show it within"), "{log}");
    tool.publisher.lookup_faults.clear();
    assert_eq!(tool.publish(&plan(1, 1), false, &[]), Ok(true));
    assert_eq!(tool.publisher.reached, 3, "each package is published once");
    // After a lost answer, a second lookup finds the package in a slow index.
    let mut tool = ReleaseTool::create();
    assert!(tool.rehearse(&plan(1, 1), false, &[]));
    tool.publisher.lookup_faults = vec![LookupFault::Hidden; 2];
    assert_eq!(tool.publish(&plan(1, 1), false, &[PublishFault::Lost]), Ok(true));
    assert_eq!(tool.publisher.reached, 3, "each package is published once");
}

/// The maximum timeouts do not cause an overflow in a started rehearsal.
#[test]
fn unbounded_timeouts_do_not_overflow() {
    let mut tool = ReleaseTool::create();
    let forever = Limits { command_timeout: Duration::MAX, visibility_timeout: Duration::MAX, ..LIMITS };
    let mut options = rehearse_options(true);
    options.limits = forever;
    let cancel = CancelToken::default();
    let done = rehearse(FsStorage, &tool.state, &plan(1, 1), &options, &mut tool.publisher, &cancel, &mut ());
    assert!(done.expect("it is recorded").receipt.passed);
    let mut options = publish_options(false);
    options.limits = forever;
    let done = publish(FsStorage, &tool.state, &plan(1, 1), &options, &mut tool.publisher, &cancel, &mut ());
    assert_eq!(done.expect("it is recorded").failure, None);
}

/// A package that the live registry has is not built in a rehearsal, and the run skips it. If the live registry does not
/// show it any more, the run does not upload it: no rehearsal built it.
#[test]
fn published_package_is_not_rehearsed_again() {
    use PublishFault::{None as Done, Permanent};
    let mut tool = ReleaseTool::create();
    assert!(tool.rehearse(&plan(1, 1), false, &[]));
    assert_eq!(tool.publish(&plan(1, 1), false, &[Done, Permanent]), Ok(false));
    let reached = tool.publisher.reached;
    tool.publisher.published.retain(|(registry, _), _| registry == LIVE);
    assert!(tool.rehearse(&plan(1, 1), false, &[]));
    assert_eq!(tool.publisher.built.len(), 2, "a is live");
    assert!(tool.publisher.published.contains_key(&("rehearsal".to_owned(), "a@0.1.0".to_owned())), "others need it");
    let log = tool.log_text();
    assert_eq!(log.matches(r#""already_published":true"#).count(), 1, "{log}");
    assert!(log.contains("successfully; 1 of them not built, because the live registry has them"), "{log}");

    let a = tool.publisher.published.remove(&(LIVE.to_owned(), "a@0.1.0".to_owned())).expect("it is live");
    assert_eq!(tool.publish(&plan(1, 1), false, &[]), Ok(false));
    assert_eq!(tool.publisher.reached, reached, "nothing is uploaded");
    assert!(tool.log_text().contains("does not show it now"), "{}", tool.log_text());
    tool.publisher.published.insert((LIVE.to_owned(), "a@0.1.0".to_owned()), a);
    assert_eq!(tool.publish(&plan(1, 1), false, &[]), Ok(true));
    let audited = tool.audit();
    assert_eq!(audited.conclusion(), Conclusion::Verified, "{:?}", audited.findings);
    let run = &audited.decisions[2].runs[0];
    assert_eq!((run.published, run.skipped), (2, 1));
}

/// The commit of the plan is recorded, and is not part of its ID.
#[test]
fn commit_of_the_plan_is_recorded() {
    let at = |commit: &str| plan(1, 1).with_git(Some(GitCommit::new(commit.parse().expect("a commit"), false)));
    assert_eq!(at("3f2a").plan_id(), plan(1, 1).plan_id());
    let mut tool = ReleaseTool::create();
    assert!(tool.rehearse(&at("3f2a"), false, &[]));
    assert_eq!(tool.publish(&at("8b1e"), false, &[]), Ok(true));
    let audited = tool.audit();
    let commits = audited.decisions[0].git.as_ref().expect("commits").iter();
    let commits: Vec<_> = commits.map(|(name, commit)| format!("{name} {}", commit.commit)).collect();
    assert_eq!(commits, ["rehearsal 3f2a", "decision 8b1e", "run 8b1e"]);
    assert!(audited.findings.iter().any(|finding| finding.code == FindingCode::OtherCommit));
    assert!(audited.conclusion() == Conclusion::Verified);
}

/// An action of a release tool.
#[derive(Debug, Clone)]
enum ReleaseAction {
    Rehearse {
        source: u8,
        smoke_install: bool,
        faults: Vec<PublishFault>,
    },
    Publish {
        source: u8,
        skip: bool,
        faults: Vec<PublishFault>,
    },
    /// The live registry does not show a package of a source any more.
    Withdraw {
        source: u8,
        name: &'static str,
    },
}

fn action() -> impl Strategy<Value = ReleaseAction> {
    use PublishFault::{Lost, None, Permanent, RateLimited, Retryable, Stopped, Unknown};
    let limited = RateLimited(Some(Duration::from_millis(1)));
    let fault = prop::sample::select(vec![None, None, None, Permanent, Retryable, limited, Lost, Unknown, Stopped]);
    let faults = prop::collection::vec(fault, 0..5);
    let withdraw = (0..2_u8, prop::sample::select(vec!["a", "b", "c"]))
        .prop_map(|(source, name)| ReleaseAction::Withdraw { source, name });
    prop_oneof![
        1 => withdraw,
        2 => (0..2_u8, any::<bool>(), faults.clone()).prop_map(|(source, smoke_install, faults)| ReleaseAction::Rehearse {
            source,
            smoke_install,
            faults
        }),
        2 => (0..2_u8, prop::bool::weighted(0.1), faults).prop_map(|(source, skip, faults)| ReleaseAction::Publish {
            source,
            skip,
            faults
        }),
    ]
}

proptest! {
    #![proptest_config(proptest_config(60))]

    /// A plan ID does not depend on the order of packages and files or on the live registry. It depends on everything
    /// else: any byte of a file, a path, a name, a version, a dependency, a further file.
    #[test]
    fn plan_id_depends_on_content_only(
        files in prop::collection::btree_map("[a-z]{1,3}(/[a-z]{1,2})?", prop::collection::vec(any::<u8>(), 0..4), 1..6),
        change in 0..6_usize,
        at in any::<prop::sample::Index>(),
    ) {
        let file = |(path, bytes): (&String, &Vec<u8>)| PlannedFile::new(path, bytes);
        let locked = |version: &str| LockedDependency {
            name: "itoa".to_owned(), version: version.to_owned(), checksum: "4a5f".to_owned(),
        };
        let package = |name: &str, files: Vec<PlannedFile>| {
            let mut package = PlannedPackage::new(name, "1.0.0", files);
            package.locked = vec![locked("1.0.0")];
            package
        };
        let planned: Vec<PlannedFile> = files.iter().map(file).collect();
        let reversed: Vec<PlannedFile> = planned.iter().rev().cloned().collect();
        let plan = Plan::new(registry(LIVE), vec![package("a", planned.clone()), package("b", planned.clone())]).expect("a plan");
        let again = Plan::new(registry("other"), vec![package("b", reversed.clone()), package("a", reversed)]).expect("a plan");
        prop_assert_eq!(plan.plan_id(), again.plan_id());
        prop_assert_eq!(plan.plan_id().as_str(), blake3::hash(plan.canonical_form().as_bytes()).to_string());
        let mut changed = package("b", planned.clone());
        let at = at.index(planned.len());
        match change {
            0 => changed.files[at].blake3 = blake3::hash(b"something else altogether"),
            1 => changed.files[at].path += "x",
            2 => changed.name = "c".to_owned(),
            3 => changed.version = "1.0.1".to_owned(),
            4 => changed.locked = vec![locked("1.0.1")],
            _ => changed.files.push(PlannedFile::new("zzzz", b"")),
        }
        if let Ok(other) = Plan::new(registry(LIVE), vec![package("a", planned), changed]) {
            prop_assert_ne!(plan.plan_id(), other.plan_id());
        }
    }

    /// Any sequence of actions with any faults leaves nothing open and is never violated. Without a skip, only the plan
    /// of the latest passed rehearsal is published, and only what it built is uploaded.
    #[test]
    fn random_release_sequences_satisfy_invariants(
        live in prop::sample::subsequence(vec!["a", "b", "c"], 0..=3),
        actions in prop::collection::vec(action(), 1..7),
    ) {
        let mut tool = ReleaseTool::create();
        // Published by another tool.
        for package in plan(0, 0).packages().iter().filter(|package| live.contains(&package.name.as_str())) {
            tool.publisher.published.insert((LIVE.to_owned(), package.id()), package.content());
        }
        let mut latest = Option::<(u8, bool)>::None;
        for action in actions {
            match action {
                ReleaseAction::Rehearse { source, smoke_install, faults } => {
                    let passed = tool.rehearse(&plan(source, source), smoke_install, &faults);
                    latest = Some((source, passed));
                }
                ReleaseAction::Withdraw { source, name } => {
                    tool.publisher.published.remove(&(LIVE.to_owned(), format!("{name}@0.{source}.0")));
                    continue;
                }
                ReleaseAction::Publish { source, skip, faults } => {
                    let answer = tool.publish(&plan(source, source), skip, &faults);
                    prop_assert_eq!(answer.is_ok(), skip || latest == Some((source, true)), "{:?}", answer);
                }
            }
            let audited = tool.audit();
            prop_assert_ne!(audited.conclusion(), Conclusion::Violated, "{:?}", audited.findings);
            prop_assert!(audited.decisions.iter().flat_map(|decision| &decision.runs).all(|run| run.finished.is_some()));
        }
    }
}
