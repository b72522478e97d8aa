//! Comparison of two logs, byte by byte, in one pass over both.
//!
//! 1. Read both logs in step up to the first byte that differs, or to the end of one.
//! 2. The complete lines before it are the common lines. Read the rest of each log.
//! 3. Each log is audited on the way, and the events after the common lines are counted.
//!
//! Memory grows with the decisions and findings of the logs, as in an audit, not with their lines.

use std::io::{self, Read};
use std::ops::ControlFlow;

use shipper_events::display_safe;
use shipper_events::scan::{Interest, LineContent, LineCursor, LogScanner, LogVisitor, VerifiedLine};
use thiserror::Error;

use super::comparison::{
    AddedContent, COMPARISON_SCHEMA, CommonLines, ComparedLog, Difference, LogComparison, LogRelation,
};
use super::engine::Auditor;
use super::options::{AuditOptions, SidecarInput};

/// Number of bytes of a log that are read at a time.
const READ_LEN: usize = 64 * 1024;

/// Most bytes of a line that are quoted before and after the difference.
const QUOTED_BEFORE: usize = 40;
const QUOTED_AFTER: usize = 80;

/// Most types of events that are listed, and most characters of their names.
const MAX_TYPES: usize = 100;
const MAX_NAME_CHARS: usize = 100;

/// The error for logs that cannot be compared.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CompareError {
    /// The first log cannot be read.
    #[error("cannot read the first log")]
    First {
        /// Error of the stream.
        source: io::Error,
    },
    /// The second log cannot be read.
    #[error("cannot read the second log")]
    Second {
        /// Error of the stream.
        source: io::Error,
    },
}

/// Compares two logs. The paths in the result are empty; the caller sets them.
///
/// # Errors
///
/// [`CompareError`]: one of the logs cannot be read.
///
/// ```
/// use shipper_core::audit::{LogRelation, compare_logs};
/// let comparison = compare_logs(&b"{}\n"[..], &b"{}\n{}\n"[..])?;
/// assert_eq!(comparison.relation, LogRelation::SecondExtendsFirst);
/// assert_eq!((comparison.common.lines, comparison.second.added.lines), (1, 1));
/// # Ok::<(), shipper_core::audit::CompareError>(())
/// ```
pub fn compare_logs(first: impl Read, second: impl Read) -> Result<LogComparison, CompareError> {
    let of_first = |source| CompareError::First { source };
    let of_second = |source| CompareError::Second { source };
    let mut first = Side::new(first).map_err(of_first)?;
    let mut second = Side::new(second).map_err(of_second)?;
    let mut line_start = LineStart::default();
    loop {
        first.fill().map_err(of_first)?;
        second.fill().map_err(of_second)?;
        let (ours, theirs) = (first.available(), second.available());
        let common = common_len(ours, theirs);
        line_start.update(ours.get(..common).unwrap_or_default());
        let is_end = common == 0;
        first.take(common);
        second.take(common);
        if is_end {
            break;
        }
    }
    let relation = match (first.available().is_empty(), second.available().is_empty()) {
        (true, true) => LogRelation::Identical,
        (true, false) => LogRelation::SecondExtendsFirst,
        (false, true) => LogRelation::FirstExtendsSecond,
        (false, false) => LogRelation::Different,
    };
    let head = first.counter.head();
    let common = CommonLines { lines: head.lines, bytes: head.bytes, blake3: head.blake3.to_string() };
    let (first, first_rest) = first.finish(head.lines).map_err(of_first)?;
    let (second, second_rest) = second.finish(head.lines).map_err(of_second)?;
    let difference = (relation != LogRelation::Identical).then(|| Difference {
        line: head.lines + 1,
        column: line_start.column + 1,
        first: line_start.quote(&first_rest),
        second: line_start.quote(&second_rest),
    });
    Ok(LogComparison {
        schema: COMPARISON_SCHEMA,
        relation,
        exit_code: relation.exit_code(),
        common,
        difference,
        first,
        second,
    })
}

/// Returns the number of bytes at the start that are equal.
fn common_len(ours: &[u8], theirs: &[u8]) -> usize {
    let shorter = ours.len().min(theirs.len());
    // Comparing whole slices is many times faster.
    if ours.get(..shorter) == theirs.get(..shorter) {
        return shorter;
    }
    ours.iter().zip(theirs).take_while(|(ours, theirs)| ours == theirs).count()
}

/// The common start of the first line that differs.
#[derive(Default)]
struct LineStart {
    /// Its length in bytes.
    column: u64,
    /// Its last bytes.
    bytes: Vec<u8>,
}

impl LineStart {
    fn update(&mut self, common: &[u8]) {
        let end = common.iter().rposition(|byte| *byte == b'\n').map(|last| last + 1);
        if end.is_some() {
            *self = Self::default();
        }
        let rest = common.get(end.unwrap_or(0)..).unwrap_or_default();
        self.column += rest.len() as u64;
        self.bytes.extend(rest.get(rest.len().saturating_sub(QUOTED_BEFORE)..).unwrap_or_default());
        self.bytes.drain(..self.bytes.len().saturating_sub(QUOTED_BEFORE));
    }

    /// Returns the line near the difference, with the bytes that follow in one log; `None` if it has no byte of the line.
    fn quote(&self, rest: &[u8]) -> Option<String> {
        let (cut_before, cut_after) = (self.column > self.bytes.len() as u64, rest.len() > QUOTED_AFTER);
        let rest = rest.get(..QUOTED_AFTER).unwrap_or(rest);
        if self.bytes.is_empty() && rest.is_empty() {
            return None;
        }
        let text = String::from_utf8_lossy(&[&self.bytes[..], rest].concat()).into_owned();
        let (before, after) = (if cut_before { "…" } else { "" }, if cut_after { "…" } else { "" });
        Some(format!("{before}{}{after}", display_safe(&text)))
    }
}

/// One of the logs, which is read in pieces.
struct Side<R> {
    read: R,
    buffer: Vec<u8>,
    /// The number of bytes at the start of the buffer that were taken.
    taken: usize,
    auditor: Auditor,
    counter: LogScanner,
    events: EventCounter,
    /// The first bytes after the common ones, up to the end of the line.
    rest: Vec<u8>,
}

impl<R: Read> Side<R> {
    fn new(read: R) -> io::Result<Self> {
        let auditor = Auditor::new(AuditOptions::default(), SidecarInput::NotRequested).map_err(io::Error::other)?;
        let (counter, events) = (LogScanner::new(), EventCounter::default());
        Ok(Self { read, buffer: Vec::new(), taken: 0, auditor, counter, events, rest: Vec::new() })
    }

    /// Returns the bytes that were read and not taken.
    fn available(&self) -> &[u8] {
        self.buffer.get(self.taken..).unwrap_or_default()
    }

    /// Reads more bytes if none is available. At the end of the log, none is available afterwards.
    fn fill(&mut self) -> io::Result<()> {
        if self.available().is_empty() {
            self.taken = 0;
            self.buffer.clear();
            self.read.by_ref().take(READ_LEN as u64).read_to_end(&mut self.buffer)?;
        }
        Ok(())
    }

    /// Passes the next available bytes to the audit and to the counter.
    fn take(&mut self, count: usize) {
        let bytes = self.buffer.get(self.taken..).and_then(|bytes| bytes.get(..count)).unwrap_or_default();
        self.auditor.feed(bytes);
        // The visitor never stops early.
        let _ = self.counter.feed(bytes, &mut self.events);
        self.taken += count;
    }

    /// Reads the rest of the log. Returns the result, and the first bytes of the rest up to the end of the line.
    fn finish(mut self, common_lines: u64) -> io::Result<(ComparedLog, Vec<u8>)> {
        self.events.added = Some(AddedContent::default());
        let mut in_line = true;
        loop {
            self.fill()?;
            let available = self.available();
            if available.is_empty() {
                break;
            }
            let count = available.len();
            if in_line {
                let end = available.iter().position(|byte| *byte == b'\n');
                let line = available.get(..end.unwrap_or(count)).unwrap_or_default();
                // One byte more shows that the line goes on.
                let room = (QUOTED_AFTER + 1).saturating_sub(self.rest.len());
                let line = line.get(..room).unwrap_or(line).to_vec();
                self.rest.extend(line);
                in_line = end.is_none();
            }
            self.take(count);
        }
        let audit = self.auditor.finish().map_err(io::Error::other)?;
        let conclusion = audit.conclusion();
        let mut added = self.events.added.unwrap_or_default();
        added.lines = audit.lines.saturating_sub(common_lines);
        added.corrupt_line = self.events.corrupt_line;
        let decisions = audit.decisions.into_iter().filter(|decision| decision.line > common_lines);
        added.decisions = decisions.map(Into::into).collect();
        let log = ComparedLog {
            path: String::new(),
            lines: audit.lines,
            bytes: audit.bytes,
            blake3: audit.blake3,
            compression: None,
            tail: audit.tail,
            conclusion,
            added,
        };
        Ok((log, self.rest))
    }
}

/// Counts events by type.
#[derive(Default)]
struct EventCounter {
    /// `None` as long as the lines are common ones.
    added: Option<AddedContent>,
    corrupt_line: Option<u64>,
}

impl LogVisitor for EventCounter {
    fn interest(&self) -> fn(&str) -> Interest {
        |_| Interest::PackageOnly
    }

    fn visit(&mut self, line: &mut VerifiedLine<'_>, _: &mut LineCursor<'_>) -> ControlFlow<()> {
        let name = match &line.content {
            Some(LineContent::Event(event)) => event.event_type.name(),
            Some(LineContent::Package { kind, .. }) => kind.name(),
            Some(LineContent::Corrupt(_)) => {
                self.corrupt_line = Some(line.line);
                return ControlFlow::Continue(());
            }
            Some(LineContent::Blank { .. }) | None => return ControlFlow::Continue(()),
        };
        let Some(added) = &mut self.added else {
            return ControlFlow::Continue(());
        };
        let name = display_safe(name).max_chars(MAX_NAME_CHARS).to_string();
        let is_listed = added.events.len() < MAX_TYPES || added.events.contains_key(&name);
        *(if is_listed { added.events.entry(name).or_default() } else { &mut added.other_events }) += 1;
        ControlFlow::Continue(())
    }
}
