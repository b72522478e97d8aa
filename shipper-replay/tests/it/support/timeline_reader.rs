//! Reader of a page's timeline, and of the events of a log that must be on it.

use std::collections::BTreeMap;

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A mark: its line, its position, and its texts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Mark {
    pub(crate) line: u64,
    /// The middle of a glyph or tick, the left end of a bar, in percent of the axis.
    pub(crate) left: f64,
    /// The length of a bar.
    pub(crate) width: Option<f64>,
    pub(crate) class: String,
    pub(crate) title: String,
    pub(crate) target: String,
    pub(crate) label: Option<String>,
    /// The row of the lane.
    pub(crate) row: usize,
}

/// The marks of a lane: bars and glyphs, and the ticks on bars.
#[derive(Debug, Default)]
pub(crate) struct Lane {
    pub(crate) marks: Vec<Mark>,
    pub(crate) ticks: Vec<Mark>,
}

/// Returns the lanes of the first timeline on a page, by name.
pub(crate) fn drawn(page: &str) -> BTreeMap<String, Lane> {
    let lanes = timeline(page).split("<div class=\"lane\" data-lane=\"").skip(1);
    lanes.map(|lane| (lane[..lane.find('"').expect("its end")].to_owned(), of_lane(lane))).collect()
}

/// Returns the positions and the labels of the axis.
pub(crate) fn axis(page: &str) -> Vec<(f64, String)> {
    let labels = timeline(page).split("<span class=\"time").skip(1);
    labels.map(|label| (style(label, "left").expect("a position"), text(label))).collect()
}

fn timeline(page: &str) -> &str {
    let from = &page[page.find("<div class=\"timeline\" id=").expect("a timeline")..];
    &from[..from.find("<ul class=\"legend\"").expect("its end")]
}

fn of_lane(lane: &str) -> Lane {
    let mut drawn = Lane::default();
    for (row, content) in lane.split("<div class=\"row").skip(1).enumerate() {
        for link in content.split("<a ").skip(1) {
            let mark = mark(link, row);
            if mark.class.starts_with("tick") { drawn.ticks.push(mark) } else { drawn.marks.push(mark) }
        }
    }
    drawn.marks.sort_by_key(|mark| mark.line);
    drawn.ticks.sort_by_key(|mark| mark.line);
    drawn
}

fn mark(link: &str, row: usize) -> Mark {
    Mark {
        line: attribute(link, "data-line").parse().expect("a number"),
        left: style(link, "left").expect("a position"),
        width: style(link, "width"),
        class: attribute(link, "class"),
        title: attribute(link, "title"),
        target: attribute(link, "href"),
        label: link.split("<span class=\"label").nth(1).map(text),
        row,
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
pub(crate) struct Told {
    pub(crate) line: u64,
    pub(crate) event_type: String,
    pub(crate) timestamp: String,
    pub(crate) nanoseconds: i128,
    pub(crate) package: String,
}

/// The events of a log that have a place on the timeline.
pub(crate) fn told(log: &str) -> Vec<Told> {
    let mut told = Vec::new();
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
            told.push(Told { line, event_type, timestamp, nanoseconds, package });
        }
    }
    told
}

/// Returns the position of an instant: in proportion, in percent.
pub(crate) fn scale(told: &[Told]) -> impl Fn(i128) -> f64 + use<> {
    let from = told.iter().map(|told| told.nanoseconds).min().expect("an event");
    let to = told.iter().map(|told| told.nanoseconds).max().expect("an event");
    move |at| 100.0 * (at - from) as f64 / (to - from) as f64
}

/// Whether two places are the same, as exactly as they are drawn.
pub(crate) fn near(one: f64, other: f64) -> bool {
    (one - other).abs() < 0.02
}
