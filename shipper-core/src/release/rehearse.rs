//! Rehearsing: every package of a plan is published to another registry, and seen there.

use std::time::Instant;

use camino::Utf8Path;
use shipper_events::RegistryName;
use shipper_events::write::{LockOptions, Storage};
use thiserror::Error;

use super::plan::{Plan, PlannedPackage};
use super::registry::{On, Registry, SameRegistry, authority, is_same_place};
use super::steps::{Limits, Work};
use super::world::{Failed, Failure, FailureClass, Found, Progress, Publisher, Stop};
use crate::record::{CompletedRehearsal, OpenRehearsal, RecordError, RehearsalRecorder};

/// How a plan is rehearsed.
#[derive(Debug, Clone)]
pub struct RehearseOptions {
    /// The registry that it is rehearsed on: another one than the plan's live registry, by address.
    pub rehearsal: Registry,
    /// The package whose program is installed from the rehearsal registry at the end, by its name.
    pub smoke_install: Option<String>,
    /// Its time limits, and how often it tries.
    pub limits: Limits,
    /// The wait for the log's lock.
    pub lock: LockOptions,
}

/// A rehearsal that was completed: it is in the log, passed or not.
#[derive(Debug)]
pub struct Rehearsed {
    /// What it left: the receipt, and the head of the log up to it.
    pub completed: CompletedRehearsal,
    /// Why it did not pass.
    pub failure: Option<Failed>,
}

/// A rehearsal could not be begun, or could not be recorded.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RehearseError {
    /// Both names lead to the same registry.
    #[error(transparent)]
    SameRegistry(#[from] SameRegistry),
    /// The package that is to be installed is not in the plan, or has no program.
    #[error("the plan has no package {name} with a program; name one that has, or install none")]
    NoProgram {
        /// Its name, made safe to show.
        name: String,
    },
    /// The plan could not be published, as far as that can be seen beforehand. Nothing was begun.
    #[error("nothing was rehearsed")]
    NotReady(#[source] Failure),
    /// A step was not recorded. The rehearsal counts as unfinished.
    #[error("the rehearsal cannot be recorded")]
    NotRecorded(#[from] RecordError),
}

/// Rehearses a plan: publishes its packages to the rehearsal registry, one after the other, waits for each to be shown,
/// and installs one if told to. It stops at the first failure. Every step is an event, and the completion is recorded on
/// every path on which the process lives.
///
/// What the registry shows already with the content of the plan counts as published, and is built once more: a rehearsal
/// can be repeated. What it shows with another content is a failure.
///
/// # Errors
///
/// When nothing may be begun, or a step cannot be recorded. A rehearsal that fails is no error: it is completed, and did
/// not pass.
pub fn rehearse<P: Publisher, D: Storage + Clone>(
    disk: D,
    state_directory: &Utf8Path,
    plan: &Plan,
    options: &RehearseOptions,
    publisher: &mut P,
    stop: &Stop,
    progress: &mut dyn Progress,
) -> Result<Rehearsed, RehearseError> {
    let rehearsal = &options.rehearsal;
    SameRegistry::check(rehearsal, plan.live())?;
    let smoke_install = match &options.smoke_install {
        None => None,
        Some(name) => {
            let package = plan.packages().iter().find(|package| package.name == *name && package.has_program);
            let name = || shipper_events::display_safe(name).quoted().to_string();
            Some(package.ok_or_else(|| RehearseError::NoProgram { name: name() })?)
        }
    };
    let mut recorder = RehearsalRecorder::open(disk, state_directory, options.lock.clone())?;
    let count = plan.packages().len();
    let mut work = Work { publisher, on: On::Rehearsal(rehearsal), limits: options.limits, stop, progress };
    work.check(plan).map_err(RehearseError::NotReady)?;
    let mut recording = recorder.start(plan.plan_id().clone(), rehearsal.name.clone(), count as u64)?;
    let end = work.rehearse_all(&mut recording, plan, smoke_install)?;
    let completed = recording.complete(matches!(end, End::Passed), &end.summary(count, &rehearsal.name))?;
    Ok(Rehearsed { completed, failure: end.into_failed() })
}

/// How a rehearsal ended.
enum End<'p> {
    /// Every package is on the rehearsal registry, and what was to be installed could be.
    Passed,
    /// Before the first package.
    NotBegun(Failure),
    /// At a package, the how-manieth it is: the first is 1.
    StoppedAt(usize, &'p PlannedPackage, Failure),
    /// With all packages there, and one that could not be installed.
    NotInstalled(&'p PlannedPackage, Failure),
}

impl End<'_> {
    /// What the completion says of it.
    fn summary(&self, count: usize, registry: &RegistryName) -> String {
        match self {
            Self::Passed => format!("rehearsed {count} packages against '{registry}' successfully"),
            Self::NotBegun(failure) => format!("rehearsal did not begin: {failure}"),
            Self::StoppedAt(number, package, failure) => {
                format!("rehearsal stopped at {number}/{count}: {}: {failure}", package.id())
            }
            Self::NotInstalled(package, failure) => {
                format!("rehearsed {count} packages, and {} could not be installed: {failure}", package.id())
            }
        }
    }

    fn into_failed(self) -> Option<Failed> {
        match self {
            Self::Passed => None,
            Self::NotBegun(failure) => Some(Failed { package: None, failure }),
            Self::StoppedAt(_, package, failure) | Self::NotInstalled(package, failure) => {
                Some(Failed { package: Some(package.id()), failure })
            }
        }
    }
}

impl<P: Publisher> Work<'_, P> {
    /// Rehearses every package, and records each.
    fn rehearse_all<'p, D: Storage>(
        &mut self,
        recording: &mut OpenRehearsal<'_, D>,
        plan: &'p Plan,
        smoke_install: Option<&'p PlannedPackage>,
    ) -> Result<End<'p>, RecordError> {
        let uploads_to = self.apart_from(plan.live());
        let credentials = uploads_to.as_deref().ok().and_then(authority);
        recording.policy_applied(authority(&self.on.registry().index).as_deref(), credentials.as_deref())?;
        if let Err(failure) = uploads_to {
            return Ok(End::NotBegun(failure));
        }
        for (number, package) in (1..).zip(plan.packages()) {
            let begun = Instant::now();
            if let Err(failure) = self.rehearse(package) {
                recording.output(&package.name, &package.version, &failure.tails.stdout, &failure.tails.stderr)?;
                recording.failed(&package.name, &package.version, failure.class.as_str(), &failure.message)?;
                return Ok(End::StoppedAt(number, package, failure));
            }
            recording.published(&package.name, &package.version, begun.elapsed())?;
        }
        let Some(package) = smoke_install else {
            return Ok(End::Passed);
        };
        let begun = Instant::now();
        recording.smoke_check_started(&package.name, &package.version)?;
        if let Err(failure) = self.install(package) {
            recording.output(&package.name, &package.version, &failure.tails.stdout, &failure.tails.stderr)?;
            recording.smoke_check_failed(&package.name, &package.version, &failure.message)?;
            return Ok(End::NotInstalled(package, failure));
        }
        recording.smoke_check_succeeded(&package.name, &package.version, begun.elapsed())?;
        Ok(End::Passed)
    }

    /// Where uploads to the rehearsal registry go, if not to the live one: somebody may have taken a mirror for another
    /// registry. Where either does not say, nobody knows, and nothing is uploaded.
    fn apart_from(&mut self, live: &Registry) -> Result<String, Failure> {
        let here = self.uploads_to(self.on)?;
        if is_same_place(&here, &self.uploads_to(On::Live(live))?) {
            let message = "what is uploaded to the rehearsal registry goes to the live registry, so that a rehearsal would \
                 publish for real; rehearse on another one";
            return Err(Failure::new(FailureClass::Permanent, message));
        }
        Ok(here)
    }

    /// Brings a package to the rehearsal registry, or sees that it is there already with the same content.
    fn rehearse(&mut self, package: &PlannedPackage) -> Result<(), Failure> {
        let mut attempt = self.attempts();
        let mut failed: Option<Failure> = None;
        loop {
            let found = self.find(package).map_err(|look| match failed.take() {
                // What was tried before says more.
                Some(failure) => Failure { message: format!("{}; then {look}", failure.message), ..failure },
                None => look,
            });
            match found? {
                // What this rehearsal uploaded was built before.
                Found::Same if attempt.number > 1 => return Ok(()),
                Found::Same => return self.build(package),
                Found::Other => {
                    let message = "the rehearsal registry has this version with another content; bump the version, or \
                         rehearse on a registry that does not have it (an empty one, or one where it was deleted)";
                    return Err(Failure::new(FailureClass::Permanent, message));
                }
                Found::Nothing => {}
            }
            match self.publish(package, &attempt) {
                Ok(_) => break,
                // It may be there all the same: look first.
                Err(failure) if attempt.go_on_after(&failure, self.stop) && self.pause() => {
                    attempt.number += 1;
                    failed = Some(failure);
                }
                Err(failure) => return Err(failure),
            }
        }
        let Ok(shown) = self.wait_for(package, |_, _| Ok::<(), std::convert::Infallible>(()));
        shown.map(|_| ())
    }
}
