//! The drawing.

use maud::{Markup, html};
use shipper_core::audit::LogAudit;

use super::figures::{figure_at, stroke, two};
use super::lanes::Lane;
use super::legend::legend;
use super::mark::{Mark, Shape, Tick};
use super::pack::{LabelPlace, Placed, pack};
use super::scale::{Place, Scale, WIDTH};
use crate::formats::html::Anchors;
use crate::formats::human::phrases::plural;

/// How high the axis is, and a lane's name.
const AXIS: i64 = 30;
const NAME: i64 = 26;

/// With less room for each of its ticks, in units, a bar shows them finer and only inside.
const DENSE: i64 = 5;

/// What stands free under a lane.
const UNDER: i64 = 8;

/// Where the parts of a mark stand in its row.
#[derive(Clone, Copy)]
struct Row {
    height: i64,
    /// The middle of bars and figures.
    middle: i64,
    /// The base line of the labels of bars.
    above: i64,
}

impl Row {
    fn of(lane: &Lane, placed: &[Placed<'_>]) -> Self {
        let bars = lane.marks.iter().any(|mark| matches!(mark.shape, Shape::Bar { .. }));
        let two = lane.marks.iter().any(|mark| matches!(mark.shape, Shape::Two { .. }));
        let labelled = placed.iter().any(|placed| placed.label.is_some());
        match (bars && labelled, two) {
            (true, _) => Self { height: 34, middle: 22, above: 11 },
            (false, true) => Self { height: 44, middle: 20, above: 0 },
            (false, false) => Self { height: 20, middle: 9, above: 0 },
        }
    }
}

/// Draws the lanes, one under the other, over one axis.
pub(super) fn drawing(lanes: &[Lane], scale: Scale, audit: &LogAudit, anchors: Anchors) -> Markup {
    let mut top = AXIS;
    let mut drawn = Vec::new();
    for lane in lanes.iter().filter(|lane| !lane.marks.is_empty()) {
        let (placed, rows) = pack(&lane.marks, scale);
        let row = Row::of(lane, &placed);
        let rows = i64::try_from(rows).unwrap_or(0);
        drawn.push(self::lane(lane, &placed, top, row, scale));
        top += NAME + rows * row.height + UNDER;
    }
    let label = summary(lanes, scale, audit);
    html! {
        div.drawing tabindex="0" role="region" aria-label="Timeline, scrolls sideways where it is wider than the page" {
            svg.timeline id=(anchors.timeline()) role="img" aria-label=(label) viewBox={ "0 0 " (WIDTH) " " (top) }
                xmlns="http://www.w3.org/2000/svg" {
                g.axis {
                    @for tick in scale.ticks() {
                        line x1=(tick.at) x2=(tick.at) y1=(AXIS - 8) y2=(top) {}
                        (axis_label(tick.at, &tick.label))
                    }
                }
                @for lane in drawn { (lane) }
            }
        }
        (legend(lanes))
    }
}

/// What the drawing shows, in a sentence, for those who cannot see it.
fn summary(lanes: &[Lane], scale: Scale, audit: &LogAudit) -> String {
    let drawn = |lane: &Lane| format!("{} {}", lane.marks.len(), lane.name.to_lowercase());
    let lanes: Vec<String> = lanes.iter().filter(|lane| !lane.marks.is_empty()).map(drawn).collect();
    let (length, lines) = (scale.length(), plural(audit.lines, "line"));
    format!("Timeline of {length} and {lines}: {}. The table below tells the same.", lanes.join(", "))
}

/// A label of the axis, shifted where it would stand over the edge.
fn axis_label(at: Place, label: &str) -> Markup {
    let half = Place::units(super::text_width(label) / 2);
    let (x, anchor) = if at < half {
        (Place::units(0), "start")
    } else if at.plus(half) > Place::units(WIDTH) {
        (Place::units(WIDTH), "end")
    } else {
        (at, "middle")
    };
    html! { text.tick x=(x) y="14" text-anchor=(anchor) { (label) } }
}

fn lane(lane: &Lane, placed: &[Placed<'_>], top: i64, row: Row, scale: Scale) -> Markup {
    html! {
        g.lane data-lane=(lane.id) {
            line.rule x1="0" x2=(WIDTH) y1=(top) y2=(top) {}
            text.name x="0" y=(top + 16) { (lane.name) }
            @for placed in placed {
                @let y = top + NAME + i64::try_from(placed.row).unwrap_or(0) * row.height;
                (mark(placed, y, row, scale))
            }
        }
    }
}

/// A mark links to what the page tells of it. It is passed over by the keyboard: the table has the same links.
fn mark(placed: &Placed<'_>, y: i64, row: Row, scale: Scale) -> Markup {
    let Mark { line, tone, title, label, target, ticks, shape, .. } = placed.mark;
    html! {
        a.mark.(tone.class()) href={ "#" (target) } tabindex="-1" data-line=(line) {
            title { (title) }
            @match shape {
                Shape::Bar { open, .. } => (bar(placed, *open, y + row.middle)),
                Shape::One(figure) => (figure_at(*figure, placed.from, y + row.middle)),
                Shape::Two { recorded, derived } => (two(*recorded, *derived, placed.from, y + row.middle)),
            }
            @if let Some(LabelPlace { at, ends }) = placed.label {
                @let base = if matches!(shape, Shape::Bar { .. }) { y + row.above } else { y + row.middle + 4 };
                text.label x=(at) y=(base) text-anchor=(if ends { "end" } else { "start" }) { (label) }
            }
        }
        @let dense = placed.to.minus(placed.from) < Place::units(DENSE).times(ticks.len() + 2);
        @for tick in ticks { (self::tick(tick, dense, target, y + row.middle, scale)) }
    }
}

fn bar(placed: &Placed<'_>, open: bool, middle: i64) -> Markup {
    let class = if open { "bar open" } else { "bar" };
    let width = placed.to.minus(placed.from);
    html! { rect class=(class) x=(placed.from) y=(middle - 5) width=(width) height="10" {} }
}

/// What happened within a bar; it links to what the page tells of the bar.
fn tick(tick: &Tick, dense: bool, target: &str, middle: i64, scale: Scale) -> Markup {
    let x = scale.place(tick.at);
    html! {
        a.tick.(tick.tone.class()).dense[dense] href={ "#" (target) } tabindex="-1" data-line=(tick.line) {
            title { (tick.title) }
            // Wider than what is seen, for the pointer.
            @if !dense { rect.touch x=(x.minus(Place::units(3))) y=(middle - 9) width="6" height="18" {} }
            (stroke(tick.tone, dense, x, middle))
        }
    }
}
