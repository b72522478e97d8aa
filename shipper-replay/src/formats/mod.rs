//! Output formats of the report. Each renders a [`ReportView`].

pub(crate) mod comparison;
mod github;
mod html;
pub(crate) mod human;
pub(crate) mod json;
mod level_counts;
mod log_issue;
mod markdown;
pub(crate) mod ndjson;
mod sarif;
pub(crate) mod text;
pub(crate) mod vsa;

use std::io::{self, Write};

use shipper_core::audit::{Report, Summary};

use crate::cli::{Cli, Format};
use crate::excerpt::MAX_EXCERPTS;
use crate::view::{FindingFilter, ReportView};

/// Returns the findings that a format shows with excerpts of the log; `None` for a format without excerpts.
pub(crate) fn finding_filter(cli: &Cli) -> Option<FindingFilter> {
    match cli.format {
        // A comparison has no excerpts.
        _ if cli.baseline.baseline.is_some() => None,
        Format::Human => human::finding_filter(cli.detail()),
        Format::Json | Format::Ndjson | Format::Vsa => None,
        Format::Sarif | Format::Github | Format::Markdown | Format::Html => {
            Some(FindingFilter { max: MAX_EXCERPTS, notes: true })
        }
    }
}

/// Returns true if the report shows the timeline.
pub(crate) fn timeline(cli: &Cli) -> bool {
    cli.timeline || cli.format == Format::Html
}

/// Returns the positions of the logs that a format shows in detail.
pub(crate) fn detailed_logs(report: &Report, cli: &Cli) -> Vec<usize> {
    match cli.format {
        Format::Human => human::detailed_logs(report, cli.detail()),
        Format::Html => html::sections(report),
        Format::Markdown => markdown::sections(report),
        _ => (0..report.logs.len()).collect(),
    }
}

/// Writes the report in the requested format.
pub(crate) fn write(view: &ReportView, cli: &Cli, mut out: impl Write) -> io::Result<()> {
    match cli.format {
        Format::Human => out.write_all(human::render(view, &human::RenderOptions::from_cli(cli)).as_bytes()),
        Format::Json => json::write(&view.report, out),
        Format::Ndjson => ndjson::write(view, out),
        Format::Sarif => sarif::write(view, out),
        Format::Github => github::write(view, out),
        Format::Markdown => markdown::write(view, out),
        Format::Html => html::write(view, out),
        Format::Vsa => vsa::write(view, out),
    }
}

/// Returns a note for standard error if the format has no place for it in the report.
pub(crate) fn stderr_note(view: &ReportView, cli: &Cli) -> Option<String> {
    if cli.quiet || matches!(cli.format, Format::Human | Format::Ndjson) {
        return None;
    }
    let again = view.duplicates.len();
    let conflicts = Summary::new(&view.report, &[]).conflicts.len();
    let notes = [(again, "given more than once, counted once"), (conflicts, "with different outcomes, each counted")];
    let notes = notes.into_iter().filter(|(count, _)| *count > 0);
    let notes: Vec<String> = notes.map(|(count, what)| format!("paths {what}: {count}")).collect();
    (!notes.is_empty()).then(|| format!("note: {}; --format ndjson lists them", notes.join("; ")))
}
