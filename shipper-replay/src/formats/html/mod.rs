//! The report as one page that needs nothing else: no script, no font, no request, and a policy that forbids them.
//!
//! Texts from a log are made safe where they are inserted (`display_safe`), and the templates escape them. Any other
//! character that is not safe is replaced by `?`.

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

use crate::formats::human::most_severe_first;
use crate::formats::human::phrases::headline;
use crate::view::ReportView;
use overview::section_id;

/// Most logs with a section, of those that are not verified and of those that are.
const MAX_SECTIONS: (usize, usize) = (25, 10);

/// Policy that allows the page's own style, and forbids to fetch, run, frame or send anything.
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
                            (log::section(log, excerpts, report, section_id(*position)))
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

/// Returns the conclusion, for the title of the window.
fn title(report: &Report) -> String {
    match &report.logs[..] {
        [log] => {
            let path = display_safe(&log.path).max_chars(120).to_string();
            format!("{}{}: {path} \u{2013} shipper-replay", log.conclusion, headline(log, report))
        }
        logs => format!("{}: {} logs \u{2013} shipper-replay", report.conclusion, logs.len()),
    }
}
