//! The auditor: reads the bytes of a log and feeds every tracker.

use std::io::{self, Read};
use std::ops::ControlFlow;

use shipper_events::scan::{Interest, LineContent, LineCursor, LogScanner, LogVisitor, VerifiedLine};
use shipper_events::{Event, EventKind, EventType, Tail};
use thiserror::Error;

use super::active_run::is_package_action;
use super::authority::AuthorityTracker;
use super::conclude::conclude;
use super::decisions::DecisionTracker;
use super::file_start::FileStart;
use super::findings::Findings;
use super::gate_events::{GateEventChecks, affects_gate, unknown_event};
use super::integrity::{IntegrityTracker, check_trusted_heads, report_chain_errors};
use super::runs::RunTracker;
use super::sidecar::SidecarTracker;
use super::timeline::{TimelineTracker, is_on_timeline};
use crate::audit::options::{AsOf, AuditOptions, SidecarInput};
use crate::audit::report::{Finding, FindingCode, Integrity, LogAudit, TailStatus, TimelineEntry};
use crate::fold::GateState;

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
    options: AuditOptions,
    log: LogScanner,
    /// Number of lines that are audited; `None` for all.
    cutoff: Option<u64>,
    state: GateState,
    integrity: IntegrityTracker,
    gate_events: GateEventChecks,
    authorities: AuthorityTracker,
    decisions: DecisionTracker,
    runs: RunTracker,
    sidecar: SidecarTracker,
    timeline: Option<TimelineTracker>,
    findings: Findings,
    /// The first bytes of the log.
    start: FileStart,
}

impl Auditor {
    /// Creates an auditor at the start of a log.
    ///
    /// # Errors
    ///
    /// [`AuditError::UnresolvedTime`] if the options name a time.
    pub fn new(options: AuditOptions, sidecar: SidecarInput) -> Result<Self, AuditError> {
        let cutoff = match options.at {
            None => None,
            Some(AsOf::Line(line)) => Some(line),
            Some(AsOf::Timestamp(_)) => return Err(AuditError::UnresolvedTime),
        };
        let mut log = LogScanner::new();
        for head in [options.extends, options.since].into_iter().flatten() {
            log.track_head(head.lines);
        }
        if let Some(line) = cutoff {
            log = log.with_cutoff(line);
        }
        Ok(Self {
            log,
            cutoff,
            state: GateState::default(),
            integrity: IntegrityTracker::default(),
            gate_events: GateEventChecks::default(),
            authorities: AuthorityTracker::default(),
            decisions: DecisionTracker::new(options.registry.clone()),
            runs: RunTracker::default(),
            sidecar: SidecarTracker::new(sidecar),
            timeline: None,
            findings: Findings::default(),
            start: FileStart::default(),
            options,
        })
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
        // Taken out, because the auditor is the visitor of its own scanner.
        let mut log = std::mem::take(&mut self.log);
        // The visitor never stops early.
        let _ = log.feed(bytes, self);
        self.log = log;
    }

    /// Reads the rest of the log, on several threads if it is long.
    ///
    /// # Errors
    ///
    /// [`AuditError::BeyondEnd`] if the options name a line that the log does not have, [`AuditError::Read`] if `read` fails.
    pub fn read_to_end(mut self, mut read: impl Read) -> Result<LogAudit, AuditError> {
        // Taken out, because the auditor is the visitor of its own scanner.
        let mut log = std::mem::take(&mut self.log);
        let start = self.start.read(&mut read)?;
        let ended = log.read_to_end(start.chain(read), &mut self);
        self.log = log;
        // The visitor never stops early.
        let _ = ended?;
        self.finish()
    }

    /// Ends the audit of the bytes that were fed.
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
        if let Some(line) = self.log.first_crlf() {
            self.findings.push(Finding::new(FindingCode::CrlfLineEndings, line, "the line ends with CR LF"));
        }
        let head = self.cutoff.and_then(|cutoff| self.log.tracked_head(cutoff)).unwrap_or_else(|| self.log.head());
        let since = check_trusted_heads(&self.log, head.lines, &self.options, &mut self.findings);
        let stopped_at = self.integrity.stopped_at;
        self.end_run(stopped_at.unwrap_or(head.lines + 1));
        let sidecar = self.sidecar.finish(stopped_at.is_none(), &mut self.findings);
        let tail = match tail {
            // The prefix of a cutoff has no tail.
            Tail::Torn { bytes } if self.cutoff.is_none() => {
                let message = format!("an incomplete line of {bytes} bytes follows line {}", head.lines);
                self.findings.push(Finding::new(FindingCode::TornTail, None, message));
                TailStatus::Torn
            }
            _ => TailStatus::Clean,
        };
        let (any_chained, any_unchained) = (self.log.any_chained(), self.log.any_unchained());
        if any_chained && self.options.extends.is_none() {
            let message = "the log was not compared with a kept head";
            self.findings.push(Finding::new(FindingCode::NoHeadGiven, None, message));
        }
        let integrity = match (any_chained, any_unchained) {
            _ if self.findings.breaks_integrity() => Integrity::Broken,
            (false, _) => Integrity::Unchained,
            (true, false) => Integrity::Chained,
            (true, true) => Integrity::PartlyChained,
        };
        let trusted = integrity != Integrity::Broken && tail == TailStatus::Clean;
        let gate = self.decisions.gate_report(self.options.plan_id.as_ref(), &self.state, trusted);
        let decisions = self.decisions.decisions;
        let (decisions, findings) = conclude(decisions, self.findings, gate.as_ref(), since, &self.options);
        let runs = self.timeline.is_some().then_some(self.runs.spans);
        let (timeline, rehearsals) = self.timeline.map(TimelineTracker::finish).unzip();
        Ok(LogAudit {
            lines: head.lines,
            bytes: head.bytes,
            blake3: head.blake3.to_string(),
            compression: None,
            integrity,
            tail,
            receipt: self.state.receipt().map(|receipt| receipt.as_ref().into()),
            gate,
            decisions,
            sidecar,
            findings,
            timeline,
            rehearsals,
            runs,
        })
    }

    /// Visits an event that the fold or a decision depends on.
    fn visit_gate_event(&mut self, line: u64, event: &Event, cursor: &mut LineCursor<'_>, basis_matches: bool) {
        self.gate_events.check(line, event, &self.state, &mut self.findings);
        match &event.event_type {
            EventType::GateEvaluated(event) => {
                self.decisions.record(line, event, basis_matches, &self.state, &mut self.findings);
            }
            EventType::PlanCreated(plan) => {
                self.end_run(line);
                let (state, findings) = (&self.state, &mut self.findings);
                self.runs.start(line, plan, state, &self.authorities, &mut self.decisions, findings);
            }
            EventType::RehearsalStarted(_) => self.authorities.rehearsal_started(),
            EventType::Unknown(_) => self.decisions.unknown_gate_event = line,
            _ => {}
        }
        self.state.evolve(line, event);
        if matches!(event.event_type, EventType::RehearsalComplete(_))
            && let Some(receipt) = self.state.receipt()
        {
            self.decisions.rehearsal_completed(receipt);
            self.sidecar.rehearsal_completed(receipt, || cursor.head());
        }
    }

    /// Visits an event that neither the fold nor a decision depends on.
    fn visit_run_event(&mut self, line: u64, event: &Event) {
        match &event.event_type {
            EventType::ExecutionStarted(_) => {
                self.end_run(line);
                self.authorities.execution_started(line);
            }
            EventType::ExecutionFinished(finished) => {
                self.runs.end(line, Some(&finished.result), &mut self.decisions, &mut self.findings);
            }
            // Only an audit with a timeline requests this event as a whole.
            EventType::PackagePublished(_) => {
                self.runs.record_action(line, EventKind::PackagePublished, &event.package, &mut self.findings);
            }
            EventType::RegistryPolicyApplied(applied) => self.authorities.policy_applied(line, applied),
            EventType::AuthEvidenceRecorded(recorded) => {
                let evidence = recorded.evidence.get();
                if let Some(registry) = evidence.and_then(|evidence| evidence.registry.get()) {
                    self.runs.set_live_registry(registry);
                }
            }
            EventType::Unknown(unknown) => {
                self.findings.push(unknown_event(FindingCode::UnknownEvent, line, &unknown.name));
            }
            _ => {}
        }
    }

    /// Ends the active run, which has no `execution_finished`, before a line.
    fn end_run(&mut self, before: u64) {
        let last_line = self.integrity.last_event_line(before);
        self.runs.end(last_line, None, &mut self.decisions, &mut self.findings);
    }
}

impl LogVisitor for Auditor {
    fn interest(&self) -> fn(&str) -> Interest {
        if self.timeline.is_some() { timeline_interest } else { interest }
    }

    fn visit(&mut self, verified: VerifiedLine, cursor: &mut LineCursor<'_>) -> ControlFlow<()> {
        let VerifiedLine { line, content, errors, starts_unchained_segment, .. } = verified;
        if starts_unchained_segment {
            let message = "unchained lines begin here, after chained lines";
            self.findings.push(Finding::new(FindingCode::ForeignLines, line, message));
        }
        let basis_matches = report_chain_errors(line, &errors, &mut self.findings);
        match content {
            None => {}
            Some(LineContent::Corrupt(error)) => {
                self.integrity.corrupt_line(line, &error, &self.start, &mut self.findings);
            }
            Some(LineContent::Blank) => self.integrity.blank_line(line, &mut self.findings),
            Some(LineContent::Package { kind, package }) => {
                self.runs.record_action(line, kind, &package, &mut self.findings);
            }
            Some(LineContent::Event(event)) => {
                if affects_gate(event.event_type.name()) {
                    self.visit_gate_event(line, &event, cursor, basis_matches);
                } else {
                    self.visit_run_event(line, &event);
                }
                if let Some(timeline) = self.timeline.as_mut().filter(|_| is_on_timeline(&event.event_type)) {
                    let trusted = !self.findings.breaks_integrity();
                    let gate = self.decisions.gate_report(self.options.plan_id.as_ref(), &self.state, trusted);
                    timeline.push(line, &event, &self.state, gate.map(Into::into));
                }
            }
        }
        ControlFlow::Continue(())
    }
}

/// Returns the part of an event that the audit needs: of an action on a package, only the package.
fn interest(type_name: &str) -> Interest {
    match EventKind::from_name(type_name) {
        Some(kind) if is_package_action(kind) => Interest::PackageOnly,
        None
        | Some(
            EventKind::ExecutionStarted
            | EventKind::ExecutionFinished
            | EventKind::RegistryPolicyApplied
            | EventKind::AuthEvidenceRecorded,
        ) => Interest::Full,
        Some(_) if affects_gate(type_name) => Interest::Full,
        Some(_) => Interest::Skip,
    }
}

/// Returns the part of an event that an audit with a timeline needs: also the times of publishes.
fn timeline_interest(type_name: &str) -> Interest {
    if type_name == EventKind::PackagePublished.name() { Interest::Full } else { interest(type_name) }
}
