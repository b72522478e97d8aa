//! The parts of the page about all logs: the conclusion, the table of logs, and the options of the audit.

use maud::{Markup, html};
use shipper_core::audit::{Level, LogReport, Report};

use super::elements::{left_out, prose, row, status, table};
use crate::explain::conclusion_explanation;
use crate::formats::human::most_severe_first;
use crate::formats::human::phrases::{gate_text, headline, maybe_quoted, path_text, quoted};
use crate::formats::human::summary::conclusions;

/// Most logs in the table.
const MAX_LISTED: usize = 2000;

const COLUMNS: [&str; 8] = ["Log", "Conclusion", "Because", "Lines", "Decisions", "Errors", "Warnings", "Notes"];

/// Returns the anchor of the section of the log at `position` in the report.
pub(super) fn section_id(position: usize) -> String {
    format!("log-{}", position + 1)
}

/// Renders the conclusion, its meaning, and the number of logs with each conclusion.
pub(super) fn header(report: &Report) -> Markup {
    let conclusion = report.conclusion;
    let why = match &report.logs[..] {
        [log] => reason(log, report),
        [] => "no log was judged".to_owned(),
        logs => {
            let such = logs.iter().filter(|log| log.conclusion == conclusion).count();
            format!("{such} of {} logs", logs.len())
        }
    };
    html! {
        p.kicker { "Audit of a publish gate\u{2019}s event log" }
        h1 { span.conclusion.(conclusion.as_str()) { (conclusion) } " " span.why { (why) } }
        @if let (Some(require), [log]) = (report.demand.require, &report.logs[..]) {
            p.gist {
                "Required of the gate: " strong { (require.as_str()) } ". It would answer "
                (gate_text(log).unwrap_or_else(|| "nothing".to_owned())) "."
            }
        }
        p.gist {
            (prose(conclusion_explanation(conclusion).summary()))
            " Exit status " (report.exit_code) "."
            @if report.logs.len() > 1 { " Of " (report.logs.len()) " logs: " (conclusions(report)) "." }
        }
    }
}

/// Returns the reason for the conclusion of a log.
fn reason(log: &LogReport, report: &Report) -> String {
    headline(log, report).trim_start_matches(", ").to_owned()
}

/// Renders the table of logs. Those at the positions in `sections` are links.
pub(super) fn logs(report: &Report, sections: &[usize]) -> Markup {
    let order = most_severe_first(report);
    let listed = order.iter().take(MAX_LISTED).filter_map(|position| {
        let section = sections.contains(position).then(|| section_id(*position));
        Some(log_row(report.logs.get(*position)?, report, section))
    });
    let rows: Vec<Markup> = listed.collect();
    html! {
        section aria-labelledby="logs" {
            h2 id="logs" { (if report.logs.len() == 1 { "The log" } else { "The logs" }) }
            @if rows.is_empty() { p { "No log was judged." } } @else { (table("logs", &COLUMNS, &rows)) }
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
    let require = demand.require.map(|require| require.as_str().to_owned());
    let rows: [(&str, Option<String>, &str); 7] = [
        ("--registry", registry, "none: the log\u{2019}s own word is taken"),
        ("--plan-id", plan, "none: every plan is judged"),
        ("--at", demand.at.as_ref().map(ToString::to_string), "none: the whole log is judged"),
        ("--extends", demand.extends.map(|head| head.to_string()), "none: a cut or rewritten end would not show"),
        ("--since", demand.since.map(|head| head.to_string()), "none: nothing is left out"),
        ("--require", require, "none: the exit status says the conclusion"),
        ("--strict", demand.strict.then(|| "warnings are errors".to_owned()), "no: warnings are warnings"),
    ];
    html! {
        h2 { "What was asked" }
        dl.facts {
            @for (option, value, otherwise) in rows {
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
            "shipper-replay " (env!("CARGO_PKG_VERSION")) ", by rules 1. Every code is explained by "
            code { "shipper-replay --explain CODE" } " and in " code { "docs/codes.md" }
            " beside the program\u{2019}s source. The page was made without a clock: the same logs and flags give the same "
            "bytes."
        }
    }
}
