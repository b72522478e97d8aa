//! Renderer of explanations (`--explain`) for a terminal, as Markdown and as plain text.

use std::fmt::Write;

use anstyle::Style as Paint;
use thiserror::Error;

use super::reference::{EXPLANATIONS, Explanation, PAGE, explanations_of, section};
use super::suggest::ExplainTopic;
use crate::cli::Format;
use crate::formats::human::RenderOptions;

/// Longest line on a terminal, in characters, as in the help.
const TERMINAL_WIDTH: usize = 100;

/// Longest line of Markdown, in characters.
const MARKDOWN_WIDTH: usize = 140;

/// Indentation of a text below its label.
const INDENT: &str = "  ";

/// The error for a format that `--explain` does not support.
#[derive(Debug, Error)]
#[error("--explain does not support the requested format")]
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
        (Format::Human, ExplainTopic::All) => Ok(for_terminal(EXPLANATIONS.iter(), width, color)),
        (Format::Human, ExplainTopic::List) => Ok(list(width, color)),
        (Format::Markdown, ExplainTopic::Term(term)) => Ok(section(term)),
        (Format::Markdown, ExplainTopic::All) => Ok(PAGE.to_owned()),
        (_, _) => Err(ExplainFormatError),
    }
}

impl Explanation {
    /// Renders the texts as Markdown without links, a paragraph each.
    pub(crate) fn markdown(&self) -> String {
        let part = |(label, text)| wrap(&format!("**{label}.** {text}"), MARKDOWN_WIDTH, "") + "\n";
        self.parts().map(part).collect::<Vec<_>>().join("\n")
    }

    /// Renders the texts without markup, a paragraph each.
    pub(crate) fn plain(&self) -> String {
        let part = |(label, text): (&str, &String)| format!("{label}: {}", text.replace('`', ""));
        self.parts().map(part).collect::<Vec<_>>().join("\n\n")
    }
}

fn for_terminal(explanations: impl Iterator<Item = &'static Explanation>, width: usize, color: bool) -> String {
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
    let groups = EXPLANATIONS.chunk_by(|one, other| one.group == other.group).map(|group| {
        let mut text = bold(group.first().map_or("", |first| first.group), color) + "\n";
        let longest = group.iter().map(|explanation| explanation.term.len() + 2).max().unwrap_or_default();
        for explanation in group {
            let level = explanation.level().map_or(String::new(), |level| format!("{level:<9}"));
            let start = format!("{INDENT}{:<longest$}{level}", explanation.term);
            let line = format!("{start}{}", explanation.summary());
            let _ = writeln!(text, "{}", wrap(&line, width, &" ".repeat(start.len())));
        }
        text
    });
    groups.collect::<Vec<_>>().join("\n")
}

fn bold(text: &str, color: bool) -> String {
    let paint = Paint::new().bold();
    if color { format!("{paint}{text}{paint:#}") } else { text.to_owned() }
}

/// Breaks a text into lines of at most `width` characters, and indents every line but the first. It does not break code
/// between backticks; a longer piece has its own line.
fn wrap(text: &str, width: usize, indent: &str) -> String {
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
