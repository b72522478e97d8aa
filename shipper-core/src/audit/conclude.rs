//! The end of an audit: statuses, what the demand leaves out or weighs otherwise, and the conclusion.

use shipper_events::{Head, Tail};

use super::auditor::Auditor;
use super::conclusion::Conclusion;
use super::decision::{Decision, DecisionStatus, UnprovenCause, VerdictSummary};
use super::demand::AuditOptions;
use super::finding::{Finding, FindingCode, Level, Raised, Subject};
use super::ledger::{Made, Question};
use super::mark::{Label, member};
use super::report::{GateReport, Integrity, LogAudit, RegistrySource, SidecarStatus, TailStatus};
use super::take::ask;
use crate::gate::{GateQuery, RefusalCode, VerdictKind};

impl Auditor {
    /// Makes the report of everything that was followed.
    pub(super) fn conclude(mut self, judged: Head, tail: Tail) -> LogAudit {
        let tail = match tail {
            Tail::Clean => TailStatus::Clean,
            Tail::Torn { bytes } => {
                let message = format!("after line {} the log ends in the middle of one ({bytes} bytes)", judged.lines);
                self.raised.push(Raised::about_log(FindingCode::TornTail, None, message));
                TailStatus::Torn
            }
        };
        let (any_chained, any_foreign) = (self.log.any_chained(), self.log.any_unchained());
        if any_chained && self.demand.extends.is_none() {
            let message = "the log was compared with no head that was kept elsewhere";
            self.raised.push(Raised::about_log(FindingCode::NoHeadGiven, None, message));
        }
        let broken = self.raised.iter().chain(self.ledger.raised()).any(|raised| raised.code.breaks_integrity());
        let integrity = match (any_chained, any_foreign) {
            _ if broken => Integrity::Broken,
            (false, _) => Integrity::Unchained,
            (true, false) => Integrity::Chained,
            (true, true) => Integrity::PartlyChained,
        };
        let gate = self.gate(!broken && tail == TailStatus::Clean);
        let dealt_with = self.dealt_with(judged.lines);
        let timeline = self.timeline();

        let (sidecar, about_sidecar) = self.sidecar.finish(self.stopped.is_none());
        let mut raised = self.raised;
        raised.extend(about_sidecar);
        let (made, about_decisions) = self.ledger.finish();
        raised.extend(about_decisions);

        let stays = |made: &Made| {
            let demanded = self.demand.plan_id.as_ref().is_none_or(|plan| *plan == made.plan_id);
            let dealt_with = dealt_with.is_some_and(|head| made.line <= head.lines && made.last_line <= head.lines);
            Stays { demanded, dealt_with }
        };
        let stay: Vec<Stays> = made.iter().map(stays).collect();
        let decided = made.into_iter().enumerate().map(|(position, made)| decide(position, made, &mut raised));
        let decided: Vec<Decision> = decided.collect();
        let in_report = decided.into_iter().zip(&stay).filter(|(_, stays)| stays.in_report());
        let mut decisions: Vec<Decision> = in_report.map(|(decision, _)| decision).collect();
        decisions.shrink_to_fit();
        let own_word = Some(RegistrySource::SelfDeclared);
        let rests_on_own_word = decisions.iter().any(|decision| decision.registry_source == own_word)
            || gate.as_ref().is_some_and(|gate| gate.registry_source == own_word);
        if rests_on_own_word {
            let message = "the registry is the log's own word; which one was configured is not in it";
            raised.push(Raised::about_log(FindingCode::SelfDeclaredRegistry, None, message));
        }
        LogAudit {
            lines: judged.lines,
            bytes: judged.bytes,
            blake3: judged.blake3.to_string(),
            integrity,
            tail,
            receipt: self.state.receipt().map(|receipt| receipt.as_ref().into()),
            gate,
            decisions,
            sidecar,
            findings: findings(raised, &stay, dealt_with, &self.demand),
            timeline,
        }
    }

    /// What the gate would answer at the end, under the registry that is demanded or that the log names.
    pub(super) fn gate(&self, trusted: bool) -> Option<GateReport> {
        let receipt = self.state.receipt();
        let own_plan = || receipt.map(|receipt| receipt.plan_id.clone());
        let plan_id = self.demand.plan_id.clone().or_else(own_plan)?;
        let registries = [
            (self.demand.registry.as_ref(), RegistrySource::Demanded),
            (receipt.map(|receipt| &receipt.registry), RegistrySource::SelfDeclared),
            (self.ledger.recorded_registry(&plan_id), RegistrySource::Recorded),
        ];
        let (verdict, rehearsal_registry, registry_source) = ask(&plan_id, &self.state, registries);
        let answer = if trusted {
            VerdictSummary::from(&verdict)
        } else {
            VerdictSummary { verdict: VerdictKind::Refused, reasons: vec![RefusalCode::UntrustedLog] }
        };
        Some(GateReport {
            query: GateQuery { plan_id, rehearsal_registry, skip: false },
            registry_source,
            verdict: answer.verdict,
            reasons: answer.reasons,
        })
    }
}

/// Whether a decision stays in the report.
struct Stays {
    /// It is of the demanded plan, if one is demanded.
    demanded: bool,
    /// It and all its runs stand before the head up to which everything was dealt with.
    dealt_with: bool,
}

impl Stays {
    fn in_report(&self) -> bool {
        self.demanded && !self.dealt_with
    }
}

/// Gives a decision its status; an unproven one is worth a warning at each of its runs.
fn decide(position: usize, made: Made, raised: &mut Vec<Raised>) -> Decision {
    let (status, because) = status(&made);
    if status == DecisionStatus::Unproven {
        let why = match because {
            Some(UnprovenCause::Dormant) => "the gate was dormant",
            Some(UnprovenCause::Bypassed) => "the gate was bypassed",
            _ => "no rehearsal in this log backs it, and no skip was recorded",
        };
        raised.extend(made.runs.iter().map(|run| Raised {
            code: FindingCode::UnprovenPublish,
            line: Some(run.line),
            message: format!("nothing proves that this run was rehearsed: {why}").into(),
            subject: Subject::Decision(position),
            marks: match because {
                Some(UnprovenCause::Unrecorded) | None => Vec::new(),
                Some(_) => vec![Label::new(made.line, member::VERDICT, "what the gate said")],
            },
        }));
    }
    let receipt_line = made.ground.map(|ground| ground.line);
    let (registry, registry_source, derived, recorded) = match made.question {
        Question::Unjudged => (None, None, None, None),
        Question::Recorded { query, recorded, derived } => {
            let source = query.rehearsal_registry.as_ref().map(|_| RegistrySource::Recorded);
            (query.rehearsal_registry, source, Some(derived), Some(recorded))
        }
        Question::Own { registry, source, derived } => (registry, source, Some(derived), None),
    };
    Decision {
        line: made.line,
        plan_id: made.plan_id,
        status,
        because,
        registry,
        registry_source,
        receipt_line,
        derived,
        recorded,
        runs: made.runs,
    }
}

/// The status of a decision, the first that holds: `docs/auditing.md`, "Decisions".
fn status(made: &Made) -> (DecisionStatus, Option<UnprovenCause>) {
    let taken = !made.runs.is_empty();
    let permitted = |because| {
        if taken { (DecisionStatus::Unproven, Some(because)) } else { (DecisionStatus::Permitted, None) }
    };
    if made.violated {
        return (DecisionStatus::Violated, None);
    }
    match &made.question {
        Question::Unjudged => (DecisionStatus::Unjudged, None),
        // Confirmed, or it would be violated: what was derived is what was recorded.
        Question::Recorded { derived, .. } => match derived.verdict {
            VerdictKind::Dormant => permitted(UnprovenCause::Dormant),
            VerdictKind::Bypassed => permitted(UnprovenCause::Bypassed),
            VerdictKind::Authorized if taken => (DecisionStatus::Verified, None),
            VerdictKind::Authorized => (DecisionStatus::Authorized, None),
            VerdictKind::Refused => (DecisionStatus::Refused, None),
        },
        Question::Own { derived, .. } if derived.verdict == VerdictKind::Authorized => (DecisionStatus::Verified, None),
        Question::Own { .. } => (DecisionStatus::Unproven, Some(UnprovenCause::Unrecorded)),
    }
}

/// The findings as the demand weighs them, sorted by line (none last), then code.
fn findings(raised: Vec<Raised>, stay: &[Stays], dealt_with: Option<Head>, demand: &AuditOptions) -> Vec<Finding> {
    let decision = |subject| match subject {
        Subject::Log => None,
        Subject::Decision(position) => stay.get(position),
    };
    let mut findings: Vec<Finding> = raised
        .into_iter()
        .filter(|raised| {
            // What is wrong with the bytes concerns every plan.
            decision(raised.subject).is_none_or(|stays| stays.demanded) || raised.code == FindingCode::BasisMismatch
        })
        .map(|raised| {
            let before = dealt_with.is_some_and(|head| raised.line.is_some_and(|line| line <= head.lines));
            let of_one_that_stays = decision(raised.subject).is_some_and(Stays::in_report);
            let level = match raised.code.level() {
                _ if before && !of_one_that_stays && !raised.code.breaks_integrity() => Level::Note,
                Level::Warning if demand.strict => Level::Error,
                level => level,
            };
            Finding {
                code: raised.code,
                level,
                line: raised.line,
                message: raised.message,
                help: raised.code.help().into(),
                marks: raised.marks.into(),
            }
        })
        .collect();
    findings.sort_by_key(|finding| (finding.line.is_none(), finding.line, finding.code.as_str()));
    // Reports are kept by the thousand.
    findings.shrink_to_fit();
    findings
}

impl LogAudit {
    /// The conclusion, the first that holds: `docs/auditing.md`, "Conclusions".
    pub fn conclusion(&self) -> Conclusion {
        let any = |status| self.decisions.iter().any(|decision| decision.status == status);
        let wrong = |finding: &Finding| finding.level == Level::Error && finding.code != FindingCode::UnknownRules;
        let sidecar_proves_nothing = matches!(
            self.sidecar.status,
            SidecarStatus::Orphan | SidecarStatus::Unreadable | SidecarStatus::Unsupported
        );
        if self.findings.iter().any(wrong) {
            Conclusion::Violated
        } else if any(DecisionStatus::Unjudged) {
            Conclusion::Unjudged
        } else if any(DecisionStatus::Unproven)
            || any(DecisionStatus::Permitted)
            || self.tail == TailStatus::Torn
            || sidecar_proves_nothing
            || self.decisions.is_empty()
        {
            Conclusion::Inconclusive
        } else {
            Conclusion::Verified
        }
    }
}
