//! For one query, the gate has finitely many states, so what it authorizes is checked for histories of any length.
//!
//! The fold only compares names for equality, counts published packages, and sets flags. The abstraction keeps just that
//! of a [`GateState`], relative to a query: which names are equal, whether the count is reached, and the flags. Its
//! transitions are written here a second time, from `docs/gate.md`. Every abstract state that events can reach is
//! enumerated. At each transition, the real fold of a state with that abstraction must go to the same abstract state,
//! and the invariant must hold: if the gate authorizes, the last completion of the plan passed soundly on the registry,
//! and no failure of a rehearsal of the plan and registry followed. Random long histories check that the abstraction
//! loses nothing that the fold depends on.

use std::collections::VecDeque;
use std::sync::LazyLock;

use proptest::prelude::*;
use shipper_core::fold::{EvidenceFlaw, Receipt};
use shipper_core::{GateQuery, GateState, RefusalCode, VerdictKind, evaluate};
use shipper_events::event::{
    RehearsalComplete, RehearsalPackageFailed, RehearsalPackagePublished, RehearsalSmokeCheckFailed, RehearsalStarted,
    TailRepaired,
};
use shipper_events::{Event, EventType, LogEntry, PlanId, RegistryName, Timestamp};
use shipper_testkit::settings::{print_figure, proptest_config};

use crate::fold_oracle::{FAILURES, is_sound_pass, open_before};

/// A name by its equality with others: 0 is the name in the query, and every further name has the next number. Names are
/// numbered in the order query, open rehearsal, receipt.
type Name = u8;

const QUERIED: Name = 0;

/// Published packages of an open rehearsal, compared with the number at its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Count {
    Fewer,
    Equal,
    More,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Open {
    plan: Name,
    registry: Name,
    count: Count,
    empty: bool,
    duplicate: bool,
    failed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Outcome {
    Failed,
    PassedWithoutStart,
    PassedUnsoundly,
    PassedSoundly,
}

/// The receipt. Its registry is only compared with that of the query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Latest {
    plan: Name,
    on_queried_registry: bool,
    outcome: Outcome,
}

/// The abstraction of a [`GateState`] for a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
struct State {
    open: Option<Open>,
    receipt: Option<Latest>,
    /// There is an unknown gate event before the start of the open rehearsal, or none is open.
    unknown_before: bool,
    /// There is an unknown gate event in the open rehearsal.
    unknown_within: bool,
}

/// The abstraction of an event, for a state and a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Step {
    Started {
        plan: Name,
        registry: Name,
        empty_plan: bool,
    },
    /// A package; `reaches`: the number of packages is then the number at the start.
    Published {
        known: bool,
        reaches: bool,
    },
    Failed,
    TailRepaired,
    Completed {
        plan: Name,
        registry: Name,
        passed: bool,
    },
    UnknownGateEvent,
    Other,
}

// The abstraction of states and events.

/// The names to which those in an event are compared.
struct Names<'s> {
    state: &'s GateState,
    /// The plans of the query, the open rehearsal and the receipt, each once.
    plans: Vec<&'s PlanId>,
    /// The registries of the query and the open rehearsal, each once.
    registries: Vec<&'s RegistryName>,
}

impl<'s> Names<'s> {
    fn new(state: &'s GateState, query: &'s GateQuery) -> Self {
        let open = state.open_rehearsal();
        let receipt = state.receipt().map(|receipt| &receipt.plan_id);
        let plans = distinct([Some(&query.plan_id), open.map(|open| &open.plan_id), receipt]);
        let registries = distinct([query.rehearsal_registry.as_ref(), open.map(|open| &open.registry)]);
        Self { state, plans, registries }
    }
}

fn distinct<T: PartialEq>(all: impl IntoIterator<Item = Option<T>>) -> Vec<T> {
    let mut names = Vec::new();
    for name in all.into_iter().flatten() {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// Returns the number of a name; the next one if it is not among the names.
fn number<T: PartialEq>(names: &[&T], name: &T) -> Name {
    let position = names.iter().position(|known| *known == name).unwrap_or(names.len());
    Name::try_from(position).expect("few names")
}

fn abstract_state(state: &GateState, query: &GateQuery) -> State {
    let Names { plans, registries, .. } = Names::new(state, query);
    let open = state.open_rehearsal().map(|open| {
        let flaws = open.evidence_flaws();
        let published = open.packages.len() as u64;
        let count = match &open.start.package_count {
            count if *count == published => Count::Equal,
            count if (0..published).any(|fewer| *count == fewer) => Count::More,
            _ => Count::Fewer,
        };
        assert_eq!(flaws.contains(&EvidenceFlaw::PackageCountMismatch), count != Count::Equal);
        Open {
            plan: number(&plans, &open.plan_id),
            registry: number(&registries, &open.registry),
            count,
            empty: open.packages.is_empty(),
            duplicate: flaws.contains(&EvidenceFlaw::DuplicatePackage),
            failed: open.failed,
        }
    });
    let receipt = state.receipt().map(|receipt| Latest {
        plan: number(&plans, &receipt.plan_id),
        on_queried_registry: query.rehearsal_registry.as_ref() == Some(&receipt.registry),
        outcome: outcome(receipt),
    });
    let start = state.open_rehearsal().map_or(u64::MAX, |open| open.start.line);
    let unknown = |within: bool| state.unknown_gate_events().iter().any(|event| (event.line > start) == within);
    State { open, receipt, unknown_before: unknown(false), unknown_within: unknown(true) }
}

fn outcome(receipt: &Receipt) -> Outcome {
    match receipt {
        Receipt { passed: false, .. } => Outcome::Failed,
        Receipt { start: None, .. } => Outcome::PassedWithoutStart,
        _ if receipt.is_valid_evidence() => Outcome::PassedSoundly,
        _ => Outcome::PassedUnsoundly,
    }
}

fn abstract_event(names: &Names<'_>, event: &Event) -> Step {
    let Names { state, plans, registries } = names;
    match &event.event_type {
        EventType::RehearsalStarted(started) => Step::Started {
            plan: number(plans, &started.plan_id),
            // The registry of a new rehearsal is compared with no other but that of the query.
            registry: number(&registries[..1], &started.registry),
            empty_plan: started.package_count == 0_u64,
        },
        EventType::RehearsalPackagePublished(published) => match state.open_rehearsal() {
            Some(open) => {
                let known = open.packages.contains(&format!("{}@{}", published.name, published.version));
                let reached = open.packages.len() as u64 + 1;
                Step::Published { known, reaches: !known && open.start.package_count == reached }
            }
            None => Step::Published { known: false, reaches: false },
        },
        EventType::RehearsalPackageFailed(_) | EventType::RehearsalSmokeCheckFailed(_) => Step::Failed,
        EventType::TailRepaired(_) => Step::TailRepaired,
        EventType::RehearsalComplete(complete) => Step::Completed {
            plan: number(plans, &complete.plan_id),
            registry: number(registries, &complete.registry),
            passed: complete.passed,
        },
        EventType::Unknown(unknown) if unknown.name.starts_with("rehearsal_") || unknown.name.starts_with("gate_") => {
            Step::UnknownGateEvent
        }
        _ => Step::Other,
    }
}

// The transitions of the abstraction.

impl State {
    /// The number of codes.
    const CODES: usize = 97 * 25 * 4;

    /// Returns a number that differs from that of every other state.
    fn code(self) -> usize {
        let open = self.open.map_or(0, |open| {
            let flags =
                [open.empty, open.duplicate, open.failed].iter().fold(0, |bits, flag| 2 * bits + usize::from(*flag));
            1 + flags + 8 * (open.count as usize + 3 * (usize::from(open.registry) + 2 * usize::from(open.plan)))
        });
        let receipt = self.receipt.map_or(0, |receipt| {
            let registry = usize::from(receipt.on_queried_registry);
            1 + receipt.outcome as usize + 4 * (registry + 2 * usize::from(receipt.plan))
        });
        let unknown = usize::from(self.unknown_before) + 2 * usize::from(self.unknown_within);
        (open * 25 + receipt) * 4 + unknown
    }

    fn plan_names(self) -> Name {
        let open = self.open.map_or(QUERIED, |open| open.plan);
        1 + self.receipt.map_or(QUERIED, |receipt| receipt.plan).max(open)
    }

    fn registry_names(self) -> Name {
        1 + self.open.map_or(QUERIED, |open| open.registry)
    }

    /// Returns every event that differs in this state.
    fn steps(self) -> Vec<Step> {
        let mut steps = vec![Step::Failed, Step::TailRepaired, Step::UnknownGateEvent, Step::Other];
        steps.push(Step::Published { known: false, reaches: false });
        if self.open.is_some_and(|open| open.count == Count::Fewer) {
            steps.push(Step::Published { known: false, reaches: true });
        }
        if self.open.is_some_and(|open| !open.empty) {
            steps.push(Step::Published { known: true, reaches: false });
        }
        for plan in 0..=self.plan_names() {
            for flag in [false, true] {
                let start = [0, 1].map(|registry| Step::Started { plan, registry, empty_plan: flag });
                steps.extend(start);
                let registries = 0..=self.registry_names();
                steps.extend(registries.map(|registry| Step::Completed { plan, registry, passed: flag }));
            }
        }
        steps
    }

    fn after(mut self, step: Step) -> Self {
        match step {
            Step::Started { plan, registry, empty_plan } => {
                if let Some(abandoned) = self.open.filter(|open| open.failed)
                    && self.receipt.is_none_or(|receipt| receipt.plan == abandoned.plan)
                {
                    let on_queried_registry = abandoned.registry == QUERIED;
                    self.receipt = Some(Latest { plan: abandoned.plan, on_queried_registry, outcome: Outcome::Failed });
                }
                let count = if empty_plan { Count::Equal } else { Count::Fewer };
                self.open = Some(Open { plan, registry, count, empty: true, duplicate: false, failed: false });
                self.unknown_before |= self.unknown_within;
                self.unknown_within = false;
            }
            Step::Published { known, reaches } => {
                if let Some(open) = &mut self.open {
                    open.empty = false;
                    match open.count {
                        _ if known => open.duplicate = true,
                        Count::Fewer if reaches => open.count = Count::Equal,
                        Count::Fewer => {}
                        Count::Equal | Count::More => open.count = Count::More,
                    }
                }
            }
            Step::Failed => match (&mut self.open, &mut self.receipt) {
                (Some(open), _) => open.failed = true,
                (None, Some(receipt)) if receipt.outcome == Outcome::PassedSoundly => {
                    receipt.outcome = Outcome::PassedUnsoundly;
                }
                _ => {}
            },
            Step::TailRepaired => {
                if let Some(open) = &mut self.open {
                    open.failed = true;
                }
            }
            Step::Completed { plan, registry, passed } => {
                let own = self.open.take_if(|open| open.plan == plan && open.registry == registry);
                let outcome = match own {
                    _ if !passed => Outcome::Failed,
                    None => Outcome::PassedWithoutStart,
                    Some(open) if open.is_clean() => Outcome::PassedSoundly,
                    Some(_) => Outcome::PassedUnsoundly,
                };
                if own.is_some() {
                    self.unknown_before = self.unknown_within;
                    self.unknown_within = false;
                }
                self.receipt = Some(Latest { plan, on_queried_registry: registry == QUERIED, outcome });
            }
            Step::UnknownGateEvent if self.open.is_some() => self.unknown_within = true,
            Step::UnknownGateEvent => self.unknown_before = true,
            Step::Other => {}
        }
        self.renumbered()
    }

    /// Numbers the names in order again: a name may have been forgotten.
    fn renumbered(mut self) -> Self {
        let mut known = vec![QUERIED];
        let mut renumber = |name: &mut Name| {
            if !known.contains(name) {
                known.push(*name);
            }
            let position = known.iter().position(|other| other == name).expect("it is known");
            *name = Name::try_from(position).expect("few names");
        };
        if let Some(open) = &mut self.open {
            renumber(&mut open.plan);
            open.registry = open.registry.min(1);
        }
        if let Some(receipt) = &mut self.receipt {
            renumber(&mut receipt.plan);
        }
        self
    }

    /// The reasons to refuse the query; none if the gate authorizes.
    fn reasons(self) -> Vec<RefusalCode> {
        let own = self.receipt.filter(|receipt| receipt.plan == QUERIED);
        let is_own = |outcomes: &[Outcome]| own.is_some_and(|receipt| outcomes.contains(&receipt.outcome));
        let unsound = is_own(&[Outcome::PassedWithoutStart, Outcome::PassedUnsoundly]);
        let table = [
            (RefusalCode::NoRehearsal, self.receipt.is_none()),
            (RefusalCode::StalePlan, self.receipt.is_some() && own.is_none()),
            (RefusalCode::RegistryMismatch, own.is_some_and(|receipt| !receipt.on_queried_registry)),
            (RefusalCode::RehearsalFailed, is_own(&[Outcome::Failed]) || self.open.is_some_and(Open::is_failing)),
            (RefusalCode::UnsoundEvidence, unsound),
            (RefusalCode::UnknownGateEvent, self.unknown_before || self.unknown_within),
        ];
        table.into_iter().filter_map(|(reason, holds)| holds.then_some(reason)).collect()
    }

    /// The invariant without unknown gate events. It is inductive: every event preserves it in every state.
    fn implies(self, supported: bool) -> bool {
        let receipt = Latest { plan: QUERIED, on_queried_registry: true, outcome: Outcome::PassedSoundly };
        let permits = self.receipt == Some(receipt) && !self.open.is_some_and(Open::is_failing);
        supported || !permits
    }
}

impl Open {
    fn is_clean(self) -> bool {
        self.count == Count::Equal && !self.empty && !self.duplicate && !self.failed
    }

    fn is_own(self) -> bool {
        self.plan == QUERIED && self.registry == QUERIED
    }

    fn is_failing(self) -> bool {
        self.is_own() && self.failed
    }
}

// The history that the invariant speaks of.

/// Returns whether the last completion of the plan passed soundly on the registry, and no failure of a rehearsal of that
/// plan and registry, or of an unknown one, followed. Searches the history, by its definition.
fn is_supported(history: &[LogEntry], query: &GateQuery) -> bool {
    let Some(last) = (0..history.len()).rfind(|at| match &history[*at].event.event_type {
        EventType::RehearsalComplete(complete) => complete.plan_id == query.plan_id,
        _ => false,
    }) else {
        return false;
    };
    let on_registry = match &history[last].event.event_type {
        EventType::RehearsalComplete(complete) => Some(&complete.registry) == query.rehearsal_registry.as_ref(),
        _ => unreachable!(),
    };
    let failed_later = (last + 1..history.len()).any(|at| {
        let name = history[at].event.event_type.name();
        let open = open_before(history, at);
        let is_own = open.is_some_and(|start| match &history[start].event.event_type {
            EventType::RehearsalStarted(started) => {
                started.plan_id == query.plan_id && Some(&started.registry) == query.rehearsal_registry.as_ref()
            }
            _ => unreachable!(),
        });
        (FAILURES.contains(&name) && (is_own || open.is_none())) || (name == "tail_repaired" && is_own)
    });
    on_registry && is_sound_pass(&history[..=last], last) && !failed_later
}

/// Returns the same after one more event, from the abstraction.
fn supported_after(supported: bool, state: State, step: Step) -> bool {
    let is_own = state.open.is_some_and(Open::is_own);
    match step {
        Step::Completed { plan: QUERIED, registry, passed } => {
            passed && registry == QUERIED && is_own && state.open.is_some_and(Open::is_clean)
        }
        Step::Failed => supported && !is_own && state.open.is_some(),
        Step::TailRepaired => supported && !is_own,
        _ => supported,
    }
}

// Concrete events.

fn query() -> GateQuery {
    GateQuery::new(plan(0), Some(registry(0)))
}

fn plan(number: usize) -> PlanId {
    format!("plan-{number}").parse().expect("a name")
}

fn registry(number: usize) -> RegistryName {
    format!("registry-{number}").parse().expect("a name")
}

fn event(event_type: impl Into<EventType>) -> Event {
    static AT: LazyLock<Timestamp> = LazyLock::new(|| "2026-11-23T08:00:00Z".parse().expect("a time"));
    Event::new(AT.clone(), event_type, "all")
}

fn unknown(name: &str) -> Event {
    static PARSED: LazyLock<Event> = LazyLock::new(|| {
        let line = r#"{"timestamp":"2026-11-23T08:00:00Z","event_type":{"type":"unknown"},"package":"all"}"#;
        line.parse().expect("an event")
    });
    let mut event = PARSED.clone();
    match &mut event.event_type {
        EventType::Unknown(unknown) => unknown.name = name.into(),
        _ => unreachable!(),
    }
    event
}

fn package(number: usize) -> RehearsalPackagePublished {
    RehearsalPackagePublished::new(format!("package-{number}"), "1.0.0")
}

/// Returns events with this abstraction. Only a package may have another one: it reaches the number at the start only in
/// some states.
fn concrete_events(names: &Names<'_>, step: Step) -> Vec<Event> {
    let Names { state, plans, registries } = names;
    let plan_named = |name: Name| match plans.get(usize::from(name)) {
        Some(known) => (*known).clone(),
        None => (0..).map(plan).find(|fresh| !plans.contains(&fresh)).expect("a fresh name"),
    };
    let registry_named = |name: Name| match registries.get(usize::from(name)) {
        Some(known) => (*known).clone(),
        None => (0..).map(registry).find(|fresh| !registries.contains(&fresh)).expect("a fresh name"),
    };
    match step {
        Step::Started { plan, registry, empty_plan } => {
            let counts: &[u64] = if empty_plan { &[0] } else { &[1, 3] };
            let started = |count: &u64| RehearsalStarted::new(registry_named(registry), plan_named(plan), *count);
            counts.iter().map(|count| event(started(count))).collect()
        }
        Step::Published { known: true, .. } => vec![event(package(0))],
        Step::Published { known: false, .. } => {
            vec![event(package(state.open_rehearsal().map_or(0, |open| open.packages.len())))]
        }
        Step::Failed => vec![event(RehearsalPackageFailed::new()), event(RehearsalSmokeCheckFailed::new())],
        Step::TailRepaired => vec![event(TailRepaired::new(1_u64, ""))],
        Step::Completed { plan, registry, passed } => {
            vec![event(RehearsalComplete::new(passed, registry_named(registry), plan_named(plan), ""))]
        }
        Step::UnknownGateEvent => vec![unknown("rehearsal_paused"), unknown("gate_consulted")],
        Step::Other => vec![unknown("weather_observed")],
    }
}

/// Folds an event, and compares the state and the verdict with those of the abstraction. Returns the state.
fn compare(state: &GateState, expected: State, query: &GateQuery, line: u64, step: Step, event: &Event) -> GateState {
    let mut next = state.clone();
    next.evolve(line, event);
    let after = abstract_state(&next, query);
    assert_eq!(after, expected, "the fold and the abstraction differ after {step:?} in {state:?}");
    let verdict = evaluate(&next, query);
    let reasons = verdict.reason_codes();
    assert_eq!(reasons, after.reasons(), "{after:?}");
    assert_eq!(verdict.code() == VerdictKind::Authorized, reasons.is_empty());
    next
}

/// A real state and the events that lead to it.
struct Reached {
    state: GateState,
    abstracted: State,
    history: Vec<LogEntry>,
    supported: bool,
}

/// Every reachable abstract state and every event in it, and the real fold of at least one state and event for each.
#[test]
fn whatever_the_gate_authorizes_is_supported() {
    let query = query();
    let mut seen = vec![[false; 2]; State::CODES];
    let (mut states, mut authorized, mut transitions, mut depth) = (0, 0, 0, 0);
    let mut reached = vec![(State::default(), false)];
    while !reached.is_empty() {
        let (mut next, before) = (Vec::new(), states);
        for (state, supported) in reached {
            let [without, with] = &mut seen[state.code()];
            let is_new = !*with && !*without;
            let seen_before = std::mem::replace(if supported { with } else { without }, true);
            if seen_before {
                continue;
            }
            let is_authorized = state.reasons().is_empty();
            assert!(supported || !is_authorized, "authorized without support: {state:?}");
            let steps = state.steps();
            if is_new {
                states += 1;
                authorized += u64::from(is_authorized);
                transitions += steps.len();
            }
            next.extend(steps.into_iter().map(|step| (state.after(step), supported_after(supported, state, step))));
        }
        depth += u64::from(states > before && before > 0);
        reached = next;
    }
    assert!(authorized > 0);
    let (folded_states, folded_transitions, folds) = fold_every_transition(&query);
    assert_eq!(folded_states, states);
    assert_eq!(folded_transitions, transitions, "an event of a state was not folded");
    print_figure(&format!(
        "for one plan and registry, the gate has {states} reachable states and {transitions} transitions, after at most \
         {depth} events; {authorized} states authorize, and each is supported; {folds} real folds agree",
    ));
}

/// Folds a real event for every transition of the abstraction, in a state that real events reached, and compares.
/// Returns the numbers of states, transitions and folds.
fn fold_every_transition(query: &GateQuery) -> (u64, usize, u64) {
    // Of states with the same abstraction, one may need one more package to reach the count, and another several.
    let needs_one = |state: &GateState| {
        state.open_rehearsal().is_some_and(|open| open.start.package_count == open.packages.len() as u64 + 1)
    };
    let state = GateState::default();
    let abstracted = abstract_state(&state, query);
    assert_eq!(abstracted, State::default());
    let mut reached = VecDeque::from([Reached { state, abstracted, history: Vec::new(), supported: false }]);
    // The states so far that need one more package, and the others; and for each, the folded transitions.
    let mut seen = vec![[false; 2]; State::CODES];
    seen[abstracted.code()][0] = true;
    let mut folded: Vec<Vec<bool>> = vec![Vec::new(); State::CODES];
    let mut folds = 0;
    while let Some(Reached { state, abstracted, history, supported }) = reached.pop_front() {
        assert_eq!(supported, is_supported(&history, query), "{history:#?}");
        let (line, names) = (history.len() as u64 + 1, Names::new(&state, query));
        let steps = abstracted.steps();
        folded[abstracted.code()].resize(steps.len(), false);
        for (position, step) in steps.into_iter().enumerate() {
            let after = abstracted.after(step);
            let is_incomplete = after.open.is_some_and(|open| open.count == Count::Fewer);
            let is_seen = !is_incomplete || seen[after.code()] == [true; 2];
            if is_seen && folded[abstracted.code()][position] {
                continue;
            }
            let events = concrete_events(&names, step);
            // Both kinds of a failure, and both kinds of an unknown event, occur in every other state.
            let (first, kinds) = if is_seen { (history.len() % events.len().max(1), 1) } else { (0, events.len()) };
            for event in events.into_iter().skip(first).take(kinds) {
                if abstract_event(&names, &event) != step {
                    continue;
                }
                let next = compare(&state, after, query, line, step, &event);
                folds += 1;
                folded[abstracted.code()][position] = true;
                if !std::mem::replace(&mut seen[after.code()][usize::from(needs_one(&next))], true) {
                    let supported = supported_after(supported, abstracted, step);
                    let history = history.iter().cloned().chain([LogEntry { line, event }]).collect();
                    reached.push_back(Reached { state: next, abstracted: after, history, supported });
                }
            }
        }
    }
    let states = seen.iter().filter(|kinds| **kinds != [false; 2]).count() as u64;
    (states, folded.iter().flatten().filter(|folded| **folded).count(), folds)
}

/// The invariant follows from itself, also in states that no log reaches.
#[test]
fn every_event_preserves_the_invariant() {
    let flags = || [false, true];
    let mut opens = vec![None];
    let mut receipts = vec![None];
    for (plan, registry) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        for count in [Count::Fewer, Count::Equal, Count::More] {
            for (empty, duplicate, failed) in
                flags().into_iter().flat_map(|a| flags().into_iter().flat_map(move |b| flags().map(|c| (a, b, c))))
            {
                opens.push(Some(Open { plan, registry, count, empty, duplicate, failed }));
            }
        }
    }
    for plan in 0..=2 {
        for on_queried_registry in flags() {
            for outcome in
                [Outcome::Failed, Outcome::PassedWithoutStart, Outcome::PassedUnsoundly, Outcome::PassedSoundly]
            {
                receipts.push(Some(Latest { plan, on_queried_registry, outcome }));
            }
        }
    }
    let mut checked = 0_u64;
    for (open, receipt) in opens.iter().flat_map(|open| receipts.iter().map(move |receipt| (*open, *receipt))) {
        let state = State { open, receipt, unknown_before: false, unknown_within: false };
        for supported in flags().into_iter().filter(|supported| state.implies(*supported)) {
            for step in state.steps() {
                let after = state.after(step);
                assert!(after.implies(supported_after(supported, state, step)), "{step:?} in {state:?}");
                checked += 1;
            }
        }
    }
    print_figure(&format!("the invariant of the gate is inductive: {checked} transitions preserve it"));
}

/// Events with four plans, registries and packages each, most often of the query.
fn some_event() -> impl Strategy<Value = Event> {
    let name = || prop_oneof![3 => Just(0_usize), 4 => 1..4_usize];
    prop_oneof![
        4 => (name(), name(), 0..4_u64)
            .prop_map(|(at, of, count)| event(RehearsalStarted::new(registry(at), plan(of), count))),
        6 => (0..4_usize).prop_map(|number| event(package(number))),
        1 => Just(event(RehearsalPackageFailed::new())),
        1 => Just(event(RehearsalSmokeCheckFailed::new())),
        1 => Just(event(TailRepaired::new(1_u64, ""))),
        4 => (any::<bool>(), name(), name())
            .prop_map(|(passed, at, of)| event(RehearsalComplete::new(passed, registry(at), plan(of), ""))),
        1 => prop::sample::select(&["rehearsal_paused", "gate_consulted", "weather_observed"][..]).prop_map(unknown),
    ]
}

/// Returns a rehearsal of the query that passes.
fn pass() -> Vec<Event> {
    let started = event(RehearsalStarted::new(registry(0), plan(0), 1_u64));
    vec![started, event(package(0)), event(RehearsalComplete::new(true, registry(0), plan(0), ""))]
}

proptest! {
    #![proptest_config(proptest_config(60))]

    /// The fold depends on nothing that the abstraction leaves out: both go to the same state at each event of a long
    /// history.
    #[test]
    fn the_abstraction_follows_long_histories(
        parts in prop::collection::vec(prop_oneof![8 => some_event().prop_map(|event| vec![event]), 1 => Just(pass())], 0..150)
    ) {
        let (query, mut state, mut supported, mut history) = (query(), GateState::default(), false, Vec::new());
        let mut abstracted = State::default();
        for (position, event) in parts.into_iter().flatten().enumerate() {
            let line = position as u64 + 1;
            let step = abstract_event(&Names::new(&state, &query), &event);
            prop_assert!(abstracted.steps().contains(&step), "{step:?} is not enumerated in {abstracted:?}");
            let after = abstracted.after(step);
            let next = compare(&state, after, &query, line, step, &event);
            supported = supported_after(supported, abstracted, step);
            history.push(LogEntry { line, event });
            if position % 8 == 0 {
                prop_assert_eq!(supported, is_supported(&history, &query));
            }
            prop_assert!(supported || evaluate(&next, &query).code() != VerdictKind::Authorized);
            (state, abstracted) = (next, after);
        }
        prop_assert_eq!(supported, is_supported(&history, &query));
    }
}
