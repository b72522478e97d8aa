//! Registries in memory that fail on demand, and a release tool that works on them. The live registry is reached only with a
//! permission in the log.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use crate::log_builder::audit;
use camino::Utf8PathBuf;
use shipper_core::audit::{AuditOptions, LogAudit, SidecarInput};
use shipper_core::release::{
    CancelToken, Failure, FailureClass, Limits, OutputTails, Plan, PlannedFile, PlannedPackage, PublishError,
    PublishOptions, PublishedState, Publisher, RateLimit, Registry, RegistryRole, RehearseOptions, StepContext,
    StepTarget, Upload, UploadKind, publish, rehearse,
};
use shipper_core::state_dir::{LOG_FILE_NAME, create_state_directory};
use shipper_core::{RefusalCode, SkipRequest};
use shipper_events::write::FsStorage;

/// Registries in memory, which fail on demand.
pub struct FakePublisher {
    /// The log, which must contain a permission whenever the live registry is reached; `None` for no such check.
    pub log: Option<Utf8PathBuf>,
    /// The content of packages by registry and package.
    pub published: HashMap<(String, String), blake3::Hash>,
    /// The outcomes of the next uploads, builds and installations, in order; then all succeed.
    pub faults: Vec<PublishFault>,
    /// The outcomes of the next lookups, the last first.
    pub lookup_faults: Vec<LookupFault>,
    pub mirror: MirrorMode,
    /// `true` if the preflight check succeeds.
    pub ready: bool,
    /// The number of uploads to the live registry.
    pub reached: usize,
    /// The content of packages that the latest rehearsal built, by package.
    pub built: HashMap<String, blake3::Hash>,
    /// `true` if the live registry must get only content that the latest rehearsal built.
    pub requires_builds: bool,
    pub cancel: CancelToken,
}

impl FakePublisher {
    pub fn new(log: Option<Utf8PathBuf>) -> Self {
        Self {
            log,
            published: HashMap::new(),
            faults: Vec::new(),
            lookup_faults: Vec::new(),
            mirror: MirrorMode::None,
            ready: true,
            reached: 0,
            built: HashMap::new(),
            requires_builds: false,
            cancel: CancelToken::default(),
        }
    }

    fn next_fault(&mut self) -> PublishFault {
        if self.faults.is_empty() { PublishFault::None } else { self.faults.remove(0) }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublishFault {
    /// It succeeds.
    None,
    /// It succeeds, with much output.
    Chatty,
    /// The step is not done, with much output, and another attempt fails too.
    ChattyFailure,
    /// The step is not done, and another attempt fails too.
    Permanent,
    /// The step is not done, and another attempt may succeed.
    Retryable,
    /// The step is not done: the registry limits the rate, and asks to wait that long, or names no time.
    RateLimited(Option<Duration>),
    /// The step is done, and its answer is lost.
    Lost,
    /// The step is not done, and its answer is lost.
    Unknown,
    /// Another publisher uploads other content, and the answer is lost.
    Overtaken,
    /// The caller asks to stop during the step.
    Stopped,
}

impl PublishFault {
    fn failure(self) -> Result<(), Failure> {
        let class = match self {
            Self::None | Self::Chatty => return Ok(()),
            Self::Permanent | Self::ChattyFailure => FailureClass::Permanent,
            Self::Retryable | Self::RateLimited(_) => FailureClass::Retryable,
            Self::Lost | Self::Unknown | Self::Overtaken | Self::Stopped => FailureClass::Ambiguous,
        };
        let little = OutputTails { stdout: "Compiling".to_owned(), stderr: "error\n".to_owned() };
        let tails = if self == Self::ChattyFailure { much_output() } else { little };
        let rate_limit = match self {
            Self::RateLimited(retry_after) => Some(RateLimit { retry_after }),
            _ => None,
        };
        Err(Failure { tails, rate_limit, ..Failure::new(class, "\u{1b} it failed") })
    }
}

fn much_output() -> OutputTails {
    OutputTails { stdout: "\u{1}".repeat(20 << 20), stderr: "ü".repeat(10 << 20) }
}

/// The answer of the registry to a lookup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LookupFault {
    /// It does not answer.
    Unanswered,
    /// It does not show its content yet.
    Hidden,
    /// It shows its content.
    Shown,
    /// Its answer has hostile text.
    Hostile,
}

/// The registry that receives the uploads to the rehearsal registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MirrorMode {
    /// The rehearsal registry itself.
    None,
    /// The live registry, which the rehearsal registry mirrors.
    OfLive,
    /// The rehearsal registry does not give its upload address.
    Silent,
    /// The live registry does not give its upload address.
    LiveSilent,
}

fn publication_key(target: StepTarget<'_>) -> (String, String) {
    (target.role.registry().name.to_string(), target.package.id())
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

    fn lookup(&mut self, target: StepTarget<'_>, _: &mut StepContext<'_>) -> Result<PublishedState, Failure> {
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
        Ok(match self.published.get(&publication_key(target)) {
            None => PublishedState::Absent,
            Some(published) if *published == target.package.content() => PublishedState::SameContent { cksum: None },
            Some(published) => PublishedState::DifferentContent {
                expected: target.package.content().to_string(),
                found: published.to_string(),
            },
        })
    }

    fn upload_kind(&mut self, target: StepTarget<'_>, _: &mut StepContext<'_>) -> Result<Option<UploadKind>, Failure> {
        let published = self.published.contains_key(&publication_key(target));
        Ok(Some(if published { UploadKind::Published } else { UploadKind::NewCrate }))
    }

    fn publish(&mut self, target: StepTarget<'_>, _: &mut StepContext<'_>) -> Result<Upload, Failure> {
        if let RegistryRole::Live(_) = target.role {
            self.reached += 1;
            let permitted = self.log.as_ref().is_none_or(|log| ends_in_permitted_run(log.as_std_path()));
            assert!(permitted, "the live registry is reached without a permission in the log");
            let (id, content) = (target.package.id(), target.package.content());
            let was_built = self.built.get(&id) == Some(&content);
            assert!(was_built || !self.requires_builds, "{id} is uploaded, but the latest rehearsal did not build it");
        } else {
            self.built.insert(target.package.id(), target.package.content());
        }
        let fault = self.next_fault();
        match fault {
            PublishFault::Permanent
            | PublishFault::ChattyFailure
            | PublishFault::Retryable
            | PublishFault::RateLimited(_)
            | PublishFault::Unknown => None,
            PublishFault::Overtaken => self.published.insert(publication_key(target), blake3::hash(b"another content")),
            _ => self.published.insert(publication_key(target), target.package.content()),
        };
        if fault == PublishFault::Stopped {
            self.cancel.cancel();
        }
        fault.failure()?;
        let little = OutputTails { stdout: "Uploaded".to_owned(), stderr: String::new() };
        let tails = if fault == PublishFault::Chatty { much_output() } else { little };
        Ok(Upload { tails, ..Upload::default() })
    }

    fn publish_without_build(
        &mut self,
        target: StepTarget<'_>,
        context: &mut StepContext<'_>,
    ) -> Result<Upload, Failure> {
        assert!(matches!(target.role, RegistryRole::Rehearsal(_)), "a publish has no other upload");
        let built = self.built.clone();
        let upload = self.publish(target, context);
        self.built = built;
        upload
    }

    fn preflight(&mut self, _: &Plan, _: &mut StepContext<'_>) -> Result<(), Failure> {
        if self.ready { Ok(()) } else { Err(Failure::new(FailureClass::Permanent, "it is not committed")) }
    }

    fn verify_build(&mut self, target: StepTarget<'_>, _: &mut StepContext<'_>) -> Result<(), Failure> {
        assert!(matches!(target.role, RegistryRole::Rehearsal(_)), "a publish does not build again");
        self.next_fault().failure()?;
        self.built.insert(target.package.id(), target.package.content());
        Ok(())
    }

    fn install(&mut self, _: StepTarget<'_>, _: &mut StepContext<'_>) -> Result<(), Failure> {
        self.next_fault().failure()
    }

    fn describe_command(&self, package: &PlannedPackage, live: &Registry) -> String {
        format!("upload {} to {}", package.id(), live.name)
    }
}

pub const LIVE: &str = "live";

/// Returns `true` if the log on the disk ends in an open run that names a permission for its plan.
pub fn ends_in_permitted_run(log: &Path) -> bool {
    let log = std::fs::read(log).unwrap_or_default();
    let audited = audit(&log, SidecarInput::NotRequested, &AuditOptions::default()).expect("no line is demanded");
    let taken = audited.decisions.iter().rfind(|decision| !decision.runs.is_empty());
    taken.is_some_and(|decision| {
        let permitted = decision.recorded.as_ref().is_some_and(|recorded| recorded.verdict != "refused");
        let open = decision.runs.last().is_some_and(|run| run.finished.is_none());
        permitted && open && decision.runs.iter().all(|run| run.line > decision.line)
    })
}

pub fn registry(name: &str) -> Registry {
    Registry { name: name.parse().expect("a name"), index: format!("sparse+https://{name}.example/index/") }
}

/// Returns a plan of three packages. `source` determines their content, `version` their version.
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

/// The same for registries that show each package at once. No test fails on a busy machine.
pub const PATIENT: Limits = Limits { visibility_timeout: Duration::from_secs(60), ..LIMITS };

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
        let publisher = FakePublisher::new(Some(state.join(LOG_FILE_NAME)));
        Self { _top: top, state, publisher }
    }

    /// Rehearses, and returns `true` if it passed.
    pub fn rehearse(&mut self, plan: &Plan, smoke_install: bool, faults: &[PublishFault]) -> bool {
        self.publisher.faults = faults.to_vec();
        self.publisher.built.clear();
        let cancel = CancelToken::default();
        self.publisher.cancel = cancel.clone();
        let options = rehearse_options(smoke_install);
        let done = rehearse(FsStorage, &self.state, plan, &options, &mut self.publisher, &cancel, &mut ());
        done.expect("it is recorded").receipt.passed
    }

    /// Publishes. Returns `true` if every package was published, or the reasons of the gate's refusal.
    pub fn publish(&mut self, plan: &Plan, skip: bool, faults: &[PublishFault]) -> Result<bool, Vec<RefusalCode>> {
        self.publisher.faults = faults.to_vec();
        let cancel = CancelToken::default();
        self.publisher.cancel = cancel.clone();
        self.publisher.requires_builds = !skip;
        let (before, options) = (self.publisher.reached, publish_options(skip));
        match publish(FsStorage, &self.state, plan, &options, &mut self.publisher, &cancel, &mut ()) {
            Ok(published) => Ok(published.failure.is_none()),
            Err(PublishError::Refused(gate)) => {
                assert_eq!(self.publisher.reached, before, "a refused publish does not reach the registry");
                Err(gate.verdict().reason_codes())
            }
            Err(error) => panic!("{error}"),
        }
    }

    pub fn log(&self) -> Utf8PathBuf {
        self.state.join(LOG_FILE_NAME)
    }

    /// The text of the log.
    pub fn log_text(&self) -> String {
        std::fs::read_to_string(self.log()).expect("the log")
    }

    pub fn audit(&self) -> LogAudit {
        audit(self.log_text().as_bytes(), SidecarInput::NotRequested, &AuditOptions::default())
            .expect("no line is demanded")
    }
}
