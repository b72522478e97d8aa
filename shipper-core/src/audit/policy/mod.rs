//! The policy of an auditor: rules that a log must satisfy beyond those of the gate. `docs/policy.md`, "A policy".
//!
//! `parse` reads a [`Policy`] from TOML. The engine of the audit collects facts, and `check` compares them with the policy.
//! Both are pure functions.

mod check;
mod duration;
mod model;
mod parse;
mod problem;

pub(super) use check::{ActFacts, DecisionFacts, PolicyFacts, ReceiptFacts, UnchainedLines, check};
pub use model::{LevelRule, Policy, PolicyConflict, SkipRule};
pub use problem::{PolicyError, PolicyProblem};
