//! Torn tails: cut off under the lock, saved, and recorded.
//!
//! The bytes are saved and durable under a name that is their hash, and a marker, `events.jsonl.repairing`, is durable,
//! before they are cut off; the cut is durable before `tail_repaired` is appended; and only when that is acknowledged is
//! the marker taken away. A crash in between leaves the marker: what the tail said is then not in the log, which is as
//! little to be trusted as one with a torn tail. Writers that may not repair refuse it; the next one that may completes
//! the repair.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};

use super::disk::{Storage, StorageFile, replace_file};
use super::draft::NewEvent;
use super::error::LogError;
use super::writer::{LogWriter, Projection, directory, name};
use crate::value::ExtraMembers;
use crate::vocabulary::TailRepaired;

/// Saves what stands after the last line, marks the repair, and cuts the bytes off. Gives the event that is then to be
/// recorded, or none where the bytes have become lines meanwhile.
pub(super) fn cut_off<O: Projection, D: Storage>(log: &mut LogWriter<O, D>) -> Result<Option<TailRepaired>, LogError> {
    let lines_end = log.follower.bytes();
    let tail = log.file.read_from(lines_end, usize::MAX).map_err(|source| log.io("read the torn tail of", source))?;
    if tail.is_empty() || tail.contains(&b'\n') {
        return Ok(None);
    }
    let hash = blake3::hash(&tail).to_string();
    let saved = log.path.with_file_name(format!("{}.torn-{hash}", name(&log.path)));
    let failed = |path: &Utf8Path| {
        let path = path.to_owned();
        |source| LogError::Io { what: "save the torn tail as", path, source }
    };
    replace_file(&log.disk, &saved, &tail).map_err(failed(&saved))?;
    let marker = marker(&log.path);
    replace_file(&log.disk, &marker, hash.as_bytes()).map_err(failed(&marker))?;
    log.sync_names()?;
    // A tool that takes no lock may have gone on writing: what it wrote is not cut off.
    let now = log.file.read_from(lines_end, usize::MAX).map_err(|source| log.io("read the torn tail of", source))?;
    let still = log.disk.named_length(&log.path, &log.file).map_err(|source| log.io("look up", source))?;
    if now != tail || still.is_none() {
        remove_marker(log)?;
        return Err(LogError::ConcurrentWriter { path: log.path.clone() });
    }
    let cut = log.file.truncate(lines_end).and_then(|()| log.sync());
    cut.map_err(|source| {
        log.poisoned = true;
        log.io("cut off the torn tail of", source)
    })?;
    Ok(Some(repaired(tail.len(), hash)))
}

/// Records the tail that was cut off now or, if it is still marked, before a crash, and every saved tail that no event of
/// the log names.
pub(super) fn record<O: Projection, D: Storage>(
    log: &mut LogWriter<O, D>,
    cut: Option<TailRepaired>,
    marked: bool,
) -> Result<(), LogError> {
    let mut found: Vec<TailRepaired> = cut.into_iter().collect();
    if found.is_empty() && marked {
        found.push(marked_tail(log)?);
    }
    for (hash, path) in unnamed_tails(log)? {
        if found.iter().all(|repaired| repaired.blake3 != hash) {
            found.extend(saved_tail(log, hash, &path)?);
        }
    }
    if !found.is_empty() {
        let drafts = found.into_iter().map(|repaired| NewEvent::new(repaired, "all")).collect();
        let appended = log.append_locked(|_, _| drafts);
        let path = log.path.clone();
        appended.map_err(|source| LogError::Repair { path, source: Box::new(source) })?;
    }
    if marked { remove_marker(log) } else { Ok(()) }
}

/// Where a repair is marked.
pub(super) fn marker(log: &Utf8Path) -> Utf8PathBuf {
    log.with_file_name(format!("{}.repairing", name(log)))
}

/// The tail that the marker names; a marker that says nothing of use still tells of one.
fn marked_tail<O: Projection, D: Storage>(log: &LogWriter<O, D>) -> Result<TailRepaired, LogError> {
    let path = marker(&log.path);
    let text = log.disk.open(&path).and_then(|mut file| file.read_from(0, usize::MAX));
    let text = text.map_err(|source| LogError::Io { what: "read", path, source })?;
    let hash = String::from_utf8_lossy(&text).into_owned();
    let found = if crate::head::hash(hash.as_bytes()).is_some() {
        let saved = log.path.with_file_name(format!("{}.torn-{hash}", name(&log.path)));
        saved_tail(log, hash, &saved)?
    } else {
        None
    };
    Ok(found.unwrap_or_else(|| repaired(0, String::new())))
}

/// A saved tail, if its bytes are those that its name says.
fn saved_tail<O: Projection, D: Storage>(
    log: &LogWriter<O, D>,
    hash: String,
    path: &Utf8Path,
) -> Result<Option<TailRepaired>, LogError> {
    match log.disk.open(path).and_then(|mut file| file.read_from(0, usize::MAX)) {
        Ok(bytes) if blake3::hash(&bytes).to_string() == hash => Ok(Some(repaired(bytes.len(), hash))),
        Ok(_) => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(LogError::Io { what: "read the saved tail", path: path.to_owned(), source }),
    }
}

fn repaired(bytes: usize, blake3: String) -> TailRepaired {
    TailRepaired { bytes: (bytes as u64).into(), blake3, others: ExtraMembers::default() }
}

/// The saved tails that no event of the log names: their hashes and paths.
fn unnamed_tails<O: Projection, D: Storage>(log: &LogWriter<O, D>) -> Result<Vec<(String, Utf8PathBuf)>, LogError> {
    let mut tails = saved_tails(&log.disk, &log.path).map_err(|source| log.io("list the directory of", source))?;
    tails.retain(|(hash, _)| !log.named_tails.contains(hash));
    Ok(tails)
}

/// The saved tails beside a log: their hashes and paths.
pub(super) fn saved_tails<D: Storage>(disk: &D, log: &Utf8Path) -> io::Result<Vec<(String, Utf8PathBuf)>> {
    let (directory, prefix) = (directory(log), format!("{}.torn-", name(log)));
    let tails = disk.list(directory)?.into_iter().filter_map(|name| {
        let hash = name.strip_prefix(&prefix).filter(|hash| crate::head::hash(hash.as_bytes()).is_some())?;
        Some((hash.to_owned(), directory.join(&name)))
    });
    Ok(tails.collect())
}

fn remove_marker<O: Projection, D: Storage>(log: &LogWriter<O, D>) -> Result<(), LogError> {
    let path = marker(&log.path);
    log.disk.remove(&path).map_err(|source| LogError::Io { what: "remove", path, source })?;
    log.sync_names()
}
