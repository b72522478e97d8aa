//! The report on any number of logs: those that are not verified first and in full, the others in one line each, then one
//! line about all.

use shipper_core::audit::{Conclusion, Counts, LogReport, Report, Summary};

use super::options::RenderOptions;
use super::phrases::{path_text, plural};
use super::summary::counts_text;
use super::writer::HumanWriter;
use crate::cli::Detail;
use crate::view::{LogExcerpts, ReportView};

/// Most logs of many that are shown in full without `--verbose`.
const MAX_DETAILED: usize = 20;

/// Most logs that have a line of their own without `--verbose`.
const MAX_NAMED: usize = 100;

/// Most remarks of a kind without `--verbose`.
const MAX_REMARKS: usize = 5;

/// Renders the report.
pub(crate) fn render(view: &ReportView, options: &RenderOptions) -> String {
    let mut writer = HumanWriter { text: String::new(), options };
    match (&view.report.logs[..], &view.excerpts[..]) {
        ([log], [excerpts]) if view.duplicates.is_empty() => writer.log(log, excerpts, &view.report),
        _ => writer.logs(view),
    }
    writer.text
}

/// Returns the positions of the logs that are shown in full: all with `--verbose`, else those that are not verified, the
/// most severe first.
pub(crate) fn detailed_logs(report: &Report, detail: Detail) -> Vec<usize> {
    match detail {
        Detail::Quiet => Vec::new(),
        Detail::Normal if report.logs.len() > 1 => {
            let not_verified = report.logs.iter().filter(|log| log.conclusion != Conclusion::Verified).count();
            most_severe_first(report).into_iter().take(not_verified.min(MAX_DETAILED)).collect()
        }
        Detail::Normal | Detail::Verbose => most_severe_first(report),
    }
}

/// Returns the positions of all logs, those of one conclusion in their order.
pub(crate) fn most_severe_first(report: &Report) -> Vec<usize> {
    let mut logs: Vec<(Conclusion, usize)> = report.logs.iter().map(|log| log.conclusion).zip(0..).collect();
    logs.sort_unstable();
    logs.into_iter().map(|(_, position)| position).collect()
}

impl HumanWriter<'_> {
    fn logs(&mut self, view: &ReportView) {
        let report = &view.report;
        let detail = self.options.detail;
        let detailed = detailed_logs(report, detail);
        let no_excerpts = LogExcerpts::default();
        for position in &detailed {
            if let Some(log) = report.logs.get(*position) {
                self.log(log, view.excerpts.get(*position).unwrap_or(&no_excerpts), report);
                self.line("");
            }
        }
        // The detailed logs are the most severe.
        let rest = most_severe_first(report).split_off(detailed.len());
        let rest: Vec<&LogReport> = rest.iter().filter_map(|position| report.logs.get(*position)).collect();
        let max_named = if detail == Detail::Normal { MAX_NAMED } else { usize::MAX };
        for log in rest.iter().take(max_named) {
            self.headline(log, report);
        }
        if let Some(unnamed @ [_, ..]) = rest.get(max_named..) {
            let mut counts = Counts::default();
            unnamed.iter().for_each(|log| counts.add(log.conclusion));
            self.line(&format!("and {} more ({}); -v shows them all", unnamed.len(), counts_text(counts)));
        }
        self.total(view, !rest.is_empty());
    }

    /// Writes the conclusion about all logs, after an empty line if `with_gap` is true.
    fn total(&mut self, view: &ReportView, with_gap: bool) {
        let summary = Summary::new(&view.report, &view.duplicates);
        if self.options.detail != Detail::Quiet {
            if with_gap {
                self.line("");
            }
            self.remarks(&summary.duplicates, |given| {
                let times = given.repeats.saturating_add(1);
                format!("{} was given {times} times and counts once", path_text(&given.path))
            });
            self.remarks(&summary.conflicts, |conflict| {
                let (logs, path) = (conflict.logs, path_text(&conflict.path));
                format!(
                    "{path} was judged with {logs} different outcomes: it changed in between, or several hosts have it"
                )
            });
            self.remarks(&summary.copies, |copies| {
                let (first, bytes) = (path_text(&copies.first), plural(copies.bytes, "byte"));
                format!("{first} and {} hold the same {bytes}", plural(copies.paths - 1, "other log"))
            });
        }
        let counts = match summary.logs {
            0 => "nothing was judged: no log was named".to_owned(),
            _ => counts_text(summary.counts),
        };
        let again = match summary.duplicates.len() {
            0 => String::new(),
            again => format!(", {again} given more than once"),
        };
        let conclusion = self.conclusion(summary.conclusion);
        self.line(&format!("{}: {conclusion} ({counts}){again}", plural(summary.logs, "log")));
    }

    /// Writes remarks of one kind.
    fn remarks<T>(&mut self, all: &[T], remark: impl Fn(&T) -> String) {
        let max = self.options.limit(MAX_REMARKS);
        for one in all.iter().take(max) {
            self.line(&format!("remark: {}", remark(one)));
        }
        if all.len() > max {
            self.line(&format!("remark: and {} more such; -v shows them all", all.len() - max));
        }
    }
}
