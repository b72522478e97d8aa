//! Table of the decisions of a log, each with its verdict and its runs.

use maud::{Markup, html};
use shipper_core::audit::Decision;

use super::elements::{left_out, row, status, table};
use super::selection::LogSection;
use crate::formats::text::commits::commits_text;
use crate::formats::text::phrases::{audited_up_to, decision_text, maybe_quoted, registry_text, run_text};

const COLUMNS: [&str; 4] = ["Line", "Status", "Plan", "Verdict"];

/// Renders the most severe decisions in the order of their lines, each followed by its runs.
pub(super) fn decisions(section: &LogSection<'_>) -> Markup {
    let all = &section.audit.decisions;
    let judged_to = audited_up_to(section.audit, &section.report.demand);
    let mut rows = Vec::new();
    for decision in &section.decisions {
        rows.push(decision_row(decision, &section.id));
        for run in decision.runs.iter().filter(|run| section.runs.contains(&run.line)) {
            rows.push(html! {
                tr.run role="row" id={ (section.id) "-run-" (run.line) } {
                    td role="cell" aria-hidden="true" { "\u{21b3}" }
                    td role="cell" colspan="3" { (run_text(run, judged_to)) }
                }
            });
        }
    }
    html! {
        @if rows.is_empty() { p { "The log contains no decision." } } @else { (table("decisions", &COLUMNS, &rows)) }
        (left_out(all.len() - section.decisions.len(), "decision"))
        (left_out(all.iter().map(|decision| decision.runs.len()).sum::<usize>() - section.runs.len(), "run"))
    }
}

fn decision_row(decision: &Decision, id: &str) -> Markup {
    let registry = registry_text(decision.registry.as_ref(), decision.registry_source);
    let cells = [
        html! { (decision.line) },
        status(decision.status.as_str()),
        html! { code.hash { (maybe_quoted(decision.plan_id.as_str(), 400)) } (registry) },
        html! {
            (decision_text(decision))
            @if let Some(commits) = commits_text(decision) { "; " (commits) }
        },
    ];
    row(Some(format!("{id}-decision-{}", decision.line)), COLUMNS, cells)
}
