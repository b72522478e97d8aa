//! Registries that members name for other members.
//!
//! A member can name another registry than the one that its siblings are uploaded to, for example one that groups several
//! registries. A rehearsal must take the siblings from the rehearsal registry also in place of that one.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::Package;

use super::crates_io::CRATES_IO;

/// The names of members, and the keys of `[patch]` for the registries that other members name for them.
pub(super) type SiblingRegistries = BTreeMap<String, BTreeSet<String>>;

/// Returns the registries that packages name for each other.
pub(super) fn sibling_registries(packages: &[&Package]) -> SiblingRegistries {
    let mut registries = SiblingRegistries::new();
    // A member depends on a sibling by a path. Another package of the same name has none.
    for dependency in packages.iter().flat_map(|package| &package.dependencies).filter(|one| one.path.is_some()) {
        let key = patch_key(dependency.registry.as_deref());
        registries.entry(dependency.name.clone()).or_default().insert(key);
    }
    registries
}

/// Returns the key of `[patch]` for the address of a registry's index; `None` is crates-io.
pub(super) fn patch_key(index: Option<&str>) -> String {
    index.map_or_else(|| CRATES_IO.to_owned(), |index| format!("{index:?}"))
}
