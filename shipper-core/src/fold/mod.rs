//! The fold: the meaning of a log to the gate, event by event.

mod projection;
mod receipt;
mod state;

pub use projection::GateProjection;
pub use receipt::{Evidence, EvidenceFlaw, Receipt, RehearsalStart};
pub(crate) use state::is_reserved_event_type;
pub use state::{GateState, RehearsalState, UnknownGateEvent};
