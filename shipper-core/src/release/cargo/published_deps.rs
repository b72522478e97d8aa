//! The dependencies of the members of a workspace, as their published manifests have them.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::semver::VersionReq;
use cargo_metadata::{Dependency, DependencyKind, Package};

/// The dependencies of every member, by the member's name.
pub(super) struct PublishedDependencies {
    members: BTreeMap<String, Vec<PublishedDependency>>,
    versions: BTreeMap<String, String>,
}

struct PublishedDependency {
    /// The name of the package, not that of a renamed dependency.
    name: String,
    is_dev: bool,
    is_optional: bool,
    /// `true` if the workspace has the package at a path.
    is_sibling: bool,
}

/// Returns `true` if cargo keeps a dependency in the published manifest. It removes a dev-dependency without a version.
pub(super) fn is_published(dependency: &Dependency) -> bool {
    dependency.kind != DependencyKind::Development || dependency.req != VersionReq::STAR
}

impl PublishedDependencies {
    /// Reads the manifests of all members.
    pub(super) fn new<'p>(members: impl IntoIterator<Item = &'p Package>) -> Self {
        let (mut dependencies, mut versions) = (BTreeMap::new(), BTreeMap::new());
        for member in members {
            let published = member.dependencies.iter().filter(|one| is_published(one)).map(|one| PublishedDependency {
                name: one.name.clone(),
                is_dev: one.kind == DependencyKind::Development,
                is_optional: one.optional,
                is_sibling: one.path.is_some() && one.name != member.name.as_str(),
            });
            dependencies.insert(member.name.to_string(), published.collect());
            versions.insert(member.name.to_string(), member.version.to_string());
        }
        Self { members: dependencies, versions }
    }

    /// Returns `true` if the published manifest of a member needs a package: its own dev-dependencies too if `with_dev`.
    pub(super) fn needs(&self, member: &str, package: &str, with_dev: bool) -> bool {
        let dependencies = self.members.get(member).into_iter().flatten();
        dependencies.into_iter().any(|one| one.name == package && (with_dev || !one.is_dev))
    }

    /// Returns the members that cargo must resolve for the published package: its own dependencies, and the non-optional
    /// ones of these.
    pub(super) fn siblings(&self, member: &str) -> BTreeSet<&str> {
        let own = self.members.get(member).into_iter().flatten().filter(|one| one.is_sibling);
        let mut pending: Vec<&str> = own.map(|one| one.name.as_str()).collect();
        let mut siblings = BTreeSet::new();
        while let Some(sibling) = pending.pop() {
            if siblings.insert(sibling) {
                let theirs = self.members.get(sibling).into_iter().flatten();
                let theirs = theirs.filter(|one| one.is_sibling && !one.is_dev && !one.is_optional);
                pending.extend(theirs.map(|one| one.name.as_str()));
            }
        }
        siblings
    }

    /// Returns `true` for the name of a member.
    pub(super) fn contains(&self, name: &str) -> bool {
        self.members.contains_key(name)
    }

    /// Returns `true` if the workspace has that version of a member.
    pub(super) fn has_version(&self, name: &str, version: &str) -> bool {
        self.versions.get(name).is_some_and(|member| member == version)
    }
}
