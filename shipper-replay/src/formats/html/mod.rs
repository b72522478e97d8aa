//! The report as one page that needs nothing else: no script, no font, no request, and a policy that forbids them.
//!
//! Texts from a log are made safe where they are put in (`display_safe`), escaped by the templates, and the whole page is
//! looked through once more: a character that is not plain is shown as `?`.

mod anchors;
mod choose;
mod decisions;
mod findings;
mod log;
mod overview;
mod timeline;

use std::collections::BTreeSet;
use std::io;

use maud::{DOCTYPE, Markup, PreEscaped, html};
use shipper_core::audit::{Conclusion, LogAudit, Report};
use shipper_events::{display_safe, is_display_safe};

use crate::formats::human::phrases::headline;
use crate::formats::human::{most_severe_first, sort_rank};
use crate::view::{FindingFilter, ReportView};
use anchors::Anchors;

/// How many logs that are not verified, and how many that are, get a section of their own.
const SECTIONS: (usize, usize) = (25, 10);

/// How many decisions of a log, and how many of its findings, are told of.
const MOST: usize = 500;

/// What a log's section tells of: positions in the report.
#[derive(Debug, Clone)]
struct Shown {
    /// By line.
    decisions: Vec<usize>,
    /// The lines that the runs of those decisions begin on.
    runs: BTreeSet<u64>,
    /// The weightiest first.
    findings: Vec<usize>,
}

impl Shown {
    fn of(audit: &LogAudit) -> Self {
        let weights: Vec<u8> = audit.decisions.iter().map(|decision| sort_rank(decision.status)).collect();
        let findings = FindingFilter { max: MOST, notes: true }.select(&audit.findings);
        let decisions = choose::choose(&weights, MOST);
        let taken = decisions.iter().filter_map(|position| audit.decisions.get(*position));
        let runs: Vec<(u8, u64)> =
            taken.flat_map(|decision| decision.runs.iter().map(|run| (sort_rank(decision.status), run.line))).collect();
        let weights: Vec<u8> = runs.iter().map(|(weight, _)| *weight).collect();
        let chosen = choose::choose(&weights, MOST);
        let runs = chosen.into_iter().filter_map(|position| Some(runs.get(position)?.1)).collect();
        Self { decisions, runs, findings }
    }
}

/// Nothing may be fetched, run, framed or sent; only the page's own style holds.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

const STYLE: &str = include_str!("page.css");

/// The positions of the logs that get a section, in the order in which they do: the gravest first.
pub(crate) fn sections(report: &Report) -> Vec<usize> {
    let (not_verified, verified): (Vec<usize>, Vec<usize>) = most_severe_first(report)
        .into_iter()
        .partition(|position| report.logs.get(*position).is_some_and(|log| log.conclusion != Conclusion::Verified));
    not_verified.into_iter().take(SECTIONS.0).chain(verified.into_iter().take(SECTIONS.1)).collect()
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
                (hatches())
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

/// A text that is ours, in which words stand between backticks.
fn prose(text: &str) -> Markup {
    html! {
        @for (position, part) in text.split('`').enumerate() {
            @if position % 2 == 1 { code { (part) } } @else { (part) }
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

/// The patterns that tell bars apart without colour.
fn hatches() -> Markup {
    html! {
        svg.hatches aria-hidden="true" {
            defs {
                @for name in ["bad", "doubt"] {
                    pattern id={ "hatch-" (name) } width="6" height="6" patternUnits="userSpaceOnUse"
                        patternTransform=(if name == "bad" { "rotate(45)" } else { "rotate(-45)" }) {
                        rect.ground.(name) width="6" height="6" {}
                        rect.line.(name) width=(if name == "bad" { "3" } else { "1" }) height="6" {}
                    }
                }
            }
        }
    }
}
