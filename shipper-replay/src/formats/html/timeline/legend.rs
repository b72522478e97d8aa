//! The legend: what the figures stand for.

use maud::{Markup, html};

use super::figures::{figure_at, stroke, unequal};
use super::lanes::Lane;
use super::mark::{Figure, Mark, Shape, Tone};
use super::scale::Place;

/// What the figures stand for; only those that are drawn.
pub(super) fn legend(lanes: &[Lane]) -> Markup {
    let marks = || lanes.iter().flat_map(|lane| lane.marks.iter().map(move |mark| (lane.id, mark)));
    let bars =
        |id: &str, class: &str| marks().any(|(lane, mark)| lane == id && mark.tone.class() == class && is_bar(mark));
    let figures = |figure: Figure| {
        marks().any(|(_, mark)| match mark.shape {
            Shape::One(drawn) => drawn == figure,
            Shape::Two { recorded, derived } => recorded == figure || derived == figure,
            Shape::Bar { .. } => false,
        })
    };
    let figure = |figure: Figure, class: &'static str, text: &'static str| {
        Some((class, Key::Figure(figure), text)).filter(|_| figures(figure))
    };
    let bar = |class: &'static str, text: &'static str| {
        let drawn = bars("rehearsals", class) || bars("publishes", class);
        Some((class, Key::Bar, text)).filter(|_| drawn)
    };
    let tick = |tone: Tone, text: &'static str| {
        let drawn = marks().flat_map(|(_, mark)| &mark.ticks).any(|tick| tick.tone == tone);
        Some((tone.class(), Key::Tick(tone), text)).filter(|_| drawn)
    };
    let keys = [
        bar("good", "passed, or verified"),
        bar("bad", "failed, or violated"),
        bar("doubt", "abandoned, open or unsound; or unproven"),
        bar("plain", "left out of the judging"),
        tick(Tone::Good, "a package"),
        tick(Tone::Bad, "a failure, or a package of a violated run"),
        tick(Tone::Doubt, "a package of a run that is not proven"),
        tick(Tone::Plain, "a package of a run that is left out"),
        figure(Figure::Disc, "plain", "the gate authorizes"),
        figure(Figure::Barred, "plain", "it refuses"),
        figure(Figure::Ring, "plain", "it is dormant"),
        figure(Figure::Arrow, "plain", "it is bypassed"),
        figure(Figure::Question, "plain", "unknown rules or verdict"),
        Some(("plain", Key::Two, "recorded over derived, which differ"))
            .filter(|_| marks().any(|(_, mark)| matches!(mark.shape, Shape::Two { .. }))),
        figure(Figure::Diamond, "bad", "error"),
        figure(Figure::Triangle, "doubt", "warning"),
        figure(Figure::Dot, "plain", "note"),
    ];
    html! {
        ul.legend aria-label="Legend" {
            @for (class, key, text) in keys.into_iter().flatten() { li { (key.drawn(class)) (text) } }
        }
    }
}

fn is_bar(mark: &Mark) -> bool {
    matches!(mark.shape, Shape::Bar { .. })
}

/// A sample of what is drawn.
#[derive(Clone, Copy)]
enum Key {
    Bar,
    Tick(Tone),
    Figure(Figure),
    Two,
}

impl Key {
    fn drawn(self, class: &str) -> Markup {
        let at = Place::units(12);
        html! {
            svg.timeline.key aria-hidden="true" viewBox="0 0 24 20" {
                g.mark.(class) {
                    @match self {
                        Self::Bar => rect.bar x="1" y="5" width="22" height="10" {},
                        Self::Tick(tone) => g.tick.(class) { (stroke(tone, false, at, 10)) },
                        Self::Figure(figure) => (figure_at(figure, at, 10)),
                        Self::Two => (unequal(at, 10)),
                    }
                }
            }
        }
    }
}
