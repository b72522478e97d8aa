//! Files and directories by path, and the disk that has them.

use std::collections::BTreeMap;
use std::path::Path;

use camino::{Utf8Path, Utf8PathBuf};

use crate::disk::{CrashStates, Disk};

/// The files of a directory and of those below it, by relative path. A directory has no content.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tree(pub BTreeMap<Utf8PathBuf, Option<Vec<u8>>>);

impl Tree {
    /// Reads a directory, and places its content at `root` in the tree. An empty directory gives an empty tree.
    pub fn read(directory: &Path, root: &str) -> Self {
        let mut tree = Self::default();
        tree.add(directory, Utf8Path::new(root));
        tree
    }

    fn add(&mut self, directory: &Path, at: &Utf8Path) {
        for entry in std::fs::read_dir(directory).expect("a directory") {
            let entry = entry.expect("an entry");
            let path = at.join(entry.file_name().to_str().expect("UTF-8"));
            self.0.insert(at.to_owned(), None);
            if entry.file_type().expect("a type").is_dir() {
                self.0.insert(path.clone(), None);
                self.add(&entry.path(), &path);
            } else {
                self.0.insert(path, Some(std::fs::read(entry.path()).expect("a file")));
            }
        }
    }

    /// Writes the tree below a directory.
    pub fn write(&self, directory: &Path) {
        // A directory precedes its files.
        for (path, content) in &self.0 {
            let path = directory.join(path);
            match content {
                None => std::fs::create_dir(path).expect("a new directory"),
                Some(content) => std::fs::write(path, content).expect("a new file"),
            }
        }
    }

    /// The content of a file.
    pub fn file(&self, path: &str) -> Option<&[u8]> {
        self.0.get(Utf8Path::new(path))?.as_deref()
    }
}

/// A disk and its directories.
#[derive(Debug, Clone)]
pub struct Volume {
    pub(super) disk: Disk,
    /// True for each file of the disk that is a directory.
    pub(super) is_directory: Vec<bool>,
}

impl From<&Tree> for Volume {
    /// A volume on which this tree is durable.
    fn from(tree: &Tree) -> Self {
        let files = tree.0.iter().map(|(path, content)| (path.clone(), content.clone().unwrap_or_default()));
        Self { disk: Disk::with(files), is_directory: tree.0.values().map(Option::is_none).collect() }
    }
}

impl Volume {
    /// Returns the trees that may be left after a power cut. Of the files that `is_whole` names, all changes are left or
    /// none: their bytes are not cut, which would multiply the trees.
    pub fn survivors(&self, is_whole: impl Fn(&Utf8Path) -> bool) -> Survivors<'_> {
        let states = [false, true].map(|left| {
            let mut disk = self.disk.clone();
            disk.settle(&is_whole, left);
            disk.after_crash()
        });
        Survivors { volume: self, states }
    }

    /// Returns the tree that is left after a power cut if no unsynced change is.
    pub fn forgotten(&self) -> Tree {
        self.tree(&self.disk.forgotten())
    }

    /// Returns the tree as the running system sees it.
    pub fn live(&self) -> Tree {
        self.tree(&self.disk)
    }

    /// Returns the files of a disk whose directories exist.
    fn tree(&self, disk: &Disk) -> Tree {
        let mut tree = Tree::default();
        // A directory precedes its files.
        for (path, file) in disk.names() {
            let parent = path.parent().unwrap_or(Utf8Path::new(""));
            if parent.as_str().is_empty() || tree.0.get(parent).is_some_and(Option::is_none) {
                let content = (!self.is_directory[file]).then(|| disk.content(file));
                tree.0.insert(path, content);
            }
        }
        tree
    }
}

/// The trees that may be left after a power cut. Some may be equal.
pub struct Survivors<'a> {
    volume: &'a Volume,
    /// Without and with the changes of the files that are left as a whole.
    states: [CrashStates; 2],
}

impl Survivors<'_> {
    /// The number of trees.
    pub fn count(&self) -> usize {
        self.states.iter().map(CrashStates::count).sum()
    }

    /// Returns a tree by its position. The last one has all unsynced changes.
    pub fn nth(&self, position: usize) -> Tree {
        let [without, with] = &self.states;
        let disk = match position.checked_sub(without.count()) {
            None => without.nth(position),
            Some(position) => with.nth(position),
        };
        self.volume.tree(&disk)
    }
}
