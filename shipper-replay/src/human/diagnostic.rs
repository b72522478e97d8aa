//! One finding as compilers show theirs: what, where, the bytes that show it, and what to do now.

use std::collections::HashMap;

use annotate_snippets::{AnnotationKind, Group, Level as Tone, Origin, Renderer, Snippet};
use shipper_core::audit::{AuditOptions, Decision, Finding, Level, LogAudit};
use shipper_events::display_safe;

use super::next::next;
use super::words::{derived, recorded};
use crate::exhibit::Exhibit;

/// How diagnostics are drawn.
pub(super) struct Drawing<'d> {
    /// Where the log is.
    pub(super) path: &'d str,
    /// What was asked of it.
    pub(super) demand: &'d AuditOptions,
    /// Its decisions.
    pub(super) decisions: &'d ByLine<'d>,
    pub(super) color: bool,
    /// How many columns a line may have.
    pub(super) width: usize,
}

impl Drawing<'_> {
    /// Draws a finding about the log, with the places that show it, and with `help` what to do about it.
    pub(super) fn draw(&self, finding: &Finding, help: bool, exhibits: &[Exhibit], audit: &LogAudit) -> String {
        let tone = match finding.level {
            Level::Error => Tone::ERROR,
            Level::Warning => Tone::WARNING,
            Level::Note => Tone::NOTE,
        };
        let shown_path = display_safe(self.path).max_chars(400).to_string();
        let title = tone.primary_title(finding.message.as_ref()).id(finding.code.as_str());
        let gutter = exhibits.iter().map(|exhibit| exhibit.line.to_string().len()).max().unwrap_or(1);
        let room = self.width.saturating_sub(gutter + 3).max(20);
        let mut group = Group::with_title(title);
        if finding.line.is_none() || exhibits.is_empty() {
            group = group.element(place(&shown_path, finding, audit));
        }
        for (position, exhibit) in exhibits.iter().enumerate() {
            let own = position == 0 && finding.line.is_some();
            group = group.element(origin(&shown_path, exhibit)).element(snippet(exhibit, own, room));
        }
        if let Some(decision) = decision(finding, self.decisions) {
            group = group.element(Tone::NOTE.with_name("derived").message(derived(decision)));
            if let Some(recorded) = recorded(decision) {
                group = group.element(Tone::NOTE.with_name("recorded").message(recorded));
            }
        }
        if help {
            group = group.element(Tone::HELP.message(finding.help.as_ref()));
        }
        group = group.element(Tone::HELP.with_name("next").message(next(finding, self.path, audit, self.demand)));
        let renderer = if self.color { Renderer::styled() } else { Renderer::plain() };
        let drawn = renderer.term_width(self.width.max(40)).render(&[group]);
        // The origin that is given stands in for the one that a snippet without a path leaves empty.
        drawn.lines().filter(|line| !is_empty_origin(line)).flat_map(|line| [line, "\n"]).collect()
    }
}

/// Whether a drawn line is the sign of another place, and names none.
fn is_empty_origin(line: &str) -> bool {
    anstream::adapter::strip_str(line).to_string().trim() == ":::"
}

/// Where a finding is that shows no line.
fn place<'a>(path: &'a str, finding: &Finding, audit: &'a LogAudit) -> Origin<'a> {
    let about_sidecar = finding.code.is_about_sidecar();
    match &audit.sidecar.path {
        Some(sidecar) if about_sidecar => Origin::path(display_safe(sidecar).max_chars(400).to_string()),
        _ => match finding.line.and_then(|line| usize::try_from(line).ok()) {
            Some(line) => Origin::path(path).line(line),
            None => Origin::path(path),
        },
    }
}

fn origin<'a>(path: &'a str, exhibit: &Exhibit) -> Origin<'a> {
    let number = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    Origin::path(path).line(number(exhibit.line)).char_column(number(exhibit.columns.0))
}

/// A line of the log, as much of it as there is room for around the place.
fn snippet(exhibit: &Exhibit, own: bool, room: usize) -> Snippet<'static, annotate_snippets::Annotation<'static>> {
    let marked = cut_end(&exhibit.marked, room.saturating_sub(8).max(8));
    let left = room.saturating_sub(marked.chars().count());
    // What stands before a value names it.
    let before = cut_start(&exhibit.before, left.saturating_sub(4).min(left / 2 + 8));
    let after = cut_end(&exhibit.after, left.saturating_sub(before.chars().count()));
    let (start, end) = (before.len(), before.len() + marked.len());
    let kind = if own { AnnotationKind::Primary } else { AnnotationKind::Context };
    let label = Some(exhibit.label).filter(|label| !label.is_empty());
    Snippet::source(format!("{before}{marked}{after}"))
        .line_start(usize::try_from(exhibit.line).unwrap_or(usize::MAX))
        .annotation(kind.span(start..end).label(label))
}

/// The first so many characters; `…` stands for the others.
fn cut_end(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let shown: String = text.trim_end_matches('…').chars().take(most.saturating_sub(1)).collect();
    format!("{shown}…")
}

/// The last so many characters; `…` stands for the others.
fn cut_start(text: &str, most: usize) -> String {
    let count = text.chars().count();
    if count <= most {
        return text.to_owned();
    }
    let shown: String = text.chars().skip(count - most.saturating_sub(1)).collect();
    format!("…{shown}")
}

/// A log's decisions by their own lines and those of their runs: a log may hold many.
pub(crate) struct ByLine<'a>(HashMap<u64, &'a Decision>);

impl<'a> ByLine<'a> {
    pub(crate) fn of(audit: &'a LogAudit) -> Self {
        let lines = |decision: &'a Decision| {
            let runs = decision.runs.iter().map(|run| run.line);
            runs.chain([decision.line]).map(move |line| (line, decision))
        };
        // Where a line is both, the decision that comes first counts.
        Self(audit.decisions.iter().rev().flat_map(lines).collect())
    }
}

/// The decision that a finding is about, where its answer is at issue.
pub(crate) fn decision<'a>(finding: &Finding, decisions: &ByLine<'a>) -> Option<&'a Decision> {
    use shipper_core::audit::FindingCode::{
        BasisMismatch, DecisionOutdated, GateBypassed, GateNotAskedAgain, NotWhatWasRehearsed, PublishNotAuthorized,
        PublishedDespiteRefusal, RegistryNotDemanded, UngatedPublish, UnprovenPublish, VerdictMismatch,
    };
    let at_issue = matches!(
        finding.code,
        VerdictMismatch
            | BasisMismatch
            | RegistryNotDemanded
            | PublishedDespiteRefusal
            | DecisionOutdated
            | UngatedPublish
            | PublishNotAuthorized
            | NotWhatWasRehearsed
            | UnprovenPublish
            | GateBypassed
            | GateNotAskedAgain
    );
    let line = finding.line.filter(|_| at_issue)?;
    decisions.0.get(&line).copied()
}
