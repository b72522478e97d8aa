//! The fold of a log that is open for writing: what it means, and where its receipt stands.

use shipper_events::write::Projection;
use shipper_events::{EventType, Head, LogEntry, Place};

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
    fn looks_at(type_name: &str) -> bool {
        is_gate_name(type_name) || type_name == "tail_repaired"
    }

    fn observe(&mut self, entry: &LogEntry, place: &mut Place<'_>) {
        self.state.evolve(entry);
        if let EventType::RehearsalComplete(_) = entry.event.event_type {
            self.receipt_head = Some(place.head());
        }
    }
}
