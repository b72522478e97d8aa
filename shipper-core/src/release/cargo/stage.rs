//! Writes a package to a directory from which cargo can publish it to another registry.
//!
//! Only the manifest changes: the fields that restrict the registries, and those that select the packed files. Cargo gets
//! the registry of the other packages of the plan on its command line.

use std::io;

use camino::Utf8Path;
use toml_edit::{Array, DocumentMut, Item, Table, value};

use super::crate_file::{CrateFiles, LOCK_FILE, MANIFEST, ORIGINAL_MANIFEST, bytes, have_same_files, source_files};

/// Writes a package, with this `Cargo.lock`.
pub(super) fn stage(files: &CrateFiles, lock_file: Option<&str>, into: &Utf8Path) -> io::Result<()> {
    fs_err::create_dir_all(into)?;
    for (path, file) in source_files(files).filter(|(path, _)| !matches!(*path, MANIFEST | ORIGINAL_MANIFEST)) {
        let path = into.join(path);
        if let Some(directory) = path.parent() {
            fs_err::create_dir_all(directory)?;
        }
        fs_err::write(&path, &file.bytes)?;
        #[cfg(unix)]
        if file.executable {
            use std::os::unix::fs::PermissionsExt;
            fs_err::set_permissions(&path, std::fs::Permissions::from_mode(0o755))?;
        }
    }
    if let Some(lock_file) = lock_file {
        fs_err::write(into.join(LOCK_FILE), lock_file)?;
    }
    fs_err::write(into.join(MANIFEST), staged_manifest(files)?)
}

/// Returns `true` if the package of a registry is ours as [`stage`] writes it.
pub(super) fn is_staged(published: &CrateFiles, ours: &CrateFiles) -> bool {
    // Cargo adds the manifest that it was given beside the normalized one.
    let original = bytes(published, ORIGINAL_MANIFEST);
    let staged = staged_manifest(ours).ok();
    original.is_some() && original == staged.as_deref().map(str::as_bytes) && have_same_files(published, ours)
}

/// Changes the manifest so that cargo packs all files, for any registry.
fn staged_manifest(files: &CrateFiles) -> io::Result<String> {
    let manifest = bytes(files, MANIFEST).ok_or_else(|| io::Error::other("the package has no manifest"))?;
    let text = std::str::from_utf8(manifest).map_err(io::Error::other)?;
    let mut manifest: DocumentMut = text.parse().map_err(io::Error::other)?;
    if let Some(package) = manifest.get_mut("package").and_then(Item::as_table_like_mut) {
        package.remove("publish");
        // Without `include`, cargo would pack other files than in the workspace: none whose names begin with a dot.
        package.remove("exclude");
        package.insert("include", value(Array::from_iter(["*"])));
    }
    // The package must not join a workspace above the directory.
    manifest.insert("workspace", Item::Table(Table::new()));
    Ok(manifest.to_string())
}
