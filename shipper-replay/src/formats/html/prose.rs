//! Text of our own, in which code is between backticks.

use maud::{Markup, html};

pub(super) fn prose(text: &str) -> Markup {
    html! {
        @for (position, part) in text.split('`').enumerate() {
            @if position % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}
