//! Many logs: what is wrong first and in full, the rest in one line each, and one line about all of them last.

use std::fmt::Display;

use shipper_core::audit::{Conclusion, Counts, Report, Summary};
use shipper_events::display_safe;

use super::words::count;
use super::{Page, bold, of_conclusion};
use crate::account::{Account, Beside};
use crate::cli::Detail;

/// How many of many logs are shown in full unless everything is asked for: those that are not verified, the weightiest
/// first.
const IN_FULL: usize = 20;

/// How many logs are named in one line each unless everything is asked for.
const NAMED: usize = 100;

/// How many remarks of a kind are made unless everything is asked for.
const REMARKS: usize = 5;

/// The positions of the logs that are shown in full.
pub(crate) fn in_full(report: &Report, detail: Detail) -> Vec<usize> {
    match detail {
        Detail::Conclusion => Vec::new(),
        Detail::Proof if report.logs.len() > 1 => {
            let is_verified = |position: &usize| conclusion(report, *position) == Conclusion::Verified;
            weightiest_first(report).into_iter().filter(|position| !is_verified(position)).take(IN_FULL).collect()
        }
        Detail::Proof | Detail::Everything => weightiest_first(report),
    }
}

/// The positions of all logs, those of one conclusion in the order in which they were given.
pub(crate) fn weightiest_first(report: &Report) -> Vec<usize> {
    let mut positions: Vec<usize> = (0..report.logs.len()).collect();
    positions.sort_by_key(|position| conclusion(report, *position));
    positions
}

fn conclusion(report: &Report, position: usize) -> Conclusion {
    report.logs.get(position).map_or(Conclusion::Inconclusive, |log| log.conclusion)
}

impl Page<'_> {
    /// Any number of logs.
    pub(super) fn fleet(&mut self, account: &Account) {
        let report = &account.report;
        let detail = self.style.detail;
        let full = in_full(report, detail);
        let nothing_beside = Beside::default();
        for position in &full {
            if let Some(log) = report.logs.get(*position) {
                self.log(log, account.beside.get(*position).unwrap_or(&nothing_beside), report);
                self.line("");
            }
        }
        // Those in full are the weightiest.
        let rest: Vec<usize> = weightiest_first(report).split_off(full.len());
        let named = if detail == Detail::Proof { NAMED } else { usize::MAX };
        for log in rest.iter().take(named).filter_map(|position| report.logs.get(*position)) {
            self.headline(log, report);
        }
        let unnamed = rest.get(named..).unwrap_or_default();
        if !unnamed.is_empty() {
            let mut counts = Counts::default();
            unnamed.iter().for_each(|position| counts.add(conclusion(report, *position)));
            self.line(&format!("and {} more ({}); -v shows them all", unnamed.len(), in_words(counts)));
        }
        self.total(account, !rest.is_empty());
    }

    /// What concerns all logs; set apart from what stands before it.
    fn total(&mut self, account: &Account, apart: bool) {
        let summary = Summary::new(&account.report, &account.duplicates);
        let told = self.style.detail != Detail::Conclusion;
        if told && apart {
            self.line("");
        }
        if told {
            self.remarks(&summary.duplicates, |given| {
                let path = display_safe(&given.path).max_chars(400);
                format!("{path} was given {} times and counts once", given.repeats.saturating_add(1))
            });
            self.remarks(&summary.conflicts, |path| {
                let (logs, path) = (path.logs, display_safe(&path.path).max_chars(400));
                format!(
                    "{path} was judged with {logs} different outcomes: it changed in between, or several hosts have it"
                )
            });
            self.remarks(&summary.copies, |copies| {
                let (bytes, more) = (count(copies.bytes, "byte"), copies.paths - 1);
                let first = display_safe(&copies.first).max_chars(400);
                format!("{first} and {} hold the same {bytes}", count(more, "other log"))
            });
        }
        let conclusion = self.paint(bold(of_conclusion(summary.conclusion)), summary.conclusion.as_str());
        let counts = match summary.logs {
            0 => "nothing was judged: no log was named".to_owned(),
            _ => in_words(summary.counts),
        };
        let again = match summary.duplicates.len() {
            0 => String::new(),
            again => format!(", {again} given more than once"),
        };
        self.line(&format!("{}: {conclusion} ({counts}){again}", count(summary.logs, "log")));
    }

    /// Remarks of a kind.
    fn remarks<T>(&mut self, all: &[T], remark: impl Fn(&T) -> String) {
        let most = if self.everything() { usize::MAX } else { REMARKS };
        for one in all.iter().take(most) {
            self.remark(remark(one));
        }
        if all.len() > most {
            self.remark(format!("and {} more such; -v shows them all", all.len() - most));
        }
    }

    fn remark(&mut self, text: impl Display) {
        self.line(&format!("remark: {text}"));
    }
}

pub(crate) fn in_words(counts: Counts) -> String {
    let some = counts.by_conclusion().into_iter().filter(|(_, count)| *count > 0);
    let some: Vec<String> = some.map(|(conclusion, count)| format!("{count} {conclusion}")).collect();
    some.join(", ")
}
