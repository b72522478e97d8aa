//! Torn tails: cut off under the lock, saved, and recorded.
//!
//! The bytes are saved and durable under a name that is their hash before they are cut off, and the cut is durable before
//! `tail_repaired` is appended. A crash in between leaves a saved tail that no event names. The next repairing writer names
//! it; until then the log is as little to be trusted as one with a torn tail, and every other writer refuses it.

use camino::Utf8PathBuf;

use super::disk::{Disk, DiskFile};
use super::error::LogError;
use super::writer::{Draft, LogWriter, Observer, directory, name, write_new};
use crate::value::Others;
use crate::vocabulary::TailRepaired;

/// Saves what stands after the last line, and cuts it off.
pub(super) fn cut_off<O: Observer, D: Disk>(log: &mut LogWriter<O, D>) -> Result<(), LogError> {
    let lines_end = log.prefix.bytes();
    let tail = read_from(&mut log.file, lines_end).map_err(|source| log.io("read the torn tail of", source))?;
    let saved = log.path.with_file_name(format!("{}.torn-{}", name(&log.path), blake3::hash(&tail)));
    // Written under another name first: a file of this name is always whole.
    let draft = saved.with_file_name(format!("{}.{}", name(&saved), log.disk.random_name()));
    let save = write_new(&log.disk, &draft, &tail).and_then(|()| log.disk.rename(&draft, &saved));
    save.map_err(|source| LogError::Io { what: "save the torn tail as", path: saved, source })?;
    log.sync_names()?;
    let cut = log.file.truncate(lines_end).and_then(|()| log.file.sync());
    cut.map_err(|source| {
        log.poisoned = true;
        log.io("cut off the torn tail of", source)
    })
}

/// Records every saved tail that no event of the log names.
pub(super) fn name_saved_tails<O: Observer, D: Disk>(log: &mut LogWriter<O, D>) -> Result<(), LogError> {
    let mut unnamed = Vec::new();
    for (hash, path) in unnamed_tails(log)? {
        let saved = log.disk.open(&path).and_then(|mut file| read_from(&mut file, 0));
        let saved = saved.map_err(|source| LogError::Io { what: "read the saved tail", path, source })?;
        let bytes = (saved.len() as u64).into();
        unnamed.push(TailRepaired { bytes, blake3: hash, others: Others::default() });
    }
    if unnamed.is_empty() {
        return Ok(());
    }
    let drafts = unnamed.into_iter().map(|repaired| Draft::new(repaired, "all")).collect();
    let appended = log.append_locked(|_, _| drafts);
    let path = log.path.clone();
    appended.map(drop).map_err(|source| LogError::Repair { path, source: Box::new(source) })
}

/// Refuses a log beside which a tail is saved that no event names: a repair was cut short, and what the tail said is not
/// in the log. To whoever may not repair, that is a torn tail.
pub(super) fn refuse_unnamed_tails<O: Observer, D: Disk>(log: &LogWriter<O, D>) -> Result<(), LogError> {
    match unnamed_tails(log)?.into_iter().next() {
        Some((_, saved)) => Err(LogError::RepairCutShort { path: log.path.clone(), saved }),
        None => Ok(()),
    }
}

/// The saved tails that no event of the log names: their hashes and paths.
fn unnamed_tails<O: Observer, D: Disk>(log: &LogWriter<O, D>) -> Result<Vec<(String, Utf8PathBuf)>, LogError> {
    let (directory, prefix) = (directory(&log.path), format!("{}.torn-", name(&log.path)));
    let names = log.disk.list(directory).map_err(|source| log.io("list the directory of", source))?;
    let tails = names.iter().filter_map(|name| {
        let hash = name.strip_prefix(&prefix).filter(|hash| crate::head::hash(hash).is_some())?;
        (!log.named_tails.contains(hash)).then(|| (hash.to_owned(), directory.join(name)))
    });
    Ok(tails.collect())
}

fn read_from(file: &mut impl DiskFile, mut offset: u64) -> std::io::Result<Vec<u8>> {
    let (mut bytes, mut buffer) = (Vec::new(), vec![0; 64 * 1024]);
    loop {
        let count = file.read_at(offset, &mut buffer)?;
        if count == 0 {
            return Ok(bytes);
        }
        bytes.extend_from_slice(buffer.get(..count).unwrap_or_default());
        offset += count as u64;
    }
}
