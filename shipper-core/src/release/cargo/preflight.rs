//! Check of a plan before the first upload, which finds all problems at once.
//!
//! A package that the live registry refuses ends a run after other packages were published, and these cannot be removed
//! again. So this check applies the live registry's rules to the manifests and to the registry's index beforehand:
//!
//! 1. settings of packages for a rehearsal
//! 2. rules for metadata: those of crates-io as errors, or for other registries the common ones as warnings
//! 3. names and versions on the live registry
//! 4. dependencies from a registry that the live one does not take them from
//! 5. dependencies on members that the live registry will not have in time
//!
//! The check reads no files and sends no requests.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;
use cargo_metadata::semver::{Version, VersionReq};
use cargo_metadata::{Dependency, DependencyKind, Package};

use super::crates_io::CRATES_IO;
use super::metadata_rules::{common_problems, crates_io_problems, is_category};
use super::package_options::PackageOptions;
use super::problem::{Level, Problem, dependency_key};
use crate::release::endpoint::{Endpoint, EndpointUse};
use crate::release::registry::Registry;

/// The values that the check depends on.
pub(super) struct PreflightInput<'p> {
    /// The registry to which the plan is published.
    pub(super) live: &'p Registry,
    /// The workspace's directory. Paths of manifests are shown relative to it.
    pub(super) root: &'p Utf8Path,
    /// The packages of the plan, in the order of their publication.
    pub(super) planned: &'p [&'p Package],
    /// All members of the workspace.
    pub(super) members: &'p [Package],
    /// The sizes of the `.crate` files by name, in bytes.
    pub(super) sizes: &'p BTreeMap<String, u64>,
    /// The crates on the live registry, by the names of [`names_to_look_up`]. Without an entry, the registry was not
    /// asked, and a problem that depends on its answer is a warning.
    pub(super) published: &'p BTreeMap<String, PublishedCrate>,
    /// The kind of the token for the live registry.
    pub(super) token: TokenKind,
}

/// The state of a crate on the live registry. The default is that of a name that the registry does not have.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct PublishedCrate {
    /// The name as the registry spells it; `None` if it does not have the crate.
    pub(super) name: Option<String>,
    /// The versions in the index; the value is `true` for a yanked one.
    pub(super) versions: BTreeMap<Version, bool>,
    /// `true` if the registry has the version of the plan with another content.
    pub(super) has_other_content: bool,
}

impl PublishedCrate {
    /// Returns `true` if the registry has a version that is not yanked.
    pub(super) fn shows(&self, version: &str) -> bool {
        version.parse().is_ok_and(|version| self.find(&version).is_some_and(|(_, yanked)| !yanked))
    }

    /// Finds the version that has this one's place on the registry: build metadata does not distinguish versions.
    fn find(&self, version: &Version) -> Option<(&Version, bool)> {
        let mut versions = self.versions.iter().map(|(found, yanked)| (found, *yanked));
        versions.find(|(found, _)| found.cmp_precedence(version).is_eq())
    }
}

/// The kind of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// The token is not known here, for example because a credential provider has it.
    Unknown,
    /// The token is from trusted publishing on crates-io.
    TrustedPublishing,
    /// The token is of a user.
    User,
}

impl TokenKind {
    /// Returns the kind of a token, which its first characters show.
    pub(super) fn of(token: Option<&str>) -> Self {
        match token {
            None => Self::Unknown,
            Some(token) if token.starts_with("cio_tp_") => Self::TrustedPublishing,
            Some(_) => Self::User,
        }
    }
}

/// Returns the names that must be looked up on the live registry: those of the plan, and those of packages with a path
/// on which the plan depends.
pub(super) fn names_to_look_up<'p>(planned: &[&'p Package]) -> BTreeSet<&'p str> {
    let needed = planned.iter().flat_map(|package| &package.dependencies).filter(|one| is_published(one));
    planned.iter().map(|package| package.name.as_str()).chain(needed.map(|one| one.name.as_str())).collect()
}

/// Returns other spellings of a name that crates-io takes for the same.
pub(super) fn other_spellings(name: &str) -> Vec<String> {
    let spellings = [name.replace('-', "_"), name.replace('_', "-")];
    spellings.into_iter().filter(|spelling| spelling != name).collect()
}

/// Returns all problems, in the order of the plan.
pub(super) fn check(input: &PreflightInput<'_>) -> Vec<Problem> {
    let is_crates_io = input.live.name.as_str() == CRATES_IO;
    let mut problems = Vec::new();
    for (position, package) in input.planned.iter().enumerate() {
        let published = input.published.get(package.name.as_str());
        problems.extend(PackageOptions::problems(package));
        if is_crates_io {
            let is_new = published.is_some_and(|published| published.name.is_none());
            problems.extend(common_problems(package, Level::Error));
            problems.extend(crates_io_problems(package, input.sizes.get(package.name.as_str()).copied(), is_new));
            if is_new {
                problems.extend(new_crate_problems(package, input.token));
            }
        } else {
            problems.extend(common_problems(package, Level::Warning));
        }
        problems.extend(published.and_then(|published| version_problem(package, published, input.live)));
        problems.extend(package.dependencies.iter().filter_map(|dependency| {
            if let Some(problem) = registry_problem(input, package, dependency) {
                return Some(problem);
            }
            let later = input.planned.iter().skip(position).any(|one| one.name == dependency.name);
            if later && dependency.kind == DependencyKind::Development {
                return late_dependency(input, package, dependency);
            }
            let planned = input.planned.iter().any(|one| one.name == dependency.name);
            if planned { None } else { missing_dependency(input, package, dependency) }
        }));
    }
    problems.into_iter().map(|problem| problem.relative_to(input.root)).collect()
}

/// Returns the errors in one text of a limited length; `None` without errors.
pub(super) fn error_summary(problems: &[Problem]) -> Option<String> {
    let errors: Vec<String> =
        problems.iter().filter(|one| one.level == Level::Error).map(ToString::to_string).collect();
    let count = errors.len();
    let mut summary = format!("{count} problem{} in the manifests", if count == 1 { "" } else { "s" });
    for (position, error) in errors.iter().enumerate() {
        if summary.len() + error.len() > MAX_SUMMARY_LEN {
            summary += &format!("; and {} more", count - position);
            break;
        }
        summary += if position == 0 { ": " } else { "; and " };
        summary += error;
    }
    (count > 0).then_some(summary)
}

/// The greatest length of a summary, in bytes, before the number of problems that are left out.
const MAX_SUMMARY_LEN: usize = 1_900;

/// Returns problems of a crate that crates-io does not have.
fn new_crate_problems(package: &Package, token: TokenKind) -> Vec<Problem> {
    let mut problems = Vec::new();
    let level = match token {
        TokenKind::User => None,
        TokenKind::TrustedPublishing => Some(Level::Error),
        TokenKind::Unknown => Some(Level::Warning),
    };
    problems.extend(level.map(|level| {
        let message =
            "crates-io does not have this crate, and a token of trusted publishing (`cio_tp_…`) cannot create it";
        Problem::new(level, package, "package.name", message, "publish the first version with a user's token")
    }));
    let categories: Vec<&str> =
        package.categories.iter().map(String::as_str).filter(|category| is_category(category)).collect();
    if !categories.is_empty() {
        let message = format!("crates-io refuses unknown categories, which this check cannot find: {categories:?}");
        let help = "compare them with the list of category slugs on crates-io";
        problems.push(Problem::new(Level::Warning, package, "package.categories", message, help));
    }
    problems
}

/// Returns the problem of a crate that the registry has with another spelling, or whose version it has and that cannot be
/// skipped.
fn version_problem(package: &Package, published: &PublishedCrate, live: &Registry) -> Option<Problem> {
    let (live, version) = (&live.name, &package.version);
    let error = |key: &str, message: String, help: String| Problem::new(Level::Error, package, key, message, help);
    let name = published.name.as_deref()?;
    if name != package.name.as_str() {
        let message = format!("the registry {live} has this crate as {name}");
        return Some(error("package.name", message, format!("name it {name}")));
    }
    let (found, yanked) = published.find(version)?;
    let (message, help) = if yanked {
        (format!("{found} was yanked from the registry {live}"), "bump the version, or undo the yank")
    } else if published.has_other_content {
        (
            format!("the registry {live} has {found} with another content"),
            "bump the version, or leave the package out with --exclude",
        )
    } else {
        return None;
    };
    Some(error("package.version", message, help.to_owned()))
}

/// Returns the problem of a dependency that names a registry from which the live one does not take it: crates-io takes none
/// of another registry, and crates-io does not get the packages of a release to another registry.
fn registry_problem(input: &PreflightInput<'_>, package: &Package, dependency: &Dependency) -> Option<Problem> {
    let is_dev = dependency.kind == DependencyKind::Development;
    if is_dev && dependency.req == VersionReq::STAR && dependency.path.is_some() {
        return None;
    }
    let (name, live) = (&dependency.name, &input.live.name);
    let planned = dependency.path.is_some() && input.planned.iter().any(|one| one.name == *name);
    let (message, help) = match (&dependency.registry, live.as_str() == CRATES_IO) {
        (Some(_), true) => (
            format!("the dependency {name} names a registry, but crates-io takes no dependencies of other registries"),
            "remove `registry`, or publish to another registry with --live-registry".to_owned(),
        ),
        (None, false) if planned => (
            format!("the dependency {name} is one of crates-io, but this release publishes it to {live}"),
            format!("add `registry = \"{live}\"` to it"),
        ),
        _ => return None,
    };
    Some(Problem::new(Level::Error, package, dependency_key(dependency), message, help))
}

/// Returns the problem of a dev-dependency on a package that is published later, or on the package itself.
fn late_dependency(input: &PreflightInput<'_>, package: &Package, dependency: &Dependency) -> Option<Problem> {
    let level = missing_level(input, dependency)?;
    let name = &dependency.name;
    let message = if *name == package.name.as_str() {
        format!("the dev-dependency {name} is the package itself, and {}", missing_text(input, dependency))
    } else {
        let missing = missing_text(input, dependency);
        format!("the dev-dependency {name} is published after this package, in a cycle, and {missing}")
    };
    let help = "declare it there with `path` only: without a version, cargo leaves it out of the published manifest";
    Some(Problem::new(level, package, dependency_key(dependency), message, help))
}

/// Returns the problem of a dependency on a package with a path that is not part of the plan.
fn missing_dependency(input: &PreflightInput<'_>, package: &Package, dependency: &Dependency) -> Option<Problem> {
    let level = missing_level(input, dependency)?;
    let (name, live) = (&dependency.name, &input.live.name);
    let missing = missing_text(input, dependency);
    let member = input.members.iter().find(|member| member.name == *name);
    let may_be_published = |member: &&Package| {
        member.publish.as_ref().is_none_or(|registries| registries.iter().any(|one| one == live.as_str()))
    };
    let (cause, help) = match member {
        None => ("is not a member of the workspace", format!("publish {name} first")),
        Some(member) if may_be_published(&member) => ("is left out of the release", format!("include {name}")),
        Some(_) => ("may not be published, by its `publish`", format!("permit {live} in `publish` of {name}")),
    };
    let or = match dependency.kind {
        DependencyKind::Development => "declare it there with `path` only, without a version",
        _ => "remove the dependency",
    };
    let message = format!("the dependency {name} {cause}, and {missing}");
    Some(Problem::new(level, package, dependency_key(dependency), message, format!("{help}, or {or}")))
}

/// Returns the level of the problem that the live registry has no version for a dependency with a path; `None` if it
/// has one, or if the published package will not have the dependency or will take it from another registry.
fn missing_level(input: &PreflightInput<'_>, dependency: &Dependency) -> Option<Level> {
    let on_live = match &dependency.registry {
        None => input.live.name.as_str() == CRATES_IO,
        Some(index) => input.live.index_endpoint().is_same(&Endpoint::new(EndpointUse::Index, index)),
    };
    if !on_live || !is_published(dependency) {
        return None;
    }
    let Some(published) = input.published.get(&dependency.name) else {
        return Some(Level::Warning);
    };
    let fits = |(version, yanked): (&Version, &bool)| !yanked && dependency.req.matches(version);
    (!published.versions.iter().any(fits)).then_some(Level::Error)
}

/// Returns `true` for a dependency with a path that is part of the published manifest: cargo leaves out a dev-dependency
/// without a version.
fn is_published(dependency: &Dependency) -> bool {
    let is_dev = dependency.kind == DependencyKind::Development;
    dependency.path.is_some() && (!is_dev || dependency.req != VersionReq::STAR)
}

/// Returns the text about the live registry's versions for a dependency.
fn missing_text(input: &PreflightInput<'_>, dependency: &Dependency) -> String {
    let (live, requirement) = (&input.live.name, &dependency.req);
    if input.published.contains_key(&dependency.name) {
        format!("the registry {live} has no version {requirement}")
    } else {
        format!("it is not known if the registry {live} has a version {requirement}")
    }
}

#[cfg(test)]
#[path = "../../../tests/unit/preflight.rs"]
mod tests;
