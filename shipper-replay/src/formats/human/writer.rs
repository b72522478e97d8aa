//! [`HumanWriter`]: the report on one log.

use std::collections::BTreeSet;

use anstyle::{AnsiColor, Style};
use shipper_core::audit::{AuditOptions, Conclusion, DecisionStatus, FindingCode, Level, LogAudit, LogReport, Report};
use shipper_events::{PlanId, is_display_safe};

use super::diagnostic::DiagnosticRenderer;
use super::options::{MAX_SHOWN, RenderOptions, finding_filter};
use super::timeline::{TimelinePrinter, end};
use crate::cli::Detail;
use crate::formats::text::caveats::Caveat;
use crate::formats::text::commits::commits_text;
use crate::formats::text::decisions::{DecisionsByLine, most_severe};
use crate::formats::text::headline::{capitalized, reason};
use crate::formats::text::phrases::{
    audited_up_to, decision_text, in_parentheses, log_gate_text, maybe_quoted, next_steps, path_text, plural,
    registry_text, run_text, short_plan_id,
};
use crate::formats::text::seal::seal_text;
use crate::formats::text::summary::{decision_counts, facts};
use crate::view::{FindingFilter, LogExcerpts};

/// Most runs of a decision without `--verbose`.
const MAX_RUNS: usize = 20;

/// Writer of the human report.
pub(super) struct HumanWriter<'o> {
    pub(super) text: String,
    pub(super) options: &'o RenderOptions,
}

impl HumanWriter<'_> {
    /// Writes a line. Texts from a log are escaped where they are inserted; any other character that is not safe to
    /// display is written as `?`.
    pub(super) fn line(&mut self, line: &str) {
        let shown = |character| {
            if is_display_safe(character) || character == '\u{1b}' && self.options.color { character } else { '?' }
        };
        self.text.extend(line.chars().map(shown));
        self.text.push('\n');
    }

    /// Writes a text, wrapped to the width of the terminal.
    pub(super) fn wrapped(&mut self, indents: (&str, &str), text: &str) {
        let options = self.options.wrap(0).initial_indent(indents.0).subsequent_indent(indents.1);
        for line in textwrap::wrap(text, options) {
            self.line(line.trim_end());
        }
    }

    /// Writes a label of fixed width and a text.
    pub(super) fn row(&mut self, label: &str, text: &str) {
        self.wrapped((&format!("  {label:<10} "), "             "), text);
    }

    /// Writes an empty line, unless there is one or nothing precedes it.
    pub(super) fn gap(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    /// Returns a plan's ID, in full with `--verbose`.
    fn plan(&self, plan_id: &PlanId) -> String {
        if self.options.is_verbose() { maybe_quoted(plan_id.as_str(), 400) } else { short_plan_id(plan_id.as_str()) }
    }

    /// Returns a text in the color of a conclusion.
    pub(super) fn conclusion(&self, conclusion: Conclusion, text: &str) -> String {
        let color = match conclusion {
            Conclusion::Verified => AnsiColor::Green,
            Conclusion::Violated => AnsiColor::Red,
            Conclusion::Unjudged | Conclusion::Inconclusive => AnsiColor::Yellow,
        };
        self.options.paint(color.on_default().bold(), text)
    }

    /// Writes the path of a log with its conclusion, and with `--require` the gate's verdict. The path stays whole. With
    /// `--quiet`, the text is one line, for scripts; otherwise it is wrapped.
    pub(super) fn path_line(&mut self, log: &LogReport, report: &Report) {
        let path = format!("{}: ", path_text(&log.path));
        let verdict = report.demand.require.and_then(|_| log_gate_text(log));
        let conclusion = self.conclusion(log.conclusion, log.conclusion.as_str());
        let conclusion = format!("{conclusion}: {}", reason(log, report));
        // One verdict of the gate replaces the conclusion, a seal does not.
        let conclusion = (verdict.is_none() || self.options.detail != Detail::Quiet).then_some(conclusion);
        let texts: Vec<String> = [verdict, seal_text(log, &report.demand), conclusion].into_iter().flatten().collect();
        match self.options.detail {
            Detail::Quiet => self.after_path(&path, &texts.join("; ")),
            Detail::Normal | Detail::Verbose => texts.iter().for_each(|text| self.after_path(&path, text)),
        }
    }

    fn after_path(&mut self, path: &str, text: &str) {
        match self.options.detail {
            Detail::Quiet => self.line(&format!("{path}{text}")),
            Detail::Normal | Detail::Verbose => self.wrapped((path, "  "), text),
        }
    }

    /// Writes the report on the only log.
    pub(super) fn only_log(&mut self, log: &LogReport, excerpts: &LogExcerpts, report: &Report) {
        if self.options.detail == Detail::Quiet {
            self.path_line(log, report);
            return;
        }
        if let Some(verdict) = report.demand.require.and_then(|_| log_gate_text(log)) {
            self.wrapped(("", ""), &format!("{}.", capitalized(&verdict)));
        }
        if let Some(seal) = seal_text(log, &report.demand) {
            self.wrapped(("", ""), &format!("{}.", capitalized(&seal)));
        }
        let conclusion = self.conclusion(log.conclusion, &capitalized(log.conclusion.as_str()));
        self.wrapped(("", ""), &format!("{conclusion}: {}.", reason(log, report)));
        self.sections(log, excerpts, &report.demand, true);
    }

    /// Writes what the audit of these logs cannot or did not check.
    pub(super) fn unchecked<'a>(&mut self, audits: impl Iterator<Item = &'a LogAudit>, demand: &AuditOptions) {
        let caveats: BTreeSet<Caveat> = audits.flat_map(|audit| Caveat::of(audit, demand)).collect();
        let caveats: Vec<&str> = caveats.into_iter().map(Caveat::as_str).collect();
        if !caveats.is_empty() {
            self.row("unchecked", &caveats.join("; "));
        }
    }

    /// Writes the findings and the summary of a log. The only log has its path and its caveats in the summary.
    pub(super) fn sections(&mut self, log: &LogReport, excerpts: &LogExcerpts, demand: &AuditOptions, is_only: bool) {
        let Some(audit) = &log.audit else {
            self.row("next", "check the path, its permissions and the type of the file");
            return;
        };
        let is_short = log.conclusion == Conclusion::Verified && !self.options.is_verbose();
        if !is_short {
            self.findings(&log.path, demand, audit, excerpts);
        }
        self.finding_counts(audit, is_short);
        let mut facts = facts(audit, demand, |plan_id| self.plan(plan_id));
        facts.retain(|fact| fact.label != "head" || self.options.is_verbose());
        if let Some(extent) = facts.first_mut().filter(|_| is_only) {
            extent.text = format!("{}: {}", path_text(&log.path), extent.text);
        }
        for fact in facts {
            self.row(fact.label, &fact.text);
            fact.details.iter().filter(|_| !is_short).for_each(|detail| self.row("", detail));
        }
        match &audit.decisions[..] {
            [_, _, ..] if is_short => {
                self.row("decisions", &format!("{}; -v lists them", decision_counts(&audit.decisions)));
            }
            _ => self.decisions(audit, demand, is_short),
        }
        self.timeline(audit);
        if is_only {
            self.unchecked(std::iter::once(audit), demand);
        }
        for step in next_steps(audit).into_iter().take(if is_short { 1 } else { usize::MAX }) {
            self.row("next", step);
        }
    }

    /// Writes the number of findings by level, and with `with_codes` the codes of the warnings.
    fn finding_counts(&mut self, audit: &LogAudit, with_codes: bool) {
        let of_level = |level| audit.findings.iter().filter(move |finding| finding.level == level);
        let counts: Vec<String> = [Level::Error, Level::Warning, Level::Note]
            .into_iter()
            .map(|level| (level, of_level(level).count() as u64))
            .filter(|(_, count)| *count > 0)
            .map(|(level, count)| plural(count, level.as_str()))
            .collect();
        let codes: BTreeSet<&str> = of_level(Level::Warning).map(|finding| finding.code.as_str()).collect();
        let codes = in_parentheses(codes.into_iter().filter(|_| with_codes));
        let only_notes = audit.findings.iter().all(|finding| finding.level == Level::Note);
        if !only_notes || self.options.is_verbose() && !counts.is_empty() {
            let hint = if self.options.is_verbose() { "" } else { "; -v shows all" };
            self.row("findings", &format!("{}{codes}{hint}", counts.join(", ")));
        }
    }

    /// Writes the most severe decisions, by line.
    fn decisions(&mut self, audit: &LogAudit, demand: &AuditOptions, is_short: bool) {
        let shown = most_severe(&audit.decisions, self.options.limit(MAX_SHOWN));
        let audited_up_to = audited_up_to(audit, demand);
        for decision in &shown {
            let status = self.options.paint(status_style(decision.status), decision.status.as_str());
            let registry = registry_text(decision.registry.as_ref(), decision.registry_source);
            let plan = self.plan(&decision.plan_id);
            let line = format!("line {}", decision.line);
            let subject = if is_short { String::new() } else { format!("plan {plan}{registry}; ") };
            self.row(&line, &format!("{status}: {subject}{}", decision_text(decision)));
            if let Some(commits) = commits_text(decision).filter(|_| self.options.is_verbose()) {
                self.row("", &commits);
            }
            let max_runs = if is_short { 1 } else { self.options.limit(MAX_RUNS) };
            for run in decision.runs.iter().take(max_runs) {
                self.row("", &run_text(run, audited_up_to));
            }
            let rest = decision.runs.len().saturating_sub(max_runs);
            if rest > 0 {
                self.row("", &format!("and {rest} more runs; -v shows them all"));
            }
        }
        let rest = audit.decisions.len() - shown.len();
        if rest > 0 {
            self.row("", &format!("and {rest} more decisions; -v shows them all"));
        }
    }

    /// Writes the timeline, if the audit has one.
    fn timeline(&mut self, audit: &LogAudit) {
        let Some(entries) = &audit.timeline else {
            return;
        };
        self.gap();
        let mut printer = TimelinePrinter::default();
        let mut findings = audit.findings.iter().filter(|finding| finding.line.is_some()).peekable();
        for entry in entries {
            for line in printer.print(entry).lines() {
                self.line(line);
            }
            while let Some(finding) = findings.next_if(|finding| finding.line <= Some(entry.line)) {
                if finding.line == Some(entry.line) && (finding.level != Level::Note || self.options.is_verbose()) {
                    let level = self.options.paint(level_style(finding.level), finding.level.as_str());
                    self.row("", &format!("  {level}[{}]", finding.code));
                }
            }
        }
        for line in end(audit).lines() {
            self.line(line);
        }
        self.gap();
    }

    /// Writes the most severe findings, with their excerpts.
    fn findings(&mut self, path: &str, demand: &AuditOptions, audit: &LogAudit, excerpts: &LogExcerpts) {
        let Some(filter) = finding_filter(self.options.detail) else {
            return;
        };
        let renderer =
            DiagnosticRenderer { path, demand, audit, decisions: DecisionsByLine::new(audit), options: self.options };
        let all = FindingFilter { max: usize::MAX, ..filter }.select(&audit.findings);
        let mut helped: Vec<FindingCode> = Vec::new();
        for position in all.iter().take(filter.max) {
            if let Some(finding) = audit.findings.get(*position) {
                // The help of a code is shown once.
                let with_help = !helped.contains(&finding.code);
                helped.push(finding.code);
                self.gap();
                for line in renderer.render(finding, with_help, excerpts.of_finding(*position)).lines() {
                    self.line(line);
                }
            }
        }
        if !all.is_empty() {
            self.gap();
        }
        if all.len() > filter.max {
            let hint = if self.options.is_verbose() { "--format json lists all" } else { "-v shows more" };
            self.line(&format!("  and {} more findings; {hint}", all.len() - filter.max));
        }
    }
}

fn status_style(status: DecisionStatus) -> Style {
    match status {
        DecisionStatus::Verified | DecisionStatus::Authorized => AnsiColor::Green,
        DecisionStatus::Violated => AnsiColor::Red,
        _ => AnsiColor::Yellow,
    }
    .on_default()
}

fn level_style(level: Level) -> Style {
    match level {
        Level::Error => AnsiColor::Red,
        Level::Warning => AnsiColor::Yellow,
        Level::Note => AnsiColor::Cyan,
    }
    .on_default()
}
