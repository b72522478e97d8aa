//! The differences from an earlier report.

use anstyle::AnsiColor;
use shipper_core::audit::{BaselineComparison, DecisionChange, DecisionState, FindingChange, LogChange};
use shipper_events::display_safe;

use super::options::{MAX_SHOWN, RenderOptions};
use super::writer::HumanWriter;
use crate::cli::Detail;
use crate::formats::text::headline::capitalized;
use crate::formats::text::phrases::{path_text, plural};

/// Renders the comparison. With `--quiet`, each log that differs has one line.
pub(crate) fn render_comparison(comparison: &BaselineComparison, options: &RenderOptions) -> String {
    let mut writer = HumanWriter { text: String::new(), options };
    if options.detail != Detail::Quiet {
        writer.wrapped(("", ""), &headline(comparison));
    }
    for change in &comparison.changes {
        writer.log_change(change);
    }
    writer.text
}

/// Returns the number of logs that differ, by effect, as a sentence.
fn headline(comparison: &BaselineComparison) -> String {
    let worse = comparison.changes.iter().filter(|change| change.worse).count();
    let differs = comparison.changes.len();
    let logs = plural(comparison.logs, "log");
    let unjudged = match comparison.unjudged {
        0 => String::new(),
        number => format!("; {number} cannot be read or judged"),
    };
    let result = match (worse, differs) {
        (_, 0) => "no difference from the baseline".to_owned(),
        (0, differs) => format!("nothing is worse than in the baseline; {} better or different", count(differs)),
        (worse, differs) => format!("{} worse than in the baseline, of {differs} that differ", count(worse)),
    };
    format!("{} ({logs} compared{unjudged}).", capitalized(&result))
}

fn count(number: usize) -> String {
    format!("{} {}", plural(number as u64, "log"), if number == 1 { "is" } else { "are" })
}

impl HumanWriter<'_> {
    fn log_change(&mut self, change: &LogChange) {
        let conclusion = match (change.before, change.now) {
            (None, Some(now)) => format!("{}, new log", self.conclusion(now, now.as_str())),
            (Some(before), None) => format!("no longer audited, was {before}"),
            (Some(before), Some(now)) if before != now => {
                format!("{}, was {before}", self.conclusion(now, now.as_str()))
            }
            (_, now) => now.map_or_else(String::new, |now| self.conclusion(now, now.as_str())),
        };
        let worse = if change.worse { format!("; {}", self.worse("worse")) } else { String::new() };
        let lost = change.lost_lines.map_or(String::new(), |lines| format!("; {} fewer", plural(lines, "line")));
        let line = format!("{}: {conclusion}{lost}{worse}", path_text(&change.path));
        if self.options.detail == Detail::Quiet {
            self.line(&line);
            return;
        }
        self.gap();
        self.wrapped(("", "  "), &line);
        let decisions = change
            .decisions
            .iter()
            .map(|decision| (format!("line {}", decision.line), decision.worse, decision_text(decision)));
        let findings = change.findings.iter().map(|finding| {
            (finding.line.map_or_else(String::new, |line| format!("line {line}")), finding.worse, finding_text(finding))
        });
        let rows: Vec<(String, bool, String)> = decisions.chain(findings).collect();
        let shown = self.options.limit(MAX_SHOWN);
        for (label, worse, text) in rows.iter().take(shown) {
            let worse = if *worse { format!("{}: ", self.worse("worse")) } else { String::new() };
            self.row(label, &format!("{worse}{text}"));
        }
        if rows.len() > shown {
            self.row("", &format!("and {} more differences; -v shows all", rows.len() - shown));
        }
    }

    fn worse(&self, text: &str) -> String {
        self.options.paint(AnsiColor::Red.on_default(), text)
    }
}

fn state_text(state: DecisionState) -> String {
    format!("{} ({})", state.status, state.verdict.map_or("verdict unknown", |verdict| verdict.as_str()))
}

fn decision_text(decision: &DecisionChange) -> String {
    match (decision.before, decision.now) {
        (Some(before), Some(now)) => format!("decision: {}, was {}", state_text(now), state_text(before)),
        (None, Some(now)) => format!("new decision: {}", state_text(now)),
        (Some(before), None) => format!("decision gone: {}", state_text(before)),
        (None, None) => String::new(),
    }
}

fn finding_text(finding: &FindingChange) -> String {
    let (code, message) = (finding.code, display_safe(&finding.message));
    match (finding.before, finding.now) {
        (Some(before), Some(now)) => format!("{now}[{code}], was {before}: {message}"),
        (None, Some(now)) => format!("new {now}[{code}]: {message}"),
        (Some(before), None) => format!("{before}[{code}] gone: {message}"),
        (None, None) => String::new(),
    }
}
