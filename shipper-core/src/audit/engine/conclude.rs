//! The end of an audit: the statuses of the decisions, and the levels of the findings under the options.

use super::decisions::TrackedDecision;
use super::findings::Findings;
use crate::audit::options::AuditOptions;
use crate::audit::report::{
    Decision, DecisionStatus, Finding, FindingCode, GateReport, Label, Level, RegistrySource, UnprovenCause, paths,
};
use crate::audit::trusted_head::TrustedHead;
use crate::gate::VerdictKind;

/// The effect of the options on a decision.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inclusion {
    /// It is of another plan than the one of the options.
    OtherPlan,
    /// It and all its runs precede the head of `--since`.
    BeforeSince,
    /// It is in the report.
    InReport,
}

impl Inclusion {
    fn new(decision: &TrackedDecision, options: &AuditOptions, since: Option<TrustedHead>) -> Self {
        if options.plan_id.as_ref().is_some_and(|plan| *plan != decision.query.plan_id) {
            Self::OtherPlan
        } else if since.is_some_and(|head| decision.line.max(decision.last_line) <= head.lines) {
            Self::BeforeSince
        } else {
            Self::InReport
        }
    }
}

/// Returns the decisions and findings of the report. Every unproven decision is a warning at each of its runs. `since` is the
/// head of `--since`, if the audited lines begin with it. The runs in `after_failure` are never accepted.
pub(super) fn conclude(
    tracked: Vec<TrackedDecision>,
    mut findings: Findings,
    gate: Option<&GateReport>,
    since: Option<TrustedHead>,
    after_failure: &[u64],
    options: &AuditOptions,
) -> (Vec<Decision>, Vec<Finding>) {
    let (violated, unjudged) = (findings.violated_decisions(), findings.unjudged_decisions());
    let (mut decisions, mut inclusions) = (Vec::with_capacity(tracked.len()), Vec::with_capacity(tracked.len()));
    for (position, decision) in tracked.into_iter().enumerate() {
        let inclusion = Inclusion::new(&decision, options, since);
        let (status, because) = status(&decision, violated.contains(&position), unjudged.contains(&position));
        let is_after_failure = decision.runs.iter().any(|run| after_failure.binary_search(&run.line).is_ok());
        let cause = because.or(permitted_cause(&decision));
        if status == DecisionStatus::Unproven {
            findings.extend_about(position, unproven_findings(&decision, because));
        }
        if inclusion == Inclusion::InReport {
            decisions.push(into_decision(decision, status, because));
        }
        let is_accepted = cause.is_some_and(|cause| options.accept.contains(&cause.into())) && !is_after_failure;
        inclusions.push((inclusion, is_accepted));
    }
    decisions.shrink_to_fit();
    let sources = decisions.iter().map(|decision| decision.registry_source);
    if sources.chain(gate.map(|gate| gate.registry_source)).any(|source| source == Some(RegistrySource::SelfDeclared)) {
        let message = "the rehearsal registry is taken from a rehearsal in the log, not from the configuration";
        findings.push(Finding::new(FindingCode::SelfDeclaredRegistry, None, message));
    }
    (decisions, into_findings(findings, &inclusions, since, options))
}

fn unproven_findings(decision: &TrackedDecision, because: Option<UnprovenCause>) -> impl Iterator<Item = Finding> {
    let verdict = Label::new(decision.line, paths::VERDICT, "the recorded verdict");
    let (why, label) = match because {
        Some(UnprovenCause::Dormant) => ("the gate was dormant", Some(verdict)),
        Some(UnprovenCause::Bypassed) => ("the gate was bypassed", Some(verdict)),
        Some(UnprovenCause::Unrecorded) | None => ("no rehearsal authorizes it, and no recorded skip allows it", None),
    };
    decision.runs.iter().map(move |run| {
        let message = format!("no rehearsal is proven for this run: {why}");
        Finding::new(FindingCode::UnprovenPublish, run.line, message).with_labels(label)
    })
}

fn into_decision(decision: TrackedDecision, status: DecisionStatus, because: Option<UnprovenCause>) -> Decision {
    Decision {
        line: decision.line,
        plan_id: decision.query.plan_id,
        status,
        because,
        registry: decision.query.rehearsal_registry,
        registry_source: decision.registry_source,
        receipt_line: decision.supported_by.map(|(line, _)| line),
        derived: decision.derived,
        recorded: decision.recorded,
        runs: decision.runs,
        git: decision.commits,
    }
}

/// Returns the status of a decision, the first that applies: `docs/auditing.md`, "Decisions".
fn status(decision: &TrackedDecision, violated: bool, unjudged: bool) -> (DecisionStatus, Option<UnprovenCause>) {
    let used = !decision.runs.is_empty();
    let permitted = |because| {
        if used { (DecisionStatus::Unproven, Some(because)) } else { (DecisionStatus::Permitted, None) }
    };
    let derived = decision.derived.as_ref().map(|derived| derived.verdict);
    // A recorded verdict equals the derived one, or the decision would be violated.
    match (derived, decision.recorded.is_some()) {
        _ if violated => (DecisionStatus::Violated, None),
        (None, _) => (DecisionStatus::Unjudged, None),
        _ if unjudged => (DecisionStatus::Unjudged, None),
        (Some(VerdictKind::Dormant), true) => permitted(UnprovenCause::Dormant),
        (Some(VerdictKind::Bypassed), true) => permitted(UnprovenCause::Bypassed),
        (Some(VerdictKind::Authorized), true) if !used => (DecisionStatus::Authorized, None),
        (Some(VerdictKind::Authorized), _) => (DecisionStatus::Verified, None),
        (Some(VerdictKind::Refused), true) => (DecisionStatus::Refused, None),
        (Some(_), false) => (DecisionStatus::Unproven, Some(UnprovenCause::Unrecorded)),
    }
}

/// Returns the cause that a recorded permission without a rehearsal has.
fn permitted_cause(decision: &TrackedDecision) -> Option<UnprovenCause> {
    let recorded = decision.recorded.as_ref()?;
    let causes = [(VerdictKind::Dormant, UnprovenCause::Dormant), (VerdictKind::Bypassed, UnprovenCause::Bypassed)];
    causes.into_iter().find_map(|(kind, cause)| recorded.is(kind).then_some(cause))
}

/// Returns whether a finding of this code shows the cause of an unproven decision.
fn shows_cause(code: FindingCode) -> bool {
    matches!(code, FindingCode::UnprovenPublish | FindingCode::GateBypassed)
}

/// Returns the findings of the report with their levels, sorted by line (those without one last), then by code.
fn into_findings(
    found: Findings,
    inclusions: &[(Inclusion, bool)],
    since: Option<TrustedHead>,
    options: &AuditOptions,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (mut finding, decision) in found.into_vec() {
        let decision = decision.and_then(|position| inclusions.get(position));
        let (inclusion, is_accepted) =
            (decision.map(|(inclusion, _)| *inclusion), decision.is_some_and(|(_, yes)| *yes));
        // A basis mismatch is damage to the log, which affects every plan.
        if inclusion == Some(Inclusion::OtherPlan) && finding.code != FindingCode::BasisMismatch {
            continue;
        }
        if let Some(policy) = &options.policy {
            policy.set_level(&mut finding);
        }
        let before_since = since.is_some_and(|head| finding.line.is_some_and(|line| line <= head.lines));
        let stays = inclusion == Some(Inclusion::InReport) || finding.code.breaks_integrity();
        if before_since && !stays {
            finding.level = Level::Note;
        } else if options.strict && finding.level == Level::Warning && !(is_accepted && shows_cause(finding.code)) {
            finding.level = Level::Error;
        }
        findings.push(finding);
    }
    findings.sort_by_key(|finding| (finding.line.is_none(), finding.line, finding.code.as_str()));
    // A caller may keep thousands of reports.
    findings.shrink_to_fit();
    findings
}
