//! A model of all processes that use one log: two recorders, a gate that keeps heads, and a program that writes without
//! locks. A process may be killed, and the machine may stop, between any two changes of the log.
//!
//! `stateright` visits every state of the model. In each, no acknowledged event is lost, the log supports every
//! authorization, and a process that waits can go on. The model is compared with the real writer and the real gate: paths
//! of it are replayed on the model disk, step by step, with the same answers and the same log.

mod replay;
mod system;

use std::collections::{BTreeMap, HashSet};

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

/// The real writer and the real gate do what the model does.
#[test]
fn the_real_processes_follow_the_model() {
    let model = Processes { limits: Limits { asks: 3, foreign: 2, faults: 2 } };
    let (mut paths, mut steps, mut seed) = (HashSet::new(), 0, 0);
    let mut outcomes = BTreeMap::new();
    while paths.len() < scaled(1_200, 20_000) {
        seed += 1;
        let path = walk(&model, seed);
        if paths.contains(&path) {
            continue;
        }
        for outcome in replay(&model, &path) {
            *outcomes.entry(outcome).or_insert(0) += 1;
        }
        steps += path.len();
        paths.insert(path);
    }
    print_figure(&format!(
        "{} paths of the model with {steps} steps on the real writer and gate: the same answers and logs, {outcomes:?}",
        paths.len()
    ));
    assert!(outcomes.len() >= 6, "{outcomes:?}");
}
