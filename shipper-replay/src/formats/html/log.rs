//! The section of one log.

use maud::{Markup, html};
use shipper_core::audit::{Integrity, LogAudit, LogReport, Report};
use shipper_events::display_safe;

use super::decisions::decisions;
use super::elements::status;
use super::findings::findings;
use super::selection::LogSection;
use super::timeline::timeline;
use crate::formats::human::caveats::caveats;
use crate::formats::human::phrases::{
    diff_text, headline, maybe_quoted, next_steps, path_text, plural, quoted, refusal_text, registry_text,
};
use crate::formats::human::summary::{extent, outcome, sidecar};
use crate::view::LogExcerpts;

/// Renders the section of a log. Its anchor is `id`.
pub(super) fn section(log: &LogReport, excerpts: &LogExcerpts, report: &Report, id: String) -> Markup {
    html! {
        section.log id=(id) aria-labelledby={ (id) "-title" } {
            h2 id={ (id) "-title" } { code { (path_text(&log.path)) } }
            @if report.logs.len() > 1 { p.verdict { (status(log.conclusion.as_str())) (headline(log, report)) } }
            @match &log.audit {
                Some(audit) => (judged(&LogSection::new(log, audit, excerpts, report, id))),
                None => {
                    h3 { "Next" }
                    ul.plain { li { "check the path, and that you may read what is there" } }
                },
            }
        }
    }
}

fn judged(section: &LogSection<'_>) -> Markup {
    let steps = next_steps(section.audit);
    html! {
        h3 { "Facts" }
        (facts(section.audit))
        @if !steps.is_empty() {
            h3 { "Next" }
            ul.plain { @for step in steps { li { (step) } } }
        }
        h3 { "Timeline" }
        (timeline(section))
        h3 { "Decisions" }
        (decisions(section))
        h3 { "Findings" }
        (findings(section))
        h3 { "Not checked" }
        ul.plain { @for caveat in caveats(section.audit, &section.report.demand) { li { (caveat) } } }
    }
}

fn facts(audit: &LogAudit) -> Markup {
    let (lines, bytes, blake3) = (audit.lines, audit.bytes, &audit.blake3);
    html! {
        dl.facts {
            dt { "Log" }
            dd { (extent(audit)) }
            dt { "Head" }
            dd {
                code.hash { (lines) ":" (bytes) ":" (blake3) }
                @if lines > 0 && audit.integrity != Integrity::Broken {
                    span.note {
                        "keep it elsewhere; " code { "--extends" } " with it shows later whether these bytes still stand"
                    }
                }
            }
            dt { "Rehearsal" }
            dd {
                @match &audit.receipt {
                    None => "none was completed",
                    Some(receipt) => {
                        "line " (receipt.line) ": " strong { (outcome(receipt.passed, &receipt.unsound)) }
                        ", on " (quoted(receipt.registry.as_str())) ", " (plural(receipt.packages_published, "package")) " published, "
                        time { (receipt.started_at) } " to " time { (receipt.completed_at) }
                        span.note { "plan " code.hash { (maybe_quoted(receipt.plan_id.as_str(), 400)) } }
                        span.note { "it says: " (display_safe(&receipt.summary).max_chars(400).quoted()) }
                    },
                }
            }
            @if let Some(gate) = &audit.gate {
                dt { "Gate now" }
                dd {
                    strong { (gate.verdict) } (registry_text(gate.query.rehearsal_registry.as_ref(), gate.registry_source))
                    span.note { "plan " code.hash { (maybe_quoted(gate.query.plan_id.as_str(), 400)) } }
                    @for reason in &gate.reasons { span.note { code { (reason) } ": " (refusal_text(*reason)) } }
                }
            }
            dt { "Sidecar" }
            dd {
                (sidecar(&audit.sidecar))
                @for difference in &audit.sidecar.differences { span.note { (diff_text(difference)) } }
            }
        }
    }
}
