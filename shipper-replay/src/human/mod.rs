//! The report for people: short, with line numbers, and plain about what it does not prove.

mod unchecked;
mod words;

use std::fmt::Write;

use anstyle::{AnsiColor, Style as Paint};
use shipper_core::Evidence;
use shipper_core::audit::{
    Audit, Code, Conclusion, Decision, Demand, Finding, Integrity, Level, LogReport, Report, SidecarStatus, Status,
    TailStatus,
};
use shipper_events::{Name, is_plain, neutral};
use unchecked::unchecked;
use words::{count, differing, headline, meaning, next_steps, quoted, ran, short, under, why, word};

/// How the report is to look.
pub(crate) struct Style {
    pub(crate) color: bool,
    pub(crate) detail: Detail,
}

/// How much is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    /// One line a log.
    Conclusion,
    /// What proves it, as far as it fits a screen.
    Proof,
    /// Everything.
    Everything,
}

/// How many decisions, and how many findings, are shown unless everything is asked for.
const SHOWN: usize = 20;

/// Renders the report.
pub(crate) fn render(report: &Report, style: &Style) -> String {
    let mut page = Page { text: String::new(), style };
    for (position, log) in report.logs.iter().enumerate() {
        if position > 0 && style.detail != Detail::Conclusion {
            page.line("");
        }
        page.log(log, report);
    }
    if report.logs.len() > 1 {
        page.total(report);
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
        let shown =
            |character| if is_plain(character) || character == '\u{1b}' && self.style.color { character } else { '?' };
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
    fn plan(&self, plan_id: &Name) -> String {
        if self.everything() { word(plan_id.as_str(), 400) } else { short(plan_id.as_str()) }
    }

    fn everything(&self) -> bool {
        self.style.detail == Detail::Everything
    }

    fn log(&mut self, log: &LogReport, report: &Report) {
        let path = neutral(&log.path).at_most(400);
        let conclusion = self.paint(bold(of_conclusion(log.conclusion)), log.conclusion.as_str());
        self.line(&format!("{path}: {conclusion}{}", headline(log, report)));
        if self.style.detail == Detail::Conclusion {
            return;
        }
        let Some(audit) = &log.audit else {
            self.row("next", "check the path, and that you may read what is there");
            return;
        };
        self.facts(audit);
        self.decisions(audit, &report.demand);
        self.findings(&audit.findings);
        self.unchecked(audit, &report.demand);
        for next in next_steps(audit) {
            self.row("next", next);
        }
    }

    fn facts(&mut self, audit: &Audit) {
        let integrity = match audit.integrity {
            Integrity::Broken => "integrity broken",
            Integrity::Unchained => "not chained",
            Integrity::Chained => "every line chained",
            Integrity::PartlyChained => "partly chained",
        };
        let tail = match audit.tail {
            TailStatus::Clean => "",
            TailStatus::Torn => ", torn tail",
        };
        let (lines, bytes) = (count(audit.lines, "line"), count(audit.bytes, "byte"));
        self.row("log", &format!("{lines}, {bytes}, {integrity}{tail}"));
        if self.everything() {
            let (lines, bytes, blake3) = (audit.lines, audit.bytes, &audit.blake3);
            self.row("head", &format!("{lines}:{bytes}:{blake3}"));
        }
        let rehearsal = audit.receipt.as_ref().map_or_else(
            || "none was completed".to_owned(),
            |receipt| {
                let outcome = match (receipt.passed, receipt.evidence) {
                    (true, Evidence::Sound) => "passed".to_owned(),
                    (true, Evidence::Unsound) => {
                        let flaws: Vec<&str> = receipt.unsound.iter().map(|flaw| flaw.as_str()).collect();
                        format!("says it passed, unsound ({})", flaws.join(", "))
                    }
                    (false, _) => "failed".to_owned(),
                };
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
        let path = audit.sidecar.path.as_deref().map(|path| neutral(path).to_string());
        let sidecar = match (audit.sidecar.status, path) {
            (SidecarStatus::Match, Some(path)) => format!("{path} matches the log"),
            (SidecarStatus::Absent, Some(path)) => format!("there is no {path}"),
            (status, Some(path)) => format!("{path}: {}", status.as_str()),
            (_, None) => "not checked".to_owned(),
        };
        self.row("sidecar", &sidecar);
        for difference in &audit.sidecar.differences {
            self.row("", &differing(difference));
        }
    }

    /// The decisions that weigh most, in the order of their lines.
    fn decisions(&mut self, audit: &Audit, demand: &Demand) {
        let mut shown: Vec<&Decision> = audit.decisions.iter().collect();
        if !self.everything() && shown.len() > SHOWN {
            shown.sort_by_key(|decision| (weight(decision.status), decision.line));
            shown.truncate(SHOWN);
            shown.sort_by_key(|decision| decision.line);
        }
        for decision in &shown {
            let status = self.paint(of_status(decision.status), decision.status.as_str());
            let registry = under(decision.registry.as_ref(), decision.registry_source);
            let plan = self.plan(&decision.plan_id);
            let line = format!("line {}", decision.line);
            self.row(&line, &format!("{status}: plan {plan}{registry}; {}", why(decision)));
            for run in &decision.runs {
                self.row("", &ran(run, audit, demand));
            }
        }
        let rest = audit.decisions.len() - shown.len();
        if rest > 0 {
            self.row("", &format!("and {rest} more decisions; -v shows them all"));
        }
    }

    fn findings(&mut self, findings: &[Finding]) {
        let mut telling: Vec<&Finding> =
            findings.iter().filter(|finding| self.everything() || finding.level != Level::Note).collect();
        telling.sort_by_key(|finding| finding.level);
        let most = if self.everything() { usize::MAX } else { SHOWN };
        let mut explained: Vec<Code> = Vec::new();
        for finding in telling.iter().take(most) {
            let level = self.paint(of_level(finding.level), finding.level.as_str());
            let place = finding.line.map_or(String::new(), |line| format!(" line {line}:"));
            self.line(&format!("  {level}[{}]{place} {}", finding.code, finding.message));
            if !explained.contains(&finding.code) {
                explained.push(finding.code);
                self.line(&format!("    help: {}", finding.help));
            }
        }
        if telling.len() > most {
            let rest = telling.len() - most;
            self.line(&format!("  and {rest} more findings; -v shows them all"));
        }
    }

    fn unchecked(&mut self, audit: &Audit, demand: &Demand) {
        for (position, what) in unchecked(audit, demand).iter().enumerate() {
            self.row(if position == 0 { "unchecked" } else { "" }, what);
        }
    }

    fn total(&mut self, report: &Report) {
        let counts: Vec<String> =
            [Conclusion::Violated, Conclusion::Unjudged, Conclusion::Inconclusive, Conclusion::Verified]
                .into_iter()
                .filter_map(|conclusion| {
                    let count = report.logs.iter().filter(|log| log.conclusion == conclusion).count();
                    (count > 0).then(|| format!("{count} {conclusion}"))
                })
                .collect();
        let conclusion = self.paint(bold(of_conclusion(report.conclusion)), report.conclusion.as_str());
        if self.style.detail != Detail::Conclusion {
            self.line("");
        }
        let _ = writeln!(self.text, "{} logs: {conclusion} ({})", report.logs.len(), counts.join(", "));
    }
}

/// What is shown first where not everything is.
fn weight(status: Status) -> u8 {
    match status {
        Status::Violated => 0,
        Status::Unjudged => 1,
        Status::Unproven => 2,
        Status::Permitted => 3,
        Status::Refused | Status::Authorized | Status::Verified => 4,
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

fn of_status(status: Status) -> Paint {
    match status {
        Status::Verified | Status::Authorized => AnsiColor::Green,
        Status::Violated => AnsiColor::Red,
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
