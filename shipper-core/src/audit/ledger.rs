//! Decisions and the runs that take them: `docs/auditing.md`, "Decisions".

use std::collections::HashMap;
use std::sync::Arc;

use shipper_events::vocabulary::{GateEvaluated, PlanCreated};
use shipper_events::{Name, Unsigned, neutral};

use super::authority::{AuthorityWatch, Slot};
use super::finding::{Code, Raised, Subject};
use super::report::{Answer, RecordedAnswer, RegistrySource, Run};
use super::run::OpenRun;
use crate::gate::{Query, ReasonCode, Verdict, VerdictCode, evaluate, refuse_unnamed};
use crate::receipt::Receipt;
use crate::state::State;

/// A receipt that a permission rests on, and where that rehearsal's hosts stand.
pub(super) type Ground = (Arc<Receipt>, Option<Slot>);

/// One question that was put to the gate, by an event or by a run that did not ask.
#[derive(Debug, Clone)]
pub(super) struct Made {
    pub(super) line: u64,
    pub(super) plan_id: Name,
    pub(super) question: Question,
    /// What the permission rests on, where everything agrees that it is one.
    pub(super) ground: Option<Ground>,
    pub(super) violated: bool,
    pub(super) acted_on: bool,
    pub(super) runs: Vec<Run>,
    /// The last line of the last of its runs; its own line without any.
    pub(super) last_line: u64,
}

#[derive(Debug, Clone)]
pub(super) enum Question {
    /// Asked under rules that this version does not know.
    Unjudged,
    /// Asked and recorded.
    Recorded { query: Query, recorded: RecordedAnswer, derived: Answer },
    /// A run's own: nobody asked.
    Own { registry: Option<Name>, source: Option<RegistrySource>, derived: Answer },
}

/// What is remembered of a plan for the runs to come.
#[derive(Debug, Clone, Default)]
struct Plan {
    /// Its latest recorded decision.
    latest: Option<usize>,
    /// The last line on which a run of it finished with success.
    succeeded: u64,
}

/// What came after the recorded decisions of a plan and registry; lines, 0 for none.
#[derive(Debug, Clone, Copy, Default)]
struct Since {
    refused: u64,
    completed_badly: u64,
}

/// The decisions of a log so far.
#[derive(Debug, Clone)]
pub(super) struct Ledger {
    demanded: Option<Name>,
    made: Vec<Made>,
    plans: HashMap<Name, Plan>,
    since: HashMap<(Name, Name), Since>,
    gate_was_asked: bool,
    unknown_event: u64,
    run: Option<OpenRun>,
    outside_noted: bool,
    raised: Vec<Raised>,
}

/// What a run does to a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed {
    Attempted,
    Uploaded,
    Published,
    Skipped,
    Failed,
}

impl Ledger {
    pub(super) fn new(demanded: Option<Name>) -> Self {
        Self {
            demanded,
            made: Vec::new(),
            plans: HashMap::new(),
            since: HashMap::new(),
            gate_was_asked: false,
            unknown_event: 0,
            run: None,
            outside_noted: false,
            raised: Vec::new(),
        }
    }

    /// Everything that was decided, by line, and what was found about it.
    pub(super) fn finish(self) -> (Vec<Made>, Vec<Raised>) {
        (self.made, self.raised)
    }

    /// What was found so far.
    pub(super) fn raised(&self) -> &[Raised] {
        &self.raised
    }

    /// The registry that the latest recorded decision of a plan names.
    pub(super) fn recorded_registry(&self, plan_id: &Name) -> Option<&Name> {
        let latest = self.plans.get(plan_id)?.latest?;
        match &self.made.get(latest)?.question {
            Question::Recorded { query, .. } => query.rehearsal_registry.as_ref(),
            Question::Unjudged | Question::Own { .. } => None,
        }
    }

    fn raise(&mut self, code: Code, line: u64, decision: usize, message: impl Into<String>) {
        let subject = Subject::Decision(decision);
        let (line, message) = (Some(line), message.into());
        if code.level() == super::finding::Level::Error
            && let Some(made) = self.made.get_mut(decision)
        {
            made.violated |= code != Code::UnknownRules;
        }
        self.raised.push(Raised { code, line, message, subject });
    }

    // Recorded decisions.

    /// The gate was asked; `basis_fits` says whether the recorded basis is the head of everything before the line.
    pub(super) fn gate_evaluated(
        &mut self,
        line: u64,
        event: &GateEvaluated,
        basis_fits: bool,
        state: &State,
        hosts: &AuthorityWatch,
    ) {
        let decision = self.made.len();
        let plan_id = event.plan_id.clone();
        self.gate_was_asked = true;
        self.plans.entry(plan_id.clone()).or_default().latest = Some(decision);
        let Some(asked) = &event.asked else {
            self.push(line, plan_id, Question::Unjudged, None);
            let rules = &event.rules;
            let message = format!("the decision was made under rules {rules}, which this version does not know");
            self.raise(Code::UnknownRules, line, decision, message);
            return;
        };
        let query =
            Query { plan_id: plan_id.clone(), rehearsal_registry: asked.rehearsal_registry.clone(), skip: asked.skip };
        let recorded = RecordedAnswer { verdict: asked.verdict.clone(), reasons: asked.reasons.clone() };
        let verdict = evaluate(state, &query);
        let derived = Answer::from(&verdict);
        let confirmed = recorded == derived;
        let ground = verdict.receipt().filter(|_| confirmed).map(|receipt| (Arc::clone(receipt), hosts.of_receipt()));
        let permits = is_permission(&recorded.verdict);
        let bypassed = recorded.verdict == VerdictCode::Bypassed.as_str();
        let refused = recorded.verdict == VerdictCode::Refused.as_str();
        let registry = query.rehearsal_registry.clone();
        let mismatch = (!confirmed).then(|| {
            format!(
                "recorded is {}, and the events before this line give {}",
                described(&recorded.verdict, recorded.reasons.iter().map(String::as_str)),
                described(derived.verdict.as_str(), derived.reasons.iter().map(|reason| reason.as_str())),
            )
        });
        let question = Question::Recorded { query, recorded, derived };
        self.push(line, plan_id.clone(), question, ground);
        if let Some(message) = mismatch {
            self.raise(Code::VerdictMismatch, line, decision, message);
        }
        if !basis_fits {
            let message = "the recorded basis is not the head of the lines before this one";
            self.raise(Code::BasisMismatch, line, decision, message);
        }
        if permits && self.demanded.is_some() && registry != self.demanded {
            let under = registry
                .as_ref()
                .map_or("no registry".to_owned(), |name| format!("registry {}", neutral(name.as_str()).quoted()));
            let message = format!("the permission was given under {under}, which is not the demanded one");
            self.raise(Code::RegistryNotDemanded, line, decision, message);
        }
        if bypassed {
            let who = |text: &Option<String>| {
                text.as_deref().map_or("nobody says".to_owned(), |text| neutral(text).quoted().to_string())
            };
            let message =
                format!("the gate was bypassed; by: {}; why: {}", who(&asked.actor), who(&asked.justification));
            self.raise(Code::GateBypassed, line, decision, message);
        }
        if let Some(registry) = registry {
            let since = self.since.entry((plan_id, registry)).or_default();
            if refused {
                since.refused = line;
            }
        }
    }

    fn push(&mut self, line: u64, plan_id: Name, question: Question, ground: Option<Ground>) {
        self.made.push(Made {
            line,
            plan_id,
            question,
            ground,
            violated: false,
            acted_on: false,
            runs: Vec::new(),
            last_line: line,
        });
    }

    // What may outdate a decision.

    pub(super) fn rehearsal_completed(&mut self, receipt: &Receipt) {
        if receipt.is_proof() {
            return;
        }
        let key = (receipt.plan_id.clone(), receipt.registry.clone());
        if let Some(since) = self.since.get_mut(&key) {
            since.completed_badly = receipt.line;
        }
    }

    pub(super) fn unknown_gate_event(&mut self, line: u64) {
        self.unknown_event = line;
    }

    // Runs.

    /// A run begins: it takes a decision, or is one of its own.
    pub(super) fn run_started(&mut self, line: u64, plan: &PlanCreated, state: &State, hosts: &AuthorityWatch) {
        let plan_id = &plan.plan_id;
        self.outside_noted = false;
        let named = plan.gate.as_ref().map(|gate| (gate, self.named(gate, plan_id)));
        let takes = match named {
            Some((_, named)) => named,
            None => self.latest(plan_id),
        };
        let again = takes.and_then(|decision| self.ask_again(decision, state));
        let rehearsed_since = |decision: &usize| {
            self.recorded_verdict(*decision) == Some(VerdictCode::Refused.as_str())
                && again.as_ref().is_some_and(|verdict| verdict.receipt().is_some())
        };
        let takes = takes.filter(|decision| !rehearsed_since(decision));
        let (decision, if_it_acts) = match takes {
            Some(decision) => (decision, self.judge_taken(decision, again.as_ref(), state)),
            None => self.decide_own(line, plan_id, state, hosts),
        };
        let ground = self.made.get(decision).and_then(|made| made.ground.clone());
        let (receipt, rehearsal_hosts) = ground.unzip();
        let mut run = OpenRun::new(line, plan_id.clone(), &plan.package_count, decision, receipt);
        run.if_it_acts.extend(if_it_acts);
        self.run = Some(run);
        if let Some((gate, None)) = named {
            let message = format!("the run acts on line {gate}, and no decision of its plan stands there before it");
            self.raise(Code::GateNotFound, line, decision, message);
        }
        if self.made.get(decision).is_some_and(|made| matches!(made.question, Question::Unjudged)) {
            return;
        }
        if let Some(open) = state.open().filter(|open| open.plan_id == *plan_id) {
            let message =
                format!("the rehearsal started on line {} was not completed before this run", open.start.line);
            self.raise(Code::RehearsalUnfinished, line, decision, message);
        }
        let rehearsal_hosts = rehearsal_hosts.flatten();
        let rehearsal_hosts = rehearsal_hosts.as_ref().and_then(|slot| slot.get());
        if let (Some(live), Some(rehearsal)) = (hosts.of_execution(), rehearsal_hosts)
            && let Some(host) = live.shared(rehearsal)
        {
            let host = neutral(host).quoted();
            let message = format!("the run and the rehearsal that it rests on name the same host, {host}");
            self.raise(Code::SharedAuthority, line, decision, message);
        }
    }

    /// The earlier decision of the plan that stands on that line.
    fn named(&self, gate: &Unsigned, plan_id: &Name) -> Option<usize> {
        let line = gate.as_u64()?;
        let position = self.made.binary_search_by_key(&line, |made| made.line).ok()?;
        let made = self.made.get(position)?;
        let recorded = !matches!(made.question, Question::Own { .. });
        (recorded && made.plan_id == *plan_id).then_some(position)
    }

    /// The plan's latest recorded decision, unless a run of the plan has succeeded since.
    fn latest(&self, plan_id: &Name) -> Option<usize> {
        let plan = self.plans.get(plan_id)?;
        let latest = plan.latest?;
        (self.made.get(latest)?.line >= plan.succeeded).then_some(latest)
    }

    fn ask_again(&self, decision: usize, state: &State) -> Option<Verdict> {
        match &self.made.get(decision)?.question {
            Question::Recorded { query, .. } => Some(evaluate(state, query)),
            Question::Unjudged | Question::Own { .. } => None,
        }
    }

    fn recorded_verdict(&self, decision: usize) -> Option<&str> {
        match &self.made.get(decision)?.question {
            Question::Recorded { recorded, .. } => Some(&recorded.verdict),
            Question::Unjudged | Question::Own { .. } => None,
        }
    }

    /// What a run violates that takes a recorded decision and acts.
    fn judge_taken(&self, decision: usize, again: Option<&Verdict>, state: &State) -> Vec<(Code, String)> {
        let mut found = Vec::new();
        let Some(made) = self.made.get(decision) else {
            return found;
        };
        let Question::Recorded { query, recorded, .. } = &made.question else {
            return found;
        };
        let line = made.line;
        if recorded.verdict == VerdictCode::Refused.as_str() {
            let reasons = described("refused", recorded.reasons.iter().map(String::as_str));
            found.push((
                Code::PublishedDespiteRefusal,
                format!("the run publishes, and the gate's answer on line {line} was {reasons}"),
            ));
        }
        let Some(again) = again.filter(|again| !again.may_publish() && is_permission(&recorded.verdict)) else {
            return found;
        };
        let since = query.rehearsal_registry.as_ref().and_then(|registry| {
            let key = (made.plan_id.clone(), registry.clone());
            self.since.get(&key).copied()
        });
        let since = since.unwrap_or_default();
        if since.refused > line {
            let refused = since.refused;
            found.push((
                Code::PublishedDespiteRefusal,
                format!("the run publishes on the permission of line {line}, and the gate refused on line {refused}"),
            ));
        }
        let failing = state.open().is_some_and(|open| {
            open.failed && open.plan_id == made.plan_id && Some(&open.registry) == query.rehearsal_registry.as_ref()
        });
        let outdated = since.completed_badly > line || failing || self.unknown_event > line;
        if recorded.verdict == VerdictCode::Authorized.as_str() && outdated {
            let reasons = explained(again);
            found.push((
                Code::DecisionOutdated,
                format!(
                    "the run publishes on the permission of line {line}, and by now it would be refused: {reasons}"
                ),
            ));
        }
        found
    }

    /// A run that takes no recorded decision is one of its own, asked just before it.
    fn decide_own(
        &mut self,
        line: u64,
        plan_id: &Name,
        state: &State,
        hosts: &AuthorityWatch,
    ) -> (usize, Vec<(Code, String)>) {
        let decision = self.made.len();
        let recorded = self.recorded_registry(plan_id);
        let (verdict, registry, source) = ask(
            plan_id,
            state,
            [
                (self.demanded.as_ref(), RegistrySource::Demanded),
                (recorded, RegistrySource::Recorded),
                (state.receipt().map(|receipt| &receipt.registry), RegistrySource::SelfDeclared),
            ],
        );
        let derived = Answer::from(&verdict);
        let ground = verdict.receipt().map(|receipt| (Arc::clone(receipt), hosts.of_receipt()));
        let unbacked = |reason: &ReasonCode| matches!(reason, ReasonCode::NoRehearsal | ReasonCode::StalePlan);
        let only_unbacked = derived.reasons.iter().all(unbacked);
        self.push(line, plan_id.clone(), Question::Own { registry, source, derived }, ground);
        let mut if_it_acts = Vec::new();
        if verdict.may_publish() {
            if self.gate_was_asked {
                let message = "the run did not ask the gate, which would have authorized it";
                self.raise(Code::GateNotAskedAgain, line, decision, message);
            }
        } else if self.gate_was_asked {
            let reasons = explained(&verdict);
            let message = format!("the run publishes without a decision, and the gate would refuse: {reasons}");
            if_it_acts.push((Code::UngatedPublish, message));
        } else if self.demanded.is_some() || !only_unbacked {
            let message = format!("the run publishes, and the gate would refuse: {}", explained(&verdict));
            if_it_acts.push((Code::PublishNotAuthorized, message));
        }
        (decision, if_it_acts)
    }

    /// The run ends, if there is one: `last_line` is its last, `finished` what its `execution_finished` says.
    pub(super) fn run_ended(&mut self, last_line: u64, finished: Option<String>) {
        let Some(mut run) = self.run.take() else {
            return;
        };
        let (line, decision) = (run.line, run.decision);
        if run.acts {
            for (code, message) in std::mem::take(&mut run.if_it_acts) {
                self.raise(code, line, decision, message);
            }
        }
        if finished.as_deref() == Some("success") {
            self.plans.entry(run.plan_id.clone()).or_default().succeeded = last_line;
        }
        let acted = run.acts;
        let ended = run.end(finished);
        if let Some(made) = self.made.get_mut(decision) {
            made.acted_on |= acted;
            made.runs.push(ended);
            made.last_line = last_line;
        }
    }

    /// Something happens to a package, in a run or outside every one.
    pub(super) fn deed(&mut self, line: u64, deed: Deed, package: &str) {
        let acts = matches!(deed, Deed::Attempted | Deed::Uploaded | Deed::Published);
        let Some(run) = &mut self.run else {
            if acts && !std::mem::replace(&mut self.outside_noted, true) {
                let package = neutral(package).quoted();
                self.raised.push(Raised {
                    code: Code::PublishOutsideRun,
                    line: Some(line),
                    message: format!("{package} is published here outside every run"),
                    subject: Subject::Log,
                });
            }
            return;
        };
        if acts {
            run.act(package);
        }
        match deed {
            Deed::Published => run.published(package),
            Deed::Skipped => run.skipped(package),
            Deed::Failed => run.failed(package),
            Deed::Attempted | Deed::Uploaded => {}
        }
    }

    pub(super) fn publishes_to(&mut self, registry: &str) {
        if let Some(run) = &mut self.run {
            run.publishes_to(registry);
        }
    }
}

/// Asks the gate about a plan under the first registry that anybody names.
pub(super) fn ask(
    plan_id: &Name,
    state: &State,
    registries: [(Option<&Name>, RegistrySource); 3],
) -> (Verdict, Option<Name>, Option<RegistrySource>) {
    let named = registries.into_iter().find_map(|(registry, source)| Some((registry?.clone(), source)));
    let Some((registry, source)) = named else {
        return (refuse_unnamed(state), None, None);
    };
    let query = Query { plan_id: plan_id.clone(), rehearsal_registry: Some(registry), skip: false };
    (evaluate(state, &query), query.rehearsal_registry, Some(source))
}

fn is_permission(verdict: &str) -> bool {
    [VerdictCode::Dormant, VerdictCode::Bypassed, VerdictCode::Authorized].iter().any(|code| code.as_str() == verdict)
}

/// A verdict and its reasons for a message: any text, made safe to show.
fn described<'r>(verdict: &str, reasons: impl Iterator<Item = &'r str>) -> String {
    let mut text = neutral(verdict).at_most(40).to_string();
    let reasons: Vec<String> = reasons.take(8).map(|reason| neutral(reason).at_most(40).to_string()).collect();
    if !reasons.is_empty() {
        text = format!("{text} ({})", reasons.join(", "));
    }
    text
}

/// Every reason of a refusal with what shows it.
fn explained(verdict: &Verdict) -> String {
    let reasons: Vec<String> = verdict.reasons().iter().map(|reason| format!("{}: {reason}", reason.code())).collect();
    reasons.join("; ")
}
