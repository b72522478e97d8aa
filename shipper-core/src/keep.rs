//! Writing the sidecar: after its event is durable, as a whole, and never through a link.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use shipper_events::Head;
use shipper_events::write::{Disk, DiskFile, OsDisk};
use thiserror::Error;

use crate::receipt::Receipt;
use crate::sidecar::{Sidecar, snapshot};

/// The name of a log in a state directory.
pub const LOG: &str = "events.jsonl";

/// The name of a sidecar in a state directory.
pub const SIDECAR: &str = "rehearsal.json";

/// Creates a state directory, and what is missing above it, so that the names outlast a crash.
///
/// # Errors
///
/// As the file system says.
pub fn create_state_directory(path: &Utf8Path) -> io::Result<()> {
    if path.as_str().is_empty() || path.is_dir() {
        return Ok(());
    }
    let parent = match path.parent() {
        Some(parent) if !parent.as_str().is_empty() => parent,
        _ => Utf8Path::new("."),
    };
    create_state_directory(parent)?;
    match fs_err::create_dir(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    OsDisk.sync_directory(parent)
}

/// The sidecar could not be written. The event that it tells of stands in the log all the same.
#[derive(Debug, Error)]
#[error("{path} could not be written; the log is what counts, and the next decision writes it anew")]
pub struct SidecarNotWritten {
    /// The sidecar.
    pub path: Utf8PathBuf,
    /// Why.
    pub source: io::Error,
}

/// Writes the sidecar of a receipt: a temporary file that did not exist, with a name that nobody can guess, synced, given
/// the sidecar's name, and the directory synced.
///
/// # Errors
///
/// When a step fails; the sidecar is then as it was, or not yet durable.
pub fn write_sidecar<D: Disk>(
    disk: &D,
    state_directory: &Utf8Path,
    receipt: &Receipt,
    head: Head,
) -> Result<(), SidecarNotWritten> {
    let path = state_directory.join(SIDECAR);
    let text = snapshot(receipt, head);
    let temporary = state_directory.join(format!(".{SIDECAR}.{}", disk.random_name()));
    let write = || {
        let mut file = disk.create(&temporary)?;
        let written = file.append(text.as_bytes()).and_then(|count| match count == text.len() {
            true => file.sync(),
            false => Err(io::Error::from(io::ErrorKind::StorageFull)),
        });
        if let Err(error) = written.and_then(|()| disk.rename(&temporary, &path)) {
            // What is left of it has a name that nobody looks for.
            let _ = disk.remove(&temporary);
            return Err(error);
        }
        disk.sync_directory(state_directory)
    };
    write().map_err(|source| SidecarNotWritten { path: path.clone(), source })
}

/// Whether the sidecar tells of this receipt.
pub(crate) fn sidecar_matches<D: Disk>(disk: &D, state_directory: &Utf8Path, receipt: &Receipt, head: Head) -> bool {
    let read = || {
        let mut file = disk.open(&state_directory.join(SIDECAR))?;
        let (mut bytes, mut buffer) = (Vec::new(), vec![0; 64 * 1024]);
        while bytes.len() <= shipper_events::MAX_LINE {
            let count = file.read_at(bytes.len() as u64, &mut buffer)?;
            if count == 0 {
                break;
            }
            bytes.extend_from_slice(buffer.get(..count).unwrap_or_default());
        }
        io::Result::Ok(bytes)
    };
    let sidecar = read().ok().and_then(|bytes| Sidecar::parse(&bytes).ok());
    sidecar.is_some_and(|sidecar| sidecar.differences(receipt, || head).is_empty())
}
