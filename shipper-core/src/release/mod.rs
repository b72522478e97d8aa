//! Rehearsing and publishing: the two actions that the gate stands between.
//!
//! 1. A [`Plan`] says what would be published, named by its content: one changed byte in any file is another plan.
//! 2. [`rehearse`] publishes it to another registry, sees that it is there, and records each step.
//! 3. [`publish()`] asks the gate, which lets it go only on a passing rehearsal of this very plan on the configured
//!    registry, and then publishes it for real, recording each step.
//!
//! Everything that they do is an event before the next step is taken, and a run names the decision that it acts on. So a log
//! in which the live registry was reached holds a permission before that, and `shipper-replay` verifies it:
//! `docs/operating.md`.
//!
//! What is done to a registry stands behind the small trait [`Publisher`]. With the feature `cargo`, [`cargo`] does it with
//! cargo itself and makes plans of workspaces.

#[cfg(feature = "cargo")]
pub mod cargo;
mod plan;
mod policy;
mod publish;
mod rehearse;
mod steps;
mod target;
mod world;

pub use plan::{Locked, Plan, PlanError, Planned, PlannedFile};
pub(crate) use policy::policy_applied;
pub use publish::{PublishError, PublishOptions, Published, publish};
pub use rehearse::{RehearseError, RehearseOptions, Rehearsed, rehearse};
pub use steps::Patience;
pub use target::{On, SameRegistry, Target};
pub use world::{Class, Failed, Failure, Found, Moment, Progress, Publisher, Step, Stop, Tails};
