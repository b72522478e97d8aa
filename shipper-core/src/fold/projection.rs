//! The fold of a whole log, with the head of the receipt.

use std::io::Read;

use camino::Utf8Path;
use shipper_events::scan::{LineCursor, Projection, read_projection};
use shipper_events::{EventType, Head, LogEntry, ReadError};

use crate::fold::state::{GateState, is_reserved_event_type};

/// Projection of a log to its [`GateState`] and the head of its receipt.
#[derive(Debug, Clone, Default)]
pub struct GateProjection {
    state: GateState,
    receipt_head: Option<Head>,
}

impl GateProjection {
    /// Reads the log at a path to its end.
    ///
    /// # Errors
    ///
    /// [`ReadError::Io`] if the file cannot be opened or read, and the other variants as for [`read`](Self::read).
    pub fn open(path: impl AsRef<Utf8Path>) -> Result<Self, ReadError> {
        let file = fs_err::File::open(path.as_ref()).map_err(|source| ReadError::Io { line: 0, source })?;
        Self::read(file)
    }

    /// Reads a log to its end.
    ///
    /// # Errors
    ///
    /// As for [`read_projection`]: [`ReadError::Corrupt`], [`ReadError::Chain`], [`ReadError::TornTail`] or
    /// [`ReadError::Io`]. The caller must then decide nothing.
    pub fn read(stream: impl Read) -> Result<Self, ReadError> {
        read_projection(stream, Self::default()).map(|(gate, _)| gate)
    }

    /// Returns the state of the gate.
    pub fn state(&self) -> &GateState {
        &self.state
    }

    /// Returns the head of the log up to the line that made the receipt. `None` if there is no receipt.
    pub fn receipt_head(&self) -> Option<Head> {
        self.receipt_head
    }
}

impl Projection for GateProjection {
    // Every event type that `GateState::evolve` handles must be accepted.
    fn reads(event_type: &str) -> bool {
        is_reserved_event_type(event_type) || event_type == "tail_repaired"
    }

    fn apply(&mut self, entry: &LogEntry, cursor: &mut LineCursor<'_>) {
        self.state.evolve(entry.line, &entry.event);
        if let EventType::RehearsalComplete(_) = entry.event.event_type {
            self.receipt_head = Some(cursor.head());
        }
    }
}
