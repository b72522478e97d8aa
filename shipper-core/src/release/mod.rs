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
//! cargo itself and makes plans of workspaces; `examples/release.rs` is a whole tool.
//!
//! ```
//! use std::collections::BTreeSet;
//! use shipper_core::release::{
//!     Failure, Found, StepContext, On, Limits, Plan, PlannedPackage, PlannedFile, PublishOptions, Publisher, RehearseOptions, Stop,
//!     OutputTails, Registry, publish, rehearse,
//! };
//! use shipper_events::write::{LockOptions, FsStorage};
//!
//! /// Registries that exist in memory only.
//! struct Shelves(BTreeSet<(String, String)>);
//!
//! impl Publisher for Shelves {
//!     fn uploads_to(&mut self, on: On<'_>, _: &mut StepContext<'_>) -> Result<String, Failure> {
//!         Ok(on.registry().index.clone())
//!     }
//!     fn check(&mut self, _: &Plan, _: &mut StepContext<'_>) -> Result<(), Failure> {
//!         Ok(())
//!     }
//!     fn find(&mut self, package: &PlannedPackage, on: On<'_>, _: &mut StepContext<'_>) -> Result<Found, Failure> {
//!         let there = self.0.contains(&(on.registry().index.clone(), package.id()));
//!         Ok(if there { Found::Same } else { Found::Nothing })
//!     }
//!     fn publish(&mut self, package: &PlannedPackage, on: On<'_>, _: &mut StepContext<'_>) -> Result<OutputTails, Failure> {
//!         self.0.insert((on.registry().index.clone(), package.id()));
//!         Ok(OutputTails::default())
//!     }
//!     fn build(&mut self, _: &PlannedPackage, _: On<'_>, _: &mut StepContext<'_>) -> Result<(), Failure> {
//!         Ok(())
//!     }
//!     fn install(&mut self, _: &PlannedPackage, _: On<'_>, _: &mut StepContext<'_>) -> Result<(), Failure> {
//!         Ok(())
//!     }
//!     fn command(&self, package: &PlannedPackage, _: On<'_>) -> String {
//!         format!("shelve {}", package.id())
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! # let state = camino::Utf8PathBuf::try_from(directory.path().to_owned())?;
//! let registry = |name: &str| -> Result<Registry, Box<dyn std::error::Error>> {
//!     Ok(Registry { name: name.parse()?, index: format!("sparse+https://{name}.example/index/") })
//! };
//! let source = PlannedFile { path: "src/lib.rs".to_owned(), blake3: blake3::hash(b"// a") };
//! let package = PlannedPackage {
//!     name: "a".to_owned(),
//!     version: "0.1.0".to_owned(),
//!     files: vec![source],
//!     locked: Vec::new(),
//!     has_program: false,
//! };
//! let plan = Plan::new(registry("live")?, vec![package])?;
//! let (mut shelves, stop) = (Shelves(BTreeSet::new()), Stop::default());
//! let (limits, lock) = (Limits::default(), LockOptions::default());
//!
//! let options = RehearseOptions { rehearsal: registry("rehearsal")?, smoke_install: None, limits, lock: lock.clone() };
//! let rehearsed = rehearse(FsStorage, &state, &plan, &options, &mut shelves, &stop, &mut ())?;
//! assert!(rehearsed.completed.receipt.passed);
//!
//! let options = PublishOptions { rehearsal: Some(registry("rehearsal")?), skip: None, limits, lock, expected_head: None };
//! let published = publish(FsStorage, &state, &plan, &options, &mut shelves, &stop, &mut ())?;
//! assert!(published.failure.is_none());
//! # Ok(())
//! # }
//! ```

#[cfg(feature = "cargo")]
pub mod cargo;
mod plan;
mod publish;
mod registry;
mod rehearse;
mod steps;
mod world;

pub use plan::{Locked, Plan, PlanError, PlannedFile, PlannedPackage};
pub use publish::{PublishError, PublishOptions, Published, publish};
pub use registry::{On, Registry, SameRegistry};
pub use rehearse::{RehearseError, RehearseOptions, Rehearsed, rehearse};
pub use steps::Limits;
pub use world::{Failed, Failure, FailureClass, Found, OutputTails, Progress, Publisher, Step, StepContext, Stop};
