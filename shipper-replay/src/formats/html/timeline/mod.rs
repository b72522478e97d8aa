//! Timeline of rehearsals, decisions, runs and findings, to the scale of the times in the events.
//!
//! Each of them is a row of a table, in the order of the lines. The table of events contains their events.

mod events;
mod rows;

use maud::{Markup, html};
use shipper_core::audit::TimelineEntry;
use shipper_events::display_safe;
use time::{Duration, OffsetDateTime};

use super::elements::{left_out, row, status, table};
use super::selection::{LogSection, MAX_SHOWN, sample};
use rows::Row;

const COLUMNS: [&str; 5] = ["Lines", "Kind", "Status", "Details", "Time"];

/// Largest number of package names in a row.
const MAX_PACKAGES: usize = 8;

/// Renders the timeline and the table of events. The table is `None` if the timeline is empty.
pub(super) fn timeline(section: &LogSection<'_>) -> (Markup, Option<Markup>) {
    let Some(entries) = &section.audit.timeline else {
        return (html! { p { "The merged report contains no timeline. To see one, audit the log itself." } }, None);
    };
    let Some(axis) = Axis::over(entries) else {
        return (html! { p { "The timeline is empty, because no event of this log concerns the gate." } }, None);
    };
    let all = rows::rows(section, entries);
    let (all_rows, all_ticks) = (all.len(), all.iter().map(|row| row.ticks.len()).sum::<usize>());
    let shown = sample(all, MAX_SHOWN, |row| row.rank);
    let mut ticks_left = MAX_SHOWN;
    let drawn = shown.iter().map(|row| {
        let ticks = row.ticks.get(..ticks_left).unwrap_or(&row.ticks);
        ticks_left -= ticks.len();
        draw(row, ticks, axis)
    });
    let drawn: Vec<Markup> = drawn.collect();
    let without_line = section.audit.findings.iter().filter(|finding| finding.line.is_none()).count();
    let timeline = html! {
        p.caption { (claims(entries, axis)) }
        (events::scrolled("Timeline", drawn.len(), &table("timeline", &COLUMNS, &drawn)))
        (left_out(all_rows - shown.len(), "row"))
        (left_out(all_ticks - (MAX_SHOWN - ticks_left), "package mark"))
        p.caption {
            span.tick aria-hidden="true" {} " package published "
            span.tick.failed aria-hidden="true" {} " package or smoke check failed "
            span.bar.unfinished aria-hidden="true" {} " not finished"
        }
        @if without_line > 0 { p.caption { "Findings without a line, which the timeline omits: " (without_line) "." } }
    };
    (timeline, Some(events::events(section, entries, &shown)))
}

/// Time axis from the earliest to the latest time in the events.
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
        "The scale is linear, over the times in the events. The audit cannot verify these times. "
        @if let (Some(earliest), Some(latest)) = (earliest, latest) {
            @if length.is_zero() {
                "Every event has the time " time { (earliest.timestamp) } ", so every mark is in the middle."
            } @else {
                "From " time { (earliest.timestamp) } " to " time { (latest.timestamp) } ", "
                (format!("{length:.1}")) ", a grid line every " (format!("{:.1}", length / 4)) "."
            }
        }
        @if !in_order { " Times go backwards in this log. The rows are in the order of its lines." }
    }
}

fn draw(of: &Row<'_>, ticks: &[&TimelineEntry], axis: Axis) -> Markup {
    let end = of.end.unwrap_or(of.start);
    let backwards = end.timestamp < of.start.timestamp;
    let cells = [
        html! { (of.line) @if end.line > of.line { "\u{2013}" (end.line) } },
        html! { a href={ "#" (of.target) } { (of.kind) } },
        status(of.status),
        html! {
            (of.text) @if backwards { ", its end time is before its start time" }
            (packages(of, "published", |event| event == rows::PUBLISH))
            (packages(of, "failed", |event| event.ends_with("failed")))
        },
        strip(of, ticks, axis),
    ];
    row(None, COLUMNS, cells)
}

/// Lists the packages of a row whose event has an outcome.
fn packages(row: &Row<'_>, outcome: &str, has_outcome: impl Fn(&str) -> bool) -> Markup {
    let packages = row.ticks.iter().filter(|tick| has_outcome(&tick.event)).filter_map(|tick| tick.package.as_deref());
    let (packages, all) = (packages.clone().take(MAX_PACKAGES), packages.count());
    html! {
        @if all > 0 {
            span.note {
                (status(outcome))
                @for package in packages { " " span.package { (display_safe(package).max_chars(80)) } }
                @if all > MAX_PACKAGES { " and " (all - MAX_PACKAGES) " more" }
            }
        }
    }
}

/// Draws a bar from the start to the end of a row, or a point, and package marks.
fn strip(row: &Row<'_>, ticks: &[&TimelineEntry], axis: Axis) -> Markup {
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
            @for tick in ticks {
                span.tick.failed[tick.event.ends_with("failed")] data-line=(tick.line)
                    title={ "line " (tick.line) ": " (tick.event) ", " (events::details(tick)) ", " (tick.timestamp) }
                    style=(percent("left", axis.position(tick))) {}
            }
        }
    }
}

/// Returns a CSS declaration of a position or a length, given in hundredths of a percent.
fn percent(member: &str, hundredths: i128) -> String {
    format!("{member}:{}.{:02}%", hundredths / 100, hundredths % 100)
}
