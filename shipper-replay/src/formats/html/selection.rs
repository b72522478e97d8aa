//! The section of a log on the page: what it is about, and which parts of it have room.

use std::collections::BTreeSet;

use shipper_core::audit::{LogAudit, LogReport, Report};

use super::anchors::Anchors;
use crate::formats::human::sort_rank;
use crate::view::{FindingFilter, LogExcerpts};

/// Most decisions, runs and findings of a log on the page, and most marks of a lane of its timeline.
pub(super) const MAX_SHOWN: usize = 500;

/// A log with a section on the page.
pub(super) struct LogSection<'a> {
    pub(super) log: &'a LogReport,
    pub(super) audit: &'a LogAudit,
    pub(super) excerpts: &'a LogExcerpts,
    pub(super) report: &'a Report,
    pub(super) selection: Selection,
    pub(super) anchors: Anchors,
}

/// The parts of a log that are shown.
#[derive(Debug, Clone)]
pub(super) struct Selection {
    /// The positions of the decisions in the report, by line.
    pub(super) decisions: Vec<usize>,
    /// The first lines of the runs of those decisions.
    pub(super) runs: BTreeSet<u64>,
    /// The positions of the findings in the report, the most severe first.
    pub(super) findings: Vec<usize>,
}

impl Selection {
    pub(super) fn of(audit: &LogAudit) -> Self {
        let ranks: Vec<u8> = audit.decisions.iter().map(|decision| sort_rank(decision.status)).collect();
        let decisions = sample(&ranks, MAX_SHOWN);
        let shown = decisions.iter().filter_map(|position| audit.decisions.get(*position));
        let runs: Vec<(u8, u64)> =
            shown.flat_map(|decision| decision.runs.iter().map(|run| (sort_rank(decision.status), run.line))).collect();
        let ranks: Vec<u8> = runs.iter().map(|(rank, _)| *rank).collect();
        let runs = sample(&ranks, MAX_SHOWN).into_iter().filter_map(|position| Some(runs.get(position)?.1)).collect();
        Self { decisions, runs, findings: FindingFilter { max: MAX_SHOWN, notes: true }.select(&audit.findings) }
    }
}

/// Returns the positions of at most `most` ranks: the lowest ranks, and of the last rank that has room, some from its
/// beginning to its end, so that what is left out leaves no gap.
pub(super) fn sample(ranks: &[u8], most: usize) -> Vec<usize> {
    let mut sorted: Vec<u8> = ranks.to_vec();
    sorted.sort_unstable();
    let Some(last) = sorted.get(most).copied() else {
        return (0..ranks.len()).collect();
    };
    let lower = ranks.iter().filter(|rank| **rank < last).count();
    let (room, all) = (most.saturating_sub(lower), ranks.iter().filter(|rank| **rank == last).count());
    let mut seen = 0;
    let chosen = |(_, rank): &(usize, &u8)| {
        if **rank != last {
            return **rank < last;
        }
        seen += 1;
        seen * room / all > (seen - 1) * room / all
    };
    ranks.iter().enumerate().filter(chosen).map(|(position, _)| position).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// (Pass) The most important are all there, the others from beginning to end.
    #[test]
    fn the_most_important_and_some_of_the_others() {
        assert_eq!(sample(&[4, 4, 0, 4, 4, 4, 4], 4), [1, 2, 4, 6]);
        assert_eq!(sample(&[4, 4], 4), [0, 1]);
        assert_eq!(sample(&[1, 0, 0], 1), [2]);
    }

    proptest! {
        /// (Pass) As many as have room, and nothing is left out that is more important than what is chosen.
        #[test]
        fn as_many_as_have_room(ranks in prop::collection::vec(0..4_u8, 0..50), most in 0..60_usize) {
            let chosen = sample(&ranks, most);
            prop_assert_eq!(chosen.len(), ranks.len().min(most));
            prop_assert!(chosen.is_sorted());
            let lightest = chosen.iter().map(|position| ranks[*position]).max().unwrap_or(0);
            let left_out = (0..ranks.len()).filter(|position| !chosen.contains(position));
            prop_assert!(left_out.into_iter().all(|position| most == 0 || ranks[position] >= lightest));
        }
    }
}
