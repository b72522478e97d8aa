//! Rows of the timeline: rehearsals, decisions, runs, publishes outside every run, and findings.

use std::collections::HashMap;

use shipper_core::audit::{
    Decision, DecisionStatus, Finding, RehearsalReport, RehearsalStatus, RunSpan, TimelineEntry,
};
use shipper_events::display_safe;

use crate::formats::html::selection::LogSection;
use crate::formats::text::decisions::sort_rank;
use crate::formats::text::phrases::{
    audited_up_to, decision_text, plural, quoted, registry_text, run_text, short_plan_id,
};
use crate::formats::text::summary;

/// Type of the event that records the publish of a package in a run.
pub(super) const PUBLISH: &str = "package_published";

/// A row of the timeline.
pub(super) struct Row<'a> {
    pub(super) kind: &'static str,
    /// The status of the rehearsal, decision or run, or the level of the finding.
    pub(super) status: &'static str,
    /// The first line.
    pub(super) line: u64,
    /// The entry at its start.
    pub(super) start: &'a TimelineEntry,
    /// The entry at its end. `None` for a point in time.
    pub(super) end: Option<&'a TimelineEntry>,
    /// False if no event ends it. Then `end` is its last event.
    pub(super) finished: bool,
    /// The package events in it, which the timeline marks.
    pub(super) ticks: Vec<&'a TimelineEntry>,
    pub(super) text: String,
    /// The anchor of the details on the page.
    pub(super) target: String,
    /// Rank for the choice of rows. The page omits the highest ranks first.
    pub(super) rank: u8,
}

/// Returns every row, in the order of the lines.
pub(super) fn rows<'a>(section: &LogSection<'a>, entries: &'a [TimelineEntry]) -> Vec<Row<'a>> {
    let runs: &[RunSpan] = section.audit.runs.as_deref().unwrap_or_default();
    let judged_to = audited_up_to(section.audit, &section.report.demand);
    let used = section.audit.decisions.iter().flat_map(|decision| {
        decision.runs.iter().map(move |run| (run.line, (decision.status, run_text(run, judged_to))))
    });
    let mut used: HashMap<u64, (DecisionStatus, String)> = used.collect();
    let rehearsals = section.audit.rehearsals.iter().flatten();
    let rehearsals = rehearsals.filter_map(|rehearsal| rehearsal_row(rehearsal, section, entries));
    let decisions = section.decisions.iter().filter_map(|decision| decision_row(decision, section, entries));
    let run_rows = runs.iter().filter_map(|run| run_row(run, used.remove(&run.line), section, entries));
    let in_run = |line: u64| {
        let after = runs.partition_point(|run| run.line <= line);
        runs.get(..after).and_then(<[_]>::last).is_some_and(|run| line <= run.last_line)
    };
    let outside = entries.iter().filter(|entry| entry.event == PUBLISH && !in_run(entry.line));
    let outside = outside.map(|entry| outside_row(entry, section));
    let findings = section.findings.iter();
    let findings = findings.filter_map(|(position, finding)| finding_row(*position, finding, section, entries));
    let mut rows: Vec<Row<'_>> = rehearsals.chain(decisions).chain(run_rows).chain(outside).chain(findings).collect();
    rows.sort_by_key(|row| row.line);
    rows
}

fn rehearsal_row<'a>(
    rehearsal: &RehearsalReport,
    section: &LogSection<'_>,
    entries: &'a [TimelineEntry],
) -> Option<Row<'a>> {
    let line = rehearsal.line.or(rehearsal.end_line)?;
    let (finished, rank, note) = match (rehearsal.status, rehearsal.line) {
        (RehearsalStatus::Abandoned, _) => (false, 1, ", replaced by a later rehearsal before it completed".to_owned()),
        (RehearsalStatus::Open, _) => (false, 1, ", not completed".to_owned()),
        (_, None) => (true, 0, ", completed without a start event".to_owned()),
        (RehearsalStatus::Failed, _) => (true, 0, String::new()),
        (RehearsalStatus::Unsound, _) => (true, 0, format!(", {}", summary::outcome(true, &rehearsal.unsound))),
        (RehearsalStatus::Passed, _) => (true, 4, String::new()),
    };
    let ticks = ["rehearsal_package_published", "rehearsal_package_failed", "rehearsal_smoke_check_failed"];
    let (plan, registry) = (short_plan_id(rehearsal.plan_id.as_str()), quoted(rehearsal.registry.as_str()));
    let published = plural(rehearsal.packages_published, "package");
    Some(Row {
        kind: "rehearsal",
        status: rehearsal.status.as_str(),
        text: format!("plan {plan} on {registry}: {published} published{note}"),
        target: format!("{}-line-{line}", section.id),
        rank,
        ..bar(between(entries, line, rehearsal.end_line.unwrap_or(u64::MAX)), finished, &ticks)?
    })
}

fn decision_row<'a>(decision: &Decision, section: &LogSection<'_>, entries: &'a [TimelineEntry]) -> Option<Row<'a>> {
    let line = decision.line;
    let plan = short_plan_id(decision.plan_id.as_str());
    let registry = registry_text(decision.registry.as_ref(), decision.registry_source);
    Some(Row {
        kind: "decision",
        status: decision.status.as_str(),
        text: format!("plan {plan}{registry}: {}", decision_text(decision)),
        target: format!("{}-decision-{line}", section.id),
        rank: sort_rank(decision.status),
        ..point(line, nearest(entries, line)?)
    })
}

fn run_row<'a>(
    run: &RunSpan,
    used: Option<(DecisionStatus, String)>,
    section: &LogSection<'_>,
    entries: &'a [TimelineEntry],
) -> Option<Row<'a>> {
    let line = run.line;
    let (status, rank, text) = match used {
        Some((status, text)) => (status.as_str(), sort_rank(status), text),
        None => ("ignored", 5, "not part of the audit".to_owned()),
    };
    let place = if section.runs.contains(&line) { "run" } else { "line" };
    Some(Row {
        kind: "run",
        status,
        text: format!("plan {}, {text}", short_plan_id(run.plan_id.as_str())),
        target: format!("{}-{place}-{line}", section.id),
        rank,
        ..bar(between(entries, line, run.last_line), run.finished, &[PUBLISH])?
    })
}

/// Returns the row of a publish outside every run.
fn outside_row<'a>(entry: &'a TimelineEntry, section: &LogSection<'_>) -> Row<'a> {
    let package = entry.package.as_deref().unwrap_or("a package");
    Row {
        kind: "publish",
        status: "violated",
        text: format!("{} published outside every run", display_safe(package)),
        target: format!("{}-line-{}", section.id, entry.line),
        ..point(entry.line, entry)
    }
}

fn finding_row<'a>(
    position: usize,
    finding: &Finding,
    section: &LogSection<'_>,
    entries: &'a [TimelineEntry],
) -> Option<Row<'a>> {
    let line = finding.line?;
    let start = nearest(entries, line)?;
    let place = if start.line == line { String::new() } else { format!(", shown at the event on line {}", start.line) };
    Some(Row {
        kind: "finding",
        status: finding.level.as_str(),
        text: format!("{}{place}", finding.code),
        target: format!("{}-finding-{}", section.id, position + 1),
        rank: 2 * finding.level as u8,
        ..point(line, start)
    })
}

/// Returns a row over some entries. Those of the types in `ticks` are its ticks.
fn bar<'a>(entries: &'a [TimelineEntry], finished: bool, ticks: &[&str]) -> Option<Row<'a>> {
    let start = entries.first()?;
    let ticks: Vec<&TimelineEntry> = entries.iter().filter(|entry| ticks.contains(&entry.event.as_str())).collect();
    let end = if finished { entries.last() } else { ticks.last().copied().or(Some(start)) };
    Some(Row { end, finished, ticks, ..point(start.line, start) })
}

/// Returns a row at one entry.
fn point(line: u64, start: &TimelineEntry) -> Row<'_> {
    Row {
        kind: "",
        status: "",
        line,
        start,
        end: None,
        finished: true,
        ticks: Vec::new(),
        text: String::new(),
        target: String::new(),
        rank: 0,
    }
}

/// Returns the entries from one line to another, both included.
fn between(entries: &[TimelineEntry], from: u64, to: u64) -> &[TimelineEntry] {
    let first = entries.partition_point(|entry| entry.line < from);
    let end = entries.partition_point(|entry| entry.line <= to);
    entries.get(first..end).unwrap_or_default()
}

/// Returns the entry of a line, or the nearest one before it, or the first.
fn nearest(entries: &[TimelineEntry], line: u64) -> Option<&TimelineEntry> {
    entries.get(entries.partition_point(|entry| entry.line <= line).saturating_sub(1))
}
