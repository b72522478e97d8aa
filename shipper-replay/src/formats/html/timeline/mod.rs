//! The timeline: rehearsals, decisions, publishes and findings, drawn to scale over the times that the events state.
//!
//! It is made in four steps, each in a file of its own: what there is to draw (`lanes`), where an instant stands
//! (`scale`), which row each mark gets so that none covers another (`pack`), and the drawing (`svg`). The same events
//! stand in a table under it (`table`), for those who cannot see it.

mod figures;
mod findings;
mod gate;
mod lanes;
mod legend;
mod mark;
mod pack;
mod publishes;
mod rehearsals;
mod scale;
mod svg;
mod table;

use maud::{Markup, html};
use shipper_core::audit::{LogAudit, TimelineEntry};

use super::{Anchors, Shown};
use lanes::Lane;
use mark::instant;
use scale::Scale;

/// How many marks are drawn in a lane: more could not be told apart.
const MOST: usize = 500;

/// About how wide a text is in the drawing's letters, in its units.
fn text_width(text: &str) -> i64 {
    // Letters of the far east take twice the room; a tenth more than usual keeps labels apart in any font.
    let tenths = |character: char| if character >= '\u{2e80}' { 115 } else { 66 };
    text.chars().map(tenths).sum::<i64>() / 10 + 1
}

/// The drawing and the table under it.
pub(super) fn timeline(audit: &LogAudit, shown: &Shown, anchors: Anchors) -> Markup {
    let Some(moments) = &audit.timeline else {
        return html! { p { "No timeline came with the report that this page was made from: judge the log itself for one." } };
    };
    let Some(scale) = Scale::over(moments.iter().map(instant)) else {
        return html! { p { "No event of this log concerns the gate: there is nothing to draw." } };
    };
    let lanes = lanes::lanes(&lanes::Source { audit, moments, shown, anchors });
    html! {
        p.caption {
            (claims(moments, scale)) " No bar is drawn narrower than "
            (pack::LEAST) " of " (scale::WIDTH) " units, so that a short one can be seen."
        }
        (svg::drawing(&lanes, scale, audit, anchors))
        (left_out(&lanes))
        (table::table(moments, &lanes, anchors))
    }
}

/// What is drawn over what.
fn claims(moments: &[TimelineEntry], scale: Scale) -> Markup {
    let earliest = moments.iter().min_by_key(|moment| &moment.timestamp);
    let latest = moments.iter().max_by_key(|moment| &moment.timestamp);
    let backwards = moments.windows(2).any(|pair| matches!(pair, [one, next] if next.timestamp < one.timestamp));
    html! {
        "Drawn to scale over the times that the events state, which are claims: "
        @if let (Some(earliest), Some(latest)) = (earliest, latest) {
            @if earliest.timestamp == latest.timestamp {
                "every event states " time { (earliest.timestamp) } ", so all stand in the middle of one second."
            } @else {
                time { (earliest.timestamp) } " to " time { (latest.timestamp) } ", " (scale.length()) "."
            }
        }
        @if backwards { " Times go backwards in this log; the table tells the order of its lines." }
    }
}

/// What did not fit.
fn left_out(lanes: &[Lane]) -> Markup {
    html! {
        @for lane in lanes {
            @if lane.left_out > 0 {
                p.caption {
                    (lane.name) ": the " (MOST) " marks that weigh most are drawn, " (lane.left_out) " are left out."
                }
            }
            @if let Some(remark) = &lane.remark { p.caption { (remark) } }
        }
    }
}
