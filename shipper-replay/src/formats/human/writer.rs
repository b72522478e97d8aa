//! [`HumanWriter`]: the report on one log.

use anstyle::{AnsiColor, Style};
use shipper_core::audit::{
    AuditOptions, Conclusion, Decision, DecisionStatus, FindingCode, Level, LogAudit, LogReport, Report,
};
use shipper_events::{PlanId, is_display_safe};

use super::caveats::caveats;
use super::decisions::{DecisionsByLine, sort_rank};
use super::diagnostic::DiagnosticRenderer;
use super::options::{MAX_SHOWN, RenderOptions, finding_filter};
use super::phrases::{
    audited_up_to, decision_text, diff_text, gate_text, headline, maybe_quoted, next_steps, path_text, plural, quoted,
    refusal_text, registry_text, run_text, short_plan_id,
};
use super::summary::{extent, outcome, sidecar};
use super::timeline::TimelinePrinter;
use crate::cli::Detail;
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

    /// Writes a label of fixed width and a text.
    fn row(&mut self, label: &str, text: &str) {
        self.line(format!("  {label:<10} {text}").trim_end());
    }

    /// Writes an empty line, unless there is one or nothing precedes it.
    fn gap(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    /// Returns a plan's ID, in full with `--verbose`.
    fn plan(&self, plan_id: &PlanId) -> String {
        if self.options.is_verbose() { maybe_quoted(plan_id.as_str(), 400) } else { short_plan_id(plan_id.as_str()) }
    }

    /// Returns a conclusion, painted.
    pub(super) fn conclusion(&self, conclusion: Conclusion) -> String {
        let color = match conclusion {
            Conclusion::Verified => AnsiColor::Green,
            Conclusion::Violated => AnsiColor::Red,
            Conclusion::Unjudged | Conclusion::Inconclusive => AnsiColor::Yellow,
        };
        self.options.paint(color.on_default().bold(), conclusion.as_str())
    }

    /// Writes the conclusion of a log in one line, and with `--require` the gate's verdict.
    pub(super) fn headline(&mut self, log: &LogReport, report: &Report) {
        let path = path_text(&log.path);
        let required = report.demand.require.and_then(|_| gate_text(log));
        if let Some(verdict) = &required {
            self.line(&format!("{path}: {verdict}"));
        }
        if required.is_none() || self.options.detail != Detail::Quiet {
            let conclusion = self.conclusion(log.conclusion);
            self.line(&format!("{path}: {conclusion}{}", headline(log, report)));
        }
    }

    /// Writes all sections of a log.
    pub(super) fn log(&mut self, log: &LogReport, excerpts: &LogExcerpts, report: &Report) {
        self.headline(log, report);
        if self.options.detail == Detail::Quiet {
            return;
        }
        let Some(audit) = &log.audit else {
            self.row("next", "check the path, and that you may read what is there");
            return;
        };
        self.summary(audit);
        self.decisions(audit, &report.demand);
        self.timeline(audit);
        self.findings(&log.path, &report.demand, audit, excerpts);
        for (position, caveat) in caveats(audit, &report.demand).iter().enumerate() {
            self.row(if position == 0 { "unchecked" } else { "" }, caveat);
        }
        for step in next_steps(audit) {
            self.row("next", step);
        }
    }

    fn summary(&mut self, audit: &LogAudit) {
        self.row("log", &extent(audit));
        if self.options.is_verbose() {
            let (lines, bytes, blake3) = (audit.lines, audit.bytes, &audit.blake3);
            self.row("head", &format!("{lines}:{bytes}:{blake3}"));
        }
        let rehearsal = match &audit.receipt {
            None => "none was completed".to_owned(),
            Some(receipt) => {
                let outcome = outcome(receipt.passed, &receipt.unsound);
                let (plan, registry) = (self.plan(&receipt.plan_id), quoted(receipt.registry.as_str()));
                let published = plural(receipt.packages_published, "package");
                format!("line {}: {outcome}, plan {plan} on {registry}, {published} published", receipt.line)
            }
        };
        self.row("rehearsal", &rehearsal);
        if let Some(gate) = &audit.gate {
            let registry = registry_text(gate.query.rehearsal_registry.as_ref(), gate.registry_source);
            let plan = self.plan(&gate.query.plan_id);
            self.row("gate now", &format!("{}: plan {plan}{registry}", gate.verdict.as_str()));
            for reason in &gate.reasons {
                self.row("", &format!("{reason}: {}", refusal_text(*reason)));
            }
        }
        self.row("sidecar", &sidecar(&audit.sidecar));
        for difference in &audit.sidecar.differences {
            self.row("", &diff_text(difference));
        }
    }

    /// Writes the most severe decisions in the order of their lines.
    fn decisions(&mut self, audit: &LogAudit, demand: &AuditOptions) {
        let mut shown: Vec<&Decision> = audit.decisions.iter().collect();
        if !self.options.is_verbose() && shown.len() > MAX_SHOWN {
            shown.sort_by_key(|decision| (sort_rank(decision.status), decision.line));
            shown.truncate(MAX_SHOWN);
            shown.sort_by_key(|decision| decision.line);
        }
        let audited_up_to = audited_up_to(audit, demand);
        for decision in &shown {
            let status = self.options.paint(status_style(decision.status), decision.status.as_str());
            let registry = registry_text(decision.registry.as_ref(), decision.registry_source);
            let plan = self.plan(&decision.plan_id);
            let line = format!("line {}", decision.line);
            self.row(&line, &format!("{status}: plan {plan}{registry}; {}", decision_text(decision)));
            let max_runs = self.options.limit(MAX_RUNS);
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
            let hint = if self.options.is_verbose() { "" } else { "; -v shows them" };
            self.line(&format!("  and {} more findings{hint}", all.len() - filter.max));
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
