//! The timeline: rehearsals, decisions, runs and findings, drawn to scale over the times that the events state.
//!
//! Each is a row of a table, in the order of the lines. The table of events below it has every event of them.

mod events;
mod rows;

use maud::{Markup, html};
use shipper_core::audit::TimelineEntry;
use time::{Duration, OffsetDateTime};

use super::elements::{left_out, row, status, table};
use super::selection::{LogSection, MAX_SHOWN, sample};
use rows::Row;

const COLUMNS: [&str; 5] = ["Lines", "Kind", "Status", "Details", "Time"];

/// Renders the timeline and the events of a log.
pub(super) fn timeline(section: &LogSection<'_>) -> Markup {
    let Some(entries) = &section.audit.timeline else {
        return html! { p { "No timeline came with the report that this page was made from: judge the log itself for one." } };
    };
    let Some(axis) = Axis::over(entries) else {
        return html! { p { "No event of this log concerns the gate: there is nothing to draw." } };
    };
    let all = rows::rows(section, entries);
    let (all_rows, all_ticks) = (all.len(), all.iter().map(|row| row.ticks.len()).sum::<usize>());
    let mut shown = sample(all, MAX_SHOWN, |row| row.rank);
    let mut room = MAX_SHOWN;
    for row in &mut shown {
        row.ticks.truncate(room);
        room -= row.ticks.len();
    }
    let drawn: Vec<Markup> = shown.iter().map(|row| draw(row, axis)).collect();
    let without_line = section.audit.findings.iter().filter(|finding| finding.line.is_none()).count();
    html! {
        p.caption { (claims(entries, axis)) }
        (events::scrolled("Timeline", drawn.len(), &table("timeline", &COLUMNS, &drawn)))
        (left_out(all_rows - shown.len(), "row"))
        (left_out(all_ticks - (MAX_SHOWN - room), "package tick"))
        @if without_line > 0 { p.caption { "Findings that name no line, here " (without_line) ", are only below." } }
        h3 { "Events" }
        (events::events(section, entries, &shown))
    }
}

/// Time axis, from the earliest to the latest time that an event states.
#[derive(Clone, Copy)]
struct Axis {
    from: OffsetDateTime,
    length: Duration,
}

impl Axis {
    /// Returns the axis, or `None` without entries.
    fn over(entries: &[TimelineEntry]) -> Option<Self> {
        let times = || entries.iter().map(|entry| entry.timestamp.instant());
        let from = times().min()?;
        Some(Self { from, length: times().max()? - from })
    }

    /// Returns the position of an entry in hundredths of a percent. If all times are equal, it is the middle.
    fn position(self, entry: &TimelineEntry) -> i128 {
        let after = entry.timestamp.instant() - self.from;
        (after.whole_nanoseconds() * 10_000).checked_div(self.length.whole_nanoseconds()).unwrap_or(5_000)
    }
}

/// States the range of the axis.
fn claims(entries: &[TimelineEntry], Axis { length, .. }: Axis) -> Markup {
    let earliest = entries.iter().min_by_key(|entry| &entry.timestamp);
    let latest = entries.iter().max_by_key(|entry| &entry.timestamp);
    let in_order = entries.is_sorted_by_key(|entry| &entry.timestamp);
    html! {
        "Drawn to scale over the times that the events state, which are claims: "
        @if let (Some(earliest), Some(latest)) = (earliest, latest) {
            @if length.is_zero() {
                "every event states " time { (earliest.timestamp) } ", so all are in the middle."
            } @else {
                time { (earliest.timestamp) } " to " time { (latest.timestamp) } ", "
                (format!("{length:.1}")) ", with a line every " (format!("{:.1}", length / 4)) "."
            }
        }
        @if !in_order { " Times go backwards in this log; the rows are in the order of its lines." }
    }
}

fn draw(of: &Row<'_>, axis: Axis) -> Markup {
    let end = of.end.unwrap_or(of.start);
    let backwards = end.timestamp < of.start.timestamp;
    let cells = [
        html! { (of.line) @if end.line > of.line { "\u{2013}" (end.line) } },
        html! { a href={ "#" (of.target) } { (of.kind) } },
        status(of.status),
        html! { (of.text) @if backwards { ", stamped to end before it begins" } },
        strip(of, axis),
    ];
    row(None, COLUMNS, cells)
}

/// Draws a bar from the start to the end of a row, or a point.
fn strip(row: &Row<'_>, axis: Axis) -> Markup {
    let Row { line, start, status, finished, .. } = row;
    let end = row.end.unwrap_or(start);
    let (from, to) = (axis.position(start), axis.position(end));
    let left = percent("left", from.min(to));
    let until = row.end.map_or(String::new(), |end| format!(" to {}", end.timestamp));
    let times = format!("{}{until}", start.timestamp);
    let (shape, style) = match row.end {
        Some(_) => ("bar", format!("{left};{}", percent("width", (to - from).abs()))),
        None => ("point", left),
    };
    html! {
        div.strip.(status) {
            span.(shape).unfinished[!finished] role="img" aria-label=(times) title=(times) data-line=(line)
                style=(style) {}
            @for tick in &row.ticks {
                span.tick.failed[tick.event.ends_with("failed")] data-line=(tick.line)
                    title={ "line " (tick.line) ": " (tick.event) ", " (events::details(tick)) ", " (tick.timestamp) }
                    style=(percent("left", axis.position(tick))) {}
            }
        }
    }
}

/// Returns a member of a style: a position or a length in hundredths of a percent.
fn percent(member: &str, hundredths: i128) -> String {
    format!("{member}:{}.{:02}%", hundredths / 100, hundredths % 100)
}
