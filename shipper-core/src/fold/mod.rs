//! Computes the gate's state from the events of a log. `state` has the transition function, `receipt` its result, and
//! `projection` runs it over a log.

mod projection;
mod receipt;
mod state;

pub use projection::{GateProjection, OpenGateError};
pub use receipt::{Evidence, EvidenceFlaw, Receipt, RehearsalStart};
pub(crate) use state::is_reserved_event_type;
pub use state::{GateState, RehearsalState, UnknownGateEvent};
