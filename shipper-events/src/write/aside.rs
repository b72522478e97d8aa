//! Moving a log aside that can no longer be written, and continuing it by a new one.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};

use super::disk::{Disk, DiskFile, write_new};
use super::error::{AppendError, ContinueError, LogError};
use super::repair;
use super::writer::{BUFFER, LogWriter, Observer, Options, directory, lock, name, resolve, stamp, unsynced};
use crate::block::{Blocks, Fill};
use crate::event::Event;
use crate::follow::Follower;
use crate::link::Link;
use crate::value::Others;
use crate::vocabulary::{EventType, LogContinued};

/// Moves a log that can no longer be written aside, whole, and continues it by a new one whose first line names its
/// head. Gives where the old log is now, and a writer of the new one, whose fold starts empty: rehearse again.
///
/// # Errors
///
/// When a step fails; the error says whether the log stands where it stood or aside.
pub fn continue_log<O: Observer, D: Disk>(
    disk: D,
    path: &Utf8Path,
    options: Options,
    observer: O,
) -> Result<(Utf8PathBuf, LogWriter<O, D>), ContinueError> {
    let given = path;
    let failed = |aside: Option<&Utf8PathBuf>, source: AppendError| ContinueError {
        path: given.to_owned(),
        aside: aside.cloned(),
        source: Box::new(source),
    };
    let path = &resolve(&disk, path).map_err(|source| failed(None, source.into()))?;
    let aside = move_aside(&disk, path, &options).map_err(|source| failed(None, source))?;
    let opened = LogWriter::open(disk, path, options, observer);
    let opened = opened.map_err(|source| failed(Some(&aside), source.into()))?;
    Ok((aside, opened))
}

fn move_aside<D: Disk>(disk: &D, path: &Utf8Path, options: &Options) -> Result<Utf8PathBuf, AppendError> {
    let io = |what| move |source| LogError::Io { what, path: path.to_owned(), source };
    let _lock = lock(disk, path, options)?;
    let mut old = disk.open(path).map_err(io("open"))?;
    // Whatever is wrong with the old log, its lines are what the new one names: nothing is read in them.
    let (mut follower, mut blocks, mut buffer, mut offset) = (Follower::new(), Blocks::default(), Vec::new(), 0);
    let mut read = |buffer: &mut [u8]| {
        let count = old.read_at(offset, buffer)?;
        offset += count as u64;
        Ok(count)
    };
    while let Some(block) = blocks.next(&mut read, buffer, BUFFER, Fill::Whole).map_err(io("read"))? {
        match block.long {
            Some(ends_line) => follower.take_long(block.bytes(), ends_line),
            None => follower.pass(block.bytes()),
        }
        buffer = block.buffer;
    }
    let head = follower.head();
    let event = Event {
        link: Some(Link::after(0, &[])),
        timestamp: stamp(disk.now()),
        event_type: EventType::LogContinued(LogContinued {
            lines: head.lines.into(),
            bytes: head.bytes.into(),
            blake3: head.blake3.to_string(),
            others: Others::default(),
        }),
        package: "all".to_owned(),
        others: Others::default(),
    };
    // The new log is whole and durable before it takes the old one's name, and the old one has its second name before
    // it loses the first: at every instant the path names a log.
    let new = path.with_file_name(format!("{}.new-{}", name(path), disk.random_name()));
    write_new(disk, &new, format!("{event}\n").as_bytes()).map_err(io("write the new log beside"))?;
    let short: String = head.blake3.to_string().chars().take(16).collect();
    let aside = path.with_file_name(format!("{}.aside-{short}-{}", name(path), disk.random_name()));
    let swapped = disk
        .link(path, &aside)
        .and_then(|()| disk.sync_directory(directory(path)))
        .and_then(|()| disk.rename(&new, path));
    if let Err(error) = swapped {
        // It would only be litter.
        let _ = disk.remove(&new);
        return Err(io("move aside")(error).into());
    }
    // What is marked of the old log is no matter of the new one.
    for marker in [repair::marker(path), unsynced(path)] {
        match disk.remove(&marker) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(io("remove the marker beside")(error).into());
            }
            _ => {}
        }
    }
    disk.sync_directory(directory(path)).map_err(io("sync the directory of"))?;
    Ok(aside)
}
