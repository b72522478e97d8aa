//! The result of the audit of one log, and the conclusion about it: `docs/auditing.md`, "Conclusions".

use serde::{Deserialize, Serialize};
use shipper_events::{PlanId, RegistryName, Timestamp};

use super::decision::{Decision, DecisionStatus, RegistrySource, VerdictSummary};
use super::finding::{Finding, FindingCode};
use super::index::IndexReport;
use super::packet::{PacketFileReport, PacketReport};
use super::timeline::{RehearsalReport, RunSpan, TimelineEntry};
use crate::audit::options::AuditOptions;
use crate::fold::{Evidence, EvidenceFlaw, Receipt};
use crate::gate::{GateQuery, RefusalCode, VerdictKind};
use crate::packet::PacketKind;
use crate::sidecar::FieldDiff;
use crate::words::word_enums;

/// The result of the audit of one log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LogAudit {
    /// Number of complete lines in the audited prefix. If a line is corrupt, the whole file is counted.
    pub lines: u64,
    /// Number of bytes in those lines.
    pub bytes: u64,
    /// The BLAKE3 of those bytes, 64 lowercase hex digits.
    pub blake3: String,
    /// The compression of the file. `lines`, `bytes` and `blake3` are about the decompressed bytes. `None` if the file is
    /// not compressed, or if the caller decompressed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compression: Option<Compression>,
    /// The bundle that the caller read the log from. `None` for a log that is not in a bundle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bundle: Option<BundleReport>,
    /// The state of the hash chain.
    pub integrity: Integrity,
    /// The state of the end of the log.
    pub tail: TailStatus,
    /// The receipt of the latest completed rehearsal. `None` if none was completed.
    pub receipt: Option<ReceiptReport>,
    /// The verdict of the gate at the end. `None` if neither the options nor a receipt name a plan, unless a marker beside
    /// the log forbids every publish.
    pub gate: Option<GateReport>,
    /// Every decision, by line, except those that the options leave out.
    pub decisions: Vec<Decision>,
    /// The result of the comparison with the sidecar.
    pub sidecar: SidecarReport,
    /// The result of the comparison with the packet. `None` only in a report of an older version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packet: Option<PacketReport>,
    /// The result of the comparison with a registry's index. `None` if none was given, or if a line is corrupt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<IndexReport>,
    /// The findings, by line (those without one last), then by code.
    pub findings: Vec<Finding>,
    /// The lines of the runs before which the latest rehearsal of their plan was not a sound pass: they cannot be accepted.
    /// Empty if the options accept no cause.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub runs_after_failure: Vec<u64>,
    /// The head of the earlier log that this one continues, `LINES:BYTES:BLAKE3`. `None` if it continues none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continues: Option<String>,
    /// The timeline, by line. `None` if the caller did not request it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeline: Option<Vec<TimelineEntry>>,
    /// Every rehearsal, by its first line. `None` without a timeline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rehearsals: Option<Vec<RehearsalReport>>,
    /// The lines of every run, by its first line, also of decisions that are not in the report. `None` without a timeline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runs: Option<Vec<RunSpan>>,
}

impl LogAudit {
    /// Returns the first conclusion that applies, in the order of the variants of [`Conclusion`].
    // `headline::reason` in shipper-replay repeats this order.
    pub fn conclusion(&self) -> Conclusion {
        let any = |status| self.decisions.iter().any(|decision| decision.status == status);
        if self.findings.iter().any(Finding::is_violation) {
            Conclusion::Violated
        } else if any(DecisionStatus::Unjudged) {
            Conclusion::Unjudged
        } else if any(DecisionStatus::Unproven)
            || any(DecisionStatus::Permitted)
            || self.is_in_doubt()
            || self.decisions.is_empty()
        {
            Conclusion::Inconclusive
        } else {
            Conclusion::Verified
        }
    }

    /// Returns whether something other than the decisions makes the log inconclusive.
    pub(in crate::audit) fn is_in_doubt(&self) -> bool {
        let sidecar_proves_nothing = matches!(
            self.sidecar.status,
            SidecarStatus::Orphan | SidecarStatus::Unreadable | SidecarStatus::Unsupported
        );
        self.tail == TailStatus::Torn || sidecar_proves_nothing || self.findings.iter().any(Finding::is_doubt)
    }

    /// Returns the files of the packet with their results; none in a report of an older version.
    pub fn packet_files(&self) -> impl Iterator<Item = (PacketKind, &PacketFileReport)> {
        self.packet
            .iter()
            .flat_map(|PacketReport { state, receipt }| [(PacketKind::State, state), (PacketKind::Receipt, receipt)])
    }

    /// Returns the head of the audited lines, `LINES:BYTES:BLAKE3`.
    pub fn head(&self) -> String {
        format!("{}:{}:{}", self.lines, self.bytes, self.blake3)
    }

    /// Returns whether there is a finding of that code.
    pub(in crate::audit) fn has_finding(&self, code: FindingCode) -> bool {
        self.findings.iter().any(|finding| finding.code == code)
    }

    /// Returns whether the log begins with the bytes of [`AuditOptions::since`]; false if that is `None`. In a report
    /// that was read from JSON, one mismatch is attributed to [`AuditOptions::extends`] if that was given as well.
    pub fn applies_since(&self, options: &AuditOptions) -> bool {
        let of_extends = options.extends.is_some() && !self.has_finding(FindingCode::LogTruncated);
        options.since.is_some()
            && self.mismatched_heads() <= usize::from(of_extends)
            && !self.findings.iter().any(|finding| finding.is_about_since)
    }

    /// Returns whether the log begins with the bytes of [`AuditOptions::extends`]; false if that is `None`.
    pub fn applies_extends(&self, options: &AuditOptions) -> bool {
        let of_since = options.since.is_some() && !self.applies_since(options);
        options.extends.is_some()
            && !self.has_finding(FindingCode::LogTruncated)
            && self.mismatched_heads() <= usize::from(of_since)
    }

    /// Returns the number of heads of the options that do not match.
    fn mismatched_heads(&self) -> usize {
        let is_about_head = |finding: &&Finding| finding.code == FindingCode::HeadMismatch && finding.line.is_none();
        self.findings.iter().filter(is_about_head).count()
    }

    /// Removes the timeline, the rehearsals and the runs.
    pub fn clear_timeline(&mut self) {
        (self.timeline, self.rehearsals, self.runs) = (None, None, None);
    }
}

word_enums! {
    /// The conclusion about one or several logs. `Ord` sorts the most serious first.
    #[derive(PartialOrd, Ord)]
    pub enum Conclusion {
        /// There is an error finding.
        Violated = "violated",
        /// A log cannot be read, or a decision has rules that this version does not know.
        Unjudged = "unjudged",
        /// There is no error, but the evidence is incomplete, or there was nothing to check.
        Inconclusive = "inconclusive",
        /// Every decision is confirmed.
        Verified = "verified",
    }

    /// The compression of a log file.
    pub enum Compression {
        /// RFC 1952.
        Gzip = "gzip",
        /// RFC 8878.
        Zstd = "zstd",
    }

    /// The state of a log's chain.
    pub enum Integrity {
        /// There is a corrupt line, a broken chain or a head that does not match, or lines are missing.
        Broken = "broken",
        /// No line is chained.
        Unchained = "unchained",
        /// Every line is chained.
        Chained = "chained",
        /// Some lines are chained.
        PartlyChained = "partly-chained",
    }

    /// The end of a log.
    pub enum TailStatus {
        /// The last line is complete.
        Clean = "clean",
        /// Bytes follow the last complete line; they are not part of the log.
        Torn = "torn",
    }

    /// The status of a sidecar.
    pub enum SidecarStatus {
        /// The caller did not look for it, or the log could not be audited to its end.
        NotChecked = "not-checked",
        /// It does not exist.
        Absent = "absent",
        /// It cannot be read or compared.
        Unreadable = "unreadable",
        /// The log has no completed rehearsal.
        Orphan = "orphan",
        /// It has a schema that this version does not know.
        Unsupported = "unsupported",
        /// It equals the latest completed rehearsal.
        Match = "match",
        /// It equals an earlier completed rehearsal.
        Behind = "behind",
        /// It equals no completed rehearsal of this log.
        Drift = "drift",
    }
}

impl Conclusion {
    /// Returns the program's exit status: violated 1, unjudged 2, inconclusive 3, verified 0.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Verified => 0,
            Self::Violated => 1,
            Self::Unjudged => 2,
            Self::Inconclusive => 3,
        }
    }

    /// Returns the conclusion about several logs: the most serious; inconclusive for none.
    pub fn combine(conclusions: impl IntoIterator<Item = Self>) -> Self {
        conclusions.into_iter().min().unwrap_or(Self::Inconclusive)
    }
}

impl SidecarStatus {
    /// Returns the code of the finding that a sidecar of this status has.
    pub(in crate::audit) fn finding_code(self) -> Option<FindingCode> {
        match self {
            Self::NotChecked | Self::Absent | Self::Match => None,
            Self::Unreadable => Some(FindingCode::SidecarUnreadable),
            Self::Orphan => Some(FindingCode::SidecarOrphan),
            Self::Unsupported => Some(FindingCode::SidecarUnsupported),
            Self::Behind => Some(FindingCode::SidecarBehind),
            Self::Drift => Some(FindingCode::SidecarDrift),
        }
    }
}

/// The result of the comparison with the sidecar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SidecarReport {
    /// The status of the sidecar.
    pub status: SidecarStatus,
    /// The path where the caller looked for it. `None` if the caller did not look for it.
    pub path: Option<String>,
    /// The differences from the latest receipt; empty unless the status is [`SidecarStatus::Drift`].
    pub differences: Vec<FieldDiff>,
}

/// The receipt of the latest completed rehearsal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ReceiptReport {
    /// The plan that was rehearsed.
    pub plan_id: PlanId,
    /// The registry that it was rehearsed on.
    pub registry: RegistryName,
    /// True if the rehearsal claims that it passed.
    pub passed: bool,
    /// Number of packages that were attempted.
    pub packages_attempted: u64,
    /// Number of packages that were published.
    pub packages_published: u64,
    /// The summary that the completion records.
    pub summary: String,
    /// The time of its start.
    pub started_at: Timestamp,
    /// The time of its completion.
    pub completed_at: Timestamp,
    /// The line of its completion.
    pub line: u64,
    /// The soundness of the evidence.
    pub evidence: Evidence,
    /// The flaws of the evidence; empty if it is sound.
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

/// The verdict of the gate at the end of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GateReport {
    /// The query. `None` if neither the options nor a receipt name a plan; the log then cannot be trusted.
    pub query: Option<GateQuery>,
    /// The source of the registry in the query. `None` if no source names one.
    pub registry_source: Option<RegistrySource>,
    /// The verdict.
    pub verdict: VerdictKind,
    /// The reasons of a refusal, in the order of `docs/gate.md`, "The verdict"; empty for a permission.
    pub reasons: Vec<RefusalCode>,
}

impl GateReport {
    /// Returns the verdict on a log that cannot be trusted and names no plan.
    pub(in crate::audit) fn untrusted_log() -> Self {
        let VerdictSummary { verdict, reasons } = VerdictSummary::untrusted_log();
        Self { query: None, registry_source: None, verdict, reasons }
    }
}

impl From<GateReport> for VerdictSummary {
    fn from(gate: GateReport) -> Self {
        Self { verdict: gate.verdict, reasons: gate.reasons }
    }
}

/// The bundle that a log was read from, and what its sender concluded: `docs/evidence.md`, "A bundle".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BundleReport {
    /// Name of the log in the bundle.
    pub log: String,
    /// Number of files in the bundle.
    pub files: u64,
    /// The conclusion in the report of the sender, with the options of the sender.
    pub sender_conclusion: Conclusion,
    /// True if the bundle contains a policy of the sender. The audit does not use it.
    pub sender_policy: bool,
    /// True if the bundle contains a list of signers that the sender accepted. The audit does not use it.
    pub sender_signers: bool,
}

impl BundleReport {
    /// Returns the report on a bundle without a policy and a list of signers; `files` is 0.
    pub fn new(log: impl Into<String>, sender_conclusion: Conclusion) -> Self {
        Self { log: log.into(), files: 0, sender_conclusion, sender_policy: false, sender_signers: false }
    }
}
