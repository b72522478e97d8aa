//! Findings of a log, each with the excerpts that show it.

use std::collections::HashSet;

use maud::{Markup, html};
use shipper_core::audit::Finding;

use super::elements::{left_out, prose, status};
use super::selection::LogSection;
use crate::excerpt::Excerpt;
use crate::explain::finding_explanation;
use crate::formats::text::decisions::DecisionsByLine;
use crate::formats::text::next_command::next_command;
use crate::formats::text::phrases::{derived_text, recorded_text};

/// Renders the most severe findings. A meaning, a help text or a command is part of the first finding that has it.
pub(super) fn findings(section: &LogSection<'_>) -> Markup {
    let decisions = &DecisionsByLine::new(section.audit);
    let mut shown = HashSet::new();
    html! {
        @if section.findings.is_empty() { p { "The audit has no findings." } }
        @for (position, finding) in &section.findings {
            (article(finding, *position, section, decisions, &mut shown))
        }
        (left_out(section.audit.findings.len() - section.findings.len(), "finding"))
    }
}

fn article(
    finding: &Finding,
    position: usize,
    section: &LogSection<'_>,
    decisions: &DecisionsByLine<'_>,
    shown: &mut HashSet<String>,
) -> Markup {
    let (level, decision) = (finding.level.as_str(), decisions.of_finding(finding));
    let meaning = finding_explanation(finding.code).summary();
    let command = next_command(finding, &section.log.path, section.audit, &section.report.demand);
    let mut is_new = |text: &str| shown.insert(text.to_owned());
    html! {
        article.finding.(level) id={ (section.id) "-finding-" (position + 1) } {
            h4 {
                (status(level)) " "
                code { (finding.code) }
                @if let Some(line) = finding.line { " " span.place { "line " (line) } }
            }
            p.message { (finding.message) }
            @for excerpt in section.excerpts.of_finding(position) { (figure(excerpt)) }
            dl.facts {
                @let (derived, recorded) = (decision.map(derived_text), decision.and_then(recorded_text));
                @if let Some(derived) = derived { dt { "Derived verdict" } dd { (derived) } }
                @if let Some(recorded) = recorded { dt { "Recorded verdict" } dd { (recorded) } }
                @if is_new(meaning) { dt { "Meaning" } dd { (prose(meaning)) } }
                @if is_new(&finding.help) { dt { "Help" } dd { (finding.help) } }
                @if is_new(&command) { dt { "Command" } dd { code { (command) } } }
            }
        }
    }
}

/// Renders an excerpt below its place in the log.
fn figure(excerpt: &Excerpt) -> Markup {
    html! {
        figure {
            figcaption {
                span.place { "line " (excerpt.line) ", column " (excerpt.columns.0) }
                @if !excerpt.label.is_empty() { ": " (excerpt.label) }
            }
            pre tabindex="0" {
                code {
                    (excerpt.before)
                    @if excerpt.target.is_empty() { mark.point {} } @else { mark { (excerpt.target) } }
                    (excerpt.after)
                }
            }
        }
    }
}
