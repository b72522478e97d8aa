//! Rehearsing: every package of a plan is published to another registry, and seen there.

use std::time::Instant;

use camino::Utf8Path;
use shipper_events::write::{Disk, Options};
use thiserror::Error;

use super::plan::{Plan, PlannedPackage};
use super::registry::{On, Registry, SameRegistry, authority, is_same_place};
use super::steps::{Limits, Work};
use super::world::{Failed, Failure, FailureClass, Found, Progress, Publisher, Stop};
use crate::record::{Completed, RecordError, Recorder, Rehearsing};

/// How a plan is rehearsed.
#[derive(Debug, Clone)]
pub struct RehearseOptions {
    /// The registry that it is rehearsed on: another one than the plan's live registry, by address.
    pub rehearsal: Registry,
    /// The package whose program is installed from the rehearsal registry at the end, by its name.
    pub smoke_install: Option<String>,
    /// Its time limits, and how often it tries.
    pub limits: Limits,
    /// How the log is opened; a torn tail is repaired in any case.
    pub log: Options,
}

/// A rehearsal that was completed: it is in the log, passed or not.
#[derive(Debug)]
pub struct Rehearsed {
    /// What it left: the receipt, and the head of the log up to it.
    pub completed: Completed,
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
pub fn rehearse<P: Publisher, D: Disk + Clone>(
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
            let name = || shipper_events::neutral(name).quoted().to_string();
            Some(package.ok_or_else(|| RehearseError::NoProgram { name: name() })?)
        }
    };
    let mut recorder = Recorder::open(disk, state_directory, options.log.clone())?;
    let count = plan.packages().len();
    let mut work = Work { publisher, on: On::Rehearsal(rehearsal), limits: options.limits, stop, progress };
    work.check(plan).map_err(RehearseError::NotReady)?;
    let mut recording = recorder.start(plan.plan_id().clone(), rehearsal.name.clone(), count as u64)?;
    let uploads_to = work.apart_from(plan.live());
    let credentials = uploads_to.as_deref().ok().and_then(authority);
    recording.policy_applied(authority(&rehearsal.index).as_deref(), credentials.as_deref())?;
    let mut failed = uploads_to.err().map(|failure| Failed { package: None, failure });
    let mut published = 0;
    for package in plan.packages() {
        if failed.is_some() {
            break;
        }
        let begun = Instant::now();
        match work.rehearse(package) {
            Ok(()) => {
                recording.published(&package.name, &package.version, begun.elapsed())?;
                published += 1;
            }
            Err(failure) => {
                recording.output(&package.name, &package.version, &failure.tails.stdout, &failure.tails.stderr)?;
                recording.failed(&package.name, &package.version, failure.class.as_str(), &failure.message)?;
                failed = Some(Failed { package: Some(package.id()), failure });
            }
        }
    }
    let mut installs = true;
    if let Some(package) = smoke_install.filter(|_| failed.is_none())
        && let Err(failure) = install(&mut work, &mut recording, package)?
    {
        installs = false;
        failed = Some(Failed { package: Some(package.id()), failure });
    }
    let registry = rehearsal.name.as_str();
    let summary = match &failed {
        None => format!("rehearsed {count} packages against '{registry}' successfully"),
        Some(Failed { package: None, failure }) => format!("rehearsal did not begin: {failure}"),
        Some(Failed { package: Some(package), failure }) if installs => {
            format!("rehearsal stopped at {}/{count}: {package}: {failure}", published + 1)
        }
        Some(Failed { package: Some(package), failure }) => {
            format!("rehearsed {count} packages, and {package} could not be installed: {failure}")
        }
    };
    let completed = recording.complete(failed.is_none(), &summary)?;
    Ok(Rehearsed { completed, failure: failed })
}

/// Installs a program, between events that say so.
fn install<P: Publisher, D: Disk>(
    work: &mut Work<'_, P>,
    recording: &mut Rehearsing<'_, D>,
    package: &PlannedPackage,
) -> Result<Result<(), Failure>, RecordError> {
    let begun = Instant::now();
    recording.smoke_check_started(&package.name, &package.version)?;
    let installed = work.install(package);
    match &installed {
        Ok(()) => recording.smoke_check_succeeded(&package.name, &package.version, begun.elapsed())?,
        Err(failed) => {
            recording.output(&package.name, &package.version, &failed.tails.stdout, &failed.tails.stderr)?;
            recording.smoke_check_failed(&package.name, &package.version, &failed.message)?;
        }
    }
    Ok(installed)
}

impl<P: Publisher> Work<'_, P> {
    /// Where uploads to the rehearsal registry go, if not to the live one: somebody may have taken a mirror for another
    /// registry.
    fn apart_from(&mut self, live: &Registry) -> Result<String, Failure> {
        let here = self.uploads_to(self.on)?;
        let index = |registry: &Registry| authority(&registry.index);
        let goes_there = match self.uploads_to(On::Live(live)) {
            Ok(there) => is_same_place(&here, &there),
            // It does not say, such as one that wants a token even for that: then its host tells, if it is its own.
            Err(_) => authority(&here) == index(live) && index(self.on.registry()) != index(live),
        };
        if goes_there {
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
