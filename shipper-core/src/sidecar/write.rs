//! Renders a sidecar and replaces the file: after its event is durable, as a whole, and never through a link.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;
use shipper_events::write::{Storage, StorageFile, replace_file};
use shipper_events::{Head, MAX_LINE_LEN, PlanId, RegistryName, Timestamp};
use thiserror::Error;

use crate::fold::Receipt;
use crate::sidecar::model::{SIDECAR_SCHEMA, Sidecar};
use crate::state_dir::SIDECAR_FILE_NAME;

/// The error for a sidecar that cannot be written. The log has its content, and the next decision writes it again.
#[derive(Debug, Error)]
#[error("cannot {what} {path}")]
#[non_exhaustive]
pub struct WriteSidecarError {
    /// The step, as a verb: `write the sidecar`, or `sync the directory`.
    pub what: &'static str,
    /// Path of the sidecar or of its directory.
    pub path: Utf8PathBuf,
    /// Error of the file system.
    pub source: io::Error,
}

impl Sidecar {
    /// Renders the text of `rehearsal.json` for a receipt, with the head of the log up to the line of the completion.
    pub fn render(receipt: &Receipt, log: Head) -> String {
        let json = SidecarJson {
            schema_version: SIDECAR_SCHEMA,
            plan_id: &receipt.plan_id,
            registry: &receipt.registry,
            passed: receipt.passed,
            packages_attempted: receipt.packages_attempted(),
            packages_published: receipt.packages_published(),
            summary: &receipt.summary,
            started_at: receipt.started_at(),
            completed_at: &receipt.completed_at,
            log,
        };
        #[expect(clippy::expect_used, reason = "it has only strings, numbers and booleans")]
        let text = serde_json::to_string_pretty(&json).expect("invariant: a sidecar can be serialized");
        text + "\n"
    }
}

/// The members in the shipper tool's order, and then `log`, which only this crate writes.
#[derive(Serialize)]
struct SidecarJson<'a> {
    schema_version: &'static str,
    plan_id: &'a PlanId,
    registry: &'a RegistryName,
    passed: bool,
    packages_attempted: u64,
    packages_published: u64,
    summary: &'a str,
    started_at: &'a Timestamp,
    completed_at: &'a Timestamp,
    log: Head,
}

/// Writes the sidecar of a receipt: syncs a temporary file, renames it to the sidecar's name, and syncs the directory.
///
/// # Errors
///
/// [`WriteSidecarError`] if a step fails. The sidecar is then unchanged, or not yet durable.
pub fn write_sidecar<S: Storage>(
    storage: &S,
    state_directory: &Utf8Path,
    receipt: &Receipt,
    head: Head,
) -> Result<(), WriteSidecarError> {
    let path = state_directory.join(SIDECAR_FILE_NAME);
    let failed = |what, path| move |source| WriteSidecarError { what, path, source };
    let replaced = replace_file(storage, &path, Sidecar::render(receipt, head).as_bytes());
    replaced.map_err(failed("write the sidecar", path))?;
    let synced = storage.sync_directory(state_directory);
    synced.map_err(failed("sync the directory", state_directory.to_owned()))
}

/// Returns whether the sidecar in a state directory matches a receipt.
pub(crate) fn sidecar_matches<S: Storage>(
    storage: &S,
    state_directory: &Utf8Path,
    receipt: &Receipt,
    head: Head,
) -> bool {
    let path = state_directory.join(SIDECAR_FILE_NAME);
    let read = storage.open(&path).and_then(|mut file| file.read_from(0, MAX_LINE_LEN));
    let sidecar = read.ok().and_then(|bytes| Sidecar::parse(&bytes).ok());
    sidecar.is_some_and(|sidecar| sidecar.differences(receipt, || head).is_empty())
}
