//! Staging: a package as it would be uploaded, laid out so that it can be published to another registry.
//!
//! A package that depends on a sibling of its workspace is published with a dependency on that sibling in the registry where
//! both are to be. In a rehearsal that is the rehearsal registry, so the staged manifest says so. Everything else in it is
//! what would be uploaded.

use camino::Utf8Path;
use std::collections::BTreeSet;
use std::io;

use toml_edit::{Array, DocumentMut, Item, Table, TableLike, value};

use super::package::{Files, LOCK, MANIFEST, ORIGINAL, content, have_same_files};
use super::workspace::Packed;

/// The kinds of dependencies in a manifest.
const KINDS: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

/// Lays out a package for publishing to a registry, with what the workspace's dependencies were resolved to.
pub(super) fn stage(packed: &Packed, lock: Option<&[u8]>, registry: &str, into: &Utf8Path) -> io::Result<()> {
    fs_err::create_dir_all(into)?;
    for (path, file) in content(&packed.files).filter(|(path, _)| !matches!(*path, MANIFEST | ORIGINAL)) {
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
    fs_err::write(into.join(MANIFEST), redirected(packed, registry)?)
}

/// The manifest of a package, with its siblings looked up in that registry.
fn redirected(packed: &Packed, registry: &str) -> io::Result<String> {
    let manifest = packed.files.get(MANIFEST).ok_or_else(|| io::Error::other("the package has no manifest"))?;
    redirect(&manifest.bytes, &packed.siblings, registry)
}

/// The manifest with those dependencies looked up in that registry.
fn redirect(manifest: &[u8], siblings: &BTreeSet<String>, registry: &str) -> io::Result<String> {
    let text = std::str::from_utf8(manifest).map_err(io::Error::other)?;
    let mut manifest: DocumentMut = text.parse().map_err(io::Error::other)?;
    redirect_in(manifest.as_table_mut(), siblings, registry);
    if let Some(targets) = manifest.get_mut("target").and_then(Item::as_table_like_mut) {
        for (_, target) in targets.iter_mut() {
            if let Some(target) = target.as_table_like_mut() {
                redirect_in(target, siblings, registry);
            }
        }
    }
    if let Some(package) = manifest.get_mut("package").and_then(Item::as_table_like_mut) {
        // It says where the package may be published for real.
        package.remove("publish");
        // What is laid out is what was packed. Left to itself, cargo would pack other files here than in the workspace,
        // such as those whose names begin with a dot.
        package.remove("exclude");
        package.insert("include", value(Array::from_iter(["*"])));
    }
    // The staged package belongs to no workspace, wherever it stands.
    manifest.insert("workspace", Item::Table(Table::new()));
    Ok(manifest.to_string())
}

fn redirect_in(table: &mut dyn TableLike, siblings: &BTreeSet<String>, registry: &str) {
    for kind in KINDS {
        let Some(dependencies) = table.get_mut(kind).and_then(Item::as_table_like_mut) else {
            continue;
        };
        for (name, dependency) in dependencies.iter_mut() {
            // A normalized manifest has a table for each dependency.
            if let Some(dependency) = dependency.as_table_like_mut().filter(|_| siblings.contains(&*name)) {
                dependency.remove("registry-index");
                dependency.insert("registry", value(registry));
            }
        }
    }
}

/// Whether a registry keeps the package that would be staged for it.
pub(super) fn is_staged(kept: &Files, ours: &Packed, registry: &str) -> bool {
    // Cargo keeps the manifest that it was given beside the one that it made of it.
    let kept_manifest = kept.get(ORIGINAL).map(|file| file.bytes.as_slice());
    let staged = redirected(ours, registry).ok();
    kept_manifest.is_some()
        && kept_manifest == staged.as_deref().map(str::as_bytes)
        && have_same_files(kept, &ours.files)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (Pass) Siblings are looked up on the other registry wherever they stand and whatever they are called, and nothing else
    /// is.
    #[test]
    fn siblings_are_redirected() {
        let manifest = r#"
[package]
name = "b"
publish = ["live"]
exclude = ["x"]

[dependencies.first]
version = "0.1"
package = "a"
registry-index = "sparse+https://live.example/"

[dependencies.serde]
version = "1"

[dependencies.an-older-one]
version = "=0.0.9"
package = "a"

[dev-dependencies.a]
version = "0.1"

[target."cfg(unix)".build-dependencies.a]
version = "0.1"
"#;
        let siblings = BTreeSet::from(["a".to_owned(), "first".to_owned()]);
        let staged: DocumentMut =
            redirect(manifest.as_bytes(), &siblings, "rehearsal").expect("TOML").parse().expect("TOML");
        for path in [
            &["dependencies", "first"][..],
            &["dev-dependencies", "a"],
            &["target", "cfg(unix)", "build-dependencies", "a"],
        ] {
            let dependency = path.iter().fold(staged.as_item(), |item, part| &item[part]);
            assert_eq!(dependency["registry"].as_str(), Some("rehearsal"), "{path:?}");
            assert!(dependency.get("registry-index").is_none(), "{path:?}");
        }
        for other in ["serde", "an-older-one"] {
            assert!(staged["dependencies"][other].get("registry").is_none(), "{other}");
        }
        assert!(staged["package"].get("publish").is_none() && staged["package"].get("exclude").is_none());
        assert_eq!(staged["package"]["name"].as_str(), Some("b"));
    }
}
