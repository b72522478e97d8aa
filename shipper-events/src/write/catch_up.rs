//! A log as its writer knows it.

use std::collections::HashSet;
use std::io::Read;

use crate::event::LogEntry;
use crate::event::{EventKind, EventType};
use crate::integrity::LineCursor;
use crate::read::{self, EventVisitor, Interest, LogScanner, Projection, ReadError, Tail};

/// The lines of a log that its writer has verified, and what they contain.
pub(super) struct KnownLog<P> {
    pub(super) scanner: LogScanner,
    pub(super) projection: P,
    /// The hashes of the torn tails whose repair the log records.
    pub(super) recorded_tails: HashSet<String>,
}

impl<P: Projection> KnownLog<P> {
    pub(super) fn new(projection: P) -> Self {
        Self { scanner: LogScanner::new(), projection, recorded_tails: HashSet::new() }
    }

    /// Takes the lines after the known ones, and returns what follows the last of them.
    pub(super) fn ingest(&mut self, lines: impl Read) -> Result<Tail, ReadError> {
        let Self { scanner, projection, recorded_tails } = self;
        let mut visitor = EventVisitor::new(interest::<P>, |entry: LogEntry, cursor: &mut LineCursor<'_>| {
            if let EventType::TailRepaired(repaired) = &entry.event.event_type {
                recorded_tails.insert(repaired.blake3.clone());
            }
            read::apply(projection, &entry, cursor);
        });
        let ended = scanner.read_to_end(lines, &mut visitor);
        let (error, tail) = (visitor.error, scanner.tail());
        // The tail may be gone or be a line when the file is read again.
        scanner.discard_tail();
        match (error, ended) {
            (Some(error), _) => Err(error),
            (None, Err(source)) => Err(ReadError::Io { line: scanner.lines(), source }),
            (None, Ok(_)) => Ok(tail),
        }
    }
}

fn interest<P: Projection>(event_type: &str) -> Interest {
    if event_type == EventKind::TailRepaired.name() { Interest::Full } else { read::interest::<P>(event_type) }
}
