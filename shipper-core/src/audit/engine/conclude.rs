//! The end of an audit: the statuses of the decisions, and the levels of the findings under the options.

use shipper_events::{Head, Tail};

use super::decisions::{DecisionOrigin, DecisionTracker, TrackedDecision};
use super::pending::{FindingScope, PendingFinding, PendingFindings};
use crate::audit::options::AuditOptions;
use crate::audit::report::{
    Decision, DecisionStatus, Finding, FindingCode, Integrity, Label, Level, LogAudit, RegistrySource, RehearsalReport,
    RunSpan, SidecarReport, TailStatus, TimelineEntry, UnprovenCause, paths,
};
use crate::fold::GateState;
use crate::gate::VerdictKind;

/// Everything that the trackers collected about a log.
pub(super) struct Collected {
    /// The head of the audited lines.
    pub(super) head: Head,
    pub(super) tail: Tail,
    pub(super) any_chained: bool,
    pub(super) any_unchained: bool,
    pub(super) state: GateState,
    pub(super) decisions: DecisionTracker,
    pub(super) findings: PendingFindings,
    pub(super) sidecar: SidecarReport,
    /// The head of `--since`, if the audited lines begin with it.
    pub(super) since: Option<Head>,
    pub(super) timeline: Option<CollectedTimeline>,
}

/// The timeline, if the caller asked for it.
pub(super) struct CollectedTimeline {
    pub(super) entries: Vec<TimelineEntry>,
    pub(super) rehearsals: Vec<RehearsalReport>,
    pub(super) runs: Vec<RunSpan>,
}

/// Makes the report.
pub(super) fn conclude(collected: Collected, options: &AuditOptions) -> LogAudit {
    let Collected { head, tail, any_chained, any_unchained, state, decisions, mut findings, sidecar, since, timeline } =
        collected;
    let tail = check_tail(tail, head.lines, &mut findings);
    if any_chained && options.extends.is_none() {
        let message = "the log was compared with no head that was kept elsewhere";
        findings.push(PendingFinding::for_log(FindingCode::NoHeadGiven, None, message));
    }
    let integrity = match (any_chained, any_unchained) {
        _ if findings.breaks_integrity() => Integrity::Broken,
        (false, _) => Integrity::Unchained,
        (true, false) => Integrity::Chained,
        (true, true) => Integrity::PartlyChained,
    };
    let trusted = integrity != Integrity::Broken && tail == TailStatus::Clean;
    let gate = decisions.gate_report(options.plan_id.as_ref(), &state, trusted);

    let tracked = decisions.into_vec();
    let inclusion: Vec<Inclusion> = tracked.iter().map(|decision| Inclusion::new(decision, options, since)).collect();
    let mut findings = findings.into_vec();
    let mut decisions = into_decisions(tracked, &inclusion, &mut findings);
    decisions.shrink_to_fit();
    let self_declared = Some(RegistrySource::SelfDeclared);
    if decisions.iter().any(|decision| decision.registry_source == self_declared)
        || gate.as_ref().is_some_and(|gate| gate.registry_source == self_declared)
    {
        let message = "the registry is the log's own word; which one was configured is not in it";
        findings.push(PendingFinding::for_log(FindingCode::SelfDeclaredRegistry, None, message));
    }
    let (timeline, rehearsals, runs) = timeline.map_or((None, None, None), |timeline| {
        (Some(timeline.entries), Some(timeline.rehearsals), Some(timeline.runs))
    });
    LogAudit {
        lines: head.lines,
        bytes: head.bytes,
        blake3: head.blake3.to_string(),
        integrity,
        tail,
        receipt: state.receipt().map(|receipt| receipt.as_ref().into()),
        gate,
        decisions,
        sidecar,
        findings: into_findings(findings, &inclusion, since, options),
        timeline,
        rehearsals,
        runs,
    }
}

fn check_tail(tail: Tail, lines: u64, findings: &mut PendingFindings) -> TailStatus {
    match tail {
        Tail::Clean => TailStatus::Clean,
        Tail::Torn { bytes } => {
            let message = format!("after line {lines} the log ends in the middle of one ({bytes} bytes)");
            findings.push(PendingFinding::for_log(FindingCode::TornTail, None, message));
            TailStatus::Torn
        }
    }
}

/// Whether the options keep a decision in the report.
struct Inclusion {
    /// It is of the plan of the options, or they name none.
    in_plan: bool,
    /// It and all its runs precede the head of `--since`.
    before_since: bool,
}

impl Inclusion {
    fn new(decision: &TrackedDecision, options: &AuditOptions, since: Option<Head>) -> Self {
        Self {
            in_plan: options.plan_id.as_ref().is_none_or(|plan| *plan == decision.plan_id),
            before_since: since.is_some_and(|head| decision.line <= head.lines && decision.last_line <= head.lines),
        }
    }

    fn in_report(&self) -> bool {
        self.in_plan && !self.before_since
    }
}

/// The decisions of the report. Every unproven one is a warning at each of its runs.
fn into_decisions(
    tracked: Vec<TrackedDecision>,
    inclusion: &[Inclusion],
    findings: &mut Vec<PendingFinding>,
) -> Vec<Decision> {
    let mut violated = vec![false; tracked.len()];
    for finding in &*findings {
        if let FindingScope::Decision(position) = finding.scope
            && let Some(violated) = violated.get_mut(position)
        {
            *violated |= finding.code.level() == Level::Error && finding.code != FindingCode::UnknownRules;
        }
    }
    let mut decisions = Vec::new();
    for (position, ((decision, violated), inclusion)) in tracked.into_iter().zip(violated).zip(inclusion).enumerate() {
        let (status, because) = status(&decision, violated);
        if status == DecisionStatus::Unproven {
            findings.extend(unproven_findings(position, &decision, because));
        }
        if inclusion.in_report() {
            decisions.push(into_decision(decision, status, because));
        }
    }
    decisions
}

fn unproven_findings(
    position: usize,
    decision: &TrackedDecision,
    because: Option<UnprovenCause>,
) -> impl Iterator<Item = PendingFinding> {
    let verdict = Label::new(decision.line, paths::VERDICT, "what the gate said");
    let (why, label) = match because {
        Some(UnprovenCause::Dormant) => ("the gate was dormant", Some(verdict)),
        Some(UnprovenCause::Bypassed) => ("the gate was bypassed", Some(verdict)),
        Some(UnprovenCause::Unrecorded) | None => ("no rehearsal in this log backs it, and no skip was recorded", None),
    };
    decision.runs.iter().map(move |run| {
        let message = format!("nothing proves that this run was rehearsed: {why}");
        PendingFinding::for_decision(position, FindingCode::UnprovenPublish, run.line, message).with_labels(label)
    })
}

fn into_decision(decision: TrackedDecision, status: DecisionStatus, because: Option<UnprovenCause>) -> Decision {
    let (registry, registry_source, derived, recorded) = match decision.origin {
        DecisionOrigin::UnknownRules => (None, None, None, None),
        DecisionOrigin::Recorded { query, recorded, derived } => {
            let source = query.rehearsal_registry.as_ref().map(|_| RegistrySource::Recorded);
            (query.rehearsal_registry, source, Some(derived), Some(recorded))
        }
        DecisionOrigin::Implicit { registry, source, derived } => (registry, source, Some(derived), None),
    };
    Decision {
        line: decision.line,
        plan_id: decision.plan_id,
        status,
        because,
        registry,
        registry_source,
        receipt_line: decision.basis.map(|basis| basis.line),
        derived,
        recorded,
        runs: decision.runs,
    }
}

/// The status of a decision, the first that holds: `docs/auditing.md`, "Decisions".
fn status(decision: &TrackedDecision, violated: bool) -> (DecisionStatus, Option<UnprovenCause>) {
    let used = !decision.runs.is_empty();
    let permitted = |because| {
        if used { (DecisionStatus::Unproven, Some(because)) } else { (DecisionStatus::Permitted, None) }
    };
    if violated {
        return (DecisionStatus::Violated, None);
    }
    match &decision.origin {
        DecisionOrigin::UnknownRules => (DecisionStatus::Unjudged, None),
        // The recorded verdict equals the derived one, or the decision would be violated.
        DecisionOrigin::Recorded { derived, .. } => match derived.verdict {
            VerdictKind::Dormant => permitted(UnprovenCause::Dormant),
            VerdictKind::Bypassed => permitted(UnprovenCause::Bypassed),
            VerdictKind::Authorized if used => (DecisionStatus::Verified, None),
            VerdictKind::Authorized => (DecisionStatus::Authorized, None),
            VerdictKind::Refused => (DecisionStatus::Refused, None),
        },
        DecisionOrigin::Implicit { derived, .. } if derived.verdict == VerdictKind::Authorized => {
            (DecisionStatus::Verified, None)
        }
        DecisionOrigin::Implicit { .. } => (DecisionStatus::Unproven, Some(UnprovenCause::Unrecorded)),
    }
}

/// The findings of the report with their levels, sorted by line (those without one last), then by code.
fn into_findings(
    pending: Vec<PendingFinding>,
    inclusion: &[Inclusion],
    since: Option<Head>,
    options: &AuditOptions,
) -> Vec<Finding> {
    let decision = |scope| match scope {
        FindingScope::Log => None,
        FindingScope::Decision(position) => inclusion.get(position),
    };
    let is_included = |finding: &PendingFinding| {
        // A basis that does not match is damage of the log, which concerns every plan.
        decision(finding.scope).is_none_or(|decision| decision.in_plan) || finding.code == FindingCode::BasisMismatch
    };
    let level = |finding: &PendingFinding| {
        let before_since = since.is_some_and(|head| finding.line.is_some_and(|line| line <= head.lines));
        let stays = decision(finding.scope).is_some_and(Inclusion::in_report) || finding.code.breaks_integrity();
        match finding.code.level() {
            _ if before_since && !stays => Level::Note,
            Level::Warning if options.strict => Level::Error,
            level => level,
        }
    };
    let included = pending.into_iter().filter(is_included).map(|finding| Finding {
        level: level(&finding),
        code: finding.code,
        line: finding.line,
        message: finding.message,
        help: finding.code.help().into(),
        labels: finding.labels.into(),
        given_head: finding.given_head,
    });
    let mut findings: Vec<Finding> = included.collect();
    findings.sort_by_key(|finding| (finding.line.is_none(), finding.line, finding.code.as_str()));
    // Callers keep reports by the thousand.
    findings.shrink_to_fit();
    findings
}
