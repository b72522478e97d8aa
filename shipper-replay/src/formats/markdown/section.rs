//! The section of a log that is not verified.

use shipper_core::audit::{AuditOptions, Decision, Finding, LogAudit, LogReport, Report};
use shipper_events::display_safe;

use super::escape::{code, code_in_cell, html_code};
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

/// Most decisions and findings of a log, and most excerpts of a finding.
const MAX_DECISIONS: usize = 20;
const MAX_FINDINGS: usize = 20;
const MAX_EXCERPTS: usize = 3;

/// Most runs of a decision.
const MAX_RUNS: usize = 5;

/// Most characters of the log before and after the target of a finding.
const MAX_CONTEXT_CHARS: usize = 60;

/// Renders the section of a log, collapsed behind its conclusion if there are many.
pub(super) fn section(log: &LogReport, excerpts: &LogExcerpts, report: &Report, folded: bool) -> String {
    let path = display_safe(&log.path).max_chars(200).to_string();
    let inside = match &log.audit {
        Some(audit) => judged(log, audit, excerpts, report),
        None => "- Next: check the path, and that you may read what is there\n".to_owned(),
    };
    if folded {
        let reason = html_code(&reason(log, report));
        format!(
            "<details>\n<summary><b>{}</b> {}: {reason}</summary>\n\n{inside}\n</details>\n\n",
            log.conclusion,
            html_code(&path)
        )
    } else {
        let reason = reason_as_markdown(log, report, code);
        format!("## {}\n\n**{}**: {reason}\n\n{inside}\n", code(&path), log.conclusion)
    }
}

/// Returns the reason for a conclusion as Markdown: our own words, or an error, which may contain any text.
pub(super) fn reason_as_markdown(log: &LogReport, report: &Report, code: impl Fn(&str) -> String) -> String {
    let reason = reason(log, report);
    if log.audit.is_some() { reason } else { code(&reason) }
}

fn reason(log: &LogReport, report: &Report) -> String {
    headline(log, report).trim_start_matches(", ").to_owned()
}

fn judged(log: &LogReport, audit: &LogAudit, excerpts: &LogExcerpts, report: &Report) -> String {
    let mut text = facts(audit);
    for step in next_steps(audit) {
        text += &format!("- Next: {step}\n");
    }
    text += &decisions(audit, report);
    text += &findings(&log.path, audit, &report.demand, excerpts);
    text += "\n### Not checked\n\n";
    for what in caveats(audit, &report.demand) {
        text += &format!("- {what}\n");
    }
    text
}

fn facts(audit: &LogAudit) -> String {
    let head = code(&format!("{}:{}:{}", audit.lines, audit.bytes, audit.blake3));
    let rehearsal = audit.receipt.as_ref().map_or_else(
        || "none was completed".to_owned(),
        |receipt| {
            let registry = code(&quoted(receipt.registry.as_str()));
            let plan = code(&short_plan_id(receipt.plan_id.as_str()));
            format!("line {}: {}, plan {plan} on {registry}", receipt.line, outcome(receipt.passed, &receipt.unsound))
        },
    );
    let mut text = format!("- Log: {}\n- Head: {head}\n- Rehearsal: {rehearsal}\n", extent(audit));
    if let Some(gate) = &audit.gate {
        let registry = registry_text(gate.query.rehearsal_registry.as_ref(), gate.registry_source);
        let registry = code(registry.trim_start_matches(", "));
        let plan = code(&short_plan_id(gate.query.plan_id.as_str()));
        text += &format!("- Gate now: **{}**, plan {plan}, {registry}\n", gate.verdict);
        for reason in &gate.reasons {
            text += &format!("  - {}: {}\n", code(reason.as_str()), refusal_text(*reason));
        }
    }
    text += &format!("- Sidecar: {}\n", code(&sidecar(&audit.sidecar)));
    for difference in &audit.sidecar.differences {
        text += &format!("  - {}\n", code(&diff_text(difference)));
    }
    text
}

/// Renders the most severe decisions, by line.
fn decisions(audit: &LogAudit, report: &Report) -> String {
    let mut shown: Vec<&Decision> = audit.decisions.iter().collect();
    shown.sort_by_key(|decision| (sort_rank(decision.status), decision.line));
    shown.truncate(MAX_DECISIONS);
    shown.sort_by_key(|decision| decision.line);
    if shown.is_empty() {
        return String::new();
    }
    let mut text = "\n### Decisions\n\n| line | status | plan | answer | runs |\n|---:|---|---|---|---|\n".to_owned();
    let judged_to = audited_up_to(audit, &report.demand);
    for decision in &shown {
        let plan = code_in_cell(&short_plan_id(decision.plan_id.as_str()));
        let answer = code_in_cell(&decision_text(decision));
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

/// Renders a note that `count` items are left out, if any are.
fn left_out(count: usize, noun: &str) -> String {
    let note = || format!("\n{} more; `--format json` has all.\n", plural(count as u64, noun));
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
    // A report that was made elsewhere may have another text.
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
