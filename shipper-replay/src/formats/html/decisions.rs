//! The decisions of a log: the derived verdict, the recorded verdict, and the runs that used it.

use maud::{Markup, html};
use shipper_core::audit::{Decision, UnprovenCause};

use super::elements::{left_out, row, status, table};
use super::selection::LogSection;
use crate::formats::human::phrases::{
    audited_up_to, derived_text, maybe_quoted, recorded_text, registry_text, run_text,
};

const COLUMNS: [&str; 5] = ["Line", "Status", "Asked about", "Derived", "Recorded"];

/// Renders the most severe decisions, by line, each followed by its runs.
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
                    td role="cell" colspan="4" { (run_text(run, judged_to)) }
                }
            });
        }
    }
    html! {
        @if rows.is_empty() { p { "Nothing was decided." } } @else { (table("decisions", &COLUMNS, &rows)) }
        (left_out(all.len() - section.decisions.len(), "decision"))
        (left_out(all.iter().map(|decision| decision.runs.len()).sum::<usize>() - section.runs.len(), "run"))
    }
}

fn decision_row(decision: &Decision, id: &str) -> Markup {
    let because = decision.because.map(|cause| match cause {
        UnprovenCause::Dormant => "dormant: no rehearsal registry was configured",
        UnprovenCause::Bypassed => "bypassed: the gate was skipped",
        UnprovenCause::Unrecorded => "unrecorded: nothing says why the run began all the same",
    });
    let differs = match (&decision.recorded, &decision.derived) {
        (Some(recorded), Some(derived)) => recorded != derived,
        _ => false,
    };
    let registry = registry_text(decision.registry.as_ref(), decision.registry_source);
    let cells = [
        html! { (decision.line) },
        status(decision.status.as_str()),
        html! { "plan " code.hash { (maybe_quoted(decision.plan_id.as_str(), 400)) } (registry) },
        html! { (derived_text(decision)) @if let Some(because) = because { span.note { (because) } } },
        html! {
            @match recorded_text(decision) {
                None => span.muted { "nothing" },
                Some(recorded) => { (recorded) @if differs { span.note { strong { "differs" } } } },
            }
        },
    ];
    row(Some(format!("{id}-decision-{}", decision.line)), COLUMNS, cells)
}
