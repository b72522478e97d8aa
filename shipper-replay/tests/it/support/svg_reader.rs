//! What a timeline must show, worked out anew from the bytes of a log, and what a page's drawing does show.

use std::collections::BTreeMap;

use roxmltree::{Document, Node};
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A mark: its line, from where to where it stands, and what it is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Mark {
    pub(crate) line: u64,
    /// The middle of a figure or tick; the left end of a bar.
    pub(crate) x: f64,
    /// Of a bar.
    pub(crate) width: Option<f64>,
    pub(crate) class: String,
    pub(crate) title: String,
    pub(crate) target: String,
    pub(crate) label: Option<String>,
}

/// What is drawn in a lane: bars and figures, and the ticks on bars.
#[derive(Debug, Default)]
pub(crate) struct Lane {
    pub(crate) marks: Vec<Mark>,
    pub(crate) ticks: Vec<Mark>,
}

/// The lanes of the first timeline on a page, by name.
pub(crate) fn drawn(page: &str) -> BTreeMap<String, Lane> {
    let svg = svg(page);
    let document = Document::parse(svg).expect("the drawing is well formed");
    let lanes = document.descendants().filter(|node| node.attribute("data-lane").is_some());
    lanes.map(|lane| (lane.attribute("data-lane").expect("its name").to_owned(), of_lane(lane))).collect()
}

/// The labels of the axis.
pub(crate) fn axis(page: &str) -> Vec<(f64, String)> {
    let document = Document::parse(svg(page)).expect("the drawing is well formed");
    let axis = document.descendants().find(|node| node.attribute("class") == Some("axis")).expect("an axis");
    let lines = axis.children().filter(|node| node.has_tag_name(("http://www.w3.org/2000/svg", "line")));
    let labels = axis.children().filter(|node| node.has_tag_name(("http://www.w3.org/2000/svg", "text")));
    lines.map(|line| number(line, "x1")).zip(labels.map(|label| label.text().expect("a label").to_owned())).collect()
}

fn svg(page: &str) -> &str {
    let from = &page[page.find("<svg class=\"timeline\" id=").expect("a timeline")..];
    &from[..from.find("</svg>").expect("its end") + "</svg>".len()]
}

fn of_lane(lane: Node<'_, '_>) -> Lane {
    let mut drawn = Lane::default();
    for node in lane.children().filter(|node| node.attribute("data-line").is_some()) {
        let class = node.attribute("class").expect("a class");
        let mark = mark(node, class);
        if class.starts_with("tick") { drawn.ticks.push(mark) } else { drawn.marks.push(mark) }
    }
    drawn.marks.sort_by_key(|mark| mark.line);
    drawn.ticks.sort_by_key(|mark| mark.line);
    drawn
}

fn mark(node: Node<'_, '_>, class: &str) -> Mark {
    let child = |tag: &str| node.children().find(|child| child.tag_name().name() == tag);
    let bar = child("rect").filter(|_| !class.starts_with("tick"));
    let x = match (bar, child("circle"), child("path")) {
        (Some(bar), ..) => number(bar, "x"),
        (None, Some(circle), _) => number(circle, "cx"),
        (None, None, Some(path)) => {
            let d = path.attribute("d").expect("a path").trim_start_matches('M');
            d[..d.find(' ').expect("a point")].parse().expect("a number")
        }
        _ => panic!("nothing is drawn: {node:?}"),
    };
    Mark {
        line: node.attribute("data-line").expect("a line").parse().expect("a number"),
        x,
        width: bar.map(|bar| number(bar, "width")),
        class: class.to_owned(),
        title: child("title").and_then(|title| title.text()).expect("a title").to_owned(),
        target: node.attribute("href").expect("a link").to_owned(),
        label: node
            .children()
            .find(|child| child.attribute("class") == Some("label"))
            .and_then(|label| label.text())
            .map(str::to_owned),
    }
}

fn number(node: Node<'_, '_>, attribute: &str) -> f64 {
    node.attribute(attribute).expect("an attribute").parse().expect("a number")
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

/// Where each instant must stand: in proportion, between the margins of a drawing of 1000 units.
pub(crate) fn scale(told: &[Told]) -> impl Fn(i128) -> f64 + use<> {
    let from = told.iter().map(|told| told.nanoseconds).min().expect("an event");
    let to = told.iter().map(|told| told.nanoseconds).max().expect("an event");
    move |at| 14.0 + 972.0 * (at - from) as f64 / (to - from) as f64
}

/// Whether two places are the same, as exactly as they are drawn.
pub(crate) fn near(one: f64, other: f64) -> bool {
    (one - other).abs() < 0.02
}
