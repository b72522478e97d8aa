//! The audit: what a log proves, re-derived from its bytes.
//!
//! An [`Auditor`] is fed a log's bytes, cut anywhere, and then says what they prove. It works in five steps:
//!
//! 1. **Read.** All lines are verified, and the events that an audit depends on are built
//!    ([`scan`](shipper_events::scan)). A corrupt line ends the judging, and only the head of the whole file is still
//!    computed. [`Auditor::feed`] works on the calling thread, [`Auditor::read_to_end`] on several.
//! 2. **Fold.** Each event that concerns the gate changes the [`GateState`](crate::GateState); what looks odd on the way is
//!    a finding.
//! 3. **Decide.** Each `gate_evaluated` is re-derived from the state before it and compared. Each run takes a
//!    recorded decision or is one of its own, asked just before it (`ledger`, `take`).
//! 4. **Compare.** The sidecar is compared with each receipt as it comes (`snapshot`).
//! 5. **Conclude.** The demand has its say about what is left out and what weighs how much; every decision gets its
//!    status, the log its conclusion (`conclude`).
//!
//! Reports that were made elsewhere, of other logs, [merge](merge()) into one.
//!
//! There is no file, clock, environment or terminal in it. Its memory grows with what a log decides and with what
//! is found (decisions, findings, plans, rehearsed packages), not with its lines. The same bytes and demand give the same report however they were cut.

mod auditor;
mod authority;
mod conclude;
mod conclusion;
mod contradiction;
mod decision;
mod demand;
mod finding;
mod kept;
mod ledger;
mod locator;
mod mark;
mod merge;
mod part;
mod report;
mod run;
mod snapshot;
mod summary;
mod take;
mod timeline;
mod verified;
mod wording;

pub use auditor::{AuditError, Auditor, Begin, audit};
pub use conclusion::Conclusion;
pub use decision::{Decision, DecisionStatus, RecordedVerdict, RunReport, UnprovenCause, VerdictSummary};
pub use demand::{AsOf, AuditOptions, ParseAsOfError, RequiredVerdict};
pub use finding::{Finding, FindingCode, Level};
pub use locator::Locator;
pub use mark::{Label, LabelTarget};
pub use merge::{IncompleteReport, MergeError, MergeLineError, MergedReport, NdjsonMerger, PolicyMismatch, merge};
pub use part::{ReportLine, ReportLineError};
pub use report::{
    GateReport, Integrity, LogAudit, LogReport, ReceiptReport, RegistrySource, Report, Schema, SidecarReport,
    SidecarStatus, TailStatus,
};
pub use snapshot::SidecarInput;
pub use summary::{Conflict, Counts, Duplicate, DuplicateContent, Summary, SummaryBuilder};
pub use timeline::{OpenRehearsalSummary, ReceiptSummary, StateAfter, TimelineEntry};
pub use verified::VerifiedLevel;
