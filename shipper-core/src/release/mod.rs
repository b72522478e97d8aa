//! Rehearses and publishes a plan, and records every step before the next one.
//!
//! 1. A [`Plan`] contains the packages to publish. Its ID is the hash of their content.
//! 2. [`rehearse`] publishes the plan to another registry.
//! 3. [`publish()`] asks the gate, which requires a passing rehearsal of this plan on the configured registry, and publishes
//!    the plan to the live registry.
//!
//! A run records the line of the gate's decision, so the log contains a permission before each publish to the live
//! registry. `shipper-replay` verifies it; `docs/operating.md` explains the events.
//!
//! The trait [`Publisher`] is the interface to the registries. With the feature `cargo`, the module [`cargo`]
//! implements it with cargo and makes plans of workspaces. The program `shipper-release` is a release tool on top of
//! them.
//!
//! ```
//! use std::collections::BTreeSet;
//! use shipper_core::release::*;
//! use shipper_events::write::FsStorage;
//!
//! /// Registries in memory: addresses of indexes, and IDs of packages.
//! struct InMemory(BTreeSet<(String, String)>);
//!
//! fn key(target: StepTarget<'_>) -> (String, String) {
//!     (target.role.registry().index.clone(), target.package.id())
//! }
//!
//! impl Publisher for InMemory {
//!     fn upload_endpoint(&mut self, role: RegistryRole<'_>, _: &mut StepContext<'_>) -> Result<String, Failure> {
//!         Ok(role.registry().index.clone())
//!     }
//!     fn preflight(&mut self, _: &Plan, _: &mut StepContext<'_>) -> Result<(), Failure> {
//!         Ok(())
//!     }
//!     fn lookup(&mut self, target: StepTarget<'_>, _: &mut StepContext<'_>) -> Result<PublishedState, Failure> {
//!         let published = self.0.contains(&key(target));
//!         Ok(if published { PublishedState::SameContent { cksum: None } } else { PublishedState::Absent })
//!     }
//!     fn publish(&mut self, target: StepTarget<'_>, _: &mut StepContext<'_>) -> Result<Upload, Failure> {
//!         self.0.insert(key(target));
//!         Ok(Upload::default())
//!     }
//!     fn verify_build(&mut self, _: StepTarget<'_>, _: &mut StepContext<'_>) -> Result<(), Failure> {
//!         Ok(())
//!     }
//!     fn install(&mut self, _: StepTarget<'_>, _: &mut StepContext<'_>) -> Result<(), Failure> {
//!         Ok(())
//!     }
//!     fn describe_command(&self, package: &PlannedPackage, _: &Registry) -> String {
//!         format!("insert {}", package.id())
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! # let state = camino::Utf8PathBuf::try_from(directory.path().to_owned())?;
//! let registry = |name: &str| -> Result<Registry, Box<dyn std::error::Error>> {
//!     Ok(Registry { name: name.parse()?, index: format!("sparse+https://{name}.example/index/") })
//! };
//! let package = PlannedPackage::new("a", "0.1.0", vec![PlannedFile::new("src/lib.rs", b"// a")]);
//! let plan = Plan::new(registry("live")?, vec![package])?;
//! let (mut registries, cancel) = (InMemory(BTreeSet::new()), CancelToken::default());
//!
//! let options = RehearseOptions::new(registry("rehearsal")?);
//! let rehearsed = rehearse(FsStorage, &state, &plan, &options, &mut registries, &cancel, &mut ())?;
//! assert!(rehearsed.receipt.passed);
//!
//! let mut options = PublishOptions::default();
//! options.rehearsal = Some(registry("rehearsal")?);
//! let published = publish(FsStorage, &state, &plan, &options, &mut registries, &cancel, &mut ())?;
//! assert!(published.failure.is_none());
//! # Ok(())
//! # }
//! ```

#[cfg(feature = "cargo")]
pub mod cargo;
mod confirm;
mod endpoint;
mod plan;
mod publish;
mod publisher;
mod rate_limit;
mod registry;
mod rehearse;
mod session;
mod waiting;

pub use endpoint::{Endpoint, EndpointUse};
pub use plan::{LockedDependency, Plan, PlanError, PlannedFile, PlannedPackage};
pub use publish::{PublishError, PublishOptions, PublishOutcome, StoppedAt, publish};
pub use publisher::{
    CancelToken, Failure, FailureClass, FoundCredentials, OutputTails, Progress, PublishedState, Publisher, Step,
    StepContext, StepTarget, Upload, Wait, error_chain,
};
pub use rate_limit::{RateLimit, UploadEstimate, UploadKind};
pub use registry::{Registry, RegistryRole, SameRegistryError};
pub use rehearse::{RehearseError, RehearseOptions, rehearse};
pub use session::Limits;
