//! The gate: one question, one verdict, with its evidence inside.

mod ask;
mod evaluate;
mod verdict;

pub use ask::{AskGateError, GateAnswer, SidecarUpdate, SkipRequest, ask_gate};
pub(crate) use evaluate::refuse_without_registry;
pub use evaluate::{GateQuery, evaluate};
pub use verdict::{RefusalCode, RefusalReason, Verdict, VerdictKind};
