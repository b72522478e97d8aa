//! Evaluates whether a plan may be published, and records the decision. `evaluate` decides, `ask` records the decision,
//! and `verdict` has the verdicts and refusal codes.

mod ask;
mod evaluate;
mod verdict;

pub use ask::{AskGateError, GateAnswer, SidecarUpdate, SkipRequest, ask_gate};
pub(crate) use evaluate::refuse_without_registry;
pub use evaluate::{GateQuery, evaluate};
pub use verdict::{RefusalCode, RefusalReason, Verdict, VerdictKind};
