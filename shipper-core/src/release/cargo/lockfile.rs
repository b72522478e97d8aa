//! Dependencies of a package as a `Cargo.lock` resolves them.
//!
//! Cargo makes a package's own `Cargo.lock` from the workspace's: in the format of its version, with the package's
//! dependencies only. So a plan contains the entries of that file, not its bytes, and not the dependencies of other
//! members.

use std::collections::BTreeSet;
use std::io;

use cargo_lock::{Lockfile, Package, ResolveVersion};

use crate::release::plan::LockedDependency;

/// Parses the `Cargo.lock` of a workspace; `None`, without one, has no packages.
pub(super) fn parse(bytes: Option<&[u8]>) -> io::Result<Lockfile> {
    let text = std::str::from_utf8(bytes.unwrap_or_default()).map_err(io::Error::other)?;
    text.parse().map_err(io::Error::other)
}

/// Returns the packages from outside the workspace that a member depends on, also through other members.
pub(super) fn dependencies_of(lockfile: &Lockfile, name: &str, version: &str) -> Vec<LockedDependency> {
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
        pending.extend(lockfile.packages.iter().filter(|other| {
            let other = (&other.name, &other.version, &other.source);
            package.dependencies.iter().any(|needed| (&needed.name, &needed.version, &needed.source) == other)
        }));
    }
    locked.into_iter().collect()
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
