//! The report in Markdown, for the summary of a job: one line a log, then what is wrong with those that are not
//! verified.
//!
//! It stays far below what a summary may hold; what was left out is said.

mod escape;
mod section;

use std::io;

use shipper_core::audit::{Conclusion, LogReport, Report};
use shipper_events::{display_safe, is_display_safe};

use crate::formats::human::most_severe_first;
use crate::formats::human::phrases::{gate_text, headline, maybe_quoted, quoted};
use crate::formats::human::summary::conclusions;
use crate::view::ReportView;
use escape::{code, code_in_cell, shown, shown_in_cell};

/// How many bytes the document has at most. A step of GitHub Actions may write 1 MiB.
const MOST: usize = 512 * 1024;

/// How many logs the table lists.
const LISTED: usize = 500;

/// How many logs get a section; with more than the second, each is folded up.
const SECTIONS: usize = 50;
const UNFOLDED: usize = 3;

/// The positions of the logs that get a section, in the order in which they do: the gravest first.
pub(crate) fn sections(report: &Report) -> Vec<usize> {
    not_verified(report).take(SECTIONS).collect()
}

fn not_verified(report: &Report) -> impl Iterator<Item = usize> {
    let verified = |log: &LogReport| log.conclusion == Conclusion::Verified;
    most_severe_first(report)
        .into_iter()
        .filter(move |position| report.logs.get(*position).is_some_and(|log| !verified(log)))
}

/// Writes the document.
pub(crate) fn write(view: &ReportView, mut out: impl io::Write) -> io::Result<()> {
    let document = document(view);
    // Texts from a log were made safe where they were put in; what is not plain all the same is shown as `?`.
    let plain = |character: char| if character == '\n' || is_display_safe(character) { character } else { '?' };
    out.write_all(document.chars().map(plain).collect::<String>().as_bytes())
}

fn document(view: &ReportView) -> String {
    let report = &view.report;
    let mut document = overview(report);
    let sections = sections(report);
    let folded = sections.len() > UNFOLDED;
    let end = asked(report);
    let mut told = 0;
    for position in &sections {
        if let (Some(log), Some(excerpts)) = (report.logs.get(*position), view.excerpts.get(*position)) {
            let section = section::section(log, excerpts, report, folded);
            // Room is kept for the sentence that says what is left out.
            if document.len() + section.len() + end.len() + 200 > MOST {
                break;
            }
            document += &section;
            told += 1;
        }
    }
    let rest = not_verified(report).count() - told;
    if rest > 0 {
        document +=
            &format!("{rest} more logs that are not verified have no section here; `--format json` has all.\n\n");
    }
    document + &end
}

/// The conclusion and the table of logs.
fn overview(report: &Report) -> String {
    let conclusion = report.conclusion;
    let logs = match report.logs.len() {
        0 => "no log was judged".to_owned(),
        1 => "1 log".to_owned(),
        many => format!("{many} logs"),
    };
    let counts = if report.logs.is_empty() { String::new() } else { format!(": {}", conclusions(report)) };
    let mut overview = format!("# shipper-replay: {conclusion}\n\n{logs}{counts}.\n\n");
    if let (Some(require), [log]) = (report.demand.require, &report.logs[..]) {
        let answer = gate_text(log).map_or_else(|| "nothing".to_owned(), |answer| shown(&answer));
        overview += &format!("Required of the gate: **{}**. It would answer: {answer}\n\n", require.as_str());
    }
    if report.logs.is_empty() {
        return overview;
    }
    overview += "| conclusion | log | because |\n|---|---|---|\n";
    let order = most_severe_first(report);
    let mut listed = 0;
    for log in order.iter().take(LISTED).filter_map(|position| report.logs.get(*position)) {
        let sign = match log.conclusion {
            Conclusion::Violated => "\u{2716}",
            Conclusion::Unjudged | Conclusion::Inconclusive => "\u{25cb}",
            Conclusion::Verified => "\u{2714}",
        };
        let path = code_in_cell(&display_safe(&log.path).max_chars(200).to_string());
        let why = headline(log, report);
        let why = shown_in_cell(why.strip_prefix(", ").unwrap_or(&why));
        let row = format!("| {sign} {} | {path} | {why} |\n", log.conclusion);
        // Half of the room is for the sections.
        if overview.len() + row.len() > MOST / 2 {
            break;
        }
        overview += &row;
        listed += 1;
    }
    let rest = order.len() - listed;
    if rest > 0 {
        overview += &format!("\n{rest} more logs are not listed; `--format json` has all.\n");
    }
    overview + "\n"
}

/// What was asked, and what answered.
fn asked(report: &Report) -> String {
    let demand = &report.demand;
    let options = [
        demand.registry.as_ref().map(|registry| format!("--registry {}", quoted(registry.as_str()))),
        demand.plan_id.as_ref().map(|plan| format!("--plan-id {}", maybe_quoted(plan.as_str(), 200))),
        demand.at.as_ref().map(|at| format!("--at {at}")),
        demand.extends.map(|head| format!("--extends {head}")),
        demand.since.map(|head| format!("--since {head}")),
        demand.require.map(|require| format!("--require {}", require.as_str())),
        demand.strict.then(|| "--strict".to_owned()),
    ];
    let options: Vec<String> = options.into_iter().flatten().map(|option| code(&option)).collect();
    let options = if options.is_empty() { "no demands".to_owned() } else { options.join(", ") };
    let version = env!("CARGO_PKG_VERSION");
    format!("---\n\nJudged by shipper-replay {version} under {options}; exit status {}.\n", report.exit_code)
}
