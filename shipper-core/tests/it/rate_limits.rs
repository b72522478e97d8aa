//! A registry that limits the rate of uploads delays a release, and does not fail it. The log shows each wait, and the
//! refused uploads are no attempts.

use std::time::Duration;

use serde_json::Value;
use shipper_core::audit::Conclusion;
use shipper_core::release::{CancelToken, Plan, Progress, UploadEstimate, Wait, publish};
use shipper_events::write::FsStorage;
use shipper_testkit::fake_publisher::{LIMITS, PublishFault, ReleaseTool, plan, publish_options, registry};

const SOON: PublishFault = PublishFault::RateLimited(Some(Duration::from_millis(1)));

/// Returns the events of a type in the log, in order.
fn events(tool: &ReleaseTool, name: &str) -> Vec<Value> {
    let lines = tool.log_text().lines().map(|line| serde_json::from_str(line).expect("JSON")).collect::<Vec<Value>>();
    let events = lines.into_iter().map(|mut line| line["event_type"].take());
    events.filter(|event| event["type"] == name).collect()
}

/// More refusals than attempts delay the run and the rehearsal.
#[test]
fn refused_upload_waits_and_is_no_attempt() {
    let mut tool = ReleaseTool::create();
    assert!(tool.rehearse(&plan(1, 1), false, &[SOON, SOON, SOON]));
    assert_eq!(tool.publish(&plan(1, 1), false, &[SOON, SOON, SOON, PublishFault::Retryable]), Ok(true));
    let (observed, waits) = (events(&tool, "rate_limit_observed"), events(&tool, "publish_waiting"));
    assert_eq!((observed.len(), waits.len()), (3, 3));
    assert_eq!((&observed[0]["is_new_crate"], &observed[0]["retry_after_ms"]), (&true.into(), &1.into()));
    assert_eq!(observed[0]["message"], r"\u{1b} it failed");
    assert_eq!((&waits[2]["reason"], &waits[2]["delay_ms"]), (&"rate limit".into(), &4.into()), "it doubles");
    assert!(waits[2]["until"].as_str().is_some_and(|until| until.ends_with('Z')), "{waits:?}");
    let attempts = events(&tool, "package_attempted");
    let attempts: Vec<u64> = attempts.iter().filter_map(|event| event["attempt"].as_u64()).collect();
    assert_eq!(attempts, [1, 1, 1, 1, 2, 1, 1], "a is refused three times, and fails once");
    assert_eq!(tool.audit().conclusion(), Conclusion::Verified);
}

/// Without a time, the refusal is an attempt like another temporary failure. A time after the limit ends the run at once.
#[test]
fn refusal_without_a_near_time_is_bounded() {
    let (unknown, late) = (PublishFault::RateLimited(None), PublishFault::RateLimited(Some(LIMITS.command_timeout)));
    for (fault, observed, message) in
        [(unknown, 2, " it failed"), (late, 1, "after the time limit; publish again then")]
    {
        let mut tool = ReleaseTool::create();
        assert!(tool.rehearse(&plan(1, 1), false, &[]));
        assert_eq!(tool.publish(&plan(1, 1), false, &[fault, fault, fault]), Ok(false));
        assert_eq!(events(&tool, "rate_limit_observed").len(), observed);
        assert!(events(&tool, "publish_waiting").is_empty());
        let failed = events(&tool, "package_failed");
        assert!(failed[0]["message"].as_str().is_some_and(|found| found.ends_with(message)), "{failed:?}");
        assert_eq!(tool.publisher.reached, observed);
    }
    let mut tool = ReleaseTool::create();
    assert!(!tool.rehearse(&plan(1, 1), false, &[late]), "the rehearsal ends too");
}

/// Stops the run as soon as it waits.
struct StopAtWait {
    cancel: CancelToken,
    estimate: Option<UploadEstimate>,
    reported: Vec<String>,
}

impl Progress for StopAtWait {
    fn waiting(&mut self, wait: Wait<'_>) {
        if let Wait::RateLimit { package, left, .. } = wait {
            self.reported.push(package.id());
            assert!(left > Duration::from_secs(20), "{left:?}");
        }
        self.cancel.cancel();
    }

    fn uploads_estimated(&mut self, estimate: UploadEstimate) {
        self.estimate = Some(estimate);
    }
}

/// A wait ends when the caller asks to stop. The estimate for crates-io counts new packages, and comes first.
#[test]
fn wait_can_be_stopped() {
    let packages = plan(1, 1).packages().to_vec();
    for (live, estimated) in [("live", None), ("crates-io", Some(3))] {
        let plan = Plan::new(registry(live), packages.clone()).expect("a plan");
        let mut tool = ReleaseTool::create();
        let cancel = CancelToken::default();
        let mut progress = StopAtWait { cancel: cancel.clone(), estimate: None, reported: Vec::new() };
        tool.publisher.faults = vec![PublishFault::RateLimited(Some(Duration::from_secs(30)))];
        let options = publish_options(true);
        let done = publish(FsStorage, &tool.state, &plan, &options, &mut tool.publisher, &cancel, &mut progress);
        let stopped = done.expect("it is recorded").failure.expect("it stopped");
        assert_eq!((stopped.package.as_str(), progress.reported.len()), ("a@0.1.0", 1));
        assert_eq!(events(&tool, "publish_waiting")[0]["delay_ms"], 30_000);
        assert_eq!(progress.estimate.map(|estimate| estimate.new_crates), estimated, "{live}");
    }
}
