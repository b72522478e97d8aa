//! The drawing: lanes of bars and glyphs at percentages of the time axis, and the legend.

use maud::{Markup, html};
use shipper_core::audit::LogAudit;

use super::item::{Item, Lane, Outcome, Shape, Tick};
use super::layout::{LabelSide, PlacedItem, rows};
use super::marks::UNEQUAL;
use super::scale::{Percent, Scale};
use crate::formats::html::anchors::Anchors;
use crate::formats::human::phrases::plural;

/// Draws the lanes, one below the other, over one axis.
pub(super) fn drawing(lanes: &[Lane], scale: Scale, audit: &LogAudit, anchors: Anchors) -> Markup {
    html! {
        div.drawing tabindex="0" role="region" aria-label="Timeline, scrolls sideways where it is wider than the page" {
            div.timeline id=(anchors.timeline()) role="img" aria-label=(summary(lanes, scale, audit)) {
                div.axis {
                    @for (at, label) in scale.ticks() {
                        span.time.first[at < Percent(900)].last[at > Percent(9100)] style={ "left:" (at) } { (label) }
                        span.grid style={ "left:" (at) } {}
                    }
                }
                @for lane in lanes.iter().filter(|lane| !lane.items.is_empty()) {
                    div.lane data-lane=(lane.id) {
                        p.name { (lane.name) }
                        @for row in rows(&lane.items, scale) {
                            div.row.bars[row.iter().any(|placed| is_bar(placed.item) && placed.label.is_some())] {
                                @for placed in &row { (item(placed, scale)) }
                            }
                        }
                    }
                }
            }
        }
        (legend(lanes))
    }
}

/// Describes the drawing for readers who cannot see it.
fn summary(lanes: &[Lane], scale: Scale, audit: &LogAudit) -> String {
    let lanes = lanes.iter().filter(|lane| !lane.items.is_empty());
    let lanes: Vec<String> = lanes.map(|lane| format!("{} {}", lane.items.len(), lane.name.to_lowercase())).collect();
    let (length, lines) = (scale.length(), plural(audit.lines, "line"));
    format!("Timeline of {length} and {lines}: {}. The table below tells the same.", lanes.join(", "))
}

/// Draws an item as a link to its details. The keyboard skips it, because the table has the same links.
fn item(placed: &PlacedItem<'_>, scale: Scale) -> Markup {
    let PlacedItem { item, from, to, label, .. } = placed;
    let Item { line, shape, outcome, label: text, title, target, ticks, .. } = item;
    let class = outcome.class();
    let label = html! {
        @if let Some(side) = label { span.label.left[*side == LabelSide::Left] { (text) } }
    };
    html! {
        @match shape {
            Shape::Bar { open, .. } => a.item.bar.(class).open[*open] href={ "#" (target) } tabindex="-1"
                data-line=(line) title=(title) style={ "left:" (from) ";width:" (Percent(to.0 - from.0)) } { (label) },
            Shape::Glyphs(glyphs) => a.item.glyph.(class) href={ "#" (target) } tabindex="-1"
                data-line=(line) title=(title) style={ "left:" (from) } { (glyphs.concat()) (label) },
        }
        @for Tick { line, at, outcome, title } in ticks {
            a.tick.(outcome.class()) href={ "#" (target) } tabindex="-1" data-line=(line) title=(title)
                style={ "left:" (scale.position(*at)) } { (tick_glyph(*outcome)) }
        }
    }
}

fn is_bar(item: &Item) -> bool {
    matches!(item.shape, Shape::Bar { .. })
}

/// Returns the glyph of a tick; the style sheet draws the others as a stroke.
fn tick_glyph(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Bad => "\u{d7}",
        Outcome::Doubt => "\u{25cb}",
        Outcome::Good | Outcome::Plain => "",
    }
}

/// Explains the bars, ticks and glyphs that are drawn.
fn legend(lanes: &[Lane]) -> Markup {
    use Outcome::{Bad, Doubt, Good, Plain};
    let items = || lanes.iter().flat_map(|lane| &lane.items);
    let has_bar = |outcome| items().any(|item| is_bar(item) && item.outcome == outcome);
    let has_tick = |outcome| items().flat_map(|item| &item.ticks).any(|tick| tick.outcome == outcome);
    let has_glyph = |glyph| items().any(|item| matches!(&item.shape, Shape::Glyphs(glyphs) if glyphs.contains(&glyph)));
    let bars = [
        (Good, "passed, or verified"),
        (Bad, "failed, or violated"),
        (Doubt, "abandoned, open or unsound; or unproven"),
        (Plain, "left out of the judging"),
    ];
    let ticks = [
        (Good, "a package"),
        (Bad, "a failure, or a package of a violated run"),
        (Doubt, "a package of a run that is not proven"),
        (Plain, "a package of a run that is left out"),
    ];
    let glyphs = [
        ("\u{25cf}", Plain, "the gate authorizes"),
        ("\u{25a0}", Plain, "it refuses"),
        ("\u{25cb}", Plain, "it is dormant"),
        ("\u{25b7}", Plain, "it is bypassed"),
        ("?", Plain, "unknown rules or verdict"),
        (UNEQUAL, Plain, "recorded, and derived, which differ"),
        ("\u{25c6}", Bad, "error"),
        ("\u{25b3}", Doubt, "warning"),
        ("\u{25e6}", Plain, "note"),
    ];
    html! {
        ul.legend aria-label="Legend" {
            @for (outcome, text) in bars.into_iter().filter(|(outcome, _)| has_bar(*outcome)) {
                li { span.bar.(outcome.class()) aria-hidden="true" {} (text) }
            }
            @for (outcome, text) in ticks.into_iter().filter(|(outcome, _)| has_tick(*outcome)) {
                li { span.tick.(outcome.class()) aria-hidden="true" { (tick_glyph(outcome)) } (text) }
            }
            @for (glyph, outcome, text) in glyphs.into_iter().filter(|(glyph, ..)| has_glyph(*glyph)) {
                li { span.glyph.(outcome.class()) aria-hidden="true" { (glyph) } (text) }
            }
        }
    }
}
