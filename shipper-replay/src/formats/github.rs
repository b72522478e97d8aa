//! The report as annotations of GitHub Actions: `docs/formats.md`, "GitHub annotations".
//!
//! Each annotation is one line that begins with `::`, which the runner reads as a command. Line ends and the characters
//! that end a property are escaped as the runner requires, so text from a log cannot begin a line or a command.

use std::io;

use shipper_core::audit::{Level, LogReport, Report};
use shipper_events::{display_safe, is_display_safe};

use super::level_counts::LevelCounts;
use super::log_issue::{LogIssue, log_issues, path_of};
use crate::excerpt::{Excerpt, escape_char};
use crate::formats::text::phrases::plural;
use crate::view::{LogExcerpts, ReportView};

/// Most characters of a path that are shown.
const MAX_PATH_CHARS: usize = 400;

/// Most annotations, the most severe ones. The runner shows ten of each level for a step.
const MAX_ANNOTATIONS: usize = 1000;

/// Writes the annotations, errors first because the runner shows only a few, then a summary line.
pub(crate) fn write(view: &ReportView, mut out: impl io::Write) -> io::Result<()> {
    let report = &view.report;
    let all = LevelCounts::of(report);
    let kept = all.most_severe(MAX_ANNOTATIONS);
    let (mut quota, mut annotations) = (kept, Vec::new());
    for (log, excerpts) in report.logs.iter().zip(&view.excerpts) {
        annotate(log, excerpts, report, &mut quota, &mut annotations);
    }
    annotations.sort_by_key(|(level, _)| *level);
    for (_, annotation) in &annotations {
        writeln!(out, "{annotation}")?;
    }
    let left_out = all.without(kept);
    let left_out = match left_out.total() {
        0 => String::new(),
        _ => format!("; left out: {left_out}; --format json lists all"),
    };
    let Report { conclusion, exit_code, logs, .. } = report;
    let logs = plural(logs.len() as u64, "log");
    // The runner searches whole lines for commands of an older form. This line contains no text from a log.
    writeln!(out, "shipper-replay: {conclusion} (exit status {exit_code}): {logs}, {all}{left_out}")
}

/// Adds the annotations of a log with their levels, as far as the quota allows: first its issues as a whole, then its
/// findings.
fn annotate(
    log: &LogReport,
    excerpts: &LogExcerpts,
    report: &Report,
    quota: &mut LevelCounts,
    annotations: &mut Vec<(Level, String)>,
) {
    for LogIssue { kind, message } in log_issues(log, report) {
        if quota.take_one(kind.level()) {
            let message = format!("{message}\nhelp: {}", kind.help());
            annotations.push((kind.level(), annotation(kind.level(), &log.path, None, kind.as_str(), &message)));
        }
    }
    let Some(audit) = &log.audit else { return };
    for (position, finding) in audit.findings.iter().enumerate().filter(|(_, finding)| quota.take_one(finding.level)) {
        let (own, others) = excerpts.split(position, finding);
        let place = finding.line.map(|line| (line, own.map_or((1, 1), |excerpt| excerpt.columns)));
        let path = path_of(finding, audit, &log.path);
        let whose = if path == log.path { "" } else { " of the log" };
        let mut message = finding.message.to_string();
        for Excerpt { line, label, .. } in others {
            let named = if label.is_empty() {
                format!("\nsee line {line}{whose}")
            } else {
                format!("\nline {line}{whose}: {label}")
            };
            // Two labels may have the same line and text.
            if !message.contains(&named) {
                message += &named;
            }
        }
        message += &format!("\nhelp: {}", finding.help);
        annotations.push((finding.level, annotation(finding.level, path, place, finding.code.as_str(), &message)));
    }
}

/// Returns an annotation. `place` is a line and a range of columns, the end excluded. The message must be safe to show,
/// but may have several lines.
fn annotation(level: Level, path: &str, place: Option<(u64, (u64, u64))>, title: &str, message: &str) -> String {
    let name = if level == Level::Note { "notice" } else { level.as_str() };
    let mut properties = Vec::new();
    // Standard input has no path.
    if path != "-" {
        // An unsafe path is escaped. It is not the path of a file in the checkout.
        let is_safe = path.chars().all(is_display_safe);
        let path = if is_safe { path.to_owned() } else { display_safe(path).max_chars(MAX_PATH_CHARS).to_string() };
        properties.push(format!("file={}", escape(&path, "%:,")));
    }
    if let Some((line, (column, end))) = place {
        properties.push(format!("line={line}"));
        if end > column {
            properties.push(format!("col={column},endColumn={end}"));
        } else if column > 1 {
            properties.push(format!("col={column}"));
        }
    }
    properties.push(format!("title={}", escape(title, "%:,")));
    format!("::{name} {}::{}", properties.join(","), escape(message, "%\n"))
}

/// Percent-encodes the `special` characters, and escapes unsafe ones. A merged report may contain any character.
fn escape(text: &str, special: &str) -> String {
    let escape = |character: char| {
        if special.contains(character) { format!("%{:02X}", u32::from(character)) } else { escape_char(character) }
    };
    text.chars().map(escape).collect()
}
