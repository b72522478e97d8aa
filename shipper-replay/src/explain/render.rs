//! The answer to `--explain`: explanations on a terminal, as Markdown and as plain text.

use std::fmt::Write;

use anstyle::Style as Paint;
use thiserror::Error;

use super::reference::{Explanation, GROUPS, PAGE, explanations, explanations_of, section};
use super::suggest::ExplainTopic;
use crate::cli::Format;
use crate::formats::human::RenderOptions;

/// Longest line on a terminal, in characters, like those of the help: longer ones are hard to read.
const TERMINAL_WIDTH: usize = 100;

/// Longest line of Markdown, in characters.
const MARKDOWN_WIDTH: usize = 140;

/// Indentation of a text below its label.
const INDENT: &str = "  ";

/// `--explain` has no output in the requested format.
#[derive(Debug, Error)]
#[error("--explain prints text, or Markdown of one word or all for --format markdown; leave --format out")]
pub(crate) struct ExplainFormatError;

/// Renders the answer for a terminal or as Markdown.
///
/// # Errors
///
/// [`ExplainFormatError`] for every other format, and for the list of terms as Markdown.
pub(crate) fn answer(
    topic: &ExplainTopic,
    format: Format,
    options: &RenderOptions,
) -> Result<String, ExplainFormatError> {
    let (width, color) = (options.width.min(TERMINAL_WIDTH), options.color);
    match (format, topic) {
        (Format::Human, ExplainTopic::Term(term)) => Ok(for_terminal(explanations_of(term), width, color)),
        (Format::Human, ExplainTopic::All) => Ok(for_terminal(explanations(), width, color)),
        (Format::Human, ExplainTopic::List) => Ok(list(width, color)),
        (Format::Markdown, ExplainTopic::Term(term)) => Ok(section(term).unwrap_or_default()),
        (Format::Markdown, ExplainTopic::All) => Ok(PAGE.to_owned()),
        (_, _) => Err(ExplainFormatError),
    }
}

impl Explanation {
    /// Renders the four texts as Markdown without links, a paragraph each.
    pub(crate) fn markdown(&self) -> String {
        let part = |(label, text)| wrap(&format!("**{label}.** {text}"), MARKDOWN_WIDTH, "") + "\n";
        self.parts().map(part).join("\n")
    }

    /// Renders the four texts without markup, a paragraph each.
    pub(crate) fn plain(&self) -> String {
        self.parts().map(|(label, text)| format!("{label}: {}", text.replace('`', ""))).join("\n\n")
    }
}

pub(super) fn for_terminal(
    explanations: impl Iterator<Item = &'static Explanation>,
    width: usize,
    color: bool,
) -> String {
    let explanations = explanations.map(|explanation| {
        let mut text = format!("{}: {}\n", bold(explanation.term, color), explanation.kind);
        for (label, part) in explanation.parts() {
            let part = wrap(&format!("{INDENT}{part}"), width, INDENT);
            let _ = writeln!(text, "\n{}\n{part}", bold(label, color));
        }
        text
    });
    explanations.collect::<Vec<_>>().join("\n")
}

/// Renders the terms of each group with the summaries of their meanings.
fn list(width: usize, color: bool) -> String {
    let groups = GROUPS.iter().map(|group| {
        let mut text = format!("{}\n", bold(group.title, color));
        let level =
            |explanation: &Explanation| explanation.level().map_or(String::new(), |level| format!("{level:<9}"));
        let longest = |of: fn(&Explanation) -> usize| group.explanations.iter().map(of).max().unwrap_or_default();
        let (terms, levels) = (longest(|other| other.term.len() + 2), longest(|other| other.level().map_or(0, |_| 9)));
        for explanation in &group.explanations {
            let Explanation { term, .. } = explanation;
            let line = format!("{INDENT}{term:<terms$}{:<levels$}{}", level(explanation), explanation.summary());
            let _ = writeln!(text, "{}", wrap(&line, width, &" ".repeat(INDENT.len() + terms + levels)));
        }
        text
    });
    groups.collect::<Vec<_>>().join("\n")
}

fn bold(text: &str, color: bool) -> String {
    let paint = Paint::new().bold();
    if color { format!("{paint}{text}{paint:#}") } else { text.to_owned() }
}

/// Breaks a text into lines of at most `width` characters, and indents every line but the first. Code between backticks
/// is not broken; a longer piece has a line of its own.
pub(super) fn wrap(text: &str, width: usize, indent: &str) -> String {
    let (mut out, mut column, mut in_code) = (String::new(), 0, false);
    let pieces = text.split_inclusive(move |character| {
        in_code ^= character == '`';
        character == ' ' && !in_code
    });
    for piece in pieces {
        let length = piece.trim_end().chars().count();
        if column > indent.len() && column + length > width {
            out.truncate(out.trim_end().len());
            out.push('\n');
            out.push_str(indent);
            column = indent.len();
        }
        out.push_str(piece);
        column += piece.chars().count();
    }
    out
}
