//! The fold and the gate agree with an oracle in another style, on every short history of a small alphabet and on long
//! random ones. The gate depends on these two functions alone.
//!
//! The oracle does not proceed event by event. It searches the complete history, by the rules of `docs/gate.md`, for
//! the latest completion, its start, and the events between them.

use proptest::prelude::*;
use shipper_core::fold::EvidenceFlaw;
use shipper_core::{GateQuery, GateState, RefusalCode, VerdictKind, evaluate, strategies};
use shipper_events::{Event, EventType, LogEntry, PlanId};
use shipper_testkit::settings::{print_figure, proptest_config, scaled};
use std::collections::HashSet;

/// The result of the oracle for a history.
#[derive(Debug, PartialEq, Eq)]
struct Answer {
    verdict: VerdictKind,
    reasons: Vec<RefusalCode>,
}

/// Returns the rehearsal that is open before `position`: the last start, unless its own completion follows.
pub(crate) fn open_before(history: &[LogEntry], position: usize) -> Option<usize> {
    let start = (0..position).rfind(|at| matches!(history[*at].event.event_type, EventType::RehearsalStarted(_)))?;
    let closed = (start + 1..position).any(|at| answers(history, at, start));
    (!closed).then_some(start)
}

/// Returns `true` if the event at `at` completes the plan and registry of the start at `start`.
fn answers(history: &[LogEntry], at: usize, start: usize) -> bool {
    match (&history[at].event.event_type, &history[start].event.event_type) {
        (EventType::RehearsalComplete(complete), EventType::RehearsalStarted(started)) => {
            complete.plan_id == started.plan_id && complete.registry == started.registry
        }
        _ => false,
    }
}

fn packages(history: &[LogEntry], from: usize, to: usize) -> Vec<String> {
    let between = history.iter().take(to).skip(from + 1);
    between
        .filter_map(|entry| match &entry.event.event_type {
            EventType::RehearsalPackagePublished(published) => {
                Some(format!("{}@{}", published.name, published.version))
            }
            _ => None,
        })
        .collect()
}

pub(crate) const FAILURES: [&str; 2] = ["rehearsal_package_failed", "rehearsal_smoke_check_failed"];

fn failed(history: &[LogEntry], from: usize, to: usize) -> bool {
    history.iter().take(to).skip(from + 1).any(|entry| {
        let name = entry.event.event_type.name();
        FAILURES.contains(&name) || name == "tail_repaired"
    })
}

/// Returns the rehearsal that the start at `at` abandons after a failure.
fn abandoned_at(history: &[LogEntry], at: usize) -> Option<usize> {
    matches!(history[at].event.event_type, EventType::RehearsalStarted(_)).then_some(())?;
    open_before(history, at).filter(|start| failed(history, *start, at))
}

fn plan_of(entry: &LogEntry) -> &PlanId {
    match &entry.event.event_type {
        EventType::RehearsalStarted(started) => &started.plan_id,
        EventType::RehearsalComplete(complete) => &complete.plan_id,
        _ => unreachable!(),
    }
}

/// Returns the plan and the line of the outcome at `at`: a completion, or a rehearsal that was abandoned after a failure.
fn outcome_at(history: &[LogEntry], at: usize) -> Option<&PlanId> {
    if matches!(history[at].event.event_type, EventType::RehearsalComplete(_)) {
        return Some(plan_of(&history[at]));
    }
    abandoned_at(history, at).map(|start| plan_of(&history[start]))
}

/// Returns the position of the receipt before `position`. An abandoned rehearsal has one unless the receipt before it is
/// of another plan.
fn receipt_before(history: &[LogEntry], position: usize) -> Option<usize> {
    (0..position).rfind(|at| {
        let is_completion = matches!(history[*at].event.event_type, EventType::RehearsalComplete(_));
        is_completion
            || abandoned_at(history, *at).is_some_and(|start| {
                let before = receipt_before(history, *at).and_then(|before| outcome_at(history, before));
                before.is_none_or(|plan| plan == plan_of(&history[start]))
            })
    })
}

/// Returns whether the outcome at `at` is a sound pass, judged at the end of the history.
pub(crate) fn is_sound_pass(history: &[LogEntry], at: usize) -> bool {
    let EventType::RehearsalComplete(complete) = &history[at].event.event_type else { return false };
    complete.passed && flaws(history, at).is_empty()
}

/// Returns whether the latest outcome of the plan is a sound pass, on any registry. An open rehearsal with a failure is an
/// outcome.
pub(crate) fn latest_is_sound_pass(history: &[LogEntry], plan_id: &str) -> bool {
    let open = open_before(history, history.len());
    let is_failing =
        open.is_some_and(|start| plan_of(&history[start]).as_str() == plan_id && failed(history, start, history.len()));
    let latest = (0..history.len()).rfind(|at| outcome_at(history, *at).is_some_and(|plan| plan.as_str() == plan_id));
    !is_failing && latest.is_some_and(|at| is_sound_pass(history, at))
}

/// Returns the flaws of the passed completion at `at`.
fn flaws(history: &[LogEntry], at: usize) -> Vec<EvidenceFlaw> {
    let Some(start) = open_before(history, at).filter(|start| answers(history, at, *start)) else {
        return vec![EvidenceFlaw::CompletionWithoutStart];
    };
    let EventType::RehearsalStarted(started) = &history[start].event.event_type else { unreachable!() };
    let all = packages(history, start, at);
    let distinct: HashSet<&String> = all.iter().collect();
    let mut flaws = Vec::new();
    if started.package_count != distinct.len() as u64 {
        flaws.push(EvidenceFlaw::PackageCountMismatch);
    }
    if failed(history, start, at) {
        flaws.push(EvidenceFlaw::FailureRecorded);
    }
    if distinct.len() < all.len() {
        flaws.push(EvidenceFlaw::DuplicatePackage);
    }
    if all.is_empty() {
        flaws.push(EvidenceFlaw::EmptyRehearsal);
    }
    let superseded = (at + 1..history.len()).find(|later| outcome_at(history, *later).is_some());
    let stray = (at + 1..superseded.unwrap_or(history.len())).any(|later| {
        FAILURES.contains(&history[later].event.event_type.name()) && open_before(history, later).is_none()
    });
    if stray {
        flaws.push(EvidenceFlaw::FailureAfterCompletion);
    }
    flaws
}

/// Returns `true` if an unknown gate event counts at the end: no later rehearsal started and completed.
fn remembers_unknown(history: &[LogEntry]) -> bool {
    (0..history.len()).any(|unknown| {
        let EventType::Unknown(event) = &history[unknown].event.event_type else {
            return false;
        };
        let meant = event.name.starts_with("rehearsal_") || event.name.starts_with("gate_");
        let forgotten = (unknown + 1..history.len())
            .any(|at| open_before(history, at).is_some_and(|start| start > unknown && answers(history, at, start)));
        meant && !forgotten
    })
}

fn expected(history: &[LogEntry], query: &GateQuery) -> Answer {
    let permit = |verdict| Answer { verdict, reasons: Vec::new() };
    let Some(registry) = &query.rehearsal_registry else {
        return permit(VerdictKind::Dormant);
    };
    if query.skip {
        return permit(VerdictKind::Bypassed);
    }
    let receipt = receipt_before(history, history.len());
    let this_plan = receipt.filter(|at| outcome_at(history, *at) == Some(&query.plan_id));
    let registry_of = |at: usize| match &history[at].event.event_type {
        EventType::RehearsalComplete(complete) => complete.registry.clone(),
        _ => match &history[abandoned_at(history, at).expect("abandoned")].event.event_type {
            EventType::RehearsalStarted(started) => started.registry.clone(),
            _ => unreachable!(),
        },
    };
    let passed = |at: usize| match &history[at].event.event_type {
        EventType::RehearsalComplete(complete) => complete.passed,
        _ => false,
    };
    let open_and_failed = open_before(history, history.len()).is_some_and(|start| {
        let EventType::RehearsalStarted(started) = &history[start].event.event_type else { unreachable!() };
        started.plan_id == query.plan_id && started.registry == *registry && failed(history, start, history.len())
    });
    let table = [
        (RefusalCode::NoRehearsal, receipt.is_none()),
        (RefusalCode::StalePlan, receipt.is_some() && this_plan.is_none()),
        (RefusalCode::RegistryMismatch, this_plan.is_some_and(|at| registry_of(at) != *registry)),
        (RefusalCode::RehearsalFailed, open_and_failed || this_plan.is_some_and(|at| !passed(at))),
        (RefusalCode::UnsoundEvidence, this_plan.is_some_and(|at| passed(at) && !flaws(history, at).is_empty())),
        (RefusalCode::UnknownGateEvent, remembers_unknown(history)),
    ];
    let reasons: Vec<RefusalCode> = table.into_iter().filter_map(|(reason, holds)| holds.then_some(reason)).collect();
    let verdict = if reasons.is_empty() { VerdictKind::Authorized } else { VerdictKind::Refused };
    Answer { verdict, reasons }
}

fn compare(history: &[LogEntry], state: &GateState, query: &GateQuery) {
    let verdict = evaluate(state, query);
    let derived = Answer { verdict: verdict.code(), reasons: verdict.reason_codes() };
    assert_eq!(derived, expected(history, query), "{query:?} after {:#?}", names(history));
    let latest = receipt_before(history, history.len());
    let receipt = state.receipt();
    assert_eq!(receipt.map(|receipt| receipt.line), latest.map(|at| history[at].line));
    if let (Some(receipt), Some(at)) = (receipt, latest) {
        let completed = matches!(history[at].event.event_type, EventType::RehearsalComplete(_));
        let own_start = open_before(history, at).filter(|start| answers(history, at, *start));
        let start = if completed { own_start } else { abandoned_at(history, at) };
        let distinct: HashSet<String> =
            start.map(|start| packages(history, start, at)).unwrap_or_default().into_iter().collect();
        assert_eq!(receipt.abandoned, !completed);
        assert_eq!(receipt.start.as_ref().map(|start| start.line), start.map(|start| history[start].line));
        assert_eq!(receipt.packages_published(), distinct.len() as u64);
        assert_eq!(receipt.packages_attempted(), distinct.len() as u64 + u64::from(!receipt.passed));
        let expected = if receipt.passed { flaws(history, at) } else { Vec::new() };
        assert_eq!(receipt.unsound, expected);
    }
    assert_eq!(
        state.open_rehearsal().map(|open| open.start.line),
        open_before(history, history.len()).map(|at| history[at].line)
    );
}

fn names(history: &[LogEntry]) -> Vec<String> {
    history.iter().map(|entry| entry.event.to_line()).collect()
}

fn event_types() -> Vec<EventType> {
    [
        r#"{"type":"rehearsal_started","registry":"r","plan_id":"p","package_count":1}"#,
        r#"{"type":"rehearsal_started","registry":"s","plan_id":"p","package_count":1}"#,
        r#"{"type":"rehearsal_started","registry":"r","plan_id":"q","package_count":2}"#,
        r#"{"type":"rehearsal_package_published","name":"a","version":"1.0.0"}"#,
        r#"{"type":"rehearsal_package_published","name":"b","version":"1.0.0"}"#,
        r#"{"type":"rehearsal_package_failed","name":"a","version":"1.0.0"}"#,
        r#"{"type":"rehearsal_complete","passed":true,"registry":"r","plan_id":"p","summary":""}"#,
        r#"{"type":"rehearsal_complete","passed":false,"registry":"r","plan_id":"p","summary":""}"#,
        r#"{"type":"rehearsal_complete","passed":true,"registry":"r","plan_id":"q","summary":""}"#,
        r#"{"type":"rehearsal_complete","passed":false,"registry":"r","plan_id":"q","summary":""}"#,
        r#"{"type":"rehearsal_paused"}"#,
        r#"{"type":"tail_repaired","bytes":1,"blake3":""}"#,
    ]
    .iter()
    .map(|json| {
        let line = format!(r#"{{"timestamp":"2026-11-23T08:00:00Z","event_type":{json},"package":"all"}}"#);
        line.parse::<Event>().expect("an event").event_type
    })
    .collect()
}

fn queries() -> Vec<GateQuery> {
    let query = |plan: &str, registry: Option<&str>, skip| {
        let registry = registry.map(|name| name.parse().expect("not empty"));
        GateQuery::new(plan.parse().expect("not empty"), registry).with_skip(skip)
    };
    vec![
        query("p", Some("r"), false),
        query("p", Some("s"), false),
        query("q", Some("r"), false),
        query("p", Some("r"), true),
        query("p", None, true),
    ]
}

/// After a refusal because a rehearsal failed, only a passing completion of the plan authorizes it again. `failed` is true
/// for each query with such a refusal and no such completion since.
fn check_failures(history: &[LogEntry], state: &GateState, queries: &[GateQuery], failed: &[bool]) -> Vec<bool> {
    let passes = |query: &GateQuery| match history.last().map(|last| &last.event.event_type) {
        Some(EventType::RehearsalComplete(complete)) => complete.passed && complete.plan_id == query.plan_id,
        _ => false,
    };
    let checked = queries.iter().zip(failed).map(|(query, failed)| {
        let (verdict, failed) = (evaluate(state, query), *failed && !passes(query));
        let is_authorized = verdict.code() == VerdictKind::Authorized;
        assert!(!failed || !is_authorized, "{query:?} is authorized after a failure: {:#?}", names(history));
        failed || verdict.reason_codes().contains(&RefusalCode::RehearsalFailed)
    });
    checked.collect()
}

/// Extends the history by every event up to the length, and compares after each: every prefix is a history too.
fn explore(
    history: &mut Vec<LogEntry>,
    state: &GateState,
    alphabet: &[LogEntry],
    queries: &[GateQuery],
    failed: &[bool],
    length: usize,
) -> u64 {
    for query in queries {
        compare(history, state, query);
    }
    let failed = check_failures(history, state, queries, failed);
    let mut histories = 1;
    if history.len() < length {
        for entry in alphabet {
            let line = history.len() as u64 + 1;
            let entry = LogEntry { line, event: entry.event.clone() };
            let mut next = state.clone();
            next.evolve(entry.line, &entry.event);
            history.push(entry);
            histories += explore(history, &next, alphabet, queries, &failed, length);
            history.pop();
        }
    }
    histories
}

/// Every history over the alphabet, up to the length.
#[test]
fn every_short_history_agrees_with_the_oracle() {
    let length = scaled(5, 6);
    let (alphabet, queries) = (strategies::with_line_numbers(event_types()), queries());
    let halves = alphabet.len() / 2;
    // The first event splits the work between two threads; the empty history is compared in the first.
    let explore_from = |range: std::ops::Range<usize>| {
        let mut histories = 0;
        for first in &alphabet[range] {
            let event = first.event.clone();
            let first = LogEntry { line: 1, event };
            let state: GateState = [&first].into_iter().collect();
            histories += explore(&mut vec![first], &state, &alphabet, &queries, &[false; 5], length);
        }
        histories
    };
    let histories = std::thread::scope(|scope| {
        let other = scope.spawn(|| explore_from(halves..alphabet.len()));
        explore_from(0..halves) + other.join().expect("no disagreement")
    });
    let histories = histories + explore(&mut Vec::new(), &GateState::default(), &[], &queries, &[false; 5], 0);
    let expected: u64 = (0..=u32::try_from(length).expect("small")).map(|length| 12_u64.pow(length)).sum();
    print_figure(&format!(
        "the fold and the gate agree with the oracle on all {histories} histories of at most {length} events, {} questions each",
        queries.len()
    ));
    assert_eq!(histories, expected);
}

proptest! {
    #![proptest_config(proptest_config(600))]

    /// Long random histories that contain complete rehearsals.
    #[test]
    fn random_histories_agree_with_the_oracle(entries in strategies::entries(0..60), query in strategies::query()) {
        let state: GateState = entries.iter().collect();
        compare(&entries, &state, &query);
    }
}
