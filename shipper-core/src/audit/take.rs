//! Runs: which decision each takes, and what it violates. `docs/auditing.md`, "Decisions".

use shipper_events::event::PlanCreated;
use shipper_events::{JsonUint, PlanId, RegistryName, display_safe};

use super::authority::AuthorityWatch;
use super::decision::VerdictSummary;
use super::finding::{FindingCode, Raised};
use super::ledger::{Ground, Ledger, Question, is_permission};
use super::mark::{Label, member};
use super::report::RegistrySource;
use super::run::{Charge, OpenRun};
use super::wording::{described, explained, number};
use crate::fold::GateState;
use crate::gate::{GateQuery, RefusalCode, Verdict, VerdictKind, evaluate, refuse_without_registry};

/// What a run does to a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PackageAction {
    /// It is about to be published.
    Attempted,
    /// It was handed to the live registry.
    Uploaded,
    /// It is on the live registry.
    Published,
    /// It was there already.
    Skipped,
    /// It could not be published.
    Failed,
}

impl Ledger {
    /// A run begins: it takes a decision, or is one of its own.
    pub(super) fn run_started(&mut self, line: u64, plan: &PlanCreated, state: &GateState, hosts: &AuthorityWatch) {
        let plan_id = &plan.plan_id;
        self.outside_noted = false;
        let named = plan.gate.as_ref().map(|gate| (gate, self.named(gate, plan_id)));
        let takes = match named {
            Some((_, named)) => named,
            None => self.latest(plan_id),
        };
        let again = takes.and_then(|decision| self.ask_again(decision, state));
        let rehearsed_since = |decision: &usize| {
            self.recorded_verdict(*decision) == Some(VerdictKind::Refused.as_str())
                && again.as_ref().is_some_and(|verdict| verdict.receipt().is_some())
        };
        let takes = takes.filter(|decision| !rehearsed_since(decision));
        let (decision, if_it_acts) = match takes {
            Some(decision) => (decision, self.judge_taken(decision, again.as_ref(), state)),
            None => self.decide_own(line, plan_id, state, hosts),
        };
        let ground = self.made.get(decision).and_then(|made| made.ground.clone());
        let rehearsal_hosts = ground.as_ref().and_then(|ground| hosts.of_rehearsal(ground.hosts?));
        let rehearsal_line = ground.as_ref().map(|ground| ground.line);
        let mut run = OpenRun::new(line, plan_id.clone(), &plan.package_count, decision, ground);
        run.if_it_acts.extend(if_it_acts);
        self.run = Some(run);
        if let Some((gate, None)) = named {
            let message =
                format!("the run acts on line {}, and no decision of its plan stands there before it", number(gate));
            self.raise(FindingCode::GateNotFound, line, decision, message, Vec::new());
        }
        if self.made.get(decision).is_some_and(|made| matches!(made.question, Question::Unjudged)) {
            return;
        }
        if let Some(open) = state.open_rehearsal().filter(|open| open.plan_id == *plan_id) {
            let message =
                format!("the rehearsal started on line {} was not completed before this run", open.start.line);
            let open = Label::new(open.start.line, member::TYPE, "started, and not completed");
            self.raise(FindingCode::RehearsalUnfinished, line, decision, message, vec![open]);
        }
        if let (Some(live), Some(rehearsal)) = (hosts.of_execution(), rehearsal_hosts)
            && let Some(host) = live.shared(rehearsal)
        {
            let host = display_safe(host).quoted();
            let message = format!("the run and the rehearsal that it rests on name the same host, {host}");
            let rests_on =
                rehearsal_line.map(|line| Label::new(line, member::REGISTRY, "the rehearsal that it rests on"));
            self.raise(FindingCode::SharedAuthority, line, decision, message, rests_on.into_iter().collect());
        }
    }

    /// The earlier decision of the plan that stands on that line.
    fn named(&self, gate: &JsonUint, plan_id: &PlanId) -> Option<usize> {
        let line = gate.as_u64()?;
        let position = self.made.binary_search_by_key(&line, |made| made.line).ok()?;
        let made = self.made.get(position)?;
        let recorded = !matches!(made.question, Question::Own { .. });
        (recorded && made.plan_id == *plan_id).then_some(position)
    }

    /// The plan's latest recorded decision, unless a run of the plan has succeeded since.
    fn latest(&self, plan_id: &PlanId) -> Option<usize> {
        let plan = self.plans.get(plan_id)?;
        let latest = plan.latest?;
        (self.made.get(latest)?.line >= plan.succeeded).then_some(latest)
    }

    fn ask_again(&self, decision: usize, state: &GateState) -> Option<Verdict> {
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
    fn judge_taken(&self, decision: usize, again: Option<&Verdict>, state: &GateState) -> Vec<Charge> {
        let mut found = Vec::new();
        let Some(made) = self.made.get(decision) else {
            return found;
        };
        let Question::Recorded { query, recorded, .. } = &made.question else {
            return found;
        };
        let line = made.line;
        if recorded.verdict == VerdictKind::Refused.as_str() {
            let reasons = described("refused", recorded.reasons.iter().map(String::as_str));
            found.push(Charge {
                code: FindingCode::PublishedDespiteRefusal,
                message: format!("the run publishes, and the gate's answer on line {line} was {reasons}"),
                marks: vec![Label::new(line, member::VERDICT, "the gate refused here")],
            });
        }
        let Some(again) = again.filter(|again| !again.may_publish() && is_permission(&recorded.verdict)) else {
            return found;
        };
        let since = made.since.and_then(|position| self.since.get(position).copied()).unwrap_or_default();
        if since.refused > line {
            let refused = since.refused;
            found.push(Charge {
                code: FindingCode::PublishedDespiteRefusal,
                message: format!(
                    "the run publishes on the permission of line {line}, and the gate refused on line {refused}"
                ),
                marks: vec![
                    Label::new(refused, member::VERDICT, "the gate refused here"),
                    Label::new(line, member::VERDICT, "the permission that it takes"),
                ],
            });
        }
        let failing = state.open_rehearsal().is_some_and(|open| {
            open.failed && open.plan_id == made.plan_id && Some(&open.registry) == query.rehearsal_registry.as_ref()
        });
        let outdated = since.completed_badly > line || failing || self.unknown_event > line;
        if recorded.verdict == VerdictKind::Authorized.as_str() && outdated {
            let reasons = explained(again);
            let permission = Label::new(line, member::VERDICT, "the permission that it takes");
            found.push(Charge {
                code: FindingCode::DecisionOutdated,
                message: format!(
                    "the run publishes on the permission of line {line}, and by now it would be refused: {reasons}"
                ),
                marks: [permission].into_iter().chain(Label::of_verdict(again)).collect(),
            });
        }
        found
    }

    /// A run that takes no recorded decision is one of its own, asked just before it.
    fn decide_own(
        &mut self,
        line: u64,
        plan_id: &PlanId,
        state: &GateState,
        hosts: &AuthorityWatch,
    ) -> (usize, Vec<Charge>) {
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
        let derived = VerdictSummary::from(&verdict);
        let ground = verdict.receipt().map(|receipt| Ground::of(receipt, hosts));
        let unbacked = |reason: &RefusalCode| matches!(reason, RefusalCode::NoRehearsal | RefusalCode::StalePlan);
        let only_unbacked = derived.reasons.iter().all(unbacked);
        self.push(line, plan_id.clone(), Question::Own { registry, source, derived }, ground);
        let mut if_it_acts = Vec::new();
        if verdict.may_publish() {
            if self.gate_was_asked {
                let message = "the run did not ask the gate, which would have authorized it";
                self.raise(FindingCode::GateNotAskedAgain, line, decision, message, Label::of_verdict(&verdict));
            }
        } else if self.gate_was_asked {
            let reasons = explained(&verdict);
            let message = format!("the run publishes without a decision, and the gate would refuse: {reasons}");
            if_it_acts.push(Charge { code: FindingCode::UngatedPublish, message, marks: Label::of_verdict(&verdict) });
        } else if self.demanded.is_some() || !only_unbacked {
            let message = format!("the run publishes, and the gate would refuse: {}", explained(&verdict));
            if_it_acts.push(Charge {
                code: FindingCode::PublishNotAuthorized,
                message,
                marks: Label::of_verdict(&verdict),
            });
        }
        (decision, if_it_acts)
    }

    /// The run ends, if there is one: `last_line` is its last, `finished` what its `execution_finished` says.
    pub(super) fn run_ended(&mut self, last_line: u64, finished: Option<String>) {
        let Some(mut run) = self.run.take() else {
            return;
        };
        let (line, decision) = (run.line, run.decision);
        if let Some(first) = run.acts {
            for Charge { code, message, mut marks } in std::mem::take(&mut run.if_it_acts) {
                if code != FindingCode::NotWhatWasRehearsed {
                    marks.push(Label::new(first, member::PACKAGE, "it publishes from here on"));
                }
                self.raise(code, line, decision, message, marks);
            }
        }
        if finished.as_deref() == Some("success") {
            self.plans.entry(run.plan_id.clone()).or_default().succeeded = last_line;
        }
        let ended = run.end(finished);
        if let Some(made) = self.made.get_mut(decision) {
            made.runs.push(ended);
            made.last_line = last_line;
        }
    }

    /// Something happens to a package, in a run or outside every one.
    pub(super) fn deed(&mut self, line: u64, deed: PackageAction, package: &str) {
        let acts = matches!(deed, PackageAction::Attempted | PackageAction::Uploaded | PackageAction::Published);
        let Some(run) = &mut self.run else {
            if acts && !std::mem::replace(&mut self.outside_noted, true) {
                let package = display_safe(package).quoted();
                let message = format!("{package} is published here outside every run");
                self.raised.push(Raised::about_log(FindingCode::PublishOutsideRun, Some(line), message));
            }
            return;
        };
        if acts {
            run.act(line, package);
        }
        match deed {
            PackageAction::Published => run.published(package),
            PackageAction::Skipped => run.skipped(package),
            PackageAction::Failed => run.failed(package),
            PackageAction::Attempted | PackageAction::Uploaded => {}
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
    plan_id: &PlanId,
    state: &GateState,
    registries: [(Option<&RegistryName>, RegistrySource); 3],
) -> (Verdict, Option<RegistryName>, Option<RegistrySource>) {
    let named = registries.into_iter().find_map(|(registry, source)| Some((registry?.clone(), source)));
    let Some((registry, source)) = named else {
        return (refuse_without_registry(state), None, None);
    };
    let query = GateQuery { plan_id: plan_id.clone(), rehearsal_registry: Some(registry), skip: false };
    (evaluate(state, &query), query.rehearsal_registry, Some(source))
}
