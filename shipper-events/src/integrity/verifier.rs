//! Verifying a log: the chain, the heads that events record, and the log's own head. `docs/log-format.md`, "The chain".

use std::ops::ControlFlow;

use thiserror::Error;

use super::head::{Head, HeadHasher};
use super::link::ChainLink;
use crate::display_safe::display_safe;
use crate::event::EventType;
use crate::event::JsonUint;
use crate::read::{ChainSegment, LineContent, ScannedBlock};

/// A contradiction between a line and the lines before it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ChainError {
    /// `seq` is not the number of lines before it.
    #[error("its seq says that {} lines stand before it; it is line {}", display_safe(&claimed.to_string()).max_chars(40), actual + 1)]
    SeqMismatch {
        /// The number of preceding lines that the line claims.
        claimed: JsonUint,
        /// How many lines precede it.
        actual: u64,
    },
    /// `prev` is not the hash of the line before it.
    #[error("its prev says that the line before it has the hash {claimed}, and that line has {actual}")]
    PrevMismatch {
        /// The hash of the preceding line that the line claims.
        claimed: blake3::Hash,
        /// The hash of that line.
        actual: blake3::Hash,
    },
    /// A chained line directly follows an unchained one and is no `log_adopted`.
    #[error("it follows a foreign line without a log_adopted that takes on what stands before")]
    MissingAdoption,
    /// An unchained line has a type that is only written chained.
    #[error("a {type_name} that is not chained; this type is only written chained")]
    MustBeChained {
        /// The type.
        type_name: &'static str,
    },
    /// A `log_continued` is not on line 1.
    #[error("a log_continued here; only the first line of a log is one")]
    MisplacedContinuation,
    /// The head that a `log_adopted` records is not that of the lines before it.
    #[error("the head that it adopts is not that of the lines before it")]
    AdoptedHeadMismatch,
    /// The basis that a `gate_evaluated` records is not the head of the lines before it.
    #[error("the recorded basis is not the head of the lines before this one")]
    BasisMismatch,
}

/// The types that are only written chained.
const CHAINED_ONLY_TYPES: [&str; 4] = ["gate_evaluated", "log_adopted", "tail_repaired", "log_continued"];

/// A line that was checked by itself and against the lines before it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerifiedLine {
    /// The line's number; the first is 1.
    pub line: u64,
    /// Its content; `None` for an event that the caller is not interested in.
    pub content: Option<LineContent>,
    /// The contradictions: at most one of its link and one of a head that it records. None of a corrupt line.
    pub errors: Vec<ChainError>,
    /// Whether unchained lines begin here, after chained ones.
    pub starts_unchained_segment: bool,
}

impl VerifiedLine {
    pub(crate) fn corrupt(line: u64, content: LineContent) -> Self {
        Self { line, content: Some(content), errors: Vec::new(), starts_unchained_segment: false }
    }
}

/// The position after a [`VerifiedLine`] in its log.
#[derive(Debug)]
pub struct LineCursor<'c> {
    hasher: &'c mut HeadHasher,
    block: BlockPosition<'c>,
    lines: u64,
}

impl LineCursor<'_> {
    /// Returns the head of the log up to and including the line.
    pub fn head(&mut self) -> Head {
        self.block.head(self.hasher, self.lines)
    }
}

/// A block, and how much of the log precedes it.
#[derive(Debug, Clone, Copy)]
struct BlockPosition<'b> {
    bytes: &'b [u8],
    first_line: u64,
    first_byte: u64,
}

impl BlockPosition<'_> {
    /// Returns the head after that many lines of the log, which end in this block and not before those of the last call.
    /// Many lines are hashed at once: that is several times faster than line by line.
    fn head(self, hasher: &mut HeadHasher, lines: u64) -> Head {
        if let Some(last) = lines.checked_sub(hasher.lines()).and_then(|count| count.checked_sub(1)) {
            let rest = self.rest(hasher);
            let last = usize::try_from(last).unwrap_or(usize::MAX);
            let end = memchr::memchr_iter(b'\n', rest).nth(last).map_or(rest.len(), |end| end + 1);
            hasher.push_lines(rest.get(..end).unwrap_or(rest), lines - hasher.lines());
        }
        hasher.head()
    }

    /// Adds the rest of the block, up to that many lines of the log.
    fn finish(self, hasher: &mut HeadHasher, lines: u64) {
        hasher.push_lines(self.rest(hasher), lines - hasher.lines());
    }

    /// The bytes that were not hashed.
    fn rest(&self, hasher: &HeadHasher) -> &[u8] {
        let hashed = usize::try_from(hasher.bytes() - self.first_byte).unwrap_or(usize::MAX);
        self.bytes.get(hashed..).unwrap_or_default()
    }
}

/// The link of a line, as far as scanning its block could check it.
#[derive(Debug, Clone, Copy)]
enum LinkState<'l> {
    /// The line has no link.
    Unchained,
    /// The line has this link, and its predecessor has that hash.
    Linked(&'l ChainLink, blake3::Hash),
    /// The line has a correct link.
    Valid,
    /// The line has a link with the correct `prev`, and this `seq`, which is wrong.
    SeqOffset(u64),
}

/// A number of lines of which the head is recorded.
#[derive(Debug, Clone)]
struct TrackedHead {
    lines: u64,
    head: Option<Head>,
}

/// Verifies a log block by block, in order.
#[derive(Debug, Clone)]
pub(crate) struct LogVerifier {
    hasher: HeadHasher,
    /// The hash of the last line; before the first, of no bytes.
    prev_line: blake3::Hash,
    prev_unchained: bool,
    any_chained: bool,
    any_unchained: bool,
    tracked: Vec<TrackedHead>,
}

impl Default for LogVerifier {
    fn default() -> Self {
        Self {
            hasher: HeadHasher::new(),
            prev_line: blake3::hash(b""),
            prev_unchained: false,
            any_chained: false,
            any_unchained: false,
            tracked: Vec::new(),
        }
    }
}

impl LogVerifier {
    /// The lines so far: their number, bytes and head.
    pub(crate) fn hasher(&self) -> &HeadHasher {
        &self.hasher
    }

    /// The hash of the last line; before the first, of no bytes.
    pub(crate) fn prev_line(&self) -> blake3::Hash {
        self.prev_line
    }

    /// Whether the last line is unchained: before a chained one, a `log_adopted` is then required.
    pub(crate) fn last_line_unchained(&self) -> bool {
        self.prev_unchained
    }

    pub(crate) fn any_chained(&self) -> bool {
        self.any_chained
    }

    pub(crate) fn any_unchained(&self) -> bool {
        self.any_unchained
    }

    /// Records the head after `lines` lines while verifying.
    pub(crate) fn track_head(&mut self, lines: u64) {
        let head = (lines == self.hasher.lines()).then(|| self.hasher.head());
        self.tracked.push(TrackedHead { lines, head });
        self.tracked.sort_by_key(|tracked| tracked.lines);
    }

    /// The head after `lines` lines, if it was tracked and the log has that many.
    pub(crate) fn tracked_head(&self, lines: u64) -> Option<Head> {
        self.tracked.iter().find(|tracked| tracked.lines == lines)?.head
    }

    /// Forgets the part of an oversized line that has no end.
    pub(crate) fn discard_partial_line(&mut self) {
        self.hasher.discard_partial_line();
    }

    /// Takes the next block. `visit` gets, in order, every line that has content for it or contradicts the lines before
    /// it. If it breaks, the verifier must not be used further.
    pub(crate) fn push_block(
        &mut self,
        bytes: &[u8],
        scanned: ScannedBlock,
        mut visit: impl FnMut(VerifiedLine, &mut LineCursor<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let block = self.position(bytes);
        let mut segments = scanned.segments.into_iter().peekable();
        let mut of_interest = scanned.of_interest.into_iter().peekable();
        // The next line of a segment in which every `seq` is wrong, and its `seq`.
        let mut offset: Option<(u64, u64)> = None;
        loop {
            let segment = segments.peek().map(|next| next.position);
            let content = of_interest.peek().map(|next| next.position);
            let next = [segment, content, offset.map(|(position, _)| position)];
            let Some(position) = next.into_iter().flatten().min() else {
                break;
            };
            let before = block.first_line + position;
            self.record_tracked_heads(block, before);
            let segment = segments.next_if(|next| next.position == position);
            let content = of_interest.next_if(|next| next.position == position).map(|line| line.content);
            let wrong_seq = match &segment {
                Some(segment) => {
                    segment.link.as_ref().and_then(|link| link.seq().as_u64()).filter(|seq| *seq != before)
                }
                None => offset.filter(|(at, _)| *at == position).map(|(_, seq)| seq),
            };
            if segment.is_some() || wrong_seq.is_some() {
                let next = (position + 1 < scanned.checked).then_some(position + 1);
                offset = wrong_seq.and_then(|seq| Some((next?, seq.wrapping_add(1))));
            }
            let line = match content {
                Some(corrupt @ LineContent::Corrupt(_)) => VerifiedLine::corrupt(before + 1, corrupt),
                content => {
                    let link = self.link_state(segment.as_ref(), wrong_seq);
                    self.check_line(block, before, link, content)
                }
            };
            if line.content.is_some() || !line.errors.is_empty() || line.starts_unchained_segment {
                visit(line, &mut LineCursor { hasher: &mut self.hasher, block, lines: before + 1 })?;
            }
        }
        self.finish_block(block, block.first_line + scanned.lines);
        if scanned.checked > 0 {
            self.prev_line = scanned.last_line;
        }
        ControlFlow::Continue(())
    }

    /// Takes the next complete lines without checking them: only their number and bytes count.
    pub(crate) fn skip_lines(&mut self, bytes: &[u8]) {
        let block = self.position(bytes);
        self.finish_block(block, block.first_line + memchr::memchr_iter(b'\n', bytes).count() as u64);
    }

    /// Takes a part of a line that is longer than [`MAX_LINE_LEN`](crate::MAX_LINE_LEN). Such a line is corrupt.
    pub(crate) fn push_oversized(&mut self, part: &[u8], ends_line: bool) {
        self.hasher.push_partial_line(part, ends_line);
        if ends_line {
            self.record_tracked_heads(self.position(b""), self.hasher.lines());
        }
    }

    /// Returns a cursor after the last line.
    pub(crate) fn cursor(&mut self) -> LineCursor<'_> {
        let (block, lines) = (self.position(b""), self.hasher.lines());
        LineCursor { hasher: &mut self.hasher, block, lines }
    }

    fn position<'b>(&self, bytes: &'b [u8]) -> BlockPosition<'b> {
        BlockPosition { bytes, first_line: self.hasher.lines(), first_byte: self.hasher.bytes() }
    }

    fn finish_block(&mut self, block: BlockPosition<'_>, lines: u64) {
        self.record_tracked_heads(block, lines);
        block.finish(&mut self.hasher, lines);
    }

    /// Records the tracked heads up to that many lines.
    fn record_tracked_heads(&mut self, block: BlockPosition<'_>, lines: u64) {
        for tracked in &mut self.tracked {
            if tracked.head.is_none() && tracked.lines <= lines && tracked.lines >= self.hasher.lines() {
                tracked.head = Some(block.head(&mut self.hasher, tracked.lines));
            }
        }
    }

    /// The link of a line that begins a segment, or has a `seq` that is wrong, or continues a segment.
    fn link_state<'s>(&self, segment: Option<&'s ChainSegment>, wrong_seq: Option<u64>) -> LinkState<'s> {
        match (segment, wrong_seq) {
            (Some(ChainSegment { link: Some(link), prev_line, .. }), _) => {
                LinkState::Linked(link, prev_line.unwrap_or(self.prev_line))
            }
            (None, Some(seq)) => LinkState::SeqOffset(seq),
            (None, None) if !self.prev_unchained => LinkState::Valid,
            _ => LinkState::Unchained,
        }
    }

    /// Checks a line that is not corrupt, after `before` lines. It must be called for every line that begins a segment.
    fn check_line(
        &mut self,
        block: BlockPosition<'_>,
        before: u64,
        link: LinkState<'_>,
        content: Option<LineContent>,
    ) -> VerifiedLine {
        let event_type = match &content {
            Some(LineContent::Event(event)) => Some(&event.event_type),
            _ => None,
        };
        let link_error = self.check_link(link, event_type.map_or("", EventType::name), before);
        let hasher = &mut self.hasher;
        let head_error =
            event_type.and_then(|event_type| check_recorded_head(event_type, || block.head(hasher, before)));
        let is_unchained = matches!(link, LinkState::Unchained);
        let starts_unchained_segment = is_unchained && self.any_chained && !self.prev_unchained;
        self.prev_unchained = is_unchained;
        self.any_unchained |= is_unchained;
        self.any_chained |= !is_unchained;
        let errors = link_error.into_iter().chain(head_error).collect();
        VerifiedLine { line: before + 1, content, errors, starts_unchained_segment }
    }

    fn check_link(&self, link: LinkState<'_>, type_name: &str, before: u64) -> Option<ChainError> {
        match link {
            LinkState::Unchained => {
                let type_name = CHAINED_ONLY_TYPES.into_iter().find(|chained_only| *chained_only == type_name)?;
                return Some(ChainError::MustBeChained { type_name });
            }
            LinkState::SeqOffset(seq) => {
                return Some(ChainError::SeqMismatch { claimed: seq.into(), actual: before });
            }
            LinkState::Linked(link, _) if *link.seq() != before => {
                return Some(ChainError::SeqMismatch { claimed: link.seq().clone(), actual: before });
            }
            LinkState::Linked(link, prev_line) if link.prev() != prev_line => {
                return Some(ChainError::PrevMismatch { claimed: link.prev(), actual: prev_line });
            }
            LinkState::Linked(..) | LinkState::Valid => {}
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
