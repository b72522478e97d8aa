//! Packing: which row of its lane each mark gets, and where its label stands, so that none covers another.

use super::mark::{Mark, Shape};
use super::scale::{Place, Scale, WIDTH};
use super::text_width;

/// No bar is drawn narrower, in units.
pub(super) const LEAST: i64 = 6;

/// How many rows a lane has at most.
const ROWS: usize = 8;

/// What stands free after a label, and between a figure and its label.
const APART: Place = Place::units(10);
const BESIDE: Place = Place::units(10);

/// Half a figure.
const HALF: Place = Place::units(6);

/// Where a label stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LabelPlace {
    pub(super) at: Place,
    /// Whether the text ends there; else it begins there.
    pub(super) ends: bool,
}

/// A mark with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Placed<'m> {
    pub(super) mark: &'m Mark,
    /// 0 is the topmost.
    pub(super) row: usize,
    /// From where to where it is drawn; of a figure, its middle.
    pub(super) from: Place,
    pub(super) to: Place,
    /// None where there is no room.
    pub(super) label: Option<LabelPlace>,
}

/// Which marks get a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Labels {
    All,
    /// Those that weigh most.
    Gravest,
    None,
}

/// The marks of a lane with their places, and how many rows they take. Where not all labels have room, the gravest
/// marks keep theirs; where not even all marks have, those without a label are drawn over each other.
pub(super) fn pack(marks: &[Mark], scale: Scale) -> (Vec<Placed<'_>>, usize) {
    let least = marks.iter().map(|mark| mark.weight).min().unwrap_or(0);
    let labelled = |labels| rows(marks, scale, least, labels);
    labelled(Labels::All).or_else(|| labelled(Labels::Gravest)).or_else(|| labelled(Labels::None)).unwrap_or_default()
}

/// Gives each mark a row; none if not all labels have room.
fn rows(marks: &[Mark], scale: Scale, least: u8, labels: Labels) -> Option<(Vec<Placed<'_>>, usize)> {
    let wants = |mark: &Mark| match labels {
        Labels::All => true,
        Labels::Gravest => mark.weight == least,
        Labels::None => false,
    };
    let mut extents: Vec<(Place, Place, Placed<'_>)> =
        marks.iter().map(|mark| extent(mark, scale, wants(mark))).collect();
    extents.sort_by_key(|(start, _, placed)| (placed.label.is_none(), *start, placed.mark.line));
    let mut rows: Vec<Vec<(Place, Place)>> = Vec::new();
    let mut all = Vec::with_capacity(marks.len());
    for (start, end, mut placed) in extents {
        let end = if placed.label.is_some() { end.plus(APART) } else { end };
        let covers = |row: &[(Place, Place)]| row.iter().filter(|(from, to)| *from < end && start < *to).count();
        let free = rows.iter().position(|row| covers(row) == 0);
        let row = match free {
            Some(row) => row,
            None if rows.len() < ROWS => rows.len(),
            None if placed.label.is_some() => return None,
            None => rows.iter().enumerate().min_by_key(|(_, row)| covers(row)).map_or(0, |(row, _)| row),
        };
        match rows.get_mut(row) {
            Some(taken) => taken.push((start, end)),
            None => rows.push(vec![(start, end)]),
        }
        placed.row = row;
        all.push(placed);
    }
    all.sort_by_key(|placed| placed.mark.line);
    Some((all, rows.len()))
}

/// From where to where a mark and its label are drawn.
fn extent(mark: &Mark, scale: Scale, labelled: bool) -> (Place, Place, Placed<'_>) {
    let at = scale.place(mark.at);
    let width = Place::units(text_width(&mark.label));
    let edge = Place::units(WIDTH);
    let (from, to, start, end, label) = match mark.shape {
        Shape::Bar { to, .. } => {
            let (from, to) = (at.min(scale.place(to)), at.max(scale.place(to)));
            let to = to.max(from.plus(Place::units(LEAST)));
            let label = if from.plus(width) <= edge {
                LabelPlace { at: from, ends: false }
            } else {
                LabelPlace { at: to.min(edge), ends: true }
            };
            (from, to, from, to, label)
        }
        Shape::One(_) | Shape::Two { .. } => {
            let label = if at.plus(BESIDE).plus(width) <= edge {
                LabelPlace { at: at.plus(BESIDE), ends: false }
            } else {
                LabelPlace { at: at.minus(BESIDE), ends: true }
            };
            (at, at, at.minus(HALF), at.plus(HALF), label)
        }
    };
    let label = Some(label).filter(|_| labelled && !mark.label.is_empty());
    let (start, end) = match label {
        Some(LabelPlace { at, ends: false }) => (start, end.max(at.plus(width))),
        Some(LabelPlace { at, ends: true }) => (start.min(at.minus(width)), end),
        None => (start, end),
    };
    (start, end, Placed { mark, row: 0, from, to, label })
}

#[cfg(test)]
mod tests {
    use super::super::mark::{Figure, Tone};
    use super::*;

    fn mark(line: u64, at: i128, shape: Shape) -> Mark {
        let (label, title) = (format!("label of line {line}"), String::new());
        let (tone, target, ticks) = (Tone::Good, String::new(), Vec::new());
        Mark { line, at, shape, tone, label, title, target, weight: u8::from(line != 3), ticks }
    }

    fn overlap(placed: &[Placed<'_>]) -> bool {
        let span = |placed: &Placed<'_>| (placed.from.minus(HALF), placed.to.plus(HALF));
        placed.iter().enumerate().any(|(position, one)| {
            placed.iter().skip(position + 1).any(|other| {
                let ((a, b), (c, d)) = (span(one), span(other));
                one.row == other.row && a < d && c < b
            })
        })
    }

    /// (Pass) Bars at the same time stand in rows of their own, and none is narrower than the least.
    #[test]
    fn bars_at_the_same_time_get_rows() {
        let bars: Vec<Mark> = (1..=5).map(|line| mark(line, 10, Shape::Bar { to: 11, open: false })).collect();
        let scale = Scale::over([0, 1_000_000]).unwrap();
        let (placed, rows) = pack(&bars, scale);
        assert_eq!(rows, 5);
        assert!(!overlap(&placed));
        assert!(placed.iter().all(|placed| placed.to.minus(placed.from) == Place::units(LEAST)));
    }

    /// (Pass) Where labels have no room, the gravest mark keeps its own.
    #[test]
    fn the_gravest_mark_keeps_its_label() {
        let marks: Vec<Mark> = (1..=200).map(|line| mark(line, i128::from(line), Shape::One(Figure::Disc))).collect();
        let (placed, rows) = pack(&marks, Scale::over([1, 200]).unwrap());
        let labelled: Vec<u64> = placed.iter().filter(|placed| placed.label.is_some()).map(|p| p.mark.line).collect();
        assert_eq!(labelled, [3]);
        assert!(rows <= ROWS);
    }

    /// (Pass) A bar that ends before it begins is drawn between the two, and labels stay on the drawing.
    #[test]
    fn a_bar_that_goes_backwards_is_drawn() {
        let marks = [mark(1, 1000, Shape::Bar { to: 500, open: false })];
        let (placed, _) = pack(&marks, Scale::over([0, 1000]).unwrap());
        assert_eq!((placed[0].from, placed[0].to), (Place::units(500), Place::units(986)));
        let late = [mark(1, 1000, Shape::Bar { to: 1000, open: false })];
        let (placed, _) = pack(&late, Scale::over([0, 1000]).unwrap());
        assert!(placed[0].label.unwrap().ends, "it stands left of the edge");
    }
}
