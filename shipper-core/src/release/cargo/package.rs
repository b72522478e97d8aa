//! What is in a package: the `.crate` file that cargo makes, and registries keep.

use std::collections::BTreeMap;
use std::io::{self, Read};

use flate2::read::GzDecoder;
use tar::Archive;

/// How much a package may hold, unpacked, in bytes. Registries take far less.
const MOST: u64 = 1 << 30;

/// The files of a package, by their paths in it.
pub(super) type Files = BTreeMap<String, Vec<u8>>;

/// What cargo adds to a package that is not its content: the commit, and versions of dependencies as they were resolved
/// when it was packed.
const ADDED: [&str; 2] = [".cargo_vcs_info.json", "Cargo.lock"];

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
        let mut content = Vec::new();
        entry.read_to_end(&mut content)?;
        files.insert(path, content);
    }
    if files.is_empty() { Err(io::Error::other("the package is empty")) } else { Ok(files) }
}

/// The files that are a package's content.
pub(super) fn content(files: &Files) -> impl Iterator<Item = (&str, &[u8])> {
    files.iter().map(|(path, content)| (path.as_str(), content.as_slice())).filter(|(path, _)| !ADDED.contains(path))
}

/// Whether two packages have the same content. Manifests are compared by what they say, since versions of cargo write them
/// differently.
pub(super) fn is_same(one: &Files, other: &Files) -> bool {
    let paths = |files: &Files| -> Vec<String> {
        content(files).map(|(path, _)| path.to_owned()).filter(|path| path != "Cargo.toml.orig").collect()
    };
    paths(one) == paths(other)
        && paths(one).iter().all(|path| match (one.get(path), other.get(path)) {
            (Some(one), Some(other)) if path == "Cargo.toml" => {
                one == other || says(one).is_some_and(|one| Some(one) == says(other))
            }
            (one, other) => one == other,
        })
}

fn says(manifest: &[u8]) -> Option<serde_json::Value> {
    toml_edit::de::from_slice(manifest).ok()
}
