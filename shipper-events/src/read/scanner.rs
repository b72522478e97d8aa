//! Scanner of a log: its verified lines, in order, and its head.

use std::io::{self, Read};
use std::ops::ControlFlow;

use super::block::{BlockScanner, LineContent, ScannedBlock};
use super::chunks::{Chunk, ChunkReader};
use super::interest::Interest;
use super::lines::Tail;
use super::parallel::{MAX_THREADS, scan_reader};
use crate::integrity::{Head, LineCursor, LogVerifier, SubtreeHashes, VerifiedLine, split_after_lines};
use crate::line::error::LineError;

/// A visitor of the checked lines of a log.
pub trait LogVisitor {
    /// Returns a function from event type name to [`Interest`]. The function may run on several threads, and not for
    /// every line.
    fn interest(&self) -> fn(&str) -> Interest;

    /// Receives each line that has content of interest or a chain error, or that begins unchained lines after chained
    /// ones. A corrupt line is the last.
    fn visit(&mut self, line: &mut VerifiedLine<'_>, cursor: &mut LineCursor<'_>) -> ControlFlow<()>;
}

/// Scans a log from its first line to its last: checks every line, its link and the head that it records. Computes the
/// head of the log. A corrupt line ends the checks; then only lines and bytes are counted and hashed.
///
/// Memory does not grow with the log.
///
/// ```
/// use std::ops::ControlFlow;
/// use shipper_events::scan::{Interest, LineCursor, LogScanner, LogVisitor, VerifiedLine};
///
/// struct Published(Vec<u64>);
///
/// impl LogVisitor for Published {
///     fn interest(&self) -> fn(&str) -> Interest {
///         |event_type| if event_type == "package_published" { Interest::PackageOnly } else { Interest::Skip }
///     }
///
///     fn visit(&mut self, line: &mut VerifiedLine<'_>, _: &mut LineCursor<'_>) -> ControlFlow<()> {
///         self.0.push(line.line);
///         ControlFlow::Continue(())
///     }
/// }
///
/// let log = br#"{"timestamp":"2026-11-23T08:00:00Z","event_type":{"type":"execution_started"},"package":"all"}
/// {"timestamp":"2026-11-23T08:00:01Z","event_type":{"type":"package_published","duration_ms":7},"package":"a@0.1.0"}
/// "#;
/// let (mut scanner, mut published) = (LogScanner::new(), Published(Vec::new()));
/// for piece in log.chunks(40) {
///     assert!(scanner.feed(piece, &mut published).is_continue());
/// }
/// assert_eq!(published.0, [2]);
/// assert_eq!(scanner.head().lines, 2);
/// ```
#[derive(Debug, Clone, Default)]
pub struct LogScanner {
    chunks: ChunkReader,
    pub(crate) verifier: LogVerifier,
    cutoff: Option<u64>,
}

impl LogScanner {
    /// Builds a scanner at the start of a log.
    pub fn new() -> Self {
        Self::default()
    }

    /// Checks the first `lines` lines and records their head; later ones are only counted and hashed. Call it before the
    /// first byte: lines that were already checked stay checked.
    #[must_use]
    pub fn with_cutoff(mut self, lines: u64) -> Self {
        self.cutoff = Some(lines);
        self.track_head(lines);
        self
    }

    /// Records the head after `lines` lines while scanning. Call it before the first byte: the head of fewer lines than
    /// were already scanned is not recorded.
    pub fn track_head(&mut self, lines: u64) {
        self.verifier.track_head(lines);
    }

    /// Returns the head after `lines` lines; `None` if it was not tracked or the log has fewer lines.
    pub fn tracked_head(&self, lines: u64) -> Option<Head> {
        self.verifier.tracked_head(lines)
    }

    /// Takes the next bytes of the log, which may end anywhere, on the calling thread. Breaks if the visitor does. The
    /// scanner must not be used further then: it has lost the rest of its chunk, and its counts and head are wrong.
    pub fn feed(&mut self, bytes: &[u8], visitor: &mut impl LogVisitor) -> ControlFlow<()> {
        // Reading from memory does not fail.
        self.scan(bytes, 1, visitor).unwrap_or(ControlFlow::Break(()))
    }

    /// Reads a stream to its end, on several threads if it is long. The visitor is called in order, on the calling thread.
    /// Breaks if the visitor does; as after [`feed`](Self::feed), the scanner must not be used further then.
    ///
    /// # Errors
    ///
    /// The errors of `read`.
    pub fn read_to_end(&mut self, read: impl Read, visitor: &mut impl LogVisitor) -> io::Result<ControlFlow<()>> {
        self.scan(read, MAX_THREADS, visitor)
    }

    fn scan(
        &mut self,
        read: impl Read,
        max_threads: usize,
        visitor: &mut impl LogVisitor,
    ) -> io::Result<ControlFlow<()>> {
        let Self { chunks, verifier, cutoff } = self;
        chunks.ended = false;
        let offset = verifier.hasher.bytes_with_parts();
        scan_reader(chunks, read, offset, max_threads, visitor.interest(), |chunk, scanned| {
            let left = cutoff.map_or(u64::MAX, |cutoff| cutoff.saturating_sub(verifier.hasher.lines()));
            take(verifier, if verifier.is_corrupt { 0 } else { left }, chunk, scanned, visitor)
        })
    }

    /// Discards the bytes after the last complete line.
    pub(crate) fn discard_tail(&mut self) {
        self.chunks = ChunkReader::default();
        self.verifier.hasher.discard_partial_line();
    }

    /// Returns the number of complete lines so far.
    pub fn lines(&self) -> u64 {
        self.verifier.hasher.lines()
    }

    /// Returns the number of bytes of those lines.
    pub fn bytes(&self) -> u64 {
        self.verifier.hasher.bytes()
    }

    /// Returns the head of those lines.
    pub fn head(&self) -> Head {
        self.verifier.hasher.head()
    }

    /// Returns the bytes after those lines.
    pub fn tail(&self) -> Tail {
        self.chunks.tail()
    }

    /// Returns true if any checked line is chained.
    pub fn any_chained(&self) -> bool {
        self.verifier.chain.any_chained
    }

    /// Returns true if any checked line is unchained.
    pub fn any_unchained(&self) -> bool {
        self.verifier.chain.any_unchained
    }

    /// Returns the number of the first checked line that ends with CR LF; `None` if there is none.
    pub fn first_crlf(&self) -> Option<u64> {
        self.verifier.first_crlf
    }
}

/// Takes a chunk, of which at most `left` lines are checked.
fn take(
    verifier: &mut LogVerifier,
    left: u64,
    chunk: &Chunk,
    scanned: Option<(&mut ScannedBlock, &SubtreeHashes)>,
    visitor: &mut impl LogVisitor,
) -> ControlFlow<()> {
    match scanned {
        None => {
            let ends_line = chunk.bytes().ends_with(b"\n");
            verifier.push_oversized(chunk.bytes(), ends_line);
            if ends_line && left > 0 {
                verifier.is_corrupt = true;
                let content = LineContent::Corrupt(Box::new(LineError::too_long()));
                let mut line = VerifiedLine::corrupt(verifier.hasher.lines(), content);
                visitor.visit(&mut line, &mut verifier.cursor())?;
            }
        }
        Some((scanned, subtrees)) if scanned.lines <= left => {
            verifier.push_block(chunk.bytes(), subtrees, scanned, |line, cursor| visitor.visit(line, cursor))?;
        }
        Some((_, subtrees)) => {
            let (checked, skipped) = split_after_lines(chunk.bytes(), left);
            let mut scanned = BlockScanner::new(visitor.interest()).scan(checked);
            verifier.push_block(checked, subtrees, &mut scanned, |line, cursor| visitor.visit(line, cursor))?;
            verifier.skip_lines(skipped, Some(subtrees));
        }
    }
    ControlFlow::Continue(())
}
