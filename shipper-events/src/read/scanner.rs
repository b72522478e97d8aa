//! Scanning a log: its verified lines, in order, and its head.

use std::io::{self, Read};
use std::ops::ControlFlow;

use super::block::{BlockScanner, Interest, LineContent, ScannedBlock};
use super::chunks::{Chunk, ChunkKind, ChunkReader, ReadMode, Tail};
use super::parallel::{BLOCK_LEN, INITIAL_READ, scan_chunk, scan_reader};
use crate::integrity::{Head, LineCursor, LogVerifier, VerifiedLine};
use crate::line::error::LineError;

/// A visitor of the verified lines of a log.
pub trait LogVisitor {
    /// Returns the function that gives the interest in a type of event by its name. It is called on several threads, and
    /// not for every line.
    fn interest(&self) -> fn(&str) -> Interest;

    /// Visits a line. Lines without content for the visitor and without a contradiction are left out. After a corrupt line
    /// none follows.
    fn visit(&mut self, line: VerifiedLine, cursor: &mut LineCursor<'_>) -> ControlFlow<()>;
}

/// Scans a log from its first line to its last: checks every line, its link and the head that it records, and computes the
/// head of the log. A corrupt line ends the checks; then only lines and bytes are counted and hashed.
///
/// Memory does not grow with the log.
///
/// ```
/// use std::ops::ControlFlow;
/// use shipper_events::scan::{Interest, LineCursor, LogScanner, LogVisitor, VerifiedLine};
///
/// #[derive(Default)]
/// struct Published(Vec<u64>);
///
/// impl LogVisitor for Published {
///     fn interest(&self) -> fn(&str) -> Interest {
///         |event_type| if event_type == "package_published" { Interest::PackageOnly } else { Interest::Skip }
///     }
///
///     fn visit(&mut self, line: VerifiedLine, _: &mut LineCursor<'_>) -> ControlFlow<()> {
///         self.0.push(line.line);
///         ControlFlow::Continue(())
///     }
/// }
///
/// let (mut scanner, mut published) = (LogScanner::new(), Published::default());
/// for piece in [
///     r#"{"timestamp":"2026-11-23T08:00:00Z","event_type":{"type":"execution_started"},"package":"all"}"#,
///     "\n",
///     r#"{"timestamp":"2026-11-23T08:00:01Z","event_type":{"type":"package_published","dur"#,
///     "ation_ms\":7},\"package\":\"a@0.1.0\"}\n",
/// ] {
///     scanner.feed(piece.as_bytes(), &mut published);
/// }
/// assert_eq!(published.0, [2]);
/// assert_eq!(scanner.head().lines, 2);
/// ```
#[derive(Debug, Clone, Default)]
pub struct LogScanner {
    chunks: ChunkReader,
    verifier: LogVerifier,
    cutoff: Option<u64>,
    is_corrupt: bool,
    first_crlf: Option<u64>,
}

/// Scans a log to its end.
///
/// # Errors
///
/// Those of `read`.
pub fn scan_log(read: impl Read, visitor: &mut impl LogVisitor) -> io::Result<LogScanner> {
    let mut scanner = LogScanner::new();
    let _ = scanner.read_to_end(read, visitor)?;
    Ok(scanner)
}

impl LogScanner {
    /// A scanner at the start of a log.
    pub fn new() -> Self {
        Self::default()
    }

    /// Checks the first `lines` lines and records their head; later ones are only counted and hashed. Call it before the
    /// first byte.
    #[must_use]
    pub fn with_cutoff(mut self, lines: u64) -> Self {
        self.cutoff = Some(lines);
        self.track_head(lines);
        self
    }

    /// Records the head after `lines` lines while scanning. Call it before the first byte.
    pub fn track_head(&mut self, lines: u64) {
        self.verifier.track_head(lines);
    }

    /// Returns the head after `lines` lines, if it was tracked and the log has that many.
    pub fn tracked_head(&self, lines: u64) -> Option<Head> {
        self.verifier.tracked_head(lines)
    }

    /// Takes the next bytes of the log, which may end anywhere, on the calling thread. Breaks if the visitor does; the
    /// scanner must not be fed further then.
    pub fn feed(&mut self, mut bytes: &[u8], visitor: &mut impl LogVisitor) -> ControlFlow<()> {
        let size = bytes.len().clamp(INITIAL_READ, BLOCK_LEN);
        self.chunks.reopen();
        // Reading from memory does not fail.
        while let Ok(Some(flow)) = self.read_chunk(&mut bytes, size, ReadMode::Full, visitor) {
            flow?;
        }
        ControlFlow::Continue(())
    }

    /// Reads a stream to its end, on several threads if it is long. The visitor is called in order, on the calling thread.
    /// Breaks if the visitor does; the scanner must not be fed further then.
    ///
    /// # Errors
    ///
    /// Those of `read`.
    pub fn read_to_end(&mut self, mut read: impl Read, visitor: &mut impl LogVisitor) -> io::Result<ControlFlow<()>> {
        let mut chunks = std::mem::take(&mut self.chunks);
        chunks.reopen();
        let interest = visitor.interest();
        let read = |buffer: &mut [u8]| read.read(buffer);
        let flow = scan_reader(&mut chunks, read, interest, |chunk, scanned| self.take(chunk, scanned, visitor));
        self.chunks = chunks;
        flow
    }

    /// Reads and scans one chunk of about `size` bytes; `None` at the end of the stream.
    pub(crate) fn read_chunk(
        &mut self,
        read: &mut impl Read,
        size: usize,
        mode: ReadMode,
        visitor: &mut impl LogVisitor,
    ) -> io::Result<Option<ControlFlow<()>>> {
        let chunk = self.chunks.next(|buffer| read.read(buffer), Vec::new(), size, mode)?;
        Ok(chunk.map(|chunk| {
            let scanned = scan_chunk(&chunk, &mut BlockScanner::new(visitor.interest()));
            self.take(&chunk, scanned, visitor)
        }))
    }

    fn take(&mut self, chunk: &Chunk, scanned: Option<ScannedBlock>, visitor: &mut impl LogVisitor) -> ControlFlow<()> {
        let (bytes, checks) = (chunk.bytes(), self.checks());
        match (chunk.kind, scanned) {
            (ChunkKind::Oversized { ends_line }, _) => {
                self.verifier.push_oversized(bytes, ends_line);
                if !(ends_line && checks) {
                    return ControlFlow::Continue(());
                }
                self.is_corrupt = true;
                let content = LineContent::Corrupt(Box::new(LineError::too_long()));
                visitor.visit(VerifiedLine::corrupt(self.lines(), content), &mut self.verifier.cursor())
            }
            (ChunkKind::Lines, Some(scanned)) if checks => self.take_lines(bytes, scanned, visitor),
            (ChunkKind::Lines, _) => {
                self.verifier.skip_lines(bytes);
                ControlFlow::Continue(())
            }
        }
    }

    /// Whether the next line is checked.
    fn checks(&self) -> bool {
        !self.is_corrupt && self.cutoff.is_none_or(|cutoff| self.lines() < cutoff)
    }

    fn take_lines(&mut self, bytes: &[u8], scanned: ScannedBlock, visitor: &mut impl LogVisitor) -> ControlFlow<()> {
        let left = self.cutoff.map_or(u64::MAX, |cutoff| cutoff - self.lines());
        if left < scanned.lines {
            let last = usize::try_from(left - 1).unwrap_or(usize::MAX);
            let end = memchr::memchr_iter(b'\n', bytes).nth(last).map_or(bytes.len(), |end| end + 1);
            let (checked, rest) = bytes.split_at_checked(end).unwrap_or((bytes, b""));
            let scanned = BlockScanner::new(visitor.interest()).scan(checked);
            self.take_lines(checked, scanned, visitor)?;
            self.verifier.skip_lines(rest);
            return ControlFlow::Continue(());
        }
        if let Some(position) = scanned.first_crlf {
            self.first_crlf.get_or_insert(self.verifier.hasher().lines() + position + 1);
        }
        let is_corrupt = &mut self.is_corrupt;
        self.verifier.push_block(bytes, scanned, |line, cursor| {
            *is_corrupt |= matches!(line.content, Some(LineContent::Corrupt(_)));
            visitor.visit(line, cursor)
        })
    }

    /// Forgets the bytes after the last complete line.
    pub(crate) fn discard_tail(&mut self) {
        self.chunks = ChunkReader::default();
        self.verifier.discard_partial_line();
    }

    pub(crate) fn verifier(&self) -> &LogVerifier {
        &self.verifier
    }

    /// Returns the number of complete lines so far.
    pub fn lines(&self) -> u64 {
        self.verifier.hasher().lines()
    }

    /// Returns the number of bytes of those lines.
    pub fn bytes(&self) -> u64 {
        self.verifier.hasher().bytes()
    }

    /// Returns the head of those lines.
    pub fn head(&self) -> Head {
        self.verifier.hasher().head()
    }

    /// Returns the bytes after those lines.
    pub fn tail(&self) -> Tail {
        self.chunks.tail()
    }

    /// Whether any checked line is chained.
    pub fn any_chained(&self) -> bool {
        self.verifier.any_chained()
    }

    /// Whether any checked line is unchained.
    pub fn any_unchained(&self) -> bool {
        self.verifier.any_unchained()
    }

    /// Returns the number of the first checked line that ends with CR LF.
    pub fn first_crlf(&self) -> Option<u64> {
        self.first_crlf
    }
}
