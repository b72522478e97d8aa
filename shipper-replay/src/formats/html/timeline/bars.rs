//! The lanes of rehearsals and of publishes: a bar for each rehearsal and each run, with a tick for each of its packages.

use std::collections::HashMap;

use shipper_core::audit::{Decision, RehearsalReport, RehearsalStatus, RunReport, RunSpan, TimelineEntry};
use shipper_events::display_safe;

use super::item::{Item, Lane, Outcome, Shape, Source, Tick, instant};
use crate::formats::human::phrases::{maybe_quoted, quoted, short_plan_id};
use crate::formats::human::sort_rank;
use crate::formats::human::summary;

/// The runs of the decisions in the report, by their first line.
type Decided<'a> = HashMap<u64, (&'a Decision, &'a RunReport)>;

pub(super) fn rehearsals(source: &Source<'_>) -> Lane {
    let items = source.rehearsals.iter().filter_map(|rehearsal| self::rehearsal(rehearsal, source));
    Lane::new("rehearsals", "Rehearsals", items.collect())
}

fn rehearsal(rehearsal: &RehearsalReport, source: &Source<'_>) -> Option<Item> {
    let RehearsalReport { line, end_line, status, unsound, .. } = rehearsal;
    let (first, last) = (line.or(*end_line)?, end_line.unwrap_or(u64::MAX));
    let entries = source.between(first, last);
    let start = entries.first()?;
    let ticks: Vec<Tick> =
        if line.is_some() { entries.iter().filter_map(rehearsal_tick).collect() } else { Vec::new() };
    let last_tick = ticks.last().and_then(|tick| source.nearest(tick.line)).unwrap_or(start);
    let incomplete = matches!(status, RehearsalStatus::Abandoned | RehearsalStatus::Open);
    let end = if incomplete { last_tick } else { entries.last()? };
    let (outcome, rank) = match (status, line) {
        (RehearsalStatus::Passed, Some(_)) => (Outcome::Good, 2),
        (RehearsalStatus::Failed, Some(_)) => (Outcome::Bad, 0),
        (RehearsalStatus::Abandoned | RehearsalStatus::Open, _) => (Outcome::Doubt, 1),
        (RehearsalStatus::Unsound, _) | (_, None) => (Outcome::Doubt, 0),
    };
    let note = match (status, line) {
        (RehearsalStatus::Abandoned, _) => format!("; never completed: another one began on line {last}"),
        (RehearsalStatus::Open, _) => "; never completed".to_owned(),
        (_, None) => "; completed without a start".to_owned(),
        (_, Some(_)) => String::new(),
    };
    let word = if incomplete {
        status.as_str().to_owned()
    } else {
        summary::outcome(*status != RehearsalStatus::Failed, unsound)
    };
    let registry = format!(" on {}", display_safe(rehearsal.registry.as_str()).max_chars(24).quoted());
    let (plan, (lines, times)) = (short_plan_id(rehearsal.plan_id.as_str()), span(start, end));
    Some(Item {
        line: first,
        at: instant(start),
        shape: Shape::Bar { to: instant(end), open: incomplete || line.is_none() },
        outcome,
        label: format!("{word}{registry}{}", backwards(start, end)),
        title: format!("{lines}: rehearsal {word}, plan {plan}{registry}{note}; {times}"),
        target: source.anchors.event(first),
        rank,
        ticks,
    })
}

fn rehearsal_tick(entry: &TimelineEntry) -> Option<Tick> {
    let (outcome, what) = match entry.event.as_str() {
        "rehearsal_package_published" => (Outcome::Good, "rehearsed"),
        "rehearsal_package_failed" => (Outcome::Bad, "failed"),
        "rehearsal_smoke_check_failed" => (Outcome::Bad, "failed its smoke check"),
        "tail_repaired" => (Outcome::Bad, "a torn tail was repaired"),
        _ => return None,
    };
    let package = entry.package.as_deref().map_or(String::new(), |package| format!("{} ", display_safe(package)));
    let title = format!("line {}: {package}{what}, {}", entry.line, entry.timestamp);
    Some(Tick { line: entry.line, at: instant(entry), outcome, title })
}

pub(super) fn publishes(source: &Source<'_>) -> Lane {
    let decided = source.audit.decisions.iter();
    let decided: Decided<'_> =
        decided.flat_map(|decision| decision.runs.iter().map(move |run| (run.line, (decision, run)))).collect();
    let mut items: Vec<Item> = source.runs.iter().filter_map(|run| self::run(run, &decided, source)).collect();
    let in_run = |line: u64| {
        let after = source.runs.partition_point(|run| run.line <= line);
        source.runs.get(..after).and_then(<[_]>::last).is_some_and(|run| line <= run.last_line)
    };
    let outside = source.entries.iter().filter(|entry| is_publish(entry) && !in_run(entry.line));
    items.extend(outside.map(|entry| Item {
        line: entry.line,
        at: instant(entry),
        shape: Shape::Glyphs(vec!["\u{25c6}"]),
        outcome: Outcome::Bad,
        label: "outside every run".to_owned(),
        title: format!("line {}: {} published outside every run, {}", entry.line, package(entry), entry.timestamp),
        target: source.anchors.event(entry.line),
        rank: 0,
        ticks: Vec::new(),
    }));
    Lane::new("publishes", "Publishes", items)
}

fn run(run: &RunSpan, decided: &Decided<'_>, source: &Source<'_>) -> Option<Item> {
    let line = run.line;
    let entries = source.between(line, run.last_line);
    let start = entries.first()?;
    let published: Vec<&TimelineEntry> = entries.iter().filter(|entry| is_publish(entry)).collect();
    let (end, how) = match (entries.last()?, run.finished) {
        (end, true) => {
            let result = end.outcome.as_ref().map_or(String::new(), |result| format!(": {}", maybe_quoted(result, 60)));
            (end, format!("finished{result}"))
        }
        (_, false) => {
            let last = published.last().copied().unwrap_or(start);
            (last, "did not finish; drawn to the last package it published".to_owned())
        }
    };
    let decision = decided.get(&line);
    let (outcome, rank) = decision
        .map_or((Outcome::Plain, 5), |(decision, _)| (Outcome::of(decision.status), sort_rank(decision.status)));
    let plan = short_plan_id(run.plan_id.as_str());
    let (label, what) = match decision {
        Some((decision, run)) => {
            let (status, published) = (decision.status.as_str(), run.published);
            let to = |registry: String| format!(" to {registry}");
            let live = run.live_registry.as_deref();
            let short_name =
                live.map_or(String::new(), |name| to(display_safe(name).max_chars(24).quoted().to_string()));
            let name = live.map_or(String::new(), |name| to(quoted(name)));
            let label = format!("{status}: {published} published{short_name}");
            (label, format!("run {status}, plan {plan}, {published} published{name}"))
        }
        None => ("left out".to_owned(), format!("run left out of the judging, plan {plan}")),
    };
    let (lines, times) = span(start, end);
    Some(Item {
        line,
        at: instant(start),
        shape: Shape::Bar { to: instant(end), open: !run.finished },
        outcome,
        label: format!("{label}{}", backwards(start, end)),
        title: format!("{lines}: {what}; {how}; {times}"),
        target: if source.selection.runs.contains(&line) {
            source.anchors.run(line)
        } else {
            source.anchors.event(line)
        },
        rank,
        ticks: published.into_iter().map(|entry| publish_tick(entry, outcome)).collect(),
    })
}

fn publish_tick(entry: &TimelineEntry, outcome: Outcome) -> Tick {
    let title = format!("line {}: {} published, {}", entry.line, package(entry), entry.timestamp);
    Tick { line: entry.line, at: instant(entry), outcome, title }
}

fn is_publish(entry: &TimelineEntry) -> bool {
    entry.event == "package_published"
}

fn package(entry: &TimelineEntry) -> String {
    entry.package.as_deref().map_or_else(|| "a package".to_owned(), |package| display_safe(package).to_string())
}

/// Returns the lines and the times of a bar.
fn span(start: &TimelineEntry, end: &TimelineEntry) -> (String, String) {
    let (from, to) = (start.line, end.line);
    let lines = if from == to { format!("line {from}") } else { format!("lines {from} to {to}") };
    (lines, format!("{} to {}", start.timestamp, end.timestamp))
}

/// Returns the note on a bar whose end is stamped earlier than its start.
fn backwards(start: &TimelineEntry, end: &TimelineEntry) -> &'static str {
    if end.timestamp < start.timestamp { ", stamped to end before it begins" } else { "" }
}
