//! Registries that fail when told to, and a release tool at work on them: whatever a test does, the live registry is reached
//! only with a permission in the log.

use std::collections::HashMap;
use std::time::Duration;

use crate::log_builder::audit;
use camino::{Utf8Path, Utf8PathBuf};
use shipper_core::audit::{AuditOptions, LogAudit, SidecarInput};
use shipper_core::release::{
    Failure, FailureClass, Found, Limits, On, OutputTails, Plan, PlannedFile, PlannedPackage, PublishError,
    PublishOptions, Publisher, Registry, RehearseOptions, StepContext, Stop, publish, rehearse,
};
use shipper_core::{LOG_FILE_NAME, RefusalCode, SkipRequest, create_state_directory};
use shipper_events::write::{FsStorage, WriterOptions};

/// Registries that remember what they were given, and fail when told to.
pub struct World {
    pub log: Utf8PathBuf,
    /// Registry and package, with the content that it has.
    pub shelves: HashMap<(String, String), blake3::Hash>,
    /// What happens at the next calls to publish, in order; then all goes well.
    pub faults: Vec<Fault>,
    /// What happens at the next looks, the last first.
    pub looks: Vec<Look>,
    pub mirror: Mirror,
    /// Whether the plan may be published, as far as that can be seen beforehand.
    pub ready: bool,
    /// How often the live registry was reached.
    pub reached: usize,
    pub stop: Stop,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It goes well.
    None,
    /// It goes well, and much is said of it.
    Chatty,
    /// Nothing is done, and it will not pass.
    Permanent,
    /// Nothing is done, and it may pass.
    Retryable,
    /// It is done, and nobody learns of it.
    Lost,
    /// It is not done, and nobody knows.
    Unknown,
    /// Somebody else does it with another content, and nobody knows.
    Overtaken,
    /// Somebody asks to stop meanwhile.
    Stopped,
}

/// What a look at a registry tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// It does not answer.
    Unanswered,
    /// It does not show yet what it has.
    Hidden,
    /// It shows what it has.
    Shown,
    /// What it answers is meant to harm.
    Hostile,
}

/// What uploads to the rehearsal registry go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mirror {
    /// It is one of its own.
    None,
    /// It is a mirror of the live one.
    OfLive,
    /// It does not say.
    Silent,
    /// The live one does not say.
    LiveSilent,
}

fn shelf(package: &PlannedPackage, on: On<'_>) -> (String, String) {
    (on.registry().name.as_str().to_owned(), package.id())
}

fn content(package: &PlannedPackage) -> blake3::Hash {
    let files: Vec<String> = package.files.iter().map(|file| file.blake3.to_string()).collect();
    blake3::hash(files.concat().as_bytes())
}

impl Publisher for World {
    fn uploads_to(&mut self, on: On<'_>, _: &mut StepContext<'_>) -> Result<String, Failure> {
        match (self.mirror, on) {
            (Mirror::OfLive, _) => Ok("https://live.example/api".to_owned()),
            (Mirror::Silent, On::Rehearsal(_)) | (Mirror::LiveSilent, On::Live(_)) => {
                Err(Failure::new(FailureClass::Retryable, "it cannot be reached"))
            }
            _ => Ok(format!("https://{}.example/api", on.registry().name)),
        }
    }

    fn find(&mut self, package: &PlannedPackage, on: On<'_>, _: &mut StepContext<'_>) -> Result<Found, Failure> {
        match self.looks.pop() {
            Some(Look::Unanswered) => return Err(Failure::new(FailureClass::Retryable, "the registry answered 503")),
            Some(Look::Hidden) => return Ok(Found::Nothing),
            Some(Look::Hostile) => {
                return Err(Failure::new(FailureClass::Permanent, format!("\u{1b}[2J{}", "x".repeat(20 << 20))));
            }
            Some(Look::Shown) | None => {}
        }
        Ok(match self.shelves.get(&shelf(package, on)) {
            None => Found::Nothing,
            Some(shelved) if *shelved == content(package) => Found::Same,
            Some(_) => Found::Other,
        })
    }

    fn publish(
        &mut self,
        package: &PlannedPackage,
        on: On<'_>,
        _: &mut StepContext<'_>,
    ) -> Result<OutputTails, Failure> {
        if let On::Live(_) = on {
            self.reached += 1;
            assert!(may_publish_now(&self.log), "the live registry is reached without a permission in the log");
        }
        let fault = if self.faults.is_empty() { Fault::None } else { self.faults.remove(0) };
        if fault == Fault::Stopped {
            self.stop.ask();
        }
        if matches!(fault, Fault::None | Fault::Chatty | Fault::Lost | Fault::Stopped) {
            self.shelves.insert(shelf(package, on), content(package));
        }
        if fault == Fault::Overtaken {
            self.shelves.insert(shelf(package, on), blake3::hash(b"somebody else's"));
        }
        match fault {
            Fault::None => Ok(OutputTails::default()),
            Fault::Chatty => Ok(OutputTails { stdout: "\u{1}".repeat(20 << 20), stderr: "ü".repeat(10 << 20) }),
            Fault::Permanent => Err(Failure::new(FailureClass::Permanent, "it does not compile")),
            Fault::Retryable => Err(Failure::new(FailureClass::Retryable, "the registry answered 500")),
            Fault::Lost | Fault::Unknown | Fault::Overtaken | Fault::Stopped => {
                Err(Failure::new(FailureClass::Ambiguous, "nobody knows"))
            }
        }
    }

    fn check(&mut self, _: &Plan, _: &mut StepContext<'_>) -> Result<(), Failure> {
        if self.ready { Ok(()) } else { Err(Failure::new(FailureClass::Permanent, "it is not committed")) }
    }

    fn build(&mut self, _: &PlannedPackage, on: On<'_>, _: &mut StepContext<'_>) -> Result<(), Failure> {
        assert!(matches!(on, On::Rehearsal(_)), "what is published for real is not built again");
        match if self.faults.is_empty() { Fault::None } else { self.faults.remove(0) } {
            Fault::None => Ok(()),
            _ => Err(Failure::new(FailureClass::Permanent, "it does not compile")),
        }
    }

    fn install(&mut self, _: &PlannedPackage, _: On<'_>, _: &mut StepContext<'_>) -> Result<(), Failure> {
        match if self.faults.is_empty() { Fault::None } else { self.faults.remove(0) } {
            Fault::None => Ok(()),
            _ => Err(Failure::new(FailureClass::Permanent, "it does not install")),
        }
    }

    fn command(&self, package: &PlannedPackage, on: On<'_>) -> String {
        format!("shelve {} on {}", package.id(), on.registry().name)
    }
}

pub const LIVE: &str = "live";

/// Whether the log, as it stands on the disk, ends in a run that names a permission for its plan.
fn may_publish_now(log: &Utf8Path) -> bool {
    let log = std::fs::read(log).expect("the log");
    let audited = audit(&log, SidecarInput::NotRequested, &AuditOptions::default()).expect("no line is demanded");
    let taken = audited.decisions.iter().rfind(|decision| !decision.runs.is_empty());
    taken.is_some_and(|decision| {
        let recorded = decision.recorded.as_ref().expect("it was recorded");
        let open = decision.runs.last().is_some_and(|run| run.finished.is_none());
        open && recorded.verdict != "refused" && decision.runs.iter().all(|run| run.line > decision.line)
    })
}

pub fn registry(name: &str) -> Registry {
    Registry { name: name.parse().expect("a name"), index: format!("sparse+https://{name}.example/index/") }
}

/// A plan of three packages with that source and version.
pub fn plan(source: u8, version: u8) -> Plan {
    let package = |name: &str| PlannedPackage {
        name: name.to_owned(),
        version: format!("0.{version}.0"),
        files: vec![PlannedFile { path: "src/lib.rs".to_owned(), blake3: blake3::hash(&[source]) }],
        locked: Vec::new(),
        has_program: name == "c",
    };
    Plan::new(registry(LIVE), ["a", "b", "c"].map(package).into()).expect("a plan")
}

pub const LIMITS: Limits = Limits {
    command: Duration::from_secs(60),
    readiness: Duration::from_millis(5),
    pause: Duration::from_millis(1),
    attempts: 2,
};

pub fn rehearse_options(smoke_install: bool) -> RehearseOptions {
    RehearseOptions {
        rehearsal: registry("rehearsal"),
        smoke_install: smoke_install.then(|| "c".to_owned()),
        limits: LIMITS,
        log: WriterOptions::default(),
    }
}

pub fn publish_options(skip: bool) -> PublishOptions {
    let asker = SkipRequest { actor: Some("bot".to_owned()), justification: Some("it is urgent".to_owned()) };
    PublishOptions {
        rehearsal: Some(registry("rehearsal")),
        skip: skip.then_some(asker),
        limits: LIMITS,
        log: WriterOptions::default(),
    }
}

/// A release tool on an empty state directory.
pub struct Tool {
    _top: tempfile::TempDir,
    pub state: Utf8PathBuf,
    pub world: World,
}

impl Tool {
    pub fn new() -> Self {
        let top = tempfile::tempdir().expect("a directory");
        let state = Utf8PathBuf::try_from(top.path().join("state")).expect("UTF-8");
        create_state_directory(&state).expect("created");
        let world = World {
            log: state.join(LOG_FILE_NAME),
            shelves: HashMap::new(),
            faults: Vec::new(),
            looks: Vec::new(),
            mirror: Mirror::None,
            ready: true,
            reached: 0,
            stop: Stop::default(),
        };
        Self { _top: top, state, world }
    }

    /// Rehearses, and gives whether it passed.
    pub fn rehearse(&mut self, plan: &Plan, smoke_install: bool, faults: &[Fault]) -> bool {
        self.world.faults = faults.to_vec();
        let stop = Stop::default();
        self.world.stop = stop.clone();
        let options = rehearse_options(smoke_install);
        let done = rehearse(FsStorage, &self.state, plan, &options, &mut self.world, &stop, &mut ());
        let rehearsed = done.expect("it is recorded");
        assert_eq!(rehearsed.completed.receipt.passed, rehearsed.failure.is_none());
        rehearsed.completed.receipt.passed
    }

    /// Publishes, and gives whether all of it went well, or why the gate refused.
    pub fn publish(&mut self, plan: &Plan, skip: bool, faults: &[Fault]) -> Result<bool, Vec<RefusalCode>> {
        self.world.faults = faults.to_vec();
        let stop = Stop::default();
        self.world.stop = stop.clone();
        let (before, options) = (self.world.reached, publish_options(skip));
        match publish(FsStorage, &self.state, plan, &options, &mut self.world, &stop, &mut ()) {
            Ok(published) => Ok(published.failure.is_none()),
            Err(PublishError::Refused { gate, .. }) => {
                assert_eq!(self.world.reached, before, "a refusal reaches nothing");
                Err(gate.verdict.reason_codes())
            }
            Err(error) => panic!("{error}"),
        }
    }

    pub fn audit(&self) -> LogAudit {
        let log = std::fs::read(&self.world.log).expect("the log");
        audit(&log, SidecarInput::NotRequested, &AuditOptions::default()).expect("no line is demanded")
    }
}
