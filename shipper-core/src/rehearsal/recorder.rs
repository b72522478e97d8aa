//! The recorder of a rehearsal. Only a started rehearsal can be completed, and completing consumes it. A rehearsal that
//! is dropped before its completion records nothing more and stays unfinished.

use std::sync::Arc;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use shipper_events::event::{
    GitCommit, Lenient, PackageOutput, RehearsalComplete, RehearsalPackageFailed, RehearsalPackagePublished,
    RehearsalSmokeCheckFailed, RehearsalSmokeCheckStarted, RehearsalSmokeCheckSucceeded, RehearsalStarted,
};
use shipper_events::write::{AccessRisk, AppendError, LogError, LogWriter, NewEvent, Storage};
use shipper_events::{EventType, Head, PlanId, RegistryName, display_safe};
use thiserror::Error;

use crate::fold::{GateProjection, Receipt, is_reserved_event_type};
use crate::rehearsal::registry_policy::policy_applied;
use crate::rehearsal::run_lock::{RunLock, RunLockError};
use crate::sidecar::{WriteSidecarError, write_sidecar};
use crate::state_dir::{LOG_FILE_NAME, StateOptions};

/// Longest output that is recorded, in bytes. It fits into a line even if every byte is escaped.
const MAX_OUTPUT_TAIL: usize = 64 * 1024;

/// The error for a rehearsal that cannot be recorded.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The run lock cannot be taken.
    #[error(transparent)]
    RunLock(#[from] RunLockError),
    /// The log cannot be opened.
    #[error("cannot open the log")]
    Log(#[from] LogError),
    /// The log writer did not acknowledge a step.
    #[error("cannot record the step")]
    NotRecorded(#[from] AppendError),
    /// An event of the caller has a type that only the gate and its recorder write.
    #[error("cannot record an event of the type {name}: the gate reads it")]
    ReservedType {
        /// The name of the type, safe to show.
        name: String,
    },
}

/// A log that is open for a rehearsal. Its run lock excludes every other rehearsal and run.
///
/// ```
/// use shipper_core::RehearsalRecorder;
/// use shipper_core::shipper_events::write::{FsStorage, LockOptions};
/// # let directory = tempfile::tempdir()?;
/// # let state = camino::Utf8PathBuf::try_from(directory.path().to_owned())?;
/// let mut recorder = RehearsalRecorder::open(FsStorage, &state, LockOptions::default())?;
/// let mut rehearsal = recorder.start("p".parse()?, "rehearsal".parse()?, 1)?;
/// rehearsal.published("a", "0.1.0", std::time::Duration::from_millis(7))?;
/// let completed = rehearsal.complete(true, "rehearsed 1 package")?;
/// assert!(completed.receipt.is_valid_evidence());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct RehearsalRecorder<S: Storage> {
    log: LogWriter<GateProjection, S>,
    state_directory: Utf8PathBuf,
    _run_lock: RunLock<S>,
}

/// A started rehearsal. Each method records one step. Without [`complete`](Self::complete) it stays unfinished.
///
/// # Errors
///
/// Every method gives [`RecordError::NotRecorded`] if its step is not acknowledged.
#[must_use = "a rehearsal that is dropped stays unfinished"]
pub struct OpenRehearsal<'r, S: Storage> {
    recorder: &'r mut RehearsalRecorder<S>,
    plan_id: PlanId,
    registry: RegistryName,
}

/// The result of a completed rehearsal.
#[derive(Debug)]
#[non_exhaustive]
pub struct CompletedRehearsal {
    /// Receipt of the rehearsal. Its evidence may be unsound.
    pub receipt: Arc<Receipt>,
    /// Head of the log up to the completion.
    pub head: Head,
    /// The ways in which other users can change the log. Empty unless the superuser runs this process.
    pub warnings: Vec<AccessRisk>,
    /// The error of writing the sidecar, which does not affect the recorded completion. `None` if it was written.
    pub sidecar: Option<WriteSidecarError>,
}

impl<S: Storage + Clone> RehearsalRecorder<S> {
    /// Opens the log of a state directory for a rehearsal, and repairs a torn tail. Takes [`StateOptions`] or
    /// [`LockOptions`](shipper_events::write::LockOptions).
    ///
    /// # Errors
    ///
    /// [`RecordError::RunLock`] if the run lock cannot be taken, [`RecordError::Log`] if the log cannot be opened. A log
    /// that the shipper tool writes is [`LogError::NotAdopted`], unless the options adopt it. A log that other users can
    /// change is [`LogError::OthersCanWrite`], unless the options allow that.
    pub fn open(storage: S, state_directory: &Utf8Path, options: impl Into<StateOptions>) -> Result<Self, RecordError> {
        let options = options.into();
        let run_lock = RunLock::take(&storage, state_directory, options.holder_note())?;
        let path = state_directory.join(LOG_FILE_NAME);
        let options = options.writer().repair_torn_tail(true);
        let log = LogWriter::open(storage, &path, options, GateProjection::default())?;
        Ok(Self { log, state_directory: state_directory.to_owned(), _run_lock: run_lock })
    }

    /// Returns the ways in which other users can change the log. Empty unless the superuser runs this process.
    pub fn warnings(&self) -> &[AccessRisk] {
        self.log.warnings()
    }

    /// Starts the rehearsal of a plan on a registry. `package_count` must equal the number of packages published,
    /// otherwise a passing receipt is unsound.
    ///
    /// # Errors
    ///
    /// [`RecordError::NotRecorded`] if the start is not acknowledged. The caller must then rehearse nothing.
    pub fn start(
        &mut self,
        plan_id: PlanId,
        registry: RegistryName,
        package_count: u64,
    ) -> Result<OpenRehearsal<'_, S>, RecordError> {
        self.start_at(plan_id, registry, package_count, None)
    }

    /// Starts a rehearsal as [`start`](Self::start) does, and records the git commit of the workspace; `None` records no
    /// commit.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    pub fn start_at(
        &mut self,
        plan_id: PlanId,
        registry: RegistryName,
        package_count: u64,
        git: Option<GitCommit>,
    ) -> Result<OpenRehearsal<'_, S>, RecordError> {
        let event = RehearsalStarted::new(registry.clone(), plan_id.clone(), package_count);
        let event = event.git(git.map_or(Lenient::Absent, Lenient::Valid));
        self.log.append(&[NewEvent::new(event, "all")])?;
        Ok(OpenRehearsal { recorder: self, plan_id, registry })
    }
}

impl<S: Storage> OpenRehearsal<'_, S> {
    /// Records that a package is on the rehearsal registry. The log has `took` in milliseconds.
    pub fn published(&mut self, name: &str, version: &str, took: Duration) -> Result<(), RecordError> {
        self.append(published_event(name, version, took), name, version)
    }

    /// Records the same, and the hash of the packed files, with which an audit compares the published package:
    /// `docs/log-format.md`, "Content".
    pub fn published_with_content(
        &mut self,
        name: &str,
        version: &str,
        took: Duration,
        content: &str,
    ) -> Result<(), RecordError> {
        self.append(published_event(name, version, took).content(content), name, version)
    }

    /// Records that a package is on the rehearsal registry and was not built, because the live registry has it with the
    /// same content. A run may only skip it.
    pub fn already_published(
        &mut self,
        name: &str,
        version: &str,
        took: Duration,
        content: &str,
    ) -> Result<(), RecordError> {
        let event = published_event(name, version, took).content(content);
        self.append(event.already_published(true), name, version)
    }

    /// Records events of the caller, in one write. They do not change the rehearsal.
    ///
    /// # Errors
    ///
    /// [`RecordError::ReservedType`] for a type whose name begins with `rehearsal_` or `gate_`; then nothing is recorded.
    pub fn record(&mut self, events: &[NewEvent]) -> Result<(), RecordError> {
        let mut names = events.iter().map(|event| event.event_type.name());
        if let Some(name) = names.find(|name| is_reserved_event_type(name)) {
            return Err(RecordError::ReservedType { name: display_safe(name).to_string() });
        }
        self.recorder.log.append(events)?;
        Ok(())
    }

    /// Records the end of the output of a command. Records nothing if there is no output.
    pub fn output(&mut self, name: &str, version: &str, stdout: &str, stderr: &str) -> Result<(), RecordError> {
        if stdout.is_empty() && stderr.is_empty() {
            return Ok(());
        }
        self.append(package_output(stdout, stderr), name, version)
    }

    /// Records that a package could not be rehearsed. `class` is free text; the `release` module records `retryable`,
    /// `permanent` or `ambiguous`.
    pub fn failed(&mut self, name: &str, version: &str, class: &str, message: &str) -> Result<(), RecordError> {
        let event = RehearsalPackageFailed::new().name(name).version(version).class(class).message(message);
        self.append(event, name, version)
    }

    /// Records scheme, host and port of the registry's index, and those of its uploads. `None` is recorded as `unknown`.
    pub fn policy_applied(&mut self, index: Option<&str>, credentials: Option<&str>) -> Result<(), RecordError> {
        self.recorder.log.append(&[NewEvent::new(policy_applied(index, credentials), "all")])?;
        Ok(())
    }

    /// Records the start of the installation of a rehearsed package.
    pub fn smoke_check_started(&mut self, name: &str, version: &str) -> Result<(), RecordError> {
        let registry = self.registry.as_str();
        let event = RehearsalSmokeCheckStarted::new().name(name).version(version).registry(registry);
        self.append(event, name, version)
    }

    /// Records that a rehearsed package was installed. The log has `took` in milliseconds.
    pub fn smoke_check_succeeded(&mut self, name: &str, version: &str, took: Duration) -> Result<(), RecordError> {
        let event = RehearsalSmokeCheckSucceeded::new().name(name).version(version).duration_ms(milliseconds(took));
        self.append(event, name, version)
    }

    /// Records that a rehearsed package could not be installed.
    pub fn smoke_check_failed(&mut self, name: &str, version: &str, message: &str) -> Result<(), RecordError> {
        let event = RehearsalSmokeCheckFailed::new().name(name).version(version).message(message);
        self.append(event, name, version)
    }

    /// Records the completion, and writes the sidecar once the event is durable. If the event is not acknowledged, the
    /// rehearsal counts as unfinished.
    pub fn complete(self, passed: bool, summary: &str) -> Result<CompletedRehearsal, RecordError> {
        let event = RehearsalComplete::new(passed, self.registry, self.plan_id, summary);
        let RehearsalRecorder { log, state_directory, .. } = self.recorder;
        let head = log.append(&[NewEvent::new(event, "all")])?;
        #[expect(clippy::expect_used, reason = "the fold of a log with a completion has a receipt")]
        let receipt = log.projection().state().receipt().cloned().expect("invariant: a completion makes a receipt");
        let sidecar = write_sidecar(log.storage(), state_directory, &receipt, head).err();
        Ok(CompletedRehearsal { receipt, head, warnings: log.warnings().to_vec(), sidecar })
    }

    /// Records an event about a package.
    fn append(&mut self, event: impl Into<EventType>, name: &str, version: &str) -> Result<(), RecordError> {
        self.recorder.log.append(&[NewEvent::new(event, format!("{name}@{version}"))])?;
        Ok(())
    }
}

/// Returns the event with the end of the output of a command.
pub(crate) fn package_output(stdout: &str, stderr: &str) -> PackageOutput {
    let tail = |text: &str| {
        let mut starts = text.len().saturating_sub(MAX_OUTPUT_TAIL)..=text.len();
        starts.find_map(|start| text.get(start..)).unwrap_or_default().to_owned()
    };
    PackageOutput::new().stdout_tail(tail(stdout)).stderr_tail(tail(stderr))
}

fn published_event(name: &str, version: &str, took: Duration) -> RehearsalPackagePublished {
    RehearsalPackagePublished::new(name, version).duration_ms(milliseconds(took))
}

/// Returns a duration in milliseconds, at most `u64::MAX`.
pub(crate) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
