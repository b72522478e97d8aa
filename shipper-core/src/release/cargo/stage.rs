//! Staging: a package as it would be uploaded, laid out so that it can be published to another registry.
//!
//! A package that depends on a sibling of its workspace is published with a dependency on that sibling in the registry where
//! both are to be. In a rehearsal that is the rehearsal registry, so the staged manifest says so. Everything else in it is
//! what would be uploaded.

use camino::Utf8Path;
use std::collections::BTreeSet;
use std::io;

use toml_edit::{DocumentMut, Item, Table, TableLike, value};

use super::package::{Files, content};
use super::workspace::Packed;

/// The kinds of dependencies in a manifest.
const KINDS: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

/// Lays out a package for publishing to a registry, with what the workspace's dependencies were resolved to.
pub(super) fn stage(packed: &Packed, lock: Option<&[u8]>, registry: &str, into: &Utf8Path) -> io::Result<()> {
    let Packed { files, siblings } = packed;
    for (path, bytes) in content(files).filter(|(path, _)| !matches!(*path, "Cargo.toml" | "Cargo.toml.orig")) {
        let path = into.join(path);
        if let Some(directory) = path.parent() {
            fs_err::create_dir_all(directory)?;
        }
        fs_err::write(path, bytes)?;
    }
    let manifest = files.get("Cargo.toml").ok_or_else(|| io::Error::other("the package has no manifest"))?;
    fs_err::create_dir_all(into)?;
    if let Some(lock) = lock {
        fs_err::write(into.join("Cargo.lock"), lock)?;
    }
    fs_err::write(into.join("Cargo.toml"), redirect(manifest, siblings, registry)?)
}

/// The manifest with its siblings looked up in that registry.
pub(super) fn redirect(manifest: &[u8], siblings: &BTreeSet<String>, registry: &str) -> io::Result<String> {
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
            let Some(dependency) = dependency.as_table_like_mut() else {
                continue;
            };
            let package = dependency.get("package").and_then(Item::as_str).unwrap_or(&name).to_owned();
            if siblings.contains(&package) {
                dependency.remove("registry-index");
                dependency.insert("registry", value(registry));
            }
        }
    }
}

/// Whether a registry keeps the package that would be staged for it.
pub(super) fn is_staged(kept: &Files, ours: &Packed, registry: &str) -> bool {
    let Some(Ok(manifest)) = ours.files.get("Cargo.toml").map(|manifest| redirect(manifest, &ours.siblings, registry))
    else {
        return false;
    };
    let others = |files: &Files| -> Vec<(String, Vec<u8>)> {
        content(files)
            .filter(|(path, _)| !matches!(*path, "Cargo.toml" | "Cargo.toml.orig"))
            .map(|(path, bytes)| (path.to_owned(), bytes.to_owned()))
            .collect()
    };
    // Cargo keeps the manifest that it was given beside the one that it made of it.
    kept.get("Cargo.toml.orig").is_some_and(|kept| kept == manifest.as_bytes()) && others(kept) == others(&ours.files)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (Pass) Siblings are looked up on the other registry wherever they stand and whatever they are called; nothing else
    /// of the manifest changes.
    #[test]
    fn siblings_are_redirected() {
        let manifest = r#"
[package]
name = "b"
publish = ["live"]

[dependencies.first]
version = "0.1"
package = "a"
registry-index = "sparse+https://live.example/"

[dependencies.serde]
version = "1"

[dev-dependencies.a]
version = "0.1"

[target."cfg(unix)".build-dependencies.a]
version = "0.1"
"#;
        let siblings = BTreeSet::from(["a".to_owned()]);
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
        assert!(staged["dependencies"]["serde"].get("registry").is_none());
        assert!(staged["package"].get("publish").is_none());
        assert_eq!(staged["package"]["name"].as_str(), Some("b"));
    }
}
