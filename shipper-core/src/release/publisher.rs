//! The trait for work on registries, and the progress that a release reports to its caller.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use thiserror::Error;

use super::plan::{Plan, PlannedPackage};
use super::registry::{Registry, RegistryRole};
use crate::gate::GateAnswer;

/// The state of a package's version on a registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PublishedState {
    /// The registry does not show the version.
    Absent,
    /// The registry shows the version with the content of the plan.
    SameContent,
    /// The registry shows the version with different content.
    DifferentContent,
}

/// The end of a command's output.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OutputTails {
    /// The end of standard output.
    pub stdout: String,
    /// The end of standard error.
    pub stderr: String,
}

/// The reason why a step did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct Failure {
    /// The class, which decides about a second attempt.
    pub class: FailureClass,
    /// The description for people and for the log. It must not contain secrets; the release makes it safe to show and limits
    /// its length.
    pub message: String,
    /// The end of the command's output; empty without a command.
    pub tails: OutputTails,
}

impl Failure {
    /// Creates a failure without output of a command.
    pub fn new(class: FailureClass, message: impl Into<String>) -> Self {
        Self { class, message: message.into(), tails: OutputTails::default() }
    }

    /// Creates a failure that no second attempt helps against.
    pub(super) fn permanent(message: impl Into<String>) -> Self {
        Self::new(FailureClass::Permanent, message)
    }

    /// Appends the reason that prevented another attempt to the message, which keeps the failure that people need.
    pub(super) fn followed_by(self, later: impl fmt::Display) -> Self {
        Self { message: format!("{}; then {later}", self.message), ..self }
    }

    /// Makes the message, which may repeat anything that a registry sent, safe to show and to record.
    pub(super) fn sanitized(self) -> Self {
        Self { message: shipper_events::display_safe(&self.message).max_chars(MAX_MESSAGE_CHARS).to_string(), ..self }
    }
}

/// The greatest length of a failure's message, in characters.
const MAX_MESSAGE_CHARS: usize = 2_000;

/// The meaning of a failure for a second attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FailureClass {
    /// A temporary error, such as of the network, and nothing was uploaded: the release tries again.
    Retryable,
    /// An error that a second attempt does not change: the release stops.
    Permanent,
    /// The outcome is unknown: the release calls [`Publisher::lookup`] before it tries again.
    Ambiguous,
}

impl FailureClass {
    /// Returns the class's name in the log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Retryable => "retryable",
            Self::Permanent => "permanent",
            Self::Ambiguous => "ambiguous",
        }
    }
}

/// Work on registries, one package at a time. Implemented with cargo, and for tests.
///
/// # Errors
///
/// A method fails with a [`Failure`] if the step ends before its work is done. Its class decides about another attempt.
pub trait Publisher {
    /// Returns the address that takes uploads to a registry. It can differ from the index's address, and a mirror of the live
    /// registry has the live registry's. Fails if the registry does not answer, or takes no uploads.
    fn upload_endpoint(&mut self, role: RegistryRole<'_>, context: &mut StepContext<'_>) -> Result<String, Failure>;

    /// Checks that all packages of a plan can be published, before the first event. Fails if a package differs from the plan,
    /// or must not be published.
    fn preflight(&mut self, plan: &Plan, context: &mut StepContext<'_>) -> Result<(), Failure>;

    /// Compares the registry's content of a package's version with the plan. Fails if the registry does not answer as a
    /// registry does, or shows the version as yanked.
    fn lookup(&mut self, target: StepTarget<'_>, context: &mut StepContext<'_>) -> Result<PublishedState, Failure>;

    /// Publishes a package with the content of the plan. Fails if the package differs from the plan, was not published, or
    /// the outcome is unknown.
    fn publish(&mut self, target: StepTarget<'_>, context: &mut StepContext<'_>) -> Result<OutputTails, Failure>;

    /// Builds a package that the rehearsal registry contains already, as a publish would build it: its dependencies may
    /// have changed since. Fails if the package does not build.
    fn verify_build(&mut self, target: StepTarget<'_>, context: &mut StepContext<'_>) -> Result<(), Failure>;

    /// Installs the program of a package from a registry. Fails if no program was installed.
    fn install(&mut self, target: StepTarget<'_>, context: &mut StepContext<'_>) -> Result<(), Failure>;

    /// Returns the command line of [`publish`](Self::publish) to the live registry for the log, without tokens and temporary
    /// directories.
    fn describe_command(&self, package: &PlannedPackage, live: &Registry) -> String;
}

/// A package, and the registry on which a step works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepTarget<'s> {
    /// The package.
    pub package: &'s PlannedPackage,
    /// The registry and its role.
    pub role: RegistryRole<'s>,
}

/// The limits of the current step, and the receiver of its progress.
pub struct StepContext<'c> {
    /// The time at which the step must end.
    pub deadline: Instant,
    /// The caller's request to stop.
    pub cancel: &'c CancelToken,
    /// The receiver of the step's progress.
    pub progress: &'c mut dyn Progress,
}

impl StepContext<'_> {
    /// Checks that the step may go on.
    ///
    /// # Errors
    ///
    /// [`FailureClass::Ambiguous`] if the caller asked to stop, or the deadline has passed.
    pub fn check(&self) -> Result<(), Failure> {
        if self.cancel.is_cancelled() {
            return Err(Failure::new(FailureClass::Ambiguous, CANCELLED));
        }
        if Instant::now() >= self.deadline {
            return Err(Failure::new(FailureClass::Ambiguous, DEADLINE_PASSED));
        }
        Ok(())
    }
}

/// The message of a failure that the caller asked for.
pub(super) const CANCELLED: &str = "somebody asked to stop";

/// The message of a failure by a deadline.
pub(super) const DEADLINE_PASSED: &str = "it took longer than it may; look what hangs, or give it more time";

/// A shared request to stop a release, which then records its end. Clones share the request.
#[derive(Debug, Clone, Default)]
pub struct CancelToken(Arc<AtomicBool>);

impl CancelToken {
    /// Requests the stop. A signal handler's thread may call it.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Returns `true` after a call of [`cancel`](Self::cancel).
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A receiver of a release's progress. By default, every method does nothing.
pub trait Progress {
    /// The gate permitted the plan, and the run begins. Its verdict may need a warning to people.
    fn gate_passed(&mut self, _gate: &GateAnswer) {}

    /// A step of a package begins.
    fn step_started(&mut self, _step: Step, _package: &PlannedPackage) {}

    /// A step ended after this time; `failure` is `None` if it succeeded.
    fn step_finished(&mut self, _step: Step, _package: &PlannedPackage, _took: Duration, _failure: Option<&Failure>) {}

    /// A command printed a line.
    fn output_line(&mut self, _line: &str) {}
}

/// Ignores the progress.
impl Progress for () {}

/// A step of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// The package is published.
    Publish,
    /// The registry is asked until it shows the package.
    WaitUntilVisible,
    /// The package's program is installed.
    Install,
    /// The registry contains the package already, and nothing is done.
    Skip,
    /// The registry contains the package already, and it is built again.
    VerifyBuild,
}
