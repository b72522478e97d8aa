//! The codes of findings, by what they are about.

mod bytes;
mod decisions;
mod inputs;
mod rehearsals;
mod runs;
mod sidecar;

pub(super) use bytes::BYTES;
pub(super) use decisions::DECISIONS;
pub(super) use inputs::INPUTS;
pub(super) use rehearsals::REHEARSALS;
pub(super) use runs::RUNS;
pub(super) use sidecar::SIDECAR_FILE_NAME;
