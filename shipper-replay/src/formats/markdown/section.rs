//! The section of a log that is not verified.

use shipper_core::audit::{AuditOptions, Finding, LogAudit, LogReport, Report};
use shipper_events::display_safe;

use super::escape::{code, code_in_cell, html_code};
use crate::excerpt::Excerpt;
use crate::formats::text::caveats::Caveat;
use crate::formats::text::commits::commits_text;
use crate::formats::text::decisions::most_severe;
use crate::formats::text::headline::{capitalized, reason};
use crate::formats::text::next_command::next_command;
use crate::formats::text::phrases::{
    audited_up_to, decision_text, next_steps, plural, registry_text, run_text, short_plan_id,
};
use crate::formats::text::summary::facts;
use crate::view::{FindingFilter, LogExcerpts};

/// Most decisions and findings of a log, and most excerpts of a finding.
const MAX_DECISIONS: usize = 20;
const MAX_FINDINGS: usize = 20;
const MAX_EXCERPTS: usize = 3;

/// Most runs of a decision.
const MAX_RUNS: usize = 5;

/// Most characters of the log before and after the target of a finding.
const MAX_CONTEXT_CHARS: usize = 60;

/// Renders the section of a log. If `folded` is true, a reader sees only its conclusion until opening it.
pub(super) fn section(log: &LogReport, excerpts: &LogExcerpts, report: &Report, folded: bool) -> String {
    let path = display_safe(&log.path).max_chars(200).to_string();
    let inside = match &log.audit {
        Some(audit) => judged(log, audit, excerpts, report),
        None => "- Next: check that the path exists and that you can read it\n".to_owned(),
    };
    if folded {
        let reason = html_code(&reason(log, report));
        format!(
            "<details>\n<summary><b>{}</b> {}: {reason}</summary>\n\n{inside}\n</details>\n\n",
            log.conclusion,
            html_code(&path)
        )
    } else {
        let reason = code(&reason(log, report));
        format!("## {}\n\n**{}**: {reason}\n\n{inside}\n", code(&path), log.conclusion)
    }
}

fn judged(log: &LogReport, audit: &LogAudit, excerpts: &LogExcerpts, report: &Report) -> String {
    let mut text = String::new();
    for fact in facts(audit, &report.demand, |plan_id| short_plan_id(plan_id.as_str())) {
        text += &format!("- {}: {}\n", capitalized(fact.label), code(&fact.text));
        fact.details.iter().for_each(|detail| text += &format!("  - {}\n", code(detail)));
    }
    for step in next_steps(audit) {
        text += &format!("- Next: {step}\n");
    }
    text += &decisions(audit, report);
    text += &findings(&log.path, audit, &report.demand, excerpts);
    text += "\n### Not checked\n\n";
    for caveat in Caveat::of(audit, &report.demand) {
        text += &format!("- {}\n", caveat.as_str());
    }
    text
}

/// Renders the most severe decisions, by line.
fn decisions(audit: &LogAudit, report: &Report) -> String {
    let shown = most_severe(&audit.decisions, MAX_DECISIONS);
    if shown.is_empty() {
        return String::new();
    }
    let mut text = "\n### Decisions\n\n| line | status | plan | verdict | runs |\n|---:|---|---|---|---|\n".to_owned();
    let judged_to = audited_up_to(audit, &report.demand);
    for decision in &shown {
        let plan = code_in_cell(&short_plan_id(decision.plan_id.as_str()));
        let commits = commits_text(decision).map_or(String::new(), |commits| format!("; {commits}"));
        let answer = code_in_cell(&format!("{}{commits}", decision_text(decision)));
        let registry = registry_text(decision.registry.as_ref(), decision.registry_source);
        let registry = code_in_cell(registry.trim_start_matches(", "));
        let runs = decision.runs.iter().take(MAX_RUNS).map(|run| code_in_cell(&run_text(run, judged_to)));
        let more = decision.runs.len().saturating_sub(MAX_RUNS);
        let more = (more > 0).then(|| format!("and {more} more"));
        let runs: Vec<String> = runs.chain(more).collect();
        let runs = if runs.is_empty() { "none".to_owned() } else { runs.join("<br>") };
        let (line, status) = (decision.line, decision.status.as_str());
        text += &format!("| {line} | **{status}** | {plan}, {registry} | {answer} | {runs} |\n");
    }
    text + &left_out(audit.decisions.len() - shown.len(), "decision")
}

/// Renders a note about `count` omitted items; empty for 0.
fn left_out(count: usize, noun: &str) -> String {
    let note = || format!("\n{}; `--format json` lists all.\n", plural(count as u64, &format!("more {noun}")));
    (count > 0).then(note).unwrap_or_default()
}

/// Renders the most severe findings without notes.
fn findings(path: &str, audit: &LogAudit, demand: &AuditOptions, excerpts: &LogExcerpts) -> String {
    let all = FindingFilter { max: usize::MAX, notes: false }.select(&audit.findings);
    if all.is_empty() {
        return String::new();
    }
    let mut text = "\n### Findings\n\n".to_owned();
    for position in all.iter().take(MAX_FINDINGS) {
        if let Some(found) = audit.findings.get(*position) {
            text += &finding(found, path, audit, demand, excerpts.of_finding(*position));
        }
    }
    text + &left_out(all.len().saturating_sub(MAX_FINDINGS), "finding")
}

fn finding(finding: &Finding, path: &str, audit: &LogAudit, demand: &AuditOptions, excerpts: &[Excerpt]) -> String {
    let place = match (finding.line, excerpts.first()) {
        (Some(line), Some(excerpt)) if excerpt.line == line => format!(" {line}:{}", excerpt.columns.0),
        (Some(line), _) => format!(" line {line}"),
        (None, _) => String::new(),
    };
    let (level, name) = (finding.level.as_str(), code(finding.code.as_str()));
    let mut text = format!("- **{level}** {name}{place}: {}\n", code(&finding.message));
    for excerpt in excerpts.iter().take(MAX_EXCERPTS) {
        let label = if excerpt.label.is_empty() { String::new() } else { format!(" {}", excerpt.label) };
        text += &format!("  - {}:{}{label}: {}\n", excerpt.line, excerpt.columns.0, render_excerpt(excerpt));
    }
    // A merged report may contain another text.
    let help = if finding.help == finding.code.help() { finding.help.to_string() } else { code(&finding.help) };
    text += &format!("  - Help: {help}\n");
    text + &format!("  - Next: {}\n", code(&next_command(finding, path, audit, demand)))
}

/// Renders the text around the target of a finding, the target in bold.
fn render_excerpt(excerpt: &Excerpt) -> String {
    let before: Vec<char> = excerpt.before.chars().collect();
    let cut = before.len().saturating_sub(MAX_CONTEXT_CHARS);
    let ellipsis = |is_cut: bool| if is_cut { "\u{2026}" } else { "" };
    let before: String = before.iter().skip(cut).collect();
    let after: String = excerpt.after.chars().take(MAX_CONTEXT_CHARS).collect();
    let is_cut = excerpt.after.chars().count() > MAX_CONTEXT_CHARS;
    let before = code(&format!("{}{before}", ellipsis(cut > 0)));
    let after = code(&format!("{after}{}", ellipsis(is_cut)));
    let marked = if excerpt.target.is_empty() { String::new() } else { format!("**{}**", code(&excerpt.target)) };
    [before, marked, after].concat()
}
