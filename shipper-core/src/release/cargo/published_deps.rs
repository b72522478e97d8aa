//! The dependencies of the members of a workspace, as their published manifests have them.

use std::collections::BTreeSet;

use cargo_metadata::semver::VersionReq;
use cargo_metadata::{Dependency, DependencyKind, Package};

/// Returns `true` if cargo keeps a dependency in the published manifest. It removes a dev-dependency without a version.
pub(super) fn is_published(dependency: &Dependency) -> bool {
    !is_dev(dependency) || dependency.req != VersionReq::STAR
}

fn is_dev(dependency: &Dependency) -> bool {
    dependency.kind == DependencyKind::Development
}

/// The members of a workspace.
#[derive(Clone, Copy)]
pub(super) struct PublishedDependencies<'p>(pub(super) &'p [Package]);

impl<'p> PublishedDependencies<'p> {
    /// Returns the dependencies of a member.
    fn of(self, member: &str) -> impl Iterator<Item = &'p Dependency> + use<'p> {
        let package = self.0.iter().find(|one| one.name.as_str() == member);
        package.into_iter().flat_map(|package| &package.dependencies).filter(|one| is_published(one))
    }

    /// Returns `true` if the published manifest of a member needs a package: its own dev-dependencies too if `with_dev`.
    pub(super) fn needs(self, member: &str, package: &str, with_dev: bool) -> bool {
        self.of(member).any(|one| one.name == package && (with_dev || !is_dev(one)))
    }

    /// Returns the members that cargo must resolve for the published package: its own dependencies, and the non-optional
    /// ones of these.
    pub(super) fn siblings(self, member: &str) -> BTreeSet<&'p str> {
        let siblings_of = |name: &str| self.of(name).filter(|one| one.path.is_some());
        let mut pending: Vec<&str> = siblings_of(member).map(|one| one.name.as_str()).collect();
        let mut siblings = BTreeSet::new();
        while let Some(sibling) = pending.pop() {
            if siblings.insert(sibling) {
                let theirs = siblings_of(sibling).filter(|one| !is_dev(one) && !one.optional);
                pending.extend(theirs.map(|one| one.name.as_str()));
            }
        }
        siblings
    }

    /// Returns `true` for the name of a member.
    pub(super) fn contains(self, name: &str) -> bool {
        self.0.iter().any(|member| member.name.as_str() == name)
    }

    /// Returns `true` if the workspace has that version of a member.
    pub(super) fn has_version(self, name: &str, version: &str) -> bool {
        self.0.iter().any(|member| member.name.as_str() == name && member.version.to_string() == version)
    }
}
