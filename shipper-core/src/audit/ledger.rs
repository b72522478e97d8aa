//! Decisions as they are recorded, and what comes after them: `docs/auditing.md`, "Decisions".

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use shipper_events::event::GateEvaluated;
use shipper_events::{ChainError, JsonUint, PlanId, RegistryName, display_safe};

use super::authority::{AuthorityWatch, Slot};
use super::decision::{RecordedVerdict, RunReport, VerdictSummary};
use super::finding::{FindingCode, Level, Raised, Subject};
use super::mark::{Label, member};
use super::report::RegistrySource;
use super::run::OpenRun;
use super::wording::{described, number};
use crate::fold::{GateState, Receipt};
use crate::gate::{GateQuery, VerdictKind, evaluate};

/// What a permission rests on: as much of a receipt as runs are compared with.
#[derive(Debug, Clone)]
pub(super) struct Ground {
    /// The line of the completion.
    pub(super) line: u64,
    /// The line of the start.
    pub(super) started: Option<u64>,
    pub(super) package_count: Option<JsonUint>,
    pub(super) packages: Arc<BTreeSet<String>>,
    /// Where that rehearsal's hosts stand.
    pub(super) hosts: Option<Slot>,
}

impl Ground {
    pub(super) fn of(receipt: &Receipt, hosts: &AuthorityWatch) -> Self {
        Self {
            line: receipt.line,
            started: receipt.start.as_ref().map(|start| start.line),
            package_count: receipt.start.as_ref().map(|start| start.package_count.clone()),
            packages: Arc::clone(&receipt.packages),
            hosts: hosts.of_receipt(),
        }
    }
}

/// One question that was put to the gate, by an event or by a run that did not ask.
#[derive(Debug, Clone)]
pub(super) struct Made {
    pub(super) line: u64,
    pub(super) plan_id: PlanId,
    pub(super) question: Question,
    /// What the permission rests on, where everything agrees that it is one.
    pub(super) ground: Option<Ground>,
    /// What came after it, if it names a registry; a position in the ledger's `since`.
    pub(super) since: Option<usize>,
    pub(super) violated: bool,
    pub(super) runs: Vec<RunReport>,
    /// The last line of the last of its runs; its own line without any.
    pub(super) last_line: u64,
}

#[derive(Debug, Clone)]
pub(super) enum Question {
    /// Asked under rules that this version does not know.
    Unjudged,
    /// Asked and recorded.
    Recorded { query: GateQuery, recorded: RecordedVerdict, derived: VerdictSummary },
    /// A run's own: nobody asked.
    Own { registry: Option<RegistryName>, source: Option<RegistrySource>, derived: VerdictSummary },
}

/// What is remembered of a plan for the runs to come.
#[derive(Debug, Clone, Default)]
pub(super) struct Plan {
    /// Its latest recorded decision.
    pub(super) latest: Option<usize>,
    /// The last line on which a run of it finished with success.
    pub(super) succeeded: u64,
}

/// What came after the recorded decisions of a plan and registry; lines, 0 for none.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Since {
    pub(super) refused: u64,
    pub(super) completed_badly: u64,
}

/// The decisions of a log so far.
#[derive(Debug, Clone)]
pub(super) struct Ledger {
    pub(super) demanded: Option<RegistryName>,
    pub(super) made: Vec<Made>,
    pub(super) plans: HashMap<PlanId, Plan>,
    since_of: HashMap<(PlanId, RegistryName), usize>,
    pub(super) since: Vec<Since>,
    pub(super) gate_was_asked: bool,
    pub(super) unknown_event: u64,
    pub(super) run: Option<OpenRun>,
    pub(super) outside_noted: bool,
    pub(super) raised: Vec<Raised>,
}

impl Ledger {
    pub(super) fn new(demanded: Option<RegistryName>) -> Self {
        Self {
            demanded,
            made: Vec::new(),
            plans: HashMap::new(),
            since_of: HashMap::new(),
            since: Vec::new(),
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
    pub(super) fn recorded_registry(&self, plan_id: &PlanId) -> Option<&RegistryName> {
        let latest = self.plans.get(plan_id)?.latest?;
        match &self.made.get(latest)?.question {
            Question::Recorded { query, .. } => query.rehearsal_registry.as_ref(),
            Question::Unjudged | Question::Own { .. } => None,
        }
    }

    pub(super) fn raise(
        &mut self,
        code: FindingCode,
        line: u64,
        decision: usize,
        message: impl Into<Cow<'static, str>>,
        marks: Vec<Label>,
    ) {
        let subject = Subject::Decision(decision);
        let (line, message) = (Some(line), message.into());
        if code.level() == Level::Error
            && let Some(made) = self.made.get_mut(decision)
        {
            made.violated |= code != FindingCode::UnknownRules;
        }
        self.raised.push(Raised { code, line, message, subject, marks });
    }

    // Recorded decisions.

    /// The gate was asked; `basis_fits` says whether the recorded basis is the head of everything before the line.
    pub(super) fn gate_evaluated(
        &mut self,
        line: u64,
        event: &GateEvaluated,
        basis_fits: bool,
        state: &GateState,
        hosts: &AuthorityWatch,
    ) {
        let decision = self.made.len();
        let plan_id = event.plan_id.clone();
        self.gate_was_asked = true;
        self.plans.entry(plan_id.clone()).or_default().latest = Some(decision);
        let Some(asked) = &event.details else {
            self.push(line, plan_id, Question::Unjudged, None);
            let rules = number(&event.rules);
            let message = format!("the decision was made under rules {rules}, which this version does not know");
            self.raise(FindingCode::UnknownRules, line, decision, message, Vec::new());
            return;
        };
        let query = GateQuery {
            plan_id: plan_id.clone(),
            rehearsal_registry: asked.rehearsal_registry.clone(),
            skip: asked.skip,
        };
        let recorded = RecordedVerdict { verdict: asked.verdict.clone(), reasons: asked.reasons.clone() };
        let verdict = evaluate(state, &query);
        let derived = VerdictSummary::from(&verdict);
        let confirmed = recorded == derived;
        let authorized = recorded.verdict == VerdictKind::Authorized.as_str();
        let ground = verdict.receipt().filter(|_| authorized).map(|receipt| Ground::of(receipt, hosts));
        let permits = is_permission(&recorded.verdict);
        let bypassed = recorded.verdict == VerdictKind::Bypassed.as_str();
        let refused = recorded.verdict == VerdictKind::Refused.as_str();
        let registry = query.rehearsal_registry.clone();
        let mismatch = (!confirmed).then(|| {
            let same_verdict = recorded.verdict == derived.verdict.as_str();
            let own = Label::new(line, if same_verdict { member::REASONS } else { member::VERDICT }, "recorded");
            let marks: Vec<Label> = [own].into_iter().chain(Label::of_verdict(&verdict)).collect();
            let message = format!(
                "recorded is {}, and the events before this line give {}",
                described(&recorded.verdict, recorded.reasons.iter().map(String::as_str)),
                described(derived.verdict.as_str(), derived.reasons.iter().map(|reason| reason.as_str())),
            );
            (message, marks)
        });
        let question = Question::Recorded { query, recorded, derived };
        self.push(line, plan_id.clone(), question, ground);
        if let Some(registry) = &registry {
            let position = self.since_of(&plan_id, registry);
            if let Some(since) = self.since.get_mut(position).filter(|_| refused) {
                since.refused = line;
            }
            if let Some(made) = self.made.get_mut(decision) {
                made.since = Some(position);
            }
        }
        if let Some((message, marks)) = mismatch {
            self.raise(FindingCode::VerdictMismatch, line, decision, message, marks);
        }
        if !basis_fits {
            self.raise(FindingCode::BasisMismatch, line, decision, ChainError::BasisMismatch.to_string(), Vec::new());
        }
        if permits && self.demanded.is_some() && registry != self.demanded {
            let under = registry
                .as_ref()
                .map_or("no registry".to_owned(), |name| format!("registry {}", display_safe(name.as_str()).quoted()));
            let message = format!("the permission was given under {under}, which is not the demanded one");
            self.raise(FindingCode::RegistryNotDemanded, line, decision, message, Vec::new());
        }
        if bypassed {
            let who = |text: &Option<String>| {
                text.as_deref().map_or("nobody says".to_owned(), |text| display_safe(text).quoted().to_string())
            };
            let message =
                format!("the gate was bypassed; by: {}; why: {}", who(&asked.actor), who(&asked.justification));
            self.raise(FindingCode::GateBypassed, line, decision, message, Vec::new());
        }
    }

    /// Where what comes after the decisions of a plan and registry is kept.
    fn since_of(&mut self, plan_id: &PlanId, registry: &RegistryName) -> usize {
        let next = self.since.len();
        let position = *self.since_of.entry((plan_id.clone(), registry.clone())).or_insert(next);
        if position == next {
            self.since.push(Since::default());
        }
        position
    }

    pub(super) fn push(&mut self, line: u64, plan_id: PlanId, question: Question, ground: Option<Ground>) {
        self.made.push(Made {
            line,
            plan_id,
            question,
            ground,
            since: None,
            violated: false,
            runs: Vec::new(),
            last_line: line,
        });
    }

    // What may outdate a decision.

    pub(super) fn rehearsal_completed(&mut self, receipt: &Receipt) {
        if receipt.is_valid_evidence() {
            return;
        }
        let key = (receipt.plan_id.clone(), receipt.registry.clone());
        let since = self.since_of.get(&key).and_then(|position| self.since.get_mut(*position));
        if let Some(since) = since {
            since.completed_badly = receipt.line;
        }
    }

    pub(super) fn unknown_gate_event(&mut self, line: u64) {
        self.unknown_event = line;
    }
}

pub(super) fn is_permission(verdict: &str) -> bool {
    [VerdictKind::Dormant, VerdictKind::Bypassed, VerdictKind::Authorized].iter().any(|code| code.as_str() == verdict)
}
