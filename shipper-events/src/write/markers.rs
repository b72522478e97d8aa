//! The markers that a writer leaves beside a log, for readers.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};

use super::fs::FsStorage;
use super::paths::{REPAIRING, UNSYNCED, companion};
use super::storage::{Storage, if_found};

/// The markers beside a log. If one exists, the log may lack lines, and a gate must permit nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Markers {
    /// Path of the marker of a repair that is not recorded yet; `None` if there is none. The writer has cut off a torn
    /// tail, or is about to.
    pub repair_interrupted: Option<Utf8PathBuf>,
    /// Path of the marker of a failed sync; `None` if there is none. Lines of the log may not be on the disk.
    pub sync_failed: Option<Utf8PathBuf>,
}

impl Markers {
    /// Returns true if a marker exists.
    pub fn any(&self) -> bool {
        self.repair_interrupted.is_some() || self.sync_failed.is_some()
    }
}

/// Finds the markers beside the log at a path. Follows links as the writer does: the markers are beside the file to
/// which a link points. The log itself may be missing. Opens no file.
///
/// A marker appears and disappears while a repair is at work. So a reader looks before and after it reads the log.
///
/// # Errors
///
/// The error of the file system if the path cannot be resolved, for example because its directory does not exist, or
/// if a marker cannot be looked up.
///
/// ```
/// use shipper_events::write::markers;
/// # let directory = tempfile::tempdir()?;
/// # let directory = camino::Utf8PathBuf::try_from(directory.path().canonicalize()?)?;
/// let log = directory.join("events.jsonl");
/// assert!(!markers(&log)?.any());
/// let marker = directory.join("events.jsonl.unsynced");
/// std::fs::write(&marker, "a sync of the log failed\n")?;
/// assert_eq!(markers(&log)?.sync_failed, Some(marker));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn markers(log: &Utf8Path) -> io::Result<Markers> {
    let log = FsStorage.resolve(log)?;
    let find = |suffix| {
        let path = companion(&log, suffix);
        // A name of any kind is a marker, also a link without a target.
        Ok::<_, io::Error>(if_found(fs_err::symlink_metadata(&path))?.map(|_| path))
    };
    Ok(Markers { repair_interrupted: find(REPAIRING)?, sync_failed: find(UNSYNCED)? })
}
