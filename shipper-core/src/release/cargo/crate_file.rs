//! The files of a `.crate` file, which cargo makes and registries contain.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};

use flate2::read::GzDecoder;
use tar::{Archive, EntryType};

/// The greatest size of an unpacked package, in bytes. Registries accept far less.
const MAX_UNPACKED_LEN: u64 = 1 << 30;

/// The files of a package by their paths in it.
pub(super) type CrateFiles = BTreeMap<String, CrateFile>;

/// A file of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CrateFile {
    pub(super) bytes: Vec<u8>,
    /// `true` for an executable file, such as a script of the build.
    pub(super) executable: bool,
}

/// The manifest as cargo normalizes it for a package.
pub(super) const MANIFEST: &str = "Cargo.toml";
/// The manifest before that.
pub(super) const ORIGINAL_MANIFEST: &str = "Cargo.toml.orig";
pub(super) const LOCK_FILE: &str = "Cargo.lock";
/// The commit of the package, with a mark for uncommitted files.
pub(super) const VCS_FILE: &str = ".cargo_vcs_info.json";

/// Files that cargo adds to a package: the commit, and the resolved dependencies, which may differ for another registry or
/// at another time.
const GENERATED_FILES: [&str; 2] = [VCS_FILE, LOCK_FILE];

/// Reads a `.crate` file in memory.
///
/// # Errors
///
/// An error if the file is damaged or too large, or if it contains an entry that cargo does not write: a link, a special
/// file, two files of one path, or a file outside its directory. Cargo would unpack these, also in place of other files.
pub(super) fn unpack(bytes: impl Read) -> io::Result<CrateFiles> {
    unpack_at_most(bytes, MAX_UNPACKED_LEN)
}

fn unpack_at_most(bytes: impl Read, limit: u64) -> io::Result<CrateFiles> {
    let mut archive = Archive::new(GzDecoder::new(bytes).take(limit));
    let mut files = CrateFiles::new();
    let mut directory = None;
    for entry in archive.entries()? {
        let mut entry = entry?;
        match entry.header().entry_type() {
            EntryType::Regular => {}
            EntryType::Directory | EntryType::XGlobalHeader => continue,
            _ => return Err(invalid("a link or a special file")),
        }
        let bytes = entry.path_bytes().into_owned();
        let path = std::str::from_utf8(&bytes).map_err(|_| invalid("a path that is not UTF-8"))?;
        let (first, path) = path.split_once('/').ok_or_else(|| invalid("a file outside its directory"))?;
        if *directory.get_or_insert_with(|| first.to_owned()) != first {
            return Err(invalid("files in two directories"));
        }
        if path.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Err(invalid("a path with an empty, `.` or `..` part"));
        }
        let executable = entry.header().mode()? & 0o100 != 0;
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes)?;
        if files.insert(path.to_owned(), CrateFile { bytes, executable }).is_some() {
            return Err(invalid(&format!("two entries for {}", shown(path))));
        }
    }
    if archive.into_inner().limit() == 0 {
        return Err(io::Error::other(format!("the unpacked package has {limit} bytes or more")));
    }
    if files.is_empty() { Err(io::Error::other("the package is empty")) } else { Ok(files) }
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the package contains {what}"))
}

/// Returns the files that cargo did not generate.
pub(super) fn source_files(files: &CrateFiles) -> impl Iterator<Item = (&str, &CrateFile)> {
    files.iter().map(|(path, file)| (path.as_str(), file)).filter(|(path, _)| !GENERATED_FILES.contains(path))
}

/// Returns `true` if two packages have the same content except for their manifests.
pub(super) fn have_same_files(one: &CrateFiles, other: &CrateFiles) -> bool {
    let files = |files| source_files(files).filter(|(path, _)| !matches!(*path, MANIFEST | ORIGINAL_MANIFEST));
    files(one).eq(files(other))
}

/// Returns the first path at which two packages differ, safe to show.
pub(super) fn first_difference(one: &CrateFiles, other: &CrateFiles) -> Option<String> {
    let paths: BTreeSet<&str> = source_files(one).chain(source_files(other)).map(|(path, _)| path).collect();
    paths.into_iter().find(|path| one.get(*path) != other.get(*path)).map(shown)
}

/// Returns a path, safe to show.
fn shown(path: &str) -> String {
    shipper_events::display_safe(path).max_chars(200).to_string()
}

/// Returns the content of a file.
pub(super) fn bytes<'f>(files: &'f CrateFiles, path: &str) -> Option<&'f [u8]> {
    files.get(path).map(|file| file.bytes.as_slice())
}

#[cfg(test)]
#[path = "../../../tests/unit/crate_file.rs"]
mod tests;
