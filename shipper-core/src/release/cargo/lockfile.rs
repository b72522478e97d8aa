//! What a `Cargo.lock` resolves a package's dependencies to.
//!
//! Cargo writes a package's own `Cargo.lock` from that of the workspace, in the way of its version, with what the package
//! needs only. So what counts is what it names, not its bytes; and another member's dependencies do not count.

use std::collections::BTreeSet;
use std::io;

use serde::Deserialize;

use crate::release::plan::LockedDependency;

/// What a workspace's `Cargo.lock` says; of a workspace that has none, nothing.
#[derive(Deserialize, Default)]
pub(super) struct Lockfile {
    #[serde(default)]
    package: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    version: String,
    /// None for what is in the workspace.
    source: Option<String>,
    checksum: Option<String>,
    #[serde(default)]
    dependencies: Vec<String>,
}

impl Entry {
    /// Whether a dependency means it: by its name, its version where that is not enough, and its source where neither is.
    fn is(&self, dependency: &str) -> bool {
        let mut words = dependency.split(' ');
        let source = |source: &str| self.source.as_deref() == Some(source.trim_matches(['(', ')']));
        words.next() == Some(&self.name)
            && words.next().is_none_or(|version| version == self.version)
            && words.next().is_none_or(source)
    }
}

impl Lockfile {
    pub(super) fn parse(bytes: Option<&[u8]>) -> io::Result<Self> {
        bytes.map_or_else(|| Ok(Self::default()), |bytes| toml_edit::de::from_slice(bytes).map_err(io::Error::other))
    }

    /// The names of all packages in it.
    pub(super) fn names(&self) -> BTreeSet<&str> {
        self.package.iter().map(|entry| entry.name.as_str()).collect()
    }

    /// What it names that a member needs, and that is not in the workspace itself.
    pub(super) fn dependencies_of(&self, name: &str, version: &str) -> Vec<LockedDependency> {
        let is_member = |entry: &&Entry| entry.name == name && entry.version == version && entry.source.is_none();
        let mut waiting: Vec<&Entry> = self.package.iter().filter(is_member).collect();
        let mut seen = BTreeSet::new();
        let mut needed = BTreeSet::new();
        while let Some(entry) = waiting.pop() {
            if !seen.insert((&entry.name, &entry.version, &entry.source)) {
                continue;
            }
            if let Some(source) = &entry.source {
                let (name, version) = (entry.name.clone(), entry.version.clone());
                let checksum = entry.checksum.as_ref().unwrap_or(source).clone();
                needed.insert(LockedDependency { name, version, checksum });
            }
            for dependency in &entry.dependencies {
                waiting.extend(self.package.iter().filter(|entry| entry.is(dependency)));
            }
        }
        needed.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = r#"
version = 4

[[package]]
name = "a"
version = "0.1.0"
dependencies = ["b", "old 1.0.0"]

[[package]]
name = "b"
version = "0.1.0"
dependencies = ["old 2.0.0", "from-git"]

[[package]]
name = "from-git"
version = "0.3.0"
source = "git+https://git.example/it#abc"

[[package]]
name = "old"
version = "1.0.0"
source = "registry+https://index.example/"
checksum = "11"

[[package]]
name = "old"
version = "2.0.0"
source = "registry+https://index.example/"
checksum = "22"

[[package]]
name = "tool"
version = "0.1.0"
dependencies = ["others"]

[[package]]
name = "others"
version = "9.0.0"
source = "registry+https://index.example/"
checksum = "99"
"#;

    fn locked(name: &str, version: &str, checksum: &str) -> LockedDependency {
        LockedDependency { name: name.to_owned(), version: version.to_owned(), checksum: checksum.to_owned() }
    }

    /// (Pass) What a member needs, through its siblings too, and nothing of what another member needs.
    #[test]
    fn what_a_member_needs() {
        let of_b = vec![locked("from-git", "0.3.0", "git+https://git.example/it#abc"), locked("old", "2.0.0", "22")];
        let lock = Lockfile::parse(Some(LOCK.as_bytes())).expect("a lock");
        assert_eq!(lock.dependencies_of("b", "0.1.0"), of_b);
        let of_a = lock.dependencies_of("a", "0.1.0");
        assert_eq!(
            of_a.iter().map(|one| one.checksum.as_str()).collect::<Vec<_>>(),
            ["git+https://git.example/it#abc", "11", "22"]
        );
        assert_eq!(lock.dependencies_of("nothing", "0.1.0"), []);
        assert!(Lockfile::parse(Some(b"not a lock")).is_err());
    }
}
