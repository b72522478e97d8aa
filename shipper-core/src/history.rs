//! Histories of gate events, for property tests of this crate and of the tools that embed it.
//!
//! The names come from small sets, so that plans, registries and packages meet often; every event that the fold depends on
//! occurs, in any order, and runs. A history is a list of entries; [`to_log`] makes the bytes of its log.
//!
//! ```
//! use proptest::prelude::*;
//! use shipper_core::{GateState, evaluate, history};
//! proptest!(|(entries in history::entries(0..20), query in history::query())| {
//!     let state: GateState = entries.iter().collect();
//!     let verdict = evaluate(&state, &query);
//!     prop_assert_eq!(verdict.may_publish(), verdict.reasons().is_empty());
//! });
//! ```

use std::ops::Range;
use std::str::FromStr;

use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::{collection, option, sample};
use shipper_events::{ChainLink, EmptyNameError, Event, EventType, LogEntry, ParseEventError, Timestamp};
use time::{Duration, OffsetDateTime};

use crate::gate::GateQuery;

/// The plans that histories are about.
pub const PLANS: &[&str] = &["plan-a", "plan-b"];

/// The registries that histories are about.
pub const REGISTRIES: &[&str] = &["rehearsal", "other"];

/// The packages, as name and version, that histories are about.
pub const PACKAGES: &[(&str, &str)] = &[("one", "1.0.0"), ("two", "1.0.0"), ("three", "0.1.0")];

/// A history of that many parts. A part is an event, mostly of those that the fold depends on, or a whole passing
/// rehearsal, which chance alone seldom makes.
pub fn entries(length: Range<usize>) -> impl Strategy<Value = Vec<LogEntry>> {
    let part = prop_oneof![4 => event_type().prop_map(|event| vec![event]), 1 => passing_rehearsal()];
    collection::vec(part, length).prop_map(|parts| numbered(parts.into_iter().flatten()))
}

/// One event type with its members.
pub fn event_type() -> impl Strategy<Value = EventType> {
    let plan = || sample::select(PLANS);
    let registry = || sample::select(REGISTRIES);
    let package = || sample::select(PACKAGES);
    prop_oneof![
        3 => (registry(), plan(), 0..4_u64).prop_map(|(registry, plan, count)| parsed(&started(registry, plan, count))),
        4 => package().prop_map(|(name, version)| parsed(&published(name, version))),
        1 => package().prop_map(|(name, version)| parsed(&format!(
            r#"{{"type":"rehearsal_package_failed","name":"{name}","version":"{version}","class":"permanent","message":"no"}}"#
        ))),
        1 => package().prop_map(|(name, version)| parsed(&format!(
            r#"{{"type":"rehearsal_smoke_check_failed","name":"{name}","version":"{version}","message":"no"}}"#
        ))),
        3 => (any::<bool>(), registry(), plan())
            .prop_map(|(passed, registry, plan)| parsed(&completed(passed, registry, plan))),
        1 => Just(parsed(r#"{"type":"tail_repaired","bytes":7,"blake3":"af13"}"#)),
        1 => Just(parsed(r#"{"type":"rehearsal_paused","why":["a newer tool"]}"#)),
        1 => Just(parsed(r#"{"type":"gate_consulted"}"#)),
        1 => Just(parsed(r#"{"type":"weather_observed","sky":null}"#)),
        2 => (plan(), 0..4_u64).prop_map(|(plan, count)| parsed(&format!(
            r#"{{"type":"plan_created","plan_id":"{plan}","package_count":{count}}}"#
        ))),
        1 => package().prop_map(|(name, version)| parsed(&format!(
            r#"{{"type":"package_started","name":"{name}","version":"{version}"}}"#
        ))),
        1 => Just(parsed(r#"{"type":"package_attempted","attempt":1,"command":"cargo publish"}"#)),
        1 => Just(parsed(r#"{"type":"package_published","duration_ms":18446744073709551616}"#)),
        1 => Just(parsed(r#"{"type":"execution_started"}"#)),
        2 => sample::select(&["success", "partial_failure"][..])
            .prop_map(|result| parsed(&format!(r#"{{"type":"execution_finished","result":"{result}"}}"#))),
    ]
}

/// A rehearsal of one to three packages from its start to its passing completion.
pub fn passing_rehearsal() -> impl Strategy<Value = Vec<EventType>> {
    let (registry, plan) = (sample::select(REGISTRIES), sample::select(PLANS));
    (registry, plan, 1..=PACKAGES.len()).prop_map(|(registry, plan, count)| {
        let packages = PACKAGES.iter().take(count);
        let start = started(registry, plan, count as u64);
        let published = packages.map(|(name, version)| published(name, version));
        let completed = completed(true, registry, plan);
        std::iter::once(start).chain(published).chain([completed]).map(|json| parsed(&json)).collect()
    })
}

/// A question about one of the plans, under one of the registries or none.
pub fn query() -> impl Strategy<Value = GateQuery> {
    let (plan, registry) = (sample::select(PLANS), option::weighted(0.9, sample::select(REGISTRIES)));
    (plan, registry, proptest::bool::weighted(0.1)).prop_map(|(plan, registry, skip)| GateQuery {
        plan_id: name(plan),
        rehearsal_registry: registry.map(name),
        skip,
    })
}

/// Event types as the entries of a log: a second apart, each on a package that fits.
pub fn numbered(event_types: impl IntoIterator<Item = EventType>) -> Vec<LogEntry> {
    let entries = event_types.into_iter().enumerate().map(|(position, event_type)| {
        let package = match &event_type {
            EventType::RehearsalPackagePublished(published) => format!("{}@{}", published.name, published.version),
            EventType::PackageAttempted(_) | EventType::PackagePublished(_) => "one@1.0.0".to_owned(),
            _ => "all".to_owned(),
        };
        LogEntry { line: position as u64 + 1, event: Event::new(stamp(position), event_type, package) }
    });
    entries.collect()
}

/// The bytes of a log that holds these events as they are: on foreign lines, unless they have a link.
pub fn to_log(entries: &[LogEntry]) -> Vec<u8> {
    entries.iter().flat_map(|entry| line(&entry.event)).collect()
}

/// The same events, each linked to the one before it: to be written as a chained log.
pub fn chained(mut entries: Vec<LogEntry>) -> Vec<LogEntry> {
    let mut previous = Vec::new();
    for (position, entry) in entries.iter_mut().enumerate() {
        entry.event.link = Some(ChainLink::to_previous(position as u64, &previous));
        previous = line(&entry.event);
    }
    entries
}

fn line(event: &Event) -> Vec<u8> {
    format!("{event}\n").into_bytes()
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

/// The event type that a piece of JSON says: what this module writes is always one.
fn parsed(event_type: &str) -> EventType {
    let line = format!(r#"{{"timestamp":"2026-11-23T08:00:00Z","event_type":{event_type},"package":"all"}}"#);
    let event: Result<Event, ParseEventError> = line.parse();
    match event {
        Ok(event) => event.event_type,
        Err(error) => fail(&error),
    }
}

fn name<T: FromStr<Err = EmptyNameError>>(text: &str) -> T {
    match text.parse() {
        Ok(name) => name,
        Err(error) => fail(&error),
    }
}

fn stamp(position: usize) -> Timestamp {
    let seconds = i64::try_from(position).unwrap_or_default();
    let instant = OffsetDateTime::UNIX_EPOCH + Duration::weeks(2_968) + Duration::seconds(seconds);
    let (date, time) = (instant.date(), instant.time());
    let (hour, minute, second) = time.as_hms();
    let text = format!("{date}T{hour:02}:{minute:02}:{second:02}Z");
    match text.parse() {
        Ok(stamp) => stamp,
        Err(error) => fail(&error),
    }
}

#[expect(clippy::panic, reason = "a generator of tests that is wrong must not go on")]
fn fail(error: &dyn std::error::Error) -> ! {
    panic!("the generator is wrong: {error}")
}
