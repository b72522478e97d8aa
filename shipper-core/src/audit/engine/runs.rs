//! Tracker of the runs: the decision that each uses, and the findings about it. `docs/auditing.md`, "Decisions".

use shipper_events::display_safe;
use shipper_events::event::Lenient;
use shipper_events::event::PlanCreated;

use super::active_run::{ActiveRun, ConditionalFinding, PackageAction};
use super::authority::AuthorityTracker;
use super::decisions::{DecisionOrigin, DecisionTracker, TrackedDecision};
use super::format::{format_number, format_reasons, format_verdict, result_text};
use super::pending::{PendingFinding, PendingFindings};
use crate::audit::report::{FindingCode, Label, RunSpan, paths};
use crate::fold::GateState;
use crate::gate::{RefusalCode, Verdict, VerdictKind, evaluate};

/// The runs of a log so far.
#[derive(Debug, Clone, Default)]
pub(super) struct RunTracker {
    active: Option<ActiveRun>,
    /// Whether a publish since the last run was reported.
    outside_reported: bool,
    /// The lines of the runs that have ended.
    spans: Vec<RunSpan>,
}

impl RunTracker {
    /// A run begins: it uses a recorded decision, or gets an implicit one.
    pub(super) fn start(
        &mut self,
        line: u64,
        plan: &PlanCreated,
        state: &GateState,
        authorities: &AuthorityTracker,
        decisions: &mut DecisionTracker,
        findings: &mut PendingFindings,
    ) {
        let plan_id = &plan.plan_id;
        self.outside_reported = false;
        let named = plan.gate.as_ref().map(|gate| (gate, decisions.decision_at(gate, plan_id)));
        let used = match named {
            Some((_, named)) => named,
            None => decisions.latest_decision(plan_id),
        };
        let (decision, findings_if_active) = match used.and_then(|used| check_used_decision(used, state, decisions)) {
            Some((decision, found)) => (decision, found),
            None => {
                let (decision, verdict) = decisions.push_implicit(line, plan_id, state, authorities.receipt_slot());
                (decision, check_implicit_decision(line, decision, &verdict, decisions, findings))
            }
        };
        let Some(tracked) = decisions.get(decision) else {
            return;
        };
        let basis = tracked.basis.clone();
        let mut run = ActiveRun::new(line, plan_id.clone(), &plan.package_count, decision, basis);
        run.findings_if_active.extend(findings_if_active);
        self.active = Some(run);
        let about = |code, message: String| PendingFinding::for_decision(decision, code, line, message);
        if let Some((gate, None)) = named {
            let gate = format_number(gate);
            let message = format!("the run acts on line {gate}, and no decision of its plan stands there before it");
            findings.push(about(FindingCode::GateNotFound, message));
        }
        if matches!(tracked.origin, DecisionOrigin::UnknownRules) {
            return;
        }
        if let Some(open) = state.open_rehearsal().filter(|open| open.plan_id == *plan_id) {
            let message =
                format!("the rehearsal started on line {} was not completed before this run", open.start.line);
            let open = Label::new(open.start.line, paths::TYPE, "started, and not completed");
            findings.push(about(FindingCode::RehearsalUnfinished, message).with_labels([open]));
        }
        if let Some(basis) = &tracked.basis
            && let Some(host) = basis.authority_slot.and_then(|slot| authorities.shared_host(slot))
        {
            let host = display_safe(host).quoted();
            let message = format!("the run and the rehearsal that it rests on name the same host, {host}");
            let rehearsal = Label::new(basis.line, paths::REGISTRY, "the rehearsal that it rests on");
            findings.push(about(FindingCode::SharedAuthority, message).with_labels([rehearsal]));
        }
    }

    /// The run ends, if there is one: `last_line` is its last line, `result` that of its `execution_finished`.
    pub(super) fn end(
        &mut self,
        last_line: u64,
        result: Option<&Lenient<String>>,
        decisions: &mut DecisionTracker,
        findings: &mut PendingFindings,
    ) {
        let Some(mut run) = self.active.take() else {
            return;
        };
        let (line, decision) = (run.line, run.decision);
        if let Some(first) = run.first_action_line {
            for ConditionalFinding { code, message, mut labels } in std::mem::take(&mut run.findings_if_active) {
                if code != FindingCode::NotWhatWasRehearsed {
                    labels.push(Label::new(first, paths::PACKAGE, "it publishes from here on"));
                }
                findings.push(PendingFinding::for_decision(decision, code, line, message).with_labels(labels));
            }
        }
        self.spans.push(RunSpan { line, last_line, finished: result.is_some(), plan_id: run.plan_id.clone() });
        decisions.end_run(decision, last_line, run.end(result.and_then(result_text)));
    }

    /// An action on a package, in a run or outside every run.
    pub(super) fn record_action(
        &mut self,
        line: u64,
        action: PackageAction,
        package: &str,
        findings: &mut PendingFindings,
    ) {
        match &mut self.active {
            Some(run) => {
                if action.publishes() {
                    run.record_publish_action(line, package);
                }
                run.count(action, package);
            }
            None if action.publishes() && !std::mem::replace(&mut self.outside_reported, true) => {
                let package = display_safe(package).quoted();
                let message = format!("{package} is published here outside every run");
                findings.push_at(line, FindingCode::PublishOutsideRun, message);
            }
            None => {}
        }
    }

    /// The run states the registry that it publishes to.
    pub(super) fn set_live_registry(&mut self, registry: &str) {
        if let Some(run) = &mut self.active {
            run.set_live_registry(registry);
        }
    }

    /// The lines of the runs that have ended, by line.
    pub(super) fn into_spans(self) -> Vec<RunSpan> {
        self.spans
    }
}

/// Checks the recorded decision that a run uses, and returns it with the findings that hold if the run publishes.
///
/// Returns `None` if the run gets an implicit decision instead: the recorded one is a refusal, and asked again it would be
/// an authorization, because the plan was rehearsed since.
fn check_used_decision(
    decision: usize,
    state: &GateState,
    decisions: &DecisionTracker,
) -> Option<(usize, Vec<ConditionalFinding>)> {
    let tracked = decisions.get(decision)?;
    let DecisionOrigin::Recorded { query, recorded, .. } = &tracked.origin else {
        return Some((decision, Vec::new()));
    };
    let line = tracked.line;
    let reevaluated = evaluate(state, query);
    let mut found = Vec::new();
    if recorded.is(VerdictKind::Refused) {
        if reevaluated.receipt().is_some() {
            return None;
        }
        let reasons = format_verdict("refused", recorded.reasons.iter().map(String::as_str));
        found.push(ConditionalFinding {
            code: FindingCode::PublishedDespiteRefusal,
            message: format!("the run publishes, and the gate's answer on line {line} was {reasons}"),
            labels: vec![Label::new(line, paths::VERDICT, "the gate refused here")],
        });
    } else if recorded.is_permission() && !reevaluated.may_publish() {
        let is_authorized = recorded.is(VerdictKind::Authorized);
        found.extend(check_lost_permission(tracked, is_authorized, &reevaluated, state, decisions));
    }
    Some((decision, found))
}

/// Checks a recorded permission that the gate would refuse by now.
fn check_lost_permission(
    decision: &TrackedDecision,
    is_authorized: bool,
    reevaluated: &Verdict,
    state: &GateState,
    decisions: &DecisionTracker,
) -> Vec<ConditionalFinding> {
    let (line, later, mut found) = (decision.line, decisions.later_events(decision), Vec::new());
    let permission = Label::new(line, paths::VERDICT, "the permission that it takes");
    if later.refused > line {
        let refused = later.refused;
        found.push(ConditionalFinding {
            code: FindingCode::PublishedDespiteRefusal,
            message: format!(
                "the run publishes on the permission of line {line}, and the gate refused on line {refused}"
            ),
            labels: vec![Label::new(refused, paths::VERDICT, "the gate refused here"), permission],
        });
    }
    let registry = match &decision.origin {
        DecisionOrigin::Recorded { query, .. } => query.rehearsal_registry.as_ref(),
        _ => None,
    };
    let failing = state
        .open_rehearsal()
        .is_some_and(|open| open.failed && open.plan_id == decision.plan_id && Some(&open.registry) == registry);
    let outdated = later.completed_badly > line || failing || decisions.latest_unknown_gate_event() > line;
    if is_authorized && outdated {
        let reasons = format_reasons(reevaluated);
        found.push(ConditionalFinding {
            code: FindingCode::DecisionOutdated,
            message: format!(
                "the run publishes on the permission of line {line}, and by now it would be refused: {reasons}"
            ),
            labels: [permission].into_iter().chain(Label::for_verdict(reevaluated)).collect(),
        });
    }
    found
}

/// Checks the implicit decision of a run, and returns the finding that holds if the run publishes.
fn check_implicit_decision(
    line: u64,
    decision: usize,
    verdict: &Verdict,
    decisions: &DecisionTracker,
    findings: &mut PendingFindings,
) -> Vec<ConditionalFinding> {
    let labels = Label::for_verdict(verdict);
    let is_unbacked = |reason: &RefusalCode| matches!(reason, RefusalCode::NoRehearsal | RefusalCode::StalePlan);
    let (code, says) = match (verdict.may_publish(), decisions.gate_was_asked()) {
        (true, true) => {
            let message = "the run did not ask the gate, which would have authorized it";
            let finding = PendingFinding::for_decision(decision, FindingCode::GateNotAskedAgain, line, message);
            findings.push(finding.with_labels(labels));
            return Vec::new();
        }
        (true, false) => return Vec::new(),
        (false, true) => {
            (FindingCode::UngatedPublish, "the run publishes without a decision, and the gate would refuse")
        }
        (false, false) if !decisions.has_policy_registry() && verdict.reason_codes().iter().all(is_unbacked) => {
            return Vec::new();
        }
        (false, false) => (FindingCode::PublishNotAuthorized, "the run publishes, and the gate would refuse"),
    };
    vec![ConditionalFinding { code, message: format!("{says}: {}", format_reasons(verdict)), labels }]
}
