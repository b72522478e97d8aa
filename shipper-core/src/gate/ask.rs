//! Asks the gate: records the decision as an event before it returns the decision to the caller.
//!
//! The steps, none of which may be omitted or moved:
//!
//! 1. **Open** the log under its lock. A torn tail is refused, not repaired: the bytes may be a lost failure.
//! 2. **Verify** it while reading it: every line, the chain, every recorded head, and the head that the caller kept.
//! 3. **Fold** its events. The sidecar has no influence on the verdict: every process that can write it can make it match.
//! 4. **Evaluate** the query.
//! 5. **Record** query, verdict and basis as `gate_evaluated`, on stable storage.
//! 6. **Compare** the sidecar with the receipt and rewrite it if it differs; a failure changes no verdict.
//! 7. **Return** the verdict to the caller.
//!
//! Steps 4 and 5 run under the lock, after the lines that other processes appended since step 1 were verified and folded.

use std::sync::LazyLock;

use camino::Utf8Path;
use shipper_events::event::{DecisionRecord, GateEvaluated, GitCommit, Lenient};
use shipper_events::write::{AccessRisk, AppendError, LogError, LogWriter, NewEvent, Storage};
use shipper_events::{EventType, Head};
use thiserror::Error;

use crate::fold::GateProjection;
use crate::gate::evaluate::{GateQuery, evaluate};
use crate::gate::verdict::{RefusalReason, Verdict};
use crate::sidecar::{WriteSidecarError, sidecar_matches, write_sidecar};
use crate::state_dir::{LOG_FILE_NAME, SIDECAR_FILE_NAME, StateOptions};

/// Values that are recorded with a query. The gate only checks that a skip has an actor and a justification. An audit shows
/// them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct SkipRequest {
    /// Name of the person or program that asks. `None` is recorded as absent.
    pub actor: Option<String>,
    /// Justification of the skip. `None` is recorded as absent.
    pub justification: Option<String>,
    /// The git commit of the workspace. `None` is recorded as absent.
    pub git: Option<GitCommit>,
}

/// The result of [`ask_gate`]: a recorded verdict, or a refusal because the log cannot be trusted.
#[derive(Debug)]
#[non_exhaustive]
pub enum GateAnswer {
    /// The gate evaluated the query, and its decision is recorded.
    #[non_exhaustive]
    Recorded {
        /// The verdict.
        verdict: Verdict,
        /// Head of the log after the decision: keep it elsewhere, and pass it to the next [`ask_gate`].
        head: Head,
        /// Line of the decision, for the `gate` member of the run that acts on it.
        line: u64,
        /// Result of comparing the sidecar with the receipt.
        sidecar: SidecarUpdate,
        /// The ways in which other users can change the log. Empty unless the superuser runs this process.
        warnings: Vec<AccessRisk>,
    },
    /// The log is torn, corrupt, broken or replaced, does not extend the expected head, or an earlier repair or sync
    /// failed. Nothing was recorded, and the verdict is a refusal for [`RefusalReason::UntrustedLog`].
    UntrustedLog(LogError),
}

/// Result of the comparison of the sidecar with the receipt.
#[derive(Debug)]
#[non_exhaustive]
pub enum SidecarUpdate {
    /// There was nothing to compare: no sidecar can be opened, and the log has no completed rehearsal.
    Skipped,
    /// A sidecar exists, but the log has no completed rehearsal: do not trust the sidecar.
    Orphan,
    /// The sidecar matches the receipt.
    UpToDate,
    /// The sidecar was missing or differed. The gate wrote a new one from the fold.
    Rewritten,
    /// The sidecar was missing or differed, and the gate could not write a new one.
    WriteFailed(WriteSidecarError),
}

/// The error of [`ask_gate`]. If it occurs, the caller must not publish.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AskGateError {
    /// The log could not be locked, opened or read, or the options do not permit it: the shipper tool writes it, or other
    /// users can change it.
    #[error("cannot ask the gate")]
    Log(#[source] LogError),
    /// A skip was requested without an actor or without a justification.
    #[error("cannot skip the rehearsal without an actor and a justification")]
    SkipWithoutReason,
    /// The decision was not acknowledged.
    #[error("cannot record the decision")]
    RecordFailed(#[source] AppendError),
}

static UNTRUSTED_LOG: LazyLock<Verdict> =
    LazyLock::new(|| Verdict::Refused { reasons: vec![RefusalReason::UntrustedLog] });

impl GateAnswer {
    /// Returns the verdict.
    pub fn verdict(&self) -> &Verdict {
        match self {
            Self::Recorded { verdict, .. } => verdict,
            Self::UntrustedLog(_) => &UNTRUSTED_LOG,
        }
    }

    /// Returns whether the plan may be published.
    pub fn may_publish(&self) -> bool {
        self.verdict().may_publish()
    }

    /// Returns the head of the log after the decision. `None` if the log cannot be trusted.
    pub fn head(&self) -> Option<Head> {
        match self {
            Self::Recorded { head, .. } => Some(*head),
            Self::UntrustedLog(_) => None,
        }
    }

    /// Returns the ways in which other users can change the log. Empty unless the superuser runs this process.
    pub fn warnings(&self) -> &[AccessRisk] {
        match self {
            Self::Recorded { warnings, .. } => warnings,
            Self::UntrustedLog(_) => &[],
        }
    }

    /// Returns the line of the decision. `None` if the log cannot be trusted.
    pub fn line(&self) -> Option<u64> {
        self.head().map(|head| head.lines)
    }
}

impl SkipRequest {
    /// Creates a request with the name of the person or program that asks, and its justification.
    pub fn new(actor: Option<String>, justification: Option<String>) -> Self {
        Self { actor, justification, git: None }
    }

    /// Records the git commit of the workspace with the query; `None` records no commit.
    #[must_use]
    pub fn with_git(self, git: Option<GitCommit>) -> Self {
        Self { git, ..self }
    }

    fn is_complete(&self) -> bool {
        [&self.actor, &self.justification]
            .into_iter()
            .all(|text| text.as_ref().is_some_and(|text| !text.trim().is_empty()))
    }
}

/// Asks the gate about a plan, and records the decision in the log of a state directory before it returns the verdict.
/// The gate refuses a log that does not begin with the bytes of `expected_head`; `None` accepts any log. Creates a
/// missing log, but no directory. Pass `SkipRequest::default()` if the query does not skip. The options are
/// [`StateOptions`] or [`LockOptions`](shipper_events::write::LockOptions).
///
/// # Errors
///
/// [`AskGateError::Log`] if the log cannot be locked, opened or read. It has [`LogError::NotAdopted`] if the shipper
/// tool writes the log and the options do not adopt it, and [`LogError::OthersCanWrite`] if other users can change it. Such
/// a log is not damaged, so this is no verdict. [`AskGateError::RecordFailed`] if the decision is
/// not acknowledged. [`AskGateError::SkipWithoutReason`] if the query skips without an actor or a justification.
/// A log that cannot be trusted is not an error but a refusal, [`GateAnswer::UntrustedLog`].
///
/// ```
/// use shipper_core::shipper_events::write::{FsStorage, LockOptions};
/// use shipper_core::{GateQuery, RefusalCode, SkipRequest, ask_gate};
/// # let directory = tempfile::tempdir()?;
/// # let state = camino::Utf8PathBuf::try_from(directory.path().to_owned())?;
/// let query = GateQuery::new("p".parse()?, Some("rehearsal".parse()?));
/// let answer = ask_gate(FsStorage, &state, &query, &SkipRequest::default(), None, LockOptions::default())?;
/// assert_eq!(answer.verdict().reason_codes(), [RefusalCode::NoRehearsal]);
/// assert_eq!(answer.line(), Some(1), "the refusal is recorded");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn ask_gate<S: Storage>(
    storage: S,
    state_directory: &Utf8Path,
    query: &GateQuery,
    request: &SkipRequest,
    expected_head: Option<Head>,
    options: impl Into<StateOptions>,
) -> Result<GateAnswer, AskGateError> {
    if query.skip && !request.is_complete() {
        return Err(AskGateError::SkipWithoutReason);
    }
    let path = state_directory.join(LOG_FILE_NAME);
    let options = options.into().writer().expected_head(expected_head);
    let mut log = match LogWriter::open(storage, &path, options, GateProjection::default()) {
        Ok(log) => log,
        Err(error) => return untrusted_or_error(error),
    };
    let mut decided = None;
    let recorded = log.append_with(|gate, basis| {
        let verdict = decided.insert(evaluate(gate.state(), query));
        vec![decision_event(query, request, verdict, basis)]
    });
    let head = match recorded {
        Ok(head) => head,
        Err(AppendError::Log(error)) => return untrusted_or_error(error),
        Err(error) => return Err(AskGateError::RecordFailed(error)),
    };
    #[expect(clippy::expect_used, reason = "an append that succeeds has called its closure")]
    let verdict = decided.expect("invariant: a recorded decision has a verdict");
    let sidecar = update_sidecar(&log, state_directory);
    let warnings = log.warnings().to_vec();
    Ok(GateAnswer::Recorded { verdict, head, line: head.lines, sidecar, warnings })
}

/// Returns the answer about a log that cannot be trusted, and an error about one that cannot be read.
fn untrusted_or_error(error: LogError) -> Result<GateAnswer, AskGateError> {
    match error {
        LogError::NotExtended { .. }
        | LogError::Corrupt { .. }
        | LogError::Broken { .. }
        | LogError::TornTail { .. }
        | LogError::RepairInterrupted { .. }
        | LogError::ConcurrentWriter { .. }
        | LogError::SyncFailed { .. }
        | LogError::FileReplaced { .. } => Ok(GateAnswer::UntrustedLog(error)),
        error => Err(AskGateError::Log(error)),
    }
}

/// Compares the sidecar with the receipt, and writes a new one if it differs (step 6).
fn update_sidecar<S: Storage>(log: &LogWriter<GateProjection, S>, state_directory: &Utf8Path) -> SidecarUpdate {
    let (gate, storage) = (log.projection(), log.storage());
    let Some((receipt, head)) = gate.latest_completion() else {
        let exists = storage.open(&state_directory.join(SIDECAR_FILE_NAME)).is_ok();
        return if exists { SidecarUpdate::Orphan } else { SidecarUpdate::Skipped };
    };
    if sidecar_matches(storage, state_directory, receipt, *head) {
        return SidecarUpdate::UpToDate;
    }
    match write_sidecar(storage, state_directory, receipt, *head) {
        Ok(()) => SidecarUpdate::Rewritten,
        Err(error) => SidecarUpdate::WriteFailed(error),
    }
}

fn decision_event(query: &GateQuery, request: &SkipRequest, verdict: &Verdict, basis: &Head) -> NewEvent {
    let reasons = verdict.reason_codes().into_iter().map(|code| code.as_str().to_owned()).collect();
    let mut details = DecisionRecord::new(verdict.code().as_str(), reasons, *basis);
    details.rehearsal_registry = query.rehearsal_registry.clone();
    details.skip = query.skip;
    details.actor = request.actor.clone();
    details.justification = request.justification.clone();
    details.git = request.git.clone().map_or(Lenient::Absent, Lenient::Valid);
    let evaluated = GateEvaluated::new(query.plan_id.clone(), details);
    NewEvent::new(EventType::from(evaluated), "all")
}
