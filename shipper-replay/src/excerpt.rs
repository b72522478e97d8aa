//! Excerpts of the lines that findings refer to.
//!
//! The auditor keeps no lines, so the lines of the shown findings are read again. An excerpt contains only the text
//! around its target, escaped for display, so its length does not depend on that of the line.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};

use shipper_core::audit::{Finding, Label, LabelTarget};
use shipper_events::json::Object;
use shipper_events::scan::LineReader;
use shipper_events::{display_safe, is_display_safe};

/// Most characters before, and after, the target.
const MAX_CONTEXT_CHARS: usize = 160;

/// Most characters of the target itself.
const MAX_TARGET_CHARS: usize = 100;

/// Most bytes that are decoded for these characters.
const MAX_CONTEXT_BYTES: usize = 4 * (MAX_CONTEXT_CHARS + MAX_TARGET_CHARS);

/// Most findings of a log that have excerpts. The others have line numbers only.
pub(crate) const MAX_EXCERPTS: usize = 1000;

/// Text of a log line around the target of a label.
#[derive(Debug, Clone)]
pub(crate) struct Excerpt {
    /// Line number; the first is 1.
    pub(crate) line: u64,
    /// Columns of the target, in characters from 1, the end excluded; empty if the target is the end of the line.
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

/// Returns the excerpts of each of `findings`, in the order of their labels: that of the finding's own line is first.
pub(crate) fn extract<'f>(
    bytes: impl Read,
    findings: impl IntoIterator<Item = &'f Finding>,
) -> io::Result<Vec<Vec<Excerpt>>> {
    let labels: Vec<Vec<Label>> = findings.into_iter().map(Finding::labels).collect();
    // Many findings may refer to one long line: each target of it is located once.
    let mut targets: BTreeMap<u64, BTreeSet<LabelTarget>> = BTreeMap::new();
    for label in labels.iter().flatten() {
        targets.entry(label.line).or_default().insert(label.target);
    }
    let mut excerpts = BTreeMap::new();
    let (mut lines, mut number) = (LineReader::new(bytes), 0);
    for (line, targets) in targets {
        while number + 1 < line && lines.next_line()?.is_some() {
            number += 1;
        }
        let Some(text) = lines.next_line()? else { break };
        number += 1;
        excerpts.extend(targets.into_iter().map(|target| ((line, target), excerpt(text, line, target))));
    }
    let of_label =
        |label: &Label| Some(Excerpt { label: label.text, ..excerpts.get(&(label.line, label.target))?.clone() });
    Ok(labels.iter().map(|labels| labels.iter().filter_map(of_label).collect()).collect())
}

/// Returns the excerpt of a target, without a label.
fn excerpt(line: &[u8], number: u64, target: LabelTarget) -> Excerpt {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let (start, end) = match target {
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
        line: number,
        columns: (column, column + width),
        label: "",
        before: last_chars(before),
        target: first_chars(target, MAX_TARGET_CHARS),
        after: first_chars(after, MAX_CONTEXT_CHARS),
    }
}

/// Returns the end of the character at `start`; a byte that is not UTF-8 is one character.
fn character_end(line: &[u8], start: usize) -> usize {
    let rest = line.get(start..).unwrap_or_default();
    let first = rest.utf8_chunks().next().and_then(|chunk| chunk.valid().chars().next());
    start + first.map_or(rest.len().min(1), char::len_utf8)
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
    let text = String::from_utf8_lossy(bytes.get(..MAX_CONTEXT_BYTES).unwrap_or(bytes));
    let is_cut = text.chars().nth(max).is_some() || bytes.len() > MAX_CONTEXT_BYTES;
    let shown: String = text.chars().take(max).map(escape_char).collect();
    if is_cut { shown + "…" } else { shown }
}

/// Returns the last characters, escaped for display.
fn last_chars(bytes: &[u8]) -> String {
    let from = bytes.len().saturating_sub(MAX_CONTEXT_BYTES);
    let mut near = bytes.get(from..).unwrap_or_default();
    // The cut may be inside a character, so continuation bytes are dropped.
    while from > 0 && near.first().is_some_and(|byte| byte & 0xc0 == 0x80) {
        near = near.get(1..).unwrap_or_default();
    }
    let text = String::from_utf8_lossy(near);
    let left_out = text.chars().count().saturating_sub(MAX_CONTEXT_CHARS);
    let shown: String = text.chars().skip(left_out).map(escape_char).collect();
    if left_out > 0 || from > 0 { format!("…{shown}") } else { shown }
}

/// Escapes a character for display, except a backslash, which already begins an escape.
pub(crate) fn escape_char(character: char) -> String {
    if is_display_safe(character) {
        character.to_string()
    } else {
        display_safe(character.encode_utf8(&mut [0; 4])).to_string()
    }
}
