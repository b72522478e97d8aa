//! Dependencies of a package as a `Cargo.lock` resolves them.
//!
//! Cargo makes a package's own `Cargo.lock` from the workspace's: in the format of its version, with the package's
//! dependencies only. So a plan contains what the file names, not its bytes, and not the dependencies of other members.

use std::collections::BTreeSet;
use std::io;

use cargo_lock::{Dependency, Package, ResolveVersion};

use crate::release::plan::LockedDependency;

/// The `Cargo.lock` of a workspace; `None` if it has none.
#[derive(Default)]
pub(super) struct Lockfile(Option<cargo_lock::Lockfile>);

impl Lockfile {
    pub(super) fn parse(bytes: Option<&[u8]>) -> io::Result<Self> {
        let parse = |bytes| std::str::from_utf8(bytes).map_err(io::Error::other)?.parse().map_err(io::Error::other);
        Ok(Self(bytes.map(parse).transpose()?))
    }

    fn packages(&self) -> &[Package] {
        self.0.as_ref().map_or(&[], |lockfile| &lockfile.packages)
    }

    /// Returns the names of all packages.
    pub(super) fn names(&self) -> BTreeSet<&str> {
        self.packages().iter().map(|package| package.name.as_str()).collect()
    }

    /// Returns the packages from outside the workspace that a member depends on, also through other members.
    pub(super) fn dependencies_of(&self, name: &str, version: &str) -> Vec<LockedDependency> {
        let is_member = |package: &&Package| {
            package.name.as_str() == name && package.version.to_string() == version && package.source.is_none()
        };
        let mut pending: Vec<&Package> = self.packages().iter().filter(is_member).collect();
        let mut visited = BTreeSet::new();
        let mut locked = BTreeSet::new();
        while let Some(package) = pending.pop() {
            if !visited.insert((&package.name, &package.version, &package.source)) {
                continue;
            }
            locked.extend(self.checksum(package).map(|checksum| LockedDependency {
                name: package.name.to_string(),
                version: package.version.to_string(),
                checksum,
            }));
            for Dependency { name, version, source } in &package.dependencies {
                pending.extend(
                    self.packages().iter().filter(|package| {
                        (&package.name, &package.version, &package.source) == (name, version, source)
                    }),
                );
            }
        }
        locked.into_iter().collect()
    }

    /// Returns the checksum of a package, or its source as the file writes it; `None` for members of the workspace.
    ///
    /// Part of the canonical form of plans. Version 1 of the format keeps the checksums apart from the packages, and plans
    /// have the sources; since version 4, the references in sources are percent-encoded, which `SourceId` undoes.
    fn checksum(&self, package: &Package) -> Option<String> {
        let source = package.source.as_ref()?;
        let version = self.0.as_ref()?.version;
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
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The packages of a workspace: member `a` depends on `b`, `tool` on what others do not. OLD and NEW stand for checksums.
    const PACKAGES: &str = r#"
[[package]]
name = "a"
version = "0.1.0"
dependencies = ["b", "old 1.0.0"]

[[package]]
name = "b"
version = "0.1.0"
dependencies = ["from-git", "old 2.0.0", "twice 1.0.0 (git+https://git.example/twice)"]

[[package]]
name = "from-git"
version = "0.3.0"
source = "git+https://git.example/it?branch=BRANCH#abc"

[[package]]
name = "old"
version = "1.0.0"
source = "registry+https://index.example/"
checksum = "OLD"

[[package]]
name = "old"
version = "2.0.0"
source = "sparse+https://other.example/index/"
checksum = "NEW"

[[package]]
name = "others"
version = "9.0.0"
source = "sparse+https://other.example/index/"
checksum = "NEW"

[[package]]
name = "tool"
version = "0.1.0"
dependencies = ["others", "twice 1.0.0 (registry+https://index.example/)"]

[[package]]
name = "twice"
version = "1.0.0"
source = "git+https://git.example/twice#def"

[[package]]
name = "twice"
version = "1.0.0"
source = "registry+https://index.example/"
checksum = "OLD"
"#;

    /// (Pass) The dependencies of a member in formats 2 to 4, through its siblings too, from registries of both kinds and from
    /// git, and none of another member's. A source is spelled as in the file.
    #[test]
    fn dependencies_of_a_member() {
        let [old, new] = ["1", "2"].map(|digit| digit.repeat(64));
        for (header, branch) in [("", "x/y"), ("version = 3\n", "x/y"), ("version = 4\n", "x%2Fy")] {
            let text = PACKAGES.replace("OLD", &old).replace("NEW", &new).replace("BRANCH", branch);
            let lockfile = Lockfile::parse(Some(format!("{header}{text}").as_bytes())).expect("a lock file");
            let lines = |name| {
                let locked = lockfile.dependencies_of(name, "0.1.0").into_iter();
                locked.map(|one| format!("{} {} {}", one.name, one.version, one.checksum)).collect::<Vec<_>>()
            };
            let from_git = format!("from-git 0.3.0 git+https://git.example/it?branch={branch}#abc");
            let twice = "twice 1.0.0 git+https://git.example/twice#def".to_owned();
            let of_b = [from_git.clone(), format!("old 2.0.0 {new}"), twice.clone()];
            assert_eq!(lines("b"), of_b);
            assert_eq!(lines("a"), [from_git, format!("old 1.0.0 {old}"), format!("old 2.0.0 {new}"), twice]);
            assert_eq!(lines("nothing"), [""; 0]);
        }
        assert!(Lockfile::parse(Some(b"not a lock file")).is_err());
        assert_eq!(Lockfile::default().dependencies_of("a", "0.1.0"), []);
    }
}
