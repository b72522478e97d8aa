//! The fold of a log that is open for writing: what it means, and where its receipt stands.

use shipper_events::scan::{LineCursor, Projection};
use shipper_events::{EventType, Head, LogEntry};

use crate::state::{GateState, is_gate_name};

/// What a log means so far, kept up by the writer that has it open.
#[derive(Debug, Clone, Default)]
pub struct GateProjection {
    state: GateState,
    receipt_head: Option<Head>,
}

impl GateProjection {
    /// What the log means.
    pub fn state(&self) -> &GateState {
        &self.state
    }

    /// The head of the log up to the completion that made the receipt.
    pub fn receipt_head(&self) -> Option<Head> {
        self.receipt_head
    }
}

impl Projection for GateProjection {
    fn reads(event_type: &str) -> bool {
        is_gate_name(event_type) || event_type == "tail_repaired"
    }

    fn apply(&mut self, entry: &LogEntry, cursor: &mut LineCursor<'_>) {
        self.state.evolve(entry);
        if let EventType::RehearsalComplete(_) = entry.event.event_type {
            self.receipt_head = Some(cursor.head());
        }
    }
}
