//! Tracker of the runs: the decision that each uses, and the findings about it. `docs/auditing.md`, "Decisions".

use shipper_events::event::{Lenient, PlanCreated};
use shipper_events::{EventKind, display_safe};

use super::active_run::ActiveRun;
use super::authority::AuthorityTracker;
use super::decisions::{DecisionTracker, TrackedDecision};
use super::findings::Findings;
use super::format::{format_number, format_reasons, format_verdict, result_text};
use super::packages::{PackageAction, PackageTracker, RunKey};
use crate::audit::report::{Finding, FindingCode, Label, RunSpan, paths};
use crate::fold::GateState;
use crate::gate::{RefusalCode, Verdict, VerdictKind, evaluate};

/// The runs of a log so far.
#[derive(Debug, Clone, Default)]
pub(super) struct RunTracker {
    active: Option<ActiveRun>,
    /// The line of the latest reported publish since the last run.
    outside_reported: Option<u64>,
    /// The number of lines up to the head of `--since`; 0 without it.
    since: u64,
    /// The first publish after that head that is in the same gap as a reported publish before it. It is reported if the
    /// log begins with the head.
    outside_since: Option<Finding>,
    /// The lines of the runs that have ended, by line.
    pub(super) spans: Vec<RunSpan>,
}

impl RunTracker {
    /// Creates a tracker. `since` is the number of lines of the head of `--since`.
    pub(super) fn new(since: u64) -> Self {
        Self { since, ..Self::default() }
    }

    /// Returns the active run; `None` outside every run.
    pub(super) fn active_key(&self) -> Option<RunKey> {
        self.active.as_ref().map(ActiveRun::key)
    }

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
        self.outside_reported = None;
        let rehearsal_failed = decisions.rehearsal_failed(&plan.plan_id, state);
        if rehearsal_failed {
            decisions.runs_after_failure.push(line);
        }
        let named = plan.gate.as_ref().map(|gate| (gate, decisions.decision_at(gate, &plan.plan_id)));
        let used = named.map_or_else(|| decisions.latest_decision(&plan.plan_id), |(_, named)| named);
        let recorded = used.and_then(|used| {
            let findings = check_used_decision(line, used, named.is_some(), state, decisions)?;
            Some((used, findings))
        });
        let (decision, findings_if_active) = recorded.unwrap_or_else(|| {
            let (decision, verdict) = decisions.push_implicit(line, &plan.plan_id, state);
            (decision, check_implicit_decision(line, decision, &verdict, rehearsal_failed, decisions, findings))
        });
        let Some(tracked) = decisions.decisions.get(decision) else {
            return;
        };
        let mut run = ActiveRun::new(line, plan, decision, tracked.receipt.clone(), findings_if_active);
        run.is_judged = tracked.derived.is_some();
        check_outdated(&mut run, state, decisions);
        self.active = Some(run);
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

    /// Returns the position of the decision that the active run uses.
    pub(super) fn active_decision(&self) -> Option<usize> {
        self.active.as_ref().map(|run| run.decision)
    }

    /// Ends the run, if there is one, with its last line and its recorded end.
    pub(super) fn end(
        &mut self,
        last_line: u64,
        end: Option<&RunEnd<'_>>,
        decisions: &mut DecisionTracker,
        findings: &mut Findings,
    ) {
        let Some(mut run) = self.active.take() else {
            return;
        };
        findings.extend_about(run.decision, run.take_findings());
        let last_new = if end.is_some() { last_line } else { run.last_action_line() };
        run.report.finished = end.and_then(RunEnd::text);
        self.spans.push(RunSpan { line: run.report.line, last_line, finished: end.is_some(), plan_id: run.plan_id });
        decisions.end_run(run.decision, last_line, last_new, run.report);
    }

    /// Records an action on a package, in a run or outside every run.
    pub(super) fn record_action(
        &mut self,
        action: &PackageAction<'_>,
        state: &GateState,
        packages: &mut PackageTracker,
        decisions: &DecisionTracker,
        findings: &mut Findings,
    ) {
        let is_judged = self.active.as_ref().is_some_and(|run| run.is_judged);
        let facts = packages.record(action, self.active_key(), is_judged);
        if let Some(run) = &mut self.active {
            if action.publishes() {
                check_outdated(run, state, decisions);
            }
            run.record_action(action, facts);
        } else if action.publishes() {
            self.report_outside(action, findings);
        }
    }

    /// Reports the first publish outside every run since the last run, and the first after the head of `--since`.
    fn report_outside(&mut self, action: &PackageAction<'_>, findings: &mut Findings) {
        let is_known = self.outside_reported.is_some();
        let is_new = action.line > self.since && self.outside_reported.is_none_or(|line| line <= self.since);
        if is_known && !is_new {
            return;
        }
        self.outside_reported = Some(action.line);
        let event = if action.kind == EventKind::PackageAttempted { "attempted" } else { "published" };
        let message = format!("{} is {event} outside every run", display_safe(action.package).quoted());
        let finding = Finding::new(FindingCode::PublishOutsideRun, action.line, message);
        if is_known {
            self.outside_since.get_or_insert(finding);
        } else {
            findings.push(finding);
        }
    }

    /// Reports the finding that depends on the head of `--since`; `since_applies` is true if the log begins with it.
    pub(super) fn finish(&mut self, since_applies: bool, findings: &mut Findings) {
        self.outside_since.take().filter(|_| since_applies).into_iter().for_each(|finding| findings.push(finding));
    }

    /// Records the live registry of the run, if there is a run.
    pub(super) fn name_live_registry(&mut self, registry: &str) {
        if let Some(run) = &mut self.active {
            run.name_live_registry(registry);
        }
    }
}

/// The event that ends a run.
pub(super) enum RunEnd<'e> {
    /// `execution_finished`, with its result.
    Finished(&'e Lenient<String>),
    /// `execution_stopped`, with its reason.
    Stopped(&'e Lenient<String>),
}

impl RunEnd<'_> {
    fn text(&self) -> Option<String> {
        match self {
            Self::Finished(result) => result_text(result),
            Self::Stopped(reason) => {
                Some(reason.get().map_or_else(|| "stopped".to_owned(), |reason| format!("stopped: {reason}")))
            }
        }
    }
}

/// Checks again whether the authorization of a run holds, if a gate event came since the last check.
fn check_outdated(run: &mut ActiveRun, state: &GateState, decisions: &DecisionTracker) {
    let is_final = run.outdated.as_ref().is_some_and(|finding| finding.code == FindingCode::DecisionOutdated);
    if is_final || (run.checked_up_to == decisions.latest_gate_event && run.checked_up_to > 0) {
        return;
    }
    run.checked_up_to = decisions.latest_gate_event;
    let Some(decision) = decisions.decisions.get(run.decision) else {
        return;
    };
    let is_authorized = match &decision.recorded {
        Some(recorded) => recorded.is(VerdictKind::Authorized),
        None => decision.supported_by.is_some(),
    };
    if is_authorized && let Some(finding) = check_authorization(run.report.line, decision, state, decisions) {
        run.outdated = Some(finding);
    }
}

/// Returns the finding that the gate would now refuse an authorization because of an event since.
fn check_authorization(
    run: u64,
    decision: &TrackedDecision,
    state: &GateState,
    decisions: &DecisionTracker,
) -> Option<Finding> {
    let (line, query) = (decision.line, &decision.query);
    let (verdict, later) = (evaluate(state, query), decisions.later_events(decision));
    if verdict.may_publish() {
        return None;
    }
    let open = state.open_rehearsal();
    let is_failing = open.is_some_and(|open| open.has_failed(&query.plan_id, query.rehearsal_registry.as_ref()));
    let reasons = format_reasons(&verdict);
    let (code, message) = if later.failed > line || is_failing {
        let message =
            format!("the run publishes with the permission on line {line}, but the gate would refuse: {reasons}");
        (FindingCode::DecisionOutdated, message)
    } else if later.unknown > line {
        let message = format!("an unknown event after the permission on line {line} may forbid the publish: {reasons}");
        (FindingCode::UnjudgedRun, message)
    } else {
        return None;
    };
    let permission = Label::new(line, paths::VERDICT, "the permission that the run uses");
    // An implicit decision has no line of its own.
    let permission = decision.recorded.is_some().then_some(permission);
    let labels = permission.into_iter().chain(Label::for_verdict(&verdict));
    Some(Finding::new(code, run, message).with_labels(labels))
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

/// Returns the findings about the recorded decision of a run that hold if the run publishes. `is_named` is true if the run
/// names the decision.
///
/// Returns `None` if the run gets an implicit decision instead. This is so if the run does not name the decision, and the
/// recorded refusal would now be an authorization, because the plan was rehearsed after it.
fn check_used_decision(
    run: u64,
    decision: usize,
    is_named: bool,
    state: &GateState,
    decisions: &DecisionTracker,
) -> Option<Vec<Finding>> {
    let decision = decisions.decisions.get(decision)?;
    let Some(recorded) = &decision.recorded else {
        return Some(Vec::new());
    };
    let (line, reevaluated) = (decision.line, evaluate(state, &decision.query));
    if recorded.is(VerdictKind::Refused) {
        if !is_named && reevaluated.receipt().is_some() {
            return None;
        }
        let reasons = format_verdict("refused", recorded.reasons.iter().map(String::as_str));
        let message = format!("the run publishes, although the verdict on line {line} is {reasons}");
        let refused = Label::new(line, paths::VERDICT, "the gate refused here");
        return Some(vec![Finding::new(FindingCode::PublishedDespiteRefusal, run, message).with_labels([refused])]);
    }
    let refused = decisions.later_events(decision).refused;
    if !recorded.is_permission() || reevaluated.may_publish() || refused <= line {
        return Some(Vec::new());
    }
    let message =
        format!("the run publishes with the permission on line {line}, but the gate refused on line {refused}");
    let permission = Label::new(line, paths::VERDICT, "the permission that the run uses");
    let labels = [Label::new(refused, paths::VERDICT, "the gate refused here"), permission];
    Some(vec![Finding::new(FindingCode::PublishedDespiteRefusal, run, message).with_labels(labels)])
}

/// Checks the implicit decision of a run, and returns the finding to report if the run publishes. `rehearsal_failed` is true
/// if the latest rehearsal of the plan is not a sound pass.
fn check_implicit_decision(
    run: u64,
    decision: usize,
    verdict: &Verdict,
    rehearsal_failed: bool,
    decisions: &DecisionTracker,
    findings: &mut Findings,
) -> Vec<Finding> {
    let labels = Label::for_verdict(verdict);
    if verdict.may_publish() {
        if decisions.gate_was_asked {
            let message = "the run used no recorded decision, although the rehearsal would have authorized it";
            let finding = Finding::new(FindingCode::GateNotAskedAgain, run, message).with_labels(labels);
            findings.extend_about(decision, [finding]);
        }
        return Vec::new();
    }
    let reasons = verdict.reason_codes();
    let is_unbacked = |reason: &RefusalCode| matches!(reason, RefusalCode::NoRehearsal | RefusalCode::StalePlan);
    let (code, violation) =
        if reasons == [RefusalCode::UnknownGateEvent] && (decisions.gate_was_asked || !rehearsal_failed) {
            (FindingCode::UnjudgedRun, "only an unknown event may forbid this publish")
        } else if decisions.gate_was_asked {
            (FindingCode::UngatedPublish, "the run publishes without a recorded decision, and the gate would refuse")
        } else if decisions.policy_registry.is_some() || !reasons.iter().all(is_unbacked) {
            (FindingCode::PublishNotAuthorized, "the run publishes, although the gate would refuse")
        } else if rehearsal_failed {
            let violation =
                "the run publishes, although the latest rehearsal of its plan failed, and the gate would refuse";
            (FindingCode::PublishNotAuthorized, violation)
        } else {
            return Vec::new();
        };
    let message = format!("{violation}: {}", format_reasons(verdict));
    vec![Finding::new(code, run, message).with_labels(labels)]
}
