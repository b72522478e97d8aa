//! Dependencies of a package as a `Cargo.lock` resolves them.
//!
//! Cargo makes a package's own `Cargo.lock` from the workspace's: in the format of its version, with the package's
//! dependencies only. So a plan contains the entries of that file, not its bytes, and not the dependencies of other
//! members.

use std::collections::BTreeSet;
use std::io;

use cargo_lock::{Dependency, Lockfile, Package, ResolveVersion, SourceId};
use toml_edit::{DocumentMut, Item, Table};

use super::published_deps::PublishedDependencies;
use crate::release::plan::{LockedDependency, PlannedPackage};

/// Parses the `Cargo.lock` of a workspace; `None`, without one, has no packages.
pub(super) fn parse(bytes: Option<&[u8]>) -> io::Result<Lockfile> {
    let text = std::str::from_utf8(bytes.unwrap_or_default()).map_err(io::Error::other)?;
    text.parse().map_err(io::Error::other)
}

/// Returns the packages from outside the workspace that the published manifest of a member needs, also through other
/// members.
pub(super) fn dependencies_of(
    lockfile: &Lockfile,
    published: PublishedDependencies<'_>,
    name: &str,
    version: &str,
) -> Vec<LockedDependency> {
    let is_member = |package: &&Package| {
        package.name.as_str() == name && package.version.to_string() == version && package.source.is_none()
    };
    let mut pending: Vec<&Package> = lockfile.packages.iter().filter(is_member).collect();
    let mut visited = BTreeSet::new();
    let mut locked = BTreeSet::new();
    while let Some(package) = pending.pop() {
        if !visited.insert((&package.name, &package.version, &package.source)) {
            continue;
        }
        locked.extend(checksum(package, lockfile.version).map(|checksum| LockedDependency {
            name: package.name.to_string(),
            version: package.version.to_string(),
            checksum,
        }));
        // For other packages, cargo has left out the dev-dependencies already.
        let is_needed = |needed: &&Dependency| {
            let with_dev = package.name.as_str() == name;
            package.source.is_some() || published.needs(package.name.as_str(), needed.name.as_str(), with_dev)
        };
        pending.extend(needed_by(lockfile, package.dependencies.iter().filter(is_needed)));
    }
    locked.into_iter().collect()
}

/// Returns a `Cargo.lock` without the published versions of the packages of the plan, so that cargo resolves these again.
/// Users of the new versions have no old ones locked.
pub(super) fn without_published(lock_file: &[u8], plan: &[PlannedPackage]) -> io::Result<String> {
    let text = std::str::from_utf8(lock_file).map_err(io::Error::other)?;
    let mut document: DocumentMut = text.parse().map_err(io::Error::other)?;
    if let Some(packages) = document.get_mut("package").and_then(Item::as_array_of_tables_mut) {
        let is_planned = |package: &Table| {
            let name = package.get("name").and_then(Item::as_str);
            package.contains_key("source") && plan.iter().any(|planned| Some(planned.name.as_str()) == name)
        };
        packages.retain(|package| !is_planned(package));
    }
    Ok(document.to_string())
}

/// Returns the first of these members that a `Cargo.lock` does not have from that registry, at the version of the plan.
pub(super) fn find_unused<'p>(
    lock_file: &[u8],
    index: &str,
    mut members: impl Iterator<Item = &'p PlannedPackage>,
) -> io::Result<Option<&'p PlannedPackage>> {
    let lockfile = parse(Some(lock_file))?;
    Ok(members.find(|member| {
        !lockfile.packages.iter().any(|locked| {
            let same = locked.name.as_str() == member.name && locked.version.to_string() == member.version;
            let from_index =
                |source: &SourceId| source.to_string().trim_end_matches('/') == index.trim_end_matches('/');
            same && locked.source.as_ref().is_some_and(from_index)
        })
    }))
}

/// Returns the first package of a generated `Cargo.lock` that is not one of these, as `name version`.
///
/// Members are accepted, and not examined further: cargo prefers a newer version of a member if the registry has one.
pub(super) fn find_unplanned(
    generated: &[u8],
    locked: &[LockedDependency],
    members: PublishedDependencies<'_>,
) -> io::Result<Option<String>> {
    let lockfile = parse(Some(generated))?;
    let is_locked = |package: &Package| {
        let (name, version) = (package.name.as_str(), package.version.to_string());
        let checksum = checksum(package, lockfile.version);
        let mut locked = locked.iter();
        locked.any(|one| (one.name.as_str(), &one.version, Some(&one.checksum)) == (name, &version, checksum.as_ref()))
    };
    let is_member = |package: &Package| members.contains(package.name.as_str());
    let root = lockfile.packages.iter().filter(|package| package.source.is_none());
    let (mut pending, mut visited): (Vec<&Package>, _) = (root.collect(), BTreeSet::new());
    while let Some(package) = pending.pop() {
        if !visited.insert((&package.name, &package.version, &package.source)) {
            continue;
        }
        if package.source.is_some() {
            if is_member(package) && !members.has_version(package.name.as_str(), &package.version.to_string()) {
                continue;
            }
            if !is_member(package) && !is_locked(package) {
                return Ok(Some(format!("{} {}", package.name, package.version)));
            }
        }
        pending.extend(needed_by(&lockfile, package.dependencies.iter()));
    }
    Ok(None)
}

/// Returns the packages of a `Cargo.lock` that these dependencies refer to.
fn needed_by<'l>(
    lockfile: &'l Lockfile,
    dependencies: impl Iterator<Item = &'l Dependency>,
) -> impl Iterator<Item = &'l Package> {
    let needed: Vec<_> = dependencies.map(|needed| (&needed.name, &needed.version, &needed.source)).collect();
    lockfile.packages.iter().filter(move |other| needed.contains(&(&other.name, &other.version, &other.source)))
}

/// Returns the checksum of a package, or its source as the file writes it; `None` for members of the workspace.
///
/// Part of the canonical form of plans. Version 1 of the format keeps the checksums apart from the packages, and plans
/// have the sources; since version 4, the references in sources are percent-encoded, which `SourceId` undoes.
fn checksum(package: &Package, version: ResolveVersion) -> Option<String> {
    let source = package.source.as_ref()?;
    if let Some(checksum) = package.checksum.as_ref().filter(|_| version != ResolveVersion::V1) {
        return Some(checksum.to_string());
    }
    let Some(reference) = source.git_reference() else {
        return Some(source.to_string());
    };
    let reference = reference.pretty_ref(version >= ResolveVersion::V4).map(|reference| format!("?{reference}"));
    let commit = source.precise().map(|commit| format!("#{commit}"));
    Some(format!("git+{}{}{}", source.url(), reference.unwrap_or_default(), commit.unwrap_or_default()))
}
