//! Staging: a package as it would be uploaded, laid out so that it can be published to another registry.
//!
//! Nothing of it is changed but what its manifest says of packing it: where it may be published, and which of the files
//! that lie there are packed. What it depends on is looked up where it says; that siblings are looked up on the rehearsal
//! registry is told to cargo when it is run.

use camino::Utf8Path;
use std::io;

use toml_edit::{Array, DocumentMut, Item, Table, value};

use super::package::{Files, LOCK, MANIFEST, ORIGINAL, bytes, content, have_same_files};

/// Lays out a package, with what the workspace's dependencies were resolved to.
pub(super) fn stage(files: &Files, lock: Option<&[u8]>, into: &Utf8Path) -> io::Result<()> {
    fs_err::create_dir_all(into)?;
    for (path, file) in content(files).filter(|(path, _)| !matches!(*path, MANIFEST | ORIGINAL)) {
        let path = into.join(path);
        if let Some(directory) = path.parent() {
            fs_err::create_dir_all(directory)?;
        }
        fs_err::write(&path, &file.bytes)?;
        #[cfg(unix)]
        if file.may_be_run {
            use std::os::unix::fs::PermissionsExt;
            fs_err::set_permissions(&path, std::fs::Permissions::from_mode(0o755))?;
        }
    }
    if let Some(lock) = lock {
        fs_err::write(into.join(LOCK), lock)?;
    }
    fs_err::write(into.join(MANIFEST), staged_manifest(files)?)
}

/// Whether a registry keeps the package that would be staged for it.
pub(super) fn is_staged(kept: &Files, ours: &Files) -> bool {
    // Cargo keeps the manifest that it was given beside the one that it made of it.
    let kept_manifest = bytes(kept, ORIGINAL);
    let staged = staged_manifest(ours).ok();
    kept_manifest.is_some() && kept_manifest == staged.as_deref().map(str::as_bytes) && have_same_files(kept, ours)
}

/// The manifest of a package, so that what is laid out is packed as it is, for any registry.
fn staged_manifest(files: &Files) -> io::Result<String> {
    let manifest = bytes(files, MANIFEST).ok_or_else(|| io::Error::other("the package has no manifest"))?;
    let text = std::str::from_utf8(manifest).map_err(io::Error::other)?;
    let mut manifest: DocumentMut = text.parse().map_err(io::Error::other)?;
    if let Some(package) = manifest.get_mut("package").and_then(Item::as_table_like_mut) {
        package.remove("publish");
        // Left to itself, cargo would pack other files here than in the workspace, such as those whose names begin with a
        // dot.
        package.remove("exclude");
        package.insert("include", value(Array::from_iter(["*"])));
    }
    // The staged package belongs to no workspace, wherever it stands.
    manifest.insert("workspace", Item::Table(Table::new()));
    Ok(manifest.to_string())
}

#[cfg(test)]
mod tests {
    use super::super::package::File;
    use super::*;

    /// (Pass) Of the manifest only what is said of packing changes; what is kept is known again, and nothing else is.
    #[test]
    fn what_is_staged() {
        let manifest =
            "[package]\nname = \"b\"\npublish = [\"live\"]\nexclude = [\"x\"]\n\n[dependencies.a]\nversion = \"0.1\"\n";
        let file = |text: &str| File { bytes: text.as_bytes().to_vec(), may_be_run: false };
        let ours = Files::from([(MANIFEST.to_owned(), file(manifest)), (".hidden".to_owned(), file("x"))]);
        let staged = staged_manifest(&ours).expect("TOML");
        assert_eq!(
            staged,
            "[package]\nname = \"b\"\ninclude = [\"*\"]\n\n[dependencies.a]\nversion = \"0.1\"\n\n[workspace]\n"
        );
        let mut kept = ours.clone();
        kept.insert(ORIGINAL.to_owned(), file(&staged));
        assert!(is_staged(&kept, &ours));
        kept.insert(".hidden".to_owned(), file("y"));
        assert!(!is_staged(&kept, &ours));
        assert!(!is_staged(&ours, &ours), "it was not staged");
    }
}
