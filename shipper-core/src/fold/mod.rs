//! The fold: the meaning of a log to the gate, event by event.
//!
//! - [`GateState`] is the state; [`GateState::evolve`] applies one event.
//! - A completed rehearsal becomes a [`Receipt`], with the [flaws](EvidenceFlaw) of its evidence.
//! - [`GateProjection`] reads a whole log, strictly, and adds the heads that a sidecar and the next caller need.

mod projection;
mod receipt;
mod state;

pub use projection::GateProjection;
pub use receipt::{Evidence, EvidenceFlaw, Receipt, RehearsalStart};
pub(crate) use state::is_reserved_event_type;
pub use state::{GateState, RehearsalState, UnknownGateEvent};
