//! The directory that contains a log and its sidecar.

use std::io;

use camino::Utf8Path;
use shipper_events::write::{FsStorage, Storage};

/// Name of the log in a state directory.
pub const LOG_FILE_NAME: &str = "events.jsonl";

/// Name of the sidecar in a state directory.
pub const SIDECAR_FILE_NAME: &str = "rehearsal.json";

/// Creates a state directory and its missing parents, durably. A new one gets a `.gitignore` for all files:
/// otherwise cargo could pack the log into a package, and every event would change the plan.
///
/// # Errors
///
/// Returns the error of the file system if a directory or file cannot be created.
pub fn create_state_directory(path: &Utf8Path) -> io::Result<()> {
    if create_directory(path)? {
        fs_err::write(path.join(".gitignore"), "*\n")?;
    }
    Ok(())
}

/// Creates a directory and its missing parents. Returns false if it exists.
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
