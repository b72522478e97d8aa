//! Marks: what is drawn of an event.

use shipper_core::audit::{DecisionStatus, TimelineEntry};

/// What a mark says of itself by colour; its shape, or its label, says the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Tone {
    /// Borne out.
    Good,
    /// Contradicted, or failed.
    Bad,
    /// Not proven.
    Doubt,
    /// None of these.
    Plain,
}

impl Tone {
    /// The class that the style knows it by.
    pub(in super::super) fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Doubt => "doubt",
            Self::Plain => "plain",
        }
    }

    /// The tone of a decision, and of the runs that took it.
    pub(in super::super) fn of(status: DecisionStatus) -> Self {
        match status {
            DecisionStatus::Verified | DecisionStatus::Authorized => Self::Good,
            DecisionStatus::Violated => Self::Bad,
            DecisionStatus::Unproven | DecisionStatus::Permitted | DecisionStatus::Unjudged => Self::Doubt,
            DecisionStatus::Refused => Self::Plain,
        }
    }
}

/// A small figure that stands for one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Figure {
    /// The gate authorized.
    Disc,
    /// The gate refused.
    Barred,
    /// The gate was dormant.
    Ring,
    /// The gate was bypassed.
    Arrow,
    /// A verdict that this version does not know.
    Question,
    /// An error.
    Diamond,
    /// A warning.
    Triangle,
    /// A note.
    Dot,
}

impl Figure {
    /// The figure of a verdict's word.
    pub(super) fn of_verdict(word: &str) -> Self {
        match word {
            "authorized" => Self::Disc,
            "refused" => Self::Barred,
            "dormant" => Self::Ring,
            "bypassed" => Self::Arrow,
            _ => Self::Question,
        }
    }
}

/// How a mark is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// From its instant to another.
    Bar {
        /// The end; earlier than the start where times go backwards.
        to: i128,
        /// Whether nobody wrote down that it ended.
        open: bool,
    },
    /// A figure.
    One(Figure),
    /// What was recorded over what is derived, where they differ.
    Two { recorded: Figure, derived: Figure },
}

/// Something that happened within a bar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tick {
    pub(super) line: u64,
    pub(super) at: i128,
    pub(super) tone: Tone,
    pub(super) title: String,
}

/// Something that is drawn in a lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    /// The line that it is drawn for.
    pub(super) line: u64,
    /// Its instant, in nanoseconds since 1970.
    pub(super) at: i128,
    pub(super) shape: Shape,
    pub(super) tone: Tone,
    /// What is written beside it where there is room.
    pub(super) label: String,
    /// What it is.
    pub(super) title: String,
    /// Where the page tells of it.
    pub(super) target: String,
    /// The lower, the sooner it is drawn where not all are.
    pub(super) weight: u8,
    /// What happened within it, by line.
    pub(super) ticks: Vec<Tick>,
}

/// When an event is said to have happened, in nanoseconds since 1970.
pub(super) fn instant(moment: &TimelineEntry) -> i128 {
    moment.timestamp.instant().unix_timestamp_nanos()
}

/// `line 3`, or `lines 3 to 9`.
pub(super) fn lines(from: u64, to: u64) -> String {
    if from == to { format!("line {from}") } else { format!("lines {from} to {to}") }
}

/// What is said of a bar whose end is stamped earlier than its start.
pub(super) fn backwards(from: &TimelineEntry, to: &TimelineEntry) -> &'static str {
    if to.timestamp < from.timestamp { ", stamped to end before it begins" } else { "" }
}
