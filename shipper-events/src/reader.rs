//! Events from a stream, in memory that does not grow with it.

use std::io::{self, Read};

use thiserror::Error;

use crate::HeadHasher;
use crate::block::{Block, Blocks, Fill};
use crate::chain::{Chain, ChainError};
use crate::event::LogEntry;
use crate::line::error::LineError;
use crate::line::parse::{ParsedLine, parse_line};
use crate::split::Tail;

/// How much is read at a time, in bytes.
const BUFFER: usize = 64 * 1024;

/// Reads a log's events one after the other from any stream. It holds one line at a time.
///
/// It ends after the first error: a corrupt line, a broken chain, or a recorded head that does not fit. A torn tail is
/// an error too, since a log that has one is not to be trusted with a
/// decision; whoever wants to look at such a log takes the events that came before it.
///
/// ```
/// use shipper_events::{ReadError, EventReader};
/// let log = br#"{"timestamp":"2026-11-23T08:12:26Z","event_type":{"type":"execution_started"},"package":"all"}
/// {"timestamp":"2026-11-23T08:1"#;
/// let mut reader = EventReader::new(&log[..]);
/// assert_eq!(reader.next().unwrap()?.line, 1);
/// assert!(matches!(reader.next(), Some(Err(ReadError::TornTail { bytes: 29, .. }))));
/// # Ok::<(), ReadError>(())
/// ```
#[derive(Debug)]
pub struct EventReader<R> {
    stream: R,
    blocks: Blocks,
    block: Block,
    /// How much of the block was read.
    at: usize,
    prefix: HeadHasher,
    chain: Chain,
    blank_lines: u64,
    done: bool,
}

/// The next event cannot be had.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The stream cannot be read.
    #[error("the log cannot be read after line {line}; nothing is known of what follows")]
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
        corruption: LineError,
    },
    /// A line does not follow those before it, or records a head that is not theirs: lines were changed, removed,
    /// added or reordered.
    #[error("line {line}: {source}; keep the log as it is and audit it with shipper-replay")]
    Chain {
        /// The line's number.
        line: u64,
        /// What does not fit.
        source: ChainError,
    },
    /// Bytes stand after the last LF.
    #[error(
        "after line {line} the log ends in the middle of one ({bytes} bytes): a writer died there or is still at work; look again when it is done"
    )]
    TornTail {
        /// The last complete line.
        line: u64,
        /// How many bytes stand after it.
        bytes: u64,
    },
}

impl<R: Read> EventReader<R> {
    /// Reads from that stream.
    pub fn new(stream: R) -> Self {
        Self {
            stream,
            blocks: Blocks::default(),
            block: Block::default(),
            at: 0,
            prefix: HeadHasher::new(),
            chain: Chain::new(),
            blank_lines: 0,
            done: false,
        }
    }

    /// The complete lines read so far: their number, bytes and, as a head, their hash.
    pub fn prefix(&self) -> &HeadHasher {
        &self.prefix
    }

    /// How many of the lines read so far were blank and held no event.
    pub fn blank_lines(&self) -> u64 {
        self.blank_lines
    }

    /// The next event among the bytes that were read already.
    fn buffered(&mut self) -> Option<Result<LogEntry, ReadError>> {
        let line = self.prefix.lines() + 1;
        if let Some(ends_line) = self.block.long {
            self.prefix.push_part(self.block.bytes(), ends_line);
            self.at = self.block.filled;
            let corruption = LineError::too_long();
            return ends_line.then_some(Err(ReadError::Corrupt { line, corruption }));
        }
        while let Some(bytes) = self.block.bytes().get(self.at..).filter(|bytes| !bytes.is_empty()) {
            let line = self.prefix.lines() + 1;
            let bytes = memchr::memchr(b'\n', bytes).and_then(|end| bytes.get(..=end)).unwrap_or(bytes);
            self.at += bytes.len();
            let parsed = match parse_line(bytes) {
                Ok(parsed) => parsed,
                Err(corruption) => return Some(Err(ReadError::Corrupt { line, corruption })),
            };
            let followed = self.chain.follow(bytes, &parsed, &self.prefix);
            if let Some(source) = followed.breaks.into_iter().next() {
                return Some(Err(ReadError::Chain { line, source }));
            }
            self.prefix.push_line(bytes);
            match parsed {
                ParsedLine::Blank => self.blank_lines += 1,
                ParsedLine::Event(record) => {
                    let event = record.into_event();
                    return Some(Ok(LogEntry { line, event }));
                }
            }
        }
        None
    }

    fn step(&mut self) -> Option<Result<LogEntry, ReadError>> {
        loop {
            if let Some(read) = self.buffered() {
                return Some(read);
            }
            let line = self.prefix.lines();
            let buffer = std::mem::take(&mut self.block).buffer;
            match self.blocks.next(|buffer| self.stream.read(buffer), buffer, BUFFER, Fill::Line) {
                Ok(Some(block)) => (self.block, self.at) = (block, 0),
                Ok(None) => {
                    return match self.blocks.tail() {
                        Tail::Clean => None,
                        Tail::Torn { bytes } => Some(Err(ReadError::TornTail { line, bytes })),
                    };
                }
                Err(source) => return Some(Err(ReadError::Io { line, source })),
            }
        }
    }
}

impl<R: Read> Iterator for EventReader<R> {
    type Item = Result<LogEntry, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let read = self.step();
        self.done = !matches!(read, Some(Ok(_)));
        read
    }
}
