//! Publishes a plan to the live registry, only if the gate permits it. Records every step before the next one.

use std::collections::BTreeSet;
use std::time::Instant;

use camino::Utf8Path;
use shipper_events::event::{
    AuthEvidence, AuthEvidenceRecorded, ExecutionFinished, ExecutionStarted, Lenient, PackageAttempted,
    PackageContentMismatch, PackageFailed, PackagePublished, PackageSkipped, PackageStarted, PackageUploaded,
    PlanCreated, RetryScheduled,
};
use shipper_events::write::{AppendError, LogError, LogWriter, NewEvent, Storage};
use shipper_events::{EventType, Head, JsonUint};
use thiserror::Error;

use super::plan::{Plan, PlannedPackage};
use super::publisher::{
    CancelToken, Failure, FailureClass, Progress, PublishedState, Publisher, Step, Upload, error_chain,
};
use super::registry::{Registry, RegistryRole, SameRegistryError, origin};
use super::session::{AfterRefusal, Limits, ReleaseSession, RetryState, time_after};
use crate::gate::{AskGateError, GateAnswer, GateQuery, RefusalCode, RefusalReason, SkipRequest, ask_gate};
use crate::rehearsal::{RunLock, RunLockError, milliseconds, package_output, policy_applied};
use crate::state_dir::{LOG_FILE_NAME, StateOptions};

/// Options of [`publish`].
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct PublishOptions {
    /// The registry on which the plan must have been rehearsed. `None`, the default: the gate is recorded as dormant.
    pub rehearsal: Option<Registry>,
    /// The actor and the justification of a skip. `None`, the default, requires a rehearsal.
    pub skip: Option<SkipRequest>,
    /// Time limits and number of attempts.
    pub limits: Limits,
    /// Options of opening the log.
    pub state: StateOptions,
    /// A head that the caller has kept: the gate refuses another beginning. `None`, the default, accepts any log.
    pub expected_head: Option<Head>,
}

/// The result of a run that the gate permitted and that ended, with or without success.
#[derive(Debug)]
#[non_exhaustive]
pub struct PublishOutcome {
    /// The gate's answer.
    pub gate: GateAnswer,
    /// The head of the log after the run, to be kept outside the log's directory.
    pub head: Head,
    /// The failure at which the run stopped; `None` after success. Another publish continues from there.
    pub failure: Option<StoppedAt>,
}

/// The failure at which a run stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoppedAt {
    /// The package as `name@version`.
    pub package: String,
    /// The failure of that package.
    pub failure: Failure,
}

/// The error for a run that cannot start, or for a step that cannot be recorded.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PublishError {
    /// The rehearsal registry is the live registry.
    #[error(transparent)]
    SameRegistry(#[from] SameRegistryError),
    /// The preflight check failed. The gate was not asked.
    #[error("cannot start the run: the preflight check failed")]
    Preflight(#[source] Failure),
    /// The gate refused. The message has every reason with its remedy.
    #[error("the gate refused: {}", refusal_message(.0))]
    Refused(Box<GateAnswer>),
    /// The gate could not be asked, or its decision could not be recorded.
    #[error("cannot start the run")]
    Gate(#[from] AskGateError),
    /// Another rehearsal or run holds the run lock, or the lock file cannot be opened.
    #[error("cannot start the run")]
    RunLock(#[from] RunLockError),
    /// The log could not be opened for the run.
    #[error("cannot open the log for the run")]
    Log(#[from] LogError),
    /// A step could not be recorded, and the run stopped there.
    #[error("cannot record a step, so the run stopped")]
    Record(#[from] AppendError),
}

/// Asks the gate, records its decision, and publishes the packages to the live registry in order, each when the one
/// before it is visible. Stops at the first failure.
///
/// Skips packages that the registry shows with the content of the plan. So another publish, which asks the gate again,
/// continues where a run stopped.
///
/// # Errors
///
/// See [`PublishError`]. A failed run is not an error: its end is recorded.
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
    let _run_lock = RunLock::take(&storage, state_directory, options.state.holder_note())?;
    let role = RegistryRole::Live(live);
    let mut session = ReleaseSession { publisher, role, limits: options.limits, cancel: cancel.clone(), progress };
    session.preflight(plan).map_err(PublishError::Preflight)?;
    let query = GateQuery {
        plan_id: plan.plan_id().clone(),
        rehearsal_registry: options.rehearsal.as_ref().map(|rehearsal| rehearsal.name.clone()),
        skip: options.skip.is_some(),
    };
    let skip = options.skip.clone().unwrap_or_default().with_git(plan.git().cloned());
    let gate = ask_gate(storage.clone(), state_directory, &query, &skip, options.expected_head, options.state.clone())?;
    let (line, decided) = match &gate {
        GateAnswer::Recorded { verdict, line, head, .. } if verdict.may_publish() => (*line, *head),
        _ => return Err(PublishError::Refused(Box::new(gate))),
    };
    session.progress.gate_passed(&gate);
    session.estimate_uploads(plan);
    // The log must still begin with the bytes up to the decision. Later lines of other processes are accepted.
    let log = options.state.clone().writer().create(false).expected_head(Some(decided));
    let log = LogWriter::open(storage, &state_directory.join(LOG_FILE_NAME), log, ())?;
    let skipped_only = gate.verdict().receipt().map(|receipt| receipt.already_published.clone()).unwrap_or_default();
    let mut run = RunRecorder { log, session, skipped_only };
    run.start(plan, line)?;
    let failure = run.publish_packages(plan.packages())?;
    let first = plan.packages().first().map(PlannedPackage::id);
    let result = match &failure {
        None => "success",
        Some(stopped) if Some(&stopped.package) == first.as_ref() => "complete_failure",
        Some(_) => "partial_failure",
    };
    let head = run.append("all", ExecutionFinished::new().result(result))?;
    Ok(PublishOutcome { gate, head, failure })
}

/// Returns the reasons of a refusal, each with its remedy.
fn refusal_message(gate: &GateAnswer) -> String {
    if let GateAnswer::UntrustedLog(untrusted) = gate {
        return format!("{}: {}", RefusalCode::UntrustedLog, error_chain(untrusted));
    }
    let reason = |reason: &RefusalReason| format!("{reason}; {}", reason.code().help());
    gate.verdict().reasons().iter().map(reason).collect::<Vec<_>>().join("; and ")
}

/// A run, and the log to which it is recorded.
pub(super) struct RunRecorder<'s, P, S: Storage> {
    pub(super) log: LogWriter<(), S>,
    pub(super) session: ReleaseSession<'s, P>,
    /// The packages that the rehearsal did not build, because the live registry had them. They are not uploaded.
    skipped_only: BTreeSet<String>,
}

/// The reason why a run stops.
#[derive(Debug, Error)]
#[error(transparent)]
pub(super) enum StopReason {
    /// A package could not be published.
    Failed(#[from] Failure),
    /// A step could not be recorded.
    NotRecorded(#[from] AppendError),
}

impl<P: Publisher, S: Storage> RunRecorder<'_, P, S> {
    /// Records the first events of the run, which acts on the decision of line `gate`.
    fn start(&mut self, plan: &Plan, gate: u64) -> Result<Head, AppendError> {
        let live = plan.live();
        // If the registry does not answer now, the first lookup fails and records the reason.
        let credentials = self.session.upload_endpoint(self.session.role).ok().as_deref().and_then(origin);
        let policy = policy_applied(origin(&live.index).as_deref(), credentials.as_deref());
        let created = PlanCreated::new(plan.plan_id().clone(), plan.packages().len() as u64).gate(JsonUint::from(gate));
        let created = created.git(plan.git().cloned().map_or(Lenient::Absent, Lenient::Valid));
        let found = self.session.publisher.credentials(live);
        let auth = AuthEvidence::new()
            .schema_version("shipper.auth_evidence.v1")
            .registry(live.name.as_str())
            .auth_mode(found.mode())
            .token_detected(found.token)
            .oidc_request_url_present(found.oidc_request_url)
            .oidc_request_token_present(found.oidc_request_token);
        self.log.append(&[
            NewEvent::new(ExecutionStarted::new(), "all"),
            NewEvent::new(policy, "all"),
            NewEvent::new(created, "all"),
            NewEvent::new(AuthEvidenceRecorded::new().evidence(auth), "all"),
        ])
    }

    /// Publishes packages up to the first failure, and records it.
    fn publish_packages(&mut self, packages: &[PlannedPackage]) -> Result<Option<StoppedAt>, AppendError> {
        for package in packages {
            match self.publish_package(package) {
                Ok(()) => {}
                Err(StopReason::NotRecorded(error)) => return Err(error),
                Err(StopReason::Failed(failure)) => {
                    let package = package.id();
                    let failed = PackageFailed::new().class(failure.class.as_str()).message(&*failure.message);
                    self.append(&package, failed)?;
                    return Ok(Some(StoppedAt { package, failure }));
                }
            }
        }
        Ok(None)
    }

    /// Publishes or skips a package.
    fn publish_package(&mut self, package: &PlannedPackage) -> Result<(), StopReason> {
        let (id, started) = (package.id(), Instant::now());
        match self.session.lookup(package)? {
            PublishedState::Absent if self.skipped_only.contains(&id) => return Err(not_built().into()),
            PublishedState::Absent => {}
            PublishedState::SameContent { .. } => {
                self.session.progress.step_started(Step::Skip, package);
                let skipped = PackageSkipped::new().reason("already published with this content");
                self.append(&id, skipped.content(package.content().to_string()))?;
                return Ok(());
            }
            PublishedState::DifferentContent { .. } => return Err(different_content().into()),
        }
        self.append(&id, PackageStarted::new().name(&*package.name).version(&*package.version))?;
        let cksum = self.upload(package)?;
        let published = PackagePublished::new().duration_ms(milliseconds(started.elapsed()));
        self.append(&id, published.content(package.content().to_string()).cksum(optional(cksum)))?;
        Ok(())
    }

    /// Uploads a package, again after failures that permit it, and waits until the registry shows it. Returns the
    /// checksum in the registry's index.
    fn upload(&mut self, package: &PlannedPackage) -> Result<Option<String>, StopReason> {
        let id = package.id();
        let mut retry = self.session.first_attempt(self.session.limits.command_timeout);
        let mut waits = 0;
        loop {
            let RetryState { attempt, max_attempts, deadline } = retry;
            let ReleaseSession { publisher, role, .. } = &self.session;
            let command = publisher.describe_command(package, role.registry());
            let attempted = PackageAttempted::new().attempt(attempt).command(command).max_attempts(max_attempts);
            self.append(&id, attempted)?;
            let failure = match self.session.run_step(Step::Publish, package, deadline, P::publish) {
                Ok(Upload { cksum, approved, .. }) => {
                    // Other readers expect the event. The text, which may contain secrets, is of no use after a success.
                    let output = NewEvent::new(package_output("", ""), &*id);
                    let uploaded = PackageUploaded::new().content(package.content().to_string());
                    let uploaded = uploaded.cksum(optional(cksum.clone()));
                    self.log.append(&[output, NewEvent::new(uploaded, &*id)])?;
                    self.check_uploaded(package, approved, cksum)?;
                    let shown = self.wait_until_visible(package)?;
                    return self.check_shown(package, shown);
                }
                Err(failure) => failure,
            };
            self.append(&id, package_output(&failure.tails.stdout, &failure.tails.stderr))?;
            // The package may have arrived. The lookup also runs if the caller asked to stop.
            if failure.class == FailureClass::Ambiguous {
                match self.reconcile(package)? {
                    Ok(PublishedState::SameContent { cksum }) => {
                        let uploaded = PackageUploaded::new().content(package.content().to_string());
                        self.append(&id, uploaded.cksum(optional(cksum.clone())))?;
                        return Ok(cksum);
                    }
                    // The upload may have arrived changed, or another publisher's before it.
                    Ok(PublishedState::DifferentContent { expected, found }) => {
                        let PlannedPackage { name, version, .. } = package;
                        self.append(&id, PackageContentMismatch::new(name, version, expected, found))?;
                        return Err(different_content().into());
                    }
                    Ok(PublishedState::Absent) => {}
                    // Another attempt could publish twice.
                    Err(lookup) => return Err(failure.followed_by(lookup).into()),
                }
            }
            let failure = match self.wait_for_rate_limit(package, failure, waits, deadline)? {
                AfterRefusal::NoWait(failure) => failure,
                AfterRefusal::Stop(failure) => return Err(failure.into()),
                AfterRefusal::Waited => {
                    waits += 1;
                    continue;
                }
            };
            if !retry.should_retry(&failure, &self.session.cancel) {
                return Err(failure.into());
            }
            let delay = self.session.limits.poll_interval;
            let scheduled = RetryScheduled::new().attempt(attempt).max_attempts(max_attempts);
            let scheduled = scheduled.delay_ms(milliseconds(delay)).next_attempt_at(time_after(delay));
            self.append(&id, scheduled.reason(failure.class.as_str()).message(&*failure.message))?;
            if !self.session.pause() {
                return Err(failure.into());
            }
            retry.attempt += 1;
        }
    }

    pub(super) fn append(&mut self, package: &str, event: impl Into<EventType>) -> Result<Head, AppendError> {
        self.log.append(&[NewEvent::new(event, package)])
    }
}

/// Returns a member of an event; `None` is an absent one.
fn optional(text: Option<String>) -> Lenient<String> {
    text.map_or(Lenient::Absent, Lenient::from)
}

fn not_built() -> Failure {
    Failure::permanent(
        "the live registry had this version when the plan was rehearsed and does not show it now, so the rehearsal did \
         not build it; rehearse again",
    )
}

fn different_content() -> Failure {
    Failure::permanent("the live registry has this version with another content; bump the version")
}
