//! The auditor: fed a log's bytes, it follows them to the end.

use std::borrow::Cow;
use std::io::{self, Read};
use std::ops::ControlFlow;

use shipper_events::event::Lenient;
use shipper_events::scan::{Interest, LineContent, LineCursor, LogScanner, LogVisitor, VerifiedLine};
use shipper_events::{ChainError, Event, EventKind, EventType, Head, LineError, LogEntry, Tail, display_safe};
use thiserror::Error;
use time::OffsetDateTime;

use super::authority::AuthorityWatch;
use super::demand::{AsOf, AuditOptions};
use super::finding::{FindingCode, Raised};
use super::kept::KeptHead;
use super::ledger::Ledger;
use super::locator::Locator;
use super::mark::{Label, LabelTarget, member};
use super::report::LogAudit;
use super::snapshot::{SidecarInput, SidecarWatch};
use super::take::PackageAction;
use super::timeline::{Said, Timeline, timeline_interest};
use super::wording::number;
use crate::fold::{GateState, is_reserved_event_type};

/// Audits a log that is fed to it in pieces of any size; see the [module](super) for what it does.
///
/// ```
/// use shipper_core::audit::{Auditor, Begin, AuditOptions, SidecarInput};
/// let begin = Auditor::begin(AuditOptions::default(), SidecarInput::NotRequested);
/// let Begin::Audit(mut auditor) = begin else { panic!("no time was demanded") };
/// auditor.feed(b"{\"timestamp\":\"2026-11-23T08:00:00Z\",\"event_type\":{\"type\":\"exec");
/// auditor.feed(b"ution_started\"},\"package\":\"all\"}\n");
/// let audit = auditor.finish()?;
/// assert_eq!((audit.lines, audit.bytes), (1, 95));
/// # Ok::<(), shipper_core::audit::AuditError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Auditor {
    pub(super) demand: AuditOptions,
    pub(super) log: LogScanner,
    /// How many lines are judged; `None` for all.
    cut: Option<u64>,
    /// The corrupt line that ended the judging.
    pub(super) stopped: Option<u64>,
    pub(super) state: GateState,
    pub(super) ledger: Ledger,
    hosts: AuthorityWatch,
    pub(super) sidecar: SidecarWatch,
    pub(super) raised: Vec<Raised>,
    /// The latest gate event's time and line.
    latest_stamp: Option<(OffsetDateTime, u64)>,
    /// The first and the last of the latest blank lines in a row.
    blank: (u64, u64),
    pub(super) timeline: Option<Timeline>,
}

/// How an audit begins.
#[derive(Debug, Clone)]
pub enum Begin {
    /// The auditor can be fed at once.
    Audit(Auditor),
    /// The demand names a time: feed the log to the locator first, then again to the auditor that it finds.
    Locate(Locator),
}

/// The demand does not fit the log.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AuditError {
    /// The line that the demand names is beyond the end.
    #[error("there is no line {line} in this log, which has {lines} lines")]
    BeyondEnd {
        /// The line that was demanded.
        line: u64,
        /// How many complete lines the log has.
        lines: u64,
    },
}

/// Audits a whole log in memory.
///
/// # Errors
///
/// When the demand names a line that the log does not have.
#[expect(clippy::expect_used, reason = "reading from memory does not fail")]
pub fn audit(log: &[u8], sidecar: SidecarInput, demand: &AuditOptions) -> Result<LogAudit, AuditError> {
    let mut auditor = match Auditor::begin(demand.clone(), sidecar) {
        Begin::Audit(auditor) => auditor,
        Begin::Locate(locator) => locator.locate(log).expect("invariant: memory can be read"),
    };
    auditor.feed(log);
    auditor.finish()
}

impl Auditor {
    /// Begins an audit under a demand, with the sidecar that the log is compared with.
    pub fn begin(demand: AuditOptions, sidecar: SidecarInput) -> Begin {
        let at = demand.at.clone();
        let auditor = Self::new(demand, sidecar);
        match at {
            None => Begin::Audit(auditor),
            Some(AsOf::Line(line)) => Begin::Audit(auditor.up_to(line)),
            Some(AsOf::Timestamp(until)) => Begin::Locate(Locator::new(auditor, until)),
        }
    }

    fn new(demand: AuditOptions, sidecar: SidecarInput) -> Self {
        let mut auditor = Self {
            log: LogScanner::new(),
            cut: None,
            stopped: None,
            state: GateState::default(),
            ledger: Ledger::new(demand.registry.clone()),
            hosts: AuthorityWatch::default(),
            sidecar: SidecarWatch::new(sidecar),
            raised: Vec::new(),
            latest_stamp: None,
            blank: (0, 0),
            timeline: None,
            demand,
        };
        for head in [auditor.demand.extends, auditor.demand.since].into_iter().flatten() {
            auditor.log.track_head(head.lines);
        }
        auditor
    }

    pub(super) fn up_to(mut self, line: u64) -> Self {
        self.cut = Some(line);
        self.log = self.log.with_cutoff(line);
        self
    }

    /// Takes the next bytes of the log, cut anywhere.
    pub fn feed(&mut self, bytes: &[u8]) {
        let mut log = std::mem::take(&mut self.log);
        // An audit does not break.
        let _ = log.feed(bytes, self);
        self.log = log;
    }

    /// Reads the rest of the log, on several threads if it is long.
    ///
    /// # Errors
    ///
    /// Those of `read`.
    pub fn read_to_end(&mut self, read: impl Read) -> io::Result<()> {
        let mut log = std::mem::take(&mut self.log);
        let ended = log.read_to_end(read, self);
        self.log = log;
        ended.map(|_| ())
    }

    /// Ends the audit of a log that was fed.
    ///
    /// # Errors
    ///
    /// When the demand names a line that the log does not have.
    pub fn finish(self) -> Result<LogAudit, AuditError> {
        let tail = self.log.tail();
        self.end(tail)
    }

    /// Ends the audit of a log that was fed, and has that tail.
    ///
    /// # Errors
    ///
    /// When the demand names a line that the log does not have.
    pub fn end(mut self, tail: Tail) -> Result<LogAudit, AuditError> {
        let lines = self.log.lines();
        if let Some(line) = self.cut.filter(|line| *line > lines) {
            return Err(AuditError::BeyondEnd { line, lines });
        }
        if let Some(line) = self.log.first_crlf() {
            self.raised.push(Raised::about_log(FindingCode::CrlfLineEndings, Some(line), "the line ends with CR LF"));
        }
        let head = self.judged();
        let judged = head.lines;
        let about_extends = self.kept(self.demand.extends).and_then(|kept| kept.not_extended(&self.log));
        let about_since = self.kept(self.demand.since).and_then(|kept| kept.not_found(judged));
        for (code, message) in [about_extends, about_since].into_iter().flatten() {
            self.raised.push(Raised::about_log(code, None, message));
        }
        let after = self.stopped.unwrap_or(judged + 1);
        self.ledger.run_ended(self.last_event(after), None);
        // A prefix that was asked for has no tail.
        let tail = if self.cut.is_some() { Tail::Clean } else { tail };
        Ok(self.conclude(head, tail))
    }

    /// The head of what is judged.
    fn judged(&self) -> Head {
        self.cut.and_then(|cut| self.log.tracked_head(cut)).unwrap_or_else(|| self.log.head())
    }

    /// The last event before a line: there a run ends that nothing else ends.
    fn last_event(&self, before: u64) -> u64 {
        let ((first_blank, last_blank), last) = (self.blank, before.saturating_sub(1));
        if last_blank == last { first_blank.saturating_sub(1) } else { last }
    }

    fn kept(&self, head: Option<Head>) -> Option<KeptHead> {
        Some(KeptHead::look_for(head?, &self.log))
    }

    /// The head up to which everything has been dealt with, if it is one of the first so many lines.
    pub(super) fn dealt_with(&self, judged: u64) -> Option<Head> {
        self.kept(self.demand.since)?.fitting(judged)
    }

    fn raise(&mut self, code: FindingCode, line: u64, message: impl Into<Cow<'static, str>>, marks: &[Label]) {
        self.raised.push(Raised::about_log(code, Some(line), message).marked(marks.iter().copied()));
    }

    fn corrupt(&mut self, line: u64, corruption: &LineError) {
        self.stopped = Some(line);
        let place = Label::new(line, LabelTarget::Offset(corruption.offset), "");
        self.raise(FindingCode::CorruptLine, line, corruption.to_string(), &[place]);
    }

    fn judge(&mut self, verified: VerifiedLine, cursor: &mut LineCursor<'_>) {
        let VerifiedLine { line, content, errors, starts_unchained_segment, .. } = verified;
        if starts_unchained_segment {
            let message = "lines that are not chained begin here, after chained ones";
            self.raise(FindingCode::ForeignLines, line, message, &[]);
        }
        let mut basis_fits = true;
        for broken in errors {
            let code = match broken {
                ChainError::BasisMismatch => {
                    // Said by the ledger, about the decision.
                    basis_fits = false;
                    continue;
                }
                ChainError::AdoptedHeadMismatch => FindingCode::HeadMismatch,
                _ => FindingCode::ChainBroken,
            };
            self.raise(code, line, broken.to_string(), &marks_of_break(&broken, line));
        }
        match content {
            None => {}
            Some(LineContent::Corrupt(corruption)) => self.corrupt(line, &corruption),
            Some(LineContent::Blank) => {
                let (first, last) = self.blank;
                self.blank = (if last + 1 == line && last > 0 { first } else { line }, line);
                self.raise(FindingCode::BlankLine, line, "the line is blank: no event", &[]);
            }
            Some(LineContent::Package { kind, package }) => {
                if let Some(action) = package_action(kind) {
                    self.ledger.deed(line, action, &package);
                }
            }
            Some(LineContent::Event(event)) => {
                let said = if self.keeps_timeline() { Said::by(line, &event) } else { None };
                if concerns_the_gate(event.event_type.name()) {
                    self.gate_event(&LogEntry { line, event: *event }, cursor, basis_fits);
                } else {
                    self.other_event(line, &event);
                }
                if let Some(said) = said {
                    self.remember(said);
                }
            }
        }
    }

    /// An event of a type that the fold or the decisions depend on.
    fn gate_event(&mut self, entry: &LogEntry, cursor: &mut LineCursor<'_>, basis_fits: bool) {
        let line = entry.line;
        let Event { event_type, timestamp, .. } = &entry.event;
        let instant = timestamp.instant();
        let adoption_or_repair = matches!(
            event_type,
            EventType::LogAdopted(_) | EventType::TailRepaired(_) | EventType::LogContinued(_) | EventType::Unknown(_)
        );
        if !adoption_or_repair {
            let before = self.latest_stamp.replace((instant, line));
            if let Some((_, before)) = before.filter(|(latest, _)| instant < *latest) {
                let message = "it is stamped earlier than the gate event before it";
                let later = Label::new(before, member::TIMESTAMP, "the gate event before it");
                self.raise(FindingCode::TimeWentBackwards, line, message, &[later]);
            }
        }
        match event_type {
            EventType::GateEvaluated(event) => {
                self.ledger.gate_evaluated(line, event, basis_fits, &self.state, &self.hosts);
            }
            EventType::PlanCreated(plan) => {
                self.ledger.run_ended(self.last_event(line), None);
                self.ledger.run_started(line, plan, &self.state, &self.hosts);
            }
            EventType::RehearsalStarted(_) => {
                if let Some(open) = self.state.open_rehearsal() {
                    let failed = if open.failed { ", and a failure is marked in it" } else { "" };
                    let message =
                        format!("the rehearsal started on line {} was never completed{failed}", open.start.line);
                    let open = Label::new(open.start.line, member::TYPE, "never completed");
                    self.raise(FindingCode::RehearsalAbandoned, line, message, &[open]);
                }
                self.hosts.rehearsal_started();
            }
            EventType::RehearsalPackagePublished(_)
            | EventType::RehearsalPackageFailed(_)
            | EventType::RehearsalSmokeCheckFailed(_)
                if self.state.open_rehearsal().is_none() =>
            {
                let message = format!("{} with no rehearsal open", event_type.name());
                self.raise(FindingCode::StrayRehearsalEvent, line, message, &[]);
            }
            EventType::TailRepaired(repaired) => {
                let message = format!("{} bytes of a torn line were cut off here", number(&repaired.bytes));
                self.raise(FindingCode::TailRepaired, line, message, &[]);
            }
            EventType::Unknown(unknown) => {
                let name = display_safe(&unknown.name).max_chars(60);
                let message = format!("{name} is not an event that this version knows");
                self.raise(FindingCode::UnknownGateEvent, line, message, &[]);
                self.ledger.unknown_gate_event(line);
            }
            _ => {}
        }
        self.state.evolve(entry.line, &entry.event);
        if matches!(entry.event.event_type, EventType::RehearsalComplete(_)) {
            self.completed(cursor);
        }
    }

    /// The line made a receipt.
    fn completed(&mut self, cursor: &mut LineCursor<'_>) {
        let Some(receipt) = self.state.receipt() else {
            return;
        };
        self.hosts.rehearsal_completed(receipt.start.is_some());
        self.ledger.rehearsal_completed(receipt);
        self.sidecar.completed(receipt, || cursor.head());
    }

    /// An event that neither the fold nor a decision depends on.
    fn other_event(&mut self, line: u64, event: &Event) {
        match &event.event_type {
            EventType::ExecutionStarted(_) => {
                self.ledger.run_ended(self.last_event(line), None);
                self.hosts.execution_started();
            }
            EventType::ExecutionFinished(finished) => self.ledger.run_ended(line, text(&finished.result)),
            // Built only for a timeline.
            EventType::PackagePublished(_) => self.ledger.deed(line, PackageAction::Published, &event.package),
            EventType::RegistryPolicyApplied(applied) => self.hosts.policy_applied(applied),
            EventType::AuthEvidenceRecorded(recorded) => {
                let evidence = recorded.evidence.get();
                if let Some(registry) = evidence.and_then(|evidence| evidence.registry.get()) {
                    self.ledger.publishes_to(registry);
                }
            }
            EventType::Unknown(unknown) => {
                let name = display_safe(&unknown.name).max_chars(60);
                let message = format!("{name} is not an event that this version knows");
                self.raise(FindingCode::UnknownEvent, line, message, &[]);
            }
            _ => {}
        }
    }
}

/// What shows that a line does not follow those before it.
fn marks_of_break(broken: &ChainError, line: u64) -> Vec<Label> {
    let before = |label| (line > 1).then(|| Label::new(line - 1, LabelTarget::Line, label));
    let (spot, before) = match broken {
        ChainError::SeqMismatch { .. } => (member::SEQ, None),
        ChainError::PrevMismatch { .. } => (member::PREV, before("the line that it speaks of")),
        ChainError::MissingAdoption => (member::TYPE, before("a line that is not chained")),
        _ => return Vec::new(),
    };
    before.into_iter().chain([Label::new(line, spot, "")]).collect()
}

/// How a run finished, as it says; a newer shape of it as it stands.
pub(super) fn text(result: &Lenient<String>) -> Option<String> {
    match result {
        Lenient::Absent => None,
        Lenient::Valid(text) => Some(text.clone()),
        Lenient::Other(json) => Some(json.text().to_owned()).filter(|text| text != "null"),
    }
}

impl LogVisitor for Auditor {
    fn interest(&self) -> fn(&str) -> Interest {
        if self.keeps_timeline() { timeline_interest } else { interest }
    }

    fn visit(&mut self, line: VerifiedLine, cursor: &mut LineCursor<'_>) -> ControlFlow<()> {
        self.judge(line, cursor);
        ControlFlow::Continue(())
    }
}

/// The interest of an audit in a type of event: those that the fold, the chain or the decisions depend on are built, and
/// of what happens to packages only the package is of interest.
pub(super) fn interest(type_name: &str) -> Interest {
    match EventKind::from_name(type_name) {
        Some(kind) if package_action(kind).is_some() => Interest::PackageOnly,
        None
        | Some(
            EventKind::ExecutionStarted
            | EventKind::ExecutionFinished
            | EventKind::RegistryPolicyApplied
            | EventKind::AuthEvidenceRecorded,
        ) => Interest::Full,
        Some(_) if concerns_the_gate(type_name) => Interest::Full,
        Some(_) => Interest::Skip,
    }
}

fn package_action(kind: EventKind) -> Option<PackageAction> {
    Some(match kind {
        EventKind::PackageAttempted => PackageAction::Attempted,
        EventKind::PackageUploaded => PackageAction::Uploaded,
        EventKind::PackagePublished => PackageAction::Published,
        EventKind::PackageSkipped => PackageAction::Skipped,
        EventKind::PackageFailed => PackageAction::Failed,
        _ => return None,
    })
}

pub(super) fn concerns_the_gate(type_name: &str) -> bool {
    is_reserved_event_type(type_name)
        || matches!(type_name, "plan_created" | "log_adopted" | "tail_repaired" | "log_continued")
}
