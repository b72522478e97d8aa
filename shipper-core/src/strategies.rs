//! Strategies for logs and queries, for property tests of this crate and of the tools that embed it.
//!
//! The names come from small sets, so that equal plans, registries and packages are frequent. Every event that the fold
//! depends on occurs, in any order. [`to_log`] makes the bytes of a log from generated entries.
//!
//! ```
//! use proptest::prelude::*;
//! use shipper_core::{GateProjection, evaluate, strategies};
//! proptest!(|(entries in strategies::entries(0..20), query in strategies::query())| {
//!     let gate = GateProjection::read(&strategies::to_log(&entries)[..]).expect("a sound log");
//!     let verdict = evaluate(gate.state(), &query);
//!     prop_assert_eq!(verdict.may_publish(), verdict.reasons().is_empty());
//! });
//! ```

use std::ops::Range;
use std::str::FromStr;

use proptest::prelude::{Strategy, any, prop_oneof};
use proptest::{collection, option, sample};
use shipper_events::event::{EmptyNameError, ParseEventError};
use shipper_events::{ChainLink, Event, EventType, LogEntry, Timestamp};

use crate::gate::GateQuery;

/// Plans in generated logs.
pub const PLANS: &[&str] = &["plan-a", "plan-b"];

/// Registries in generated logs.
pub const REGISTRIES: &[&str] = &["rehearsal", "other"];

/// Packages in generated logs, as name and version.
pub const PACKAGES: &[(&str, &str)] = &[("one", "1.0.0"), ("two", "1.0.0"), ("three", "0.1.0")];

/// Event types that contain no plan, registry or package of the sets. All are equally frequent.
const FIXED: &[&str] = &[
    r#"{"type":"tail_repaired","bytes":7,"blake3":"af13"}"#,
    r#"{"type":"rehearsal_paused","why":["a newer tool"]}"#,
    r#"{"type":"gate_consulted"}"#,
    r#"{"type":"weather_observed","sky":null}"#,
    r#"{"type":"package_attempted","attempt":1,"command":"cargo publish"}"#,
    r#"{"type":"package_published","duration_ms":18446744073709551616}"#,
    r#"{"type":"execution_started"}"#,
    r#"{"type":"execution_finished","result":"success"}"#,
    r#"{"type":"execution_finished","result":"partial_failure"}"#,
];

/// Returns entries of a log of `length` parts: single events, and whole passing rehearsals, which random events rarely form.
pub fn entries(length: Range<usize>) -> impl Strategy<Value = Vec<LogEntry>> {
    let part = prop_oneof![4 => event_type().prop_map(|event| vec![event]), 1 => passing_rehearsal()];
    collection::vec(part, length).prop_map(|parts| with_line_numbers(parts.into_iter().flatten()))
}

/// Returns an event type with its members.
pub fn event_type() -> impl Strategy<Value = EventType> {
    let plan = || sample::select(PLANS);
    let registry = || sample::select(REGISTRIES);
    let package = || sample::select(PACKAGES);
    let about_package =
        || sample::select(&["rehearsal_package_failed", "rehearsal_smoke_check_failed", "package_started"][..]);
    let json = prop_oneof![
        3 => (registry(), plan(), 0..4_u64).prop_map(|(registry, plan, count)| started(registry, plan, count)),
        4 => package().prop_map(|(name, version)| published(name, version)),
        3 => (about_package(), package()).prop_map(|(event, (name, version))| format!(
            r#"{{"type":"{event}","name":"{name}","version":"{version}","message":"no"}}"#
        )),
        3 => (any::<bool>(), registry(), plan()).prop_map(|(passed, registry, plan)| completed(passed, registry, plan)),
        2 => (plan(), 0..4_u64).prop_map(|(plan, count)| format!(
            r#"{{"type":"plan_created","plan_id":"{plan}","package_count":{count}}}"#
        )),
        9 => sample::select(FIXED).prop_map(str::to_owned),
    ];
    json.prop_map(|json| parse_event_type(&json))
}

/// Returns a rehearsal of one to three packages from its start to its passing completion.
pub fn passing_rehearsal() -> impl Strategy<Value = Vec<EventType>> {
    let (registry, plan) = (sample::select(REGISTRIES), sample::select(PLANS));
    (registry, plan, 1..=PACKAGES.len()).prop_map(|(registry, plan, count)| {
        let packages = PACKAGES.iter().take(count);
        let start = started(registry, plan, count as u64);
        let published = packages.map(|(name, version)| published(name, version));
        let completed = completed(true, registry, plan);
        std::iter::once(start).chain(published).chain([completed]).map(|json| parse_event_type(&json)).collect()
    })
}

/// Returns a query about one of the plans, with one of the registries or none.
pub fn query() -> impl Strategy<Value = GateQuery> {
    let (plan, registry) = (sample::select(PLANS), option::weighted(0.9, sample::select(REGISTRIES)));
    (plan, registry, proptest::bool::weighted(0.1))
        .prop_map(|(plan, registry, skip)| GateQuery::new(parse_name(plan), registry.map(parse_name)).with_skip(skip))
}

/// Makes entries of event types: line by line, a second apart, each about a package that fits its type.
pub fn with_line_numbers(event_types: impl IntoIterator<Item = EventType>) -> Vec<LogEntry> {
    let entries = event_types.into_iter().enumerate().map(|(position, event_type)| {
        let package = match &event_type {
            EventType::RehearsalPackagePublished(published) => format!("{}@{}", published.name, published.version),
            EventType::PackageAttempted(_) | EventType::PackagePublished(_) => "one@1.0.0".to_owned(),
            _ => "all".to_owned(),
        };
        LogEntry { line: position as u64 + 1, event: Event::new(timestamp_at(position), event_type, package) }
    });
    entries.collect()
}

/// Returns the bytes of a log with these entries, which every reader accepts. If an entry has a link or a type that only a
/// chained line may have, all lines are chained.
pub fn to_log(entries: &[LogEntry]) -> Vec<u8> {
    let chained_only = ["gate_evaluated", "log_adopted", "log_continued", "tail_repaired"];
    let is_chained = |event: &Event| event.link.is_some() || chained_only.contains(&event.event_type.name());
    let needs_chain = entries.iter().any(|entry| is_chained(&entry.event));
    let entries = if needs_chain { chained(entries.to_vec()) } else { entries.to_vec() };
    entries.iter().flat_map(|entry| to_line(&entry.event)).collect()
}

/// Returns the same entries, each linked to its predecessor.
pub fn chained(mut entries: Vec<LogEntry>) -> Vec<LogEntry> {
    let mut previous = Vec::new();
    for (position, entry) in entries.iter_mut().enumerate() {
        entry.event.link = Some(ChainLink::to_previous(position as u64, &previous));
        previous = to_line(&entry.event);
    }
    entries
}

fn to_line(event: &Event) -> Vec<u8> {
    (event.to_line() + "\n").into_bytes()
}

fn started(registry: &str, plan: &str, count: u64) -> String {
    format!(r#"{{"type":"rehearsal_started","registry":"{registry}","plan_id":"{plan}","package_count":{count}}}"#)
}

fn published(name: &str, version: &str) -> String {
    format!(r#"{{"type":"rehearsal_package_published","name":"{name}","version":"{version}","duration_ms":7}}"#)
}

fn completed(passed: bool, registry: &str, plan: &str) -> String {
    format!(
        r#"{{"type":"rehearsal_complete","passed":{passed},"registry":"{registry}","plan_id":"{plan}","summary":"done"}}"#
    )
}

fn parse_event_type(event_type: &str) -> EventType {
    let line = format!(r#"{{"timestamp":"2026-11-23T08:00:00Z","event_type":{event_type},"package":"all"}}"#);
    let event: Result<Event, ParseEventError> = line.parse();
    event.map_or_else(|error| generator_bug(&error), |event| event.event_type)
}

fn parse_name<T: FromStr<Err = EmptyNameError>>(text: &str) -> T {
    text.parse().unwrap_or_else(|error| generator_bug(&error))
}

/// Returns a time that depends only on the position. It repeats after a day.
fn timestamp_at(position: usize) -> Timestamp {
    let (hour, minute, second) = (position / 3600 % 24, position / 60 % 60, position % 60);
    let text = format!("2026-11-19T{hour:02}:{minute:02}:{second:02}Z");
    text.parse().unwrap_or_else(|error| generator_bug(&error))
}

#[expect(clippy::panic, reason = "a wrong generator must stop the test")]
fn generator_bug(error: &dyn std::error::Error) -> ! {
    panic!("the generator is wrong: {error}")
}
