//! A package from a registry: what the release engine compares is what cargo would unpack and build. No bytes make it
//! panic.
//!
//! The first byte selects one of two kinds of input: the bytes of a `.crate` file, or a tar archive that the target
//! compresses. No fuzzer finds the checksums of tar headers, so the target corrects them.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use tar::Archive;
use walkdir::WalkDir;

#[allow(dead_code, reason = "the release engine uses the rest")]
#[path = "../../src/release/cargo/crate_file.rs"]
mod crate_file;
#[path = "../../src/release/cargo/manifest.rs"]
mod manifest;

use crate_file::{CrateFiles, first_difference, have_same_files, unpack};
use manifest::have_same_manifest;

const BLOCK_LEN: usize = 512;

/// The directory in a package.
const ROOT: &str = "p-1.0.0";

/// Corrects the checksum of each header, and returns the archive as cargo compresses it.
fn packed(mut archive: Vec<u8>) -> Vec<u8> {
    let mut offset = 0;
    while let Some(block) = archive.get_mut(offset..offset + BLOCK_LEN) {
        let mut header = tar::Header::new_old();
        header.as_mut_bytes().copy_from_slice(block);
        header.set_cksum();
        block.copy_from_slice(header.as_bytes());
        let content = header.entry_size().ok().and_then(|size| usize::try_from(size).ok()).unwrap_or(0);
        offset += BLOCK_LEN + content.min(archive.len()).next_multiple_of(BLOCK_LEN);
    }
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::none());
    encoder.write_all(&archive).expect("memory");
    encoder.finish().expect("memory")
}

/// Unpacks as cargo does. Returns the files with their content and whether they are executable; `None` if cargo fails.
fn unpacked_by_cargo(package: &[u8], directory: &Path) -> Option<BTreeMap<String, (Vec<u8>, bool)>> {
    let mut archive = Archive::new(GzDecoder::new(package).take(64 << 20));
    for entry in archive.entries().ok()? {
        let mut entry = entry.ok()?;
        if !entry.path().ok()?.starts_with(ROOT) || !entry.unpack_in(directory).ok()? {
            return None;
        }
    }
    let root = directory.join(ROOT);
    let mut files = BTreeMap::new();
    for entry in WalkDir::new(&root).follow_links(true) {
        let entry = entry.ok()?;
        if entry.file_type().is_dir() {
            continue;
        }
        let path = entry.path().strip_prefix(&root).expect("below the root").to_str()?.to_owned();
        let mode = entry.metadata().ok()?.permissions().mode();
        // The owner may be unable to read it.
        files.insert(path, (fs::read(entry.path()).ok()?, mode & 0o100 != 0));
    }
    Some(files)
}

fn compared(files: &CrateFiles) -> BTreeMap<String, (Vec<u8>, bool)> {
    files.iter().map(|(path, file)| (path.clone(), (file.bytes.clone(), file.executable))).collect()
}

pub fn check(bytes: &[u8]) {
    let Some((choice, rest)) = bytes.split_first() else { return };
    let package = if choice & 1 == 0 { rest.to_vec() } else { packed(rest.to_vec()) };
    let Ok(files) = unpack(&package[..]) else { return };
    assert!(have_same_files(&files, &files) && have_same_manifest(&files, &files));
    assert_eq!(first_difference(&files, &files), None);
    // Another manifest, so that the values of this one are read.
    let other = unpack(&packed(Vec::new())[..]).unwrap_or_default();
    let _ = have_same_manifest(&files, &other);
    let directory = tempfile::tempdir().expect("a directory");
    if let Some(expected) = unpacked_by_cargo(&package, directory.path()) {
        assert!(compared(&files) == expected, "{:?}, but cargo: {:?}", compared(&files), expected);
    }
}
