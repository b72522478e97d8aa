//! Reader of a page's timeline, and of the events of a log that the timeline must contain.

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A bar, a point or a tick: its line, its position, and its texts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Mark {
    pub(crate) line: u64,
    /// The middle of a point or a tick, the left end of a bar, in percent of the axis.
    pub(crate) left: f64,
    /// The length of a bar.
    pub(crate) width: Option<f64>,
    pub(crate) class: String,
    /// The times of a bar or a point, or the event of a tick.
    pub(crate) title: String,
}

/// A row of the timeline.
#[derive(Debug)]
pub(crate) struct Row {
    /// The first and the last line.
    pub(crate) lines: String,
    pub(crate) kind: String,
    pub(crate) status: String,
    pub(crate) text: String,
    pub(crate) target: String,
    pub(crate) mark: Mark,
    pub(crate) ticks: Vec<Mark>,
}

/// Returns the rows of the first timeline on a page.
pub(crate) fn drawn(page: &str) -> Vec<Row> {
    let from = &page[page.find("<table class=\"stack timeline\"").expect("a timeline")..];
    let table = &from[..from.find("</table>").expect("its end")];
    table.split("<tr ").skip(2).map(row).collect()
}

/// Returns the rows of a kind.
pub(crate) fn of_kind<'a>(rows: &'a [Row], kind: &str) -> Vec<&'a Row> {
    rows.iter().filter(|row| row.kind == kind).collect()
}

fn row(row: &str) -> Row {
    let cells: Vec<&str> = row.split("data-label=").skip(1).collect();
    let mut marks: Vec<Mark> = cells[4].split("<span ").skip(1).map(mark).collect();
    Row {
        lines: text(cells[0]),
        kind: text(cells[1].split("<a ").nth(1).expect("a link")),
        status: text(cells[2].split("<span ").nth(1).expect("a status")),
        text: text(cells[3]),
        target: attribute(cells[1], "href"),
        mark: marks.remove(0),
        ticks: marks,
    }
}

fn mark(tag: &str) -> Mark {
    Mark {
        line: attribute(tag, "data-line").parse().expect("a number"),
        left: style(tag, "left").expect("a position"),
        width: style(tag, "width"),
        class: attribute(tag, "class"),
        title: attribute(tag, "title"),
    }
}

fn attribute(tag: &str, name: &str) -> String {
    let value = tag.split(&format!("{name}=\"")).nth(1).expect("an attribute");
    unescaped(&value[..value.find('"').expect("its end")])
}

/// Returns the text up to the next tag.
fn text(tag: &str) -> String {
    let text = &tag[tag.find('>').expect("its end") + 1..];
    unescaped(&text[..text.find('<').expect("the next tag")])
}

/// Returns a percentage of the style of a tag.
fn style(tag: &str, name: &str) -> Option<f64> {
    let style = attribute(tag, "style");
    let value = style.split(';').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix(':'))?;
    Some(value.trim().strip_suffix('%').expect("a percentage").parse().expect("a number"))
}

fn unescaped(text: &str) -> String {
    text.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

/// An event of a log that has a place on the timeline.
#[derive(Debug, Clone)]
pub(crate) struct LoggedEvent {
    pub(crate) line: u64,
    pub(crate) event_type: String,
    pub(crate) timestamp: String,
    pub(crate) nanoseconds: i128,
    pub(crate) package: String,
}

/// The events of a log that have a place on the timeline.
pub(crate) fn logged_events(log: &str) -> Vec<LoggedEvent> {
    let mut events = Vec::new();
    for (position, line) in log.lines().enumerate() {
        let event: Value = serde_json::from_str(line).expect("a line of JSON");
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let event_type = text(&event["event_type"]["type"]);
        let of_a_run = ["execution_started", "execution_finished", "plan_created", "package_published"];
        if event_type.starts_with("rehearsal_") || event_type.starts_with("gate_") || of_a_run.contains(&&*event_type) {
            let timestamp = text(&event["timestamp"]);
            let instant = OffsetDateTime::parse(&timestamp, &Rfc3339).expect("a time");
            let nanoseconds = instant.unix_timestamp_nanos();
            let (line, package) = (position as u64 + 1, text(&event["package"]));
            events.push(LoggedEvent { line, event_type, timestamp, nanoseconds, package });
        }
    }
    events
}

/// Returns the position of an instant: in proportion, in percent.
pub(crate) fn scale(events: &[LoggedEvent]) -> impl Fn(i128) -> f64 + use<> {
    let from = events.iter().map(|event| event.nanoseconds).min().expect("an event");
    let to = events.iter().map(|event| event.nanoseconds).max().expect("an event");
    move |at| 100.0 * (at - from) as f64 / (to - from) as f64
}

/// Returns `true` if two positions are equal within the precision of the drawing.
pub(crate) fn near(one: f64, other: f64) -> bool {
    (one - other).abs() < 0.02
}
