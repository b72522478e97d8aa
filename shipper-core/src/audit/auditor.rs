//! The auditor: fed a log's bytes, it follows them to the end.

use std::borrow::Cow;

use shipper_events::{
    Break, Chain, Corruption, Cut, Entry, Event, EventType, Head, Line, Loose, Prefix, Record, Splitter, Tail, neutral,
    parse_line,
};
use thiserror::Error;
use time::OffsetDateTime;

use super::authority::AuthorityWatch;
use super::demand::{At, Demand};
use super::finding::{Code, Raised, Subject};
use super::kept::KeptHead;
use super::ledger::Ledger;
use super::locator::Locator;
use super::report::Audit;
use super::snapshot::{SidecarInput, SidecarWatch};
use super::take::Deed;
use super::wording::number;
use crate::state::{State, is_gate_name};

/// Audits a log that is fed to it in pieces of any size; see the [module](super) for what it does.
///
/// ```
/// use shipper_core::audit::{Auditor, Begin, Demand, SidecarInput};
/// let begin = Auditor::begin(Demand::default(), SidecarInput::NotLookedFor);
/// let Begin::Audit(mut auditor) = begin else { panic!("no time was demanded") };
/// auditor.feed(b"{\"timestamp\":\"2026-11-23T08:00:00Z\",\"event_type\":{\"type\":\"exec");
/// auditor.feed(b"ution_started\"},\"package\":\"all\"}\n");
/// let audit = auditor.finish()?;
/// assert_eq!((audit.lines, audit.bytes), (1, 95));
/// # Ok::<(), shipper_core::audit::AuditError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Auditor {
    pub(super) demand: Demand,
    splitter: Splitter,
    pub(super) prefix: Prefix,
    /// How many lines are judged; `None` for all.
    cut: Option<u64>,
    /// The head of the judged prefix, once the cut is reached.
    pub(super) judged: Option<Head>,
    /// Whether a corrupt line ended the judging.
    pub(super) stopped: bool,
    pub(super) chain: Chain,
    pub(super) state: State,
    pub(super) ledger: Ledger,
    hosts: AuthorityWatch,
    pub(super) sidecar: SidecarWatch,
    pub(super) raised: Vec<Raised>,
    crlf_noted: bool,
    latest_stamp: Option<OffsetDateTime>,
    /// The line of the last event that was judged: there a run ends that nothing else ends.
    last_event: u64,
    extends: Option<KeptHead>,
    since: Option<KeptHead>,
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
pub fn audit(log: &[u8], sidecar: SidecarInput, demand: &Demand) -> Result<Audit, AuditError> {
    let mut auditor = match Auditor::begin(demand.clone(), sidecar) {
        Begin::Audit(auditor) => auditor,
        Begin::Locate(mut locator) => {
            locator.feed(log);
            locator.found()
        }
    };
    auditor.feed(log);
    auditor.finish()
}

impl Auditor {
    /// Begins an audit under a demand, with the sidecar that the log is compared with.
    pub fn begin(demand: Demand, sidecar: SidecarInput) -> Begin {
        let at = demand.at.clone();
        let auditor = Self::new(demand, sidecar);
        match at {
            None => Begin::Audit(auditor),
            Some(At::Line(line)) => Begin::Audit(auditor.up_to(line)),
            Some(At::Timestamp(until)) => Begin::Locate(Locator::new(auditor, until)),
        }
    }

    fn new(demand: Demand, sidecar: SidecarInput) -> Self {
        Self {
            splitter: Splitter::new(),
            prefix: Prefix::new(),
            cut: None,
            judged: None,
            stopped: false,
            chain: Chain::new(),
            state: State::default(),
            ledger: Ledger::new(demand.registry.clone()),
            hosts: AuthorityWatch::default(),
            sidecar: SidecarWatch::new(sidecar),
            raised: Vec::new(),
            crlf_noted: false,
            latest_stamp: None,
            last_event: 0,
            extends: demand.extends.map(KeptHead::new),
            since: demand.since.map(KeptHead::new),
            demand,
        }
    }

    pub(super) fn up_to(mut self, line: u64) -> Self {
        self.cut = Some(line);
        self.check_cut();
        self
    }

    /// Takes the next bytes of the log, cut anywhere.
    pub fn feed(&mut self, mut piece: &[u8]) {
        let mut splitter = std::mem::take(&mut self.splitter);
        while let Some(cut) = splitter.next(&mut piece) {
            match cut {
                Cut::Line(line) => {
                    if self.is_judging() {
                        self.judge(line);
                    }
                    self.prefix.push_line(line);
                    self.check_kept();
                }
                Cut::LongPart { part, ends_line } => {
                    self.prefix.push_part(part, ends_line);
                    if ends_line {
                        if self.is_judging() {
                            self.corrupt(self.prefix.lines(), &Corruption::too_long());
                        }
                        self.check_kept();
                    }
                }
            }
            self.check_cut();
        }
        self.splitter = splitter;
    }

    /// Ends the audit.
    ///
    /// # Errors
    ///
    /// When the demand names a line that the log does not have.
    pub fn finish(mut self) -> Result<Audit, AuditError> {
        if let Some(line) = self.cut.filter(|_| self.judged.is_none()) {
            let lines = self.prefix.lines();
            return Err(AuditError::BeyondEnd { line, lines });
        }
        let about_extends = self.extends.and_then(|kept| kept.not_extended(&self.prefix));
        let about_since = self.since.and_then(|kept| kept.not_found());
        for (code, message) in [about_extends, about_since].into_iter().flatten() {
            self.raise_about_log(code, None, message);
        }
        self.ledger.run_ended(self.last_event, None);
        Ok(self.conclude())
    }

    fn is_judging(&self) -> bool {
        !self.stopped && self.judged.is_none()
    }

    /// The head up to which everything has been dealt with, if it is one of this log.
    pub(super) fn dealt_with(&self) -> Option<Head> {
        self.since?.fitting()
    }

    /// The tail of what is judged: a prefix that was asked for has none.
    pub(super) fn tail(&self) -> Tail {
        if self.judged.is_some() { Tail::Clean } else { self.splitter.tail() }
    }

    pub(super) fn raise_about_log(&mut self, code: Code, line: Option<u64>, message: impl Into<Cow<'static, str>>) {
        self.raised.push(Raised { code, line, message: message.into(), subject: Subject::Log });
    }

    fn check_cut(&mut self) {
        if self.judged.is_none() && self.cut == Some(self.prefix.lines()) {
            self.judged = Some(self.prefix.head());
        }
    }

    /// `--extends` speaks of the whole file, `--since` of what is judged.
    fn check_kept(&mut self) {
        if let Some(extends) = &mut self.extends {
            extends.check(&self.prefix);
        }
        if let Some(since) = self.since.as_mut().filter(|_| self.judged.is_none()) {
            since.check(&self.prefix);
        }
    }

    fn corrupt(&mut self, line: u64, corruption: &Corruption) {
        self.stopped = true;
        self.raise_about_log(Code::CorruptLine, Some(line), corruption.to_string());
    }

    fn judge(&mut self, bytes: &[u8]) {
        let line = self.prefix.lines() + 1;
        let parsed = match parse_line(bytes) {
            Ok(parsed) => parsed,
            Err(corruption) => return self.corrupt(line, &corruption),
        };
        if bytes.ends_with(b"\r\n") && !std::mem::replace(&mut self.crlf_noted, true) {
            self.raise_about_log(Code::CrlfLineEndings, Some(line), "the line ends with CR LF");
        }
        let followed = self.chain.follow(bytes, &parsed, &self.prefix);
        if followed.begins_foreign_stretch {
            let message = "lines that are not chained begin here, after chained ones";
            self.raise_about_log(Code::ForeignLines, Some(line), message);
        }
        let mut basis_fits = true;
        for broken in followed.breaks {
            let code = match broken {
                Break::Basis => {
                    // Said by the ledger, about the decision.
                    basis_fits = false;
                    continue;
                }
                Break::AdoptedHead => Code::HeadMismatch,
                _ => Code::ChainBroken,
            };
            self.raise_about_log(code, Some(line), broken.to_string());
        }
        match parsed {
            Line::Blank => self.raise_about_log(Code::BlankLine, Some(line), "the line is blank: no event"),
            Line::Event(record) => {
                if concerns_the_gate(record.type_name()) {
                    let event = record.into_event();
                    self.gate_event(&Entry { line, event }, bytes, basis_fits);
                } else {
                    self.other_event(line, &record);
                }
                self.last_event = line;
            }
        }
    }

    /// An event of a type that the fold or the decisions depend on.
    fn gate_event(&mut self, entry: &Entry, bytes: &[u8], basis_fits: bool) {
        let line = entry.line;
        let Event { event_type, timestamp, .. } = &entry.event;
        let instant = timestamp.instant();
        let adoption_or_repair = matches!(
            event_type,
            EventType::LogAdopted(_) | EventType::TailRepaired(_) | EventType::LogContinued(_) | EventType::Unknown(_)
        );
        if !adoption_or_repair && self.latest_stamp.replace(instant).is_some_and(|latest| instant < latest) {
            let message = "it is stamped earlier than the gate event before it";
            self.raise_about_log(Code::TimeWentBackwards, Some(line), message);
        }
        match event_type {
            EventType::GateEvaluated(event) => {
                self.ledger.gate_evaluated(line, event, basis_fits, &self.state, &self.hosts);
            }
            EventType::PlanCreated(plan) => {
                self.ledger.run_ended(self.last_event, None);
                self.ledger.run_started(line, plan, &self.state, &self.hosts);
            }
            EventType::RehearsalStarted(_) => {
                if let Some(open) = self.state.open() {
                    let message = format!("the rehearsal started on line {} was never completed", open.start.line);
                    self.raise_about_log(Code::RehearsalAbandoned, Some(line), message);
                }
                self.hosts.rehearsal_started();
            }
            EventType::RehearsalPackagePublished(_)
            | EventType::RehearsalPackageFailed(_)
            | EventType::RehearsalSmokeCheckFailed(_)
                if self.state.open().is_none() =>
            {
                let message = format!("{} with no rehearsal open", event_type.name());
                self.raise_about_log(Code::StrayRehearsalEvent, Some(line), message);
            }
            EventType::TailRepaired(repaired) => {
                let message = format!("{} bytes of a torn line were cut off here", number(&repaired.bytes));
                self.raise_about_log(Code::TailRepaired, Some(line), message);
            }
            EventType::Unknown(unknown) => {
                let name = neutral(&unknown.name).at_most(60);
                let message = format!("{name} is not an event that this version knows");
                self.raise_about_log(Code::UnknownGateEvent, Some(line), message);
                self.ledger.unknown_gate_event(line);
            }
            _ => {}
        }
        self.state.evolve(entry);
        if matches!(entry.event.event_type, EventType::RehearsalComplete(_)) {
            self.completed(bytes);
        }
    }

    /// The line made a receipt.
    fn completed(&mut self, bytes: &[u8]) {
        let Some(receipt) = self.state.receipt() else {
            return;
        };
        self.hosts.rehearsal_completed(receipt.start.is_some());
        self.ledger.rehearsal_completed(receipt);
        let prefix = &self.prefix;
        self.sidecar.completed(receipt, || {
            let mut with_line = prefix.clone();
            with_line.push_line(bytes);
            with_line.head()
        });
    }

    /// An event that neither the fold nor a decision depends on.
    fn other_event(&mut self, line: u64, record: &Record<'_>) {
        let deed = match record.type_name() {
            "package_attempted" => Some(Deed::Attempted),
            "package_uploaded" => Some(Deed::Uploaded),
            "package_published" => Some(Deed::Published),
            "package_skipped" => Some(Deed::Skipped),
            "package_failed" => Some(Deed::Failed),
            _ => None,
        };
        if let Some(deed) = deed {
            return self.ledger.deed(line, deed, record.package());
        }
        match record.type_name() {
            "execution_started" => {
                self.ledger.run_ended(self.last_event, None);
                self.hosts.execution_started();
            }
            "execution_finished" => {
                let result = match record.event_type() {
                    EventType::ExecutionFinished(finished) => text(&finished.result),
                    _ => None,
                };
                self.ledger.run_ended(line, result);
            }
            "registry_policy_applied" => {
                if let EventType::RegistryPolicyApplied(applied) = record.event_type() {
                    self.hosts.policy_applied(&applied);
                }
            }
            "auth_evidence_recorded" => {
                if let EventType::AuthEvidenceRecorded(recorded) = record.event_type()
                    && let Some(registry) = recorded.evidence.typed().and_then(|evidence| evidence.registry.typed())
                {
                    self.ledger.publishes_to(registry);
                }
            }
            name if !EventType::is_known(name) => {
                let name = neutral(name).at_most(60);
                let message = format!("{name} is not an event that this version knows");
                self.raise_about_log(Code::UnknownEvent, Some(line), message);
            }
            _ => {}
        }
    }
}

/// How a run finished, as it says; a newer shape of it as it stands.
fn text(result: &Loose<String>) -> Option<String> {
    match result {
        Loose::Absent => None,
        Loose::Typed(text) => Some(text.clone()),
        Loose::Other(json) => Some(json.text().to_owned()).filter(|text| text != "null"),
    }
}

/// Whether events of that type are built: those that the fold, the chain or the decisions look into.
fn concerns_the_gate(type_name: &str) -> bool {
    is_gate_name(type_name) || matches!(type_name, "plan_created" | "log_adopted" | "tail_repaired" | "log_continued")
}
