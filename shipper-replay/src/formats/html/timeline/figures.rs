//! The figures of the drawing: what stands for a verdict, a finding, a package.

use maud::{Markup, Render, html};

use super::mark::{Figure, Tone};
use super::scale::Place;

/// The start of a path.
struct Move(Place, i64);

impl Render for Move {
    fn render_to(&self, buffer: &mut String) {
        let _ = std::fmt::Write::write_fmt(buffer, format_args!("M{} {}", self.0, self.1));
    }
}

/// A figure around a point.
pub(super) fn figure_at(figure: Figure, at: Place, middle: i64) -> Markup {
    let point = Move(at, middle);
    html! {
        @match figure {
            Figure::Disc => circle.solid cx=(at) cy=(middle) r="5" {},
            Figure::Ring => circle.hollow cx=(at) cy=(middle) r="4.5" {},
            Figure::Dot => circle.hollow cx=(at) cy=(middle) r="3" {},
            Figure::Barred => {
                path.solid d={ (point) "m-5 -5h10v10h-10z" } {}
                path.bare d={ (point) "m-3 0h6" } {}
            },
            Figure::Arrow => path.hollow d={ (point) "m-4 -5l9 5l-9 5z" } {},
            Figure::Triangle => path.hollow d={ (point) "m0 -5l5.5 9.5h-11z" } {},
            Figure::Diamond => path.solid d={ (point) "m0 -6.5l6.5 6.5l-6.5 6.5l-6.5 -6.5z" } {},
            Figure::Question => {
                circle.hollow cx=(at) cy=(middle) r="5.5" {}
                text.sign x=(at) y=(middle + 3) text-anchor="middle" { "?" }
            },
        }
    }
}

/// The stroke of a tick: crossed where something failed or must not be, a ring where it is not proven.
pub(super) fn stroke(tone: Tone, dense: bool, at: Place, middle: i64) -> Markup {
    let path = match (tone, dense) {
        (Tone::Bad, false) => "m-4 -6l8 12m0 -12l-8 12",
        (Tone::Bad, true) => "m-2.5 -4l5 8m0 -8l-5 8",
        (Tone::Good | Tone::Plain, false) => "m0 -8v16",
        (Tone::Doubt, false) => "m-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0 -7 0",
        (Tone::Good | Tone::Plain | Tone::Doubt, true) => "m0 -5v10",
    };
    html! {
        @if tone == Tone::Bad && !dense { path.halo d={ (Move(at, middle)) (path) } {} }
        path d={ (Move(at, middle)) (path) } {}
    }
}

/// What was recorded over what is derived.
pub(super) fn two(recorded: Figure, derived: Figure, at: Place, middle: i64) -> Markup {
    html! {
        (unequal(at, middle))
        (figure_at(recorded, at, middle - 14))
        (figure_at(derived, at, middle + 14))
    }
}

/// The sign for what is not equal.
pub(super) fn unequal(at: Place, middle: i64) -> Markup {
    html! { path.differ d={ (Move(at, middle)) "m-4 -2h8m-8 4h8m-6.5 2.5l5 -9" } {} }
}
