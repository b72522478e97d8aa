//! `rehearsal.json`: a snapshot of the receipt, and a claim that is compared, never trusted.

mod model;
mod write;

pub use model::{FieldDiff, FieldValue, SIDECAR_SCHEMA, Sidecar, SidecarError};
pub(crate) use write::sidecar_matches;
pub use write::{WriteSidecarError, write_sidecar};
