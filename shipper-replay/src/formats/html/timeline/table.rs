//! The table under the drawing: the same events, with what holds after each.

use std::collections::BTreeSet;

use maud::{Markup, html};
use shipper_core::audit::{TimelineEntry, VerdictSummary};
use shipper_events::display_safe;

use super::item::Lane;
use crate::formats::html::anchors::Anchors;
use crate::formats::html::selection::MAX_SHOWN;
use crate::formats::human::phrases::{maybe_quoted, plural, quoted, short_plan_id};
use crate::formats::human::summary::outcome;

/// A table of more rows is scrolled in a frame of its own, but not in print.
const LONG: usize = 40;

/// The columns, which small screens repeat beside each cell.
const COLUMNS: [&str; 7] =
    ["Line", "Time", "Event", "What it says", "Rehearsal open", "Latest completed", "Gate answers"];

/// The events that something is drawn for, and as many others as have room.
pub(super) fn table(entries: &[TimelineEntry], lanes: &[Lane], anchors: Anchors) -> Markup {
    let drawn: BTreeSet<u64> = lanes.iter().flat_map(Lane::lines).collect();
    let mut room = MAX_SHOWN;
    let shown: Vec<&TimelineEntry> = entries
        .iter()
        .filter(|entry| {
            let told = drawn.contains(&entry.line) || room > 0;
            room -= usize::from(told && !drawn.contains(&entry.line));
            told
        })
        .collect();
    let left_out = (entries.len() - shown.len()) as u64;
    let before = std::iter::once(None).chain(shown.iter().map(|entry| Some(*entry)));
    html! {
        div.events.long[shown.len() > LONG] tabindex="0" role="region" aria-label="The events of the timeline" {
            table.stack role="table" {
                caption { "The same events, and what holds after each" }
                thead role="rowgroup" {
                    tr role="row" { @for column in COLUMNS { th scope="col" role="columnheader" { (column) } } }
                }
                tbody role="rowgroup" {
                    @for (entry, before) in shown.iter().zip(before) { (row(entry, before, anchors)) }
                }
            }
        }
        @if left_out > 0 {
            p.caption {
                (plural(left_out, "event")) " more than have room here; "
                code { "--timeline --format json" } " has all."
            }
        }
    }
}

fn row(entry: &TimelineEntry, before: Option<&TimelineEntry>, anchors: Anchors) -> Markup {
    let (after, held) = (cells(entry), before.map(cells));
    let labels = COLUMNS.iter().skip(4);
    html! {
        tr role="row" id=(anchors.event(entry.line)) {
            th.number scope="row" role="rowheader" data-label=(COLUMNS[0]) { (entry.line) }
            td.time role="cell" data-label=(COLUMNS[1]) { time { (entry.timestamp) } }
            td.event role="cell" data-label=(COLUMNS[2]) { code { (breakable(&entry.event)) } }
            td.says role="cell" data-label=(COLUMNS[3]) { (says(entry)) }
            @for (position, (cell, label)) in after.iter().zip(labels).enumerate() {
                @let same = held.as_ref().and_then(|held| held.get(position)) == Some(cell);
                td.same[same] role="cell" data-label=(label) { (cell) }
            }
        }
    }
}

/// A type's name, which may be broken after each of its words.
fn breakable(event: &str) -> Markup {
    let name = display_safe(event).max_chars(60).to_string();
    html! { @for word in name.split_inclusive('_') { (word) wbr; } }
}

/// What an event says of itself.
fn says(entry: &TimelineEntry) -> String {
    let package = entry.package.as_deref().map(|package| display_safe(package).max_chars(80).to_string());
    let plan = entry.plan_id.as_ref().map(|plan| format!("plan {}", short_plan_id(plan.as_str())));
    let registry = entry.registry.as_ref().map(|registry| format!("on {}", quoted(registry.as_str())));
    let outcome = entry.outcome.as_deref().map(|outcome| maybe_quoted(outcome, 60));
    [package, plan, registry, outcome].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// What holds after an event: the open rehearsal, the latest completed one, and the gate's answer.
fn cells(entry: &TimelineEntry) -> [String; 3] {
    let after = &entry.after;
    let none = || "none".to_owned();
    let open = after.open.as_ref().map_or_else(none, |open| {
        let failed = if open.failed { ", a failure" } else { "" };
        format!("line {}: {}{failed}", open.line, plural(open.packages_published, "package"))
    });
    let receipt = after.receipt.as_ref();
    let receipt = receipt.map_or_else(none, |receipt| {
        let outcome = outcome(receipt.passed, &receipt.unsound);
        format!("line {}: {outcome}", receipt.line)
    });
    let unknown = match after.unknown_gate_events {
        0 => String::new(),
        unknown => format!("; {} remembered", plural(unknown, "unknown event")),
    };
    let gate = after.gate.as_ref().map_or_else(|| "no plan to ask about".to_owned(), answer);
    [open, receipt, format!("{gate}{unknown}")]
}

fn answer(gate: &VerdictSummary) -> String {
    let reasons: Vec<&str> = gate.reasons.iter().map(|reason| reason.as_str()).collect();
    let verdict = gate.verdict.as_str();
    if reasons.is_empty() { verdict.to_owned() } else { format!("{verdict} ({})", reasons.join(", ")) }
}
