//! The section of a log that is not verified.

use shipper_core::audit::{AuditOptions, Decision, Finding, LogAudit, LogReport, Report};
use shipper_events::display_safe;

use super::escape::{code, html_code, shown, shown_in_cell};
use crate::excerpt::Excerpt;
use crate::formats::human::caveats::caveats;
use crate::formats::human::next_command::next_command;
use crate::formats::human::phrases::{
    audited_up_to, decision_text, diff_text, headline, next_steps, plural, quoted, refusal_text, registry_text,
    run_text, short_plan_id,
};
use crate::formats::human::sort_rank;
use crate::formats::human::summary::{extent, outcome, sidecar};
use crate::view::{FindingFilter, LogExcerpts};

/// How many decisions, findings and places of a finding are told of.
const DECISIONS: usize = 20;
const FINDINGS: usize = 20;
const PLACES: usize = 3;

/// How many runs of a decision.
const RUNS: usize = 5;

/// How many characters of the log's text stand before and after a place.
const AROUND: usize = 60;

/// What is told of a log; folded up behind its conclusion where there are many.
pub(super) fn section(log: &LogReport, excerpts: &LogExcerpts, report: &Report, folded: bool) -> String {
    let path = display_safe(&log.path).max_chars(200).to_string();
    let headline = headline(log, report);
    let inside = match &log.audit {
        Some(audit) => judged(log, audit, excerpts, report),
        None => "- Next: check the path, and that you may read what is there\n".to_owned(),
    };
    if folded {
        let because = headline.strip_prefix(", ").unwrap_or(&headline);
        format!(
            "<details>\n<summary><b>{}</b> {}: {}</summary>\n\n{inside}\n</details>\n\n",
            log.conclusion,
            html_code(&path),
            html_code(because)
        )
    } else {
        let because = shown(headline.strip_prefix(", ").unwrap_or(&headline));
        format!("## {}\n\n**{}**: {because}\n\n{inside}\n", code(&path), log.conclusion)
    }
}

fn judged(log: &LogReport, audit: &LogAudit, excerpts: &LogExcerpts, report: &Report) -> String {
    let mut text = facts(audit);
    for step in next_steps(audit) {
        text += &format!("- Next: {}\n", shown(step));
    }
    text += &decisions(audit, report);
    text += &findings(&log.path, audit, &report.demand, excerpts);
    text += "\n### Not checked\n\n";
    for what in caveats(audit, &report.demand) {
        text += &format!("- {}\n", shown(&what));
    }
    text
}

fn facts(audit: &LogAudit) -> String {
    let mut text = format!("- Log: {}\n", shown(&extent(audit)));
    text += &format!("- Head: {}\n", code(&format!("{}:{}:{}", audit.lines, audit.bytes, audit.blake3)));
    let rehearsal = audit.receipt.as_ref().map_or_else(
        || "none was completed".to_owned(),
        |receipt| {
            let registry = code(&quoted(receipt.registry.as_str()));
            let plan = code(&short_plan_id(receipt.plan_id.as_str()));
            format!(
                "line {}: {}, plan {plan} on {registry}",
                receipt.line,
                shown(&outcome(receipt.passed, &receipt.unsound))
            )
        },
    );
    text += &format!("- Rehearsal: {rehearsal}\n");
    if let Some(gate) = &audit.gate {
        let registry = registry_text(gate.query.rehearsal_registry.as_ref(), gate.registry_source);
        let plan = code(&short_plan_id(gate.query.plan_id.as_str()));
        text += &format!("- Gate now: **{}**, plan {plan}{}\n", gate.verdict, tail(&registry));
        for reason in &gate.reasons {
            text += &format!("  - {}: {}\n", code(reason.as_str()), shown(refusal_text(*reason)));
        }
    }
    text += &format!("- Sidecar: {}\n", shown(&sidecar(&audit.sidecar)));
    for difference in &audit.sidecar.differences {
        text += &format!("  - {}\n", shown(&diff_text(difference)));
    }
    text
}

/// A text that goes on after a comma.
fn tail(text: &str) -> String {
    text.strip_prefix(", ").map_or_else(|| shown(text), |rest| format!(", {}", shown(rest)))
}

/// The decisions that weigh most, by line.
fn decisions(audit: &LogAudit, report: &Report) -> String {
    let mut shown: Vec<&Decision> = audit.decisions.iter().collect();
    shown.sort_by_key(|decision| (sort_rank(decision.status), decision.line));
    shown.truncate(DECISIONS);
    shown.sort_by_key(|decision| decision.line);
    if shown.is_empty() {
        return String::new();
    }
    let mut text = "\n### Decisions\n\n| line | status | plan | answer | runs |\n|---:|---|---|---|---|\n".to_owned();
    let judged_to = audited_up_to(audit, &report.demand);
    for decision in &shown {
        let plan = shown_in_cell(&short_plan_id(decision.plan_id.as_str()));
        let answer = shown_in_cell(&decision_text(decision));
        let registry = registry_text(decision.registry.as_ref(), decision.registry_source);
        let registry = shown_in_cell(registry.strip_prefix(", ").unwrap_or(&registry));
        let told = decision.runs.iter().take(RUNS).map(|run| shown_in_cell(&run_text(run, judged_to)));
        let more = decision.runs.len().saturating_sub(RUNS);
        let more = (more > 0).then(|| format!("and {more} more"));
        let runs: Vec<String> = told.chain(more).collect();
        let runs = if runs.is_empty() { "none".to_owned() } else { runs.join("<br>") };
        let (line, status) = (decision.line, decision.status.as_str());
        text += &format!("| {line} | **{status}** | {plan}, {registry} | {answer} | {runs} |\n");
    }
    let rest = (audit.decisions.len() - shown.len()) as u64;
    if rest > 0 {
        text += &format!("\n{} more; `--format json` has all.\n", plural(rest, "decision"));
    }
    text
}

/// The findings that weigh most, notes left out.
fn findings(path: &str, audit: &LogAudit, demand: &AuditOptions, excerpts: &LogExcerpts) -> String {
    let all = FindingFilter { max: usize::MAX, notes: false }.select(&audit.findings);
    if all.is_empty() {
        return String::new();
    }
    let mut text = "\n### Findings\n\n".to_owned();
    for position in all.iter().take(FINDINGS) {
        if let Some(found) = audit.findings.get(*position) {
            text += &finding(found, path, audit, demand, excerpts.of_finding(*position));
        }
    }
    let rest = all.len().saturating_sub(FINDINGS) as u64;
    if rest > 0 {
        text += &format!("\n{} more; `--format json` has all.\n", plural(rest, "finding"));
    }
    text
}

fn finding(finding: &Finding, path: &str, audit: &LogAudit, demand: &AuditOptions, excerpts: &[Excerpt]) -> String {
    let place = match (finding.line, excerpts.first()) {
        (Some(line), Some(excerpt)) if excerpt.line == line => format!(" {line}:{}", excerpt.columns.0),
        (Some(line), _) => format!(" line {line}"),
        (None, _) => String::new(),
    };
    let (level, name) = (finding.level.as_str(), code(finding.code.as_str()));
    let mut text = format!("- **{level}** {name}{place}: {}\n", shown(&finding.message));
    for excerpt in excerpts.iter().take(PLACES) {
        let label = if excerpt.label.is_empty() { String::new() } else { format!(" {}", shown(excerpt.label)) };
        text += &format!("  - {}:{}{label}: {}\n", excerpt.line, excerpt.columns.0, quote(excerpt));
    }
    text += &format!("  - Help: {}\n", shown(&finding.help));
    text + &format!("  - Next: {}\n", code(&next_command(finding, path, audit, demand)))
}

/// The text around a place, the place in bold.
fn quote(excerpt: &Excerpt) -> String {
    let before: Vec<char> = excerpt.before.chars().collect();
    let cut = before.len().saturating_sub(AROUND);
    let ellipsis = |is_cut: bool| if is_cut { "\u{2026}" } else { "" };
    let before: String = before.iter().skip(cut).collect();
    let after: String = excerpt.after.chars().take(AROUND).collect();
    let is_cut = excerpt.after.chars().count() > AROUND;
    let before = code(&format!("{}{before}", ellipsis(cut > 0)));
    let after = code(&format!("{after}{}", ellipsis(is_cut)));
    let marked = if excerpt.target.is_empty() { String::new() } else { format!("**{}**", code(&excerpt.target)) };
    [before, marked, after].concat()
}
