//! A followed file that grows, shrinks, changes, or is replaced: the bytes that are read are those of the file, or the
//! change is reported. Their audit equals the audit of the whole file. A file that only grew is never reported.
//!
//! The input is a list of actions: those of a writer, and reads.

use std::fs::{self, OpenOptions};
use std::io::{Seek, SeekFrom, Write};

use camino::Utf8PathBuf;
use shipper_core::audit::{AuditOptions, Auditor, SidecarInput, audit_reader};

use crate::follow_file::{FollowedFile, Growth};

/// The file that was opened, and what the follower has read of it.
struct Model {
    content: Vec<u8>,
    /// True if the path still names the file.
    is_named: bool,
    read: Vec<u8>,
    auditor: Auditor,
}

impl Model {
    /// Returns true if the next bytes continue those that were read.
    fn continues(&self) -> bool {
        self.is_named && self.content.starts_with(&self.read)
    }

    /// Reads once, and returns true if there may be more.
    fn read(&mut self, file: &mut FollowedFile<'_>, buffer: &mut [u8]) -> Option<bool> {
        match file.read(buffer).expect("the file can be read") {
            Growth::Bytes(bytes) => {
                let expected = self.content.get(self.read.len()..).unwrap_or_default();
                assert!(!bytes.is_empty() && expected.starts_with(bytes), "bytes that are not in the file");
                self.read.extend_from_slice(bytes);
                self.auditor.feed(bytes);
                Some(true)
            }
            Growth::Paused => {
                assert!(self.is_named && self.content.len() == self.read.len(), "not at the end");
                Some(false)
            }
            Growth::Changed(change) => {
                assert!(!self.continues(), "{change}, but the file only grew");
                None
            }
        }
    }
}

pub fn check(bytes: &[u8]) {
    let Some((size, mut actions)) = bytes.split_first() else { return };
    let directory = tempfile::tempdir().expect("a directory");
    let path = Utf8PathBuf::try_from(directory.path().join("events.jsonl")).expect("UTF-8");
    fs::write(&path, "").expect("a file");
    let file = fs_err::File::open(&path).expect("the file");
    let mut file = FollowedFile::new(file, &path);
    let mut buffer = vec![0; usize::from(*size) * 97 + 1];
    let auditor = Auditor::new(AuditOptions::default(), SidecarInput::NotRequested).expect("no time");
    let mut model = Model { content: Vec::new(), is_named: true, read: Vec::new(), auditor };
    let writer = |is_named: bool, model: &mut Model, change: &dyn Fn(&mut Vec<u8>)| {
        // A writer changes the file that is at the path.
        let mut content =
            if is_named { std::mem::take(&mut model.content) } else { fs::read(&path).unwrap_or_default() };
        let before = content.clone();
        change(&mut content);
        let mut file = OpenOptions::new().write(true).create(true).truncate(false).open(&path).expect("the file");
        let common = before.iter().zip(&content).take_while(|(one, other)| one == other).count();
        file.set_len(content.len().min(before.len()) as u64).expect("truncated");
        file.seek(SeekFrom::Start(common as u64)).expect("a position");
        file.write_all(&content[common..]).expect("written");
        if is_named {
            model.content = content;
        }
    };
    while let Some(([action, count], rest)) = actions.split_first_chunk::<2>() {
        actions = rest;
        let (count, is_named) = (usize::from(*count), model.is_named);
        match action % 16 {
            0..=5 => {
                let (new, rest) = actions.split_at(count.min(actions.len()));
                actions = rest;
                // More than the follower compares at each read.
                let times = if *action >= 0xf0 { 40_000 / new.len().max(1) } else { 1 };
                writer(is_named, &mut model, &|content| content.extend_from_slice(&new.repeat(times)));
            }
            6..=8 => match model.read(&mut file, &mut buffer) {
                Some(_) => {}
                None => return,
            },
            9 => loop {
                match model.read(&mut file, &mut buffer) {
                    Some(true) => {}
                    Some(false) => break,
                    None => return,
                }
            },
            10 => writer(is_named, &mut model, &|content| content.truncate(content.len() * count / 256)),
            11 => writer(is_named, &mut model, &|content| {
                let at = content.len() * count / 256;
                if let Some(byte) = content.get_mut(at) {
                    *byte = byte.wrapping_add(action >> 4);
                }
            }),
            12 => {
                let other = directory.path().join("other");
                fs::write(&other, &model.content[..model.content.len() * count / 256]).expect("a file");
                fs::rename(&other, &path).expect("renamed");
                model.is_named = false;
            }
            13 => {
                let _ = fs::remove_file(&path);
                model.is_named = false;
            }
            _ => {
                let is_intact = file.is_intact().expect("the file can be read");
                assert_eq!(is_intact, model.content.starts_with(&model.read), "intact");
            }
        }
    }
    loop {
        match model.read(&mut file, &mut buffer) {
            Some(true) => {}
            Some(false) => break,
            None => return,
        }
    }
    // What every report follows.
    if file.is_intact().expect("the file can be read") {
        assert!(model.read == model.content, "other bytes than those of the file");
        let audit = model.auditor.finish().expect("no line is demanded");
        let whole = audit_reader(&model.content[..], SidecarInput::NotRequested, &AuditOptions::default());
        assert_eq!(audit, whole.expect("no line is demanded"));
    } else {
        assert!(!model.content.starts_with(&model.read), "the file only grew");
    }
}
