//! Table of events, each with the state of the gate after it.

use std::collections::BTreeSet;

use maud::{Markup, html};
use shipper_core::audit::TimelineEntry;
use shipper_events::display_safe;

use super::rows::Row;
use crate::formats::html::elements::{left_out, row, table};
use crate::formats::html::selection::{LogSection, MAX_SHOWN, sample};
use crate::formats::text::phrases::{maybe_quoted, plural, quoted, reasons_text, short_plan_id};
use crate::formats::text::summary::outcome;

/// A table with more rows than this scrolls in a frame on a screen. On paper it does not.
const LONG: usize = 40;

const COLUMNS: [&str; 7] =
    ["Line", "Time", "Event", "Content", "Open rehearsal", "Completed rehearsal", "Gate verdict"];

/// Renders the first event of every row of the timeline, and a sample of the other events.
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
        p.caption { "The last three values are the state after the event. A value that it does not change is grey." }
        (scrolled("Events", rows.len(), &table("events", &COLUMNS, &rows)))
        (left_out(entries.len() - shown.len(), "event"))
    }
}

/// Wraps a long or wide table in a frame that scrolls.
pub(super) fn scrolled(name: &str, rows: usize, table: &Markup) -> Markup {
    html! {
        div.scrolled.long[rows > LONG] tabindex="0" role="region" aria-label=(name) { (table) }
    }
}

/// Renders an event. A value of the state that it does not change is grey.
fn event_row(entry: &TimelineEntry, after: &[String; 3], before: &[String; 3], id: &str) -> Markup {
    let full_plan_id = entry.plan_id.as_ref().map(|plan| maybe_quoted(plan.as_str(), 400));
    let event = display_safe(&entry.event).max_chars(60).to_string();
    let state = |position: usize| {
        let (before, after) = (before.get(position), after.get(position));
        html! { span.muted[before == after] { (after.map_or("", String::as_str)) } }
    };
    let cells = [
        html! { (entry.line) },
        html! { time { (entry.timestamp) } },
        html! { code { @for word in event.split_inclusive('_') { (word) wbr; } } },
        html! { span title=[&full_plan_id] { (details(entry)) } },
        state(0),
        state(1),
        state(2),
    ];
    row(Some(format!("{id}-line-{}", entry.line)), COLUMNS, cells)
}

/// Returns the package, the plan, the registry and the outcome of an event.
pub(super) fn details(entry: &TimelineEntry) -> String {
    let package = entry.package.as_deref().map(|package| display_safe(package).max_chars(80).to_string());
    let plan = entry.plan_id.as_ref().map(|plan| format!("plan {}", short_plan_id(plan.as_str())));
    let registry = entry.registry.as_ref().map(|registry| format!("on {}", quoted(registry.as_str())));
    let published = entry.event.ends_with("package_published").then_some("published");
    let outcome = entry.outcome.as_deref().or(published).map(|outcome| maybe_quoted(outcome, 60));
    [package, plan, registry, outcome].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// Returns the open rehearsal, the latest completed one, and the verdict of the gate after an event.
fn state_after(entry: &TimelineEntry) -> [String; 3] {
    let after = &entry.after;
    let open = after.open.as_ref().map(|open| {
        let failed = if open.failed { ", with a failure" } else { "" };
        format!("line {}: {}{failed}", open.line, plural(open.packages_published, "package"))
    });
    let receipt = after.receipt.as_ref();
    let receipt =
        receipt.map(|receipt| format!("line {}: {}", receipt.line, outcome(receipt.passed, &receipt.unsound)));
    let unknown = match after.unknown_gate_events {
        0 => String::new(),
        unknown => format!("; {} so far", plural(unknown, "unknown event")),
    };
    let gate = after.gate.as_ref().map(|gate| format!("{}{}", gate.verdict, reasons_text(&gate.reasons)));
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "none".to_owned());
    [or_none(open), or_none(receipt), or_none(gate) + &unknown]
}
