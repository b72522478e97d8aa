//! The report as annotations of GitHub Actions: `docs/formats.md`, "GitHub annotations".
//!
//! Each annotation is one line that begins with `::`, which the runner takes for that command and looks no further.
//! Line ends and what ends a property are escaped as the runner documents it, so no text from a log can begin a line
//! or a command of its own.

use std::fmt::Write;
use std::io;

use shipper_core::audit::{Finding, Level, LogAudit, LogReport, Report};
use shipper_events::{display_safe, is_display_safe};

use super::log_issue::{log_issues, path_of};
use crate::excerpt::Excerpt;
use crate::formats::human::phrases::plural;
use crate::view::{LogExcerpts, ReportView};

/// How many characters of a path are shown.
const PATH: usize = 400;

/// Writes the annotations, errors first since few are shown, then one line that sums up.
pub(crate) fn write(view: &ReportView, mut out: impl io::Write) -> io::Result<()> {
    let report = &view.report;
    let logs = report.logs.iter().zip(&view.excerpts);
    let annotations: Vec<Annotation<'_>> = logs.flat_map(|(log, excerpts)| of_log(log, excerpts, report)).collect();
    let of = |level| annotations.iter().filter(move |annotation| annotation.level == level);
    let levels = [Level::Error, Level::Warning, Level::Note];
    for annotation in levels.into_iter().flat_map(of) {
        writeln!(out, "{}", annotation.command())?;
    }
    let [errors, warnings, notes] = levels.map(|level| of(level).count() as u64);
    writeln!(out, "{}", sum(report, errors, warnings, notes))
}

/// The last line. It holds no text but our own: commands of an older form are looked for anywhere in a line.
fn sum(report: &Report, errors: u64, warnings: u64, notes: u64) -> String {
    let Report { conclusion, exit_code, logs, .. } = report;
    let logs = plural(logs.len() as u64, "log");
    let (errors, warnings, notes) = (plural(errors, "error"), plural(warnings, "warning"), plural(notes, "note"));
    format!("shipper-replay: {conclusion} (exit status {exit_code}): {logs}, {errors}, {warnings}, {notes}")
}

/// What there is to say about a log: first of the whole, then finding by finding.
fn of_log<'a>(log: &'a LogReport, excerpts: &LogExcerpts, report: &Report) -> Vec<Annotation<'a>> {
    let issues = log_issues(log, report).into_iter().map(|issue| Annotation {
        level: issue.kind.level(),
        path: file(&log.path),
        place: None,
        title: issue.kind.as_str(),
        message: format!("{}\nhelp: {}", issue.message, issue.kind.help()),
    });
    let audit = log.audit.iter();
    let found = audit.flat_map(|audit| {
        let findings = audit.findings.iter().enumerate();
        findings.map(|(position, finding)| of_finding(finding, excerpts.of_finding(position), log, audit))
    });
    issues.chain(found).collect()
}

fn of_finding<'a>(finding: &Finding, excerpts: &[Excerpt], log: &'a LogReport, audit: &'a LogAudit) -> Annotation<'a> {
    let own = |excerpt: &&Excerpt| Some(excerpt.line) == finding.line;
    let place = finding.line.map(|line| (line, excerpts.first().filter(own).map_or((1, 1), |excerpt| excerpt.columns)));
    let path = path_of(finding, audit, &log.path);
    let whose = if path == log.path { "" } else { " of the log" };
    let mut message = finding.message.to_string();
    for Excerpt { line, label, .. } in excerpts.iter().skip(usize::from(excerpts.first().filter(own).is_some())) {
        let named = if label.is_empty() {
            format!("\nsee line {line}{whose}")
        } else {
            format!("\nline {line}{whose}: {label}")
        };
        // A line may be marked twice for the same reason.
        if !message.contains(&named) {
            message += &named;
        }
    }
    message += &format!("\nhelp: {}", finding.help);
    let path = file(path);
    Annotation { level: finding.level, path, place, title: finding.code.as_str(), message }
}

/// The path of an annotation: standard input has none.
fn file(path: &str) -> Option<&str> {
    Some(path).filter(|path| *path != "-")
}

/// One annotation.
struct Annotation<'a> {
    level: Level,
    /// The file, as it was given.
    path: Option<&'a str>,
    /// The line, and its columns, the end excluded; a place between two characters is empty.
    place: Option<(u64, (u64, u64))>,
    title: &'static str,
    /// What there is to say, in one line or more: safe to show.
    message: String,
}

impl Annotation<'_> {
    /// The line that the runner reads.
    fn command(&self) -> String {
        let name = match self.level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Note => "notice",
        };
        let mut properties = Vec::new();
        if let Some(path) = self.path {
            // A path that cannot be written as it is names no file of a checkout, so it need only be safe to show.
            let path = if path.chars().all(is_display_safe) {
                path.to_owned()
            } else {
                display_safe(path).max_chars(PATH).to_string()
            };
            properties.push(format!("file={}", property(&path)));
        }
        if let Some((line, (column, end))) = self.place {
            properties.push(format!("line={line}"));
            if end > column {
                properties.push(format!("col={column},endColumn={end}"));
            } else if column > 1 {
                properties.push(format!("col={column}"));
            }
        }
        properties.push(format!("title={}", property(self.title)));
        format!("::{name} {}::{}", properties.join(","), data(&self.message))
    }
}

/// A text as the runner reads it after the second `::`.
fn data(text: &str) -> String {
    escaped(text, "%\r\n")
}

/// A text as the runner reads it in a property.
fn property(text: &str) -> String {
    escaped(text, "%\r\n:,")
}

fn escaped(text: &str, special: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if character != '\n' && !is_display_safe(character) {
            // A report that was made elsewhere may hold anything.
            let _ = write!(escaped, "{}", display_safe(character.encode_utf8(&mut [0; 4])));
        } else if special.contains(character) {
            // Writing to a text cannot fail.
            let _ = write!(escaped, "%{:02X}", u32::from(character));
        } else {
            escaped.push(character);
        }
    }
    escaped
}
