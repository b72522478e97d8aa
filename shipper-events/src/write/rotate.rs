//! Rotation: a log that can no longer be written is kept under another name, and a new log continues it.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};

use super::encode::timestamp;
use super::error::{AppendError, LogError, RotateError};
use super::lock::{LockOptions, LogLock};
use super::log_file::FileReader;
use super::paths::{companion, parent_dir, repair_marker_path, saved_tail_path, unsynced_marker_path};
use super::repair;
use super::storage::{Storage, StorageFile, create_synced};
use super::writer::{LogWriter, WriterOptions, resolve};
use crate::event::Event;
use crate::event::LogContinued;
use crate::integrity::{ChainLink, Head};
use crate::read::{Interest, LogScanner, Projection, ReadError, read_events};

/// Moves a log that can no longer be written aside, whole, and continues it by a new one whose first line records its
/// head. Returns the path of the old log and a writer of the new one. Its projection starts empty: rehearse again.
///
/// # Errors
///
/// If a step fails; [`RotateError::aside`] is the path of the old log if that was moved.
pub fn rotate_log<P: Projection, S: Storage>(
    storage: S,
    path: &Utf8Path,
    lock: LockOptions,
    projection: P,
) -> Result<(Utf8PathBuf, LogWriter<P, S>), RotateError> {
    let given = path;
    let failed = |aside: Option<&Utf8PathBuf>, source: AppendError| RotateError {
        path: given.to_owned(),
        aside: aside.cloned(),
        source: Box::new(source),
    };
    let path = &resolve(&storage, path).map_err(|source| failed(None, source.into()))?;
    let locked = LogLock::acquire(&storage, path, lock.clone()).map_err(|source| failed(None, source.into()))?;
    let aside = swap_in_new_log(&storage, path).map_err(|source| failed(None, source))?;
    let detached = detach_companion_files(&storage, path, &aside);
    detached
        .map_err(|(what, source)| failed(Some(&aside), LogError::Io { what, path: path.to_owned(), source }.into()))?;
    drop(locked);
    let opened = LogWriter::open(storage, path, WriterOptions::new(lock), projection);
    let opened = opened.map_err(|source| failed(Some(&aside), source.into()))?;
    Ok((aside, opened))
}

/// Puts a new log in the place of the old one, and gives where that is now.
fn swap_in_new_log<S: Storage>(storage: &S, path: &Utf8Path) -> Result<Utf8PathBuf, AppendError> {
    let io = |what| move |source| LogError::Io { what, path: path.to_owned(), source };
    let mut old = storage.open(path).map_err(io("open"))?;
    let (head, length) = head_of(&mut old).map_err(io("read"))?;
    let continued = LogContinued::new(head.lines, head.bytes, head.blake3.to_string());
    let event =
        Event { link: Some(ChainLink::to_previous(0, &[])), ..Event::new(timestamp(storage.now()), continued, "all") };
    // The new log is whole and durable before it takes the old one's name, and the old one has its second name before
    // it loses the first: at every instant the path names a log.
    let new = companion(path, &format!("new-{}", storage.random_name()));
    create_synced(storage, &new, (event.to_line() + "\n").as_bytes()).map_err(io("write the new log beside"))?;
    let short: String = head.blake3.to_string().chars().take(16).collect();
    let aside = companion(path, &format!("aside-{short}-{}", storage.random_name()));
    let swap = || {
        // A tool that takes no lock may have gone on writing: the head that the new log names would not be the last one.
        if storage.len_if_same_file(path, &old).map_err(io("look up"))? != Some(length) {
            return Err(LogError::ConcurrentWriter { path: path.to_owned() });
        }
        let linked = storage.link(path, &aside).and_then(|()| storage.sync_directory(parent_dir(path)));
        linked.and_then(|()| storage.rename(&new, path)).map_err(io("move aside"))
    };
    swap().inspect_err(|_| {
        // It would only be litter.
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

/// Leaves what is beside the old log to it: what is marked of it, and tails that were cut off it, are no matter of the new
/// one.
fn detach_companion_files<S: Storage>(
    storage: &S,
    path: &Utf8Path,
    aside: &Utf8Path,
) -> Result<(), (&'static str, io::Error)> {
    for marker in [repair_marker_path(path), unsynced_marker_path(path)] {
        match storage.remove(&marker) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(("remove the marker beside", error)),
            _ => {}
        }
    }
    let saved = repair::saved_tails(storage, path).map_err(|error| ("list the directory of", error))?;
    for (hash, tail) in saved {
        let beside_old = saved_tail_path(aside, &hash);
        storage.rename(&tail, &beside_old).map_err(|error| ("move a saved tail beside", error))?;
    }
    storage.sync_directory(parent_dir(path)).map_err(|error| ("sync the directory of", error))
}
