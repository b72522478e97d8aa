//! Elements that several parts of the page use.

use maud::{Markup, html};

use crate::formats::human::phrases::plural;

/// Renders a table. The roles keep it a table for screen readers where small screens show each row as a block.
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

/// Renders a row, whose first cell is its header. Small screens show the name of the column beside each cell.
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

/// Renders a word as its status: its colour and its sign depend on it.
pub(super) fn status(word: &str) -> Markup {
    html! { span.status.(word) { (word) } }
}

/// Renders a note that `count` items are left out, if any are.
pub(super) fn left_out(count: usize, noun: &str) -> Markup {
    html! {
        @if count > 0 { p.caption { (plural(count as u64, noun)) " more; " code { "--format json" } " has all." } }
    }
}

/// Renders a text of this program, in which code is between backticks.
pub(super) fn prose(text: &str) -> Markup {
    html! {
        @for (position, part) in text.split('`').enumerate() {
            @if position % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}
