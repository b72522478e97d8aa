//! A file of the packet that was derived from the events agrees with the log, one from a prefix is never drift, and each
//! single change of a state or a result has the status that a naive reading of the events gives.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::{Value, json};
use shipper_core::audit::{
    AuditOptions, ComparedFiles, FindingCode, PacketInput, PacketReport, PacketStatus, SidecarInput, audit_reader,
};

/// The event on a line of the log. Packages and plans are numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Plan(u8),
    Package(u8, &'static str),
    Finished(&'static str),
}

const WORDS: [&str; 5] = ["pending", "uploaded", "published", "skipped", "failed"];
const EVENTS: [&str; 5] = ["uploaded", "published", "reconciled", "skipped", "failed"];
const RESULTS: [&str; 2] = ["success", "partial_failure"];

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        1 => (0_u8..2).prop_map(Action::Plan),
        8 => (0_u8..3, prop::sample::select(&EVENTS[..])).prop_map(|(package, word)| Action::Package(package, word)),
        2 => prop::sample::select(&RESULTS[..]).prop_map(Action::Finished),
    ]
}

fn package(number: u8) -> (String, String) {
    (format!("zq-{number}"), "0.1.0".to_owned())
}

fn line(action: Action) -> String {
    let (event, package) = match action {
        Action::Plan(plan) => {
            (json!({"type": "plan_created", "plan_id": plan.to_string(), "package_count": 3}), "all".to_owned())
        }
        Action::Finished(result) => (json!({"type": "execution_finished", "result": result}), "all".to_owned()),
        Action::Package(number, word) => {
            let event = match word {
                "reconciled" => json!({"type": "publish_reconciled", "outcome": {"outcome": "published"}}),
                "skipped" => json!({"type": "package_skipped", "reason": "already published"}),
                _ => json!({"type": format!("package_{word}")}),
            };
            let (name, version) = package(number);
            (event, format!("{name}@{version}"))
        }
    };
    let line = json!({"timestamp": "2026-11-23T08:00:00Z", "event_type": event, "package": package});
    format!("{line}\n")
}

/// The states of the packages after some events, as a tool that writes them after each event has them.
fn states(events: &[Action]) -> BTreeMap<u8, &'static str> {
    let mut states: BTreeMap<u8, &str> = (0..3).map(|package| (package, "pending")).collect();
    for event in events {
        if let Action::Package(package, word) = event {
            states.insert(*package, if *word == "reconciled" { "published" } else { word });
        }
    }
    states
}

/// The plan and the result of the run that the last event finishes; `None` if it finishes none.
fn finish_at_end(events: &[Action]) -> Option<(u8, &'static str)> {
    let (Action::Finished(result), rest) = (*events.last()?, events.split_last()?.1) else {
        return None;
    };
    let last = rest.iter().rev().find(|event| !matches!(event, Action::Package(..)))?;
    if let Action::Plan(plan) = last { Some((*plan, result)) } else { None }
}

fn state_file(plan: u8, states: &BTreeMap<u8, &str>) -> Value {
    let packages: serde_json::Map<String, Value> = states
        .iter()
        .map(|(number, state)| {
            let (name, version) = package(*number);
            (format!("{name}@{version}"), json!({"state": {"state": state}, "attempts": 1}))
        })
        .collect();
    json!({"state_version": "shipper.state.v1", "plan_id": plan.to_string(), "packages": packages})
}

fn receipt_file(plan: u8, states: &BTreeMap<u8, &str>, result: &str) -> Value {
    let packages: Vec<Value> = states
        .iter()
        .map(|(number, state)| {
            let (name, version) = package(*number);
            json!({"name": name, "version": version, "state": {"state": state}})
        })
        .collect();
    json!({"receipt_version": "shipper.receipt.v2", "plan_id": plan.to_string(), "packages": packages,
        "execution_result": result})
}

fn audit(events: &[Action], state: Option<&Value>, receipt: Option<&Value>) -> PacketReport {
    let log: String = events.iter().map(|event| line(*event)).collect();
    let input = |file: Option<&Value>| match file {
        Some(file) => SidecarInput::Found { path: "file".to_owned(), bytes: file.to_string().into_bytes() },
        None => SidecarInput::NotRequested,
    };
    let packet = PacketInput { state: input(state), receipt: input(receipt) };
    let files = ComparedFiles { packet, ..ComparedFiles::default() };
    let audit = audit_reader(log.as_bytes(), files, &AuditOptions::default()).expect("the log can be read");
    let found = |code| audit.findings.iter().any(|finding| finding.code == code);
    let packet = audit.packet.clone().expect("this version compares it");
    assert_eq!(found(FindingCode::StateDrift), packet.state.status == PacketStatus::Drift);
    assert_eq!(found(FindingCode::ReceiptDrift), packet.receipt.status == PacketStatus::Drift);
    packet
}

/// The status of `state.json` with one state changed, read from the whole list of events.
fn naive(events: &[Action], package: u8, state: &str) -> PacketStatus {
    let positions = |wanted: &[&str]| {
        let found = events.iter().rposition(
            |event| matches!(event, Action::Package(number, word) if *number == package && wanted.contains(word)),
        );
        found.map(|position| position + 1)
    };
    let published = positions(&["published", "reconciled"]);
    match (state, positions(&[state])) {
        ("published", _) if published.is_none() => PacketStatus::Drift,
        ("published", _) => PacketStatus::Match,
        ("skipped" | "failed", None) => PacketStatus::Drift,
        (_, own) if published > own => PacketStatus::Behind,
        _ => PacketStatus::Match,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn derived_files_match_and_changed_ones_do_not(
        events in prop::collection::vec(action(), 1..16),
        cut in any::<prop::sample::Index>(),
        changed in 0_u8..3,
        word in prop::sample::select(&WORDS[..]),
    ) {
        let events = [&[Action::Plan(0)], &events[..]].concat();
        let derived = state_file(0, &states(&events));
        prop_assert_eq!(audit(&events, Some(&derived), None).state.status, PacketStatus::Match);

        let prefix = &events[..=cut.index(events.len())];
        let older = state_file(0, &states(prefix));
        let status = audit(&events, Some(&older), None).state.status;
        prop_assert!(matches!(status, PacketStatus::Match | PacketStatus::Behind), "{:?}", status);

        let mut mutated = states(&events);
        mutated.insert(changed, word);
        let report = audit(&events, Some(&state_file(0, &mutated)), None).state;
        prop_assert_eq!(report.status, naive(&events, changed, word));
        prop_assert_eq!(report.differences.len(), usize::from(report.status == PacketStatus::Drift));

        for end in 1..=events.len() {
            let prefix = &events[..end];
            let Some((plan, result)) = finish_at_end(prefix) else { continue };
            let status = |result: &str| audit(&events, None, Some(&receipt_file(plan, &states(prefix), result))).receipt.status;
            prop_assert!(matches!(status(result), PacketStatus::Match | PacketStatus::Behind));
            let other = RESULTS.into_iter().find(|other| *other != result).expect("there are two");
            if prefix.len() == events.len() {
                prop_assert_eq!(status(result), PacketStatus::Match);
                prop_assert_ne!(status(other), PacketStatus::Match);
            }
            if events.iter().filter(|event| matches!(event, Action::Finished(_))).count() == 1 {
                prop_assert_eq!(status(other), PacketStatus::Drift);
            }
        }
    }
}

/// A run that only the file names, and a receipt of a plan whose run did not finish.
#[test]
fn other_plans_are_orphans_and_unfinished_runs_drift() {
    let events = [Action::Plan(0), Action::Package(0, "published")];
    let states = BTreeMap::from([(0, "published")]);
    let other = audit(&events, Some(&state_file(7, &states)), Some(&receipt_file(7, &states, "success")));
    assert_eq!((other.state.status, other.receipt.status), (PacketStatus::Orphan, PacketStatus::Orphan));
    let mut receipt = receipt_file(0, &states, "success");
    let unfinished = audit(&events, None, Some(&receipt)).receipt;
    assert_eq!((unfinished.status, unfinished.differences[0].log.as_deref()), (PacketStatus::Drift, None));
    receipt.as_object_mut().expect("an object").remove("execution_result");
    assert_eq!(audit(&events, None, Some(&receipt)).receipt.status, PacketStatus::Drift, "no run finished");
    let finished = [&events[..], &[Action::Finished("partial_failure")]].concat();
    assert_eq!(audit(&finished, None, Some(&receipt)).receipt.status, PacketStatus::Match, "an unknown result");
}

/// A receipt that lists a package twice with two states is compared with both.
#[test]
fn every_entry_of_a_receipt_is_compared() {
    let events = [Action::Plan(0), Action::Package(0, "failed"), Action::Finished("success")];
    let mut receipt = receipt_file(0, &BTreeMap::from([(0, "failed")]), "success");
    assert_eq!(audit(&events, None, Some(&receipt)).receipt.status, PacketStatus::Match);
    let second = json!({"name": "zq-0", "version": "0.1.0", "state": {"state": "published"}});
    receipt["packages"].as_array_mut().expect("an array").push(second);
    let report = audit(&events, None, Some(&receipt)).receipt;
    assert_eq!((report.status, report.differences[0].file.as_deref()), (PacketStatus::Drift, Some("published")));
}

/// A report lists at most 100 differences of a file, and the packages that no event explains first.
#[test]
fn differences_are_limited() {
    let events = [Action::Plan(0), Action::Package(0, "published")];
    let mut file = state_file(0, &BTreeMap::from([(0, "pending")]));
    let packages = file["packages"].as_object_mut().expect("an object");
    packages.extend((0..300).map(|number| (format!("zz-{number}@0.1.0"), json!({"state": {"state": "published"}}))));
    let report = audit(&events, Some(&file), None).state;
    let fields: BTreeSet<&str> = report.differences.iter().map(|difference| difference.field.as_str()).collect();
    assert_eq!((report.status, fields.len()), (PacketStatus::Drift, 100));
    assert!(!fields.contains("zq-0@0.1.0"), "a later event explains it");
}
