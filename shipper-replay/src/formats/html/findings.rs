//! The findings of a log, each with the bytes that show it.

use maud::{Markup, html};
use shipper_core::audit::{Finding, Level};

use super::log::Told;
use super::prose;
use crate::excerpt::Excerpt;
use crate::explain::finding_explanation;
use crate::formats::human::decisions::DecisionsByLine;
use crate::formats::human::next_command::next_command;
use crate::formats::human::phrases::{derived_text, plural, recorded_text};

/// The findings that are shown, the weightiest first.
pub(super) fn list(told: &Told<'_>) -> Markup {
    let (all, shown) = (&told.audit.findings, &told.shown.findings);
    let rest = (all.len() - shown.len()) as u64;
    let decisions = &DecisionsByLine::new(told.audit);
    html! {
        @if shown.is_empty() { p { "None." } }
        @for position in shown {
            @if let Some(finding) = all.get(*position) { (article(finding, *position, told, decisions)) }
        }
        @if rest > 0 {
            p.caption { (plural(rest, "finding")) " more; " code { "--format json" } " has all." }
        }
    }
}

fn article(finding: &Finding, position: usize, told: &Told<'_>, decisions: &DecisionsByLine<'_>) -> Markup {
    let (level, excerpts) = (finding.level.as_str(), told.excerpts.of_finding(position));
    let place = match (finding.line, excerpts.first()) {
        (Some(line), Some(excerpt)) if excerpt.line == line => format!("line {line}, column {}", excerpt.columns.0),
        (Some(line), _) => format!("line {line}"),
        (None, _) => "no single line".to_owned(),
    };
    let sign = match finding.level {
        Level::Error => "\u{d7}",
        Level::Warning => "!",
        Level::Note => "i",
    };
    html! {
        article.finding.(level) id=(told.anchors.finding(position)) {
            h4 {
                span.level { span.sign aria-hidden="true" { (sign) } (level) } " "
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
                dd { code { (next_command(finding, &told.log.path, told.audit, &told.report.demand)) } }
                dt { "Explained" }
                dd {
                    (prose(finding_explanation(finding.code).summary())) " "
                    code { "shipper-replay --explain " (finding.code) }
                }
            }
        }
    }
}

/// A place in the log and the text that stands there.
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
