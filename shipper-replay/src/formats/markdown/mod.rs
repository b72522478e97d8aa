//! The report in Markdown, for the summary of a job: a table of the logs, and a section for each that is not verified.
//!
//! It is shorter than the limit of a summary, and counts what it omits.

mod escape;
mod section;

use std::io;

use shipper_core::audit::{Conclusion, LogReport, Report};
use shipper_events::{display_safe, is_display_safe};

use crate::formats::text::headline::{capitalized, reason};
use crate::formats::text::phrases::{log_gate_text, maybe_quoted, policy_text, quoted};
use crate::formats::text::seal::{seal_text, signer_text};
use crate::formats::text::summary::conclusions;
use crate::formats::text::summary::most_severe_first;
use crate::view::ReportView;
use escape::{code, code_in_cell};

/// Maximum length of the document in bytes. A step of GitHub Actions may write 1 MiB.
const MAX_BYTES: usize = 512 * 1024;

/// Most logs in the table.
const MAX_LISTED: usize = 500;

/// Most logs with a section, and most sections that are not collapsed.
const MAX_SECTIONS: usize = 50;
const MAX_UNFOLDED: usize = 3;

/// Returns the positions of the logs that have a section, the most severe first.
pub(crate) fn sections(report: &Report) -> Vec<usize> {
    not_verified(report).take(MAX_SECTIONS).collect()
}

/// Returns the positions of the logs that are not verified, the most severe first.
fn not_verified(report: &Report) -> impl Iterator<Item = usize> {
    let is_verified = |log: &LogReport| log.conclusion == Conclusion::Verified;
    most_severe_first(report).into_iter().filter(move |position| !report.logs.get(*position).is_none_or(is_verified))
}

/// Writes the document.
pub(crate) fn write(view: &ReportView, mut out: impl io::Write) -> io::Result<()> {
    let document = document(view);
    // Texts from a log are already escaped. `?` replaces any other unsafe character.
    let plain = |character: char| if character == '\n' || is_display_safe(character) { character } else { '?' };
    out.write_all(document.chars().map(plain).collect::<String>().as_bytes())
}

fn document(view: &ReportView) -> String {
    let report = &view.report;
    let mut document = overview(report);
    let sections = sections(report);
    let folded = sections.len() > MAX_UNFOLDED;
    let end = options(report);
    let mut written = 0;
    for position in &sections {
        if let (Some(log), Some(excerpts)) = (report.logs.get(*position), view.excerpts.get(*position)) {
            let section = section::section(log, excerpts, report, folded);
            // 200 bytes are for the sentence about omitted sections.
            if document.len() + section.len() + end.len() + 200 > MAX_BYTES {
                break;
            }
            document += &section;
            written += 1;
        }
    }
    let rest = not_verified(report).count() - written;
    if rest > 0 {
        document += &format!("{rest} more logs are not verified and have no section; `--format json` lists all.\n\n");
    }
    document + &end
}

/// Renders the conclusion and the table of logs.
fn overview(report: &Report) -> String {
    let conclusion = report.conclusion;
    let logs = match report.logs.len() {
        0 => "no log was audited".to_owned(),
        1 => "1 log".to_owned(),
        many => format!("{many} logs"),
    };
    let counts = if report.logs.is_empty() { String::new() } else { format!(": {}", conclusions(report)) };
    let mut overview = format!("# shipper-replay: {conclusion}\n\n{logs}{counts}.\n\n");
    if let (Some(require), [log]) = (report.demand.require, &report.logs[..]) {
        let answer = log_gate_text(log).map_or_else(|| "none".to_owned(), |answer| code(&answer));
        overview += &format!("Required verdict: **{}**. Verdict of the gate: {answer}\n\n", require.as_str());
    }
    if let [log] = &report.logs[..]
        && let Some(seal) = seal_text(log, &report.demand)
    {
        overview += &format!("{}\n\n", code(&capitalized(&seal)));
    }
    if report.logs.is_empty() {
        return overview;
    }
    overview += "| conclusion | log | reason |\n|---|---|---|\n";
    let order = most_severe_first(report);
    let mut listed = 0;
    for log in order.iter().take(MAX_LISTED).filter_map(|position| report.logs.get(*position)) {
        let sign = match log.conclusion {
            Conclusion::Violated => "\u{2716}",
            Conclusion::Unjudged | Conclusion::Inconclusive => "\u{25cb}",
            Conclusion::Verified => "\u{2714}",
        };
        let path = code_in_cell(&display_safe(&log.path).max_chars(200).to_string());
        let row = format!("| {sign} {} | {path} | {} |\n", log.conclusion, code_in_cell(&reason(log, report)));
        // Half of the document is for the sections.
        if overview.len() + row.len() > MAX_BYTES / 2 {
            break;
        }
        overview += &row;
        listed += 1;
    }
    let rest = order.len() - listed;
    if rest > 0 {
        overview += &format!("\n{rest} more logs are not listed; `--format json` lists all.\n");
    }
    overview + "\n"
}

/// Renders the options of the audit, and the version.
fn options(report: &Report) -> String {
    let demand = &report.demand;
    let options = [
        demand.registry.as_ref().map(|registry| format!("--registry {}", quoted(registry.as_str()))),
        demand.plan_id.as_ref().map(|plan| format!("--plan-id {}", maybe_quoted(plan.as_str(), 200))),
        demand.at.as_ref().map(|at| format!("--at {at}")),
        demand.extends.map(|head| format!("{} {head}", demand.extends_option())),
        demand.head_signer.as_ref().map(|signer| format!("signed by {}", signer_text(signer))),
        demand.since.map(|head| format!("--since {head}")),
        demand.require_list().map(|require| format!("--require {require}")),
        demand.strict.then(|| "--strict".to_owned()),
        demand.accept_list().map(|causes| format!("--accept {causes}")),
        demand.acknowledge_earlier.map(|head| format!("--acknowledge-earlier {head}")),
        policy_text(demand).map(|policy| format!("--policy: {policy}")),
    ];
    let options: Vec<String> = options.into_iter().flatten().map(|option| code(&option)).collect();
    let options = if options.is_empty() { "no audit options".to_owned() } else { options.join(", ") };
    let version = env!("CARGO_PKG_VERSION");
    format!("---\n\nAudited by shipper-replay {version} with {options}; exit status {}.\n", report.exit_code)
}
