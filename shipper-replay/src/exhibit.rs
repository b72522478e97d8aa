//! Exhibits: the places in a log that findings point at, with the text that stands there.
//!
//! The auditor keeps no line, so the lines that are marked are read once more, for the findings that are shown. An
//! exhibit holds only the neighbourhood of its place, made safe to show, so that a line of 16 MiB is as easy to look
//! at as a short one.

use std::io::{self, Read};

use shipper_core::audit::{Finding, Label, LabelTarget};
use shipper_events::json::Object;
use shipper_events::{LineReader, is_display_safe};

/// How many characters are kept before and after a place.
const CONTEXT: usize = 160;

/// How many characters are kept of the place itself.
const MARKED: usize = 100;

/// How many bytes may hold that many characters.
const NEAR: usize = 4 * (CONTEXT + MARKED);

/// For how many findings of a log places are shown at most: a report of more is read by machines, which have the line.
pub(crate) const MOST: usize = 1000;

/// A place in a log, and what stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Exhibit {
    /// The line; the first is 1.
    pub(crate) line: u64,
    /// Where in the line, in characters, the end excluded; the first is 1. A place that is not one value is empty.
    pub(crate) columns: (u64, u64),
    /// What stands there, in a few words; empty where the finding's message says it.
    pub(crate) label: &'static str,
    /// The line's text before the place, the place, and after it: safe to show. Cut where `…` stands.
    pub(crate) before: String,
    pub(crate) marked: String,
    pub(crate) after: String,
}

/// The exhibits of some findings, in their order; the first of each is the one on its own line, if it names one.
pub(crate) fn exhibits<'f>(
    bytes: impl Read,
    findings: impl IntoIterator<Item = &'f Finding>,
) -> io::Result<Vec<Vec<Exhibit>>> {
    let places: Vec<Vec<Label>> = findings.into_iter().map(Finding::places).collect();
    let mut wanted: Vec<(u64, usize, usize)> = Vec::new();
    for (finding, marks) in places.iter().enumerate() {
        wanted.extend(marks.iter().enumerate().map(|(position, mark)| (mark.line, finding, position)));
    }
    wanted.sort_unstable();
    let mut shown: Vec<Vec<Option<Exhibit>>> = places.iter().map(|marks| vec![None; marks.len()]).collect();
    let mut wanted = wanted.into_iter().peekable();
    each_line(bytes, |number, line| {
        // Many findings may rest on one line, which may be long: each place of it is looked for once.
        let mut found: Vec<(LabelTarget, Exhibit)> = Vec::new();
        while let Some((_, finding, position)) = wanted.next_if(|(at, ..)| *at == number) {
            let mark = places.get(finding).and_then(|marks| marks.get(position));
            let place = shown.get_mut(finding).and_then(|places| places.get_mut(position));
            if let (Some(mark), Some(place)) = (mark, place) {
                let known = found.iter().find(|(spot, _)| *spot == mark.spot).map(|(_, exhibit)| exhibit.clone());
                let exhibit = known.unwrap_or_else(|| {
                    let exhibit = exhibit(line, mark);
                    found.push((mark.spot, exhibit.clone()));
                    exhibit
                });
                *place = Some(Exhibit { label: mark.label, ..exhibit });
            }
        }
        wanted.peek().map(|(next, ..)| *next)
    })?;
    Ok(shown.into_iter().map(|places| places.into_iter().flatten().collect()).collect())
}

/// Reads on as long as somebody wants a line: `see` gets a line and says which it wants next. It is called for line 0,
/// which is empty, first.
fn each_line(bytes: impl Read, mut see: impl FnMut(u64, &[u8]) -> Option<u64>) -> io::Result<()> {
    let (mut lines, mut line, mut next) = (LineReader::new(bytes), 0, see(0, b""));
    while let Some(wanted) = next {
        let Some(bytes) = lines.next_line()? else {
            return Ok(());
        };
        line += 1;
        if line == wanted {
            next = see(line, bytes);
        }
    }
    Ok(())
}

/// What stands at a place of a line.
fn exhibit(line: &[u8], mark: &Label) -> Exhibit {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let (start, end) = match mark.spot {
        LabelTarget::Line => (0, line.len()),
        LabelTarget::End => (line.len(), line.len()),
        LabelTarget::Offset(offset) => {
            let start = offset.min(line.len());
            (start, character_end(line, start))
        }
        LabelTarget::Member(path) => locate(line, path).unwrap_or((0, line.len())),
    };
    let (before, from) = line.split_at_checked(start).unwrap_or((line, b""));
    let (marked, after) = from.split_at_checked(end - start).unwrap_or((from, b""));
    let column = String::from_utf8_lossy(before).chars().count() as u64 + 1;
    let width = String::from_utf8_lossy(marked).chars().count() as u64;
    Exhibit {
        line: mark.line,
        columns: (column, column + width),
        label: mark.label,
        before: last(before),
        marked: first(marked, MARKED),
        after: first(after, CONTEXT),
    }
}

/// The end of the character that begins there.
fn character_end(line: &[u8], start: usize) -> usize {
    let rest = line.get(start..).unwrap_or_default();
    let rest = rest.get(..rest.len().min(4)).unwrap_or_default();
    let length = String::from_utf8_lossy(rest).chars().next().map_or(0, char::len_utf8);
    // What is not UTF-8 stands for one byte.
    let valid = std::str::from_utf8(rest.get(..length).unwrap_or_default()).is_ok();
    start + if valid { length } else { 1 }
}

/// Where the value of a member stands in a line.
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
    Some((start, start + value.text().len()))
}

/// The first so many characters, safe to show.
fn first(bytes: &[u8], most: usize) -> String {
    let text = String::from_utf8_lossy(bytes.get(..bytes.len().min(NEAR)).unwrap_or_default());
    let mut shown: String = text.chars().take(most).map(Shown).map(|character| character.to_string()).collect();
    if text.chars().nth(most).is_some() || bytes.len() > NEAR {
        shown.push('…');
    }
    shown
}

/// The last characters, safe to show.
fn last(bytes: &[u8]) -> String {
    let from = bytes.len().saturating_sub(NEAR);
    let mut near = bytes.get(from..).unwrap_or_default();
    // Not in the middle of a character.
    while from > 0 && near.first().is_some_and(|byte| byte & 0xc0 == 0x80) {
        near = near.get(1..).unwrap_or_default();
    }
    let text = String::from_utf8_lossy(near);
    let left_out = text.chars().count().saturating_sub(CONTEXT);
    let shown: String = text.chars().skip(left_out).map(Shown).map(|character| character.to_string()).collect();
    if left_out > 0 || from > 0 { format!("…{shown}") } else { shown }
}

/// A character of a line of JSON, safe to show. A backslash stays as it is: in JSON it is an escape already.
struct Shown(char);

impl std::fmt::Display for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            character if is_display_safe(character) => std::fmt::Write::write_char(f, character),
            '\r' => f.write_str("\\r"),
            '\t' => f.write_str("\\t"),
            character => write!(f, "\\u{{{:x}}}", u32::from(character)),
        }
    }
}
