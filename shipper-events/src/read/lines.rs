//! [`LineReader`], which returns lines without checking them, and [`Tail`], the bytes after the last LF.

use std::io::{self, BufRead, BufReader, Read};

use crate::line::error::MAX_LINE_LEN;

/// The number of bytes that are read at a time.
const READ_LEN: usize = 256 * 1024;

/// The bytes after the last LF of a log. They are neither a line nor an event: a writer stopped in the middle of a
/// line, or is still writing it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tail {
    /// The log ends with a complete line, or is empty.
    Clean,
    /// The log ends in the middle of a line.
    Torn {
        /// The number of bytes that follow the last LF; at least 1.
        bytes: u64,
    },
}

impl Tail {
    pub(crate) fn of(bytes: u64) -> Self {
        if bytes == 0 { Self::Clean } else { Self::Torn { bytes } }
    }
}

/// Reads the complete lines of a stream without checking them, in memory that does not grow with it.
///
/// ```
/// use shipper_events::scan::LineReader;
/// let mut lines = LineReader::new(&b"one\ntwo\nthr"[..]);
/// assert_eq!(lines.next_line()?, Some(&b"one\n"[..]));
/// assert_eq!(lines.next_line()?, Some(&b"two\n"[..]));
/// assert_eq!(lines.next_line()?, None);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct LineReader<R> {
    stream: BufReader<R>,
    line: Vec<u8>,
}

impl<R: Read> LineReader<R> {
    /// Builds a reader at the start of a stream.
    pub fn new(stream: R) -> Self {
        Self { stream: BufReader::with_capacity(READ_LEN, stream), line: Vec::new() }
    }

    /// Returns the next line with its LF, or `None` after the last. Returns only the start of an
    /// oversized line; that start also exceeds [`MAX_LINE_LEN`].
    ///
    /// # Errors
    ///
    /// The errors of the stream.
    pub fn next_line(&mut self) -> io::Result<Option<&[u8]>> {
        self.line.clear();
        let len = (&mut self.stream).take(MAX_LINE_LEN as u64 + 1).read_until(b'\n', &mut self.line)?;
        let is_complete = self.line.ends_with(b"\n");
        if len > MAX_LINE_LEN && !is_complete {
            self.stream.skip_until(b'\n')?;
        }
        Ok(Some(&*self.line).filter(|_| is_complete || len > MAX_LINE_LEN))
    }
}
