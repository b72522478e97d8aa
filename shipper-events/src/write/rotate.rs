//! Rotation: a log that can no longer be written is kept under another name, and a new log continues it.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};

use super::encode::timestamp;
use super::error::{AppendError, LogError, RotateError};
use super::log_file::sync_directory_of;
use super::paths::{REPAIRING, UNSYNCED, companion, saved_tail_path};
use super::repair::saved_tails;
use super::storage::{FileReader, Storage, StorageFile, create_synced, if_found};
use super::writer::{LogWriter, WriterOptions};
use crate::event::{Event, LogContinued};
use crate::integrity::{ChainLink, Head};
use crate::read::{Interest, LogScanner, Projection, ReadError, read_events};

/// Renames a log that can no longer be written, and starts a new log whose first line records its head. Returns the
/// path of the old log and a writer of the new one. The projection of the new log is empty, so a new rehearsal is
/// required. The options are [`WriterOptions`], or [`LockOptions`](super::LockOptions); an expected head is ignored.
///
/// # Errors
///
/// [`RotateError`] if a step fails; [`RotateError::aside`] is the path of the old log if that was moved.
pub fn rotate_log<P: Projection, S: Storage>(
    storage: S,
    path: &Utf8Path,
    options: impl Into<WriterOptions>,
    projection: P,
) -> Result<(Utf8PathBuf, LogWriter<P, S>), RotateError> {
    let failed = |aside: Option<Utf8PathBuf>, source: AppendError| RotateError {
        path: path.to_owned(),
        aside,
        source: Box::new(source),
    };
    let options = options.into().expected_head(None);
    let resolved = storage.resolve(path).map_err(LogError::io("look up", path));
    let locked = resolved.and_then(|log| {
        options.check_access(&storage, path, &log)?;
        Ok((options.acquire_lock(&storage, &log)?, log))
    });
    let (locked, log) = locked.map_err(|source| failed(None, source.into()))?;
    let aside = swap_in_new_log(&storage, &log).map_err(|source| failed(None, source.into()))?;
    let detached = detach_companion_files(&storage, &log, &aside);
    drop(locked);
    let opened = detached.and_then(|()| LogWriter::open(storage, &log, options, projection));
    match opened {
        Ok(opened) => Ok((aside, opened)),
        Err(source) => Err(failed(Some(aside), source.into())),
    }
}

/// Puts a new log in the place of the old one, and returns the new path of the old one.
fn swap_in_new_log<S: Storage>(storage: &S, path: &Utf8Path) -> Result<Utf8PathBuf, LogError> {
    let mut old = storage.open(path).map_err(LogError::io("open", path))?;
    let (head, length) = head_of(&mut old).map_err(LogError::io("read", path))?;
    let continued = LogContinued::new(head.lines, head.bytes, head.blake3.to_string());
    let clock = || io::Error::other("the system's clock is outside the years 0 to 9999");
    let now = timestamp(storage.now()).ok_or_else(clock).map_err(LogError::io("write the new log beside", path))?;
    let event = Event { link: Some(ChainLink::to_previous(0, &[])), ..Event::new(now, continued, "all") };
    // The new log is complete and durable before it takes the old one's name, and the old one has its second name
    // before it loses the first. So the path names a log at every instant.
    let new = companion(path, &format!("new-{}", storage.random_name()));
    let created = create_synced(storage, &new, (event.to_line() + "\n").as_bytes());
    created.map_err(LogError::io("write the new log beside", path))?;
    let short: String = head.blake3.to_string().chars().take(16).collect();
    let aside = companion(path, &format!("aside-{short}-{}", storage.random_name()));
    let swap = || {
        // A process without the lock may have written more. Then the head in the new log would be wrong.
        if storage.len_if_same_file(path, &old).map_err(LogError::io("look up", path))? != Some(length) {
            return Err(LogError::ConcurrentWriter { path: path.to_owned() });
        }
        storage.link(path, &aside).map_err(LogError::io("move aside", path))?;
        sync_directory_of(storage, path)?;
        storage.rename(&new, path).map_err(LogError::io("move aside", path))
    };
    swap().inspect_err(|_| {
        // No other program uses the new file.
        let _ = storage.remove(&new);
    })?;
    Ok(aside)
}

/// Returns the head of a log and its length. The new log records all of its lines, valid or not: they are not checked.
fn head_of<F: StorageFile>(old: &mut F) -> io::Result<(Head, u64)> {
    let mut reader = FileReader { file: old, offset: 0 };
    let mut scanner = LogScanner::new().with_cutoff(0);
    match read_events(&mut scanner, &mut reader, |_| Interest::Skip, |_, _| {}) {
        Err(ReadError::Io { source, .. }) => Err(source),
        _ => Ok((scanner.head(), reader.offset)),
    }
}

/// Removes the markers of the old log, and renames its saved tails to follow its new name.
fn detach_companion_files<S: Storage>(storage: &S, path: &Utf8Path, aside: &Utf8Path) -> Result<(), LogError> {
    for suffix in [REPAIRING, UNSYNCED] {
        let removed = if_found(storage.remove(&companion(path, suffix)));
        removed.map_err(LogError::io("remove the marker beside", path))?;
    }
    for (hash, tail) in saved_tails(storage, path).map_err(LogError::io("list the directory of", path))? {
        let renamed = storage.rename(&tail, &saved_tail_path(aside, &hash));
        renamed.map_err(LogError::io("move a saved tail beside", path))?;
    }
    sync_directory_of(storage, path)
}
