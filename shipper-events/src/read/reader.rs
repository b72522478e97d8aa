//! Readers of a stream: [`EventReader`], a [`Projection`] with [`read_projection`], both on [`read_events`].

use std::collections::VecDeque;
use std::io::{self, Read};
use std::ops::ControlFlow;

use thiserror::Error;

use super::block::LineContent;
use super::interest::Interest;
use super::lines::Tail;
use super::scanner::{LogScanner, LogVisitor};
use crate::event::LogEntry;
use crate::integrity::{ChainError, Head, LineCursor, VerifiedLine};
use crate::line::error::LineError;

/// The number of bytes that are read at a time, at most.
const READ_LEN: usize = 64 * 1024;

/// Iterator over the verified events of a log, from any stream, in memory that does not grow with it.
///
/// It ends after the first error, and earlier events are valid. An error is a corrupt line, a broken chain, or a
/// recorded head that does not match. A torn tail is an error, too: no decision may be based on such a log. A caller
/// that only inspects the log uses the events before the error.
///
/// [`read_projection`](crate::scan::read_projection) is several times faster where only some types of events matter.
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
    scanner: LogScanner,
    buffer: Vec<u8>,
    /// Events that were read and not returned, then the error that ended the reading.
    events: VecDeque<LogEntry>,
    end: Option<Option<ReadError>>,
}

/// The error that ends the reading of a log.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The stream cannot be read.
    #[error("cannot read the log after line {line}")]
    Io {
        /// The number of the last complete line; 0 if there is none.
        line: u64,
        /// Error of the stream.
        source: io::Error,
    },
    /// A line is corrupt. The lines before it are valid.
    #[error("line {line} is corrupt: {error}")]
    Corrupt {
        /// The line's number.
        line: u64,
        /// The reason and the column.
        error: LineError,
    },
    /// A line contradicts the lines before it: lines were changed, removed, added or reordered.
    #[error("line {line} contradicts the lines before it: {error}")]
    Chain {
        /// The line's number.
        line: u64,
        /// The contradiction.
        error: ChainError,
    },
    /// The log does not end with LF. A writer stopped in the middle of a line, or is still writing it.
    #[error("the log has a torn tail of {bytes} bytes after line {line}")]
    TornTail {
        /// The number of the last complete line; 0 if there is none.
        line: u64,
        /// The number of bytes that follow it.
        bytes: u64,
    },
}

/// Reads a stream to its end, or to its first error, and passes the events of full interest to a function.
pub(crate) fn read_events(
    scanner: &mut LogScanner,
    stream: impl Read,
    interest: fn(&str) -> Interest,
    on_event: impl FnMut(LogEntry, &mut LineCursor<'_>),
) -> Result<Tail, ReadError> {
    let mut visitor = EventVisitor { interest, on_event, error: None };
    let ended = scanner.read_to_end(stream, &mut visitor);
    match (visitor.error, ended) {
        (Some(error), _) => Err(error),
        (None, Err(source)) => Err(ReadError::Io { line: scanner.lines(), source }),
        (None, Ok(_)) => Ok(scanner.tail()),
    }
}

struct EventVisitor<F> {
    interest: fn(&str) -> Interest,
    on_event: F,
    error: Option<ReadError>,
}

impl<F: FnMut(LogEntry, &mut LineCursor<'_>)> LogVisitor for EventVisitor<F> {
    fn interest(&self) -> fn(&str) -> Interest {
        self.interest
    }

    fn visit(&mut self, verified: &mut VerifiedLine<'_>, cursor: &mut LineCursor<'_>) -> ControlFlow<()> {
        let line = verified.line;
        self.error = match verified.content.take() {
            Some(LineContent::Corrupt(error)) => Some(ReadError::Corrupt { line, error: *error }),
            content => match std::mem::take(&mut verified.errors).into_iter().next() {
                Some(error) => Some(ReadError::Chain { line, error }),
                None => {
                    if let Some(LineContent::Event(event)) = content
                        && (self.interest)(event.event_type.name()) == Interest::Full
                    {
                        (self.on_event)(LogEntry { line, event: *event }, cursor);
                    }
                    return ControlFlow::Continue(());
                }
            },
        };
        ControlFlow::Break(())
    }
}

impl<R: Read> EventReader<R> {
    /// Builds a reader at the start of a log.
    pub fn new(stream: R) -> Self {
        Self { stream, scanner: LogScanner::new(), buffer: vec![0; READ_LEN], events: VecDeque::new(), end: None }
    }

    /// Reads what the stream has, without waiting for more.
    fn read(&mut self) {
        let Self { stream, scanner, buffer, events, end } = self;
        let line = scanner.lines();
        *end = match stream.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => None,
            Err(source) => Some(Some(ReadError::Io { line, source })),
            Ok(0) => Some(match scanner.tail() {
                Tail::Clean => None,
                Tail::Torn { bytes } => Some(ReadError::TornTail { line, bytes }),
            }),
            Ok(count) => {
                let bytes = buffer.get(..count).unwrap_or_default();
                let read = read_events(scanner, bytes, |_| Interest::Full, |entry, _| events.push_back(entry));
                read.err().map(Some)
            }
        };
    }
}

impl<R: Read> Iterator for EventReader<R> {
    type Item = Result<LogEntry, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(entry) = self.events.pop_front() {
                return Some(Ok(entry));
            }
            match &mut self.end {
                Some(error) => return error.take().map(Err),
                None => self.read(),
            }
        }
    }
}

/// A fold over the events of a verified log, in order. [`read_projection`] folds a log that is only read, and
/// [`LogWriter`](crate::write::LogWriter) a log that is written.
pub trait Projection {
    /// Returns true if the projection reads events of this type, such as `plan_created`. Every line is verified;
    /// other events are not applied, which is several times faster.
    fn reads(event_type: &str) -> bool;

    /// Takes an event of a type that the projection reads. The cursor gives the head of the log after its line.
    fn apply(&mut self, entry: &LogEntry, cursor: &mut LineCursor<'_>);

    /// Returns `true` if a lost line after the events so far could change a decision of this projection. A writer with
    /// [`TailRepair::IfHarmless`](crate::write::TailRepair::IfHarmless) then refuses a torn tail. `true` by default.
    fn depends_on_next_line(&self) -> bool {
        true
    }
}

/// The projection that reads no event.
impl Projection for () {
    fn reads(_: &str) -> bool {
        false
    }

    fn apply(&mut self, _: &LogEntry, _: &mut LineCursor<'_>) {}
}

/// Returns the interest of a projection in a type of event.
pub(crate) fn interest<P: Projection>(type_name: &str) -> Interest {
    if P::reads(type_name) { Interest::Full } else { Interest::Skip }
}

/// Reads and verifies a whole log, on several threads if it is long. Returns the projection of its events, and the head
/// of the log.
///
/// # Errors
///
/// [`ReadError::Io`] if `read` fails. [`ReadError::Corrupt`] at a corrupt line. [`ReadError::Chain`] at a line that
/// contradicts the lines before it. [`ReadError::TornTail`] if the log does not end with LF.
///
/// ```
/// use shipper_events::LogEntry;
/// use shipper_events::scan::{LineCursor, Projection, read_projection};
///
/// #[derive(Default)]
/// struct Uploads(u64);
///
/// impl Projection for Uploads {
///     fn reads(event_type: &str) -> bool {
///         event_type == "package_uploaded"
///     }
///
///     fn apply(&mut self, _: &LogEntry, _: &mut LineCursor<'_>) {
///         self.0 += 1;
///     }
/// }
///
/// let log = br#"{"timestamp":"2026-11-23T08:12:26Z","event_type":{"type":"package_uploaded"},"package":"a@0.1.0"}
/// "#;
/// let (uploads, head) = read_projection(&log[..], Uploads::default())?;
/// assert_eq!((uploads.0, head.lines), (1, 1));
/// # Ok::<(), shipper_events::ReadError>(())
/// ```
pub fn read_projection<P: Projection>(read: impl Read, mut projection: P) -> Result<(P, Head), ReadError> {
    let mut scanner = LogScanner::new();
    match read_events(&mut scanner, read, interest::<P>, |entry, cursor| projection.apply(&entry, cursor))? {
        Tail::Clean => Ok((projection, scanner.head())),
        Tail::Torn { bytes } => Err(ReadError::TornTail { line: scanner.lines(), bytes }),
    }
}
