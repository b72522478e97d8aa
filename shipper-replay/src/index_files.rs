//! The files of a registry's index that `--index` names.

use std::io::{self, Read};
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err::File;
use shipper_core::registry_index::{IndexError, RegistryIndex};
use shipper_events::{MAX_LINE_LEN, display_safe};
use thiserror::Error;
use walkdir::{DirEntry, WalkDir};

use crate::inputs::NOT_UTF8;
use crate::statement::FileDigest;

/// Most bytes of all files.
const MAX_TOTAL_LEN: u64 = 1024 * 1024 * 1024;

/// The file in the root of an index that describes the registry.
const CONFIG: &str = "config.json";

/// The error for an index that cannot be used.
#[derive(Debug, Error)]
pub(crate) enum IndexFilesError {
    #[error("cannot read the index {}", display_safe(path).quoted())]
    Read { path: String, source: io::Error },
    #[error("{} is not a file of a sparse index", display_safe(path).quoted())]
    Invalid { path: String, source: IndexError },
    #[error("the files of the index are longer than 1 GiB together")]
    TooLong,
}

/// The part of an index's files that is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    Nothing,
    /// For a statement.
    Digests,
    /// For a bundle, with the digests for its statement.
    Contents,
}

/// An index, and what a statement or a bundle needs of its files.
#[derive(Debug, Default)]
pub(crate) struct IndexFiles {
    pub(crate) index: Arc<RegistryIndex>,
    pub(crate) digests: Vec<FileDigest>,
    pub(crate) contents: Vec<Vec<u8>>,
    count: usize,
}

impl IndexFiles {
    /// Reads the files at the paths; `None` without paths.
    ///
    /// # Errors
    ///
    /// [`IndexFilesError`] for a path that cannot be read, and for a file that is not one of a sparse index.
    pub(crate) fn read(paths: &[Utf8PathBuf], keep: Keep) -> Result<Option<Self>, IndexFilesError> {
        let (mut files, mut total) = (Self::default(), 0);
        for path in paths {
            for file in files_at(path)? {
                let bytes = read_file(&file).map_err(|source| read_error(file.as_str(), source))?;
                total += bytes.len() as u64;
                if total > MAX_TOTAL_LEN {
                    return Err(IndexFilesError::TooLong);
                }
                let added = files.add(file.as_str(), bytes, keep);
                added.map_err(|source| IndexFilesError::Invalid { path: file.to_string(), source })?;
            }
        }
        Ok((!paths.is_empty()).then_some(files))
    }

    /// Adds a file.
    ///
    /// # Errors
    ///
    /// [`IndexError`] for a file that is not one of a sparse index.
    pub(crate) fn add(&mut self, path: &str, bytes: Vec<u8>, keep: Keep) -> Result<(), IndexError> {
        Arc::make_mut(&mut self.index).add_file(path, &bytes)?;
        self.count += 1;
        self.digests.extend((keep != Keep::Nothing).then(|| FileDigest::of(path, &bytes)));
        self.contents.extend((keep == Keep::Contents).then_some(bytes));
        Ok(())
    }

    /// Returns whether no file was added.
    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }
}

fn read_error(path: &str, source: io::Error) -> IndexFilesError {
    IndexFilesError::Read { path: path.to_owned(), source }
}

/// Returns a file, or the files below a directory, sorted by name. Links, hidden files and directories, and
/// `config.json` are left out.
fn files_at(path: &Utf8Path) -> Result<Vec<Utf8PathBuf>, IndexFilesError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let is_visible = |entry: &DirEntry| entry.depth() == 0 || !entry.file_name().as_encoded_bytes().starts_with(b".");
    let mut files = Vec::new();
    for entry in WalkDir::new(path).sort_by_file_name().into_iter().filter_entry(is_visible) {
        let entry = entry.map_err(|error| read_error(path.as_str(), error.into()))?;
        if entry.file_type().is_file() && entry.file_name() != CONFIG {
            let utf8 = Utf8Path::from_path(entry.path()).map(ToOwned::to_owned);
            let not_utf8 = || read_error(&entry.path().to_string_lossy(), io::Error::other(NOT_UTF8));
            files.push(utf8.ok_or_else(not_utf8)?);
        }
    }
    Ok(files)
}

/// Reads a file, up to one byte more than its maximum length.
fn read_file(path: &Utf8Path) -> io::Result<Vec<u8>> {
    // Opening a named pipe would block.
    if !path.metadata()?.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_LINE_LEN as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
