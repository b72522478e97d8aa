//! Excerpts of the lines that findings refer to.
//!
//! The auditor keeps no line, so the lines are read a second time, for the findings that are shown. An excerpt contains
//! only the text around its target, escaped for display, so that a line of 16 MiB is shown like a short one.

use std::io::{self, Read};

use shipper_core::audit::{Finding, Label, LabelTarget};
use shipper_events::is_display_safe;
use shipper_events::json::Object;
use shipper_events::scan::LineReader;

/// Most characters before, and after, the target.
const MAX_CONTEXT_CHARS: usize = 160;

/// Most characters of the target itself.
const MAX_TARGET_CHARS: usize = 100;

/// Most bytes that are decoded for so many characters.
const MAX_CONTEXT_BYTES: usize = 4 * (MAX_CONTEXT_CHARS + MAX_TARGET_CHARS);

/// Most findings of a log that have excerpts. A report of more is for programs, which read the line numbers.
pub(crate) const MAX_EXCERPTS: usize = 1000;

/// Text of a log line around the target of a label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Excerpt {
    /// Line number; the first is 1.
    pub(crate) line: u64,
    /// Columns of the target, in characters from 1, the end excluded. The range is empty if the target is the end of the
    /// line.
    pub(crate) columns: (u64, u64),
    /// Short description of the target; empty if the finding's message describes it.
    pub(crate) label: &'static str,
    /// Text of the line before the target, safe to display; `…` replaces what is left out.
    pub(crate) before: String,
    /// Text of the target, in the same form.
    pub(crate) target: String,
    /// Text of the line after the target, in the same form.
    pub(crate) after: String,
}

/// Returns the excerpts of each of `findings`, in the order of their labels: the one on the finding's own line is first.
pub(crate) fn extract<'f>(
    bytes: impl Read,
    findings: impl IntoIterator<Item = &'f Finding>,
) -> io::Result<Vec<Vec<Excerpt>>> {
    let labels: Vec<Vec<Label>> = findings.into_iter().map(Finding::labels).collect();
    let mut excerpts: Vec<Vec<Excerpt>> = vec![Vec::new(); labels.len()];
    let positions = |(finding, labels): (usize, Vec<Label>)| {
        labels.into_iter().enumerate().map(move |(position, label)| (label.line, finding, position, label))
    };
    let mut wanted: Vec<(u64, usize, usize, Label)> = labels.into_iter().enumerate().flat_map(positions).collect();
    wanted.sort_by_key(|(line, finding, position, _)| (*line, *finding, *position));
    let mut found: Vec<(usize, usize, Excerpt)> = Vec::with_capacity(wanted.len());
    let (mut lines, mut number) = (LineReader::new(bytes), 0);
    'log: for labels in wanted.chunk_by(|(line, ..), (next, ..)| line == next) {
        while labels.first().is_some_and(|(line, ..)| number + 1 < *line) {
            if lines.next_line()?.is_none() {
                break 'log;
            }
            number += 1;
        }
        let Some(text) = lines.next_line()? else { break };
        number += 1;
        // Many findings may refer to one long line: each target of it is located once.
        let mut known: Vec<(LabelTarget, Excerpt)> = Vec::new();
        for (_, finding, position, label) in labels {
            let excerpt = match known.iter().find(|(spot, _)| *spot == label.target) {
                Some((_, excerpt)) => excerpt.clone(),
                None => {
                    let excerpt = excerpt(text, label);
                    known.push((label.target, excerpt.clone()));
                    excerpt
                }
            };
            found.push((*finding, *position, Excerpt { label: label.text, ..excerpt }));
        }
    }
    found.sort_by_key(|(finding, position, _)| (*finding, *position));
    for (finding, _, excerpt) in found {
        if let Some(excerpts) = excerpts.get_mut(finding) {
            excerpts.push(excerpt);
        }
    }
    Ok(excerpts)
}

fn excerpt(line: &[u8], label: &Label) -> Excerpt {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let (start, end) = match label.target {
        LabelTarget::Line => (0, line.len()),
        LabelTarget::End => (line.len(), line.len()),
        LabelTarget::Offset(offset) => {
            let start = offset.min(line.len());
            (start, character_end(line, start))
        }
        LabelTarget::Member(path) => locate(line, path).unwrap_or((0, line.len())),
    };
    let (before, rest) = line.split_at_checked(start).unwrap_or((line, b""));
    let (target, after) = rest.split_at_checked(end - start).unwrap_or((rest, b""));
    let column = String::from_utf8_lossy(before).chars().count() as u64 + 1;
    let width = String::from_utf8_lossy(target).chars().count() as u64;
    Excerpt {
        line: label.line,
        columns: (column, column + width),
        label: label.text,
        before: last_chars(before),
        target: first_chars(target, MAX_TARGET_CHARS),
        after: first_chars(after, MAX_CONTEXT_CHARS),
    }
}

/// Returns the end of the character at `start`; a byte that is not UTF-8 is one character.
fn character_end(line: &[u8], start: usize) -> usize {
    let rest = line.get(start..).unwrap_or_default();
    let rest = rest.get(..rest.len().min(4)).unwrap_or_default();
    let length = String::from_utf8_lossy(rest).chars().next().map_or(0, char::len_utf8);
    let valid = std::str::from_utf8(rest.get(..length).unwrap_or_default()).is_ok();
    start + if valid { length } else { 1 }
}

/// Returns the byte range of a member's value in a line.
fn locate(line: &[u8], path: &[&str]) -> Option<(usize, usize)> {
    let mut object = Object::parse(line).ok()?;
    let mut from = 0;
    let (last, parents) = path.split_last()?;
    for name in parents {
        let value = object.get(name)?;
        from += value.offset();
        object = value.as_object()?;
    }
    let value = object.get(last)?;
    let start = from + value.offset();
    Some((start, start + value.raw().len()))
}

/// Returns the first characters, escaped for display.
fn first_chars(bytes: &[u8], max: usize) -> String {
    let text = String::from_utf8_lossy(bytes.get(..bytes.len().min(MAX_CONTEXT_BYTES)).unwrap_or_default());
    let is_cut = text.chars().nth(max).is_some() || bytes.len() > MAX_CONTEXT_BYTES;
    escape(text.chars().take(max)) + if is_cut { "…" } else { "" }
}

/// Returns the last characters, escaped for display.
fn last_chars(bytes: &[u8]) -> String {
    let from = bytes.len().saturating_sub(MAX_CONTEXT_BYTES);
    let mut near = bytes.get(from..).unwrap_or_default();
    // The cut may be inside a character: continuation bytes are left out.
    while from > 0 && near.first().is_some_and(|byte| byte & 0xc0 == 0x80) {
        near = near.get(1..).unwrap_or_default();
    }
    let text = String::from_utf8_lossy(near);
    let left_out = text.chars().count().saturating_sub(MAX_CONTEXT_CHARS);
    let shown = escape(text.chars().skip(left_out));
    if left_out > 0 || from > 0 { format!("…{shown}") } else { shown }
}

/// Escapes characters of a JSON line for display. A backslash stays: it begins an escape of JSON already.
fn escape(characters: impl Iterator<Item = char>) -> String {
    let mut escaped = String::new();
    for character in characters {
        match character {
            character if is_display_safe(character) => escaped.push(character),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            character => escaped += &format!("\\u{{{:x}}}", u32::from(character)),
        }
    }
    escaped
}
