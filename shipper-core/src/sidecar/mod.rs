//! The sidecar `rehearsal.json`, a snapshot of the receipt. It is compared with the log and never trusted.

mod model;
mod write;

pub use model::{FieldDiff, FieldValue, SIDECAR_SCHEMA, Sidecar, SidecarError};
pub(crate) use write::sidecar_matches;
pub use write::{WriteSidecarError, write_sidecar};
