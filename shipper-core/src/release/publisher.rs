//! The interface to the registries, and the progress that a release reports to its caller.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use thiserror::Error;

use super::endpoint::{Endpoint, EndpointUse};
use super::plan::{Plan, PlannedPackage};
use super::rate_limit::{RateLimit, UploadEstimate, UploadKind};
use super::registry::{Registry, RegistryRole};
use crate::gate::GateAnswer;

/// The state of a package's version on a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PublishedState {
    /// The registry does not show the version.
    Absent,
    /// The registry shows the version with the content of the plan.
    SameContent {
        /// The checksum in the registry's index: SHA-256 of the `.crate` file, in lowercase hex digits.
        cksum: Option<String>,
    },
    /// The registry shows the version with another content.
    DifferentContent {
        /// The hash of the content or of the file that was expected, in hex digits.
        expected: String,
        /// The same hash of what the registry has.
        found: String,
    },
}

/// The end of a command's output, in complete lines. The feature `cargo` keeps about 8 KiB of each stream.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OutputTails {
    /// The end of standard output.
    pub stdout: String,
    /// The end of standard error.
    pub stderr: String,
}

/// The result of an upload.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Upload {
    /// SHA-256 of the uploaded `.crate` file, in lowercase hex digits; `None` if it is unknown.
    pub cksum: Option<String>,
    /// The same hash of the file that was compared with the plan before the upload; `None` if it is unknown. Another hash
    /// than `cksum` ends the run, and the log records that other content was uploaded.
    pub approved: Option<String>,
    /// The end of the command's output.
    pub tails: OutputTails,
}

/// The reason why a step did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct Failure {
    /// The class, which decides if the release tries again.
    pub class: FailureClass,
    /// The description, without secrets. The release makes it safe to show and limits it to 2,000 characters.
    pub message: String,
    /// The end of the command's output; empty without a command.
    pub tails: OutputTails,
    /// The registry's rate limit, if that is the reason and the registry kept nothing. A release waits as the registry asks.
    pub rate_limit: Option<RateLimit>,
}

impl Failure {
    /// Creates a failure without output of a command.
    pub fn new(class: FailureClass, message: impl Into<String>) -> Self {
        Self { class, message: message.into(), tails: OutputTails::default(), rate_limit: None }
    }

    /// Creates a failure of the class [`FailureClass::Permanent`].
    pub(super) fn permanent(message: impl Into<String>) -> Self {
        Self::new(FailureClass::Permanent, message)
    }

    /// Appends the reason that prevented another attempt to the message.
    pub(super) fn followed_by(self, later: impl fmt::Display) -> Self {
        Self { message: format!("{}; then {later}", self.message), ..self }
    }

    /// Makes the message safe to show and to record. It may contain any text that a registry sent.
    pub(super) fn sanitized(self) -> Self {
        Self { message: shipper_events::display_safe(&self.message).max_chars(MAX_MESSAGE_CHARS).to_string(), ..self }
    }
}

/// The greatest length of a failure's message, in characters.
const MAX_MESSAGE_CHARS: usize = 2_000;

/// Returns the text of an error and its causes.
pub fn error_chain(error: &(dyn std::error::Error + '_)) -> String {
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    causes.fold(error.to_string(), |chain, cause| format!("{chain}: {cause}"))
}

/// The class of a failure, which decides if the release tries again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FailureClass {
    /// A temporary error, for example of the network, before any upload. The release tries again.
    Retryable,
    /// An error that another attempt would repeat. The release stops.
    Permanent,
    /// An error after which the outcome is unknown. The release calls [`Publisher::lookup`] before it tries again.
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

/// Interface to the registries, one package at a time. The feature `cargo` implements it with cargo.
///
/// # Errors
///
/// A method returns a [`Failure`] if its step does not succeed. Its class decides if the release tries again.
pub trait Publisher {
    /// Returns the address for uploads to a registry. It can differ from the index's address, and a mirror of the live
    /// registry returns the live registry's address. Fails if the registry does not answer or accepts no uploads.
    fn upload_endpoint(&mut self, role: RegistryRole<'_>, context: &mut StepContext<'_>) -> Result<String, Failure>;

    /// Returns all addresses of a registry. A rehearsal compares them with those of the live registry. By default, they
    /// are the address of the index and that for uploads. Fails as [`upload_endpoint`](Self::upload_endpoint) does.
    fn endpoints(&mut self, role: RegistryRole<'_>, context: &mut StepContext<'_>) -> Result<Vec<Endpoint>, Failure> {
        let uploads = self.upload_endpoint(role, context)?;
        Ok(vec![role.registry().index_endpoint(), Endpoint::new(EndpointUse::Uploads, &uploads)])
    }

    /// Checks, before the first event, that all packages equal the plan and may be published to the live registry. Fails
    /// otherwise, with all problems that it finds.
    fn preflight(&mut self, plan: &Plan, context: &mut StepContext<'_>) -> Result<(), Failure>;

    /// Compares the registry's content of a package's version with the plan, and with the file that
    /// [`publish`](Self::publish) uploaded before. Fails if the registry's answer is missing or invalid, or if the version
    /// is yanked.
    fn lookup(&mut self, target: StepTarget<'_>, context: &mut StepContext<'_>) -> Result<PublishedState, Failure>;

    /// Returns the kind of a package's upload to a registry; `None`, the default, if it is unknown.
    fn upload_kind(
        &mut self,
        _target: StepTarget<'_>,
        _context: &mut StepContext<'_>,
    ) -> Result<Option<UploadKind>, Failure> {
        Ok(None)
    }

    /// Publishes a package. On the live registry, it must not run code of the plan, which could change what is uploaded.
    /// Fails if the package differs from the plan, was not published, or the outcome is unknown.
    fn publish(&mut self, target: StepTarget<'_>, context: &mut StepContext<'_>) -> Result<Upload, Failure>;

    /// Publishes a package to the rehearsal registry without building it: the live registry has it with the same content,
    /// and other packages need it. By default, it is [`publish`](Self::publish). Fails as that does.
    fn publish_without_build(
        &mut self,
        target: StepTarget<'_>,
        context: &mut StepContext<'_>,
    ) -> Result<Upload, Failure> {
        self.publish(target, context)
    }

    /// Builds a package that the rehearsal registry contains already, as a publish would build it: its dependencies may
    /// have changed since. Fails if the package does not build.
    fn verify_build(&mut self, target: StepTarget<'_>, context: &mut StepContext<'_>) -> Result<(), Failure>;

    /// Installs the program of a package from a registry. Fails if no program was installed.
    fn install(&mut self, target: StepTarget<'_>, context: &mut StepContext<'_>) -> Result<(), Failure>;

    /// Returns the credentials that the publisher finds for uploads to a registry. The log records that they exist, and not
    /// their values.
    fn credentials(&self, _registry: &Registry) -> FoundCredentials {
        FoundCredentials::default()
    }

    /// Returns the command line of [`publish`](Self::publish) to the live registry for the log. It must not contain
    /// tokens or temporary directories.
    fn describe_command(&self, package: &PlannedPackage, live: &Registry) -> String;
}

/// The credentials that a publisher found. By default, it found none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FoundCredentials {
    /// `true` if there is a token.
    pub token: bool,
    /// `true` if GitHub Actions gave the address for requests of an OIDC token.
    pub oidc_request_url: bool,
    /// `true` if GitHub Actions gave the token for such requests.
    pub oidc_request_token: bool,
}

impl FoundCredentials {
    /// Returns the word of the shipper tool for these credentials.
    pub(super) fn mode(self) -> &'static str {
        match (self.token, self.oidc_request_url, self.oidc_request_token) {
            (true, true, true) => "cargo_token_with_oidc_context",
            (true, _, _) => "cargo_token",
            (false, true, true) => "trusted_publishing_context",
            (false, true, false) | (false, false, true) => "partial_oidc_context",
            (false, false, false) => "missing",
        }
    }
}

/// A package, and the registry on which a step works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepTarget<'s> {
    /// The package of the step.
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
    /// Checks that the step may continue.
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

/// The message of a failure after the caller asked to stop.
pub(super) const CANCELLED: &str = "the caller asked to stop";

/// The message of a failure by a deadline.
pub(super) const DEADLINE_PASSED: &str = "the step exceeded its time limit";

/// A flag that asks a release to stop and to record its end. Clones share the flag.
#[derive(Debug, Clone, Default)]
pub struct CancelToken(Arc<AtomicBool>);

impl CancelToken {
    /// Sets the flag. The thread of a signal handler may call this.
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
    /// The gate permitted the plan, and the run begins. The caller must show a warning for some verdicts.
    fn gate_passed(&mut self, _gate: &GateAnswer) {}

    /// A step of a package begins.
    fn step_started(&mut self, _step: Step, _package: &PlannedPackage) {}

    /// A step ended after this time; `failure` is `None` if it succeeded.
    fn step_finished(&mut self, _step: Step, _package: &PlannedPackage, _took: Duration, _failure: Option<&Failure>) {}

    /// The release continues in spite of a possible problem. The caller should show the text, which is safe to show.
    fn warning(&mut self, _message: &str) {}

    /// A command printed a line.
    fn output_line(&mut self, _line: &str) {}

    /// The current step waits. This is repeated once a minute.
    fn waiting(&mut self, _wait: Wait<'_>) {}

    /// The run will upload these packages to crates-io, at once or in the time that its limits allow.
    fn uploads_estimated(&mut self, _estimate: UploadEstimate) {}
}

/// Ignores the progress.
impl Progress for () {}

/// The reason why a step waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Wait<'w> {
    /// Another cargo holds a lock that cargo needs.
    CargoLock {
        /// The locked object, as cargo prints it, such as `package cache`.
        lock: &'w str,
    },
    /// The registry limits the rate of uploads.
    RateLimit {
        /// The package, which the registry refused.
        package: &'w PlannedPackage,
        /// The time of the next attempt, as RFC 3339 text in UTC.
        until: &'w str,
        /// The time that is left.
        left: Duration,
    },
}

/// A step of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// The package is published.
    Publish,
    /// The package is looked up until the registry shows it.
    WaitUntilVisible,
    /// The package's program is installed.
    Install,
    /// The package is skipped, because the registry contains it, or not built in a rehearsal, because the live registry
    /// contains it.
    Skip,
    /// The package is built again, because the registry contains it.
    VerifyBuild,
}
