//! Steps that a rehearsal and a run have in common.

use std::time::{Duration, Instant};

use super::plan::{Plan, PlannedPackage};
use super::registry::On;
use super::world::{Failure, FailureClass, Found, OutputTails, Progress, Publisher, Step, StepContext, Stop};

/// How long a release waits, and how often it tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long publishing or installing one package may take, with its build and all attempts.
    pub command: Duration,
    /// How long a registry may take to answer, and to show what was published.
    pub readiness: Duration,
    /// How long to wait before looking, or trying, again.
    pub pause: Duration,
    /// How often something is tried when a failure may pass; at least once.
    pub attempts: u32,
}

impl Default for Limits {
    /// Half an hour for a command, five minutes for the registry, two seconds between looks, three attempts.
    fn default() -> Self {
        Self {
            command: Duration::from_secs(30 * 60),
            readiness: Duration::from_secs(5 * 60),
            pause: Duration::from_secs(2),
            attempts: 3,
        }
    }
}

/// The end of a time from now; of one that has no end, a time that nobody lives to see.
fn deadline(time: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(time).unwrap_or_else(|| now + Duration::from_secs(u64::from(u32::MAX)))
}

/// A release at work: what it works with.
pub(super) struct Work<'w, P> {
    pub(super) publisher: &'w mut P,
    pub(super) on: On<'w>,
    pub(super) limits: Limits,
    pub(super) stop: &'w Stop,
    pub(super) progress: &'w mut dyn Progress,
}

/// The attempts at one package: how many are left, and until when.
pub(super) struct Attempts {
    /// The one at work; the first is 1.
    pub(super) number: u32,
    /// How many there may be.
    pub(super) most: u32,
    until: Instant,
}

impl Attempts {
    /// Whether a failure calls for another one.
    pub(super) fn go_on_after(&self, failure: &Failure, stop: &Stop) -> bool {
        let may_pass = failure.class != FailureClass::Permanent;
        may_pass && self.number < self.most && !stop.is_asked() && Instant::now() < self.until
    }
}

impl<P: Publisher> Work<'_, P> {
    /// The first of the attempts at a package.
    pub(super) fn attempts(&self) -> Attempts {
        self.attempts_within(self.limits.command)
    }

    fn attempts_within(&self, time: Duration) -> Attempts {
        Attempts { number: 1, most: self.limits.attempts.max(1), until: deadline(time) }
    }

    /// Does something once, unless it is over before it was begun: then nothing is in doubt.
    fn once<T>(
        &mut self,
        until: Instant,
        act: impl FnOnce(&mut P, &mut StepContext<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut context = StepContext { until, stop: self.stop, progress: &mut *self.progress };
        match context.check() {
            Ok(()) => act(self.publisher, &mut context).map_err(Failure::made_safe),
            Err(over) => Err(Failure { class: FailureClass::Retryable, ..over }),
        }
    }

    /// Where uploads to another registry, or to this one, go.
    pub(super) fn uploads_to(&mut self, on: On<'_>) -> Result<String, Failure> {
        self.asked(|publisher, context| publisher.uploads_to(on, context))
    }

    /// Whether the registry shows the package. A question that is not answered is asked again, as often as that may help.
    pub(super) fn find(&mut self, package: &PlannedPackage) -> Result<Found, Failure> {
        let on = self.on;
        self.asked(|publisher, context| publisher.find(package, on, context))
    }

    /// Asks, more than once if the failure may pass.
    fn asked<T>(
        &mut self,
        mut ask: impl FnMut(&mut P, &mut StepContext<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut attempts = self.attempts_within(self.limits.readiness);
        loop {
            match self.once(attempts.until, &mut ask) {
                Err(failure) if attempts.go_on_after(&failure, self.stop) && self.pause() => attempts.number += 1,
                answer => return answer,
            }
        }
    }

    /// Whether the plan can be published, as far as that can be seen beforehand.
    pub(super) fn check(&mut self, plan: &Plan) -> Result<(), Failure> {
        self.once(deadline(self.limits.command), |publisher, context| publisher.check(plan, context))
    }

    /// Builds the package once more.
    pub(super) fn build(&mut self, package: &PlannedPackage) -> Result<(), Failure> {
        let act = |publisher: &mut P, on: On<'_>, context: &mut StepContext<'_>| publisher.build(package, on, context);
        self.timed(Step::Build, package, deadline(self.limits.command), act)
    }

    /// Publishes the package, once.
    pub(super) fn publish(&mut self, package: &PlannedPackage, attempt: &Attempts) -> Result<OutputTails, Failure> {
        let act =
            |publisher: &mut P, on: On<'_>, context: &mut StepContext<'_>| publisher.publish(package, on, context);
        self.timed(Step::Publish, package, attempt.until, act)
    }

    /// Installs the package's program.
    pub(super) fn install(&mut self, package: &PlannedPackage) -> Result<(), Failure> {
        let act =
            |publisher: &mut P, on: On<'_>, context: &mut StepContext<'_>| publisher.install(package, on, context);
        self.timed(Step::Install, package, deadline(self.limits.command), act)
    }

    /// Takes a step, once, and tells of it.
    fn timed<T>(
        &mut self,
        step: Step,
        package: &PlannedPackage,
        until: Instant,
        act: impl FnOnce(&mut P, On<'_>, &mut StepContext<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let begun = Instant::now();
        self.progress.begins(step, package);
        let on = self.on;
        let done = self.once(until, |publisher, context| act(publisher, on, context));
        self.progress.ends(step, package, begun.elapsed(), done.as_ref().err());
        done
    }

    /// Asks the registry until it shows the package. `looked` is called after each look, with its number, the first is 1,
    /// and whether the package was there.
    pub(super) fn wait_for<E>(
        &mut self,
        package: &PlannedPackage,
        mut looked: impl FnMut(u64, bool) -> Result<(), E>,
    ) -> Result<Result<u64, Failure>, E> {
        let (begun, until) = (Instant::now(), deadline(self.limits.readiness));
        self.progress.begins(Step::Await, package);
        let mut looks = 0;
        let shown = loop {
            looks += 1;
            let on = self.on;
            let found = self.once(until, |publisher, context| publisher.find(package, on, context));
            looked(looks, matches!(found, Ok(Found::Same | Found::Other)))?;
            match found {
                Ok(Found::Same) => break Ok(looks),
                Ok(Found::Other) => {
                    let message = "the registry shows this version with another content than was published";
                    break Err(Failure::new(FailureClass::Permanent, message));
                }
                Err(failure) if failure.class == FailureClass::Permanent => break Err(failure),
                // A registry that does not answer for a moment is asked again until the time is up.
                Ok(Found::Nothing) | Err(_) => {}
            }
            if deadline(self.limits.pause) > until {
                let waited = self.limits.readiness.as_secs();
                let message = format!("it was published, and the registry did not show it within {waited} s");
                break Err(Failure::new(FailureClass::Ambiguous, message));
            }
            if !self.pause() {
                break Err(Failure::new(FailureClass::Ambiguous, "somebody asked to stop"));
            }
        };
        self.progress.ends(Step::Await, package, begun.elapsed(), shown.as_ref().err());
        Ok(shown)
    }

    /// Waits before the next look; `false` when somebody asked to stop meanwhile.
    pub(super) fn pause(&self) -> bool {
        let until = deadline(self.limits.pause);
        loop {
            if self.stop.is_asked() {
                return false;
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            std::thread::sleep(left.min(Duration::from_millis(50)));
        }
    }
}
