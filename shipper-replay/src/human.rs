//! The report for people: short, with line numbers, and plain about what it does not prove.

use std::fmt::Write;

use anstyle::{AnsiColor, Style as Paint};
use shipper_core::audit::{
    Audit, Because, Code, Conclusion, Decision, Finding, Integrity, Level, LogReport, RegistrySource, Report, Run,
    SidecarStatus, Status, TailStatus,
};
use shipper_core::{Difference, Evidence, FieldValue, ReasonCode};
use shipper_events::{Name, neutral};

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
    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// A row: a label of fixed width, then what it is about.
    fn row(&mut self, label: &str, text: &str) {
        self.line(format!("  {label:<10} {text}").trim_end());
    }

    fn paint(&self, paint: Paint, text: &str) -> String {
        if self.style.color { format!("{paint}{text}{paint:#}") } else { text.to_owned() }
    }

    fn everything(&self) -> bool {
        self.style.detail == Detail::Everything
    }

    fn log(&mut self, log: &LogReport, report: &Report) {
        let path = neutral(&log.path).at_most(400);
        let conclusion = self.paint(bold(of_conclusion(log.conclusion)), log.conclusion.as_str());
        self.line(&format!("{path}: {conclusion}{}", headline(log)));
        if self.style.detail == Detail::Conclusion {
            return;
        }
        let Some(audit) = &log.audit else {
            self.row("next", "check the path, and that you may read what is there");
            return;
        };
        self.facts(audit);
        self.decisions(&audit.decisions);
        self.findings(&audit.findings);
        self.not_checked(audit, report);
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
                    plan(receipt.plan_id.as_str()),
                    quoted(receipt.registry.as_str()),
                    count(receipt.packages_published, "package"),
                )
            },
        );
        self.row("rehearsal", &rehearsal);
        if let Some(gate) = &audit.gate {
            let verdict = gate.verdict.as_str();
            let registry = under(gate.query.rehearsal_registry.as_ref().map(Name::as_str), gate.registry_source);
            let plan = plan(gate.query.plan_id.as_str());
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

    fn decisions(&mut self, decisions: &[Decision]) {
        let all = self.everything() || decisions.len() <= SHOWN;
        let telling = |decision: &&Decision| all || decision.status != Status::Verified;
        let most = if all { usize::MAX } else { SHOWN };
        let mut shown = 0;
        for decision in decisions.iter().filter(telling).take(most) {
            shown += 1;
            self.decision(decision);
        }
        if shown < decisions.len() {
            let rest = decisions.len() - shown;
            self.row("", &format!("and {rest} more decisions; -v shows them all"));
        }
    }

    fn decision(&mut self, decision: &Decision) {
        let status = self.paint(of_status(decision.status), decision.status.as_str());
        let registry = under(decision.registry.as_ref().map(Name::as_str), decision.registry_source);
        let plan = plan(decision.plan_id.as_str());
        self.row(&format!("line {}", decision.line), &format!("{status}: plan {plan}{registry}; {}", why(decision)));
        for run in &decision.runs {
            self.row("", &ran(run));
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

    fn not_checked(&mut self, audit: &Audit, report: &Report) {
        let judged = !audit.decisions.is_empty() || audit.gate.is_some();
        let self_declared = audit.findings.iter().any(|finding| finding.code == Code::SelfDeclaredRegistry);
        let no_head = report.demand.extends.is_none();
        let mut not_checked: Vec<&str> = Vec::new();
        let corrupt = audit.findings.iter().find(|finding| finding.code == Code::CorruptLine);
        let corrupt = corrupt
            .and_then(|finding| finding.line)
            .map(|line| format!("line {line} and everything after it: judging stops at a corrupt line"));
        not_checked.extend(corrupt.as_deref());
        let cut =
            report.demand.at.is_some().then(|| format!("what stands after line {}: --at leaves it out", audit.lines));
        not_checked.extend(cut.as_deref());
        if report.demand.plan_id.is_some() {
            not_checked.push("other plans: --plan-id leaves them out");
        }
        if report.demand.since.is_some() {
            not_checked.push("what was dealt with before: --since leaves it out");
        }
        if self_declared {
            not_checked
                .push("which registry was configured: its name is the log's own word (--registry NAME demands one)");
        }
        match audit.integrity {
            Integrity::Unchained if audit.lines > 0 => not_checked.push(
                "edits: no line is chained, so each is trusted as it stands, and a careful change would not show",
            ),
            Integrity::PartlyChained => {
                not_checked.push("edits of lines that are not chained: each is trusted as it stands");
            }
            _ => {}
        }
        if no_head && audit.lines > 0 {
            not_checked.push("whether the end was cut off or everything rewritten: no head was given (--extends HEAD)");
        }
        if judged {
            not_checked.push("content: a plan_id of the shipper tool names packages and versions, not what is in them");
        }
        if audit.lines > 0 {
            not_checked.push("clocks: the times in events are claims");
        }
        if audit.sidecar.status == SidecarStatus::NotChecked {
            not_checked.push("the sidecar");
        }
        for (position, what) in not_checked.iter().enumerate() {
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

/// The conclusion in one sentence.
fn headline(log: &LogReport) -> String {
    let Some(audit) = &log.audit else {
        let error = log.error.as_deref().unwrap_or("it could not be judged");
        return format!(", {}", neutral(error).at_most(400));
    };
    let errors = audit.findings.iter().filter(|finding| finding.level == Level::Error);
    let first = audit.findings.iter().find(|finding| finding.level == Level::Error);
    let of = |status| audit.decisions.iter().filter(|decision| decision.status == status).count() as u64;
    match (log.conclusion, first) {
        (Conclusion::Violated, Some(first)) => {
            let place = first.line.map_or(String::new(), |line| format!(" on line {line}"));
            let more = errors.count() - 1;
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            format!(", {}{place}{more}", first.code)
        }
        (Conclusion::Unjudged, _) => ", it holds decisions under rules that this version does not know".to_owned(),
        (Conclusion::Verified, _) => match (of(Status::Verified), of(Status::Refused)) {
            (0, refused) => format!(", nothing was published without leave ({} stood)", count(refused, "refusal")),
            (published, _) => format!(", {} backed by a passing rehearsal", count(published, "publish")),
        },
        _ if audit.decisions.is_empty() => ", nothing was decided in this log".to_owned(),
        _ if audit.tail == TailStatus::Torn => ", the log ends in the middle of a line".to_owned(),
        _ if of(Status::Unproven) > 0 => {
            format!(", {} not backed by a rehearsal", count(of(Status::Unproven), "publish"))
        }
        _ if of(Status::Permitted) > 0 => ", the gate let a plan pass without a rehearsal".to_owned(),
        _ => ", the sidecar cannot be compared".to_owned(),
    }
}

/// What was answered to a decision, and by whom.
fn why(decision: &Decision) -> String {
    let reasons = |reasons: &[ReasonCode]| {
        let reasons: Vec<&str> = reasons.iter().map(|reason| reason.as_str()).collect();
        reasons.join(", ")
    };
    let derived = decision.derived.as_ref().map_or_else(
        || "made under rules that this version does not know".to_owned(),
        |derived| match decision.receipt_line {
            Some(line) => format!("{} by the rehearsal on line {line}", derived.verdict),
            None if derived.reasons.is_empty() => derived.verdict.to_string(),
            None => format!("{} ({})", derived.verdict, reasons(&derived.reasons)),
        },
    );
    let recorded = match (&decision.recorded, &decision.derived) {
        (Some(recorded), Some(derived)) if recorded == derived => ", as recorded".to_owned(),
        (Some(recorded), _) => {
            let said: Vec<String> =
                recorded.reasons.iter().take(8).map(|reason| neutral(reason).at_most(40).to_string()).collect();
            let said = if said.is_empty() { String::new() } else { format!(" ({})", said.join(", ")) };
            format!(", recorded was {}{said}", neutral(&recorded.verdict).at_most(40))
        }
        (None, _) => String::new(),
    };
    let because = match decision.because {
        Some(Because::Dormant) => ", no rehearsal registry was configured",
        Some(Because::Bypassed) => ", the gate was skipped",
        Some(Because::Unrecorded) => ", and nothing says why it was published all the same",
        None => "",
    };
    format!("{derived}{recorded}{because}")
}

fn ran(run: &Run) -> String {
    let live = run.live_registry.as_deref().map_or(String::new(), |registry| format!(" to {}", quoted(registry)));
    let finished = run
        .finished
        .as_deref()
        .map_or_else(|| "did not finish".to_owned(), |result| format!("finished: {}", word(result, 60)));
    format!(
        "run on line {}: {} published{live}, {} skipped, {} failed, {finished}",
        run.line, run.published, run.skipped, run.failed
    )
}

fn differing(difference: &Difference) -> String {
    let value = |value: &FieldValue| match value {
        FieldValue::Flag(flag) => flag.to_string(),
        FieldValue::Number(number) => number.to_string(),
        FieldValue::Text(text) => neutral(text).at_most(80).quoted().to_string(),
    };
    let field = neutral(&difference.field);
    format!("{field}: the sidecar says {}, the log {}", value(&difference.sidecar), value(&difference.log))
}

/// What to do now: once each, the most pressing first. What a finding asks for stands beside the finding.
fn next_steps(audit: &Audit) -> Vec<&'static str> {
    let reasons = audit.gate.iter().flat_map(|gate| &gate.reasons);
    let mut steps: Vec<&str> = Vec::new();
    for step in reasons.map(|reason| reason.advice()) {
        if !steps.contains(&step) {
            steps.push(step);
        }
    }
    let at_odds = audit.findings.iter().any(|finding| finding.level != Level::Note);
    if steps.is_empty() && audit.decisions.is_empty() && !at_odds {
        steps.push(if audit.receipt.is_some() {
            "nothing was published yet; audit again after the publish"
        } else {
            "nothing was rehearsed or published yet; check that this is the log you meant"
        });
    }
    steps
}

fn meaning(reason: ReasonCode) -> &'static str {
    match reason {
        ReasonCode::NoRehearsal => "no rehearsal was completed",
        ReasonCode::StalePlan => "the latest rehearsal is of another plan",
        ReasonCode::RegistryMismatch => "the latest rehearsal ran on another registry",
        ReasonCode::RehearsalFailed => "the latest rehearsal of this plan did not pass",
        ReasonCode::UnsoundEvidence => "the rehearsal says it passed, and its events do not bear it out",
        ReasonCode::UnknownGateEvent => "an event stands in the log that this version does not know",
        ReasonCode::UntrustedLog => "nothing is decided on a log that is torn, corrupt or broken",
    }
}

fn under(registry: Option<&str>, source: Option<RegistrySource>) -> String {
    let whose = match source {
        Some(RegistrySource::Recorded) => "as recorded",
        Some(RegistrySource::Demanded) => "as demanded",
        Some(RegistrySource::SelfDeclared) => "the log's own word",
        None => return ", no registry named".to_owned(),
    };
    format!(", registry {} ({whose})", registry.map(quoted).unwrap_or_default())
}

/// A plan's name, cut to what tells plans apart at a glance.
fn plan(plan_id: &str) -> String {
    word(plan_id, 16)
}

/// A text that is usually one word; quoted where it is not.
fn word(text: &str, most: usize) -> String {
    let neutral = neutral(text).at_most(most);
    let is_word = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.' | ':');
    if !text.is_empty() && text.chars().all(is_word) { neutral.to_string() } else { neutral.quoted().to_string() }
}

fn quoted(text: &str) -> String {
    neutral(text).at_most(60).quoted().to_string()
}

fn count(number: u64, what: &str) -> String {
    match (number, what) {
        (1, _) => format!("1 {what}"),
        (_, "publish") => format!("{number} publishes"),
        _ => format!("{number} {what}s"),
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
