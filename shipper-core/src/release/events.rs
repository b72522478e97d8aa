//! Events of a run, with the members that a release records.

use std::time::Duration;

use shipper_events::JsonUint;
use shipper_events::event::RawJson;
use shipper_events::event::{
    AuthEvidence, AuthEvidenceRecorded, ExecutionFinished, ExecutionStarted, PackageAttempted, PackageFailed,
    PackageOutput, PackagePublished, PackageSkipped, PackageStarted, PackageUploaded, PlanCreated, PublishReconciled,
    PublishReconciling, ReadinessComplete, ReadinessPoll, ReadinessStarted, ReadinessTimeout, RetryScheduled,
};
use shipper_events::write::NewEvent;

use super::plan::{Plan, PlannedPackage};
use super::publisher::{Failure, OutputTails, PublishedState};
use super::registry::origin;
use super::session::RetryState;
use crate::rehearsal::policy_applied;

/// Returns the first events of a run, which acts on the decision of that line.
pub(super) fn run_started(plan: &Plan, gate: u64, upload_endpoint: Option<&str>) -> [NewEvent; 4] {
    let live = plan.live();
    let credentials = upload_endpoint.and_then(origin);
    let evidence = AuthEvidence::new().schema_version("shipper.auth_evidence.v1").registry(live.name.as_str());
    let package_count = plan.packages().len() as u64;
    [
        NewEvent::new(ExecutionStarted::new(), "all"),
        NewEvent::new(policy_applied(origin(&live.index).as_deref(), credentials.as_deref()), "all"),
        NewEvent::new(PlanCreated::new(plan.plan_id().clone(), package_count).gate(JsonUint::from(gate)), "all"),
        NewEvent::new(AuthEvidenceRecorded::new().evidence(evidence), "all"),
    ]
}

pub(super) fn run_finished(result: &str) -> ExecutionFinished {
    ExecutionFinished::new().result(result)
}

pub(super) fn package_started(package: &PlannedPackage) -> PackageStarted {
    PackageStarted::new().name(&*package.name).version(&*package.version)
}

pub(super) fn package_skipped(reason: &str) -> PackageSkipped {
    PackageSkipped::new().reason(reason)
}

pub(super) fn package_attempted(retry: &RetryState, command: String) -> PackageAttempted {
    PackageAttempted::new()
        .attempt(u64::from(retry.attempt))
        .command(command)
        .max_attempts(u64::from(retry.max_attempts))
}

pub(super) fn package_output(tails: &OutputTails) -> PackageOutput {
    crate::rehearsal::package_output(&tails.stdout, &tails.stderr)
}

pub(super) fn package_uploaded() -> PackageUploaded {
    PackageUploaded::new()
}

pub(super) fn package_published(took: Duration) -> PackagePublished {
    PackagePublished::new().duration_ms(millis(took))
}

pub(super) fn package_failed(failure: &Failure) -> PackageFailed {
    PackageFailed::new().class(failure.class.as_str()).message(&*failure.message)
}

pub(super) fn retry_scheduled(retry: &RetryState, delay: Duration, failure: &Failure) -> RetryScheduled {
    RetryScheduled::new()
        .attempt(u64::from(retry.attempt))
        .max_attempts(u64::from(retry.max_attempts))
        .delay_ms(millis(delay))
        .reason(failure.class.as_str())
        .message(&*failure.message)
}

pub(super) fn reconciling() -> PublishReconciling {
    PublishReconciling::new().method("index")
}

pub(super) fn reconciled(state: &Result<PublishedState, Failure>) -> PublishReconciled {
    let outcome = match state {
        Ok(PublishedState::SameContent) => "published",
        Ok(PublishedState::Absent) => "not-shown",
        Ok(PublishedState::DifferentContent) => "another-content",
        Err(_) => "unknown",
    };
    PublishReconciled::new().outcome(RawJson::from(outcome))
}

pub(super) fn readiness_started() -> ReadinessStarted {
    ReadinessStarted::new().method("index")
}

pub(super) fn readiness_poll(attempt: u64, visible: bool) -> ReadinessPoll {
    ReadinessPoll::new().attempt(attempt).visible(visible)
}

pub(super) fn readiness_complete(took: Duration, attempts: u64) -> ReadinessComplete {
    ReadinessComplete::new().duration_ms(millis(took)).attempts(attempts)
}

pub(super) fn readiness_timeout(timeout: Duration) -> ReadinessTimeout {
    ReadinessTimeout::new().max_wait_ms(millis(timeout))
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
