//! Events of a run, with the members that a release records.

use std::time::Duration;

use shipper_events::vocabulary::{
    AuthEvidence, AuthEvidenceRecorded, ExecutionFinished, ExecutionStarted, PackageAttempted, PackageFailed,
    PackageOutput, PackagePublished, PackageSkipped, PackageStarted, PackageUploaded, PlanCreated, PublishReconciled,
    PublishReconciling, ReadinessComplete, ReadinessPoll, ReadinessStarted, ReadinessTimeout, RetryScheduled,
};
use shipper_events::write::NewEvent;
use shipper_events::{ExtraMembers, JsonUint, Lenient, RawJson};

use super::plan::{Plan, PlannedPackage};
use super::publisher::{Failure, OutputTails, PublishedState};
use super::registry::origin;
use super::session::RetryState;
use crate::rehearsal::policy_applied;

/// Returns the first events of a run, which acts on the decision of that line.
pub(super) fn run_started(plan: &Plan, gate: u64, upload_endpoint: Option<&str>) -> [NewEvent; 4] {
    let live = plan.live();
    let credentials = upload_endpoint.and_then(origin);
    let evidence = AuthEvidence {
        schema_version: "shipper.auth_evidence.v1".to_owned().into(),
        registry: live.name.as_str().to_owned().into(),
        auth_mode: Lenient::Absent,
        token_detected: Lenient::Absent,
        oidc_request_url_present: Lenient::Absent,
        oidc_request_token_present: Lenient::Absent,
        others: ExtraMembers::default(),
    };
    let plan_created = PlanCreated {
        plan_id: plan.plan_id().clone(),
        package_count: (plan.packages().len() as u64).into(),
        gate: Some(gate.into()),
        others: ExtraMembers::default(),
    };
    [
        NewEvent::new(ExecutionStarted { others: ExtraMembers::default() }, "all"),
        NewEvent::new(policy_applied(origin(&live.index).as_deref(), credentials.as_deref()), "all"),
        NewEvent::new(plan_created, "all"),
        NewEvent::new(AuthEvidenceRecorded { evidence: evidence.into(), others: ExtraMembers::default() }, "all"),
    ]
}

pub(super) fn run_finished(result: &str) -> ExecutionFinished {
    ExecutionFinished { result: result.to_owned().into(), others: ExtraMembers::default() }
}

pub(super) fn package_started(package: &PlannedPackage) -> PackageStarted {
    PackageStarted {
        name: package.name.clone().into(),
        version: package.version.clone().into(),
        others: ExtraMembers::default(),
    }
}

pub(super) fn package_skipped(reason: &str) -> PackageSkipped {
    PackageSkipped { reason: reason.to_owned().into(), others: ExtraMembers::default() }
}

pub(super) fn package_attempted(retry: &RetryState, command: String) -> PackageAttempted {
    PackageAttempted {
        attempt: number(retry.attempt),
        command: command.into(),
        max_attempts: number(retry.max_attempts),
        others: ExtraMembers::default(),
    }
}

pub(super) fn package_output(tails: &OutputTails) -> PackageOutput {
    crate::rehearsal::package_output(&tails.stdout, &tails.stderr)
}

pub(super) fn package_uploaded() -> PackageUploaded {
    PackageUploaded { others: ExtraMembers::default() }
}

pub(super) fn package_published(took: Duration) -> PackagePublished {
    PackagePublished { duration_ms: millis(took), others: ExtraMembers::default() }
}

pub(super) fn package_failed(failure: &Failure) -> PackageFailed {
    PackageFailed {
        class: failure.class.as_str().to_owned().into(),
        message: failure.message.clone().into(),
        others: ExtraMembers::default(),
    }
}

pub(super) fn retry_scheduled(retry: &RetryState, delay: Duration, failure: &Failure) -> RetryScheduled {
    RetryScheduled {
        attempt: number(retry.attempt),
        max_attempts: number(retry.max_attempts),
        delay_ms: millis(delay),
        next_attempt_at: Lenient::Absent,
        reason: failure.class.as_str().to_owned().into(),
        message: failure.message.clone().into(),
        others: ExtraMembers::default(),
    }
}

pub(super) fn reconciling() -> PublishReconciling {
    PublishReconciling { method: "index".to_owned().into(), others: ExtraMembers::default() }
}

pub(super) fn reconciled(state: &Result<PublishedState, Failure>) -> PublishReconciled {
    let outcome = match state {
        Ok(PublishedState::SameContent) => "published",
        Ok(PublishedState::Absent) => "not-shown",
        Ok(PublishedState::DifferentContent) => "another-content",
        Err(_) => "unknown",
    };
    PublishReconciled { outcome: RawJson::from(outcome).into(), others: ExtraMembers::default() }
}

pub(super) fn readiness_started() -> ReadinessStarted {
    ReadinessStarted { method: "index".to_owned().into(), others: ExtraMembers::default() }
}

pub(super) fn readiness_poll(attempt: u64, visible: bool) -> ReadinessPoll {
    ReadinessPoll { attempt: number(attempt), visible: visible.into(), others: ExtraMembers::default() }
}

pub(super) fn readiness_complete(took: Duration, attempts: u64) -> ReadinessComplete {
    ReadinessComplete { duration_ms: millis(took), attempts: number(attempts), others: ExtraMembers::default() }
}

pub(super) fn readiness_timeout(timeout: Duration) -> ReadinessTimeout {
    ReadinessTimeout { max_wait_ms: millis(timeout), others: ExtraMembers::default() }
}

fn number(number: impl Into<u64>) -> Lenient<JsonUint> {
    JsonUint::from(number.into()).into()
}

fn millis(time: Duration) -> Lenient<JsonUint> {
    number(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}
