//! Writing the sidecar: after its event is durable, as a whole, and never through a link.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use shipper_events::write::{FsStorage, Storage, StorageFile, replace_file};
use shipper_events::{Head, MAX_LINE_LEN};
use thiserror::Error;

use crate::receipt::Receipt;
use crate::sidecar::{Sidecar, snapshot};

/// The name of a log in a state directory.
pub const LOG_FILE_NAME: &str = "events.jsonl";

/// The name of a sidecar in a state directory.
pub const SIDECAR_FILE_NAME: &str = "rehearsal.json";

/// Creates a state directory, and what is missing above it, so that the names outlast a crash. A new one says to git that
/// nothing in it is to be committed, and so to cargo that nothing in it is to be packed: a log in a package would change
/// the plan with every event.
///
/// # Errors
///
/// As the file system says.
pub fn create_state_directory(path: &Utf8Path) -> io::Result<()> {
    if create_directory(path)? {
        fs_err::write(path.join(".gitignore"), "*\n")?;
    }
    Ok(())
}

/// Creates a directory, unless it is there.
fn create_directory(path: &Utf8Path) -> io::Result<bool> {
    if path.as_str().is_empty() || path.is_dir() {
        return Ok(false);
    }
    let parent = match path.parent() {
        Some(parent) if !parent.as_str().is_empty() => parent,
        _ => Utf8Path::new("."),
    };
    create_directory(parent)?;
    let created = match fs_err::create_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => false,
        created => created.map(|()| true)?,
    };
    FsStorage.sync_directory(parent)?;
    Ok(created)
}

/// The sidecar could not be written. The event that it tells of stands in the log all the same.
#[derive(Debug, Error)]
#[error("{path} could not be written; the log is what counts, and the next decision writes it anew")]
pub struct WriteSidecarError {
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
pub fn write_sidecar<D: Storage>(
    disk: &D,
    state_directory: &Utf8Path,
    receipt: &Receipt,
    head: Head,
) -> Result<(), WriteSidecarError> {
    let path = state_directory.join(SIDECAR_FILE_NAME);
    let replaced = replace_file(disk, &path, snapshot(receipt, head).as_bytes());
    let written = replaced.and_then(|()| disk.sync_directory(state_directory));
    written.map_err(|source| WriteSidecarError { path, source })
}

/// Whether the sidecar tells of this receipt.
pub(crate) fn sidecar_matches<D: Storage>(disk: &D, state_directory: &Utf8Path, receipt: &Receipt, head: Head) -> bool {
    let read = disk.open(&state_directory.join(SIDECAR_FILE_NAME)).and_then(|mut file| file.read_from(0, MAX_LINE_LEN));
    let sidecar = read.ok().and_then(|bytes| Sidecar::parse(&bytes).ok());
    sidecar.is_some_and(|sidecar| sidecar.differences(receipt, || head).is_empty())
}
