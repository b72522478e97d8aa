//! Registries that fail when told to, and a release tool at work on them: whatever a test does, the live registry is reached
//! only with a permission in the log.

use std::collections::HashMap;
use std::time::Duration;

use crate::log_builder::audit;
use camino::{Utf8Path, Utf8PathBuf};
use shipper_core::audit::{AuditOptions, LogAudit, SidecarInput};
use shipper_core::release::{
    CancelToken, Failure, FailureClass, Limits, OutputTails, Plan, PlannedFile, PlannedPackage, PublishError,
    PublishOptions, PublishedState, Publisher, Registry, RegistryRole, RehearseOptions, StepContext, publish, rehearse,
};
use shipper_core::state_dir::{LOG_FILE_NAME, create_state_directory};
use shipper_core::{RefusalCode, SkipRequest};
use shipper_events::write::FsStorage;

/// Registries that remember what they were given, and fail when told to.
pub struct FakePublisher {
    pub log: Utf8PathBuf,
    /// Registry and package, with the content that it has.
    pub published: HashMap<(String, String), blake3::Hash>,
    /// What happens at the next calls to publish, in order; then all goes well.
    pub faults: Vec<PublishFault>,
    /// What happens at the next lookups, the last first.
    pub lookup_faults: Vec<LookupFault>,
    pub mirror: MirrorMode,
    /// Whether the plan may be published, as far as that can be seen beforehand.
    pub ready: bool,
    /// How often the live registry was reached.
    pub reached: usize,
    pub cancel: CancelToken,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublishFault {
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
pub enum LookupFault {
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
pub enum MirrorMode {
    /// It is one of its own.
    None,
    /// It is a mirror of the live one.
    OfLive,
    /// It does not say.
    Silent,
    /// The live one does not say.
    LiveSilent,
}

fn publication_key(package: &PlannedPackage, role: RegistryRole<'_>) -> (String, String) {
    (role.registry().name.as_str().to_owned(), package.id())
}

fn content(package: &PlannedPackage) -> blake3::Hash {
    let files: Vec<String> = package.files.iter().map(|file| file.blake3.to_string()).collect();
    blake3::hash(files.concat().as_bytes())
}

impl Publisher for FakePublisher {
    fn upload_endpoint(&mut self, role: RegistryRole<'_>, _: &mut StepContext<'_>) -> Result<String, Failure> {
        match (self.mirror, role) {
            (MirrorMode::OfLive, _) => Ok("https://live.example/api".to_owned()),
            (MirrorMode::Silent, RegistryRole::Rehearsal(_)) | (MirrorMode::LiveSilent, RegistryRole::Live(_)) => {
                Err(Failure::new(FailureClass::Retryable, "it cannot be reached"))
            }
            _ => Ok(format!("https://{}.example/api", role.registry().name)),
        }
    }

    fn lookup(
        &mut self,
        package: &PlannedPackage,
        role: RegistryRole<'_>,
        _: &mut StepContext<'_>,
    ) -> Result<PublishedState, Failure> {
        match self.lookup_faults.pop() {
            Some(LookupFault::Unanswered) => {
                return Err(Failure::new(FailureClass::Retryable, "the registry answered 503"));
            }
            Some(LookupFault::Hidden) => return Ok(PublishedState::Absent),
            Some(LookupFault::Hostile) => {
                return Err(Failure::new(FailureClass::Permanent, format!("\u{1b}[2J{}", "x".repeat(20 << 20))));
            }
            Some(LookupFault::Shown) | None => {}
        }
        Ok(match self.published.get(&publication_key(package, role)) {
            None => PublishedState::Absent,
            Some(published) if *published == content(package) => PublishedState::SameContent,
            Some(_) => PublishedState::DifferentContent,
        })
    }

    fn publish(
        &mut self,
        package: &PlannedPackage,
        role: RegistryRole<'_>,
        _: &mut StepContext<'_>,
    ) -> Result<OutputTails, Failure> {
        if let RegistryRole::Live(_) = role {
            self.reached += 1;
            assert!(may_publish_now(&self.log), "the live registry is reached without a permission in the log");
        }
        let fault = if self.faults.is_empty() { PublishFault::None } else { self.faults.remove(0) };
        if fault == PublishFault::Stopped {
            self.cancel.cancel();
        }
        if matches!(fault, PublishFault::None | PublishFault::Chatty | PublishFault::Lost | PublishFault::Stopped) {
            self.published.insert(publication_key(package, role), content(package));
        }
        if fault == PublishFault::Overtaken {
            self.published.insert(publication_key(package, role), blake3::hash(b"somebody else's"));
        }
        match fault {
            PublishFault::None => Ok(OutputTails::default()),
            PublishFault::Chatty => Ok(OutputTails { stdout: "\u{1}".repeat(20 << 20), stderr: "ü".repeat(10 << 20) }),
            PublishFault::Permanent => Err(Failure::new(FailureClass::Permanent, "it does not compile")),
            PublishFault::Retryable => Err(Failure::new(FailureClass::Retryable, "the registry answered 500")),
            PublishFault::Lost | PublishFault::Unknown | PublishFault::Overtaken | PublishFault::Stopped => {
                Err(Failure::new(FailureClass::Ambiguous, "nobody knows"))
            }
        }
    }

    fn preflight(&mut self, _: &Plan, _: &mut StepContext<'_>) -> Result<(), Failure> {
        if self.ready { Ok(()) } else { Err(Failure::new(FailureClass::Permanent, "it is not committed")) }
    }

    fn verify_build(
        &mut self,
        _: &PlannedPackage,
        role: RegistryRole<'_>,
        _: &mut StepContext<'_>,
    ) -> Result<(), Failure> {
        assert!(matches!(role, RegistryRole::Rehearsal(_)), "what is published for real is not built again");
        match if self.faults.is_empty() { PublishFault::None } else { self.faults.remove(0) } {
            PublishFault::None => Ok(()),
            _ => Err(Failure::new(FailureClass::Permanent, "it does not compile")),
        }
    }

    fn install(&mut self, _: &PlannedPackage, _: RegistryRole<'_>, _: &mut StepContext<'_>) -> Result<(), Failure> {
        match if self.faults.is_empty() { PublishFault::None } else { self.faults.remove(0) } {
            PublishFault::None => Ok(()),
            _ => Err(Failure::new(FailureClass::Permanent, "it does not install")),
        }
    }

    fn describe_command(&self, package: &PlannedPackage, role: RegistryRole<'_>) -> String {
        format!("publish {} on {}", package.id(), role.registry().name)
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
    let package = |name: &str| {
        let files = vec![PlannedFile::new("src/lib.rs", &[source])];
        let mut package = PlannedPackage::new(name, format!("0.{version}.0"), files);
        package.has_program = name == "c";
        package
    };
    Plan::new(registry(LIVE), ["a", "b", "c"].map(package).into()).expect("a plan")
}

pub const LIMITS: Limits = Limits {
    command_timeout: Duration::from_secs(60),
    visibility_timeout: Duration::from_millis(50),
    poll_interval: Duration::from_millis(1),
    max_attempts: 2,
};

pub fn rehearse_options(smoke_install: bool) -> RehearseOptions {
    let mut options = RehearseOptions::new(registry("rehearsal"));
    options.smoke_install = smoke_install.then(|| "c".to_owned());
    options.limits = LIMITS;
    options
}

pub fn publish_options(skip: bool) -> PublishOptions {
    let asker = SkipRequest::new(Some("bot".to_owned()), Some("it is urgent".to_owned()));
    let mut options = PublishOptions::default();
    options.rehearsal = Some(registry("rehearsal"));
    options.skip = skip.then_some(asker);
    options.limits = LIMITS;
    options
}

/// A release tool on an empty state directory.
pub struct ReleaseTool {
    _top: tempfile::TempDir,
    pub state: Utf8PathBuf,
    pub publisher: FakePublisher,
}

impl ReleaseTool {
    pub fn create() -> Self {
        let top = tempfile::tempdir().expect("a directory");
        let state = Utf8PathBuf::try_from(top.path().join("state")).expect("UTF-8");
        create_state_directory(&state).expect("created");
        let publisher = FakePublisher {
            log: state.join(LOG_FILE_NAME),
            published: HashMap::new(),
            faults: Vec::new(),
            lookup_faults: Vec::new(),
            mirror: MirrorMode::None,
            ready: true,
            reached: 0,
            cancel: CancelToken::default(),
        };
        Self { _top: top, state, publisher }
    }

    /// Rehearses, and gives whether it passed.
    pub fn rehearse(&mut self, plan: &Plan, smoke_install: bool, faults: &[PublishFault]) -> bool {
        self.publisher.faults = faults.to_vec();
        let cancel = CancelToken::default();
        self.publisher.cancel = cancel.clone();
        let options = rehearse_options(smoke_install);
        let done = rehearse(FsStorage, &self.state, plan, &options, &mut self.publisher, &cancel, &mut ());
        let rehearsed = done.expect("it is recorded");
        assert_eq!(rehearsed.completed.receipt.passed, rehearsed.failure.is_none());
        rehearsed.completed.receipt.passed
    }

    /// Publishes, and gives whether all of it went well, or why the gate refused.
    pub fn publish(&mut self, plan: &Plan, skip: bool, faults: &[PublishFault]) -> Result<bool, Vec<RefusalCode>> {
        self.publisher.faults = faults.to_vec();
        let cancel = CancelToken::default();
        self.publisher.cancel = cancel.clone();
        let (before, options) = (self.publisher.reached, publish_options(skip));
        match publish(FsStorage, &self.state, plan, &options, &mut self.publisher, &cancel, &mut ()) {
            Ok(published) => Ok(published.failure.is_none()),
            Err(PublishError::Refused { gate, .. }) => {
                assert_eq!(self.publisher.reached, before, "a refusal reaches nothing");
                Err(gate.verdict().reason_codes())
            }
            Err(error) => panic!("{error}"),
        }
    }

    pub fn audit(&self) -> LogAudit {
        let log = std::fs::read(&self.publisher.log).expect("the log");
        audit(&log, SidecarInput::NotRequested, &AuditOptions::default()).expect("no line is demanded")
    }
}
