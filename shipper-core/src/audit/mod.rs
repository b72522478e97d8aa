//! Audit of a log: derives every decision again from the bytes of the log.
//!
//! [`audit_reader`] audits a log in one call, and an [`Auditor`] audits one that arrives in pieces. The auditor takes
//! steps 1 to 4 for each line that they affect, and step 5 at the end:
//!
//! 1. **Read.** `shipper-events` checks every line, verifies the chain and computes heads. A corrupt line ends the audit;
//!    the auditor then only computes the head of the whole file.
//! 2. **Fold.** Each event that affects the gate changes the [`GateState`](crate::GateState); one that does not fit is a
//!    finding.
//! 3. **Decide.** Each `gate_evaluated` is derived again from the state before it and compared. Each run uses a recorded
//!    decision or gets an implicit decision: one that the audit itself derives from the state just before the run.
//! 4. **Compare.** The sidecar is compared with each receipt, the packet and the index with the events of all packages.
//! 5. **Conclude.** The [`AuditOptions`] leave out decisions and change the levels of findings. Every decision gets its
//!    status, and the log its [`Conclusion`].
//!
//! The same bytes and options give the same report, however the bytes were cut. Memory grows with the decisions, findings,
//! plans and rehearsals of a log, not with its lines. An audit uses no clock, environment or terminal. Only
//! [`audit_path`] opens a file. It, [`audit_reader`] and [`Auditor::read_to_end`] may use threads until they return.

// Modules import in one direction: `report` is plain data, `engine` makes it from the bytes of a log, and `fleet`
// reads, merges and summarizes reports. `Auditor::visit` takes steps 1 to 4, `finish_with_tail` step 5. shipper-replay
// uses `Auditor` directly, since it may need a timeline.

mod acceptance;
mod accepted_cause;
mod assertions;
mod compare;
mod comparison;
mod engine;
mod fleet;
mod options;
mod policy;
mod report;
mod sealed;
mod surroundings;
mod trusted_head;

pub use accepted_cause::AcceptedCause;
pub use assertions::VerifiedLevel;
pub use compare::{CompareError, compare_logs};
pub use comparison::{
    AddedContent, AddedDecision, COMPARISON_SCHEMA, CommonLines, ComparedLog, Difference, LogComparison, LogRelation,
};
pub use engine::{AuditError, Auditor, audit_path, audit_reader, resolve_as_of};
pub use fleet::{
    BaselineComparison, Change, ComparisonSchema, Conflict, Counts, DecisionChange, DecisionState, Duplicate,
    DuplicateContent, FindingChange, IncompleteReport, LogChange, MergeError, MergedReport, NdjsonMerger,
    PolicyMismatch, ReportLine, ReportLineError, Summary, SummaryBuilder, compare_with_baseline, merge,
};
pub use options::{AsOf, AuditOptions, ComparedFiles, PacketInput, ParseAsOfError, RequiredVerdict, SidecarInput};
pub use policy::{LevelRule, Policy, PolicyConflict, PolicyError, PolicyProblem, SkipRule};
pub use report::{
    BundleReport, CommitReport, Compression, Conclusion, Decision, DecisionCommits, DecisionStatus, Finding,
    FindingCode, GateReport, IndexReport, Integrity, Label, LabelTarget, Level, LogAudit, LogReport,
    OpenRehearsalSummary, PacketFileReport, PacketReport, PacketStatus, ReceiptReport, ReceiptSummary, RecordedVerdict,
    RegistrySource, RehearsalReport, RehearsalStatus, Report, RunReport, RunSpan, Schema, SidecarReport, SidecarStatus,
    StateAfter, TailStatus, TimelineEntry, UnauditedReason, UnprovenCause, VerdictSummary,
};
pub use sealed::{UnsealedCause, unsealed_cause};
pub use surroundings::LogSurroundings;
pub use trusted_head::{HeadDigest, HeadSigner, LogHeads, ParseTrustedHeadError, TrustedHead, read_heads};
