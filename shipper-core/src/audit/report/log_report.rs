//! The report on one or more logs.

use std::collections::{BTreeSet, HashSet};

use serde::{Deserialize, Serialize};

use super::finding::{FindingCode, Level};
use super::log_audit::{Conclusion, LogAudit};
use crate::audit::acceptance::accepted_causes;
use crate::audit::accepted_cause::AcceptedCause;
use crate::audit::options::{AuditOptions, RequiredVerdict};
use crate::audit::sealed::unsealed_cause;
use crate::gate::VerdictKind;
use crate::words::word_enums;

/// Report on one or more logs: the conclusion about all, and the result of each.
///
/// ```
/// use shipper_core::audit::{AuditOptions, LogReport, Report, SidecarInput, audit_reader};
/// let options = AuditOptions::default();
/// let log = LogReport::audited("events.jsonl", audit_reader(&b""[..], SidecarInput::NotRequested, &options)?);
/// let report = Report::new(options, vec![log]);
/// assert_eq!(report.exit_code, 3, "an empty log proves nothing");
/// let json = serde_json::to_string(&report)?;
/// assert_eq!(serde_json::from_str::<Report>(&json)?, report);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Report {
    /// The schema of its JSON form.
    pub schema: Schema,
    /// The conclusion about all logs.
    pub conclusion: Conclusion,
    /// The exit status, 0 to 3: the conclusion's, unless the options [require](AuditOptions::require) a verdict or
    /// a [sealed](AuditOptions::require_sealed) log.
    pub exit_code: u8,
    /// The options of the audits.
    pub demand: AuditOptions,
    /// The result of each log.
    pub logs: Vec<LogReport>,
}

word_enums! {
    /// The schema of a [`Report`], the only one that this version writes and reads: another one is an error.
    #[derive(Default)]
    pub enum Schema {
        /// Version 1.
        #[default]
        V1 = "shipper.replay.v1",
    }
}

/// Result of the audit of one log, or the reason why it was not audited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "LogReportJson")]
#[non_exhaustive]
pub struct LogReport {
    /// The path of the log, as the caller gave it.
    pub path: String,
    /// The conclusion about it.
    pub conclusion: Conclusion,
    /// The reason why it was not audited. `None` if `audit` is `Some`.
    pub error: Option<UnauditedReason>,
    /// True if the options acknowledge it as an earlier log that was dealt with. It then does not decide the exit status.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub acknowledged: bool,
    /// The result of its audit. `None` if it was not audited.
    #[serde(flatten)]
    pub audit: Option<LogAudit>,
}

/// The reason why a log was not audited. Its JSON form is a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum UnauditedReason {
    /// The path is a directory without a log.
    NoLogs,
    /// The log cannot be read, with the cause.
    Unreadable(String),
}

impl UnauditedReason {
    /// Returns the text in the JSON report.
    pub fn as_str(&self) -> &str {
        match self {
            Self::NoLogs => "no events.jsonl below this directory (links to directories are not followed)",
            Self::Unreadable(cause) => cause,
        }
    }

    /// Returns the conclusion about a log that was not audited for this reason.
    fn conclusion(&self) -> Conclusion {
        match self {
            Self::NoLogs => Conclusion::Inconclusive,
            Self::Unreadable(_) => Conclusion::Unjudged,
        }
    }
}

impl From<UnauditedReason> for String {
    fn from(reason: UnauditedReason) -> Self {
        reason.as_str().to_owned()
    }
}

/// Reads the JSON form, in which [`UnauditedReason::NoLogs`] is a fixed text.
impl From<String> for UnauditedReason {
    fn from(text: String) -> Self {
        if text == Self::NoLogs.as_str() { Self::NoLogs } else { Self::Unreadable(text) }
    }
}

#[derive(Deserialize)]
struct LogReportJson {
    path: String,
    conclusion: Conclusion,
    error: Option<UnauditedReason>,
    #[serde(default)]
    acknowledged: bool,
    #[serde(flatten)]
    audit: Option<LogAudit>,
}

impl TryFrom<LogReportJson> for LogReport {
    type Error = &'static str;

    fn try_from(json: LogReportJson) -> Result<Self, &'static str> {
        if json.audit.is_some() == json.error.is_some() {
            return Err("expected either an error or every member of an audit");
        }
        let LogReportJson { path, conclusion, error, acknowledged, audit } = json;
        Ok(Self { path, conclusion, error, acknowledged, audit })
    }
}

impl LogReport {
    /// Returns the report on a log that was audited.
    pub fn audited(path: impl Into<String>, audit: LogAudit) -> Self {
        let conclusion = audit.conclusion();
        Self { path: path.into(), conclusion, error: None, acknowledged: false, audit: Some(audit) }
    }

    /// Returns the report on a log that was not audited.
    pub fn unaudited(path: impl Into<String>, reason: UnauditedReason) -> Self {
        let conclusion = reason.conclusion();
        Self { path: path.into(), conclusion, error: Some(reason), acknowledged: false, audit: None }
    }

    /// Returns the report on a log that cannot be read.
    pub fn unreadable(path: impl Into<String>, cause: impl Into<String>) -> Self {
        Self::unaudited(path, UnauditedReason::Unreadable(cause.into()))
    }

    /// Returns the head of the earlier log that this one continues. `None` if it continues none.
    pub fn continues(&self) -> Option<&str> {
        self.audit.as_ref()?.continues.as_deref()
    }

    /// Marks the log if the options [acknowledge](AuditOptions::acknowledge_earlier) it as an earlier log.
    pub fn acknowledge(&mut self, options: &AuditOptions) {
        let head = options.acknowledge_earlier.map(|head| head.to_string());
        self.acknowledged = head.is_some() && self.audit.as_ref().map(LogAudit::head) == head;
    }

    /// Lowers the finding about the earlier log to a note, because that log was audited in the same call.
    pub fn resolve_earlier_log(&mut self) {
        if let Some(audit) = &mut self.audit {
            let findings = audit.findings.iter_mut();
            let earlier = findings.filter(|finding| finding.code == FindingCode::ContinuesEarlierLog);
            earlier.for_each(|finding| finding.level = Level::Note);
            self.conclusion = audit.conclusion();
        }
    }

    /// Returns the conclusion that follows from the other members.
    pub fn recompute_conclusion(&self) -> Conclusion {
        match (&self.audit, &self.error) {
            (Some(audit), _) => audit.conclusion(),
            (None, Some(reason)) => reason.conclusion(),
            (None, None) => Conclusion::Unjudged,
        }
    }

    /// Returns the causes for which the log is inconclusive, if the options [accept](AuditOptions::accept) all of them;
    /// otherwise `None`. Its exit status is then 0.
    pub fn accepted_causes(&self, options: &AuditOptions) -> Option<BTreeSet<AcceptedCause>> {
        let audit = self.audit.as_ref()?;
        accepted_causes(audit, options)
    }

    /// Returns the conclusion that decides the exit status: its own, unless the options require a verdict of the gate.
    /// If they require a sealed log, one that is not sealed counts as violated.
    pub(in crate::audit) fn exit_conclusion(&self, options: &AuditOptions) -> Conclusion {
        let is_unsealed = |audit: &LogAudit| options.require_sealed && unsealed_cause(audit, options).is_some();
        if self.audit.as_ref().is_some_and(is_unsealed) {
            return Conclusion::Violated;
        }
        match (options.require, &self.audit) {
            (None, _) if self.accepted_causes(options).is_some() => Conclusion::Verified,
            (None, _) => self.conclusion,
            (Some(RequiredVerdict::Authorized), None) => Conclusion::Unjudged,
            (Some(RequiredVerdict::Authorized), Some(audit)) => match &audit.gate {
                Some(gate) if gate.verdict == VerdictKind::Authorized => Conclusion::Verified,
                _ => Conclusion::Violated,
            },
        }
    }
}

impl Report {
    /// Returns the report on some logs. A log that continues another one of them is then not in doubt.
    pub fn new(options: AuditOptions, mut logs: Vec<LogReport>) -> Self {
        logs.iter_mut().for_each(|log| log.acknowledge(&options));
        if logs.iter().any(|log| log.continues().is_some()) {
            let heads: HashSet<String> = logs.iter().filter_map(|log| log.audit.as_ref()).map(LogAudit::head).collect();
            let continuing = logs.iter_mut().filter(|log| log.continues().is_some_and(|head| heads.contains(head)));
            continuing.for_each(LogReport::resolve_earlier_log);
        }
        let conclusion = Conclusion::combine(logs.iter().map(|log| log.conclusion));
        let all_acknowledged = logs.iter().all(|log| log.acknowledged);
        let deciding = logs.iter().filter(|log| all_acknowledged || !log.acknowledged);
        let exit_code = Conclusion::combine(deciding.map(|log| log.exit_conclusion(&options))).exit_code();
        Self { schema: Schema::V1, conclusion, exit_code, demand: options, logs }
    }
}
