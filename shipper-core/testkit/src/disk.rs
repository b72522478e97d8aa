//! State of a disk that distinguishes live from durable content and names, and lists every legal state after a crash: the
//! bytes that were not synced are cut at every byte, and the names that were not synced are lost in any combination.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};

/// The files of a disk, and their names. A file is the position of its creation; it remains when its last name is removed.
#[derive(Debug, Clone, Default)]
pub struct Disk {
    files: Vec<DiskFile>,
    durable_names: BTreeMap<Utf8PathBuf, usize>,
    unsynced_names: Vec<NameChange>,
}

#[derive(Debug, Clone, Default)]
struct DiskFile {
    durable: Vec<u8>,
    /// The changes since the last sync, in order.
    unsynced: Vec<FileChange>,
}

#[derive(Debug, Clone)]
enum FileChange {
    Write { offset: usize, bytes: Vec<u8> },
    Truncate(usize),
}

impl FileChange {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Write { offset, bytes } => write_at(content, *offset, bytes),
            Self::Truncate(length) => content.resize(*length, 0),
        }
    }
}

/// Keeps the last of equal values.
fn without_repetition<T: Clone + Ord>(values: Vec<T>) -> Vec<T> {
    let mut seen = BTreeSet::new();
    let mut kept: Vec<T> = values.into_iter().rev().filter(|value| seen.insert(value.clone())).collect();
    kept.reverse();
    kept
}

/// Writes bytes at an offset. Bytes between the end and the offset are zero.
fn write_at(content: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset + bytes.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    content[offset..end].copy_from_slice(bytes);
}

impl DiskFile {
    fn durable(content: Vec<u8>) -> Self {
        Self { durable: content, unsynced: Vec::new() }
    }

    fn live(&self) -> Vec<u8> {
        let mut content = self.durable.clone();
        for change in &self.unsynced {
            change.apply(&mut content);
        }
        content
    }

    /// Returns every possible content after a crash: the changes up to one of them, of which a write may be cut. The first
    /// is the durable content, the last the live one.
    fn after_crash(&self) -> Vec<Vec<u8>> {
        let mut contents = vec![self.durable.clone()];
        let mut content = self.durable.clone();
        for change in &self.unsynced {
            if let FileChange::Write { offset, bytes } = change {
                contents.extend((1..bytes.len()).map(|cut| {
                    let mut content = content.clone();
                    write_at(&mut content, *offset, &bytes[..cut]);
                    content
                }));
            }
            change.apply(&mut content);
            contents.push(content.clone());
        }
        without_repetition(contents)
    }

    /// Returns whether the file may have this content after a crash.
    fn may_have(&self, wanted: &[u8]) -> bool {
        let mut content = self.durable.clone();
        let mut found = content == wanted;
        for change in &self.unsynced {
            if let FileChange::Write { offset, bytes } = change {
                found |= (0..bytes.len()).any(|cut| {
                    let end = (offset + cut).max(content.len());
                    end == wanted.len() && {
                        let mut content = content.clone();
                        write_at(&mut content, *offset, &bytes[..cut]);
                        content == wanted
                    }
                });
            }
            change.apply(&mut content);
            found |= content == wanted;
        }
        found
    }
}

/// A change of names that was not synced.
#[derive(Debug, Clone)]
enum NameChange {
    Set(Utf8PathBuf, usize),
    Remove(Utf8PathBuf),
    Rename(Utf8PathBuf, Utf8PathBuf),
}

impl NameChange {
    fn apply(&self, names: &mut BTreeMap<Utf8PathBuf, usize>) {
        match self {
            Self::Set(path, file) => {
                names.insert(path.clone(), *file);
            }
            Self::Remove(path) => {
                names.remove(path);
            }
            Self::Rename(from, to) => {
                if let Some(file) = names.remove(from) {
                    names.insert(to.clone(), file);
                }
            }
        }
    }

    /// The new name, or the removed one. A rename is within a directory.
    fn path(&self) -> &Utf8Path {
        match self {
            Self::Set(path, _) | Self::Remove(path) | Self::Rename(_, path) => path,
        }
    }
}

impl Disk {
    /// A disk with these durable files.
    pub fn with(files: impl IntoIterator<Item = (Utf8PathBuf, Vec<u8>)>) -> Self {
        let mut disk = Self::default();
        for (path, content) in files {
            disk.durable_names.insert(path, disk.files.len());
            disk.files.push(DiskFile::durable(content));
        }
        disk
    }

    /// Returns the file that the running system finds at a path.
    pub fn file(&self, path: &Utf8Path) -> Option<usize> {
        if self.unsynced_names.is_empty() {
            return self.durable_names.get(path).copied();
        }
        self.names().get(path).copied()
    }

    /// The names that the running system sees.
    pub fn names(&self) -> BTreeMap<Utf8PathBuf, usize> {
        let mut names = self.durable_names.clone();
        for change in &self.unsynced_names {
            change.apply(&mut names);
        }
        names
    }

    /// The content of a file as the running system sees it.
    pub fn content(&self, file: usize) -> Vec<u8> {
        self.files[file].live()
    }

    /// Creates an empty file.
    pub fn create(&mut self, path: &Utf8Path) -> usize {
        let file = self.files.len();
        self.files.push(DiskFile::default());
        self.link(file, path);
        file
    }

    /// Gives a file another name.
    pub fn link(&mut self, file: usize, path: &Utf8Path) {
        self.unsynced_names.push(NameChange::Set(path.to_owned(), file));
    }

    pub fn rename(&mut self, from: &Utf8Path, to: &Utf8Path) {
        self.unsynced_names.push(NameChange::Rename(from.to_owned(), to.to_owned()));
    }

    pub fn remove(&mut self, path: &Utf8Path) {
        self.unsynced_names.push(NameChange::Remove(path.to_owned()));
    }

    pub fn write(&mut self, file: usize, offset: usize, bytes: &[u8]) {
        self.files[file].unsynced.push(FileChange::Write { offset, bytes: bytes.to_vec() });
    }

    pub fn append(&mut self, file: usize, bytes: &[u8]) {
        self.write(file, self.content(file).len(), bytes);
    }

    /// Cuts a file off at a length, or extends it with zeros.
    pub fn truncate(&mut self, file: usize, length: usize) {
        self.files[file].unsynced.push(FileChange::Truncate(length));
    }

    /// Makes the content of a file durable.
    pub fn sync(&mut self, file: usize) {
        self.files[file] = DiskFile::durable(self.content(file));
    }

    /// Makes the names in a directory durable, but not those in the directories below it.
    pub fn sync_directory(&mut self, directory: &Utf8Path) {
        let directory = if directory == "." { Utf8Path::new("") } else { directory };
        self.sync_names(|path| path.parent() == Some(directory));
    }

    fn sync_names(&mut self, is_synced: impl Fn(&Utf8Path) -> bool) {
        let changes = std::mem::take(&mut self.unsynced_names);
        for change in changes {
            if is_synced(change.path()) {
                change.apply(&mut self.durable_names);
            } else {
                self.unsynced_names.push(change);
            }
        }
    }

    /// Returns the disk after a crash at this moment that leaves no unsynced change.
    pub fn forgotten(&self) -> Self {
        let files = self.files.iter().map(|file| DiskFile::durable(file.durable.clone())).collect();
        Self { files, durable_names: self.durable_names.clone(), unsynced_names: Vec::new() }
    }

    /// Decides what a crash leaves of these files: every unsynced change, or none.
    pub fn settle(&mut self, is_settled: impl Fn(&Utf8Path) -> bool, left: bool) {
        for (path, file) in self.names() {
            if is_settled(&path) {
                let content = if left { self.content(file) } else { std::mem::take(&mut self.files[file].durable) };
                self.files[file] = DiskFile::durable(content);
            }
        }
        if left {
            self.sync_names(is_settled);
        } else {
            self.unsynced_names.retain(|change| !is_settled(change.path()));
        }
    }

    /// Returns every possible state of the disk after a crash at this moment. Each unsynced name is lost or not, and
    /// unsynced bytes are cut anywhere, independently of each other.
    pub fn after_crash(&self) -> CrashStates {
        let naming = (0..1_usize << self.unsynced_names.len()).map(|kept| {
            let mut names = self.durable_names.clone();
            for (position, change) in self.unsynced_names.iter().enumerate() {
                if kept >> position & 1 == 1 {
                    change.apply(&mut names);
                }
            }
            names
        });
        CrashStates {
            naming: without_repetition(naming.collect()),
            contents: self.files.iter().map(DiskFile::after_crash).collect(),
        }
    }

    /// Returns the state of the disk after a crash at this moment, with this content of one file; `None` if that is not
    /// possible. All changes of other files are on the disk.
    pub fn after_crash_with(&self, path: &Utf8Path, content: Vec<u8>) -> Option<Self> {
        let names = self.names();
        let changed = *names.get(path)?;
        if !self.files[changed].may_have(&content) {
            return None;
        }
        let mut files: Vec<DiskFile> = self.files.iter().map(|file| DiskFile::durable(file.live())).collect();
        files[changed].durable = content;
        Some(Self { files, durable_names: names, unsynced_names: Vec::new() })
    }
}

/// The possible states of a disk after a crash.
pub struct CrashStates {
    naming: Vec<BTreeMap<Utf8PathBuf, usize>>,
    /// The possible contents of each file.
    contents: Vec<Vec<Vec<u8>>>,
}

impl CrashStates {
    /// The number of states.
    pub fn count(&self) -> usize {
        self.contents.iter().map(Vec::len).product::<usize>() * self.naming.len()
    }

    /// Returns a state by its position. The last one has all unsynced changes.
    pub fn nth(&self, position: usize) -> Disk {
        let mut rest = position;
        let mut chosen = |count| {
            let digit = rest % count;
            rest /= count;
            digit
        };
        let mut files: Vec<DiskFile> = Vec::new();
        for contents in self.contents.iter().rev() {
            files.push(DiskFile::durable(contents[chosen(contents.len())].clone()));
        }
        files.reverse();
        Disk { files, durable_names: self.naming[chosen(self.naming.len())].clone(), unsynced_names: Vec::new() }
    }
}
