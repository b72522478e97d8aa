//! The gate: one question, one verdict, with its evidence inside.
//!
//! - A [`GateQuery`] is the question, a [`Verdict`] the answer, with each [`RefusalReason`] of a refusal.
//! - [`evaluate`] is pure and inspects only: it records nothing.
//! - [`ask_gate`] evaluates and records its decision durably before it returns it.

mod ask;
mod evaluate;
mod query;
mod verdict;

pub use ask::{AskGateError, GateAnswer, SidecarUpdate, SkipRequest, ask_gate};
pub use evaluate::evaluate;
pub(crate) use evaluate::refuse_without_registry;
pub use query::GateQuery;
pub use verdict::{RefusalCode, RefusalReason, Verdict, VerdictKind};
