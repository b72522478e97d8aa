//! The report: one value from which everything that a person or a machine reads is made.
//!
//! Its JSON form is the contract's, byte-identical for the same input and demand: `docs/auditing.md`, "The JSON
//! report".

use serde::{Deserialize, Serialize};
use shipper_events::{PlanId, RegistryName, Timestamp};

use super::conclusion::Conclusion;
use super::decision::Decision;
use super::demand::{AuditOptions, RequiredVerdict};
use super::finding::Finding;
use super::timeline::TimelineEntry;
use crate::fold::{Evidence, EvidenceFlaw, Receipt};
use crate::gate::{GateQuery, RefusalCode, VerdictKind};
use crate::sidecar::FieldDiff;

/// What an audit of some logs concludes, and why.
///
/// ```
/// use shipper_core::audit::{AuditOptions, LogReport, Report, SidecarInput, audit};
/// let log = LogReport::judged("events.jsonl", audit(b"", SidecarInput::NotRequested, &AuditOptions::default())?);
/// let report = Report::new(AuditOptions::default(), vec![log]);
/// assert_eq!(report.exit_code, 3, "an empty log proves nothing");
/// let json = serde_json::to_string(&report)?;
/// assert_eq!(serde_json::from_str::<Report>(&json)?, report);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// What its members mean.
    pub schema: Schema,
    /// The conclusion over all logs.
    pub conclusion: Conclusion,
    /// The exit status of the program: the conclusion's, unless the demand [requires](AuditOptions::require) something.
    pub exit_code: u8,
    /// What was asked.
    pub demand: AuditOptions,
    /// What was found, log by log.
    pub logs: Vec<LogReport>,
}

/// The schema of a [`Report`], the only one that this version writes and reads: reading one of another fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Schema {
    /// `shipper.replay.v1`.
    #[default]
    #[serde(rename = "shipper.replay.v1")]
    V1,
}

/// What was found in one log, or why it could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Wire")]
pub struct LogReport {
    /// Where the log is, as it was given.
    pub path: String,
    /// What is concluded of it.
    pub conclusion: Conclusion,
    /// Why it could not be judged at all.
    pub error: Option<String>,
    /// What was found in it.
    #[serde(flatten)]
    pub audit: Option<LogAudit>,
}

#[derive(Deserialize)]
struct Wire {
    path: String,
    conclusion: Conclusion,
    error: Option<String>,
    #[serde(flatten)]
    audit: Option<LogAudit>,
}

impl TryFrom<Wire> for LogReport {
    type Error = &'static str;

    fn try_from(wire: Wire) -> Result<Self, &'static str> {
        if wire.audit.is_some() == wire.error.is_some() {
            return Err("a log is either judged, with every member of the schema, or it has an error");
        }
        let Wire { path, conclusion, error, audit } = wire;
        Ok(Self { path, conclusion, error, audit })
    }
}

impl LogReport {
    /// The report on a log that was judged.
    pub fn judged(path: impl Into<String>, audit: LogAudit) -> Self {
        Self { path: path.into(), conclusion: audit.conclusion(), error: None, audit: Some(audit) }
    }

    /// The report on a log that could not be judged at all.
    pub fn unreadable(path: impl Into<String>, error: impl Into<String>) -> Self {
        Self { path: path.into(), conclusion: Conclusion::Unjudged, error: Some(error.into()), audit: None }
    }

    /// The report on a directory that holds no log: nothing was checked.
    pub fn no_logs(path: impl Into<String>) -> Self {
        Self {
            conclusion: Conclusion::Inconclusive,
            ..Self::unreadable(path, "no events.jsonl below this directory (links to directories are not followed)")
        }
    }
}

impl LogReport {
    /// What it adds to the exit status: its conclusion, unless the demand requires something.
    pub(super) fn weighs(&self, demand: &AuditOptions) -> Conclusion {
        match demand.require {
            None => self.conclusion,
            Some(RequiredVerdict::Authorized) => self.lets_go(),
        }
    }

    /// Whether the gate at the end would authorize, put as a conclusion: it would, it would refuse, or nobody can say.
    fn lets_go(&self) -> Conclusion {
        match &self.audit {
            None => Conclusion::Unjudged,
            Some(LogAudit { gate: Some(gate), .. }) if gate.verdict == VerdictKind::Authorized => Conclusion::Verified,
            Some(_) => Conclusion::Violated,
        }
    }
}

impl Report {
    /// The report on some logs.
    pub fn new(demand: AuditOptions, logs: Vec<LogReport>) -> Self {
        let conclusion = Conclusion::over(logs.iter().map(|log| log.conclusion));
        let exit_code = Conclusion::over(logs.iter().map(|log| log.weighs(&demand))).exit_code();
        Self { schema: Schema::V1, conclusion, exit_code, demand, logs }
    }
}

/// What was found in one log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogAudit {
    /// Complete lines in what was judged.
    pub lines: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The BLAKE3 of those bytes.
    pub blake3: String,
    /// What can be said of the chain.
    pub integrity: Integrity,
    /// Whether bytes stand after the last line.
    pub tail: TailStatus,
    /// The receipt of the latest completed rehearsal.
    pub receipt: Option<ReceiptReport>,
    /// What the gate would answer at the end.
    pub gate: Option<GateReport>,
    /// Every decision, by line.
    pub decisions: Vec<Decision>,
    /// What the sidecar is worth.
    pub sidecar: SidecarReport,
    /// What was found, by line.
    pub findings: Vec<Finding>,
    /// How it came about, by line, where that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeline: Option<Vec<TimelineEntry>>,
}

/// What can be said of a log's chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Integrity {
    /// A corrupt line, a broken chain, a recorded head that does not fit, or lines are gone.
    Broken,
    /// No line is chained.
    Unchained,
    /// Every line is.
    Chained,
    /// Some are.
    PartlyChained,
}

impl Integrity {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Broken => "broken",
            Self::Unchained => "unchained",
            Self::Chained => "chained",
            Self::PartlyChained => "partly-chained",
        }
    }
}

/// Whether bytes stand after the last line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TailStatus {
    /// None.
    Clean,
    /// Some: not part of the log.
    Torn,
}

impl TailStatus {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Torn => "torn",
        }
    }
}

/// A receipt in the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptReport {
    /// The plan that was rehearsed.
    pub plan_id: PlanId,
    /// The registry that it was rehearsed on.
    pub registry: RegistryName,
    /// Whether it passed.
    pub passed: bool,
    /// How many packages were attempted.
    pub packages_attempted: u64,
    /// How many of them were published.
    pub packages_published: u64,
    /// What the rehearsal said of itself.
    pub summary: String,
    /// When it was started.
    pub started_at: Timestamp,
    /// When it was completed.
    pub completed_at: Timestamp,
    /// The completion's line.
    pub line: u64,
    /// Whether the events bear it out.
    pub evidence: Evidence,
    /// Why not.
    pub unsound: Vec<EvidenceFlaw>,
}

impl From<&Receipt> for ReceiptReport {
    fn from(receipt: &Receipt) -> Self {
        Self {
            plan_id: receipt.plan_id.clone(),
            registry: receipt.registry.clone(),
            passed: receipt.passed,
            packages_attempted: receipt.packages_attempted(),
            packages_published: receipt.packages_published(),
            summary: receipt.summary.clone(),
            started_at: receipt.started_at().clone(),
            completed_at: receipt.completed_at.clone(),
            line: receipt.line,
            evidence: receipt.evidence(),
            unsound: receipt.unsound.clone(),
        }
    }
}

/// What the gate would answer at the end of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateReport {
    /// The question.
    pub query: GateQuery,
    /// Who named the registry in it.
    pub registry_source: Option<RegistrySource>,
    /// The verdict.
    pub verdict: VerdictKind,
    /// Its reasons.
    pub reasons: Vec<RefusalCode>,
}

/// Who named the registry that a verdict was derived under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RegistrySource {
    /// A recorded decision.
    Recorded,
    /// The auditor.
    Demanded,
    /// The rehearsal itself.
    SelfDeclared,
}

impl RegistrySource {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Demanded => "demanded",
            Self::SelfDeclared => "self-declared",
        }
    }
}

/// What became of the comparison with the sidecar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SidecarReport {
    /// What it is worth.
    pub status: SidecarStatus,
    /// Where it was looked for; none where it was not.
    pub path: Option<String>,
    /// In what it differs from the latest receipt, when it drifted.
    pub differences: Vec<FieldDiff>,
}

/// What a sidecar is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SidecarStatus {
    /// None was looked for, or the log could not be judged to its end.
    NotChecked,
    /// There is none.
    Absent,
    /// It says nothing that can be compared.
    Unreadable,
    /// The log has no completed rehearsal that it could be of.
    Orphan,
    /// It is of a schema that this version does not know.
    Unsupported,
    /// It tells of the latest completed rehearsal, field by field.
    Match,
    /// It tells of an earlier one.
    Behind,
    /// It tells of none in this log.
    Drift,
}

impl SidecarStatus {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotChecked => "not-checked",
            Self::Absent => "absent",
            Self::Unreadable => "unreadable",
            Self::Orphan => "orphan",
            Self::Unsupported => "unsupported",
            Self::Match => "match",
            Self::Behind => "behind",
            Self::Drift => "drift",
        }
    }
}
