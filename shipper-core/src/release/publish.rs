//! Publishing for real: the gate is asked first, and everything that follows is an event.

use std::error::Error;
use std::time::{Duration, Instant};

use camino::Utf8Path;
use shipper_events::event::RawJson;
use shipper_events::event::{
    AuthEvidence, AuthEvidenceRecorded, ExecutionFinished, ExecutionStarted, PackageAttempted, PackageFailed,
    PackageOutput, PackagePublished, PackageSkipped, PackageStarted, PackageUploaded, PlanCreated, PublishReconciled,
    PublishReconciling, ReadinessComplete, ReadinessPoll, ReadinessStarted, ReadinessTimeout, RetryScheduled,
};
use shipper_events::write::{AppendError, LockOptions, LogError, LogWriter, NewEvent, Storage, WriterOptions};
use shipper_events::{EventType, Head, JsonUint};
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
    let head = run.append("all", ExecutionFinished::new().result(result))?;
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
        let evidence = AuthEvidence::new().schema_version("shipper.auth_evidence.v1").registry(live.name.as_str());
        let package_count = plan.packages().len() as u64;
        let plan_created = PlanCreated::new(plan.plan_id().clone(), package_count).gate(JsonUint::from(gate));
        self.log.append(&[
            NewEvent::new(ExecutionStarted::new(), "all"),
            NewEvent::new(policy_applied(authority(&live.index).as_deref(), credentials.as_deref()), "all"),
            NewEvent::new(plan_created, "all"),
            NewEvent::new(AuthEvidenceRecorded::new().evidence(evidence), "all"),
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
        let started = PackageStarted::new().name(&*package.name).version(&*package.version);
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
        self.append(&id, PackagePublished::new().duration_ms(millis(begun.elapsed())))?;
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
            let attempted = PackageAttempted::new()
                .attempt(u64::from(attempt.number))
                .command(work.publisher.command(package, work.on))
                .max_attempts(u64::from(attempt.most));
            self.append(&id, attempted)?;
            let failed = match work.publish(package, &attempt) {
                Ok(tails) => {
                    let uploaded = PackageUploaded::new();
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
                        self.append(&id, PackageUploaded::new())?;
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
        self.append(&id, PublishReconciling::new().method("index"))?;
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
        self.append(&id, PublishReconciled::new().outcome(RawJson::from(outcome)))?;
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
        self.append(&id, ReadinessStarted::new().method("index"))?;
        let shown = work.wait_for(package, |attempt, visible| {
            let poll = ReadinessPoll::new().attempt(attempt).visible(visible);
            self.append(&id, poll).map(|_| ())
        })?;
        match &shown {
            Ok(looks) => {
                let complete = ReadinessComplete::new().duration_ms(millis(begun.elapsed())).attempts(*looks);
                self.append(&id, complete)?;
            }
            Err(failure) if failure.class == FailureClass::Ambiguous && !work.stop.is_asked() => {
                self.append(&id, ReadinessTimeout::new().max_wait_ms(millis(work.limits.readiness)))?;
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
        self.append(&package.id(), PackageSkipped::new().reason(reason))?;
        Ok(Ok(()))
    }

    fn failed(&mut self, id: &str, failed: Failure) -> Result<Result<(), Failure>, AppendError> {
        let event = PackageFailed::new().class(failed.class.as_str()).message(&*failed.message);
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
    RetryScheduled::new()
        .attempt(u64::from(attempt.number))
        .max_attempts(u64::from(attempt.most))
        .delay_ms(millis(pause))
        .reason(failed.class.as_str())
        .message(&*failed.message)
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
