//! Verification of a log: its chain, the heads that events record, and its own head. `docs/log-format.md`, "The chain".

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use thiserror::Error;

use super::head::{Head, HeadHasher};
use super::link::ChainLink;
use super::tree_hash::SubtreeHashes;
use crate::display_safe::display_safe;
use crate::event::EventType;
use crate::event::JsonUint;
use crate::read::{ChainSegment, LineContent, ScannedBlock};

/// A contradiction between a line and the lines before it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ChainError {
    /// `seq` is not the number of lines before it.
    #[error("`seq` is {}, but {actual} lines precede this line", display_safe(&claimed.to_string()).max_chars(40))]
    SeqMismatch {
        /// The number of preceding lines that the line claims.
        claimed: JsonUint,
        /// The number of lines that precede it.
        actual: u64,
    },
    /// `prev` is not the hash of the line before it.
    #[error("`prev` is {claimed}, but the hash of the preceding line is {actual}")]
    PrevMismatch {
        /// The hash of the preceding line that the line claims.
        claimed: blake3::Hash,
        /// The hash of that line.
        actual: blake3::Hash,
    },
    /// The first chained line after an unchained line is not a `log_adopted`.
    #[error("expected a `log_adopted` between an unchained line and this chained line")]
    MissingAdoption,
    /// An unchained line has a type that must be chained.
    #[error("unchained `{type_name}`, a type that must be chained")]
    MustBeChained {
        /// The name of the event's type.
        type_name: &'static str,
    },
    /// A `log_continued` is not on line 1.
    #[error("unexpected `log_continued` after line 1")]
    MisplacedContinuation,
    /// The head that a `log_adopted` records is not that of the lines before it.
    #[error("the adopted head differs from the head of the preceding lines")]
    AdoptedHeadMismatch,
    /// The basis that a `gate_evaluated` records is not the head of the lines before it.
    #[error("the lines before this decision are not those that the gate read")]
    BasisMismatch,
}

/// The types that must be chained. Each needs required members: otherwise its event is not always built and checked.
const CHAINED_ONLY_TYPES: [&str; 5] =
    ["gate_evaluated", "log_adopted", "tail_repaired", "log_continued", "package_content_mismatch"];

/// A line of a block `'b`, and the result of checking it, by itself and against the lines before it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerifiedLine<'b> {
    /// The line's number; the first is 1.
    pub line: u64,
    /// The line's content; `None` for an event that the caller is not interested in. The visitor may take it out.
    pub content: Option<LineContent<'b>>,
    /// The contradictions: at most one of the link and one of a head that the line records. Empty for a corrupt line.
    pub errors: Vec<ChainError>,
    /// True if unchained lines begin here, after chained ones.
    pub starts_unchained_segment: bool,
}

impl<'b> VerifiedLine<'b> {
    pub(crate) fn corrupt(line: u64, content: LineContent<'b>) -> Self {
        Self { line, content: Some(content), errors: Vec::new(), starts_unchained_segment: false }
    }
}

/// The position after a [`VerifiedLine`] in its log.
#[derive(Debug)]
pub struct LineCursor<'c> {
    hasher: &'c mut HeadHasher,
    /// The block of the line, and the number of bytes of the log that precede it.
    block: &'c [u8],
    first_byte: u64,
    /// The hashes of the subtrees in the block.
    subtrees: Option<&'c SubtreeHashes>,
    lines: u64,
}

impl<'c> LineCursor<'c> {
    fn new(hasher: &'c mut HeadHasher, block: &'c [u8], subtrees: Option<&'c SubtreeHashes>) -> Self {
        Self { first_byte: hasher.bytes(), lines: hasher.lines(), hasher, block, subtrees }
    }

    /// Returns the head of the log up to and including the line.
    pub fn head(&mut self) -> Head {
        self.head_after(self.lines)
    }

    /// Returns the head after `lines` lines of the log. They end in this block, and not before the lines of the last
    /// call. Hashes many lines at once, which is several times faster than line by line.
    fn head_after(&mut self, lines: u64) -> Head {
        let count = lines.saturating_sub(self.hasher.lines());
        let (hashed, _) = split_after_lines(self.unhashed(), count);
        self.hasher.push_lines(hashed, count, self.subtrees);
        self.hasher.head()
    }

    /// Records the tracked heads up to `lines` lines.
    fn record(&mut self, tracked: &mut BTreeMap<u64, Option<Head>>, lines: u64) {
        if tracked.is_empty() {
            return;
        }
        let hashed = self.hasher.lines();
        for (at, head) in tracked.iter_mut().filter(|(at, _)| (hashed..=lines).contains(*at)) {
            head.get_or_insert_with(|| self.head_after(*at));
        }
    }

    /// Hashes the rest of the block, up to `lines` lines of the log.
    fn finish(self, lines: u64) {
        let unhashed = self.unhashed();
        self.hasher.push_lines(unhashed, lines - self.hasher.lines(), self.subtrees);
    }

    fn unhashed(&self) -> &'c [u8] {
        let hashed = usize::try_from(self.hasher.bytes() - self.first_byte).unwrap_or(usize::MAX);
        self.block.get(hashed..).unwrap_or_default()
    }
}

/// Splits complete lines after the first `count` of them.
pub(crate) fn split_after_lines(bytes: &[u8], count: u64) -> (&[u8], &[u8]) {
    let last = count.checked_sub(1).and_then(|last| usize::try_from(last).ok());
    let end = last.map_or(Some(0), |last| memchr::memchr_iter(b'\n', bytes).nth(last).map(|feed| feed + 1));
    bytes.split_at_checked(end.unwrap_or(bytes.len())).unwrap_or((bytes, &[]))
}

/// Verifies a log block by block, in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct LogVerifier {
    /// The lines so far: their number, bytes and head.
    pub(crate) hasher: HeadHasher,
    pub(crate) chain: Chain,
    /// True after a corrupt line.
    pub(crate) is_corrupt: bool,
    /// The number of the first checked line that ends with CR LF.
    pub(crate) first_crlf: Option<u64>,
    /// The heads to record while verifying, by their number of lines.
    tracked: BTreeMap<u64, Option<Head>>,
}

impl LogVerifier {
    /// Records the head after `lines` lines while verifying.
    pub(crate) fn track_head(&mut self, lines: u64) {
        let head = (lines == self.hasher.lines()).then(|| self.hasher.head());
        self.tracked.insert(lines, head);
    }

    /// Returns the head after `lines` lines, if it was tracked and the log has that many.
    pub(crate) fn tracked_head(&self, lines: u64) -> Option<Head> {
        *self.tracked.get(&lines)?
    }

    /// Takes the next block. `visit` gets, in order, every line that has content for it or contradicts the lines before
    /// it. If it breaks, the verifier must not be used further. The events that it leaves stay in the block.
    pub(crate) fn push_block(
        &mut self,
        block: &[u8],
        subtrees: &SubtreeHashes,
        scanned: &mut ScannedBlock,
        mut visit: impl FnMut(&mut VerifiedLine<'_>, &mut LineCursor<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let first_line = self.hasher.lines();
        if let Some(position) = scanned.first_crlf {
            self.first_crlf.get_or_insert(first_line + position + 1);
        }
        let mut cursor = LineCursor::new(&mut self.hasher, block, Some(subtrees));
        let segments = std::mem::take(&mut scanned.segments);
        let mut segments = split_misnumbered(segments, first_line, scanned.checked).into_iter().peekable();
        let mut of_interest = scanned.of_interest.iter_mut().peekable();
        loop {
            let next = [segments.peek().map(|next| next.position), of_interest.peek().map(|next| next.position)];
            let Some(position) = next.into_iter().flatten().min() else {
                break;
            };
            let segment = segments.next_if(|next| next.position == position);
            let mut found = of_interest.next_if(|next| next.position == position);
            let content = found.as_mut().and_then(|found| found.take_content(&scanned.packages));
            cursor.lines = first_line + position;
            cursor.record(&mut self.tracked, cursor.lines);
            let mut line = match content {
                Some(corrupt @ LineContent::Corrupt(_)) => {
                    self.is_corrupt = true;
                    VerifiedLine::corrupt(cursor.lines + 1, corrupt)
                }
                content => self.chain.check_line(segment.as_ref(), content, &mut cursor),
            };
            if line.content.is_some() || !line.errors.is_empty() || line.starts_unchained_segment {
                cursor.lines += 1;
                visit(&mut line, &mut cursor)?;
            }
            if let (Some(found), Some(LineContent::Event(event))) = (found, line.content) {
                found.return_event(event);
            }
        }
        cursor.record(&mut self.tracked, first_line + scanned.lines);
        cursor.finish(first_line + scanned.lines);
        // A block without checked lines has no last line, but no line after it is checked either.
        self.chain.prev_line = scanned.last_line;
        ControlFlow::Continue(())
    }

    /// Takes the next complete lines without checking them: only their number and bytes count.
    pub(crate) fn skip_lines(&mut self, bytes: &[u8], subtrees: Option<&SubtreeHashes>) {
        let lines = self.hasher.lines() + memchr::memchr_iter(b'\n', bytes).count() as u64;
        let mut cursor = LineCursor::new(&mut self.hasher, bytes, subtrees);
        cursor.record(&mut self.tracked, lines);
        cursor.finish(lines);
    }

    /// Takes a part of a line that is longer than [`MAX_LINE_LEN`](crate::MAX_LINE_LEN). Such a line is corrupt.
    pub(crate) fn push_oversized(&mut self, part: &[u8], ends_line: bool) {
        self.hasher.push_partial_line(part, ends_line);
        if ends_line {
            self.skip_lines(b"", None);
        }
    }

    /// Returns a cursor after the last line.
    pub(crate) fn cursor(&mut self) -> LineCursor<'_> {
        LineCursor::new(&mut self.hasher, b"", None)
    }
}

/// Makes every line of a segment a segment of its own if the first `seq` is wrong: then every `seq` of it is.
fn split_misnumbered(segments: Vec<ChainSegment>, first_line: u64, lines: u64) -> Vec<ChainSegment> {
    let mut split = Vec::with_capacity(segments.len());
    let mut segments = segments.into_iter().peekable();
    while let Some(segment) = segments.next() {
        let (start, end) = (segment.position, segments.peek().map_or(lines, |next| next.position));
        let link = segment.link.as_ref().and_then(|link| Some((link.seq().as_u64()?, link.prev())));
        split.push(segment);
        if let Some((seq, prev)) = link.filter(|(seq, _)| *seq != first_line + start) {
            split.extend((start + 1..end).map(|position| {
                let link = ChainLink::to_previous_hash(seq + (position - start), prev);
                ChainSegment { position, link: Some(link), prev_line: None }
            }));
        }
    }
    split
}

/// The state of the chain after the last line.
#[derive(Debug, Clone)]
pub(crate) struct Chain {
    /// The hash of the last line; before the first, of no bytes.
    pub(crate) prev_line: blake3::Hash,
    /// True if the last line is unchained: the next chained one must be a `log_adopted`.
    pub(crate) prev_unchained: bool,
    /// True if any checked line is chained.
    pub(crate) any_chained: bool,
    /// True if any checked line is unchained.
    pub(crate) any_unchained: bool,
}

impl Default for Chain {
    fn default() -> Self {
        Self { prev_line: blake3::hash(b""), prev_unchained: false, any_chained: false, any_unchained: false }
    }
}

impl Chain {
    /// Checks the line after the cursor, which is not corrupt. It must be called for every line that begins a segment.
    fn check_line<'b>(
        &mut self,
        segment: Option<&ChainSegment>,
        content: Option<LineContent<'b>>,
        cursor: &mut LineCursor<'_>,
    ) -> VerifiedLine<'b> {
        let event_type = match &content {
            Some(LineContent::Event(event)) => Some(&event.event_type),
            _ => None,
        };
        let is_unchained = segment.map_or(self.prev_unchained, |segment| segment.link.is_none());
        let type_name = event_type.map_or("", EventType::name);
        let link_error = if is_unchained {
            let chained_only = CHAINED_ONLY_TYPES.into_iter().find(|chained_only| *chained_only == type_name);
            chained_only.map(|type_name| ChainError::MustBeChained { type_name })
        } else {
            self.check_link(segment, type_name, cursor.lines)
        };
        let head_error = event_type.and_then(|event_type| check_recorded_head(event_type, || cursor.head()));
        let starts_unchained_segment = is_unchained && self.any_chained && !self.prev_unchained;
        self.prev_unchained = is_unchained;
        self.any_unchained |= is_unchained;
        self.any_chained |= !is_unchained;
        let errors = link_error.into_iter().chain(head_error).collect();
        VerifiedLine { line: cursor.lines + 1, content, errors, starts_unchained_segment }
    }

    /// Checks a chained line that follows `before` lines. A line that begins no segment links to its predecessor.
    fn check_link(&self, segment: Option<&ChainSegment>, type_name: &str, before: u64) -> Option<ChainError> {
        if let Some(ChainSegment { link: Some(link), prev_line, .. }) = segment {
            let actual = prev_line.unwrap_or(self.prev_line);
            if *link.seq() != before {
                return Some(ChainError::SeqMismatch { claimed: link.seq().clone(), actual: before });
            }
            if link.prev() != actual {
                return Some(ChainError::PrevMismatch { claimed: link.prev(), actual });
            }
        }
        if type_name == "log_continued" && before > 0 {
            return Some(ChainError::MisplacedContinuation);
        }
        (self.prev_unchained && type_name != "log_adopted").then_some(ChainError::MissingAdoption)
    }
}

/// Compares the head that an event records with that of the lines before it.
fn check_recorded_head(event_type: &EventType, before: impl FnOnce() -> Head) -> Option<ChainError> {
    match event_type {
        EventType::LogAdopted(adopted) => {
            (!adopted.head().matches(&before())).then_some(ChainError::AdoptedHeadMismatch)
        }
        EventType::GateEvaluated(evaluated) => {
            let basis = evaluated.details.as_ref().map(|details| &details.basis);
            basis.is_some_and(|basis| !basis.matches(&before())).then_some(ChainError::BasisMismatch)
        }
        _ => None,
    }
}
