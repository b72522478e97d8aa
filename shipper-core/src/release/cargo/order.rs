//! The order in which the packages of a workspace are published.

use std::collections::BTreeMap;

use cargo_metadata::{DependencyKind, Package};

use super::published_deps::is_published;

/// Sorts packages so that each follows its dependencies and dev-dependencies; those without an order between them by name.
/// Dev-dependencies may form a cycle, since cargo does not build them for the users of a package.
///
/// # Errors
///
/// The names of packages whose dependencies form a cycle.
pub(super) fn publish_order<'p>(packages: &[&'p Package]) -> Result<Vec<&'p Package>, String> {
    let mut pending: BTreeMap<&str, &Package> =
        packages.iter().map(|package| (package.name.as_str(), *package)).collect();
    let mut order = Vec::new();
    while !pending.is_empty() {
        let waits = |package: &Package, is_dev: bool| {
            package.dependencies.iter().any(|one| {
                let same_kind = (one.kind == DependencyKind::Development) == is_dev;
                let published = same_kind && is_published(one);
                let name = one.name.as_str();
                published && one.path.is_some() && name != package.name.as_str() && pending.contains_key(name)
            })
        };
        let mut buildable = pending.values().filter(|package| !waits(package, false));
        let first = buildable.clone().next();
        let Some(&next) = buildable.find(|package| !waits(package, true)).or(first) else {
            return Err(pending.into_keys().collect::<Vec<_>>().join(", "));
        };
        pending.remove(next.name.as_str());
        order.push(next);
    }
    Ok(order)
}
