//! Lanes: what there is to draw, sorted by kind.

use shipper_core::audit::{LogAudit, TimelineEntry};

use super::mark::{Mark, Tick};
use super::{MOST, findings, gate, publishes, rehearsals};
use crate::formats::html::choose::choose;
use crate::formats::html::{Anchors, Shown};

/// What a timeline is drawn from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) audit: &'a LogAudit,
    /// By line.
    pub(super) moments: &'a [TimelineEntry],
    /// What the page tells of.
    pub(super) shown: &'a Shown,
    pub(super) anchors: Anchors,
}

impl<'a> Source<'a> {
    /// The event of a line, or the nearest one before it that is on the timeline, or the first.
    pub(super) fn nearest(&self, line: u64) -> Option<&'a TimelineEntry> {
        let after = self.moments.partition_point(|moment| moment.line <= line);
        self.moments.get(after.saturating_sub(1))
    }
}

/// A lane of the drawing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lane {
    /// What the style and the tests know it by.
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    /// What is drawn, by line.
    pub(super) marks: Vec<Mark>,
    /// How many marks, ticks included, are not drawn.
    pub(super) left_out: usize,
    /// What else there is to say.
    pub(super) remark: Option<String>,
}

impl Lane {
    pub(super) fn new(id: &'static str, name: &'static str, mut marks: Vec<Mark>) -> Self {
        let all: usize = marks.iter().map(|mark| 1 + mark.ticks.len()).sum();
        if all > MOST {
            let weights: Vec<u8> = marks.iter().map(|mark| mark.weight).collect();
            let mut chosen = choose(&weights, MOST).into_iter().peekable();
            let mut position = 0..;
            marks.retain(|_| position.next().is_some_and(|at| chosen.next_if_eq(&at).is_some()));
            marks.sort_by_key(|mark| (mark.weight, mark.line));
            let mut room = MOST - marks.len();
            for mark in &mut marks {
                mark.ticks.truncate(room);
                room -= mark.ticks.len();
            }
            marks.sort_by_key(|mark| mark.line);
        }
        let drawn: usize = marks.iter().map(|mark| 1 + mark.ticks.len()).sum();
        Self { id, name, marks, left_out: all - drawn, remark: None }
    }

    /// Every line that something is drawn for.
    pub(super) fn lines(&self) -> impl Iterator<Item = u64> {
        let ticks = |mark: &Mark| mark.ticks.iter().map(|tick: &Tick| tick.line).collect::<Vec<_>>();
        self.marks.iter().flat_map(move |mark| std::iter::once(mark.line).chain(ticks(mark)))
    }
}

/// The lanes that have something in them, from the top.
pub(super) fn lanes(source: &Source<'_>) -> Vec<Lane> {
    let lanes = [rehearsals::lane(source), gate::lane(source), publishes::lane(source), findings::lane(source)];
    lanes.into_iter().filter(|lane| !lane.marks.is_empty() || lane.remark.is_some()).collect()
}
