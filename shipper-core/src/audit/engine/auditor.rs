//! The auditor: reads the bytes of a log and feeds every tracker.

use std::convert::Infallible;
use std::io::{self, Read};

use shipper_events::{
    Cut, Event, EventType, Follower, Head, LineError, LogEntry, ParsedLine, Piece, Place, Regard, Seen, Splitter,
    Survey, Tail, Timestamp, What, parse_line, scan, survey, survey_stream,
};

use super::active_run::PackageAction;
use super::authority::AuthorityTracker;
use super::conclude::{Collected, CollectedTimeline, conclude};
use super::decisions::DecisionTracker;
use super::error::AuditError;
use super::gate_events::{GateEventChecks, affects_gate, report_unknown};
use super::integrity::{IntegrityTracker, report_chain_errors, report_unchained_segment};
use super::pending::PendingFindings;
use super::runs::RunTracker;
use super::sidecar::SidecarTracker;
use super::timeline::{EventDetails, TimelineTracker};
use super::trusted_head::TrustedHead;
use crate::audit::as_of::AsOf;
use crate::audit::options::{AuditOptions, SidecarInput};
use crate::audit::report::{FindingCode, LogAudit, TimelineEntry};
use crate::state::GateState;

/// Bytes that [`resolve_as_of`] reads at a time.
const BUFFER_LEN: usize = 256 * 1024;

/// Audits a log whose bytes arrive in pieces of any size; see the [module](crate::audit) for the steps.
///
/// [`audit_reader`](super::audit_reader) and [`audit_path`](super::audit_path) audit a whole log in one call.
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
    splitter: Splitter,
    log: Follower,
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
    findings: PendingFindings,
}

/// Number of lines of a log up to the last one whose timestamp is not later than `until`. Times in a log may go backwards,
/// so it reads the log to its end.
///
/// # Errors
///
/// Those of `read`.
pub fn resolve_as_of(mut read: impl Read, until: &Timestamp) -> io::Result<u64> {
    let (mut splitter, mut buffer) = (Splitter::new(), vec![0; BUFFER_LEN]);
    let (mut line, mut resolved) = (0, 0);
    loop {
        let mut piece = match read.read(&mut buffer) {
            Ok(0) => return Ok(resolved),
            Ok(count) => buffer.get(..count).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        while let Some(cut) = splitter.next(&mut piece) {
            let lines = match cut {
                Cut::Lines(lines) => lines,
                Cut::LongPart { ends_line, .. } => {
                    line += u64::from(ends_line);
                    continue;
                }
            };
            for text in scan(lines).0 {
                line += 1;
                if let Ok(ParsedLine::Event(event)) = parse_line(text)
                    && event.instant() <= until.instant()
                {
                    resolved = line;
                }
            }
        }
    }
}

impl Auditor {
    /// An auditor at the start of a log.
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
        let mut log = Follower::new();
        for lines in [options.extends.map(|head| head.lines), options.since.map(|head| head.lines), cutoff] {
            lines.into_iter().for_each(|lines| log.keep(lines));
        }
        Ok(Self {
            splitter: Splitter::new(),
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
            findings: PendingFindings::default(),
            options,
        })
    }

    /// Keeps a [timeline](TimelineEntry) as well. Call it before the first byte.
    #[must_use]
    pub fn with_timeline(self) -> Self {
        Self { timeline: Some(TimelineTracker::default()), ..self }
    }

    /// Removes and returns the timeline entries since the last call; the report then has only the later ones.
    pub fn drain_entries(&mut self) -> Vec<TimelineEntry> {
        self.timeline.as_mut().map(TimelineTracker::drain_entries).unwrap_or_default()
    }

    /// Reads the next bytes of the log, cut anywhere.
    pub fn feed(&mut self, mut piece: &[u8]) {
        let mut splitter = std::mem::take(&mut self.splitter);
        while let Some(cut) = splitter.next(&mut piece) {
            self.feed_scanned(match cut {
                Cut::Lines(lines) => Piece::Lines(self.scan(lines)),
                Cut::LongPart { part, ends_line } => Piece::LongPart { part, ends_line },
            });
        }
        self.splitter = splitter;
    }

    /// Reads a whole log to its end, on several threads if it is long. Nothing may have been fed before.
    ///
    /// # Errors
    ///
    /// [`AuditError::BeyondEnd`] if the options name a line that the log does not have, [`AuditError::Read`] if `read` fails.
    pub fn read_to_end(mut self, mut read: impl Read) -> Result<LogAudit, AuditError> {
        let with_timeline = self.timeline.is_some();
        let fill = |buffer: &mut [u8]| read.read(buffer);
        let tail = survey_stream(
            fill,
            |type_name| interest(type_name, with_timeline),
            |piece| {
                self.feed_scanned(piece);
                Ok::<(), io::Error>(())
            },
        )?;
        self.finish_with_tail(tail)
    }

    /// Ends the audit of the bytes that were fed.
    ///
    /// # Errors
    ///
    /// [`AuditError::BeyondEnd`] if the options name a line that the log does not have.
    pub fn finish(self) -> Result<LogAudit, AuditError> {
        let tail = self.splitter.tail();
        self.finish_with_tail(tail)
    }

    /// The report on the complete lines so far, as if the log ended there.
    ///
    /// # Errors
    ///
    /// [`AuditError::BeyondEnd`] if the options name a line that was not fed yet.
    pub fn audit_so_far(&self) -> Result<LogAudit, AuditError> {
        self.clone().finish_with_tail(Tail::Clean)
    }

    fn scan<'b>(&self, lines: &'b [u8]) -> Survey<'b, PackageAction> {
        let with_timeline = self.timeline.is_some();
        survey(lines, |type_name| interest(type_name, with_timeline))
    }

    fn feed_scanned(&mut self, piece: Piece<'_, PackageAction>) {
        match piece {
            Piece::Lines(block) => self.feed_lines(block),
            Piece::LongPart { part, ends_line } => {
                let auditing = self.is_auditing();
                self.log.take_long(part, ends_line);
                if ends_line && auditing {
                    self.integrity.corrupt_line(self.log.lines(), &LineError::too_long(), &mut self.findings);
                }
            }
        }
    }

    fn feed_lines(&mut self, block: Survey<'_, PackageAction>) {
        if !self.is_auditing() {
            return self.log.pass(block.bytes());
        }
        let left = self.cutoff.map_or(u64::MAX, |cutoff| cutoff - self.log.lines());
        if left < block.lines() {
            // The audited lines end within the block.
            let (audited, rest) = block.split(left);
            self.feed_lines(self.scan(audited));
            return self.log.pass(rest);
        }
        if let Some(position) = block.first_crlf() {
            self.integrity.crlf_line(self.log.lines() + position + 1, &mut self.findings);
        }
        let mut log = std::mem::take(&mut self.log);
        let Ok(()) = log.take(block, |seen, place| {
            self.visit_line(seen, place);
            Ok::<(), Infallible>(())
        });
        self.log = log;
    }

    fn is_auditing(&self) -> bool {
        self.integrity.stopped_at().is_none() && self.cutoff.is_none_or(|cutoff| self.log.lines() < cutoff)
    }

    fn finish_with_tail(mut self, tail: Tail) -> Result<LogAudit, AuditError> {
        let lines = self.log.lines();
        if let Some(line) = self.cutoff.filter(|line| *line > lines) {
            return Err(AuditError::BeyondEnd { line, lines });
        }
        let head = self.cutoff.and_then(|cutoff| self.log.kept(cutoff)).unwrap_or_else(|| self.log.head());
        let trusted = |head: Option<Head>| head.map(|head| TrustedHead::check(head, self.log.kept(head.lines)));
        let (extends, since) = (trusted(self.options.extends), trusted(self.options.since));
        let about_extends = extends.and_then(|extends| extends.extends_finding(self.log.head()));
        let about_since = since.and_then(|since| since.since_finding(head.lines));
        about_extends.into_iter().chain(about_since).for_each(|finding| self.findings.push(finding));
        self.end_run(self.integrity.stopped_at().unwrap_or(head.lines + 1));
        let (sidecar, about_sidecar) = self.sidecar.finish(self.integrity.stopped_at().is_none());
        about_sidecar.into_iter().for_each(|finding| self.findings.push(finding));
        let collected = Collected {
            head,
            // The prefix of a cutoff has no tail.
            tail: if self.cutoff.is_some() { Tail::Clean } else { tail },
            any_chained: self.log.chain().any_chained(),
            any_unchained: self.log.chain().any_foreign(),
            state: self.state,
            decisions: self.decisions,
            findings: self.findings,
            sidecar,
            since: since.and_then(|since| since.within(head.lines)),
            timeline: self.timeline.map(|timeline| {
                let (entries, rehearsals) = timeline.finish();
                CollectedTimeline { entries, rehearsals, runs: self.runs.into_spans() }
            }),
        };
        Ok(conclude(collected, &self.options))
    }

    fn visit_line(&mut self, seen: Seen<PackageAction>, place: &mut Place<'_>) {
        let Seen { line, what, followed } = seen;
        if followed.begins_foreign_stretch {
            report_unchained_segment(line, &mut self.findings);
        }
        let basis_matches = report_chain_errors(line, &followed.breaks, &mut self.findings);
        match what {
            None => {}
            Some(What::Corrupt(error)) => self.integrity.corrupt_line(line, &error, &mut self.findings),
            Some(What::Blank) => self.integrity.blank_line(line, &mut self.findings),
            Some(What::Brief { kind, package }) => self.runs.record_action(line, kind, &package, &mut self.findings),
            Some(What::Event(event)) => {
                let details = self.timeline.as_ref().and_then(|_| EventDetails::from_event(line, &event));
                if affects_gate(event.event_type.name()) {
                    self.visit_gate_event(&LogEntry { line, event: *event }, place, basis_matches);
                } else {
                    self.visit_run_event(line, &event);
                }
                if let (Some(details), Some(timeline)) = (details, &mut self.timeline) {
                    let trusted = !self.findings.breaks_integrity();
                    let gate = self.decisions.gate_report(self.options.plan_id.as_ref(), &self.state, trusted);
                    timeline.push(details, &self.state, gate.map(Into::into));
                }
            }
        }
    }

    /// Visits an event that the fold or a decision depends on.
    fn visit_gate_event(&mut self, entry: &LogEntry, place: &mut Place<'_>, basis_matches: bool) {
        let (line, state, findings) = (entry.line, &self.state, &mut self.findings);
        self.gate_events.check(entry, state, findings);
        match &entry.event.event_type {
            EventType::GateEvaluated(event) => {
                let slot = self.authorities.receipt_slot();
                self.decisions.record(line, event, basis_matches, state, slot, findings);
            }
            EventType::PlanCreated(plan) => {
                self.end_run(line);
                let (state, findings) = (&self.state, &mut self.findings);
                self.runs.start(line, plan, state, &self.authorities, &mut self.decisions, findings);
            }
            EventType::RehearsalStarted(_) => self.authorities.rehearsal_started(),
            EventType::Unknown(_) => self.decisions.unknown_gate_event(line),
            _ => {}
        }
        self.state.evolve(entry);
        if matches!(entry.event.event_type, EventType::RehearsalComplete(_))
            && let Some(receipt) = self.state.receipt()
        {
            self.authorities.rehearsal_completed(receipt.start.is_some());
            self.decisions.rehearsal_completed(receipt);
            self.sidecar.rehearsal_completed(receipt, || place.head());
        }
    }

    /// Visits an event that neither the fold nor a decision depends on.
    fn visit_run_event(&mut self, line: u64, event: &Event) {
        match &event.event_type {
            EventType::ExecutionStarted(_) => {
                self.end_run(line);
                self.authorities.execution_started();
            }
            EventType::ExecutionFinished(finished) => {
                self.runs.end(line, Some(&finished.result), &mut self.decisions, &mut self.findings);
            }
            // It is built only for a timeline.
            EventType::PackagePublished(_) => {
                self.runs.record_action(line, PackageAction::Published, &event.package, &mut self.findings);
            }
            EventType::RegistryPolicyApplied(applied) => self.authorities.policy_applied(applied),
            EventType::AuthEvidenceRecorded(recorded) => {
                let evidence = recorded.evidence.get();
                if let Some(registry) = evidence.and_then(|evidence| evidence.registry.get()) {
                    self.runs.set_live_registry(registry);
                }
            }
            EventType::Unknown(unknown) => {
                report_unknown(FindingCode::UnknownEvent, line, &unknown.name, &mut self.findings);
            }
            _ => {}
        }
    }

    /// Ends a run that no event of its own ended, before a line.
    fn end_run(&mut self, before: u64) {
        let last_line = self.integrity.last_event_line(before);
        self.runs.end(last_line, None, &mut self.decisions, &mut self.findings);
    }
}

/// The parts of an event that the audit needs, by the event's type: those on which the fold, the chain or the decisions
/// depend are built whole. Of actions on packages only the package is needed; a timeline also needs the times of publishes.
fn interest(type_name: &str, with_timeline: bool) -> Regard<PackageAction> {
    match type_name {
        "package_attempted" => Regard::Brief(PackageAction::Attempted),
        "package_uploaded" => Regard::Brief(PackageAction::Uploaded),
        "package_published" if with_timeline => Regard::Whole,
        "package_published" => Regard::Brief(PackageAction::Published),
        "package_skipped" => Regard::Brief(PackageAction::Skipped),
        "package_failed" => Regard::Brief(PackageAction::Failed),
        "execution_started" | "execution_finished" | "registry_policy_applied" | "auth_evidence_recorded" => {
            Regard::Whole
        }
        _ if affects_gate(type_name) || !EventType::is_known(type_name) => Regard::Whole,
        _ => Regard::Quiet,
    }
}
