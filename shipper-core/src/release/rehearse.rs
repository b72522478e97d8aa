//! Rehearsing: every package of a plan is published to another registry, and seen there.

use std::time::Instant;

use camino::Utf8Path;
use shipper_events::write::{Disk, Options};
use thiserror::Error;

use super::plan::{Plan, Planned};
use super::steps::{Patience, Work};
use super::world::{Class, Failure, Found, Progress, Publisher, Step, Stop, Target};
use crate::record::{Completed, RecordError, Recorder, Rehearsing};

/// How a plan is rehearsed.
#[derive(Debug, Clone)]
pub struct RehearseOptions {
    /// The registry that it is rehearsed on.
    pub rehearsal: Target,
    /// The registry that it is to be published to; it must be another one, by address.
    pub live: Target,
    /// The package whose program is installed from the rehearsal registry at the end, by its name.
    pub smoke_install: Option<String>,
    /// How patient to be.
    pub patience: Patience,
    /// How the log is opened.
    pub log: Options,
}

/// A rehearsal that was completed: it is in the log, passed or not.
#[derive(Debug)]
pub struct Rehearsed {
    /// What it left: the receipt, and the head of the log up to it.
    pub completed: Completed,
    /// The package that failed, and why.
    pub failure: Option<(String, Failure)>,
}

/// A rehearsal could not be begun, or could not be recorded.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RehearseError {
    /// Both names lead to the same registry.
    #[error(
        "the rehearsal registry {rehearsal} and the live registry {live} have the same address, so that a rehearsal would publish for real; configure another index for one of them"
    )]
    SameRegistry {
        /// The rehearsal registry's name, made safe to show.
        rehearsal: String,
        /// The live registry's name, made safe to show.
        live: String,
    },
    /// The package that is to be installed is not in the plan, or has no program.
    #[error("the plan has no package {name} with a program; name one that has, or install none")]
    NoProgram {
        /// Its name, made safe to show.
        name: String,
    },
    /// A step was not recorded. The rehearsal counts as unfinished.
    #[error("the rehearsal cannot be recorded")]
    NotRecorded(#[from] RecordError),
}

/// Rehearses a plan: publishes its packages to the rehearsal registry, one after the other, waits for each to be shown,
/// and installs one if told to. It stops at the first failure. Every step is an event, and the completion is recorded on
/// every path on which the process lives.
///
/// What the registry shows already with the content of the plan counts as published: a rehearsal can be repeated. What
/// it shows with another content is a failure.
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
    let (rehearsal, live) = (&options.rehearsal, &options.live);
    if rehearsal.is_same_registry(live) {
        let shown = |target: &Target| shipper_events::neutral(target.name.as_str()).quoted().to_string();
        return Err(RehearseError::SameRegistry { rehearsal: shown(rehearsal), live: shown(live) });
    }
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
    let mut recording = recorder.start(plan.plan_id().clone(), rehearsal.name.clone(), count as u64)?;
    recording.policy_applied(&rehearsal.authority())?;
    let mut work = Work { publisher, target: rehearsal, patience: options.patience, stop, progress };
    let mut failure = None;
    let mut published = 0;
    for package in plan.packages() {
        let begun = Instant::now();
        match work.rehearse(package) {
            Ok(()) => {
                recording.published(&package.name, &package.version, begun.elapsed())?;
                published += 1;
            }
            Err(failed) => {
                recording.failed(&package.name, &package.version, failed.class.as_str(), &failed.message)?;
                failure = Some((package, failed));
                break;
            }
        }
    }
    let registry = rehearsal.name.as_str();
    let mut summary = match &failure {
        None => format!("rehearsed {count} packages against '{registry}' successfully"),
        Some((package, failed)) => {
            format!("rehearsal stopped at {}/{count}: {}: {}", published + 1, package.id(), failed.message)
        }
    };
    if let Some(package) = smoke_install.filter(|_| failure.is_none())
        && let Err(failed) = install(&mut work, &mut recording, package)?
    {
        summary =
            format!("rehearsed {count} packages, and {} could not be installed: {}", package.id(), failed.message);
        failure = Some((package, failed));
    }
    let completed = recording.complete(failure.is_none(), &summary)?;
    let failure = failure.map(|(package, failed)| (package.id(), failed));
    Ok(Rehearsed { completed, failure })
}

/// Installs a program, between events that say so.
fn install<P: Publisher, D: Disk>(
    work: &mut Work<'_, P>,
    recording: &mut Rehearsing<'_, D>,
    package: &Planned,
) -> Result<Result<(), Failure>, RecordError> {
    let begun = Instant::now();
    recording.smoke_check_started(&package.name, &package.version)?;
    let installed = work.install(package);
    match &installed {
        Ok(()) => recording.smoke_check_succeeded(&package.name, &package.version, begun.elapsed())?,
        Err(failed) => recording.smoke_check_failed(&package.name, &package.version, &failed.message)?,
    }
    Ok(installed)
}

impl<P: Publisher> Work<'_, P> {
    /// Brings a package to the rehearsal registry, or sees that it is there already with the same content.
    fn rehearse(&mut self, package: &Planned) -> Result<(), Failure> {
        let other = || {
            let message = "the rehearsal registry has this version with another content; bump the version, or rehearse \
                 on a registry that does not have it (an empty one, or one where it was deleted)";
            Failure::new(Class::Permanent, message)
        };
        let mut attempt = 1;
        loop {
            match self.find(package)? {
                Found::Same => {
                    self.progress.begins(Step::Skip, package);
                    return Ok(());
                }
                Found::Other => return Err(other()),
                Found::There => {
                    let message = "the rehearsal registry has this version already, and its content cannot be compared; \
                         rehearse on a registry with a sparse index";
                    return Err(Failure::new(Class::Permanent, message));
                }
                Found::Nothing => {}
            }
            match self.publish(package) {
                Ok(_) => break,
                Err(failed) if failed.class == Class::Permanent || attempt >= self.patience.attempts => {
                    return Err(failed);
                }
                Err(failed) if !self.pause() => return Err(failed),
                // It may be there all the same: look first.
                Err(_) => attempt += 1,
            }
        }
        let Ok(shown) = self.wait_for(package, |_, _| Ok::<(), std::convert::Infallible>(()));
        shown.map(|_| ())
    }
}
