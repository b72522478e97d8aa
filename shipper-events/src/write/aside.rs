//! Moving a log aside that can no longer be written, and continuing it by a new one.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};

use super::disk::{Storage, StorageFile, write_new};
use super::error::{AppendError, LogError, RotateError};
use super::repair;
use super::writer::{BUFFER, LogWriter, Projection, WriterOptions, directory, lock, name, resolve, stamp, unsynced};
use crate::block::{Blocks, Fill};
use crate::event::Event;
use crate::follow::Follower;
use crate::head::Head;
use crate::link::ChainLink;
use crate::value::ExtraMembers;
use crate::vocabulary::{EventType, LogContinued};

/// Moves a log that can no longer be written aside, whole, and continues it by a new one whose first line names its
/// head. Gives where the old log is now, and a writer of the new one, whose fold starts empty: rehearse again.
///
/// # Errors
///
/// When a step fails; the error says whether the log stands where it stood or aside.
pub fn rotate_log<O: Projection, D: Storage>(
    disk: D,
    path: &Utf8Path,
    options: WriterOptions,
    observer: O,
) -> Result<(Utf8PathBuf, LogWriter<O, D>), RotateError> {
    let given = path;
    let failed = |aside: Option<&Utf8PathBuf>, source: AppendError| RotateError {
        path: given.to_owned(),
        aside: aside.cloned(),
        source: Box::new(source),
    };
    let path = &resolve(&disk, path).map_err(|source| failed(None, source.into()))?;
    let locked = lock(&disk, path, &options).map_err(|source| failed(None, source.into()))?;
    let aside = move_aside(&disk, path).map_err(|source| failed(None, source))?;
    let left = leave_behind(&disk, path, &aside);
    left.map_err(|(what, source)| failed(Some(&aside), LogError::Io { what, path: path.to_owned(), source }.into()))?;
    drop(locked);
    let opened = LogWriter::open(disk, path, options, observer);
    let opened = opened.map_err(|source| failed(Some(&aside), source.into()))?;
    Ok((aside, opened))
}

/// Puts a new log in the place of the old one, and gives where that is now.
fn move_aside<D: Storage>(disk: &D, path: &Utf8Path) -> Result<Utf8PathBuf, AppendError> {
    let io = |what| move |source| LogError::Io { what, path: path.to_owned(), source };
    let mut old = disk.open(path).map_err(io("open"))?;
    let (head, length) = head_of(&mut old).map_err(io("read"))?;
    let event = Event {
        link: Some(ChainLink::after(0, &[])),
        timestamp: stamp(disk.now()),
        event_type: EventType::LogContinued(LogContinued {
            lines: head.lines.into(),
            bytes: head.bytes.into(),
            blake3: head.blake3.to_string(),
            others: ExtraMembers::default(),
        }),
        package: "all".to_owned(),
        others: ExtraMembers::default(),
    };
    // The new log is whole and durable before it takes the old one's name, and the old one has its second name before
    // it loses the first: at every instant the path names a log.
    let new = path.with_file_name(format!("{}.new-{}", name(path), disk.random_name()));
    write_new(disk, &new, format!("{event}\n").as_bytes()).map_err(io("write the new log beside"))?;
    let short: String = head.blake3.to_string().chars().take(16).collect();
    let aside = path.with_file_name(format!("{}.aside-{short}-{}", name(path), disk.random_name()));
    let swap = || {
        // A tool that takes no lock may have gone on writing: the head that the new log names would not be the last one.
        if disk.named_length(path, &old).map_err(io("look up"))? != Some(length) {
            return Err(LogError::ConcurrentWriter { path: path.to_owned() });
        }
        let linked = disk.link(path, &aside).and_then(|()| disk.sync_directory(directory(path)));
        linked.and_then(|()| disk.rename(&new, path)).map_err(io("move aside"))
    };
    swap().inspect_err(|_| {
        // It would only be litter.
        let _ = disk.remove(&new);
    })?;
    Ok(aside)
}

/// The head of a log, and its length. Whatever is wrong with it, its lines are what the new log names: nothing is read in
/// them.
fn head_of(old: &mut impl StorageFile) -> io::Result<(Head, u64)> {
    let (mut follower, mut blocks, mut buffer, mut offset) = (Follower::new(), Blocks::default(), Vec::new(), 0);
    let mut read = |buffer: &mut [u8]| {
        let count = old.read_at(offset, buffer)?;
        offset += count as u64;
        Ok(count)
    };
    while let Some(block) = blocks.next(&mut read, buffer, BUFFER, Fill::Whole)? {
        match block.long {
            Some(ends_line) => follower.take_long(block.bytes(), ends_line),
            None => follower.pass(block.bytes()),
        }
        buffer = block.buffer;
    }
    Ok((follower.head(), offset))
}

/// Leaves what is beside the old log to it: what is marked of it, and tails that were cut off it, are no matter of the new
/// one.
fn leave_behind<D: Storage>(disk: &D, path: &Utf8Path, aside: &Utf8Path) -> Result<(), (&'static str, io::Error)> {
    for marker in [repair::marker(path), unsynced(path)] {
        match disk.remove(&marker) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(("remove the marker beside", error)),
            _ => {}
        }
    }
    let saved = repair::saved_tails(disk, path).map_err(|error| ("list the directory of", error))?;
    for (hash, tail) in saved {
        let beside_old = aside.with_file_name(format!("{}.torn-{hash}", name(aside)));
        disk.rename(&tail, &beside_old).map_err(|error| ("move a saved tail beside", error))?;
    }
    disk.sync_directory(directory(path)).map_err(|error| ("sync the directory of", error))
}
