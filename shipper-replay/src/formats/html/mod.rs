//! The report as one self-contained HTML page, with a policy that forbids scripts, fonts and requests.
//!
//! `display_safe` makes each text of a log safe where it is inserted, and the templates escape it. `?` replaces any
//! other character that is not safe.

mod decisions;
mod elements;
mod findings;
mod log;
mod overview;
mod selection;
mod timeline;

use std::io;

use maud::{DOCTYPE, Markup, PreEscaped, html};
use shipper_core::audit::{Conclusion, Report};
use shipper_events::{display_safe, is_display_safe};

use crate::formats::text::headline::headline;
use crate::formats::text::summary::most_severe_first;
use crate::view::ReportView;
use overview::section_id;

/// Largest numbers of sections: for logs that are not verified, and for verified logs.
const MAX_SECTIONS: (usize, usize) = (25, 10);

/// Policy that allows the style of the page and forbids all scripts, requests, frames and forms.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

const STYLE: &str = include_str!("page.css");

/// Returns the positions of the logs that have a section, the most severe first.
pub(crate) fn sections(report: &Report) -> Vec<usize> {
    let (not_verified, verified): (Vec<usize>, Vec<usize>) = most_severe_first(report)
        .into_iter()
        .partition(|position| report.logs.get(*position).is_some_and(|log| log.conclusion != Conclusion::Verified));
    not_verified.into_iter().take(MAX_SECTIONS.0).chain(verified.into_iter().take(MAX_SECTIONS.1)).collect()
}

/// Writes the page.
pub(crate) fn write(view: &ReportView, mut out: impl io::Write) -> io::Result<()> {
    let plain = |character: char| if character == '\n' || is_display_safe(character) { character } else { '?' };
    out.write_all(page(view).into_string().chars().map(plain).collect::<String>().as_bytes())
}

fn page(view: &ReportView) -> Markup {
    let report = &view.report;
    let sections = sections(report);
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="robots" content="noindex";
                title { (title(report)) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header { (overview::header(report)) }
                main {
                    @if report.logs.len() > 1 { (overview::logs(report, &sections)) }
                    @for position in &sections {
                        @let shown = (report.logs.get(*position), view.excerpts.get(*position));
                        @if let (Some(log), Some(excerpts)) = shown {
                            (log::section(log, excerpts, report, section_id(*position)))
                        }
                    }
                    (elements::left_out(report.logs.len() - sections.len(), "log section"))
                }
                footer { (overview::demand(report)) }
            }
        }
    }
}

/// Returns the title of the window. It begins with the conclusion.
fn title(report: &Report) -> String {
    match &report.logs[..] {
        [log] => {
            let path = display_safe(&log.path).max_chars(120).to_string();
            format!("{} {path} \u{2013} shipper-replay", headline(log, report))
        }
        logs => format!("{}: {} logs \u{2013} shipper-replay", report.conclusion, logs.len()),
    }
}
