//! A log as its writer knows it.

use std::collections::HashSet;
use std::io::Read;

use crate::event::{EventKind, EventType};
use crate::read::{self, Interest, LogScanner, Projection, ReadError, Tail, read_events};

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
        let tail = read_events(scanner, lines, interest::<P>, |entry, cursor| {
            if let EventType::TailRepaired(repaired) = &entry.event.event_type {
                recorded_tails.insert(repaired.blake3.clone());
            }
            if P::reads(entry.event.event_type.name()) {
                projection.apply(&entry, cursor);
            }
        });
        // The tail may be gone or be a line when the file is read again.
        scanner.discard_tail();
        tail
    }
}

fn interest<P: Projection>(event_type: &str) -> Interest {
    if event_type == EventKind::TailRepaired.name() { Interest::Full } else { read::interest::<P>(event_type) }
}
