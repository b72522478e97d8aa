//! Elements that more than one part of the page contains.

use maud::{Markup, html};

use crate::formats::text::phrases::plural;

/// Renders a table. On a small screen each row is a block; the roles keep it a table for screen readers.
pub(super) fn table(class: &str, columns: &[&str], rows: &[Markup]) -> Markup {
    html! {
        table.stack.(class) role="table" {
            thead role="rowgroup" {
                tr role="row" { @for column in columns { th scope="col" role="columnheader" { (column) } } }
            }
            tbody role="rowgroup" { @for row in rows { (row) } }
        }
    }
}

/// Renders a row, whose first cell is its header. A small screen shows the name of the column beside a cell.
pub(super) fn row<const N: usize>(id: Option<String>, columns: [&str; N], cells: [Markup; N]) -> Markup {
    html! {
        tr role="row" id=[id] {
            @for (position, (column, cell)) in columns.iter().zip(cells).enumerate() {
                @if position == 0 {
                    th scope="row" role="rowheader" data-label=(column) { (cell) }
                } @else {
                    td role="cell" data-label=(column) { (cell) }
                }
            }
        }
    }
}

/// Renders a status word with its colour and its sign.
pub(super) fn status(word: &str) -> Markup {
    html! { span.status.(word) { (word) } }
}

/// Renders a note that the page omits `count` items. It is empty if `count` is 0.
pub(super) fn left_out(count: usize, noun: &str) -> Markup {
    html! {
        @if count > 0 {
            p.caption {
                "The page omits " (plural(count as u64, noun)) ". " code { "--format json --timeline" } " has all."
            }
        }
    }
}

/// Renders a text of this program. Code is between backticks.
pub(super) fn prose(text: &str) -> Markup {
    html! {
        @for (position, part) in text.split('`').enumerate() {
            @if position % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}
