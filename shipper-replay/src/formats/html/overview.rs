//! Parts of the page about all logs: the headline, the table of logs, and the options of the audit.

use maud::{Markup, html};
use shipper_core::audit::{Level, LogReport, Report};
use shipper_events::event::RULES_VERSION;

use super::elements::{left_out, prose, row, status, table};
use crate::explain::conclusion_explanation;
use crate::formats::text::headline::{capitalized, reason};
use crate::formats::text::phrases::{log_gate_text, maybe_quoted, path_text, policy_text, quoted};
use crate::formats::text::seal::{seal_text, signer_text};
use crate::formats::text::summary::conclusions;
use crate::formats::text::summary::most_severe_first;

/// Largest number of logs in the table.
const MAX_LISTED: usize = 2000;

const COLUMNS: [&str; 8] = ["Log", "Conclusion", "Reason", "Lines", "Decisions", "Errors", "Warnings", "Notes"];

/// Returns the anchor of the section of the log at `position` in the report.
pub(super) fn section_id(position: usize) -> String {
    format!("log-{}", position + 1)
}

/// Renders the headline, the meaning of the conclusion, and the number of logs with each conclusion.
pub(super) fn header(report: &Report) -> Markup {
    let conclusion = report.conclusion;
    let sentence = match &report.logs[..] {
        [log] => format!("{}.", capitalized(&reason(log, report))),
        [] => "The audit got no log.".to_owned(),
        logs => {
            let such = logs.iter().filter(|log| log.conclusion == conclusion).count();
            format!("The conclusion for {such} of {} logs is {conclusion}.", logs.len())
        }
    };
    html! {
        h1 { (status(conclusion.as_str())) " " span.headline { (sentence) } }
        @if let (Some(require), [log]) = (report.demand.require, &report.logs[..]) {
            p.gist {
                "Required verdict: " strong { (require.as_str()) } ". Verdict of the gate: "
                (log_gate_text(log).unwrap_or_else(|| "none".to_owned())) "."
            }
        }
        @if let [log] = &report.logs[..] {
            @if let Some(seal) = seal_text(log, &report.demand) { p.gist { (capitalized(&seal)) "." } }
        }
        p.gist {
            (prose(conclusion_explanation(conclusion).summary()))
            " The exit status is " (report.exit_code) "."
            @if report.logs.len() > 1 { " Of " (report.logs.len()) " logs: " (conclusions(report)) "." }
        }
    }
}

/// Renders the table of logs. A log at a position in `sections` links to its section.
pub(super) fn logs(report: &Report, sections: &[usize]) -> Markup {
    let order = most_severe_first(report);
    let listed = order.iter().take(MAX_LISTED).filter_map(|position| {
        let section = sections.contains(position).then(|| section_id(*position));
        Some(log_row(report.logs.get(*position)?, report, section))
    });
    let rows: Vec<Markup> = listed.collect();
    html! {
        section aria-labelledby="logs" {
            h2 id="logs" { "Logs" }
            (table("logs", &COLUMNS, &rows))
            (left_out(order.len() - rows.len(), "log"))
        }
    }
}

fn log_row(log: &LogReport, report: &Report, section: Option<String>) -> Markup {
    let path = html! { code { (path_text(&log.path)) } };
    let audit = log.audit.as_ref();
    let number = |number: Option<u64>| html! { (number.map_or("\u{2013}".to_owned(), |number| number.to_string())) };
    let findings = |level| {
        number(audit.map(|audit| audit.findings.iter().filter(|finding| finding.level == level).count() as u64))
    };
    let cells = [
        html! { @match section { Some(section) => a href={ "#" (section) } { (path) }, None => (path) } },
        status(log.conclusion.as_str()),
        html! { (reason(log, report)) },
        number(audit.map(|audit| audit.lines)),
        number(audit.map(|audit| audit.decisions.len() as u64)),
        findings(Level::Error),
        findings(Level::Warning),
        findings(Level::Note),
    ];
    row(None, COLUMNS, cells)
}

/// Renders the options of the audit, and the version.
pub(super) fn demand(report: &Report) -> Markup {
    let demand = &report.demand;
    let registry = demand.registry.as_ref().map(|registry| quoted(registry.as_str()));
    let plan = demand.plan_id.as_ref().map(|plan| maybe_quoted(plan.as_str(), 400));
    let rows: [(&str, Option<String>, &str); 7] = [
        ("--registry", registry, "not set: the audit uses the registry that the log names"),
        ("--plan-id", plan, "not set: the audit covers every plan"),
        ("--at", demand.at.as_ref().map(ToString::to_string), "not set: the audit covers the whole log"),
        (
            demand.extends_option(),
            demand.extends.map(|head| head.to_string()),
            "not set: the audit cannot detect a cut or rewritten log",
        ),
        ("--since", demand.since.map(|head| head.to_string()), "not set: the audit ignores no earlier finding"),
        ("--require", demand.require_list(), "not set: the exit status depends on the conclusion"),
        ("--strict", demand.strict.then(|| "warnings are errors".to_owned()), "not set: warnings are not errors"),
    ];
    let optional = [
        ("signed by", demand.head_signer.as_ref().map(signer_text)),
        ("--accept", demand.accept_list()),
        ("--acknowledge-earlier", demand.acknowledge_earlier.map(|head| head.to_string())),
        ("--policy", policy_text(demand)),
    ];
    let given = optional.into_iter().filter(|(_, value)| value.is_some()).map(|(option, value)| (option, value, ""));
    html! {
        h2 { "Audit options" }
        dl.facts {
            @for (option, value, otherwise) in rows.into_iter().chain(given) {
                dt { code { (option) } }
                dd {
                    @match value {
                        Some(value) => code { (value) },
                        None => span.muted { (otherwise) },
                    }
                }
            }
        }
        p.caption {
            "Audit by shipper-replay " (env!("CARGO_PKG_VERSION")) " under rules version " (RULES_VERSION) ". "
            code { "shipper-replay --explain CODE" } " and " code { "docs/codes.md" } " explain every code. "
            "The same logs and options always give the same page."
        }
    }
}
