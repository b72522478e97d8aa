//! The auditor: reads the bytes of a log and feeds every tracker.

use std::io::{self, Read};
use std::thread;

use shipper_events::scan::LogScanner;
use shipper_events::{ClaimedHead, Tail, display_safe};
use thiserror::Error;

use super::authority::AuthorityTracker;
use super::commits::CommitTracker;
use super::conclude::conclude;
use super::decisions::DecisionTracker;
use super::file_start::FileStart;
use super::findings::Findings;
use super::gate_events::GateEventChecks;
use super::index::IndexTracker;
use super::integrity::{IntegrityTracker, check_trusted_heads, is_sealed};
use super::names::NameTracker;
use super::packages::PackageTracker;
use super::packet::PacketTracker;
use super::policy_facts::PolicyTracker;
use super::runs::RunTracker;
use super::sidecar::SidecarTracker;
use super::timeline::TimelineTracker;
use crate::audit::options::{AsOf, AuditOptions, ComparedFiles};
use crate::audit::policy;
use crate::audit::report::{Finding, FindingCode, GateReport, Integrity, Level, LogAudit, TailStatus, TimelineEntry};
use crate::audit::surroundings::LogSurroundings;
use crate::audit::trusted_head::{PrefixSha256, Tee};
use crate::fold::GateState;

/// The number of lines above which a log is long: to free the memory of its audit takes longer than to start a thread.
const LONG_LOG: u64 = 200_000;

/// The error for a log that cannot be audited under the options.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AuditError {
    /// The options name a line that the log does not have.
    #[error("cannot audit up to line {line}: the log has {lines} lines")]
    BeyondEnd {
        /// The line of the options.
        line: u64,
        /// Number of complete lines of the log.
        lines: u64,
    },
    /// The options name a time: pass the result of [`resolve_as_of`](crate::audit::resolve_as_of) as [`AsOf::Line`].
    #[error("cannot audit up to a time that is not resolved to a line")]
    UnresolvedTime,
    /// The log cannot be read.
    #[error("cannot read the log")]
    Read {
        /// Error of the stream.
        #[from]
        source: io::Error,
    },
}

/// Auditor of a log whose bytes arrive in pieces of any size; see the [module](crate::audit) for the steps.
///
/// ```
/// use shipper_core::audit::{AuditOptions, Auditor, SidecarInput};
/// let mut auditor = Auditor::new(AuditOptions::default(), SidecarInput::NotRequested)?;
/// auditor.feed(b"{\"timestamp\":\"2026-11-23T08:00:00Z\",\"event_type\":{\"type\":\"exec");
/// auditor.feed(b"ution_started\"},\"package\":\"all\"}\n");
/// let audit = auditor.finish()?;
/// assert_eq!((audit.lines, audit.bytes), (1, 95));
/// # Ok::<(), shipper_core::audit::AuditError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Auditor {
    pub(super) options: AuditOptions,
    log: LogScanner,
    /// The SHA-256 of the heads of the options that have one.
    prefixes: PrefixSha256,
    /// Number of lines that are audited; `None` for all.
    cutoff: Option<u64>,
    pub(super) state: GateState,
    pub(super) integrity: IntegrityTracker,
    pub(super) gate_events: GateEventChecks,
    pub(super) authorities: AuthorityTracker,
    pub(super) commits: CommitTracker,
    pub(super) decisions: DecisionTracker,
    pub(super) runs: RunTracker,
    pub(super) packages: PackageTracker,
    pub(super) names: NameTracker,
    pub(super) sidecar: SidecarTracker,
    pub(super) packet: PacketTracker,
    pub(super) index: Option<IndexTracker>,
    pub(super) timeline: Option<TimelineTracker>,
    /// `None` without a policy.
    pub(super) policy: Option<PolicyTracker>,
    pub(super) findings: Findings,
    surroundings: LogSurroundings,
    /// The head of the earlier log that this one continues.
    pub(super) continues: Option<ClaimedHead>,
    /// The first bytes of the log.
    pub(super) start: FileStart,
}

impl Auditor {
    /// Creates an auditor at the start of a log. It compares the log with the files: a [`SidecarInput`] or
    /// [`ComparedFiles`].
    ///
    /// [`SidecarInput`]: crate::audit::SidecarInput
    ///
    /// # Errors
    ///
    /// [`AuditError::UnresolvedTime`] if the options name a time.
    pub fn new(options: AuditOptions, files: impl Into<ComparedFiles>) -> Result<Self, AuditError> {
        let ComparedFiles { sidecar, packet, index } = files.into();
        let cutoff = match options.at {
            None => None,
            Some(AsOf::Line(line)) => Some(line),
            Some(AsOf::Timestamp(_)) => return Err(AuditError::UnresolvedTime),
        };
        let mut log = LogScanner::new();
        let heads = [options.extends, options.since].into_iter().flatten();
        heads.clone().for_each(|head| log.track_head(head.lines));
        if let Some(line) = cutoff {
            log = log.with_cutoff(line);
        }
        Ok(Self {
            log,
            prefixes: PrefixSha256::of(heads),
            cutoff,
            state: GateState::default(),
            integrity: IntegrityTracker::default(),
            gate_events: GateEventChecks::default(),
            authorities: AuthorityTracker::default(),
            commits: CommitTracker::default(),
            decisions: DecisionTracker::new(options.registry.clone()),
            runs: RunTracker::new(options.since.map_or(0, |head| head.lines)),
            packages: PackageTracker::default(),
            names: NameTracker::new(&options),
            sidecar: SidecarTracker::new(sidecar),
            packet: PacketTracker::new(packet),
            index: index.map(IndexTracker::new),
            timeline: None,
            policy: options.policy.is_some().then(PolicyTracker::default),
            findings: Findings::default(),
            surroundings: LogSurroundings::default(),
            continues: None,
            start: FileStart::default(),
            options,
        })
    }

    /// Passes the files that are beside the log, at any time before the end of the audit: see
    /// [`LogSurroundings::around`]. Without it, the audit knows only the log.
    #[must_use]
    pub fn with_surroundings(self, surroundings: LogSurroundings) -> Self {
        Self { surroundings, ..self }
    }

    /// Enables the [timeline](TimelineEntry). Call it before the first byte.
    #[must_use]
    pub fn with_timeline(self) -> Self {
        Self { timeline: Some(TimelineTracker::default()), ..self }
    }

    /// Removes and returns the timeline entries since the last call; the report then has only the later ones.
    pub fn drain_entries(&mut self) -> Vec<TimelineEntry> {
        self.timeline.as_mut().map(TimelineTracker::drain_entries).unwrap_or_default()
    }

    /// Reads the next bytes of the log, which may begin and end anywhere in a line.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.start.extend(bytes);
        self.prefixes.update(bytes);
        // Taken out, because the auditor is the visitor of its own scanner.
        let mut log = std::mem::take(&mut self.log);
        // The visitor never stops early.
        let _ = log.feed(bytes, self);
        self.log = log;
    }

    /// Reads the rest of the log, on several threads if it is long, and ends the audit.
    ///
    /// # Errors
    ///
    /// [`AuditError::BeyondEnd`] if the options name a line that the log does not have, [`AuditError::Read`] if `read` fails.
    pub fn read_to_end(mut self, read: impl Read) -> Result<LogAudit, AuditError> {
        self.feed_all(read)?;
        self.finish()
    }

    /// Reads the rest of the log, on several threads if it is long.
    ///
    /// # Errors
    ///
    /// The error of `read`. The auditor must not be used further then.
    pub fn feed_all(&mut self, read: impl Read) -> io::Result<()> {
        // Taken out, because the auditor is the visitor of its own scanner.
        let (mut log, mut prefixes) = (std::mem::take(&mut self.log), std::mem::take(&mut self.prefixes));
        let mut read = Tee { read, take: |bytes: &[u8]| prefixes.update(bytes) };
        let start = self.start.read(&mut read)?;
        let ended = log.read_to_end(start.chain(read), self);
        (self.log, self.prefixes) = (log, prefixes);
        // The visitor never stops early.
        ended.map(|_| ())
    }

    /// Ends the audit of the bytes that were fed. Another thread frees the memory of the audit of a long log, so that the
    /// report does not wait for it.
    ///
    /// # Errors
    ///
    /// [`AuditError::BeyondEnd`] if the options name a line that the log does not have.
    pub fn finish(self) -> Result<LogAudit, AuditError> {
        let tail = self.log.tail();
        self.finish_with_tail(tail)
    }

    /// Returns the report on the complete lines so far, as if the log ended there.
    ///
    /// # Errors
    ///
    /// [`AuditError::BeyondEnd`] if the options name a line that was not fed yet.
    pub fn audit_so_far(&self) -> Result<LogAudit, AuditError> {
        self.clone().finish_with_tail(Tail::Clean)
    }

    fn finish_with_tail(mut self, tail: Tail) -> Result<LogAudit, AuditError> {
        let lines = self.log.lines();
        if let Some(line) = self.cutoff.filter(|line| *line > lines) {
            return Err(AuditError::BeyondEnd { line, lines });
        }
        let head = self.cutoff.and_then(|cutoff| self.log.tracked_head(cutoff)).unwrap_or_else(|| self.log.head());
        let since = check_trusted_heads(&self.log, &self.prefixes, head.lines, &self.options, &mut self.findings);
        self.finish_trackers(head.lines, since.is_some());
        let integrity = self.integrity();
        let is_sealed = tail == Tail::Clean && is_sealed(&self.log, &self.prefixes, &self.options);
        self.check_policy(head.lines, since.map_or(0, |head| head.lines), is_sealed);
        let sidecar = self.sidecar.finish(self.integrity.stopped_at.is_none(), &mut self.findings);
        let tail = match tail {
            // The prefix of a cutoff has no tail.
            Tail::Torn { bytes } if self.cutoff.is_none() => {
                let message = format!("an incomplete line of {bytes} bytes follows line {}", head.lines);
                self.findings.push(Finding::new(FindingCode::TornTail, None, message));
                TailStatus::Torn
            }
            _ => TailStatus::Clean,
        };
        let is_comparable =
            self.integrity.stopped_at.is_none() && tail == TailStatus::Clean && self.continues.is_none();
        let packet = self.packet.finish(is_comparable, &mut self.findings);
        let is_whole = self.cutoff.is_none();
        let index = self.index.filter(|_| self.integrity.stopped_at.is_none());
        let index = index.map(|index| index.finish(is_whole, &mut self.findings));
        let has_marker = self.surroundings.has_marker();
        let trusted = integrity != Integrity::Broken && tail == TailStatus::Clean && !has_marker;
        let gate = self.decisions.gate_report(self.options.plan_id.as_ref(), &self.state, trusted);
        let gate = gate.or(has_marker.then(GateReport::untrusted_log));
        // Without accepted causes, no reader needs them.
        let accepts = !self.options.accept.is_empty();
        let runs_after_failure =
            if accepts { std::mem::take(&mut self.decisions.runs_after_failure) } else { Vec::new() };
        let tracked = std::mem::take(&mut self.decisions.decisions);
        let (decisions, findings) =
            conclude(tracked, self.findings, gate.as_ref(), since, &runs_after_failure, &self.options);
        let runs = self.timeline.is_some().then(|| std::mem::take(&mut self.runs.spans));
        let (timeline, rehearsals) = self.timeline.map(TimelineTracker::finish).unzip();
        let receipt = self.state.receipt().map(|receipt| receipt.as_ref().into());
        free((self.decisions, self.runs, self.packages, self.authorities, self.state), lines);
        Ok(LogAudit {
            lines: head.lines,
            bytes: head.bytes,
            blake3: head.blake3.to_string(),
            compression: None,
            bundle: None,
            integrity,
            tail,
            receipt,
            gate,
            decisions,
            sidecar,
            packet: Some(packet),
            index,
            findings,
            runs_after_failure,
            continues: self.continues.as_ref().map(ToString::to_string),
            timeline,
            rehearsals,
            runs,
        })
    }

    /// Ends the trackers whose findings depend on the end of the log, or on the options.
    fn finish_trackers(&mut self, lines: u64, since_applies: bool) {
        if let Some(line) = self.log.first_crlf() {
            self.findings.push(Finding::new(FindingCode::CrlfLineEndings, line, "the line ends with CR LF"));
        }
        if self.log.any_chained() && self.options.extends.is_none() {
            let message = "the log was not compared with a kept head";
            self.findings.push(Finding::new(FindingCode::NoHeadGiven, None, message));
        }
        self.runs.finish(since_applies, &mut self.findings);
        self.integrity.report_blank_lines(&mut self.findings);
        self.names.finish(&self.options, &mut self.findings);
        self.end_run(self.integrity.stopped_at.unwrap_or(lines + 1));
        self.packages.finish(&mut self.findings);
        self.report_surroundings();
    }

    /// Adds the findings of the policy, if the options have one. `since` is the number of lines up to the head of `--since`.
    fn check_policy(&mut self, lines: u64, since: u64, is_sealed: bool) {
        let (Some(tracker), Some(policy)) = (self.policy.take(), &self.options.policy) else {
            return;
        };
        let end = self.integrity.stopped_at.unwrap_or(lines + 1);
        let facts = tracker.finish(&self.decisions.decisions, end, self.log.any_unchained(), is_sealed);
        for (finding, decision) in policy::check(policy, &facts, since) {
            self.findings.add(finding, decision);
        }
    }

    fn integrity(&self) -> Integrity {
        match (self.log.any_chained(), self.log.any_unchained()) {
            _ if self.findings.breaks_integrity() => Integrity::Broken,
            (false, _) => Integrity::Unchained,
            (true, false) => Integrity::Chained,
            (true, true) => Integrity::PartlyChained,
        }
    }

    /// Reports the markers beside the log, and the earlier log that this one continues.
    fn report_surroundings(&mut self) {
        if self.surroundings.repair_interrupted {
            let message = "a marker beside the log shows that a repair of a torn tail was interrupted";
            self.findings.push(Finding::new(FindingCode::RepairInterrupted, None, message));
        }
        if self.surroundings.sync_failed {
            let message = "a marker beside the log shows that a sync of the log failed";
            self.findings.push(Finding::new(FindingCode::SyncFailed, None, message));
        }
        if let Some(head) = &self.continues {
            let file = self.surroundings.earlier_log.as_ref();
            let file = file.map_or_else(String::new, |file| format!(", the file {}", display_safe(file).quoted()));
            let head = head.to_string();
            let acknowledged = self.options.acknowledge_earlier.is_some_and(|earlier| earlier.to_string() == head);
            let head = display_safe(&head).max_chars(140);
            let message = format!("the log continues an earlier log with the head {head}{file}");
            let finding = Finding::new(FindingCode::ContinuesEarlierLog, 1, message);
            let level = if acknowledged { Level::Note } else { finding.level };
            self.findings.push(Finding { level, ..finding });
        }
    }

    /// Ends the active run, which has no recorded end, before a line.
    pub(super) fn end_run(&mut self, before: u64) {
        let last_line = self.integrity.last_event_line(before);
        self.runs.end(last_line, None, &mut self.decisions, &mut self.findings);
    }
}

/// Frees the memory of the audit of that many lines, on another thread if the log is long.
fn free(unused: impl Send + 'static, lines: u64) {
    if lines > LONG_LOG {
        // If the system refuses a thread, this one frees the memory.
        let _ = thread::Builder::new().spawn(move || drop(unused));
    }
}
