//! Steps that a rehearsal and a run share: time limits, attempts and progress around each call of the [`Publisher`].

use std::time::{Duration, Instant, SystemTime};

use super::endpoint::Endpoint;
use super::plan::{Plan, PlannedPackage};
use super::publisher::{
    CANCELLED, CancelToken, DEADLINE_PASSED, Failure, FailureClass, Progress, PublishedState, Publisher, Step,
    StepContext, StepTarget, Wait,
};
use super::rate_limit::{UploadEstimate, UploadKind, WaitDecision, decide_wait, has_known_limits, rfc3339};
use super::registry::RegistryRole;

/// The time between two checks if the caller asked to stop.
const CANCEL_INTERVAL: Duration = Duration::from_millis(50);

/// The time between two reports of a wait.
const WAIT_REPORT_INTERVAL: Duration = Duration::from_secs(60);

/// Time limits and number of attempts of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The time for publishing or installing one package, with its build and all attempts. Default: 30 minutes.
    pub command_timeout: Duration,
    /// The time within which a registry must answer, and show a published package. Default: 5 minutes.
    pub visibility_timeout: Duration,
    /// The time between two lookups, or two attempts. Default: 2 seconds.
    pub poll_interval: Duration,
    /// The number of attempts at a step that may succeed later; 0 counts as 1. Default: 3.
    pub max_attempts: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            command_timeout: Duration::from_secs(30 * 60),
            visibility_timeout: Duration::from_secs(5 * 60),
            poll_interval: Duration::from_secs(2),
            max_attempts: 3,
        }
    }
}

/// Returns the time `timeout` from now, or a time in the far future if that is out of range.
fn deadline_after(timeout: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(timeout).unwrap_or_else(|| now + Duration::from_secs(u64::from(u32::MAX)))
}

/// The publisher of a rehearsal or a run, and the settings of each step.
pub(super) struct ReleaseSession<'s, P> {
    pub(super) publisher: &'s mut P,
    pub(super) role: RegistryRole<'s>,
    pub(super) limits: Limits,
    pub(super) cancel: CancelToken,
    pub(super) progress: &'s mut dyn Progress,
}

/// A version that the registry shows.
pub(super) struct Visible {
    /// Its state, which is not [`PublishedState::Absent`].
    pub(super) state: PublishedState,
    /// The number of lookups.
    pub(super) lookups: u64,
}

/// The attempts at one package, or at one request.
pub(super) struct RetryState {
    /// The number of the current attempt, from 1.
    pub(super) attempt: u64,
    pub(super) max_attempts: u64,
    pub(super) deadline: Instant,
}

impl RetryState {
    /// Returns `true` if a failure of the current attempt permits another one.
    pub(super) fn should_retry(&self, failure: &Failure, cancel: &CancelToken) -> bool {
        let may_succeed = failure.class != FailureClass::Permanent && Instant::now() < self.deadline;
        may_succeed && self.attempt < self.max_attempts && !cancel.is_cancelled()
    }
}

/// The state after a failed attempt.
pub(super) enum AfterRefusal {
    /// The registry's time has passed: the next attempt follows, and the refused one does not count.
    Waited,
    /// The failure is not a wait.
    NoWait(Failure),
    /// The run must stop.
    Stop(Failure),
}

impl<P: Publisher> ReleaseSession<'_, P> {
    /// Begins attempts that end after `timeout`.
    pub(super) fn first_attempt(&self, timeout: Duration) -> RetryState {
        let max_attempts = self.limits.max_attempts.max(1).into();
        RetryState { attempt: 1, max_attempts, deadline: deadline_after(timeout) }
    }

    /// Returns the address that takes uploads to a registry.
    pub(super) fn upload_endpoint(&mut self, role: RegistryRole<'_>) -> Result<String, Failure> {
        self.retry(|publisher, context| publisher.upload_endpoint(role, context))
    }

    /// Returns all addresses of a registry.
    pub(super) fn endpoints(&mut self, role: RegistryRole<'_>) -> Result<Vec<Endpoint>, Failure> {
        self.retry(|publisher, context| publisher.endpoints(role, context))
    }

    /// Looks up the package on the registry.
    pub(super) fn lookup(&mut self, package: &PlannedPackage) -> Result<PublishedState, Failure> {
        let target = StepTarget { package, role: self.role };
        self.retry(|publisher, context| publisher.lookup(target, context))
    }

    /// Returns `true` if a registry shows the package with the content of the plan. It is asked once, and without an
    /// answer the result is `false`.
    pub(super) fn is_published(&mut self, package: &PlannedPackage, role: RegistryRole<'_>) -> bool {
        let target = StepTarget { package, role };
        let deadline = deadline_after(self.limits.visibility_timeout);
        let state = self.run_once(deadline, |publisher, context| publisher.lookup(target, context));
        matches!(state, Ok(PublishedState::SameContent { .. }))
    }

    /// Checks that the plan can be published.
    pub(super) fn preflight(&mut self, plan: &Plan) -> Result<(), Failure> {
        self.run_once(self.command_deadline(), |publisher, context| publisher.preflight(plan, context))
    }

    /// Returns the deadline of a command that starts now.
    pub(super) fn command_deadline(&self) -> Instant {
        deadline_after(self.limits.command_timeout)
    }

    /// Calls the publisher once. A failure before the call is not ambiguous, because nothing was published.
    fn run_once<T>(
        &mut self,
        deadline: Instant,
        call: impl FnOnce(&mut P, &mut StepContext<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut context = StepContext { deadline, cancel: &self.cancel, progress: &mut *self.progress };
        match context.check() {
            Ok(()) => call(self.publisher, &mut context).map_err(Failure::sanitized),
            Err(over) => Err(Failure { class: FailureClass::Retryable, ..over }),
        }
    }

    /// Sends a request to a registry, and repeats it after a temporary failure.
    fn retry<T>(
        &mut self,
        mut call: impl FnMut(&mut P, &mut StepContext<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut retry = self.first_attempt(self.limits.visibility_timeout);
        loop {
            match self.run_once(retry.deadline, &mut call) {
                Err(failure) if retry.should_retry(&failure, &self.cancel) && self.pause() => {
                    // Another attempt would replace the registry's failure with that of the deadline.
                    if Instant::now() >= retry.deadline {
                        return Err(failure.followed_by(DEADLINE_PASSED));
                    }
                    retry.attempt += 1;
                }
                answer => return answer,
            }
        }
    }

    /// Calls the publisher once, and reports the step's progress.
    pub(super) fn run_step<T>(
        &mut self,
        step: Step,
        package: &PlannedPackage,
        deadline: Instant,
        call: impl FnOnce(&mut P, StepTarget<'_>, &mut StepContext<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let (target, started) = (StepTarget { package, role: self.role }, Instant::now());
        self.progress.step_started(step, package);
        let result = self.run_once(deadline, |publisher, context| call(publisher, target, context));
        self.progress.step_finished(step, package, started.elapsed(), result.as_ref().err());
        result
    }

    /// Looks up the package until the registry shows its version, with any content. Calls `looked_up` after each lookup,
    /// with its number from 1 and `true` if the registry showed the version.
    pub(super) fn wait_until_visible<E: From<Failure>>(
        &mut self,
        package: &PlannedPackage,
        mut looked_up: impl FnMut(u64, bool) -> Result<(), E>,
    ) -> Result<Visible, E> {
        let (target, started) = (StepTarget { package, role: self.role }, Instant::now());
        let timeout = self.limits.visibility_timeout;
        let deadline = deadline_after(timeout);
        self.progress.step_started(Step::WaitUntilVisible, package);
        let mut lookups = 0;
        let visible = loop {
            lookups += 1;
            let state = self.run_once(deadline, |publisher, context| publisher.lookup(target, context));
            looked_up(lookups, matches!(&state, Ok(state) if *state != PublishedState::Absent))?;
            match state {
                Ok(state) if state != PublishedState::Absent => break Ok(Visible { state, lookups }),
                Err(failure) if failure.class == FailureClass::Permanent => break Err(failure),
                // After a temporary failure, the next lookup follows, until the deadline.
                Ok(_) | Err(_) => {}
            }
            if deadline_after(self.limits.poll_interval) > deadline {
                let waited = timeout.as_secs();
                let message = format!("the package was published, but the registry did not show it within {waited} s");
                break Err(Failure::new(FailureClass::Ambiguous, message));
            }
            if !self.pause() {
                break Err(Failure::new(FailureClass::Ambiguous, CANCELLED));
            }
        };
        self.progress.step_finished(Step::WaitUntilVisible, package, started.elapsed(), visible.as_ref().err());
        Ok(visible?)
    }

    /// Waits before the next lookup or attempt. Returns `false` if the caller asked to stop.
    pub(super) fn pause(&self) -> bool {
        sleep(self.limits.poll_interval, &self.cancel, |_| {})
    }

    /// Decides about an attempt that failed, after `waits` waits for the same package. The next one must begin before
    /// `deadline`.
    pub(super) fn decide_wait(&self, failure: &Failure, waits: u32, deadline: Instant) -> WaitDecision {
        let left = deadline.saturating_duration_since(Instant::now());
        let decide = |limit| decide_wait(limit, waits, self.limits.poll_interval, left);
        failure.rate_limit.map_or(WaitDecision::CountAsAttempt, decide)
    }

    /// Waits as a registry asked, and reports it once a minute. Returns `false` if the caller asked to stop.
    pub(super) fn wait(&mut self, package: &PlannedPackage, wait: Duration) -> bool {
        let until = without_fraction(&time_after(wait));
        let mut reported: Option<Instant> = None;
        sleep(wait, &self.cancel, |left| {
            if reported.is_none_or(|reported| reported.elapsed() >= WAIT_REPORT_INTERVAL) {
                reported = Some(Instant::now());
                self.progress.waiting(Wait::RateLimit { package, until: &until, left });
            }
        })
    }

    /// Returns the kind of the package's upload; `None` if it is unknown.
    pub(super) fn upload_kind(&mut self, package: &PlannedPackage) -> Option<UploadKind> {
        let target = StepTarget { package, role: self.role };
        self.retry(|publisher, context| publisher.upload_kind(target, context)).ok().flatten()
    }

    /// Reports the uploads of a run, and how long they take at least, if the registry's limits are known.
    pub(super) fn estimate_uploads(&mut self, plan: &Plan) {
        if !has_known_limits(self.role.registry()) {
            return;
        }
        let mut estimate = UploadEstimate::default();
        for package in plan.packages() {
            // The estimate is only a help, so an unknown package or an interruption ends it.
            match self.upload_kind(package) {
                Some(kind) => estimate.add(kind),
                None => return,
            }
        }
        self.progress.uploads_estimated(estimate);
    }
}

/// Waits, and calls `waiting` with the time that is left, several times a second. Returns `false` if the caller asked to
/// stop.
fn sleep(wait: Duration, cancel: &CancelToken, mut waiting: impl FnMut(Duration)) -> bool {
    let end = deadline_after(wait);
    while !cancel.is_cancelled() {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return true;
        }
        waiting(left);
        std::thread::sleep(left.min(CANCEL_INTERVAL));
    }
    false
}

/// Returns a time of RFC 3339 in UTC without the fraction of its seconds.
fn without_fraction(time: &str) -> String {
    time.split_once('.').map_or_else(|| time.to_owned(), |(seconds, _)| format!("{seconds}Z"))
}

/// Returns the time `wait` from now as RFC 3339 text in UTC; empty if it is out of range.
pub(super) fn time_after(wait: Duration) -> String {
    SystemTime::now().checked_add(wait).and_then(rfc3339).unwrap_or_default()
}

/// Returns the failure of an attempt that a registry refused, if the next one must wait for longer than the time limit.
pub(super) fn too_long(failure: Failure, wait: Duration) -> Failure {
    let until = time_after(wait);
    failure.followed_by(format!("the next attempt would be at {until}, after the time limit; publish again then"))
}
