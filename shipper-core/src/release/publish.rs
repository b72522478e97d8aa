//! Publishing for real: the gate is asked first, and everything that follows is an event.

use std::error::Error;
use std::time::{Duration, Instant};

use camino::Utf8Path;
use shipper_events::vocabulary::{
    AuthEvidence, AuthEvidenceRecorded, ExecutionFinished, ExecutionStarted, PackageAttempted, PackageFailed,
    PackageOutput, PackagePublished, PackageSkipped, PackageStarted, PackageUploaded, PlanCreated, PublishReconciled,
    PublishReconciling, ReadinessComplete, ReadinessPoll, ReadinessStarted, ReadinessTimeout, RetryScheduled,
};
use shipper_events::write::{AppendError, LockOptions, LogError, LogWriter, NewEvent, Storage, WriterOptions};
use shipper_events::{EventType, ExtraMembers, Head, JsonUint, Lenient, RawJson};
use thiserror::Error;

use super::plan::{Plan, PlannedPackage};
use super::registry::{On, Registry, SameRegistry, authority};
use super::steps::{Attempts, Limits, Work};
use super::world::{Failed, Failure, FailureClass, Found, OutputTails, Progress, Publisher, Step, Stop};
use crate::ask_gate::{AskGateError, Enforced, SkipRequest, ask_gate};
use crate::gate::{GateQuery, RefusalCode, RefusalReason};
use crate::keep::LOG_FILE_NAME;
use crate::record::{RecordError, RunLock, package_output, policy_applied};

/// How a plan is published.
#[derive(Debug, Clone)]
pub struct PublishOptions {
    /// The registry that it must have been rehearsed on; `None` where no rehearsal is configured: the gate is then
    /// dormant, and the log says so.
    pub rehearsal: Option<Registry>,
    /// Who skips the gate, and why; `None` where nobody does.
    pub skip: Option<SkipRequest>,
    /// Its time limits, and how often it tries.
    pub limits: Limits,
    /// The wait for the log's lock.
    pub lock: LockOptions,
    /// A head that the caller has kept; `None` accepts any log. The gate refuses a log that does not begin with exactly those bytes.
    pub expected_head: Option<Head>,
}

/// A run that was let go, and finished: well or not.
#[derive(Debug)]
pub struct Published {
    /// The gate's answer.
    pub gate: Enforced,
    /// The head of the log after the run: keep it elsewhere.
    pub head: Head,
    /// Where it stopped, and why. Packages after that were not tried; publish again to go on.
    pub failure: Option<Failed>,
}

/// A run was not let go, or could not be recorded.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PublishError {
    /// Both names lead to the same registry: a rehearsal on it would have been no rehearsal.
    #[error(transparent)]
    SameRegistry(#[from] SameRegistry),
    /// The plan could not be published, as far as that can be seen beforehand. The gate was not asked.
    #[error("nothing was published")]
    NotReady(#[source] Failure),
    /// The gate refused. Nothing was published.
    #[error("the gate refused: {reasons}")]
    Refused {
        /// Every reason, and what to do about it.
        reasons: String,
        /// The whole answer.
        gate: Box<Enforced>,
    },
    /// The gate could not be asked.
    #[error("nothing was published")]
    NotAsked(#[from] AskGateError),
    /// Another rehearsal or run is at work, or whether one is cannot be found out.
    #[error("nothing was published")]
    WorkLock(#[from] RecordError),
    /// The log could not be opened for the run.
    #[error("nothing was published: the log cannot be opened")]
    Log(#[from] LogError),
    /// A step could not be recorded. What was done so far is in the log; nothing was done after it.
    #[error("the run was stopped: a step could not be recorded")]
    NotRecorded(#[from] AppendError),
}

/// Publishes a plan, if the gate lets it go: asks, records the answer, and publishes the packages to the live registry
/// one after the other, waiting for each to be shown. It stops at the first failure. What the registry shows already is
/// passed over, so that publishing again goes on where a run ended; that run asks the gate again.
///
/// # Errors
///
/// When the gate refuses, or a step cannot be recorded. A run that fails is no error: it is recorded, and finished.
pub fn publish<P: Publisher, D: Storage + Clone>(
    disk: D,
    state_directory: &Utf8Path,
    plan: &Plan,
    options: &PublishOptions,
    publisher: &mut P,
    stop: &Stop,
    progress: &mut dyn Progress,
) -> Result<Published, PublishError> {
    let live = plan.live();
    options.rehearsal.as_ref().map_or(Ok(()), |rehearsal| SameRegistry::check(rehearsal, live))?;
    let _at_work = RunLock::take(&disk, state_directory, &options.lock.holder_note)?;
    let mut work = Work { publisher, on: On::Live(live), limits: options.limits, stop, progress };
    work.check(plan).map_err(PublishError::NotReady)?;
    let query = GateQuery {
        plan_id: plan.plan_id().clone(),
        rehearsal_registry: options.rehearsal.as_ref().map(|rehearsal| rehearsal.name.clone()),
        skip: options.skip.is_some(),
    };
    let asker = options.skip.clone().unwrap_or_default();
    let gate = ask_gate(disk.clone(), state_directory, &query, &asker, options.expected_head, options.lock.clone())?;
    let Some(line) = gate.line.filter(|_| gate.verdict.may_publish()) else {
        return Err(PublishError::Refused { reasons: told(&gate), gate: Box::new(gate) });
    };
    work.progress.let_go(&gate);
    // The log must go on from the decision.
    let log = WriterOptions::new(options.lock.clone()).create(false).expected_head(gate.head);
    let mut run = Run { log: LogWriter::open(disk, &state_directory.join(LOG_FILE_NAME), log, ())? };
    // Where it cannot be asked now, the first look at a package says why.
    let uploads_to = work.uploads_to(On::Live(live)).ok();
    run.begin(plan, uploads_to.as_deref(), line)?;
    let mut failure = None;
    let mut reached = 0;
    for package in plan.packages() {
        match run.publish(&mut work, package)? {
            Ok(()) => reached += 1,
            Err(failed) => {
                failure = Some(Failed { package: Some(package.id()), failure: failed });
                break;
            }
        }
    }
    let result = match (&failure, reached) {
        (None, _) => "success",
        (Some(_), 0) => "complete_failure",
        (Some(_), _) => "partial_failure",
    };
    let head = run.append("all", ExecutionFinished { result: text(result), others: none() })?;
    Ok(Published { gate, head, failure })
}

/// Why the gate refused, and what to do about it.
fn told(gate: &Enforced) -> String {
    if let Some(untrusted) = &gate.untrusted {
        let reason = RefusalCode::UntrustedLog;
        return format!("{reason}: {}", chain_of(untrusted));
    }
    let told = |reason: &RefusalReason| format!("{reason}; {}", reason.code().advice());
    gate.verdict.reasons().iter().map(told).collect::<Vec<_>>().join("; and ")
}

/// An error with what caused it.
fn chain_of(error: &dyn Error) -> String {
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    causes.fold(error.to_string(), |said, cause| format!("{said}: {cause}"))
}

/// A run that is being recorded.
struct Run<D: Storage> {
    log: LogWriter<(), D>,
}

impl<D: Storage> Run<D> {
    /// Records that the run begins, and on whose word.
    fn begin(&mut self, plan: &Plan, uploads_to: Option<&str>, gate: u64) -> Result<(), AppendError> {
        let live = plan.live();
        let credentials = uploads_to.and_then(authority);
        let evidence = AuthEvidence {
            schema_version: text("shipper.auth_evidence.v1"),
            registry: text(live.name.as_str()),
            auth_mode: Lenient::Absent,
            token_detected: Lenient::Absent,
            oidc_request_url_present: Lenient::Absent,
            oidc_request_token_present: Lenient::Absent,
            others: none(),
        };
        let plan_created = PlanCreated {
            plan_id: plan.plan_id().clone(),
            package_count: (plan.packages().len() as u64).into(),
            gate: Some(gate.into()),
            others: none(),
        };
        self.log.append(&[
            NewEvent::new(ExecutionStarted { others: none() }, "all"),
            NewEvent::new(policy_applied(authority(&live.index).as_deref(), credentials.as_deref()), "all"),
            NewEvent::new(plan_created, "all"),
            NewEvent::new(AuthEvidenceRecorded { evidence: Lenient::Typed(evidence), others: none() }, "all"),
        ])?;
        Ok(())
    }

    /// Publishes a package, or passes it over; every step is recorded before the next one is taken.
    fn publish<P: Publisher>(
        &mut self,
        work: &mut Work<'_, P>,
        package: &PlannedPackage,
    ) -> Result<Result<(), Failure>, AppendError> {
        let id = package.id();
        let begun = Instant::now();
        match work.find(package) {
            Ok(Found::Nothing) => {}
            Ok(Found::Same) => return self.skipped(work, package, "already published with this content"),
            Ok(Found::Other) => return self.failed(&id, another_content()),
            Err(failed) => return self.failed(&id, failed),
        }
        let started = PackageStarted { name: text(&package.name), version: text(&package.version), others: none() };
        self.append(&id, started)?;
        let uploaded = match self.attempts(work, package)? {
            Ok(uploaded) => uploaded,
            Err(failed) => return self.failed(&id, failed),
        };
        if uploaded == Uploaded::JustNow
            && let Err(failed) = self.readiness(work, package)?
        {
            return self.failed(&id, failed);
        }
        self.append(&id, PackagePublished { duration_ms: millis(begun.elapsed()), others: none() })?;
        Ok(Ok(()))
    }

    /// Tries until the package was handed over, as often as a failure may pass.
    fn attempts<P: Publisher>(
        &mut self,
        work: &mut Work<'_, P>,
        package: &PlannedPackage,
    ) -> Result<Result<Uploaded, Failure>, AppendError> {
        let id = package.id();
        let mut attempt = work.attempts();
        loop {
            let attempted = PackageAttempted {
                attempt: number(attempt.number.into()),
                command: text(&work.publisher.command(package, work.on)),
                max_attempts: number(attempt.most.into()),
                others: none(),
            };
            self.append(&id, attempted)?;
            let failed = match work.publish(package, &attempt) {
                Ok(tails) => {
                    let uploaded = PackageUploaded { others: none() };
                    self.log.append(&[NewEvent::new(output(&tails), &*id), NewEvent::new(uploaded, &*id)])?;
                    return Ok(Ok(Uploaded::JustNow));
                }
                Err(failed) => failed,
            };
            self.append(&id, output(&failed.tails))?;
            // It may be there all the same. Who asked to stop wants to know that too.
            if failed.class == FailureClass::Ambiguous {
                match self.reconcile(work, package)? {
                    Ok(Found::Same) => {
                        self.append(&id, PackageUploaded { others: none() })?;
                        return Ok(Ok(Uploaded::AndShown));
                    }
                    Ok(Found::Other) => return Ok(Err(another_content())),
                    Ok(Found::Nothing) => {}
                    // To try again could be to publish twice.
                    Err(look) => {
                        let message = format!("{}; then {look}", failed.message);
                        return Ok(Err(Failure { message, ..failed }));
                    }
                }
            }
            if !attempt.go_on_after(&failed, work.stop) {
                return Ok(Err(failed));
            }
            self.append(&id, retry(&attempt, work.limits.pause, &failed))?;
            if !work.pause() {
                return Ok(Err(failed));
            }
            attempt.number += 1;
        }
    }

    /// What the registry shows of a package of which nobody knows whether it was handed over.
    fn reconcile<P: Publisher>(
        &mut self,
        work: &mut Work<'_, P>,
        package: &PlannedPackage,
    ) -> Result<Result<Found, Failure>, AppendError> {
        let id = package.id();
        self.append(&id, PublishReconciling { method: text("index"), others: none() })?;
        // Also when somebody asked to stop: this is how the log learns what happened.
        let stop = Stop::default();
        let mut asking = Work { stop: &stop, publisher: &mut *work.publisher, progress: &mut *work.progress, ..*work };
        let mut found = asking.find(package);
        // It may arrive before it is shown.
        for _ in 1..asking.limits.attempts {
            if !matches!(found, Ok(Found::Nothing)) {
                break;
            }
            asking.pause();
            found = asking.find(package);
        }
        let outcome = match &found {
            Ok(Found::Same) => "published",
            Ok(Found::Nothing) => "not-shown",
            Ok(Found::Other) => "another-content",
            Err(_) => "unknown",
        };
        let outcome = Lenient::Typed(RawJson::from(outcome));
        self.append(&id, PublishReconciled { outcome, others: none() })?;
        Ok(found)
    }

    /// Waits until the registry shows the package.
    fn readiness<P: Publisher>(
        &mut self,
        work: &mut Work<'_, P>,
        package: &PlannedPackage,
    ) -> Result<Result<(), Failure>, AppendError> {
        let id = package.id();
        let begun = Instant::now();
        self.append(&id, ReadinessStarted { method: text("index"), others: none() })?;
        let shown = work.wait_for(package, |attempt, visible| {
            let poll = ReadinessPoll { attempt: number(attempt), visible: Lenient::Typed(visible), others: none() };
            self.append(&id, poll).map(|_| ())
        })?;
        match &shown {
            Ok(looks) => {
                let (duration_ms, attempts) = (millis(begun.elapsed()), number(*looks));
                self.append(&id, ReadinessComplete { duration_ms, attempts, others: none() })?;
            }
            Err(failure) if failure.class == FailureClass::Ambiguous && !work.stop.is_asked() => {
                let max_wait_ms = millis(work.limits.readiness);
                self.append(&id, ReadinessTimeout { max_wait_ms, others: none() })?;
            }
            // It is there with another content, or nobody waited.
            Err(_) => {}
        }
        Ok(shown.map(|_| ()))
    }

    fn skipped<P: Publisher>(
        &mut self,
        work: &mut Work<'_, P>,
        package: &PlannedPackage,
        reason: &str,
    ) -> Result<Result<(), Failure>, AppendError> {
        work.progress.begins(Step::Skip, package);
        self.append(&package.id(), PackageSkipped { reason: text(reason), others: none() })?;
        Ok(Ok(()))
    }

    fn failed(&mut self, id: &str, failed: Failure) -> Result<Result<(), Failure>, AppendError> {
        let event =
            PackageFailed { class: text(failed.class.as_str()), message: text(&failed.message), others: none() };
        self.append(id, event)?;
        Ok(Err(failed))
    }

    fn append(&mut self, package: &str, event: impl Into<EventType>) -> Result<Head, AppendError> {
        self.log.append(&[NewEvent::new(event, package)])
    }
}

/// How a package was handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Uploaded {
    /// The command said so.
    JustNow,
    /// The registry shows it.
    AndShown,
}

fn another_content() -> Failure {
    let message = "the live registry has this version with another content; bump the version";
    Failure::new(FailureClass::Permanent, message)
}

fn output(tails: &OutputTails) -> PackageOutput {
    package_output(&tails.stdout, &tails.stderr)
}

fn retry(attempt: &Attempts, pause: Duration, failed: &Failure) -> RetryScheduled {
    RetryScheduled {
        attempt: number(attempt.number.into()),
        max_attempts: number(attempt.most.into()),
        delay_ms: millis(pause),
        next_attempt_at: Lenient::Absent,
        reason: text(failed.class.as_str()),
        message: text(&failed.message),
        others: none(),
    }
}

fn text(text: &str) -> Lenient<String> {
    Lenient::Typed(text.to_owned())
}

fn number(number: u64) -> Lenient<JsonUint> {
    Lenient::Typed(number.into())
}

fn millis(time: Duration) -> Lenient<JsonUint> {
    number(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

fn none() -> ExtraMembers {
    ExtraMembers::default()
}
