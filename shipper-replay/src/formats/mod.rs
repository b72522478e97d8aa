//! The forms of the report. Each is made from an [`Account`] and from nothing else.

mod github;
#[cfg(test)]
mod hostile;
mod html;
pub(crate) mod json;
mod markdown;
pub(crate) mod ndjson;
mod sarif;
mod vsa;
mod whole;

use std::io::{self, Write};

use shipper_core::audit::{Report, Summary};

use crate::account::{Account, Showing};
use crate::cli::{Cli, Format};
use crate::exhibit::MOST;
use crate::human;

/// Which findings a form shows with their places; none where it shows no places.
pub(crate) fn showing(cli: &Cli) -> Option<Showing> {
    match cli.format {
        Format::Human => human::showing(cli.detail()),
        Format::Json | Format::Ndjson | Format::Vsa => None,
        Format::Sarif | Format::Github | Format::Markdown | Format::Html => Some(Showing { most: MOST, notes: true }),
    }
}

/// Whether a form shows how verdicts came about.
pub(crate) fn timeline(cli: &Cli) -> bool {
    cli.timeline || cli.format == Format::Html
}

/// The positions of the logs that a form shows in full.
pub(crate) fn in_full(report: &Report, cli: &Cli) -> Vec<usize> {
    match cli.format {
        Format::Human => human::in_full(report, cli.detail()),
        Format::Html => html::sections(report),
        Format::Markdown => markdown::sections(report),
        _ => (0..report.logs.len()).collect(),
    }
}

/// Writes the account in the form that was asked for.
pub(crate) fn write(account: &Account, cli: &Cli, mut out: impl Write) -> io::Result<()> {
    match cli.format {
        Format::Human => out.write_all(human::render(account, &human::Style::of(cli)).as_bytes()),
        Format::Json => json::write(&account.report, out),
        Format::Ndjson => ndjson::write(account, out),
        Format::Sarif => sarif::write(account, out),
        Format::Github => github::write(account, out),
        Format::Markdown => markdown::write(account, out),
        Format::Html => html::write(account, out),
        Format::Vsa => vsa::write(account, out),
    }
}

/// What is said beside a form that has no place for it.
pub(crate) fn aside(account: &Account, cli: &Cli) -> Option<String> {
    if cli.quiet || matches!(cli.format, Format::Human | Format::Ndjson) {
        return None;
    }
    let again = account.duplicates.len();
    let conflicts = Summary::new(&account.report, &[]).conflicts.len();
    let some =
        [(again, "given more than once, counted once"), (conflicts, "judged with different outcomes, each counted")];
    let some = some.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("paths {what}: {count}"));
    let some: Vec<String> = some.collect();
    (!some.is_empty()).then(|| format!("note: {}; --format ndjson names them", some.join("; ")))
}
