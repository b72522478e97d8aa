//! The report for people: short, with line numbers, and plain about what it does not prove.

pub(crate) mod diagnostic;
pub(crate) mod facts;
mod fleet;
pub(crate) mod next;
mod timeline;
pub(crate) mod unchecked;
pub(crate) mod words;

use std::io::IsTerminal;

use crate::account::{Account, Beside, Showing};
use crate::cli::{Cli, Color, Detail};
use crate::exhibit::MOST;
use anstyle::{AnsiColor, Style as Paint};
use diagnostic::{ByLine, Drawing};
pub(crate) use fleet::{in_full, in_words, weightiest_first};
use shipper_core::audit::{
    AuditOptions, Conclusion, Decision, DecisionStatus, FindingCode, Level, LogAudit, LogReport, Report,
};
use shipper_events::{PlanId, display_safe, is_display_safe};
pub(crate) use timeline::Telling;
use unchecked::unchecked;
use words::{answer, count, differing, headline, judged_to, meaning, next_steps, quoted, ran, short, under, why, word};

/// How the report is to look.
pub(crate) struct Style {
    pub(crate) color: bool,
    pub(crate) detail: Detail,
    /// How many columns a line of a snippet may have.
    pub(crate) width: usize,
}

impl Style {
    /// The style that the command line and the terminal ask for.
    pub(crate) fn of(cli: &Cli) -> Self {
        let terminal = std::io::stdout().is_terminal();
        let color = match cli.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
                let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
                terminal && !unwanted && !dumb
            }
        };
        let width = if terminal { terminal_size::terminal_size().map(|(width, _)| width.0.into()) } else { None };
        Self { color, detail: cli.detail(), width: width.unwrap_or(WIDTH) }
    }
}

/// How many columns a line of a snippet has where there is no terminal that says so.
const WIDTH: usize = 120;

/// How many decisions, and how many findings, are shown unless everything is asked for.
const SHOWN: usize = 20;

/// How many runs of a decision.
const RUNS: usize = 20;

/// Which findings are shown.
pub(crate) fn showing(detail: Detail) -> Option<Showing> {
    match detail {
        Detail::Conclusion => None,
        Detail::Proof => Some(Showing { most: SHOWN, notes: false }),
        Detail::Everything => Some(Showing { most: MOST, notes: true }),
    }
}

/// Renders the report.
pub(crate) fn render(account: &Account, style: &Style) -> String {
    let mut page = Page { text: String::new(), style };
    match (&account.report.logs[..], &account.beside[..]) {
        ([log], [beside]) if account.duplicates.is_empty() => page.log(log, beside, &account.report),
        _ => page.fleet(account),
    }
    page.text
}

struct Page<'s> {
    text: String,
    style: &'s Style,
}

impl Page<'_> {
    /// A line of the page. Texts from a log are made safe where they are put in; what is not plain all the same is
    /// shown as `?`.
    fn line(&mut self, line: &str) {
        let shown = |character| {
            if is_display_safe(character) || character == '\u{1b}' && self.style.color { character } else { '?' }
        };
        self.text.extend(line.chars().map(shown));
        self.text.push('\n');
    }

    /// A row: a label of fixed width, then what it is about.
    fn row(&mut self, label: &str, text: &str) {
        self.line(format!("  {label:<10} {text}").trim_end());
    }

    fn paint(&self, paint: Paint, text: &str) -> String {
        if self.style.color { format!("{paint}{text}{paint:#}") } else { text.to_owned() }
    }

    /// A plan's name; in full where everything is told.
    fn plan(&self, plan_id: &PlanId) -> String {
        if self.everything() { word(plan_id.as_str(), 400) } else { short(plan_id.as_str()) }
    }

    fn everything(&self) -> bool {
        self.style.detail == Detail::Everything
    }

    /// A log in one line.
    fn headline(&mut self, log: &LogReport, report: &Report) {
        let path = display_safe(&log.path).max_chars(400);
        let required = report.demand.require.and_then(|_| answer(log));
        if let Some(answer) = &required {
            self.line(&format!("{path}: {answer}"));
        }
        if required.is_none() || self.style.detail != Detail::Conclusion {
            let conclusion = self.paint(bold(of_conclusion(log.conclusion)), log.conclusion.as_str());
            self.line(&format!("{path}: {conclusion}{}", headline(log, report)));
        }
    }

    /// A log in full.
    fn log(&mut self, log: &LogReport, beside: &Beside, report: &Report) {
        self.headline(log, report);
        if self.style.detail == Detail::Conclusion {
            return;
        }
        let Some(audit) = &log.audit else {
            self.row("next", "check the path, and that you may read what is there");
            return;
        };
        self.facts(audit);
        self.decisions(audit, &report.demand);
        self.timeline(audit);
        self.findings(&log.path, &report.demand, audit, beside);
        self.unchecked(audit, &report.demand);
        for next in next_steps(audit) {
            self.row("next", next);
        }
    }

    fn facts(&mut self, audit: &LogAudit) {
        self.row("log", &facts::extent(audit));
        if self.everything() {
            let (lines, bytes, blake3) = (audit.lines, audit.bytes, &audit.blake3);
            self.row("head", &format!("{lines}:{bytes}:{blake3}"));
        }
        let rehearsal = audit.receipt.as_ref().map_or_else(
            || "none was completed".to_owned(),
            |receipt| {
                let outcome = facts::outcome(receipt.passed, &receipt.unsound);
                format!(
                    "line {}: {outcome}, plan {} on {}, {} published",
                    receipt.line,
                    self.plan(&receipt.plan_id),
                    quoted(receipt.registry.as_str()),
                    count(receipt.packages_published, "package"),
                )
            },
        );
        self.row("rehearsal", &rehearsal);
        if let Some(gate) = &audit.gate {
            let verdict = gate.verdict.as_str();
            let registry = under(gate.query.rehearsal_registry.as_ref(), gate.registry_source);
            let plan = self.plan(&gate.query.plan_id);
            self.row("gate now", &format!("{verdict}: plan {plan}{registry}"));
            for reason in &gate.reasons {
                self.row("", &format!("{reason}: {}", meaning(*reason)));
            }
        }
        self.row("sidecar", &facts::sidecar(&audit.sidecar));
        for difference in &audit.sidecar.differences {
            self.row("", &differing(difference));
        }
    }

    /// The decisions that weigh most, in the order of their lines.
    fn decisions(&mut self, audit: &LogAudit, demand: &AuditOptions) {
        let mut shown: Vec<&Decision> = audit.decisions.iter().collect();
        if !self.everything() && shown.len() > SHOWN {
            shown.sort_by_key(|decision| (weight(decision.status), decision.line));
            shown.truncate(SHOWN);
            shown.sort_by_key(|decision| decision.line);
        }
        let judged_to = judged_to(audit, demand);
        for decision in &shown {
            let status = self.paint(of_status(decision.status), decision.status.as_str());
            let registry = under(decision.registry.as_ref(), decision.registry_source);
            let plan = self.plan(&decision.plan_id);
            let line = format!("line {}", decision.line);
            self.row(&line, &format!("{status}: plan {plan}{registry}; {}", why(decision)));
            let told = if self.everything() { usize::MAX } else { RUNS };
            for run in decision.runs.iter().take(told) {
                self.row("", &ran(run, judged_to));
            }
            let rest = decision.runs.len().saturating_sub(told);
            if rest > 0 {
                self.row("", &format!("and {rest} more runs; -v shows them all"));
            }
        }
        let rest = audit.decisions.len() - shown.len();
        if rest > 0 {
            self.row("", &format!("and {rest} more decisions; -v shows them all"));
        }
    }

    /// The findings that weigh most, with what shows them.
    fn findings(&mut self, path: &str, demand: &AuditOptions, audit: &LogAudit, beside: &Beside) {
        let Some(showing) = showing(self.style.detail) else {
            return;
        };
        let decisions = &ByLine::of(audit);
        let drawing = Drawing { path, demand, decisions, color: self.style.color, width: self.style.width };
        let all = Showing { most: usize::MAX, ..showing }.of(&audit.findings);
        let mut helped: Vec<FindingCode> = Vec::new();
        for position in all.iter().take(showing.most) {
            if let Some(finding) = audit.findings.get(*position) {
                // What to do is said once for each code.
                let help = !helped.contains(&finding.code);
                helped.push(finding.code);
                self.gap();
                for line in drawing.draw(finding, help, beside.exhibits(*position), audit).lines() {
                    self.line(line);
                }
            }
        }
        if !all.is_empty() {
            self.gap();
        }
        if all.len() > showing.most {
            let (rest, everything) = (all.len() - showing.most, if self.everything() { "" } else { "; -v shows them" });
            self.line(&format!("  and {rest} more findings{everything}"));
        }
    }

    /// How it came about, where that was asked for.
    fn timeline(&mut self, audit: &LogAudit) {
        let Some(moments) = &audit.timeline else {
            return;
        };
        self.gap();
        let mut telling = Telling::default();
        let mut findings = audit.findings.iter().filter(|finding| finding.line.is_some()).peekable();
        for moment in moments {
            for line in telling.tell(moment).lines() {
                self.line(line);
            }
            while let Some(finding) = findings.next_if(|finding| finding.line <= Some(moment.line)) {
                if finding.line == Some(moment.line) && (finding.level != Level::Note || self.everything()) {
                    let level = self.paint(of_level(finding.level), finding.level.as_str());
                    self.row("", &format!("  {level}[{}]", finding.code));
                }
            }
        }
        self.gap();
    }

    /// Sets off what follows.
    fn gap(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    fn unchecked(&mut self, audit: &LogAudit, demand: &AuditOptions) {
        for (position, what) in unchecked(audit, demand).iter().enumerate() {
            self.row(if position == 0 { "unchecked" } else { "" }, what);
        }
    }
}

/// What is shown first where not everything is.
pub(crate) fn weight(status: DecisionStatus) -> u8 {
    match status {
        DecisionStatus::Violated => 0,
        DecisionStatus::Unjudged => 1,
        DecisionStatus::Unproven => 2,
        DecisionStatus::Permitted => 3,
        DecisionStatus::Refused | DecisionStatus::Authorized | DecisionStatus::Verified => 4,
    }
}

fn bold(color: Paint) -> Paint {
    color.bold()
}

fn of_conclusion(conclusion: Conclusion) -> Paint {
    match conclusion {
        Conclusion::Verified => AnsiColor::Green,
        Conclusion::Violated => AnsiColor::Red,
        Conclusion::Unjudged | Conclusion::Inconclusive => AnsiColor::Yellow,
    }
    .on_default()
}

fn of_status(status: DecisionStatus) -> Paint {
    match status {
        DecisionStatus::Verified | DecisionStatus::Authorized => AnsiColor::Green,
        DecisionStatus::Violated => AnsiColor::Red,
        _ => AnsiColor::Yellow,
    }
    .on_default()
}

fn of_level(level: Level) -> Paint {
    match level {
        Level::Error => AnsiColor::Red,
        Level::Warning => AnsiColor::Yellow,
        Level::Note => AnsiColor::Cyan,
    }
    .on_default()
}
