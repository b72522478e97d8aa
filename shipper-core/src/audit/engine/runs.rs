//! Tracker of the runs: the decision that each uses, and the findings about it. `docs/auditing.md`, "Decisions".

use shipper_events::event::{Lenient, PlanCreated};
use shipper_events::{EventKind, display_safe};

use super::active_run::{ActiveRun, publishes};
use super::authority::AuthorityTracker;
use super::decisions::{DecisionTracker, LaterEvents, TrackedDecision};
use super::findings::Findings;
use super::format::{format_number, format_reasons, format_verdict, result_text};
use crate::audit::report::{Finding, FindingCode, Label, RunSpan, paths};
use crate::fold::GateState;
use crate::gate::{RefusalCode, Verdict, VerdictKind, evaluate};

/// The runs of a log so far.
#[derive(Debug, Clone, Default)]
pub(super) struct RunTracker {
    active: Option<ActiveRun>,
    /// True if a publish since the last run was reported.
    outside_reported: bool,
    /// The lines of the runs that have ended, by line.
    pub(super) spans: Vec<RunSpan>,
}

impl RunTracker {
    /// Starts a run, which uses a recorded decision or gets an implicit one.
    pub(super) fn start(
        &mut self,
        line: u64,
        plan: &PlanCreated,
        state: &GateState,
        authorities: &AuthorityTracker,
        decisions: &mut DecisionTracker,
        findings: &mut Findings,
    ) {
        self.outside_reported = false;
        let named = plan.gate.as_ref().map(|gate| (gate, decisions.decision_at(gate, &plan.plan_id)));
        let used = named.map_or_else(|| decisions.latest_decision(&plan.plan_id), |(_, named)| named);
        let recorded = used.and_then(|used| Some((used, check_used_decision(line, used, state, decisions)?)));
        let (decision, findings_if_active) = recorded.unwrap_or_else(|| {
            let (decision, verdict) = decisions.push_implicit(line, &plan.plan_id, state);
            (decision, check_implicit_decision(line, decision, &verdict, decisions, findings))
        });
        let Some(tracked) = decisions.decisions.get(decision) else {
            return;
        };
        self.active = Some(ActiveRun::new(line, plan, decision, tracked.receipt.clone(), findings_if_active));
        if let Some((gate, None)) = named {
            let gate = format_number(gate);
            let message = format!("the run names line {gate}, which is not an earlier decision of its plan");
            findings.extend_about(decision, [Finding::new(FindingCode::GateNotFound, line, message)]);
        }
        if tracked.derived.is_some() {
            let unfinished = check_unfinished(line, plan, state);
            findings.extend_about(decision, unfinished.into_iter().chain(check_hosts(line, tracked, authorities)));
        }
    }

    /// Ends the run, if there is one, with its last line and the result of its `execution_finished`.
    pub(super) fn end(
        &mut self,
        last_line: u64,
        result: Option<&Lenient<String>>,
        decisions: &mut DecisionTracker,
        findings: &mut Findings,
    ) {
        let Some(mut run) = self.active.take() else {
            return;
        };
        findings.extend_about(run.decision, run.take_findings());
        run.report.finished = result.and_then(result_text);
        self.spans.push(RunSpan { line: run.report.line, last_line, finished: result.is_some(), plan_id: run.plan_id });
        decisions.end_run(run.decision, last_line, run.report);
    }

    /// Records an action on a package, in a run or outside every run.
    pub(super) fn record_action(&mut self, line: u64, kind: EventKind, package: &str, findings: &mut Findings) {
        if let Some(run) = &mut self.active {
            run.record_action(line, kind, package);
        } else if publishes(kind) && !std::mem::replace(&mut self.outside_reported, true) {
            let message = format!("{} is published outside every run", display_safe(package).quoted());
            findings.push(Finding::new(FindingCode::PublishOutsideRun, line, message));
        }
    }

    /// Records the live registry of the run, if there is a run.
    pub(super) fn set_live_registry(&mut self, registry: &str) {
        if let Some(run) = &mut self.active {
            run.report.live_registry.get_or_insert_with(|| registry.to_owned());
        }
    }
}

/// Reports a rehearsal of the plan that is still open when its run starts.
fn check_unfinished(line: u64, plan: &PlanCreated, state: &GateState) -> Option<Finding> {
    let start = &state.open_rehearsal().filter(|open| open.plan_id == plan.plan_id)?.start;
    let message = format!("the rehearsal that started on line {} was not completed before this run", start.line);
    let open = Label::new(start.line, paths::TYPE, "not completed before the run");
    Some(Finding::new(FindingCode::RehearsalUnfinished, line, message).with_labels([open]))
}

/// Reports a host that the run shares with the rehearsal that authorizes it.
fn check_hosts(line: u64, decision: &TrackedDecision, authorities: &AuthorityTracker) -> Option<Finding> {
    let receipt = decision.receipt.as_ref()?;
    let host = display_safe(authorities.shared_host(receipt.start.as_ref()?.line)?).quoted();
    let message = format!("the run and the rehearsal that authorizes it name the same host, {host}");
    let rehearsal = Label::new(receipt.line, paths::REGISTRY, "the rehearsal used as evidence");
    Some(Finding::new(FindingCode::SharedAuthority, line, message).with_labels([rehearsal]))
}

/// Returns the findings about the recorded decision of a run that hold if the run publishes.
///
/// Returns `None` if the run gets an implicit decision instead. This is so if the recorded refusal would now be an
/// authorization, because the plan was rehearsed after it.
fn check_used_decision(
    run: u64,
    decision: usize,
    state: &GateState,
    decisions: &DecisionTracker,
) -> Option<Vec<Finding>> {
    let decision = decisions.decisions.get(decision)?;
    let Some(recorded) = &decision.recorded else {
        return Some(Vec::new());
    };
    let (line, reevaluated) = (decision.line, evaluate(state, &decision.query));
    if recorded.is(VerdictKind::Refused) {
        if reevaluated.receipt().is_some() {
            return None;
        }
        let reasons = format_verdict("refused", recorded.reasons.iter().map(String::as_str));
        let message = format!("the run publishes, although the verdict on line {line} is {reasons}");
        let refused = Label::new(line, paths::VERDICT, "the gate refused here");
        return Some(vec![Finding::new(FindingCode::PublishedDespiteRefusal, run, message).with_labels([refused])]);
    }
    if !recorded.is_permission() || reevaluated.may_publish() {
        return Some(Vec::new());
    }
    let later = decisions.later_events(decision);
    Some(check_lost_permission(run, decision, recorded.is(VerdictKind::Authorized), &reevaluated, state, later))
}

/// Returns the findings about a recorded permission that the gate would now refuse.
fn check_lost_permission(
    run: u64,
    decision: &TrackedDecision,
    is_authorized: bool,
    reevaluated: &Verdict,
    state: &GateState,
    later: LaterEvents,
) -> Vec<Finding> {
    let (line, query, mut found) = (decision.line, &decision.query, Vec::new());
    let permission = Label::new(line, paths::VERDICT, "the permission that the run uses");
    if later.refused > line {
        let refused = later.refused;
        let message =
            format!("the run publishes with the permission on line {line}, but the gate refused on line {refused}");
        let labels = [Label::new(refused, paths::VERDICT, "the gate refused here"), permission];
        found.push(Finding::new(FindingCode::PublishedDespiteRefusal, run, message).with_labels(labels));
    }
    let failing = state.open_rehearsal().is_some_and(|open| {
        open.failed && open.plan_id == query.plan_id && Some(&open.registry) == query.rehearsal_registry.as_ref()
    });
    if is_authorized && (later.outdated > line || failing) {
        let reasons = format_reasons(reevaluated);
        let message =
            format!("the run publishes with the permission on line {line}, but the gate would now refuse: {reasons}");
        let labels = [permission].into_iter().chain(Label::for_verdict(reevaluated));
        found.push(Finding::new(FindingCode::DecisionOutdated, run, message).with_labels(labels));
    }
    found
}

/// Checks the implicit decision of a run, and returns the finding to report if the run publishes.
fn check_implicit_decision(
    run: u64,
    decision: usize,
    verdict: &Verdict,
    decisions: &DecisionTracker,
    findings: &mut Findings,
) -> Vec<Finding> {
    let labels = Label::for_verdict(verdict);
    let is_unbacked = |reason: &RefusalCode| matches!(reason, RefusalCode::NoRehearsal | RefusalCode::StalePlan);
    let (code, violation) = match (verdict.may_publish(), decisions.gate_was_asked) {
        (true, true) => {
            let message = "the run used no recorded decision, although the rehearsal would have authorized it";
            let finding = Finding::new(FindingCode::GateNotAskedAgain, run, message).with_labels(labels);
            findings.extend_about(decision, [finding]);
            return Vec::new();
        }
        (true, false) => return Vec::new(),
        (false, true) => {
            (FindingCode::UngatedPublish, "the run publishes without a recorded decision, and the gate would refuse")
        }
        (false, false) if decisions.policy_registry.is_none() && verdict.reason_codes().iter().all(is_unbacked) => {
            return Vec::new();
        }
        (false, false) => (FindingCode::PublishNotAuthorized, "the run publishes, although the gate would refuse"),
    };
    let message = format!("{violation}: {}", format_reasons(verdict));
    vec![Finding::new(code, run, message).with_labels(labels)]
}
