//! The fold of a whole log, with the head of the latest completion.

use std::io::Read;
use std::sync::Arc;

use camino::Utf8Path;
use shipper_events::scan::{LineCursor, Projection, read_projection};
use shipper_events::{EventType, Head, LogEntry, ReadError};

use crate::fold::receipt::Receipt;
use crate::fold::state::{GateState, is_reserved_event_type};

/// Projection of a log to its [`GateState`] and its latest completion.
#[derive(Debug, Clone, Default)]
pub struct GateProjection {
    state: GateState,
    completion: Option<(Arc<Receipt>, Head)>,
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

    /// Returns the receipt of the latest `rehearsal_complete` and the head of the log up to that line: the content of the
    /// sidecar. `None` if there is no completion. It is not the receipt of the state if a later rehearsal was abandoned
    /// after a failure.
    pub fn latest_completion(&self) -> Option<&(Arc<Receipt>, Head)> {
        self.completion.as_ref()
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
            self.completion = self.state.receipt().map(|receipt| (Arc::clone(receipt), cursor.head()));
        }
    }
}
