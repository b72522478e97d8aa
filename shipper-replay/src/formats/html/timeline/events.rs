//! The table of events, each with the state after it.

use std::collections::BTreeSet;

use maud::{Markup, html};
use shipper_core::audit::TimelineEntry;
use shipper_events::display_safe;

use super::rows::Row;
use crate::formats::html::elements::{left_out, row, table};
use crate::formats::html::selection::{LogSection, MAX_SHOWN, sample};
use crate::formats::human::phrases::{maybe_quoted, plural, quoted, reasons_text, short_plan_id};
use crate::formats::human::summary::outcome;

/// A table of more rows is scrolled in a frame of its own, but not in print.
const LONG: usize = 40;

const COLUMNS: [&str; 7] =
    ["Line", "Time", "Event", "What it says", "Rehearsal open", "Latest completed", "Gate answers"];

/// Renders the first event of every row, and as many others as there is room for.
pub(super) fn events(section: &LogSection<'_>, entries: &[TimelineEntry], rows: &[Row<'_>]) -> Markup {
    let first: BTreeSet<u64> = rows.iter().map(|row| row.line).collect();
    let shown = sample(entries.iter().collect(), 2 * MAX_SHOWN, |entry| u8::from(!first.contains(&entry.line)));
    let mut before: [String; 3] = Default::default();
    let rows: Vec<Markup> = shown
        .iter()
        .map(|entry| {
            let after = state_after(entry);
            let row = event_row(entry, &after, &before, &section.id);
            before = after;
            row
        })
        .collect();
    html! {
        (scrolled("Events", rows.len(), &table("events", &COLUMNS, &rows)))
        (left_out(entries.len() - shown.len(), "event"))
    }
}

/// Puts a long or wide table into a frame that scrolls.
pub(super) fn scrolled(name: &str, rows: usize, table: &Markup) -> Markup {
    html! {
        div.scrolled.long[rows > LONG] tabindex="0" role="region" aria-label=(name) { (table) }
    }
}

/// Renders an event. A state that it does not change is muted.
fn event_row(entry: &TimelineEntry, after: &[String; 3], before: &[String; 3], id: &str) -> Markup {
    let event = display_safe(&entry.event).max_chars(60).to_string();
    let state = |position: usize| {
        let (before, after) = (before.get(position), after.get(position));
        html! { span.muted[before == after] { (after.map_or("", String::as_str)) } }
    };
    let cells = [
        html! { (entry.line) },
        html! { time { (entry.timestamp) } },
        html! { code { @for word in event.split_inclusive('_') { (word) wbr; } } },
        html! { (details(entry)) },
        state(0),
        state(1),
        state(2),
    ];
    row(Some(format!("{id}-line-{}", entry.line)), COLUMNS, cells)
}

/// Returns the members of an event that are shown.
pub(super) fn details(entry: &TimelineEntry) -> String {
    let package = entry.package.as_deref().map(|package| display_safe(package).max_chars(80).to_string());
    let plan = entry.plan_id.as_ref().map(|plan| format!("plan {}", short_plan_id(plan.as_str())));
    let registry = entry.registry.as_ref().map(|registry| format!("on {}", quoted(registry.as_str())));
    let outcome = entry.outcome.as_deref().map(|outcome| maybe_quoted(outcome, 60));
    [package, plan, registry, outcome].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// Returns the open rehearsal, the latest completed one, and the verdict of the gate after an event.
fn state_after(entry: &TimelineEntry) -> [String; 3] {
    let after = &entry.after;
    let open = after.open.as_ref().map(|open| {
        let failed = if open.failed { ", a failure" } else { "" };
        format!("line {}: {}{failed}", open.line, plural(open.packages_published, "package"))
    });
    let receipt = after.receipt.as_ref();
    let receipt =
        receipt.map(|receipt| format!("line {}: {}", receipt.line, outcome(receipt.passed, &receipt.unsound)));
    let unknown = match after.unknown_gate_events {
        0 => String::new(),
        unknown => format!("; {} remembered", plural(unknown, "unknown event")),
    };
    let gate = after.gate.as_ref().map(|gate| format!("{}{}", gate.verdict, reasons_text(&gate.reasons)));
    let gate = gate.unwrap_or_else(|| "no plan to ask about".to_owned());
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "none".to_owned());
    [or_none(open), or_none(receipt), format!("{gate}{unknown}")]
}
