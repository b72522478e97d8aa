//! The paths of a log's companion files.

use camino::{Utf8Path, Utf8PathBuf};

/// The suffix of the marker of a failed sync.
pub(super) const UNSYNCED: &str = "unsynced";

/// The suffix of the marker of a repair that is not recorded yet.
pub(super) const REPAIRING: &str = "repairing";

pub(super) fn file_name(path: &Utf8Path) -> &str {
    path.file_name().unwrap_or("events.jsonl")
}

pub(super) fn parent_dir(path: &Utf8Path) -> &Utf8Path {
    match path.parent() {
        Some(parent) if !parent.as_str().is_empty() => parent,
        _ => Utf8Path::new("."),
    }
}

/// Returns the path of the file beside a log with this suffix.
pub(super) fn companion(log: &Utf8Path, suffix: &str) -> Utf8PathBuf {
    log.with_file_name(format!("{}.{suffix}", file_name(log)))
}

/// Returns the path of the copy of a torn tail with this hash.
pub(super) fn saved_tail_path(log: &Utf8Path, hash: &str) -> Utf8PathBuf {
    companion(log, &format!("torn-{hash}"))
}
