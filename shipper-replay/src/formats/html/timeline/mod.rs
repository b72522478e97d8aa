//! The timeline: rehearsals, decisions, publishes and findings, drawn to scale over the times that the events state.
//!
//! The lanes (`bars`, `marks`) are made of `item`s, which `layout` distributes over rows and `drawing` puts at percentages
//! of the axis (`scale`). A table below has the same events.

mod bars;
mod drawing;
mod item;
mod layout;
mod marks;
mod scale;
mod table;

use maud::{Markup, html};
use shipper_core::audit::{LogAudit, TimelineEntry};

use super::anchors::Anchors;
use super::selection::{MAX_SHOWN, Selection};
use item::{Lane, Source, instant};
use scale::Scale;

/// Renders the drawing and the table below it.
pub(super) fn timeline(audit: &LogAudit, selection: &Selection, anchors: Anchors) -> Markup {
    let Some(entries) = &audit.timeline else {
        return html! { p { "No timeline came with the report that this page was made from: judge the log itself for one." } };
    };
    let Some(scale) = Scale::over(entries.iter().map(instant)) else {
        return html! { p { "No event of this log concerns the gate: there is nothing to draw." } };
    };
    let rehearsals = audit.rehearsals.as_deref().unwrap_or_default();
    let runs = audit.runs.as_deref().unwrap_or_default();
    let source = Source { audit, entries, rehearsals, runs, selection, anchors };
    let lanes =
        [bars::rehearsals(&source), marks::decisions(&source), bars::publishes(&source), marks::findings(&source)];
    html! {
        p.caption { (claims(entries, scale)) " A short bar is drawn wide enough to be seen." }
        (drawing::drawing(&lanes, scale, audit, anchors))
        (left_out(&lanes))
        (table::table(entries, &lanes, anchors))
    }
}

/// States the range of the axis.
fn claims(entries: &[TimelineEntry], scale: Scale) -> Markup {
    let earliest = entries.iter().min_by_key(|entry| &entry.timestamp);
    let latest = entries.iter().max_by_key(|entry| &entry.timestamp);
    let in_order = entries.is_sorted_by_key(|entry| &entry.timestamp);
    html! {
        "Drawn to scale over the times that the events state, which are claims: "
        @if let (Some(earliest), Some(latest)) = (earliest, latest) {
            @if earliest.timestamp == latest.timestamp {
                "every event states " time { (earliest.timestamp) } ", so all stand in the middle of one second."
            } @else {
                time { (earliest.timestamp) } " to " time { (latest.timestamp) } ", " (scale.length()) "."
            }
        }
        @if !in_order { " Times go backwards in this log; the table tells the order of its lines." }
    }
}

fn left_out(lanes: &[Lane]) -> Markup {
    html! {
        @for lane in lanes {
            @if lane.left_out > 0 {
                p.caption {
                    (lane.name) ": the " (MAX_SHOWN) " marks that weigh most are drawn, " (lane.left_out) " are left out."
                }
            }
            @if let Some(remark) = &lane.remark { p.caption { (remark) } }
        }
    }
}
