//! What is in a package: the `.crate` file that cargo makes, and registries keep.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};

use flate2::read::GzDecoder;
use tar::Archive;

/// How much a package may hold, unpacked, in bytes. Registries take far less.
const MOST: u64 = 1 << 30;

/// The files of a package, by their paths in it.
pub(super) type Files = BTreeMap<String, File>;

/// A file of a package.
#[derive(Debug, Clone)]
pub(super) struct File {
    pub(super) bytes: Vec<u8>,
    /// Whether it may be run, as the scripts of a build are.
    pub(super) may_be_run: bool,
}

/// The manifest as cargo makes it for a package, and the one that it was made of.
pub(super) const MANIFEST: &str = "Cargo.toml";
pub(super) const ORIGINAL: &str = "Cargo.toml.orig";
pub(super) const LOCK: &str = "Cargo.lock";

/// What cargo adds to a package that is not its content: the commit, and versions of dependencies as they were resolved
/// when it was packed. The same package may be resolved in another way when it is packed for another registry, or later.
const ADDED: [&str; 2] = [".cargo_vcs_info.json", LOCK];

/// Reads a `.crate` file, in memory.
pub(super) fn unpack(bytes: impl Read) -> io::Result<Files> {
    let mut archive = Archive::new(GzDecoder::new(bytes).take(MOST));
    let mut files = Files::new();
    for entry in archive.entries()? {
        let mut entry = entry?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let path = entry.path()?.into_owned();
        let path = path.to_str().ok_or_else(|| io::Error::other("a path in the package is not UTF-8"))?;
        // The first part names the package.
        let path = path.split_once('/').map_or(path, |(_, path)| path).to_owned();
        if path.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Err(io::Error::other("a path in the package leads out of it"));
        }
        let may_be_run = entry.header().mode()? & 0o100 != 0;
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes)?;
        files.insert(path, File { bytes, may_be_run });
    }
    if files.is_empty() { Err(io::Error::other("the package is empty")) } else { Ok(files) }
}

/// The files that are a package's content.
pub(super) fn content(files: &Files) -> impl Iterator<Item = (&str, &File)> {
    files.iter().map(|(path, file)| (path.as_str(), file)).filter(|(path, _)| !ADDED.contains(path))
}

/// Whether two packages have the same content, but for their manifests.
pub(super) fn have_same_files(one: &Files, other: &Files) -> bool {
    let files = |files| content(files).filter(|(path, _)| !matches!(*path, MANIFEST | ORIGINAL));
    files(one).map(|(path, file)| (path, &file.bytes)).eq(files(other).map(|(path, file)| (path, &file.bytes)))
}

/// Whether two packages have manifests that say the same: versions of cargo write them differently.
pub(super) fn have_same_manifest(one: &Files, other: &Files) -> bool {
    let says = |files| toml_edit::de::from_slice::<serde_json::Value>(bytes(files, MANIFEST)?).ok();
    bytes(one, MANIFEST) == bytes(other, MANIFEST) || says(one).is_some_and(|one| Some(one) == says(other))
}

/// The first path at which two packages differ, safe to show.
pub(super) fn first_difference(one: &Files, other: &Files) -> Option<String> {
    let paths: BTreeSet<&str> = content(one).chain(content(other)).map(|(path, _)| path).collect();
    let differs = paths.into_iter().find(|path| bytes(one, path) != bytes(other, path))?;
    Some(shipper_events::display_safe(differs).max_chars(200).to_string())
}

/// What is in a file of a package.
pub(super) fn bytes<'f>(files: &'f Files, path: &str) -> Option<&'f [u8]> {
    files.get(path).map(|file| file.bytes.as_slice())
}
