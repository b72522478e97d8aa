//! Rehearses a plan: publishes every package to another registry, and looks it up there.

use std::time::Instant;

use camino::Utf8Path;
use shipper_events::write::Storage;
use thiserror::Error;

use super::endpoint::{Isolation, isolation};
use super::plan::{Plan, PlannedPackage};
use super::publisher::{CancelToken, Failure, Progress, PublishedState, Publisher, Step};
use super::rate_limit::WaitDecision;
use super::registry::{Registry, RegistryRole, SameRegistryError, origin, shown};
use super::session::{Limits, ReleaseSession, Visible, too_long};
use crate::rehearsal::{CompletedRehearsal, OpenRehearsal, RecordError, RehearsalRecorder};
use crate::state_dir::StateOptions;

/// Options of [`rehearse`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RehearseOptions {
    /// The registry on which the plan is rehearsed. Its address must differ from the live registry's.
    pub rehearsal: Registry,
    /// Name of the package whose program is installed from the rehearsal registry at the end; by default `None`.
    pub smoke_install: Option<String>,
    /// Time limits and number of attempts.
    pub limits: Limits,
    /// Options of opening the log.
    pub state: StateOptions,
}

impl RehearseOptions {
    /// Creates the default options for a rehearsal on that registry.
    pub fn new(rehearsal: Registry) -> Self {
        Self { rehearsal, smoke_install: None, limits: Limits::default(), state: StateOptions::default() }
    }
}

/// The error for a rehearsal that cannot start or cannot be recorded.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RehearseError {
    /// The rehearsal registry is the live registry.
    #[error(transparent)]
    SameRegistry(#[from] SameRegistryError),
    /// The plan does not contain the package to install, or the package has no program.
    #[error("the plan has no package {name} with a program")]
    NoProgram {
        /// The package's name, safe to show.
        name: String,
    },
    /// The preflight check failed. Nothing was recorded.
    #[error("cannot start the rehearsal: the preflight check failed")]
    Preflight(#[source] Failure),
    /// The two registries share an address, or one of them gave no address. Nothing was recorded.
    #[error("cannot start the rehearsal: the registries must be separate")]
    Registries(#[source] Failure),
    /// The run lock was not taken, the log not opened, or a step not recorded. A started rehearsal stays unfinished.
    #[error("cannot record the rehearsal")]
    Record(#[from] RecordError),
}

/// Publishes the packages of a plan to the rehearsal registry in order, each when the one before it is visible. Then it
/// installs a program if the options name its package. Records every step, and stops at the first failure. Also records
/// the completion of a rehearsal that failed.
///
/// A rehearsal can be repeated. If the registry shows a package with the content of the plan, the publisher
/// builds it again, and it counts as published. Different content is a failure.
///
/// A package that the live registry shows with the content of the plan is not built: a run skips it. It is published to
/// the rehearsal registry for the packages that need it, and recorded as already published.
///
/// # Errors
///
/// See [`RehearseError`]. A failed rehearsal is not an error: it is completed without passing.
pub fn rehearse<P: Publisher, S: Storage + Clone>(
    storage: S,
    state_directory: &Utf8Path,
    plan: &Plan,
    options: &RehearseOptions,
    publisher: &mut P,
    cancel: &CancelToken,
    progress: &mut dyn Progress,
) -> Result<CompletedRehearsal, RehearseError> {
    let rehearsal = &options.rehearsal;
    SameRegistryError::check(rehearsal, plan.live())?;
    let find_program = |name: &String| {
        let package = plan.packages().iter().find(|package| package.name == *name && package.has_program);
        package.ok_or_else(|| RehearseError::NoProgram { name: shown(name) })
    };
    let smoke_install = options.smoke_install.as_ref().map(find_program).transpose()?;
    let mut recorder = RehearsalRecorder::open(storage, state_directory, options.state.clone())?;
    let role = RegistryRole::Rehearsal(rehearsal);
    let mut session = ReleaseSession { publisher, role, limits: options.limits, cancel: cancel.clone(), progress };
    session.preflight(plan).map_err(RehearseError::Preflight)?;
    let uploads = session.ensure_isolated(plan.live()).map_err(RehearseError::Registries)?;
    let count = plan.packages().len();
    let mut recording =
        recorder.start_at(plan.plan_id().clone(), rehearsal.name.clone(), count as u64, plan.git().cloned())?;
    recording.policy_applied(origin(&rehearsal.index).as_deref(), origin(&uploads).as_deref())?;
    let summary = match session.rehearse_all(&mut recording, plan, smoke_install)? {
        Ok(already_published) => success_summary(count, already_published, rehearsal),
        Err(failure) => return Ok(recording.complete(false, &failure)?),
    };
    Ok(recording.complete(true, &summary)?)
}

/// Returns the summary of a rehearsal that passed. `already_published` packages were not built.
fn success_summary(count: usize, already_published: usize, rehearsal: &Registry) -> String {
    let packages = if count == 1 { "package" } else { "packages" };
    let summary = format!("rehearsed {count} {packages} against '{}' successfully", rehearsal.name);
    match already_published {
        0 => summary,
        not_built => format!("{summary}; {not_built} of them not built, because the live registry has them"),
    }
}

impl<P: Publisher> ReleaseSession<'_, P> {
    /// Rehearses and records every package. Returns the number of packages that the live registry has already, or the
    /// summary of a failure.
    fn rehearse_all<S: Storage>(
        &mut self,
        recording: &mut OpenRehearsal<'_, S>,
        plan: &Plan,
        smoke_install: Option<&PlannedPackage>,
    ) -> Result<Result<usize, String>, RecordError> {
        let (count, mut already_published) = (plan.packages().len(), 0);
        for (position, package) in (1..).zip(plan.packages()) {
            let (PlannedPackage { name, version, .. }, started) = (package, Instant::now());
            let rehearsed = self.rehearse_package(package, RegistryRole::Live(plan.live()));
            let (took, content) = (started.elapsed(), package.content().to_string());
            match rehearsed {
                Ok(Rehearsed::Built) => recording.published_with_content(name, version, took, &content)?,
                Ok(Rehearsed::AlreadyPublished) => {
                    recording.already_published(name, version, took, &content)?;
                    already_published += 1;
                }
                Err(failure) => {
                    recording.output(name, version, &failure.tails.stdout, &failure.tails.stderr)?;
                    recording.failed(name, version, failure.class.as_str(), &failure.message)?;
                    return Ok(Err(format!("rehearsal stopped at {position}/{count}: {}: {failure}", package.id())));
                }
            }
        }
        let Some(package) = smoke_install else {
            return Ok(Ok(already_published));
        };
        let (PlannedPackage { name, version, .. }, started) = (package, Instant::now());
        recording.smoke_check_started(name, version)?;
        if let Err(failure) = self.run_step(Step::Install, package, self.command_deadline(), P::install) {
            recording.output(name, version, &failure.tails.stdout, &failure.tails.stderr)?;
            recording.smoke_check_failed(name, version, &failure.message)?;
            let id = package.id();
            return Ok(Err(format!("rehearsed {count} packages, and {id} could not be installed: {failure}")));
        }
        recording.smoke_check_succeeded(name, version, started.elapsed())?;
        Ok(Ok(already_published))
    }

    /// Returns the address for uploads to the rehearsal registry. Fails if the registries share an address, as a mirror
    /// does with its original, or if either registry returns no address. Warns if they share a host.
    fn ensure_isolated(&mut self, live: &Registry) -> Result<String, Failure> {
        let uploads = self.upload_endpoint(self.role)?;
        let rehearsal = self.endpoints(self.role)?;
        let live = self.endpoints(RegistryRole::Live(live))?;
        match isolation(&rehearsal, &live) {
            Isolation::SharedEndpoint(shared) => {
                return Err(Failure::permanent(format!("{shared}; use another rehearsal registry")));
            }
            Isolation::SharedHost(shared) => self.progress.warning(&shared),
            Isolation::Separate => {}
        }
        Ok(uploads)
    }

    /// Publishes a package to the rehearsal registry, or verifies the one that is there. Does not build a package that the
    /// live registry has.
    fn rehearse_package(&mut self, package: &PlannedPackage, live: RegistryRole<'_>) -> Result<Rehearsed, Failure> {
        let mut retry = self.first_attempt(self.limits.command_timeout);
        let (mut earlier, mut waits): (Option<Failure>, u32) = (None, 0);
        let mut known = None;
        let rehearsed = loop {
            let state = self.lookup(package).map_err(|lookup| match earlier.take() {
                // The failed attempt is the cause to report.
                Some(failure) => failure.followed_by(lookup),
                None => lookup,
            });
            let state = state?;
            let rehearsed = *known.get_or_insert_with(|| match self.is_published(package, live) {
                true => {
                    self.progress.step_started(Step::Skip, package);
                    Rehearsed::AlreadyPublished
                }
                false => Rehearsed::Built,
            });
            let is_built = rehearsed == Rehearsed::Built;
            match state {
                PublishedState::SameContent { .. } if !is_built => return Ok(rehearsed),
                // Also after a failed attempt: it may have built nothing, and another publisher may have uploaded this.
                PublishedState::SameContent { .. } => {
                    self.run_step(Step::VerifyBuild, package, self.command_deadline(), P::verify_build)?;
                    return Ok(rehearsed);
                }
                PublishedState::DifferentContent { .. } => {
                    let message = "the rehearsal registry has this version with another content; bump the version, \
                         or rehearse on a registry that does not have it (an empty one, or one where it was deleted)";
                    return Err(Failure::permanent(message));
                }
                PublishedState::Absent => {}
            }
            let publish = if is_built { P::publish } else { P::publish_without_build };
            let Err(failure) = self.run_step(Step::Publish, package, retry.deadline, publish) else { break rehearsed };
            match self.decide_wait(&failure, waits, retry.deadline) {
                WaitDecision::TooLong(wait) => return Err(too_long(failure, wait)),
                WaitDecision::Wait(wait) if self.wait(package, wait) => waits += 1,
                // The package may have arrived, so the next attempt begins with a lookup.
                WaitDecision::CountAsAttempt if retry.should_retry(&failure, &self.cancel) && self.pause() => {
                    retry.attempt += 1;
                }
                _ => return Err(failure),
            }
            earlier = Some(failure);
        };
        match self.wait_until_visible(package, |_, _| Ok::<(), Failure>(()))? {
            Visible { state: PublishedState::DifferentContent { .. }, .. } => Err(Failure::permanent(
                "the registry shows this version with another content than was published; look for a build script \
                 that changes the package",
            )),
            _ => Ok(rehearsed),
        }
    }
}

/// The way in which a package was rehearsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rehearsed {
    /// It was built.
    Built,
    /// It was not built, because the live registry has it.
    AlreadyPublished,
}
