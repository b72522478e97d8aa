//! Section of one log: its findings, timeline, decisions and events, then its facts and what was not checked.

use maud::{Markup, html};
use shipper_core::audit::{Integrity, LogReport, Report};
use shipper_events::PlanId;

use super::decisions::decisions;
use super::elements::status;
use super::findings::findings;
use super::selection::LogSection;
use super::timeline::timeline;
use crate::formats::text::caveats::Caveat;
use crate::formats::text::headline::{capitalized, reason};
use crate::formats::text::phrases::{maybe_quoted, next_steps, path_text};
use crate::formats::text::summary::facts;
use crate::view::LogExcerpts;

/// Renders the section of a log. Its anchor is `id`.
pub(super) fn section(log: &LogReport, excerpts: &LogExcerpts, report: &Report, id: String) -> Markup {
    html! {
        section.log id=(id) aria-labelledby={ (id) "-title" } {
            h2 id={ (id) "-title" } { code { (path_text(&log.path)) } }
            @if report.logs.len() > 1 { p.verdict { (status(log.conclusion.as_str())) " " (reason(log, report)) } }
            @match &log.audit {
                Some(audit) => (judged(&LogSection::new(log, audit, excerpts, report, id))),
                None => {
                    h3 { "Next steps" }
                    p { "Check the path, and check that you may read the file." }
                },
            }
        }
    }
}

fn judged(section: &LogSection<'_>) -> Markup {
    let (steps, (timeline, events)) = (next_steps(section.audit), timeline(section));
    html! {
        h3 { "Findings" } (findings(section))
        @if !steps.is_empty() { h3 { "Next steps" } ul.plain { @for step in steps { li { (step) } } } }
        h3 { "Timeline" } (timeline)
        h3 { "Decisions" } (decisions(section))
        @if let Some(events) = events { h3 { "Events" } (events) }
        h3 { "Facts" } (fact_list(section))
        h3 { "Not checked" }
        ul.plain { @for caveat in Caveat::of(section.audit, &section.report.demand) { li { (caveat.as_str()) } } }
    }
}

/// Renders the facts about a log. The note explains the use of its head.
fn fact_list(section: &LogSection<'_>) -> Markup {
    let plan = |plan_id: &PlanId| maybe_quoted(plan_id.as_str(), 400);
    html! {
        dl.facts {
            @for fact in facts(section.audit, &section.report.demand, plan) {
                dt { (capitalized(fact.label)) }
                dd { (fact.text) @for detail in fact.details { span.note { (detail) } } }
            }
        }
        @if section.audit.lines > 0 && section.audit.integrity != Integrity::Broken {
            p.caption {
                "If you keep the head outside the log, a later audit with " code { "--extends" }
                " detects every change of these lines."
            }
        }
    }
}
