//! The decisions of a log: what was derived, what was recorded, and the runs that took it.

use maud::{Markup, html};
use shipper_core::audit::{Decision, UnprovenCause};

use super::anchors::Anchors;
use super::selection::LogSection;
use crate::formats::human::phrases::{
    audited_up_to, derived_text, maybe_quoted, plural, recorded_text, registry_text, run_text,
};

/// The columns, which small screens repeat beside each cell.
const COLUMNS: [&str; 5] = ["Line", "Status", "Asked about", "Derived", "Recorded"];

/// The decisions that weigh most, by line.
pub(super) fn table(section: &LogSection<'_>) -> Markup {
    let LogSection { audit, report, selection, anchors, .. } = section;
    let decisions: Vec<&Decision> = selection.decisions.iter().filter_map(|at| audit.decisions.get(*at)).collect();
    let rest = (audit.decisions.len() - decisions.len()) as u64;
    let runs = audit.decisions.iter().map(|decision| decision.runs.len()).sum::<usize>() - selection.runs.len();
    let judged_to = audited_up_to(audit, &report.demand);
    html! {
        @if decisions.is_empty() {
            p { "Nothing was decided." }
        } @else {
            table.stack.decisions role="table" {
                thead role="rowgroup" {
                    tr role="row" { @for column in COLUMNS { th scope="col" role="columnheader" { (column) } } }
                }
                tbody role="rowgroup" {
                    @for decision in decisions {
                        (row(decision, *anchors))
                        @for run in decision.runs.iter().filter(|run| selection.runs.contains(&run.line)) {
                            tr.run role="row" id=(anchors.run(run.line)) {
                                td.turn role="cell" aria-hidden="true" { "\u{21b3}" }
                                td role="cell" colspan="4" { (run_text(run, judged_to)) }
                            }
                        }
                    }
                }
            }
        }
        @if rest > 0 {
            p.caption { (plural(rest, "decision")) " more; " code { "--format json" } " has all." }
        }
        @if runs > 0 {
            p.caption { (plural(runs as u64, "run")) " more; " code { "--format json" } " has all." }
        }
    }
}

fn row(decision: &Decision, anchors: Anchors) -> Markup {
    let because = match decision.because {
        Some(UnprovenCause::Dormant) => Some("dormant: no rehearsal registry was configured"),
        Some(UnprovenCause::Bypassed) => Some("bypassed: the gate was skipped"),
        Some(UnprovenCause::Unrecorded) => Some("unrecorded: nothing says why the run began all the same"),
        None => None,
    };
    let differ = match (&decision.recorded, &decision.derived) {
        (Some(recorded), Some(derived)) => recorded != derived,
        _ => false,
    };
    let status = decision.status.as_str();
    let registry = registry_text(decision.registry.as_ref(), decision.registry_source);
    html! {
        tr role="row" id=(anchors.decision(decision.line)) {
            th.number scope="row" role="rowheader" data-label=(COLUMNS[0]) { (decision.line) }
            td role="cell" data-label=(COLUMNS[1]) { span.status.(status) { (status) } }
            td role="cell" data-label=(COLUMNS[2]) {
                "plan " code.hash { (maybe_quoted(decision.plan_id.as_str(), 400)) } (registry)
            }
            td role="cell" data-label=(COLUMNS[3]) {
                (derived_text(decision))
                @if let Some(because) = because { span.note { (because) } }
            }
            td role="cell" data-label=(COLUMNS[4]) {
                @match recorded_text(decision) {
                    None => span.muted { "nothing" },
                    Some(recorded) => {
                        (recorded)
                        @if differ { span.note { strong { "differs" } } }
                    },
                }
            }
        }
    }
}
