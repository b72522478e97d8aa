//! Explanations for a terminal.

use std::fmt::Write;

use anstyle::Style as Paint;
use shipper_core::audit::Level;

use super::{Entry, GROUPS, about, entries};

/// How far what stands under a head is indented.
const INDENT: &str = "  ";

/// All there is to say about a word, as what it is in every kind; nothing about one that no report says.
pub(crate) fn explain(word: &str, width: usize, color: bool) -> Option<String> {
    let about: Vec<String> = about(word).into_iter().map(|entry| explained(entry, width, color)).collect();
    (!about.is_empty()).then(|| about.join("\n"))
}

/// All there is to say about every word.
pub(crate) fn explain_all(width: usize, color: bool) -> String {
    let all: Vec<String> = entries().map(|entry| explained(entry, width, color)).collect();
    all.join("\n")
}

fn explained(entry: &Entry, width: usize, color: bool) -> String {
    let mut text = format!("{}: {}\n", bold(entry.word(), color), entry.subject.kind());
    for (head, part) in entry.parts() {
        let part = wrapped(&format!("{INDENT}{part}"), width, INDENT);
        let _ = writeln!(text, "\n{}\n{part}", bold(head, color));
    }
    text
}

/// Every word by kind, with what it says in one sentence.
pub(crate) fn list(width: usize, color: bool) -> String {
    let mut list = String::new();
    for (position, group) in GROUPS.iter().enumerate() {
        let gap = if position == 0 { "" } else { "\n" };
        let _ = writeln!(list, "{gap}{}", bold(group.title, color));
        let longest = |of: fn(&Entry) -> usize| group.entries.iter().map(of).max().unwrap_or_default();
        let (words, levels) = (longest(|entry| entry.word().len() + 2), longest(|entry| level(entry).len()));
        for entry in group.entries {
            let under = " ".repeat(INDENT.len() + words + levels);
            let line = format!("{INDENT}{:<words$}{:<levels$}{}", entry.word(), level(entry), entry.short());
            let _ = writeln!(list, "{}", wrapped(&line, width, &under));
        }
    }
    list
}

/// The level of a finding, and a gap after it.
fn level(entry: &Entry) -> &'static str {
    match entry.subject.level() {
        None => "",
        Some(Level::Error) => "error    ",
        Some(Level::Warning) => "warning  ",
        Some(Level::Note) => "note     ",
    }
}

fn bold(text: &str, color: bool) -> String {
    let paint = Paint::new().bold();
    if color { format!("{paint}{text}{paint:#}") } else { text.to_owned() }
}

/// The text in lines of at most so many characters, every line but the first indented. What stands between backticks is
/// kept together; what is longer than a line gets one of its own.
pub(super) fn wrapped(text: &str, width: usize, indent: &str) -> String {
    let (mut out, mut column) = (String::new(), 0);
    for piece in pieces(text) {
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

/// The words of a text, each with the spaces after it.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut code = false;
    text.split_inclusive(move |character| {
        code ^= character == '`';
        character == ' ' && !code
    })
}
