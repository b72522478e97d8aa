//! The findings of a log, each with the bytes that show it.

use maud::{Markup, html};
use shipper_core::audit::Finding;

use super::elements::{left_out, prose, status};
use super::selection::LogSection;
use crate::excerpt::Excerpt;
use crate::explain::finding_explanation;
use crate::formats::human::decisions::DecisionsByLine;
use crate::formats::human::next_command::next_command;
use crate::formats::human::phrases::{derived_text, recorded_text};

/// Renders the most severe findings.
pub(super) fn findings(section: &LogSection<'_>) -> Markup {
    let decisions = &DecisionsByLine::new(section.audit);
    html! {
        @if section.findings.is_empty() { p { "None." } }
        @for (position, finding) in &section.findings { (article(finding, *position, section, decisions)) }
        (left_out(section.audit.findings.len() - section.findings.len(), "finding"))
    }
}

fn article(finding: &Finding, position: usize, section: &LogSection<'_>, decisions: &DecisionsByLine<'_>) -> Markup {
    let (level, excerpts) = (finding.level.as_str(), section.excerpts.of_finding(position));
    let place = match (finding.line, excerpts.first()) {
        (Some(line), Some(excerpt)) if excerpt.line == line => format!("line {line}, column {}", excerpt.columns.0),
        (Some(line), _) => format!("line {line}"),
        (None, _) => "no single line".to_owned(),
    };
    html! {
        article.finding.(level) id={ (section.id) "-finding-" (position + 1) } {
            h4 {
                (status(level)) " "
                code { (finding.code) } " " span.place { (place) }
            }
            p.message { (finding.message) }
            @for excerpt in excerpts { (figure(excerpt)) }
            dl.facts {
                @if let Some(decision) = decisions.of_finding(finding) {
                    dt { "Derived" }
                    dd { (derived_text(decision)) }
                    @if let Some(recorded) = recorded_text(decision) {
                        dt { "Recorded" }
                        dd { (recorded) }
                    }
                }
                dt { "Help" }
                dd { (finding.help) }
                dt { "Next" }
                dd { code { (next_command(finding, &section.log.path, section.audit, &section.report.demand)) } }
                dt { "Explained" }
                dd {
                    (prose(finding_explanation(finding.code).summary())) " "
                    code { "shipper-replay --explain " (finding.code) }
                }
            }
        }
    }
}

/// Renders a place in the log and its text.
fn figure(excerpt: &Excerpt) -> Markup {
    html! {
        figure {
            figcaption {
                span.place { (excerpt.line) ":" (excerpt.columns.0) }
                @if !excerpt.label.is_empty() { " " (excerpt.label) }
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
