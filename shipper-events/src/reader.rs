//! Events from a stream, in memory that does not grow with it.

use std::io::{self, Read};

use thiserror::Error;

use crate::Prefix;
use crate::event::Entry;
use crate::fault::Corruption;
use crate::line::{Line, parse_line};
use crate::split::{Cut, Splitter, Tail};

/// How much is read at a time, in bytes.
const BUFFER: usize = 64 * 1024;

/// Reads a log's events one after the other from any stream. It holds one line at a time.
///
/// It ends after the first error. A torn tail is an error too, since a log that has one is not to be trusted with a
/// decision; whoever wants to look at such a log takes the events that came before it.
///
/// ```
/// use shipper_events::{ReadError, Reader};
/// let log = br#"{"timestamp":"2026-11-23T08:12:26Z","event_type":{"type":"execution_started"},"package":"all"}
/// {"timestamp":"2026-11-23T08:1"#;
/// let mut reader = Reader::new(&log[..]);
/// assert_eq!(reader.next().unwrap()?.line, 1);
/// assert!(matches!(reader.next(), Some(Err(ReadError::TornTail { bytes: 29, .. }))));
/// # Ok::<(), ReadError>(())
/// ```
#[derive(Debug)]
pub struct Reader<R> {
    stream: R,
    buffer: Box<[u8]>,
    filled: std::ops::Range<usize>,
    splitter: Splitter,
    prefix: Prefix,
    blank_lines: u64,
    done: bool,
}

/// The next event cannot be had.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The stream cannot be read.
    #[error("the log cannot be read after line {line}")]
    Io {
        /// The last line that was read.
        line: u64,
        /// Why.
        source: io::Error,
    },
    /// A line is corrupt. What came before it stands.
    #[error("line {line}, {corruption}; keep the log as it is and audit it with shipper-replay")]
    Corrupt {
        /// The line's number.
        line: u64,
        /// What is wrong with it, and where.
        corruption: Corruption,
    },
    /// Bytes stand after the last LF.
    #[error("{bytes} bytes stand after line {line} without an end of line: a writer died there or is still at work")]
    TornTail {
        /// The last complete line.
        line: u64,
        /// How many bytes stand after it.
        bytes: u64,
    },
}

impl<R: Read> Reader<R> {
    /// Reads from that stream.
    pub fn new(stream: R) -> Self {
        Self {
            stream,
            buffer: vec![0; BUFFER].into(),
            filled: 0..0,
            splitter: Splitter::new(),
            prefix: Prefix::new(),
            blank_lines: 0,
            done: false,
        }
    }

    /// The complete lines read so far: their number, bytes and, as a head, their hash.
    pub fn prefix(&self) -> &Prefix {
        &self.prefix
    }

    /// How many of the lines read so far were blank and held no event.
    pub fn blank_lines(&self) -> u64 {
        self.blank_lines
    }

    /// The next event among the bytes that were read already.
    fn buffered(&mut self) -> Option<Result<Entry, ReadError>> {
        let mut piece = self.buffer.get(self.filled.clone()).unwrap_or_default();
        while let Some(cut) = self.splitter.next(&mut piece) {
            self.filled.start = self.filled.end - piece.len();
            let line = self.prefix.lines() + 1;
            let read = match cut {
                Cut::Line(bytes) => {
                    self.prefix.push_line(bytes);
                    parse_line(bytes)
                }
                Cut::LongPart { part, ends_line } => {
                    self.prefix.push_part(part, ends_line);
                    if !ends_line {
                        continue;
                    }
                    Err(Corruption::too_long())
                }
            };
            match read {
                Ok(Line::Blank) => self.blank_lines += 1,
                Ok(Line::Event(record)) => {
                    let event = record.event();
                    return Some(Ok(Entry { line, event }));
                }
                Err(corruption) => return Some(Err(ReadError::Corrupt { line, corruption })),
            }
        }
        self.filled.start = self.filled.end;
        None
    }

    fn fill(&mut self) -> io::Result<bool> {
        loop {
            match self.stream.read(&mut self.buffer) {
                Ok(count) => {
                    self.filled = 0..count;
                    return Ok(count > 0);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn step(&mut self) -> Option<Result<Entry, ReadError>> {
        loop {
            if let Some(read) = self.buffered() {
                return Some(read);
            }
            let line = self.prefix.lines();
            match self.fill() {
                Ok(true) => {}
                Ok(false) => {
                    return match self.splitter.tail() {
                        Tail::Clean => None,
                        Tail::Torn { bytes } => Some(Err(ReadError::TornTail { line, bytes })),
                    };
                }
                Err(source) => return Some(Err(ReadError::Io { line, source })),
            }
        }
    }
}

impl<R: Read> Iterator for Reader<R> {
    type Item = Result<Entry, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let read = self.step();
        self.done = !matches!(read, Some(Ok(_)));
        read
    }
}
