//! Layout of a lane: rows in which no item or label overlaps another, so that none hides another.

use super::item::{Item, Shape};
use super::scale::{Percent, Scale};

/// Width of the narrowest bar, half the width of a glyph, and the gap after a label, in hundredths of a percent of the
/// narrowest drawing. The style sheet draws neither bars nor glyphs wider.
const MIN_BAR: i64 = 100;
const HALF_GLYPH: i64 = 80;
const GAP: i64 = 130;

/// Most rows of items with labels. With more, only the most important items have one.
const MAX_LABELLED_ROWS: usize = 8;

/// Side of an item to which its label extends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LabelSide {
    Right,
    Left,
}

/// An item at its position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PlacedItem<'a> {
    pub(super) item: &'a Item,
    pub(super) from: Percent,
    /// The end of a bar; equals `from` for a glyph.
    pub(super) to: Percent,
    /// `None` where there is no room for the label.
    pub(super) label: Option<LabelSide>,
    /// The space that it takes together with its label, in hundredths of a percent.
    space: (i64, i64),
}

/// Returns the rows of a lane.
pub(super) fn rows(items: &[Item], scale: Scale) -> Vec<Vec<PlacedItem<'_>>> {
    let least = items.iter().map(|item| item.rank).min();
    let with_labels = |labelled: &dyn Fn(&Item) -> bool| pack(items, scale, labelled);
    with_labels(&|_| true)
        .or_else(|| with_labels(&|item| Some(item.rank) == least))
        .or_else(|| with_labels(&|_| false))
        .unwrap_or_default()
}

/// Packs the items into rows; `None` if the items with a label take too many.
fn pack<'a>(items: &'a [Item], scale: Scale, labelled: &dyn Fn(&Item) -> bool) -> Option<Vec<Vec<PlacedItem<'a>>>> {
    let mut placed: Vec<_> = items.iter().map(|item| place(item, scale, labelled(item))).collect();
    placed.sort_by_key(|placed| (placed.label.is_none(), placed.space.0, placed.item.line));
    let mut rows: Vec<Vec<PlacedItem<'a>>> = Vec::new();
    for placed in placed {
        let (start, end) = placed.space;
        let is_free =
            |row: &Vec<PlacedItem<'_>>| row.iter().all(|other| other.space.1 <= start || end <= other.space.0);
        let full = rows.len() == MAX_LABELLED_ROWS && placed.label.is_some();
        match rows.iter_mut().find(|row| is_free(row)) {
            Some(row) => row.push(placed),
            None if full => return None,
            None => rows.push(vec![placed]),
        }
    }
    Some(rows)
}

fn place(item: &Item, scale: Scale, labelled: bool) -> PlacedItem<'_> {
    let at = scale.position(item.at);
    let (from, to, start, end) = match item.shape {
        Shape::Bar { to, .. } => {
            let to = scale.position(to);
            let (from, to) = (at.min(to), at.max(to));
            (from, to, from.0, to.0.max(from.0 + MIN_BAR))
        }
        Shape::Glyphs(ref glyphs) => {
            let half = HALF_GLYPH * i64::try_from(glyphs.len()).unwrap_or(1);
            (at, at, at.0 - half, at.0 + half)
        }
    };
    // The label of a bar is above it, that of a glyph beside it.
    let width = text_width(&item.label) + GAP;
    let (right, left) = match item.shape {
        Shape::Bar { .. } => (start + width, end - width),
        Shape::Glyphs(_) => (end + width, start - width),
    };
    let (start, end, label) = match labelled {
        false => (start, end, None),
        true if right <= 10_000 + GAP => (start, end.max(right), Some(LabelSide::Right)),
        true => (start.min(left), end, Some(LabelSide::Left)),
    };
    PlacedItem { item, from, to, label, space: (start, end) }
}

/// Estimates the width of a label in hundredths of a percent of the narrowest drawing.
fn text_width(text: &str) -> i64 {
    text.chars().map(|character| if character >= '\u{2e80}' { 165 } else { 95 }).sum()
}

#[cfg(test)]
mod tests {
    use super::super::item::Outcome;
    use super::*;

    fn item(line: u64, at: i128, shape: Shape) -> Item {
        let (title, target, ticks) = (String::new(), String::new(), Vec::new());
        let (label, rank) = (format!("label of line {line}"), u8::from(line != 3));
        Item { line, at, shape, outcome: Outcome::Good, label, title, target, rank, ticks }
    }

    /// (Pass) Bars at the same time are in rows of their own, however many there are.
    #[test]
    fn overlapping_items_have_rows_of_their_own() {
        for count in [5_u64, 100] {
            let bar = |line| item(line, 10, Shape::Bar { to: 11, open: false });
            let bars: Vec<Item> = (1..=count).map(bar).collect();
            let rows = rows(&bars, Scale::over([0, 1_000_000].into_iter()).unwrap());
            assert!(rows.len() as u64 == count && rows.iter().all(|row| row.len() == 1));
        }
    }

    /// (Pass) Where labels have no room, the most important item keeps its own.
    #[test]
    fn the_most_important_item_keeps_its_label() {
        let items: Vec<Item> = (1..=200).map(|line| item(line, line.into(), Shape::Glyphs(vec!["?"]))).collect();
        let rows = rows(&items, Scale::over([1, 200].into_iter()).unwrap());
        let labelled = rows.iter().flatten().filter(|placed| placed.label.is_some());
        assert_eq!(labelled.map(|placed| placed.item.line).collect::<Vec<_>>(), [3]);
        assert!(rows.len() <= MAX_LABELLED_ROWS);
    }

    /// (Pass) A bar that ends before it begins is drawn between the two, and labels do not leave the drawing.
    #[test]
    fn a_bar_that_goes_backwards_is_drawn() {
        let scale = Scale::over([0, 1000].into_iter()).unwrap();
        let items = [item(1, 1000, Shape::Bar { to: 500, open: false })];
        let rows = rows(&items, scale);
        assert_eq!((rows[0][0].from, rows[0][0].to), (Percent(5000), Percent(10_000)));
        let late = [item(1, 1000, Shape::Bar { to: 1000, open: false })];
        assert_eq!(super::rows(&late, scale)[0][0].label, Some(LabelSide::Left));
    }
}
