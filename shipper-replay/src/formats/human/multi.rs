//! The report on any number of logs: the totals, then the logs that are not verified in full, the others in one line each,
//! and the caveats once.

use shipper_core::audit::{Conclusion, Counts, LogReport, Report, Summary};

use super::options::RenderOptions;
use super::writer::HumanWriter;
use crate::cli::Detail;
use crate::formats::text::headline::capitalized;
use crate::formats::text::phrases::{path_text, plural};
use crate::formats::text::summary::{counts_text, most_severe_first};
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
        ([log], [excerpts]) if view.duplicates.is_empty() => writer.only_log(log, excerpts, &view.report),
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

impl HumanWriter<'_> {
    fn logs(&mut self, view: &ReportView) {
        let report = &view.report;
        let detail = self.options.detail;
        let detailed = detailed_logs(report, detail);
        self.total(view);
        let no_excerpts = LogExcerpts::default();
        for position in &detailed {
            if let Some(log) = report.logs.get(*position) {
                self.gap();
                self.path_line(log, report);
                let excerpts = view.excerpts.get(*position).unwrap_or(&no_excerpts);
                self.sections(log, excerpts, &report.demand, false);
            }
        }
        // The detailed logs are the most severe.
        let rest = most_severe_first(report).split_off(detailed.len());
        let rest: Vec<&LogReport> = rest.iter().filter_map(|position| report.logs.get(*position)).collect();
        if detail != Detail::Quiet {
            self.gap();
        }
        let max_named = if detail == Detail::Normal { MAX_NAMED } else { usize::MAX };
        for log in rest.iter().take(max_named) {
            self.path_line(log, report);
        }
        if let Some(unnamed @ [_, ..]) = rest.get(max_named..) {
            let mut counts = Counts::default();
            unnamed.iter().for_each(|log| counts.add(log.conclusion));
            self.line(&format!("and {} more ({}); -v shows all", unnamed.len(), counts_text(counts)));
        }
        if detail != Detail::Quiet {
            self.gap();
            self.unchecked(report.logs.iter().filter_map(|log| log.audit.as_ref()), &report.demand);
        }
    }

    /// Writes the conclusion about all logs.
    fn total(&mut self, view: &ReportView) {
        let summary = Summary::new(&view.report, &view.duplicates);
        let conclusion = self.conclusion(summary.conclusion, &capitalized(summary.conclusion.as_str()));
        let again = match summary.duplicates.len() {
            0 => String::new(),
            again => format!("; {again} given more than once"),
        };
        let total = match summary.logs {
            0 => format!("{conclusion}: no log was found."),
            logs => format!("{conclusion}: {}: {}{again}.", plural(logs, "log"), counts_text(summary.counts)),
        };
        self.wrapped(("", ""), &total);
        if self.options.detail == Detail::Quiet {
            return;
        }
        self.remarks(&summary.duplicates, |given| {
            let times = given.repeats.saturating_add(1);
            format!("{} was given {times} times and is counted once", path_text(&given.path))
        });
        self.remarks(&summary.conflicts, |conflict| {
            let (logs, path) = (conflict.logs, path_text(&conflict.path));
            format!("{path} has {logs} different reports: it changed meanwhile, or several machines have such a file")
        });
        self.remarks(&summary.copies, |copies| {
            let (first, bytes) = (path_text(&copies.first), plural(copies.bytes, "byte"));
            format!("{first} and {} contain the same {bytes}", plural(copies.paths - 1, "other log"))
        });
    }

    /// Writes remarks of one kind.
    fn remarks<T>(&mut self, all: &[T], remark: impl Fn(&T) -> String) {
        let max = self.options.limit(MAX_REMARKS);
        for one in all.iter().take(max) {
            self.wrapped(("note: ", "      "), &remark(one));
        }
        if all.len() > max {
            self.line(&format!("note: and {} more; -v shows all", all.len() - max));
        }
    }
}
