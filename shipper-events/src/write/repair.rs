//! Torn tails: cut off under the lock, saved, and recorded.
//!
//! The bytes are saved and durable under a name that is their hash, and a marker, `events.jsonl.repairing`, is durable,
//! before they are cut off; the cut is durable before `tail_repaired` is appended; and only when that is acknowledged is
//! the marker taken away. A crash in between leaves the marker: what the tail said is then not in the log, which is as
//! little to be trusted as one with a torn tail. Writers that may not repair refuse it; the next one that may completes
//! the repair.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};

use super::error::LogError;
use super::log_file::LogFile;
use super::new_event::NewEvent;
use super::paths::{companion, file_name, parent_dir, repair_marker_path, saved_tail_path};
use super::storage::{Storage, StorageFile, replace_file};
use crate::event::TailRepaired;
use crate::integrity::parse_hash;
use crate::read::Projection;

/// Saves what stands after the last line, marks the repair, and cuts the bytes off. Gives the event that is then to be
/// recorded, or none where the bytes have become lines meanwhile.
pub(super) fn truncate_tail<P: Projection, S: Storage>(
    log: &mut LogFile<P, S>,
) -> Result<Option<TailRepaired>, LogError> {
    let lines_end = log.known.scanner.bytes();
    let tail = log.file.read_from(lines_end, usize::MAX).map_err(|source| log.io("read the torn tail of", source))?;
    if tail.is_empty() || tail.contains(&b'\n') {
        return Ok(None);
    }
    let hash = blake3::hash(&tail).to_string();
    let saved = saved_tail_path(&log.path, &hash);
    let failed = |path: &Utf8Path| {
        let path = path.to_owned();
        |source| LogError::Io { what: "save the torn tail as", path, source }
    };
    replace_file(&log.storage, &saved, &tail).map_err(failed(&saved))?;
    let marker = repair_marker_path(&log.path);
    replace_file(&log.storage, &marker, hash.as_bytes()).map_err(failed(&marker))?;
    log.sync_directory()?;
    // A tool that takes no lock may have gone on writing: what it wrote is not cut off.
    let now = log.file.read_from(lines_end, usize::MAX).map_err(|source| log.io("read the torn tail of", source))?;
    let still = log.storage.len_if_same_file(&log.path, &log.file).map_err(|source| log.io("look up", source))?;
    if now != tail || still.is_none() {
        remove_marker(log)?;
        return Err(LogError::ConcurrentWriter { path: log.path.clone() });
    }
    let cut = log.file.truncate(lines_end).and_then(|()| log.sync());
    cut.map_err(|source| {
        log.poisoned = true;
        log.io("cut off the torn tail of", source)
    })?;
    Ok(Some(tail_repaired_event(tail.len(), hash)))
}

/// Records the tail that was cut off now or, if it is still marked, before a crash, and every saved tail that no event of
/// the log names.
pub(super) fn record_repairs<P: Projection, S: Storage>(
    log: &mut LogFile<P, S>,
    cut: Option<TailRepaired>,
    interrupted: bool,
) -> Result<(), LogError> {
    let mut found: Vec<TailRepaired> = cut.into_iter().collect();
    if found.is_empty() && interrupted {
        found.push(interrupted_repair(log)?);
    }
    for (hash, path) in unrecorded_tails(log)? {
        if found.iter().all(|repaired| repaired.blake3 != hash) {
            found.extend(saved_tail(log, hash, &path)?);
        }
    }
    if !found.is_empty() {
        let events = found.into_iter().map(|repaired| NewEvent::new(repaired, "all")).collect();
        let appended = log.append_under_lock(|_, _| events);
        let path = log.path.clone();
        appended.map_err(|source| LogError::Repair { path, source: Box::new(source) })?;
    }
    if interrupted { remove_marker(log) } else { Ok(()) }
}

/// The tail that the marker names; a marker that says nothing of use still tells of one.
fn interrupted_repair<P: Projection, S: Storage>(log: &LogFile<P, S>) -> Result<TailRepaired, LogError> {
    let path = repair_marker_path(&log.path);
    let text = log.storage.open(&path).and_then(|mut file| file.read_from(0, usize::MAX));
    let text = text.map_err(|source| LogError::Io { what: "read", path, source })?;
    let hash = String::from_utf8_lossy(&text).into_owned();
    let found = if parse_hash(hash.as_bytes()).is_some() {
        let saved = saved_tail_path(&log.path, &hash);
        saved_tail(log, hash, &saved)?
    } else {
        None
    };
    Ok(found.unwrap_or_else(|| tail_repaired_event(0, String::new())))
}

/// A saved tail, if its bytes are those that its name says.
fn saved_tail<P: Projection, S: Storage>(
    log: &LogFile<P, S>,
    hash: String,
    path: &Utf8Path,
) -> Result<Option<TailRepaired>, LogError> {
    match log.storage.open(path).and_then(|mut file| file.read_from(0, usize::MAX)) {
        Ok(bytes) if blake3::hash(&bytes).to_string() == hash => Ok(Some(tail_repaired_event(bytes.len(), hash))),
        Ok(_) => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(LogError::Io { what: "read the saved tail", path: path.to_owned(), source }),
    }
}

fn tail_repaired_event(bytes: usize, blake3: String) -> TailRepaired {
    TailRepaired::new(bytes as u64, blake3)
}

/// The saved tails that no event of the log names: their hashes and paths.
fn unrecorded_tails<P: Projection, S: Storage>(log: &LogFile<P, S>) -> Result<Vec<(String, Utf8PathBuf)>, LogError> {
    let mut tails = saved_tails(&log.storage, &log.path).map_err(|source| log.io("list the directory of", source))?;
    tails.retain(|(hash, _)| !log.known.recorded_tails.contains(hash));
    Ok(tails)
}

/// The saved tails beside a log: their hashes and paths.
pub(super) fn saved_tails<S: Storage>(storage: &S, log: &Utf8Path) -> io::Result<Vec<(String, Utf8PathBuf)>> {
    let directory = parent_dir(log);
    let prefix = companion(log, "torn-");
    let prefix = file_name(&prefix);
    let tails = storage.read_dir(directory)?.into_iter().filter_map(|name| {
        let hash = name.strip_prefix(prefix).filter(|hash| parse_hash(hash.as_bytes()).is_some())?;
        Some((hash.to_owned(), directory.join(&name)))
    });
    Ok(tails.collect())
}

fn remove_marker<P: Projection, S: Storage>(log: &LogFile<P, S>) -> Result<(), LogError> {
    let path = repair_marker_path(&log.path);
    log.storage.remove(&path).map_err(|source| LogError::Io { what: "remove", path, source })?;
    log.sync_directory()
}
