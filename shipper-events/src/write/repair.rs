//! Torn tails: cut off under the lock, saved, and recorded.
//!
//! The bytes are saved in a file that is named by their hash. That file and a marker, `events.jsonl.repairing`, are
//! durable before the bytes are cut off. The cut is durable before `tail_repaired` is appended. The marker is removed
//! after that event is acknowledged. A crash in between leaves the marker: the log then lacks the bytes of the tail and
//! must not be trusted. A writer that may not repair refuses the log, and the next writer that may repair completes the
//! repair.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};

use super::encode::NewEvent;
use super::error::LogError;
use super::log_file::LogFile;
use super::paths::{REPAIRING, companion, file_name, parent_dir, saved_tail_path};
use super::storage::{Storage, StorageFile, if_found, replace_file};
use crate::event::TailRepaired;
use crate::integrity::parse_hash;
use crate::read::Projection;

impl<P: Projection, S: Storage> LogFile<P, S> {
    /// Saves the bytes after the last line, marks the repair, and cuts the bytes off. Returns the event for the caller
    /// to record; `None` if the line is complete now.
    pub(super) fn truncate_tail(&mut self) -> Result<Option<TailRepaired>, LogError> {
        let lines_end = self.known.scanner.bytes();
        let tail = self.file.read_from(lines_end, usize::MAX);
        let tail = tail.map_err(LogError::io("read the torn tail of", &self.path))?;
        if tail.is_empty() || tail.contains(&b'\n') {
            return Ok(None);
        }
        let hash = blake3::hash(&tail).to_string();
        let marker = companion(&self.path, REPAIRING);
        for (path, bytes) in [(&saved_tail_path(&self.path, &hash), &tail[..]), (&marker, hash.as_bytes())] {
            replace_file(&self.storage, path, bytes).map_err(LogError::io("save the torn tail as", path))?;
        }
        self.sync_directory()?;
        // A process without the lock may have written more. Its bytes are not cut off.
        let now = self.file.read_from(lines_end, usize::MAX);
        let now = now.map_err(LogError::io("read the torn tail of", &self.path))?;
        let still = self.storage.len_if_same_file(&self.path, &self.file);
        let still = still.map_err(LogError::io("look up", &self.path))?;
        if now != tail || still.is_none() {
            self.remove_repair_marker()?;
            return Err(LogError::ConcurrentWriter { path: self.path.clone() });
        }
        let cut = self.file.truncate(lines_end).and_then(|()| self.sync()).and_then(|()| self.ends_in_line(lines_end));
        let is_cut = cut.map_err(|source| {
            self.poisoned = true;
            LogError::io("cut off the torn tail of", &self.path)(source)
        })?;
        if !is_cut {
            self.poisoned = true;
            return Err(LogError::ConcurrentWriter { path: self.path.clone() });
        }
        Ok(Some(TailRepaired::new(tail.len() as u64, hash)))
    }

    /// Returns true if the file has the end of a line before this offset. If a process without the lock shortened the file
    /// after the last check, cutting it off has extended it with zeros.
    fn ends_in_line(&mut self, lines_end: u64) -> io::Result<bool> {
        let Some(last) = lines_end.checked_sub(1) else {
            return Ok(true);
        };
        Ok(self.file.read_from(last, 1)?.first() == Some(&b'\n'))
    }

    /// Records the tail that was cut off now, or before a crash that left the marker. Also records every saved tail
    /// that no event of the log names.
    pub(super) fn record_repairs(&mut self, cut: Option<TailRepaired>, interrupted: bool) -> Result<(), LogError> {
        let mut found: Vec<TailRepaired> = cut.into_iter().collect();
        if found.is_empty() && interrupted {
            found.push(self.interrupted_repair()?);
        }
        let saved = saved_tails(&self.storage, &self.path);
        for (hash, path) in saved.map_err(LogError::io("list the directory of", &self.path))? {
            let is_recorded = self.known.recorded_tails.contains(&hash);
            if !is_recorded && found.iter().all(|repaired| repaired.blake3 != hash) {
                found.extend(self.saved_tail(hash, &path)?);
            }
        }
        if !found.is_empty() {
            let events = found.into_iter().map(|repaired| NewEvent::new(repaired, "all")).collect();
            let appended = self.append_under_lock(|_, _| events);
            let path = self.path.clone();
            appended.map_err(|source| LogError::Repair { path, source: Box::new(source) })?;
        }
        if interrupted { self.remove_repair_marker() } else { Ok(()) }
    }

    /// Returns the tail that the marker names; a marker without a hash still records a repair.
    fn interrupted_repair(&self) -> Result<TailRepaired, LogError> {
        let path = companion(&self.path, REPAIRING);
        let text = self.storage.open(&path).and_then(|mut file| file.read_from(0, usize::MAX));
        let hash = String::from_utf8_lossy(&text.map_err(LogError::io("read", &path))?).into_owned();
        let found = match parse_hash(hash.as_bytes()) {
            Some(_) => self.saved_tail(hash.clone(), &saved_tail_path(&self.path, &hash))?,
            None => None,
        };
        Ok(found.unwrap_or_else(|| TailRepaired::new(0, "")))
    }

    /// Returns a saved tail; `None` if the hash of its bytes is not the hash in its name.
    fn saved_tail(&self, hash: String, path: &Utf8Path) -> Result<Option<TailRepaired>, LogError> {
        let read = self.storage.open(path).and_then(|mut file| file.read_from(0, usize::MAX));
        let bytes = if_found(read).map_err(LogError::io("read the saved tail", path))?;
        let bytes = bytes.filter(|bytes| blake3::hash(bytes).to_string() == hash);
        Ok(bytes.map(|bytes| TailRepaired::new(bytes.len() as u64, hash)))
    }

    fn remove_repair_marker(&self) -> Result<(), LogError> {
        let path = companion(&self.path, REPAIRING);
        self.storage.remove(&path).map_err(LogError::io("remove", &path))?;
        self.sync_directory()
    }
}

/// Returns the hashes and paths of the saved tails beside a log.
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
