//! A model of all processes that use one log: two recorders, a gate that keeps heads, and a program that writes without
//! locks. A process may be killed, and the machine may stop, between any two changes of the log.
//!
//! `stateright` visits every state of the model. In each, no acknowledged event is lost, the log supports every
//! authorization, and a process that waits can go on. The model is compared with the real writer and the real gate: paths
//! of it are replayed on the model disk, step by step, with the same answers and the same log.

mod replay;
mod system;

use std::collections::{BTreeMap, HashSet};
use std::num::NonZero;

use shipper_testkit::settings::{print_figure, scaled};
use stateright::{Checker, Model};

use replay::replay;
use system::{Action, Limits, Processes, System};

/// Every state that the processes can reach within the limits.
#[test]
fn every_state_of_the_model_is_safe() {
    let limits = |asks, foreign, faults| Limits { asks, foreign, faults };
    let small = vec![limits(1, 1, 0), limits(1, 0, 1)];
    let mut states = 0;
    for limits in scaled(small, vec![limits(1, 1, 1)]) {
        let checker = Processes { limits }.checker().spawn_bfs().join();
        checker.assert_properties();
        states += checker.unique_state_count();
    }
    print_figure(&format!(
        "two recorders, a gate, a writer without locks, kills, crashes and repairs: {states} states of the model, all safe"
    ));
}

/// Takes pseudo-random actions until none is left.
fn walk(model: &Processes, seed: u64) -> Vec<Action> {
    let mut random = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut state = System::initial(model.limits);
    let (mut path, mut actions) = (Vec::new(), Vec::new());
    loop {
        actions.clear();
        model.actions(&state, &mut actions);
        if actions.is_empty() {
            return path;
        }
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let count = actions.len() as u64;
        let action = actions[usize::try_from(random % count).expect("small")];
        state.apply(action);
        path.push(action);
    }
}

/// Returns different paths of the model.
fn paths(limits: Limits, count: usize) -> impl Iterator<Item = (Processes, Vec<Action>)> {
    let (model, mut known) = (Processes { limits }, HashSet::new());
    let walks = (1..).map(move |seed| (model.clone(), walk(&model, seed)));
    walks.filter(move |(_, path)| known.insert(path.clone())).take(count)
}

/// The real writer and the real gate do what the model does. Most paths are within the smallest limits that have every
/// action, so that they have more in common with the states that the other test visits.
#[test]
fn the_real_processes_follow_the_model() {
    let small = paths(Limits { asks: 1, foreign: 1, faults: 1 }, scaled(9_000, 10_000));
    let large = paths(Limits { asks: 3, foreign: 2, faults: 2 }, scaled(1_000, 20_000));
    let work: Vec<(Processes, Vec<Action>)> = large.chain(small).collect();
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    let replay_part = |first: usize| {
        let mut outcomes: BTreeMap<&str, usize> = BTreeMap::new();
        for (model, path) in work.iter().skip(first).step_by(threads) {
            for outcome in replay(model, path) {
                *outcomes.entry(outcome).or_default() += 1;
            }
        }
        outcomes
    };
    let mut outcomes: BTreeMap<&str, usize> = BTreeMap::new();
    std::thread::scope(|scope| {
        let parts: Vec<_> = (0..threads).map(|first| scope.spawn(move || replay_part(first))).collect();
        for (outcome, count) in parts.into_iter().flat_map(|part| part.join().expect("the paths are replayed")) {
            *outcomes.entry(outcome).or_default() += count;
        }
    });
    print_figure(&format!(
        "{} paths of the model with {} steps on the real writer and gate: the same answers and logs, {outcomes:?}",
        work.len(),
        work.iter().map(|(_, path)| path.len()).sum::<usize>()
    ));
    assert!(outcomes.len() >= 6, "{outcomes:?}");
}
