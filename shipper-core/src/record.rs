//! Recording a rehearsal: every step an event before it counts, and the sidecar after the last.
//!
//! The types follow the rehearsal: only a [`RehearsalRecorder`] that was opened starts one, only one that was started can be
//! completed, and completing uses it up. One that is dropped half-way writes nothing more: it stays visibly unfinished.

use camino::{Utf8Path, Utf8PathBuf};
use shipper_events::vocabulary::{
    PackageOutput, RegistryPolicy, RegistryPolicyApplied, RehearsalComplete, RehearsalPackageFailed,
    RehearsalPackagePublished, RehearsalSmokeCheckFailed, RehearsalSmokeCheckStarted, RehearsalSmokeCheckSucceeded,
    RehearsalStarted,
};
use shipper_events::write::{AppendError, LockOptions, LogError, LogWriter, NewEvent, Storage, WriterOptions};
use shipper_events::{EventType, ExtraMembers, Head, Lenient, PlanId, RegistryName};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;

use crate::folded::GateProjection;
use crate::keep::{LOG_FILE_NAME, WriteSidecarError, write_sidecar};
use crate::receipt::Receipt;

/// A rehearsal cannot be recorded.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RecordError {
    /// Another rehearsal or run is at work on this log.
    #[error("another rehearsal or run is at work on {path} ({holder}); wait until it is done")]
    Busy {
        /// The state directory.
        path: Utf8PathBuf,
        /// The note that it left.
        holder: String,
    },
    /// The lock of those at work cannot be taken.
    #[error("cannot lock {path} for work")]
    Lock {
        /// The state directory.
        path: Utf8PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The log cannot be opened.
    #[error("the log cannot be opened")]
    Log(#[from] LogError),
    /// A step was not acknowledged.
    #[error("the step could not be recorded")]
    NotRecorded(#[from] AppendError),
}

/// Held by the one rehearsal or run that works on a log, from its first event to its last. Dropping it lets the next one
/// work.
pub struct RunLock<D: Storage> {
    _lock: D::Lock,
}

impl<D: Storage> RunLock<D> {
    /// Takes the lock of those who work on the log of a state directory. A [`RehearsalRecorder`] takes it by itself; a run takes it
    /// before its `plan_created`. The note is what others are told.
    ///
    /// # Errors
    ///
    /// At once, when another rehearsal or run is at work.
    pub fn take(disk: &D, state_directory: &Utf8Path, note: &str) -> Result<Self, RecordError> {
        let path = state_directory.to_owned();
        // Two state directories may lead to one log.
        let log = disk.resolve(&path.join(LOG_FILE_NAME));
        let lock = log.and_then(|log| disk.lock(&Utf8PathBuf::from(format!("{log}.work")), Duration::ZERO, note));
        let lock = lock.map_err(|source| match source.kind() {
            io::ErrorKind::WouldBlock => RecordError::Busy { path, holder: source.to_string() },
            _ => RecordError::Lock { path, source },
        })?;
        Ok(Self { _lock: lock })
    }
}

/// A log that is open for a rehearsal. No other rehearsal or run works on it meanwhile.
pub struct RehearsalRecorder<D: Storage> {
    log: LogWriter<GateProjection, D>,
    state_directory: Utf8PathBuf,
    _at_work: RunLock<D>,
}

/// A rehearsal that was started and not completed.
#[must_use = "a rehearsal that is dropped stays unfinished"]
pub struct OpenRehearsal<'r, D: Storage> {
    recorder: &'r mut RehearsalRecorder<D>,
    plan_id: PlanId,
    registry: RegistryName,
}

/// What a completed rehearsal left.
#[derive(Debug)]
pub struct CompletedRehearsal {
    /// The receipt, as the fold makes it: what was recorded may not bear out that it passed.
    pub receipt: Arc<Receipt>,
    /// The head of the log up to the completion.
    pub head: Head,
    /// Why the sidecar is not written, if so. The event stands all the same.
    pub sidecar: Option<WriteSidecarError>,
}

impl<D: Storage + Clone> RehearsalRecorder<D> {
    /// Opens the log of a state directory for a rehearsal, and repairs a torn tail.
    ///
    /// # Errors
    ///
    /// When another rehearsal or run is at work, or the log cannot be opened.
    pub fn open(disk: D, state_directory: &Utf8Path, lock: LockOptions) -> Result<Self, RecordError> {
        let at_work = RunLock::take(&disk, state_directory, &lock.holder_note)?;
        let options = WriterOptions::new(lock).repair_torn_tail(true);
        let log = LogWriter::open(disk, &state_directory.join(LOG_FILE_NAME), options, GateProjection::default())?;
        Ok(Self { log, state_directory: state_directory.to_owned(), _at_work: at_work })
    }

    /// Starts the rehearsal of a plan on a registry.
    ///
    /// # Errors
    ///
    /// When the start is not acknowledged: rehearse nothing then.
    pub fn start(
        &mut self,
        plan_id: PlanId,
        registry: RegistryName,
        package_count: u64,
    ) -> Result<OpenRehearsal<'_, D>, RecordError> {
        let event = RehearsalStarted {
            registry: registry.clone(),
            plan_id: plan_id.clone(),
            package_count: package_count.into(),
            others: ExtraMembers::default(),
        };
        self.log.append(&[NewEvent::new(event, "all")])?;
        Ok(OpenRehearsal { recorder: self, plan_id, registry })
    }
}

impl<D: Storage> OpenRehearsal<'_, D> {
    /// A package is on the rehearsal registry.
    ///
    /// # Errors
    ///
    /// When it is not acknowledged.
    pub fn published(&mut self, name: &str, version: &str, took: Duration) -> Result<(), RecordError> {
        let took = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let event = RehearsalPackagePublished {
            name: name.to_owned(),
            version: version.to_owned(),
            duration_ms: Lenient::Typed(took.into()),
            others: ExtraMembers::default(),
        };
        self.append(event, format!("{name}@{version}"))
    }

    /// What a command printed last, if it printed anything; of much, the end.
    ///
    /// # Errors
    ///
    /// When it is not acknowledged.
    pub fn output(&mut self, name: &str, version: &str, stdout: &str, stderr: &str) -> Result<(), RecordError> {
        if stdout.is_empty() && stderr.is_empty() {
            return Ok(());
        }
        self.append(package_output(stdout, stderr), format!("{name}@{version}"))
    }

    /// A package could not be rehearsed.
    ///
    /// # Errors
    ///
    /// When it is not acknowledged.
    pub fn failed(&mut self, name: &str, version: &str, class: &str, message: &str) -> Result<(), RecordError> {
        let event = RehearsalPackageFailed {
            name: name.to_owned().into(),
            version: version.to_owned().into(),
            class: class.to_owned().into(),
            message: message.to_owned().into(),
            others: ExtraMembers::default(),
        };
        self.append(event, format!("{name}@{version}"))
    }

    /// The hosts that the rehearsal talks to, where they are known: that of the registry's index, and that of what it takes
    /// uploads and their tokens with. An audit compares them with those of the run.
    ///
    /// # Errors
    ///
    /// When it is not acknowledged.
    pub fn policy_applied(&mut self, index: Option<&str>, credentials: Option<&str>) -> Result<(), RecordError> {
        self.append(policy_applied(index, credentials), "all".to_owned())
    }

    /// A rehearsed package is being installed.
    ///
    /// # Errors
    ///
    /// When it is not acknowledged.
    pub fn smoke_check_started(&mut self, name: &str, version: &str) -> Result<(), RecordError> {
        let event = RehearsalSmokeCheckStarted {
            name: name.to_owned().into(),
            version: version.to_owned().into(),
            registry: self.registry.as_str().to_owned().into(),
            others: ExtraMembers::default(),
        };
        self.append(event, format!("{name}@{version}"))
    }

    /// A rehearsed package could be installed.
    ///
    /// # Errors
    ///
    /// When it is not acknowledged.
    pub fn smoke_check_succeeded(&mut self, name: &str, version: &str, took: Duration) -> Result<(), RecordError> {
        let took = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let event = RehearsalSmokeCheckSucceeded {
            name: name.to_owned().into(),
            version: version.to_owned().into(),
            duration_ms: Lenient::Typed(took.into()),
            others: ExtraMembers::default(),
        };
        self.append(event, format!("{name}@{version}"))
    }

    /// A rehearsed package could not be installed.
    ///
    /// # Errors
    ///
    /// When it is not acknowledged.
    pub fn smoke_check_failed(&mut self, name: &str, version: &str, message: &str) -> Result<(), RecordError> {
        let event = RehearsalSmokeCheckFailed {
            name: name.to_owned().into(),
            version: version.to_owned().into(),
            message: message.to_owned().into(),
            others: ExtraMembers::default(),
        };
        self.append(event, format!("{name}@{version}"))
    }

    /// The rehearsal is over. The sidecar is written once the event is durable; that it cannot be written is told, and
    /// the event stands.
    ///
    /// # Errors
    ///
    /// When the completion is not acknowledged: the rehearsal then counts as unfinished.
    pub fn complete(self, passed: bool, summary: &str) -> Result<CompletedRehearsal, RecordError> {
        let event = RehearsalComplete {
            passed,
            registry: self.registry,
            plan_id: self.plan_id,
            summary: summary.to_owned(),
            others: ExtraMembers::default(),
        };
        let RehearsalRecorder { log, state_directory, .. } = self.recorder;
        let head = log.append(&[NewEvent::new(event, "all")])?;
        let Some(receipt) = log.projection().state().receipt().cloned() else {
            // A completion always makes a receipt.
            return Err(AppendError::Empty.into());
        };
        let sidecar = write_sidecar(log.storage(), state_directory, &receipt, head).err();
        Ok(CompletedRehearsal { receipt, head, sidecar })
    }

    fn append(&mut self, event: impl Into<EventType>, package: String) -> Result<(), RecordError> {
        self.recorder.log.append(&[NewEvent::new(event, package)])?;
        Ok(())
    }
}

/// How much of an output is recorded, in bytes: far less than fits into a line, however it is escaped.
const TAIL: usize = 64 * 1024;

/// What a command printed last.
pub(crate) fn package_output(stdout: &str, stderr: &str) -> PackageOutput {
    let tail = |text: &str| {
        let start = (text.len().saturating_sub(TAIL)..=text.len()).find(|start| text.is_char_boundary(*start));
        Lenient::Typed(start.and_then(|start| text.get(start..)).unwrap_or_default().to_owned())
    };
    PackageOutput { stdout_tail: tail(stdout), stderr_tail: tail(stderr), others: ExtraMembers::default() }
}

/// The hosts of a registry's index, and of what it takes uploads and their tokens with: an audit compares those of a run
/// with those of its rehearsal.
pub(crate) fn policy_applied(index: Option<&str>, credentials: Option<&str>) -> RegistryPolicyApplied {
    let host = |host: Option<&str>| host.map_or(Lenient::Absent, |host| Lenient::Typed(host.to_owned()));
    let evidence = RegistryPolicy {
        posture: Lenient::Absent,
        allow_private: Lenient::Absent,
        allow_loopback: Lenient::Absent,
        credential_authority: host(credentials),
        index_authority: host(index),
        others: ExtraMembers::default(),
    };
    RegistryPolicyApplied { evidence: Lenient::Typed(evidence), others: ExtraMembers::default() }
}
