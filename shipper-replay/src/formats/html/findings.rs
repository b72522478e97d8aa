//! The findings of a log, each with the bytes that show it.

use maud::{Markup, html};
use shipper_core::audit::{Finding, Level};

use super::log::Told;
use super::prose;
use crate::exhibit::Exhibit;
use crate::explain::entry;
use crate::human::diagnostic::{ByLine, decision};
use crate::human::next::next;
use crate::human::words::{count, derived, recorded};

/// The findings that are shown, the weightiest first.
pub(super) fn list(told: &Told<'_>) -> Markup {
    let (all, shown) = (&told.audit.findings, &told.shown.findings);
    let rest = (all.len() - shown.len()) as u64;
    let decisions = &ByLine::of(told.audit);
    html! {
        @if shown.is_empty() { p { "None." } }
        @for position in shown {
            @if let Some(finding) = all.get(*position) { (article(finding, *position, told, decisions)) }
        }
        @if rest > 0 {
            p.caption { (count(rest, "finding")) " more; " code { "--format json" } " has all." }
        }
    }
}

fn article(finding: &Finding, position: usize, told: &Told<'_>, decisions: &ByLine<'_>) -> Markup {
    let (level, exhibits) = (finding.level.as_str(), told.beside.exhibits(position));
    let place = match (finding.line, exhibits.first()) {
        (Some(line), Some(exhibit)) if exhibit.line == line => format!("line {line}, column {}", exhibit.columns.0),
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
            @for exhibit in exhibits { (figure(exhibit)) }
            dl.facts {
                @if let Some(decision) = decision(finding, decisions) {
                    dt { "Derived" }
                    dd { (derived(decision)) }
                    @if let Some(recorded) = recorded(decision) {
                        dt { "Recorded" }
                        dd { (recorded) }
                    }
                }
                dt { "Help" }
                dd { (finding.help) }
                dt { "Next" }
                dd { code { (next(finding, &told.log.path, told.audit, &told.report.demand)) } }
                dt { "Explained" }
                dd {
                    @if let Some(entry) = entry(finding.code) { (prose(entry.short())) " " }
                    code { "shipper-replay --explain " (finding.code) }
                }
            }
        }
    }
}

/// A place in the log and the text that stands there.
fn figure(exhibit: &Exhibit) -> Markup {
    html! {
        figure {
            figcaption {
                span.place { (exhibit.line) ":" (exhibit.columns.0) }
                @if !exhibit.label.is_empty() { " " (exhibit.label) }
            }
            pre tabindex="0" {
                code {
                    (exhibit.before)
                    @if exhibit.marked.is_empty() { mark.point {} } @else { mark { (exhibit.marked) } }
                    (exhibit.after)
                }
            }
        }
    }
}
