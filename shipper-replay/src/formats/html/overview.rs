//! What holds over all logs: the conclusion, the counts, the table of logs, and what was asked.

use maud::{Markup, html};
use shipper_core::audit::{Level, LogReport, Report};
use shipper_events::display_safe;

use super::{Anchors, prose};
use crate::explain::conclusion_explanation;
use crate::formats::human::most_severe_first;
use crate::formats::human::phrases::{gate_text, headline, maybe_quoted, plural, quoted};
use crate::formats::human::summary::conclusions;

/// How many logs the table lists.
const LISTED: usize = 2000;

/// The columns of the table of logs, which small screens repeat beside each cell.
const COLUMNS: [&str; 8] = ["Conclusion", "Log", "Because", "Lines", "Decisions", "Errors", "Warnings", "Notes"];

/// The conclusion in one line, what it means, and how many logs have which.
pub(super) fn header(report: &Report) -> Markup {
    let conclusion = report.conclusion;
    let why = match &report.logs[..] {
        [log] => without_comma(&headline(log, report)),
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

/// A headline goes on after the conclusion's word.
pub(super) fn without_comma(headline: &str) -> String {
    headline.strip_prefix(", ").unwrap_or(headline).to_owned()
}

/// The table of logs.
pub(super) fn logs(report: &Report, sections: &[usize]) -> Markup {
    let order = most_severe_first(report);
    let rest = order.len().saturating_sub(LISTED) as u64;
    html! {
        section aria-labelledby="logs" {
            h2 id="logs" { (if report.logs.len() == 1 { "The log" } else { "The logs" }) }
            @if report.logs.is_empty() {
                p { "No log was judged." }
            } @else {
                table.stack.logs role="table" {
                    thead role="rowgroup" {
                        tr role="row" {
                            @for (position, column) in COLUMNS.iter().enumerate() {
                                th.number[position > 2] scope="col" role="columnheader" { (column) }
                            }
                        }
                    }
                    tbody role="rowgroup" {
                        @for position in order.iter().take(LISTED) {
                            @if let Some(log) = report.logs.get(*position) {
                                (row(log, report, *position, sections.contains(position)))
                            }
                        }
                    }
                }
            }
            @if rest > 0 { p.caption { (plural(rest, "log")) " more; " code { "--format json" } " has all." } }
        }
    }
}

fn row(log: &LogReport, report: &Report, position: usize, has_section: bool) -> Markup {
    let path = display_safe(&log.path).max_chars(400).to_string();
    let audit = log.audit.as_ref();
    let of = |level| audit.map(|audit| audit.findings.iter().filter(|finding| finding.level == level).count());
    let numbers = [
        audit.map(|audit| audit.lines.to_string()),
        audit.map(|audit| audit.decisions.len().to_string()),
        of(Level::Error).map(|count| count.to_string()),
        of(Level::Warning).map(|count| count.to_string()),
        of(Level::Note).map(|count| count.to_string()),
    ];
    let labels = COLUMNS.iter().skip(3);
    html! {
        tr role="row" {
            td role="cell" data-label=(COLUMNS[0]) { span.status.(log.conclusion.as_str()) { (log.conclusion) } }
            th scope="row" role="rowheader" data-label=(COLUMNS[1]) {
                @if has_section { a href={ "#" (Anchors::of_log(position).section()) } { code { (path) } } }
                @else { code { (path) } }
            }
            td role="cell" data-label=(COLUMNS[2]) { (without_comma(&headline(log, report))) }
            @for (number, label) in numbers.iter().zip(labels) {
                td.number role="cell" data-label=(label) { (number.as_deref().unwrap_or("\u{2013}")) }
            }
        }
    }
}

/// What was asked, and what answered.
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
