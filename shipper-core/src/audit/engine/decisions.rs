//! Tracker of the decisions: recorded ones are derived again and compared. `docs/auditing.md`, "Decisions".

use std::collections::HashMap;
use std::sync::Arc;

use shipper_events::event::{DecisionRecord, GateEvaluated};
use shipper_events::{ChainError, Event, EventType, JsonUint, PlanId, RegistryName, display_safe};
use time::OffsetDateTime;

use super::findings::Findings;
use super::format::{format_number, format_verdict};
use crate::audit::report::{
    DecisionCommits, Finding, FindingCode, GateReport, Label, RecordedVerdict, RegistrySource, RunReport,
    VerdictSummary, paths,
};
use crate::fold::{GateState, Receipt};
use crate::gate::{GateQuery, Verdict, VerdictKind, evaluate, refuse_without_registry};

/// One query to the gate, recorded in an event or implied by a run without a decision.
#[derive(Debug, Clone)]
pub(super) struct TrackedDecision {
    pub(super) line: u64,
    pub(super) query: GateQuery,
    pub(super) registry_source: Option<RegistrySource>,
    /// `None` for a decision under rules that this version does not know.
    pub(super) derived: Option<VerdictSummary>,
    /// `None` for an implicit decision, and under unknown rules.
    pub(super) recorded: Option<RecordedVerdict>,
    /// The line and the time of the receipt that supports the authorization. `None` unless every verdict of the decision is
    /// `authorized`.
    pub(super) supported_by: Option<(u64, OffsetDateTime)>,
    /// That receipt; `None` after the last run that may use the decision. A log may have many, each with many packages.
    pub(super) receipt: Option<Arc<Receipt>>,
    /// The position of the [`LaterEvents`] of its plan and registry. `None` if it names no registry.
    later_events: Option<usize>,
    pub(super) runs: Vec<RunReport>,
    /// The commits that its events record. `None` if they record none.
    pub(super) commits: Option<Box<DecisionCommits>>,
    /// The last line at which one of its runs acted or ended; its own line if there is none. The end of a run that died
    /// does not count.
    pub(super) last_line: u64,
}

impl TrackedDecision {
    /// Creates a decision without a verdict.
    fn new(line: u64, query: GateQuery) -> Self {
        Self {
            line,
            query,
            registry_source: None,
            derived: None,
            recorded: None,
            supported_by: None,
            receipt: None,
            later_events: None,
            runs: Vec::new(),
            commits: None,
            last_line: line,
        }
    }

    /// Records the receipt that supports the authorization.
    fn set_receipt(&mut self, receipt: Option<&Arc<Receipt>>) {
        self.supported_by = receipt.map(|receipt| (receipt.line, receipt.completed_at.instant()));
        self.receipt = receipt.cloned();
    }
}

/// The history of a plan that its next run depends on.
#[derive(Debug, Clone, Default)]
struct PlanHistory {
    /// The position of its latest recorded decision.
    latest: Option<usize>,
    /// The last line of its latest run that finished with success; 0 for none.
    succeeded: u64,
    /// The registry of its latest implicit decision, and the position of their [`LaterEvents`].
    implicit: Option<(RegistryName, usize)>,
    /// True if its latest rehearsal that completed, or was abandoned after a failure, is not a sound pass.
    rehearsal_failed: bool,
}

/// The lines after the decisions of a plan and registry that may outdate them; 0 for none.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct LaterEvents {
    /// The latest recorded refusal.
    pub(super) refused: u64,
    /// The latest end of a rehearsal that is not a sound pass: a completion, or an abandonment after a failure.
    pub(super) failed: u64,
    /// The latest unknown gate event.
    pub(super) unknown: u64,
}

/// The part of the state before an event of the fold that the event may end.
pub(super) struct BeforeEvent {
    /// Plan and registry of the rehearsal that the event abandons after a failure.
    abandoned: Option<(PlanId, RegistryName)>,
    /// True if the receipt is a sound pass.
    was_valid: bool,
}

impl BeforeEvent {
    pub(super) fn new(event: &Event, state: &GateState) -> Self {
        let is_start = matches!(event.event_type, EventType::RehearsalStarted(_));
        let abandoned = state.open_rehearsal().filter(|open| is_start && open.failed);
        Self {
            abandoned: abandoned.map(|open| (open.plan_id.clone(), open.registry.clone())),
            was_valid: state.receipt().is_some_and(|receipt| receipt.is_valid_evidence()),
        }
    }
}

/// The decisions of a log so far.
#[derive(Debug, Clone, Default)]
pub(super) struct DecisionTracker {
    /// The registry of the options.
    pub(super) policy_registry: Option<RegistryName>,
    /// The decisions, by line.
    pub(super) decisions: Vec<TrackedDecision>,
    plans: HashMap<PlanId, PlanHistory>,
    later_events_index: HashMap<(PlanId, RegistryName), usize>,
    later_events: Vec<LaterEvents>,
    /// The lines of the runs before which the latest rehearsal of their plan was not a sound pass.
    pub(super) runs_after_failure: Vec<u64>,
    /// True if a decision was recorded.
    pub(super) gate_was_asked: bool,
    /// The line of the latest unknown gate event, which may outdate permissions; 0 for none.
    pub(super) unknown_gate_event: u64,
    /// The line of the latest event that the fold depends on; 0 for none. Before the next one, no verdict changes.
    pub(super) latest_gate_event: u64,
}

impl DecisionTracker {
    pub(super) fn new(policy_registry: Option<RegistryName>) -> Self {
        Self { policy_registry, ..Self::default() }
    }

    /// Records a `gate_evaluated`. `basis_matches` is true if its basis is the head of the lines before it.
    pub(super) fn record(
        &mut self,
        line: u64,
        event: &GateEvaluated,
        basis_matches: bool,
        state: &GateState,
        findings: &mut Findings,
    ) {
        let position = self.decisions.len();
        self.gate_was_asked = true;
        self.plans.entry(event.plan_id.clone()).or_default().latest = Some(position);
        let mut decision = TrackedDecision::new(line, GateQuery::new(event.plan_id.clone(), None));
        if let Some(details) = &event.details {
            decision.query.rehearsal_registry.clone_from(&details.rehearsal_registry);
            decision.query.skip = details.skip;
            let recorded = RecordedVerdict { verdict: details.verdict.clone(), reasons: details.reasons.clone() };
            let verdict = evaluate(state, &decision.query);
            if recorded.is(VerdictKind::Authorized) {
                decision.set_receipt(verdict.receipt());
            }
            if let Some(registry) = &details.rehearsal_registry {
                decision.registry_source = Some(RegistrySource::Recorded);
                let position = self.later_events_of(&event.plan_id, registry);
                if let Some(later) = self.later_events.get_mut(position).filter(|_| recorded.is(VerdictKind::Refused)) {
                    later.refused = line;
                }
                decision.later_events = Some(position);
            }
            findings.extend_about(position, self.check_recorded(line, details, &recorded, &verdict, basis_matches));
            decision.derived = Some(VerdictSummary::from(&verdict));
            decision.recorded = Some(recorded);
        } else {
            let rules = format_number(&event.rules);
            let message = format!("the decision has rules version {rules}, which this version does not know");
            findings.extend_about(position, [Finding::new(FindingCode::UnknownRules, line, message)]);
        }
        self.decisions.push(decision);
    }

    /// Returns the position of the later events of a plan and registry.
    fn later_events_of(&mut self, plan_id: &PlanId, registry: &RegistryName) -> usize {
        *self.later_events_index.entry((plan_id.clone(), registry.clone())).or_insert_with(|| {
            self.later_events.push(LaterEvents::default());
            self.later_events.len() - 1
        })
    }

    /// Returns the same for an implicit decision. Runs do not contain the registry, which may be long, so it is not hashed
    /// for each.
    fn implicit_later_events(&mut self, plan_id: &PlanId, registry: &RegistryName) -> usize {
        let known = self.plans.get(plan_id).and_then(|plan| plan.implicit.as_ref());
        if let Some((_, position)) = known.filter(|(known, _)| known == registry) {
            return *position;
        }
        let position = self.later_events_of(plan_id, registry);
        self.plans.entry(plan_id.clone()).or_default().implicit = Some((registry.clone(), position));
        position
    }

    /// Returns the differences of a recorded decision from the derived verdict and from the options.
    fn check_recorded(
        &self,
        line: u64,
        details: &DecisionRecord,
        recorded: &RecordedVerdict,
        verdict: &Verdict,
        basis_matches: bool,
    ) -> Vec<Finding> {
        let (derived, mut found) = (VerdictSummary::from(verdict), Vec::new());
        if *recorded != derived {
            let target = if recorded.is(derived.verdict) { paths::REASONS } else { paths::VERDICT };
            let labels = [Label::new(line, target, "recorded")].into_iter().chain(Label::for_verdict(verdict));
            let message = format!(
                "the recorded verdict is {}, but the events before this line give {}",
                format_verdict(&recorded.verdict, recorded.reasons.iter().map(String::as_str)),
                format_verdict(derived.verdict.as_str(), derived.reasons.iter().map(|reason| reason.as_str())),
            );
            found.push(Finding::new(FindingCode::VerdictMismatch, line, message).with_labels(labels));
        }
        if !basis_matches {
            found.push(Finding::new(FindingCode::BasisMismatch, line, ChainError::BasisMismatch.to_string()));
        }
        let registry = details.rehearsal_registry.as_ref();
        if recorded.is_permission() && self.policy_registry.is_some() && registry != self.policy_registry.as_ref() {
            let under = registry
                .map_or("no registry".to_owned(), |name| format!("registry {}", display_safe(name.as_str()).quoted()));
            let message = format!("the permission is for {under}, not for the demanded registry");
            found.push(Finding::new(FindingCode::RegistryNotDemanded, line, message));
        }
        if recorded.is(VerdictKind::Bypassed) {
            let stated = |text: &Option<String>| {
                text.as_deref().map_or("not recorded".to_owned(), |text| display_safe(text).quoted().to_string())
            };
            let (actor, why) = (stated(&details.actor), stated(&details.justification));
            let message = format!("the gate was bypassed; actor: {actor}; justification: {why}");
            found.push(Finding::new(FindingCode::GateBypassed, line, message));
        }
        found
    }

    /// Adds the implicit decision of a run that used no recorded one. Returns its position and its verdict.
    pub(super) fn push_implicit(&mut self, line: u64, plan_id: &PlanId, state: &GateState) -> (usize, Verdict) {
        let (query, registry_source, verdict) = evaluate_for(plan_id, state, self.registries(plan_id, state));
        let later_events =
            query.rehearsal_registry.as_ref().map(|registry| self.implicit_later_events(plan_id, registry));
        let derived = Some(VerdictSummary::from(&verdict));
        let decision = TrackedDecision::new(line, query);
        let mut decision = TrackedDecision { registry_source, derived, later_events, ..decision };
        decision.set_receipt(verdict.receipt());
        let position = self.decisions.len();
        self.decisions.push(decision);
        (position, verdict)
    }

    /// Records an event of the fold, with the state after it: a rehearsal may be completed, abandoned after a failure, or
    /// refuted by a later failure.
    pub(super) fn gate_event(&mut self, line: u64, event: &Event, before: BeforeEvent, after: &GateState) {
        self.latest_gate_event = line;
        if let Some((plan_id, registry)) = before.abandoned {
            self.rehearsal_ended(line, &plan_id, &registry, false);
        }
        let Some(receipt) = after.receipt().filter(|receipt| !receipt.abandoned) else {
            return;
        };
        let is_refuted = before.was_valid && !receipt.is_valid_evidence();
        if is_refuted || matches!(event.event_type, EventType::RehearsalComplete(_)) {
            self.rehearsal_ended(line, &receipt.plan_id, &receipt.registry, receipt.is_valid_evidence());
        }
    }

    /// Records that a rehearsal ended, or was refuted, at a line. It may outdate permissions.
    fn rehearsal_ended(&mut self, line: u64, plan_id: &PlanId, registry: &RegistryName, is_sound_pass: bool) {
        self.plans.entry(plan_id.clone()).or_default().rehearsal_failed = !is_sound_pass;
        let position = self.later_events_index.get(&(plan_id.clone(), registry.clone()));
        let later = position.and_then(|position| self.later_events.get_mut(*position));
        if let Some(later) = later.filter(|_| !is_sound_pass) {
            later.failed = line;
        }
    }

    /// Returns whether the latest outcome of a rehearsal of the plan, on any registry, is not a sound pass. An open
    /// rehearsal with a failure is such an outcome.
    pub(super) fn rehearsal_failed(&self, plan_id: &PlanId, state: &GateState) -> bool {
        let is_failing = state.open_rehearsal().is_some_and(|open| open.failed && open.plan_id == *plan_id);
        is_failing || self.plans.get(plan_id).is_some_and(|plan| plan.rehearsal_failed)
    }

    /// Adds a run of a decision, which ended at `last_line`. `last_new` is the last line that counts for `--since`.
    pub(super) fn end_run(&mut self, decision: usize, last_line: u64, last_new: u64, run: RunReport) {
        if let Some(decision) = self.decisions.get_mut(decision) {
            if run.finished.as_deref() == Some("success") {
                self.plans.entry(decision.query.plan_id.clone()).or_default().succeeded = last_line;
            }
            if decision.recorded.is_none() {
                // No later run uses an implicit decision.
                decision.receipt = None;
            }
            if decision.runs.is_empty() {
                // Most decisions have one run.
                decision.runs.reserve_exact(1);
            }
            decision.runs.push(run);
            decision.last_line = decision.last_line.max(last_new);
        }
    }

    /// Returns the events after a decision that may outdate it.
    pub(super) fn later_events(&self, decision: &TrackedDecision) -> LaterEvents {
        let later = decision.later_events.and_then(|position| self.later_events.get(position));
        LaterEvents { unknown: self.unknown_gate_event, ..later.copied().unwrap_or_default() }
    }

    /// Returns the position of the earlier recorded decision of the plan at that line.
    pub(super) fn decision_at(&self, line: &JsonUint, plan_id: &PlanId) -> Option<usize> {
        let line = line.as_u64()?;
        let position = self.decisions.binary_search_by_key(&line, |decision| decision.line).ok()?;
        let decision = self.decisions.get(position)?;
        let is_implicit = decision.derived.is_some() && decision.recorded.is_none();
        (!is_implicit && decision.query.plan_id == *plan_id).then_some(position)
    }

    /// Returns the position of the latest recorded decision of the plan, unless a run of the plan has succeeded since.
    pub(super) fn latest_decision(&self, plan_id: &PlanId) -> Option<usize> {
        let plan = self.plans.get(plan_id)?;
        let latest = plan.latest?;
        (self.decisions.get(latest)?.line >= plan.succeeded).then_some(latest)
    }

    /// Returns the registries that a query about a plan may have, with their sources.
    fn registries<'a>(&'a self, plan_id: &PlanId, state: &'a GateState) -> [NamedRegistry<'a>; 3] {
        let latest = self.plans.get(plan_id).and_then(|plan| self.decisions.get(plan.latest?));
        let recorded = latest.and_then(|decision| decision.query.rehearsal_registry.as_ref());
        [
            (self.policy_registry.as_ref(), RegistrySource::Demanded),
            (recorded, RegistrySource::Recorded),
            (state.receipt().map(|receipt| &receipt.registry), RegistrySource::SelfDeclared),
        ]
    }

    /// Returns the verdict of the gate now on the plan of the options, or else on the plan of the receipt.
    pub(super) fn gate_report(&self, plan_id: Option<&PlanId>, state: &GateState, trusted: bool) -> Option<GateReport> {
        let receipt = state.receipt();
        let plan_id = plan_id.or_else(|| receipt.map(|receipt| &receipt.plan_id))?;
        let [demanded, recorded, self_declared] = self.registries(plan_id, state);
        let (query, registry_source, verdict) = evaluate_for(plan_id, state, [demanded, self_declared, recorded]);
        let answer = if trusted { VerdictSummary::from(&verdict) } else { VerdictSummary::untrusted_log() };
        Some(GateReport { query: Some(query), registry_source, verdict: answer.verdict, reasons: answer.reasons })
    }
}

/// A source of a registry, and the registry if the source names one.
type NamedRegistry<'a> = (Option<&'a RegistryName>, RegistrySource);

/// Evaluates the query about a plan under the first registry that a source names.
fn evaluate_for(
    plan_id: &PlanId,
    state: &GateState,
    registries: [NamedRegistry<'_>; 3],
) -> (GateQuery, Option<RegistrySource>, Verdict) {
    let named = registries.into_iter().find_map(|(registry, source)| Some((registry?.clone(), source)));
    let (registry, source) = named.unzip();
    let query = GateQuery::new(plan_id.clone(), registry);
    let verdict = if source.is_some() { evaluate(state, &query) } else { refuse_without_registry(state) };
    (query, source, verdict)
}
