//! The report as one page that needs nothing else: no script, no font, no request, and a policy that forbids them.
//!
//! Texts from a log are made safe where they are inserted (`display_safe`) and escaped by the templates. At last, every
//! character of the page that is not safe is replaced by `?`.

mod anchors;
mod decisions;
mod findings;
mod log;
mod overview;
mod prose;
mod selection;
mod timeline;

use std::io;

use maud::{DOCTYPE, Markup, PreEscaped, html};
use shipper_core::audit::{Conclusion, Report};
use shipper_events::{display_safe, is_display_safe};

use crate::formats::human::most_severe_first;
use crate::formats::human::phrases::headline;
use crate::view::ReportView;
use anchors::Anchors;

/// Most logs with a section: those that are not verified, and those that are.
const MAX_SECTIONS: (usize, usize) = (25, 10);

/// Nothing may be fetched, run, framed or sent; only the page's own style holds.
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
    let page = page(view).into_string();
    let plain = |character: char| character == '\n' || is_display_safe(character);
    if page.chars().all(plain) {
        return out.write_all(page.as_bytes());
    }
    let shown: String = page.chars().map(|character| if plain(character) { character } else { '?' }).collect();
    out.write_all(shown.as_bytes())
}

fn page(view: &ReportView) -> Markup {
    let report = &view.report;
    let sections = sections(report);
    let left_out = report.logs.len() - sections.len();
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
                    (overview::logs(report, &sections))
                    @for position in &sections {
                        @let shown = (report.logs.get(*position), view.excerpts.get(*position));
                        @if let (Some(log), Some(excerpts)) = shown {
                            (log::section(log, excerpts, report, Anchors::of_log(*position)))
                        }
                    }
                    @if left_out > 0 {
                        p.caption {
                            (left_out) " more of the " (report.logs.len()) " logs have no section here; "
                            code { "--format json" } " has all."
                        }
                    }
                }
                footer { (overview::demand(report)) }
            }
        }
    }
}

/// The conclusion, for the list of a browser's windows.
fn title(report: &Report) -> String {
    match &report.logs[..] {
        [log] => {
            let path = display_safe(&log.path).max_chars(120).to_string();
            format!("{}{}: {path} \u{2013} shipper-replay", log.conclusion, headline(log, report))
        }
        logs => format!("{}: {} logs \u{2013} shipper-replay", report.conclusion, logs.len()),
    }
}
