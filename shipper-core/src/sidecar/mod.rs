//! `rehearsal.json`: a snapshot of the receipt, and a claim that is compared, never trusted.

mod diff;
mod model;
mod write;

pub use diff::{FieldDiff, FieldValue};
pub use model::{SIDECAR_SCHEMA, Sidecar, SidecarError};
pub(crate) use write::sidecar_matches;
pub use write::{WriteSidecarError, write_sidecar};
