//! The world outside: what a release does to a registry, and what may be heard of it meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use thiserror::Error;

use super::plan::{Plan, PlannedPackage};
use super::registry::On;
use crate::gate::GateAnswer;

/// What a registry shows of a package's version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Found {
    /// Nothing.
    Nothing,
    /// It is there, with the content of the plan.
    Same,
    /// It is there, with another content.
    Other,
}

/// What a command printed last.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OutputTails {
    /// On standard output.
    pub stdout: String,
    /// On standard error.
    pub stderr: String,
}

/// Why a step did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct Failure {
    /// What it means for a second try.
    pub class: FailureClass,
    /// What went wrong, for the log and for people. Whoever makes it takes secrets out; the release that it stops makes it
    /// safe to show, and shortens it.
    pub message: String,
    /// What the command printed last, if there was one.
    pub tails: OutputTails,
}

impl Failure {
    /// A failure of no command.
    pub fn new(class: FailureClass, message: impl Into<String>) -> Self {
        Self { class, message: message.into(), tails: OutputTails::default() }
    }

    /// The failure with a message that can be shown and recorded: what a registry says may be anything, and as long as it
    /// likes.
    pub(super) fn made_safe(self) -> Self {
        Self { message: shipper_events::display_safe(&self.message).max_chars(MESSAGE).to_string(), ..self }
    }
}

/// How long the message of a failure may be, in characters.
const MESSAGE: usize = 2_000;

/// A release that stopped at a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// The package that it stopped at, as `name@version`; none where it stopped before the first.
    pub package: Option<String>,
    /// Why.
    pub failure: Failure,
}

/// What a failure means for a second try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FailureClass {
    /// A temporary error, such as of the network, and nothing was uploaded: it is tried again.
    Retryable,
    /// It will not pass until somebody mends something: the release stops.
    Permanent,
    /// Nobody knows whether it was done: [`Publisher::find`] is asked before it is tried again.
    Ambiguous,
}

impl FailureClass {
    /// The word in the log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Retryable => "retryable",
            Self::Permanent => "permanent",
            Self::Ambiguous => "ambiguous",
        }
    }
}

/// What a release does to registries, one package at a time: cargo does it, or a test.
pub trait Publisher {
    /// The address that uploads to a registry go to. It may be another than that of its index, and is that of the live
    /// registry where somebody rehearses on a mirror of it.
    ///
    /// # Errors
    ///
    /// When the registry cannot be asked, or does not answer as one.
    fn uploads_to(&mut self, on: On<'_>, context: &mut StepContext<'_>) -> Result<String, Failure>;

    /// Sees that all packages of a plan could still be published as it says, before anything is begun.
    ///
    /// # Errors
    ///
    /// When one of them is no longer what the plan says, or may not be published.
    fn check(&mut self, plan: &Plan, context: &mut StepContext<'_>) -> Result<(), Failure>;

    /// Whether the registry shows that version, with the content of the plan.
    ///
    /// # Errors
    ///
    /// When the registry cannot be asked, or does not answer as one, or shows the version as yanked.
    fn find(&mut self, package: &PlannedPackage, on: On<'_>, context: &mut StepContext<'_>) -> Result<Found, Failure>;

    /// Publishes one package. It must publish what the plan says, and fail if that is no longer what is there.
    ///
    /// # Errors
    ///
    /// When it was not published, or nobody knows.
    fn publish(
        &mut self,
        package: &PlannedPackage,
        on: On<'_>,
        context: &mut StepContext<'_>,
    ) -> Result<OutputTails, Failure>;

    /// Builds a package that the rehearsal registry has already, as it is built before it is published: what it depends on
    /// may have changed since.
    ///
    /// # Errors
    ///
    /// When it cannot be built.
    fn build(&mut self, package: &PlannedPackage, on: On<'_>, context: &mut StepContext<'_>) -> Result<(), Failure>;

    /// Installs the program of a package from a registry, to see that it can be.
    ///
    /// # Errors
    ///
    /// When it cannot.
    fn install(&mut self, package: &PlannedPackage, on: On<'_>, context: &mut StepContext<'_>) -> Result<(), Failure>;

    /// The command that publishes, for the log: as it is run, but for tokens and temporary places.
    fn command(&self, package: &PlannedPackage, on: On<'_>) -> String;
}

/// The step at work: how long it may take, whether somebody asked to stop, and who hears of it.
pub struct StepContext<'m> {
    /// When it must be over.
    pub until: Instant,
    /// Whether somebody asked to stop.
    pub stop: &'m Stop,
    /// Who hears of it.
    pub progress: &'m mut dyn Progress,
}

impl StepContext<'_> {
    /// Goes on, unless the step must end now. What was begun is then in doubt: the failure is [`FailureClass::Ambiguous`].
    ///
    /// # Errors
    ///
    /// When somebody asked to stop, or the time is up.
    pub fn check(&self) -> Result<(), Failure> {
        if self.stop.is_asked() {
            return Err(Failure::new(FailureClass::Ambiguous, "somebody asked to stop"));
        }
        if Instant::now() >= self.until {
            let message = "it took longer than it may; look what hangs, or give it more time";
            return Err(Failure::new(FailureClass::Ambiguous, message));
        }
        Ok(())
    }
}

/// Asks a release to stop: at once, in order, and with everything recorded. Clones ask the same release.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Asks. It can be called from a signal handler's thread.
    pub fn ask(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether somebody asked.
    pub fn is_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Hears how a release goes on. Every method does nothing unless it is implemented.
pub trait Progress {
    /// The gate was asked, and lets the plan go: the run begins. Where nothing backs that, whoever listens must be told.
    fn let_go(&mut self, gate: &GateAnswer) {
        let _ = gate;
    }

    /// A step begins: a package, and what is done to it.
    fn begins(&mut self, step: Step, package: &PlannedPackage) {
        let _ = (step, package);
    }

    /// A step is over, after that time; `failure` says why it did not succeed.
    fn ends(&mut self, step: Step, package: &PlannedPackage, took: Duration, failure: Option<&Failure>) {
        let _ = (step, package, took, failure);
    }

    /// A command printed a line.
    fn output(&mut self, line: &str) {
        let _ = line;
    }
}

/// Nobody hears.
impl Progress for () {}

/// What is done to a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// It is published.
    Publish,
    /// The registry is asked until it shows it.
    Await,
    /// Its program is installed.
    Install,
    /// It is there already, and passed over.
    Skip,
    /// It is there already, and built once more.
    Build,
}
