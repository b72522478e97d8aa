//! Asking the gate: a decision that counts is an event before anybody learns of it.
//!
//! The order of steps, none of which may be left out or moved:
//!
//! 1. **Open** the log under its lock. A torn tail is refused, not repaired: the bytes may be a lost failure.
//! 2. **Verify** it while reading it: every line, the chain, every recorded head, and the head that the caller kept.
//! 3. **Fold** its events. The sidecar is never looked at for the verdict: whoever can write it can make it fit.
//! 4. **Evaluate** the question.
//! 5. **Record** question, verdict and basis as `gate_evaluated`, on stable storage.
//! 6. **Answer.** Only now does the caller learn the verdict.
//! 7. Look at the sidecar, report whether it told of the receipt, and write it anew from the fold if it did not.
//!
//! Steps 4 and 5 run under the lock, after what others appended since step 1 was verified and folded too: between the
//! basis and the decision there is nothing.

use camino::Utf8Path;
use shipper_events::vocabulary::{DecisionRecord, GateEvaluated, RULES_VERSION};
use shipper_events::write::{AppendError, LockOptions, LogError, LogWriter, NewEvent, Storage, WriterOptions};
use shipper_events::{EventType, Head};
use thiserror::Error;

use crate::folded::GateProjection;
use crate::gate::{GateQuery, RefusalReason, Verdict, evaluate};
use crate::keep::{LOG_FILE_NAME, SIDECAR_FILE_NAME, WriteSidecarError, sidecar_matches, write_sidecar};

/// Who asks the gate to be skipped, and why. It is recorded, and an audit shows it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SkipRequest {
    /// Who asks.
    pub actor: Option<String>,
    /// Why.
    pub justification: Option<String>,
}

/// The gate's answer, after it was recorded.
#[derive(Debug)]
pub struct Enforced {
    /// The verdict.
    pub verdict: Verdict,
    /// The head of the log after the decision: keep it elsewhere. `None` where the log is not trusted: then nothing was
    /// recorded.
    pub head: Option<Head>,
    /// The line of the decision, for the `gate` member of the run that acts on it.
    pub line: Option<u64>,
    /// Why the log is not trusted.
    pub untrusted: Option<UntrustedReason>,
    /// What became of the sidecar.
    pub sidecar: SidecarUpdate,
}

/// Why a log is not trusted with a decision. Each says what to do.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum UntrustedReason {
    /// It is torn, corrupt, broken, or was replaced.
    #[error(transparent)]
    Log(LogError),
    /// It does not extend the head that the caller kept.
    #[error(
        "the log does not begin with the bytes of the kept head {kept}; compare it with a copy, and find out who changed it"
    )]
    NotExtended {
        /// That head.
        kept: Head,
    },
}

/// What became of the sidecar when the gate was asked.
#[derive(Debug)]
pub enum SidecarUpdate {
    /// There is none and nothing that it could tell of, or the log is not trusted.
    Skipped,
    /// It is there, and no rehearsal in the log was completed: do not trust it.
    Orphan,
    /// It told of the receipt.
    UpToDate,
    /// It did not, or was not there, and was written anew from the fold.
    Rewritten,
    /// It did not, and could not be written.
    WriteFailed(WriteSidecarError),
}

/// The gate could not be asked, or its answer not be recorded. Nothing may be published.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AskGateError {
    /// The log could not be opened or read.
    #[error("the gate could not be asked")]
    Log(#[source] LogError),
    /// A skip was asked for, and nobody says who asks or why.
    #[error("a skip says who asks for it and why; give both")]
    SkipWithoutReason,
    /// The decision was not acknowledged.
    #[error("the decision could not be recorded")]
    RecordFailed(#[source] AppendError),
}

/// Asks the gate about a plan, records the decision, and only then answers.
///
/// # Errors
///
/// When the log cannot be read, or the decision cannot be recorded. A log that is not trusted is no error but a refusal,
/// [`RefusalReason::UntrustedLog`].
///
/// ```
/// use shipper_core::{GateQuery, RefusalCode, ask_gate};
/// use shipper_events::write::{LockOptions, FsStorage};
/// # let directory = tempfile::tempdir()?;
/// # let state = camino::Utf8PathBuf::try_from(directory.path().to_owned())?;
/// let query = GateQuery { plan_id: "p".parse()?, rehearsal_registry: Some("rehearsal".parse()?), skip: false };
/// let answer = ask_gate(FsStorage, &state, &query, &Default::default(), None, LockOptions::default())?;
/// assert_eq!(answer.verdict.reason_codes(), [RefusalCode::NoRehearsal]);
/// assert_eq!(answer.line, Some(1), "the refusal is recorded");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn ask_gate<D: Storage>(
    disk: D,
    state_directory: &Utf8Path,
    query: &GateQuery,
    asker: &SkipRequest,
    extends: Option<Head>,
    lock: LockOptions,
) -> Result<Enforced, AskGateError> {
    let said = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.trim().is_empty());
    if query.skip && !(said(&asker.actor) && said(&asker.justification)) {
        return Err(AskGateError::SkipWithoutReason);
    }
    let options = WriterOptions::new(lock).expected_head(extends);
    let mut log = match LogWriter::open(disk, &state_directory.join(LOG_FILE_NAME), options, GateProjection::default())
    {
        Ok(log) => log,
        Err(error) => return refuse(error),
    };
    let mut verdict = None;
    let recorded = log.append_with(|folded, basis| {
        let answer = evaluate(folded.state(), query);
        let draft = record(query, asker, &answer, basis);
        verdict = Some(answer);
        vec![draft]
    });
    let head = match recorded {
        Ok(head) => head,
        Err(AppendError::Log(error)) => return refuse(error),
        Err(error) => return Err(AskGateError::RecordFailed(error)),
    };
    let folded = log.projection();
    let sidecar = match (folded.state().receipt(), folded.receipt_head()) {
        (Some(receipt), Some(at)) if sidecar_matches(log.storage(), state_directory, receipt, at) => {
            SidecarUpdate::UpToDate
        }
        (Some(receipt), Some(at)) => match write_sidecar(log.storage(), state_directory, receipt, at) {
            Ok(()) => SidecarUpdate::Rewritten,
            Err(error) => SidecarUpdate::WriteFailed(error),
        },
        _ if log.storage().open(&state_directory.join(SIDECAR_FILE_NAME)).is_ok() => SidecarUpdate::Orphan,
        _ => SidecarUpdate::Skipped,
    };
    let verdict = verdict.unwrap_or(Verdict::Refused { reasons: vec![RefusalReason::UntrustedLog] });
    Ok(Enforced { verdict, head: Some(head), line: Some(head.lines), untrusted: None, sidecar })
}

/// A log that is not trusted refuses; one that cannot be had at all is an error.
fn refuse(error: LogError) -> Result<Enforced, AskGateError> {
    match error {
        LogError::NotExtended { kept, .. } => Ok(untrusted(UntrustedReason::NotExtended { kept })),
        LogError::Corrupt { .. }
        | LogError::Broken { .. }
        | LogError::TornTail { .. }
        | LogError::RepairInterrupted { .. }
        | LogError::ConcurrentWriter { .. }
        | LogError::SyncFailed { .. }
        | LogError::FileReplaced { .. } => Ok(untrusted(UntrustedReason::Log(error))),
        error => Err(AskGateError::Log(error)),
    }
}

fn untrusted(why: UntrustedReason) -> Enforced {
    Enforced {
        verdict: Verdict::Refused { reasons: vec![RefusalReason::UntrustedLog] },
        head: None,
        line: None,
        untrusted: Some(why),
        sidecar: SidecarUpdate::Skipped,
    }
}

fn record(query: &GateQuery, asker: &SkipRequest, verdict: &Verdict, basis: &Head) -> NewEvent {
    let evaluated = GateEvaluated {
        rules: RULES_VERSION.into(),
        plan_id: query.plan_id.clone(),
        details: Some(DecisionRecord {
            rehearsal_registry: query.rehearsal_registry.clone(),
            skip: query.skip,
            actor: asker.actor.clone(),
            justification: asker.justification.clone(),
            verdict: verdict.code().as_str().to_owned(),
            reasons: verdict.reason_codes().into_iter().map(|code| code.as_str().to_owned()).collect(),
            basis: (*basis).into(),
            others: Default::default(),
        }),
        others: Default::default(),
    };
    NewEvent::new(EventType::from(evaluated), "all")
}
