//! The order in which the packages of a workspace are published.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::semver::VersionReq;
use cargo_metadata::{DependencyKind, Package};

/// A package, and the packages that must be published before it.
struct PendingPackage<'p> {
    package: &'p Package,
    dependencies: BTreeSet<&'p str>,
    dev_dependencies: BTreeSet<&'p str>,
}

/// Sorts packages so that each follows its dependencies and dev-dependencies; those without an order between them by name.
/// Dev-dependencies may form a cycle, since cargo does not build them for the users of a package.
///
/// # Errors
///
/// The names of packages whose dependencies form a cycle.
pub(super) fn publish_order<'p>(packages: &[&'p Package]) -> Result<Vec<&'p Package>, String> {
    let names: BTreeSet<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    let siblings = |package: &'p Package, is_dev: bool| {
        let dependencies = package.dependencies.iter().filter(move |dependency| {
            // Cargo removes a dev-dependency without a version from the published manifest.
            let published = !is_dev || dependency.req != VersionReq::STAR;
            let same_kind = (dependency.kind == DependencyKind::Development) == is_dev;
            dependency.path.is_some() && same_kind && published
        });
        let names_of_others = dependencies.map(|dependency| dependency.name.as_str());
        names_of_others.filter(|name| *name != package.name.as_str() && names.contains(name)).collect()
    };
    let mut pending: BTreeMap<&str, PendingPackage<'p>> = packages
        .iter()
        .map(|&package| {
            let (dependencies, dev_dependencies) = (siblings(package, false), siblings(package, true));
            (package.name.as_str(), PendingPackage { package, dependencies, dev_dependencies })
        })
        .collect();
    let mut order = Vec::new();
    while !pending.is_empty() {
        let mut buildable = pending.iter().filter(|(_, one)| one.dependencies.is_empty());
        let first = buildable.clone().next();
        let next = buildable.find(|(_, one)| one.dev_dependencies.is_empty()).or(first).map(|(name, _)| *name);
        let Some(next) = next else {
            return Err(pending.keys().copied().collect::<Vec<_>>().join(", "));
        };
        order.extend(pending.remove(next).map(|one| one.package));
        for one in pending.values_mut() {
            one.dependencies.remove(next);
            one.dev_dependencies.remove(next);
        }
    }
    Ok(order)
}
