//! The items of the drawing, sorted into lanes.

use shipper_core::audit::{DecisionStatus, LogAudit, RehearsalReport, RunSpan, TimelineEntry};

use crate::formats::html::anchors::Anchors;
use crate::formats::html::selection::{MAX_SHOWN, Selection, sample};

/// Input of the drawing.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) audit: &'a LogAudit,
    /// The events by line.
    pub(super) entries: &'a [TimelineEntry],
    pub(super) rehearsals: &'a [RehearsalReport],
    pub(super) runs: &'a [RunSpan],
    pub(super) selection: &'a Selection,
    pub(super) anchors: Anchors,
}

impl<'a> Source<'a> {
    /// Returns the entries from one line to another, both included.
    pub(super) fn between(&self, from: u64, to: u64) -> &'a [TimelineEntry] {
        let first = self.entries.partition_point(|entry| entry.line < from);
        let end = self.entries.partition_point(|entry| entry.line <= to);
        self.entries.get(first..end).unwrap_or_default()
    }

    /// Returns the entry of a line, or the nearest one before it, or the first.
    pub(super) fn nearest(&self, line: u64) -> Option<&'a TimelineEntry> {
        let after = self.entries.partition_point(|entry| entry.line <= line);
        self.entries.get(after.saturating_sub(1))
    }
}

/// Outcome of an item, which its colour shows; its glyph, its pattern or its label shows the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Confirmed by the events.
    Good,
    /// Contradicted, or failed.
    Bad,
    /// Not proven.
    Doubt,
    /// None of these.
    Plain,
}

impl Outcome {
    /// Returns the class in the style sheet.
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Doubt => "doubt",
            Self::Plain => "plain",
        }
    }

    /// Returns the outcome of a decision, and of the runs that took it.
    pub(super) fn of(status: DecisionStatus) -> Self {
        match status {
            DecisionStatus::Verified | DecisionStatus::Authorized => Self::Good,
            DecisionStatus::Violated => Self::Bad,
            DecisionStatus::Unproven | DecisionStatus::Permitted | DecisionStatus::Unjudged => Self::Doubt,
            DecisionStatus::Refused => Self::Plain,
        }
    }
}

/// Shape of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shape {
    /// A bar to another instant, earlier than the item's where times go backwards; open where no event ends it.
    Bar { to: i128, open: bool },
    /// A glyph of each part: one, or the recorded verdict, the sign of inequality and the derived verdict.
    Glyphs(Vec<&'static str>),
}

/// An event within a bar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tick {
    pub(super) line: u64,
    pub(super) at: i128,
    pub(super) outcome: Outcome,
    pub(super) title: String,
}

/// An item of the drawing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) line: u64,
    /// The instant in nanoseconds since 1970.
    pub(super) at: i128,
    pub(super) shape: Shape,
    pub(super) outcome: Outcome,
    /// A short text beside it, omitted where there is no room.
    pub(super) label: String,
    pub(super) title: String,
    /// The anchor of the details on the page.
    pub(super) target: String,
    /// The lower, the more important where not all are drawn.
    pub(super) rank: u8,
    /// The events within it, by line.
    pub(super) ticks: Vec<Tick>,
}

/// A lane of the drawing: the items of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lane {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    /// The items by line.
    pub(super) items: Vec<Item>,
    /// Number of items and ticks that are not drawn.
    pub(super) left_out: usize,
    /// A remark below the drawing.
    pub(super) remark: Option<String>,
}

impl Lane {
    /// Makes a lane of the most important items.
    pub(super) fn new(id: &'static str, name: &'static str, mut items: Vec<Item>) -> Self {
        let count = |items: &[Item]| items.iter().map(|item| 1 + item.ticks.len()).sum::<usize>();
        let all = count(&items);
        if all > MAX_SHOWN {
            let ranks: Vec<u8> = items.iter().map(|item| item.rank).collect();
            let mut items_by_position: Vec<Option<Item>> = items.into_iter().map(Some).collect();
            let chosen = sample(&ranks, MAX_SHOWN).into_iter();
            items = chosen.filter_map(|position| items_by_position.get_mut(position)?.take()).collect();
            items.sort_by_key(|item| (item.rank, item.line));
            let mut room = MAX_SHOWN - items.len();
            for item in &mut items {
                item.ticks.truncate(room);
                room -= item.ticks.len();
            }
        }
        items.sort_by_key(|item| item.line);
        let left_out = all - count(&items);
        Self { id, name, items, left_out, remark: None }
    }

    /// Returns the line of every item and tick.
    pub(super) fn lines(&self) -> impl Iterator<Item = u64> {
        self.items.iter().flat_map(|item| std::iter::once(item.line).chain(item.ticks.iter().map(|tick| tick.line)))
    }
}

/// Returns the time that an event states, in nanoseconds since 1970.
pub(super) fn instant(entry: &TimelineEntry) -> i128 {
    entry.timestamp.instant().unix_timestamp_nanos()
}
