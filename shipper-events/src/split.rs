//! From bytes to lines: complete lines, and what stands after the last LF.

use crate::line::error::MAX_LINE_LEN;

/// What a log's bytes are made of, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut<'a> {
    /// Complete lines of at most [`MAX_LINE_LEN`] bytes each, their LF included: one or more.
    Lines(&'a [u8]),
    /// A part of a line that is longer than [`MAX_LINE_LEN`]; its parts follow each other and nothing comes between.
    LongPart {
        /// The bytes.
        part: &'a [u8],
        /// Whether they end with the line's LF.
        ends_line: bool,
    },
}

/// The bytes after the last LF of a log. They are no line and no event: a writer may have died in the middle of one,
/// or another may be at work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tail {
    /// There are none.
    Clean,
    /// There are some: the torn tail.
    Torn {
        /// How many.
        bytes: u64,
    },
}

/// Cuts bytes that arrive in pieces of any size into runs of complete lines. It holds at most one line, and never more
/// than [`MAX_LINE_LEN`] bytes; a run has at most so many.
///
/// ```
/// use shipper_events::{Cut, Splitter, Tail};
/// let mut splitter = Splitter::new();
/// let mut lines = Vec::new();
/// for mut piece in [&b"one\ntw"[..], b"o\nthr"] {
///     while let Some(Cut::Lines(run)) = splitter.next(&mut piece) {
///         lines.push(run.to_vec());
///     }
/// }
/// assert_eq!(lines, [b"one\n", b"two\n"]);
/// assert_eq!(splitter.tail(), Tail::Torn { bytes: 3 });
/// ```
#[derive(Debug, Clone, Default)]
pub struct Splitter {
    held: Vec<u8>,
    /// Whether `held` was handed out and is to be forgotten.
    handed_out: bool,
    /// Bytes of the long line that were handed out so far; 0 outside one.
    long: u64,
}

impl Splitter {
    /// A splitter at the start of a log.
    pub fn new() -> Self {
        Self::default()
    }

    /// The next cut. Takes its bytes off the front of `piece`; `None` when the piece is used up.
    pub fn next<'s, 'p: 's>(&'s mut self, piece: &mut &'p [u8]) -> Option<Cut<'s>> {
        if std::mem::take(&mut self.handed_out) {
            self.held.clear();
        }
        if piece.is_empty() {
            return None;
        }
        // What begins here and is no longer than a line may be is cut after the last line in it.
        let near = piece.get(..MAX_LINE_LEN).unwrap_or(piece);
        if self.held.is_empty()
            && self.long == 0
            && let Some(last) = memchr::memrchr(b'\n', near)
        {
            return Some(Cut::Lines(take(piece, last + 1)));
        }
        let (count, ends_line) = match memchr::memchr(b'\n', piece) {
            Some(position) => (position + 1, true),
            None => (piece.len(), false),
        };
        if self.long > 0 || count > MAX_LINE_LEN - self.held.len() {
            return Some(self.long_part(piece, count, ends_line));
        }
        self.held.extend_from_slice(take(piece, count));
        self.handed_out = ends_line;
        ends_line.then_some(Cut::Lines(&self.held))
    }

    /// Hands out what was held of a line that turns out to be long, then its bytes as they come.
    fn long_part<'s, 'p: 's>(&'s mut self, piece: &mut &'p [u8], count: usize, ends_line: bool) -> Cut<'s> {
        if !self.held.is_empty() {
            self.handed_out = true;
            self.long = self.held.len() as u64;
            return Cut::LongPart { part: &self.held, ends_line: false };
        }
        let part = take(piece, count);
        self.long = if ends_line { 0 } else { self.long + part.len() as u64 };
        Cut::LongPart { part, ends_line }
    }

    /// What stands after the last LF, if the log ended here.
    pub fn tail(&self) -> Tail {
        let held = if self.handed_out { 0 } else { self.held.len() as u64 };
        match held + self.long {
            0 => Tail::Clean,
            bytes => Tail::Torn { bytes },
        }
    }
}

fn take<'a>(piece: &mut &'a [u8], count: usize) -> &'a [u8] {
    let (taken, rest) = piece.split_at_checked(count).unwrap_or((piece, &[]));
    *piece = rest;
    taken
}

/// Cuts a whole log into its complete lines, each with its LF, and its tail.
///
/// Nothing is read, checked or left out; a line may be longer than [`MAX_LINE_LEN`].
///
/// ```
/// use shipper_events::{Tail, scan};
/// let (lines, tail) = scan(b"one\ntwo\nthr");
/// assert_eq!(lines.collect::<Vec<_>>(), [b"one\n", b"two\n"]);
/// assert_eq!(tail, Tail::Torn { bytes: 3 });
/// ```
pub fn scan(log: &[u8]) -> (impl Iterator<Item = &[u8]>, Tail) {
    let complete = memchr::memrchr(b'\n', log).map_or(0, |position| position + 1);
    let (lines, rest) = log.split_at_checked(complete).unwrap_or((log, &[]));
    let tail = match rest.len() as u64 {
        0 => Tail::Clean,
        bytes => Tail::Torn { bytes },
    };
    (lines.split_inclusive(|byte| *byte == b'\n'), tail)
}
