//! Steps that a rehearsal and a run have in common.

use std::time::{Duration, Instant};

use super::plan::Planned;
use super::world::{Class, Failure, Found, Moment, Progress, Publisher, Step, Stop, Tails, Target};

/// How patient a release is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// How long publishing or installing one package may take, its build included.
    pub command: Duration,
    /// How long a registry may take to answer, and to show what was published.
    pub readiness: Duration,
    /// How long to wait before looking, or trying, again.
    pub pause: Duration,
    /// How often a package is tried when a failure may pass.
    pub attempts: u32,
}

impl Default for Patience {
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

/// A release at work: what it works with.
pub(super) struct Work<'w, P> {
    pub(super) publisher: &'w mut P,
    pub(super) target: &'w Target,
    pub(super) patience: Patience,
    pub(super) stop: &'w Stop,
    pub(super) progress: &'w mut dyn Progress,
}

impl<P: Publisher> Work<'_, P> {
    /// Whether the registry shows the package.
    pub(super) fn find(&mut self, package: &Planned) -> Result<Found, Failure> {
        let until = Instant::now() + self.patience.readiness;
        let mut moment = Moment { until, stop: self.stop, progress: &mut *self.progress };
        moment.check()?;
        self.publisher.find(package, self.target, &mut moment)
    }

    /// Publishes the package, once.
    pub(super) fn publish(&mut self, package: &Planned) -> Result<Tails, Failure> {
        self.timed(Step::Publish, package, |publisher, target, moment| publisher.publish(package, target, moment))
    }

    /// Installs the package's program.
    pub(super) fn install(&mut self, package: &Planned) -> Result<(), Failure> {
        self.timed(Step::Install, package, |publisher, target, moment| publisher.install(package, target, moment))
    }

    fn timed<T>(
        &mut self,
        step: Step,
        package: &Planned,
        act: impl FnOnce(&mut P, &Target, &mut Moment<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let begun = Instant::now();
        self.progress.begins(step, package);
        let mut moment =
            Moment { until: begun + self.patience.command, stop: self.stop, progress: &mut *self.progress };
        let done = moment.check().and_then(|()| act(self.publisher, self.target, &mut moment));
        self.progress.ends(step, package, begun.elapsed(), done.as_ref().err());
        done
    }

    /// Asks the registry until it shows the package. `looked` is called after each look, with its number, the first is 1,
    /// and whether the package was there.
    pub(super) fn wait_for<E>(
        &mut self,
        package: &Planned,
        mut looked: impl FnMut(u64, bool) -> Result<(), E>,
    ) -> Result<Result<u64, Failure>, E> {
        let begun = Instant::now();
        let until = begun + self.patience.readiness;
        self.progress.begins(Step::Await, package);
        let mut looks = 0;
        let shown = loop {
            looks += 1;
            let found = self.find(package);
            // A registry that does not answer for a moment is asked again until the time is up.
            let shown = matches!(found, Ok(Found::Same | Found::There));
            looked(looks, shown)?;
            match found {
                Ok(Found::Same | Found::There) => break Ok(looks),
                Ok(Found::Other) => {
                    let message = "the registry shows this version with another content than was published";
                    break Err(Failure::new(Class::Permanent, message));
                }
                Err(failure) if failure.class == Class::Permanent || self.stop.is_asked() => break Err(failure),
                Ok(Found::Nothing) | Err(_) => {}
            }
            if Instant::now() + self.patience.pause > until {
                let waited = self.patience.readiness.as_secs();
                let message = format!("it was published, and the registry did not show it within {waited} s");
                break Err(Failure::new(Class::Ambiguous, message));
            }
            if !self.pause() {
                break Err(Failure::new(Class::Ambiguous, "somebody asked to stop"));
            }
        };
        self.progress.ends(Step::Await, package, begun.elapsed(), shown.as_ref().err());
        Ok(shown)
    }

    /// Waits before the next look; `false` when somebody asked to stop meanwhile.
    pub(super) fn pause(&self) -> bool {
        let until = Instant::now() + self.patience.pause;
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
