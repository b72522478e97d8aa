//! Diagnostics: a finding as compilers show theirs, with its excerpts and the action to take.

use annotate_snippets::{AnnotationKind, Group, Level as Severity, Origin, Renderer, Snippet};
use shipper_core::audit::{AuditOptions, Finding, Level, LogAudit};

use super::options::RenderOptions;
use crate::excerpt::Excerpt;
use crate::formats::log_issue::path_of;
use crate::formats::text::decisions::DecisionsByLine;
use crate::formats::text::next_command::next_command;
use crate::formats::text::phrases::{derived_text, path_text, recorded_text};

/// Renders the findings of one log.
pub(super) struct DiagnosticRenderer<'d> {
    pub(super) path: &'d str,
    pub(super) demand: &'d AuditOptions,
    pub(super) audit: &'d LogAudit,
    pub(super) decisions: DecisionsByLine<'d>,
    pub(super) options: &'d RenderOptions,
}

impl DiagnosticRenderer<'_> {
    /// Renders a finding with its excerpts, and with its help if `with_help` is true.
    pub(super) fn render(&self, finding: &Finding, with_help: bool, excerpts: &[Excerpt]) -> String {
        let severity = match finding.level {
            Level::Error => Severity::ERROR,
            Level::Warning => Severity::WARNING,
            Level::Note => Severity::NOTE,
        };
        let shown_path = path_text(self.path).to_string();
        let label = finding.level.as_str().len() + finding.code.as_str().len() + "[]: ".len();
        let title = textwrap::fill(&finding.message, self.options.wrap(label));
        let title = severity.primary_title(title).id(finding.code.as_str());
        let gutter = excerpts.iter().map(|excerpt| excerpt.line.to_string().len()).max().unwrap_or(1);
        let width = self.options.width.saturating_sub(gutter + 3).max(20);
        let mut group = Group::with_title(title);
        if finding.line.is_none() || excerpts.is_empty() {
            group = group.element(place(self.path, finding, self.audit));
        }
        for (position, excerpt) in excerpts.iter().enumerate() {
            let own = position == 0 && finding.line.is_some();
            group = group.element(origin(&shown_path, excerpt)).element(snippet(excerpt, own, width));
        }
        if let Some(decision) = self.decisions.of_finding(finding) {
            group = group.element(Severity::NOTE.with_name("derived").message(derived_text(decision)));
            if let Some(recorded) = recorded_text(decision) {
                group = group.element(Severity::NOTE.with_name("recorded").message(recorded));
            }
        }
        if with_help {
            let help = textwrap::fill(&finding.help, self.options.wrap(gutter + 3 + "= help: ".len()));
            group = group.element(Severity::HELP.message(help));
        }
        let next = next_command(finding, self.path, self.audit, self.demand);
        group = group.element(Severity::HELP.with_name("next").message(next));
        let renderer = if self.options.color { Renderer::styled() } else { Renderer::plain() };
        let rendered = renderer.term_width(self.options.width.max(40)).render(&[group]);
        // A snippet with a path would show columns of the excerpt, not of the log line. One without a path shows an empty
        // origin instead, which the explicit origin before it replaces.
        rendered.lines().filter(|line| !is_empty_origin(line)).flat_map(|line| [line, "\n"]).collect()
    }
}

/// Returns true for a rendered line that is an origin without a path.
fn is_empty_origin(line: &str) -> bool {
    anstream::adapter::strip_str(line).to_string().trim() == ":::"
}

/// Returns the origin of a finding without excerpts.
fn place<'a>(log: &'a str, finding: &Finding, audit: &'a LogAudit) -> Origin<'a> {
    let origin = Origin::path(path_text(path_of(finding, audit, log)).to_string());
    match finding.line.and_then(|line| usize::try_from(line).ok()) {
        Some(line) => origin.line(line),
        None => origin,
    }
}

fn origin<'a>(path: &'a str, excerpt: &Excerpt) -> Origin<'a> {
    let number = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    Origin::path(path).line(number(excerpt.line)).char_column(number(excerpt.columns.0))
}

/// Returns an excerpt cut to `width` columns around its target.
fn snippet(excerpt: &Excerpt, own: bool, width: usize) -> Snippet<'static, annotate_snippets::Annotation<'static>> {
    let label_width = excerpt.label.chars().count() + 1;
    let target = cut_end(&excerpt.target, width.saturating_sub(10 + label_width).max(8));
    let left = width.saturating_sub(target.chars().count());
    // The text before a value contains its name.
    let before = cut_start(&excerpt.before, left.saturating_sub(label_width).max(10).min(left / 2 + 8));
    let after = cut_end(&excerpt.after, left.saturating_sub(before.chars().count()));
    let (start, end) = (before.len(), before.len() + target.len());
    let kind = if own { AnnotationKind::Primary } else { AnnotationKind::Context };
    let label = Some(excerpt.label).filter(|label| !label.is_empty());
    Snippet::source(format!("{before}{target}{after}"))
        .line_start(usize::try_from(excerpt.line).unwrap_or(usize::MAX))
        .annotation(kind.span(start..end).label(label))
}

/// Returns the first `max` characters; `…` replaces the others.
fn cut_end(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    let shown: String = text.trim_end_matches('…').chars().take(max.saturating_sub(1)).collect();
    format!("{shown}…")
}

/// Returns the last `max` characters; `…` replaces the others.
fn cut_start(text: &str, max: usize) -> String {
    let count = text.chars().count();
    if count <= max {
        return text.to_owned();
    }
    let shown: String = text.chars().skip(count - max.saturating_sub(1)).collect();
    format!("…{shown}")
}
