//! Publishes a plan to the live registry: only if the gate permits it, and with every step recorded before the next one.

use std::error::Error;
use std::time::Instant;

use camino::Utf8Path;
use shipper_events::write::{AppendError, LockOptions, LogError, LogWriter, NewEvent, Storage, WriterOptions};
use shipper_events::{EventType, Head};
use thiserror::Error;

use super::events;
use super::plan::{Plan, PlannedPackage};
use super::publisher::{CancelToken, Failure, FailureClass, Progress, PublishedState, Publisher, Step, StoppedAt};
use super::registry::{Registry, RegistryRole, SameRegistryError};
use super::session::{Limits, ReleaseSession};
use crate::gate::{AskGateError, GateAnswer, GateQuery, RefusalCode, RefusalReason, SkipRequest, ask_gate};
use crate::rehearsal::{RunLock, RunLockError};
use crate::state_dir::LOG_FILE_NAME;

/// Options of [`publish`].
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct PublishOptions {
    /// The registry on which the plan must have been rehearsed. `None`, the default, makes the gate dormant, which the log
    /// records.
    pub rehearsal: Option<Registry>,
    /// The person who skips the gate, and the reason. `None`, the default, does not skip it.
    pub skip: Option<SkipRequest>,
    /// Time limits and number of attempts.
    pub limits: Limits,
    /// The wait for the log's lock.
    pub lock: LockOptions,
    /// A head that the caller has kept. The gate refuses a log that does not begin with exactly those bytes. `None`, the
    /// default, accepts any log.
    pub expected_head: Option<Head>,
}

/// A run that the gate permitted and that is finished, with or without success.
#[derive(Debug)]
#[non_exhaustive]
pub struct PublishOutcome {
    /// The gate's answer.
    pub gate: GateAnswer,
    /// The head of the log after the run, to be kept outside the log's directory.
    pub head: Head,
    /// The failure at which the run stopped; `None` after success. Another publish goes on from there.
    pub failure: Option<StoppedAt>,
}

/// A plan was not published, or a step could not be recorded.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PublishError {
    /// The rehearsal registry is the live registry.
    #[error(transparent)]
    SameRegistry(#[from] SameRegistryError),
    /// The preflight check failed. The gate was not asked.
    #[error("nothing was published: the preflight check failed")]
    Preflight(#[source] Failure),
    /// The gate refused.
    #[error("the gate refused: {reasons}")]
    Refused {
        /// Every reason with its remedy.
        reasons: String,
        /// The whole answer.
        gate: Box<GateAnswer>,
    },
    /// The gate could not be asked, or its answer could not be recorded.
    #[error("nothing was published: the gate gave no answer")]
    Gate(#[from] AskGateError),
    /// Another rehearsal or run works on the log, or the lock cannot be read.
    #[error("nothing was published: the log is not free for a run")]
    RunLock(#[from] RunLockError),
    /// The log could not be opened for the run.
    #[error("nothing was published: the log cannot be opened")]
    Log(#[from] LogError),
    /// A step could not be recorded, and the run stopped there.
    #[error("the run was stopped: a step could not be recorded")]
    Record(#[from] AppendError),
}

/// Asks the gate, records its answer, and publishes the packages to the live registry in order, each when the one before it
/// is visible. Stops at the first failure. Skips what the registry shows with the content of the plan, so another publish
/// goes on where a run ended, after it asked the gate again.
///
/// # Errors
///
/// See [`PublishError`]. A run that fails is no error: its end is recorded.
pub fn publish<P: Publisher, S: Storage + Clone>(
    storage: S,
    state_directory: &Utf8Path,
    plan: &Plan,
    options: &PublishOptions,
    publisher: &mut P,
    cancel: &CancelToken,
    progress: &mut dyn Progress,
) -> Result<PublishOutcome, PublishError> {
    let live = plan.live();
    options.rehearsal.as_ref().map_or(Ok(()), |rehearsal| SameRegistryError::check(rehearsal, live))?;
    let _run_lock = RunLock::take(&storage, state_directory, &options.lock.holder_note)?;
    let role = RegistryRole::Live(live);
    let mut session = ReleaseSession { publisher, role, limits: options.limits, cancel, progress };
    session.preflight(plan).map_err(PublishError::Preflight)?;
    let query = GateQuery {
        plan_id: plan.plan_id().clone(),
        rehearsal_registry: options.rehearsal.as_ref().map(|rehearsal| rehearsal.name.clone()),
        skip: options.skip.is_some(),
    };
    let skip = options.skip.clone().unwrap_or_default();
    let gate = ask_gate(storage.clone(), state_directory, &query, &skip, options.expected_head, options.lock.clone())?;
    let (line, decided) = match &gate {
        GateAnswer::Recorded { verdict, line, head, .. } if verdict.may_publish() => (*line, *head),
        _ => return Err(PublishError::Refused { reasons: refusal_message(&gate), gate: Box::new(gate) }),
    };
    session.progress.gate_passed(&gate);
    // The decision must be the last line of the log.
    let log = WriterOptions::new(options.lock.clone()).create(false).expected_head(Some(decided));
    let log = LogWriter::open(storage, &state_directory.join(LOG_FILE_NAME), log, ())?;
    // A registry that does not answer now fails the first lookup, which records the reason.
    let upload_endpoint = session.upload_endpoint(role).ok();
    let mut run = RunRecorder { log, session };
    run.log.append(&events::run_started(plan, line, upload_endpoint.as_deref()))?;
    let failure = run.publish_packages(plan.packages())?;
    let result = match &failure {
        None => "success",
        Some(stopped) if plan.packages().first().map(PlannedPackage::id) == stopped.package => "complete_failure",
        Some(_) => "partial_failure",
    };
    let head = run.append("all", events::run_finished(result))?;
    Ok(PublishOutcome { gate, head, failure })
}

/// Describes why the gate refused, with the remedies.
fn refusal_message(gate: &GateAnswer) -> String {
    if let GateAnswer::UntrustedLog(untrusted) = gate {
        return format!("{}: {}", RefusalCode::UntrustedLog, error_chain(untrusted));
    }
    let reason = |reason: &RefusalReason| format!("{reason}; {}", reason.code().help());
    gate.verdict().reasons().iter().map(reason).collect::<Vec<_>>().join("; and ")
}

/// Describes an error with its causes.
fn error_chain(error: &dyn Error) -> String {
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    causes.fold(error.to_string(), |chain, cause| format!("{chain}: {cause}"))
}

/// A run, and the log to which it is recorded.
struct RunRecorder<'s, P, S: Storage> {
    log: LogWriter<(), S>,
    session: ReleaseSession<'s, P>,
}

/// The reason why a run stops.
#[derive(Debug, Error)]
#[error(transparent)]
enum StopReason {
    /// A package could not be published.
    Failed(#[from] Failure),
    /// A step could not be recorded.
    NotRecorded(#[from] AppendError),
}

/// The evidence of an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum UploadOutcome {
    /// The command succeeded.
    Accepted,
    /// The command's outcome was unknown, and the registry shows the package.
    AlreadyVisible,
}

impl<P: Publisher, S: Storage> RunRecorder<'_, P, S> {
    /// Publishes packages up to the first failure, and records it.
    fn publish_packages(&mut self, packages: &[PlannedPackage]) -> Result<Option<StoppedAt>, AppendError> {
        for package in packages {
            match self.publish_package(package) {
                Ok(()) => {}
                Err(StopReason::NotRecorded(error)) => return Err(error),
                Err(StopReason::Failed(failure)) => {
                    let id = package.id();
                    self.append(&id, events::package_failed(&failure))?;
                    return Ok(Some(StoppedAt { package: Some(id), failure }));
                }
            }
        }
        Ok(None)
    }

    /// Publishes or skips a package.
    fn publish_package(&mut self, package: &PlannedPackage) -> Result<(), StopReason> {
        let id = package.id();
        let started = Instant::now();
        match self.session.lookup(package)? {
            PublishedState::Absent => {}
            PublishedState::SameContent => {
                self.session.progress.step_started(Step::Skip, package);
                self.append(&id, events::package_skipped("already published with this content"))?;
                return Ok(());
            }
            PublishedState::DifferentContent => return Err(different_content().into()),
        }
        self.append(&id, events::package_started(package))?;
        if self.upload(package)? == UploadOutcome::Accepted {
            self.wait_until_visible(package)?;
        }
        self.append(&id, events::package_published(started.elapsed()))?;
        Ok(())
    }

    /// Uploads a package, again after failures that permit it.
    fn upload(&mut self, package: &PlannedPackage) -> Result<UploadOutcome, StopReason> {
        let id = package.id();
        let mut retry = self.session.first_attempt();
        loop {
            let command = self.session.publisher.describe_command(package, self.session.role);
            self.append(&id, events::package_attempted(&retry, command))?;
            let failure = match self.session.publish(package, &retry) {
                Ok(tails) => {
                    let (output, uploaded) = (events::package_output(&tails), events::package_uploaded());
                    self.log.append(&[NewEvent::new(output, &*id), NewEvent::new(uploaded, &*id)])?;
                    return Ok(UploadOutcome::Accepted);
                }
                Err(failure) => failure,
            };
            self.append(&id, events::package_output(&failure.tails))?;
            // The package may have arrived. A caller that asked to stop needs to know that too.
            if failure.class == FailureClass::Ambiguous {
                match self.reconcile(package)? {
                    Ok(PublishedState::SameContent) => {
                        self.append(&id, events::package_uploaded())?;
                        return Ok(UploadOutcome::AlreadyVisible);
                    }
                    Ok(PublishedState::DifferentContent) => return Err(different_content().into()),
                    Ok(PublishedState::Absent) => {}
                    // Another attempt could publish twice.
                    Err(lookup) => {
                        let message = format!("{}; then {lookup}", failure.message);
                        return Err(Failure { message, ..failure }.into());
                    }
                }
            }
            if !retry.should_retry(&failure, self.session.cancel) {
                return Err(failure.into());
            }
            self.append(&id, events::retry_scheduled(&retry, self.session.limits.poll_interval, &failure))?;
            if !self.session.pause() {
                return Err(failure.into());
            }
            retry.attempt += 1;
        }
    }

    /// Looks up a package after an upload whose outcome is unknown.
    fn reconcile(&mut self, package: &PlannedPackage) -> Result<Result<PublishedState, Failure>, AppendError> {
        let id = package.id();
        self.append(&id, events::reconciling())?;
        // A request to stop does not apply: only this lookup tells the log what happened.
        let cancel = CancelToken::default();
        let ReleaseSession { publisher, progress, role, limits, .. } = &mut self.session;
        let (publisher, progress, role, limits) = (&mut **publisher, &mut **progress, *role, *limits);
        let mut session = ReleaseSession { publisher, role, limits, cancel: &cancel, progress };
        let mut state = session.lookup(package);
        // A registry may show an upload later than it arrived.
        for _ in 1..limits.max_attempts {
            if !matches!(state, Ok(PublishedState::Absent)) {
                break;
            }
            session.pause();
            state = session.lookup(package);
        }
        self.append(&id, events::reconciled(&state))?;
        Ok(state)
    }

    /// Waits until the registry shows the package.
    fn wait_until_visible(&mut self, package: &PlannedPackage) -> Result<(), StopReason> {
        let id = package.id();
        let started = Instant::now();
        self.append(&id, events::readiness_started())?;
        let Self { log, session } = self;
        let visible = session.wait_until_visible(package, |attempt, visible| -> Result<(), StopReason> {
            log.append(&[NewEvent::new(events::readiness_poll(attempt, visible), &*id)])?;
            Ok(())
        });
        match &visible {
            Ok(lookups) => {
                self.append(&id, events::readiness_complete(started.elapsed(), *lookups))?;
            }
            Err(StopReason::Failed(failure))
                if failure.class == FailureClass::Ambiguous && !self.session.cancel.is_cancelled() =>
            {
                self.append(&id, events::readiness_timeout(self.session.limits.visibility_timeout))?;
            }
            Err(_) => {}
        }
        visible.map(|_| ())
    }

    fn append(&mut self, package: &str, event: impl Into<EventType>) -> Result<Head, AppendError> {
        self.log.append(&[NewEvent::new(event, package)])
    }
}

fn different_content() -> Failure {
    Failure::permanent("the live registry has this version with another content; bump the version")
}
