//! The plan: the packages to publish, identified by their content.
//!
//! The ID of a plan is the BLAKE3 hash of its canonical form, a text:
//!
//! ```text
//! shipper.plan.v1
//! package zq-a 0.1.0
//! 5d41…  Cargo.toml
//! 9e10…  src/lib.rs
//! 77f0…  tools/generate.sh
//! executable tools/generate.sh
//! locked itoa 1.0.15 4a5f…
//! package zq-b 0.1.0
//! …
//! ```
//!
//! Every line ends with LF. Packages are sorted by name, then by version. The files of a package are sorted by the bytes
//! of their paths and written as `b3sum` prints them: hash, two spaces, path. The paths of executable files follow in the
//! same order, then the dependencies from outside the workspace in its `Cargo.lock` as sorted lines, with their
//! checksums. Nothing else is part of the form: not the order of members or dependencies, the directory of the checkout,
//! a time or a registry.
//!
//! The hash of the lines about the files of a package is its [`content`](PlannedPackage::content) in the log.

use std::collections::BTreeSet;

use shipper_events::PlanId;
use shipper_events::event::GitCommit;
use thiserror::Error;

use super::registry::{Registry, shown};

/// The packages to publish, in the order of their publication, and the live registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    plan_id: PlanId,
    canonical_form: String,
    live: Registry,
    packages: Vec<PlannedPackage>,
    git: Option<GitCommit>,
}

/// A package of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlannedPackage {
    /// The package's name.
    pub name: String,
    /// The package's version.
    pub version: String,
    /// The files in the package, except for `Cargo.lock`.
    pub files: Vec<PlannedFile>,
    /// The packages in its `Cargo.lock`, except for those of the workspace. Empty by default.
    pub locked: Vec<LockedDependency>,
    /// `true` if the package installs a program. `false` by default.
    pub has_program: bool,
}

/// A file of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedFile {
    /// The file's path in the package, with `/` between its parts.
    pub path: String,
    /// The BLAKE3 hash of the file's bytes.
    pub blake3: blake3::Hash,
    /// `true` if the package gives the file's owner the permission to execute it.
    pub executable: bool,
}

/// A dependency from outside the workspace, as `Cargo.lock` records it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LockedDependency {
    /// The package's name.
    pub name: String,
    /// The package's version.
    pub version: String,
    /// The package's checksum, or its source if it has no checksum.
    pub checksum: String,
}

/// The error for packages that do not make a plan.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PlanError {
    /// The plan has no package.
    #[error("the plan has no packages; check `publish` in the manifests")]
    Empty,
    /// Two packages, or two files of a package, have the same name.
    #[error("duplicate {what} in the plan")]
    Duplicate {
        /// The package or file, safe to show.
        what: String,
    },
    /// A name is empty or contains text that could give two plans the same ID.
    #[error("invalid name {what} in the plan: it is empty, or has a space or a control character")]
    InvalidName {
        /// The package or file, safe to show.
        what: String,
    },
}

impl PlannedPackage {
    /// Creates a package without locked dependencies and without a program.
    pub fn new(name: impl Into<String>, version: impl Into<String>, files: Vec<PlannedFile>) -> Self {
        Self { name: name.into(), version: version.into(), files, locked: Vec::new(), has_program: false }
    }

    /// Returns the package's name in events: `name@version`.
    pub fn id(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }

    /// Returns the hash of the files in events: the member `content` of `docs/log-format.md`. It depends on their paths,
    /// bytes and permissions to execute.
    pub fn content(&self) -> blake3::Hash {
        content_of(&self.files)
    }
}

impl PlannedFile {
    /// Creates a file with the hash of these bytes, which is not executable.
    pub fn new(path: impl Into<String>, bytes: &[u8]) -> Self {
        Self { path: path.into(), blake3: blake3::hash(bytes), executable: false }
    }

    /// Sets the permission to execute the file.
    #[must_use]
    pub fn executable(self, executable: bool) -> Self {
        Self { executable, ..self }
    }
}

impl Plan {
    /// Creates the plan that publishes these packages to that registry, in this order. Each package must follow those that
    /// it depends on.
    ///
    /// ```
    /// use shipper_core::release::{Plan, PlannedPackage, PlannedFile, Registry};
    /// let live = || Registry { name: "live".parse().unwrap(), index: "sparse+https://registry.example/index/".to_owned() };
    /// let package = |name: &str, source: &[u8]| PlannedPackage::new(name, "0.1.0", vec![
    ///     PlannedFile::new("Cargo.toml", b"[package]"),
    ///     PlannedFile::new("src/lib.rs", source),
    /// ]);
    /// let plan = Plan::new(live(), vec![package("a", b"// a"), package("b", b"// b")])?;
    /// let reordered = Plan::new(live(), vec![package("b", b"// b"), package("a", b"// a")])?;
    /// let changed = Plan::new(live(), vec![package("a", b"// a"), package("b", b"// B")])?;
    /// assert_eq!(plan.plan_id(), reordered.plan_id());
    /// assert_ne!(plan.plan_id(), changed.plan_id());
    /// # Ok::<(), shipper_core::release::PlanError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`PlanError::Empty`] without packages; [`PlanError::Duplicate`] and [`PlanError::InvalidName`] if names do not
    /// distinguish the packages or files.
    pub fn new(live: Registry, packages: Vec<PlannedPackage>) -> Result<Self, PlanError> {
        if packages.is_empty() {
            return Err(PlanError::Empty);
        }
        let canonical_form = canonical_form(&packages)?;
        #[expect(clippy::expect_used, reason = "the text of a hash has 64 characters")]
        let plan_id = blake3::hash(canonical_form.as_bytes())
            .to_string()
            .parse()
            .expect("invariant: a hash is not an empty name");
        Ok(Self { plan_id, canonical_form, live, packages, git: None })
    }

    /// Sets the git commit of the workspace, which a rehearsal and a run record. It is not part of the ID. By default, it
    /// is `None`.
    #[must_use]
    pub fn with_git(self, git: Option<GitCommit>) -> Self {
        Self { git, ..self }
    }

    /// Returns the git commit of the workspace; `None` if it is not known.
    pub fn git(&self) -> Option<&GitCommit> {
        self.git.as_ref()
    }

    /// Returns the plan's ID: 64 lowercase hexadecimal digits.
    pub fn plan_id(&self) -> &PlanId {
        &self.plan_id
    }

    /// Returns the registry to which the plan is to be published. It is not part of the ID.
    pub fn live(&self) -> &Registry {
        &self.live
    }

    /// Returns the packages in the order of their publication.
    pub fn packages(&self) -> &[PlannedPackage] {
        &self.packages
    }

    /// Returns the text whose BLAKE3 hash is the plan's ID.
    pub fn canonical_form(&self) -> &str {
        &self.canonical_form
    }
}

fn canonical_form(packages: &[PlannedPackage]) -> Result<String, PlanError> {
    let mut sorted: Vec<&PlannedPackage> = packages.iter().collect();
    sorted.sort_by_key(|package| (&package.name, &package.version));
    let mut form = "shipper.plan.v1\n".to_owned();
    let mut previous = None;
    for package in sorted {
        let PlannedPackage { name, version, .. } = package;
        check_word(name)?;
        check_word(version)?;
        if previous.replace((name, version)) == Some((name, version)) {
            return Err(PlanError::Duplicate { what: shown(&package.id()) });
        }
        form += &format!("package {name} {version}\n");
        check_files(&package.files)?;
        form += &listing(&package.files);
        let mut locked: Vec<&LockedDependency> = package.locked.iter().collect();
        locked.sort();
        for LockedDependency { name, version, checksum } in locked {
            [name, version, checksum].into_iter().try_for_each(|word| check_word(word))?;
            form += &format!("locked {name} {version} {checksum}\n");
        }
    }
    Ok(form)
}

fn check_files(files: &[PlannedFile]) -> Result<(), PlanError> {
    let mut paths = BTreeSet::new();
    for PlannedFile { path, .. } in files {
        if path.is_empty() || path.chars().any(char::is_control) {
            return Err(PlanError::InvalidName { what: shown(path) });
        }
        if !paths.insert(path) {
            return Err(PlanError::Duplicate { what: shown(path) });
        }
    }
    Ok(())
}

/// Returns the lines about files.
fn listing(files: &[PlannedFile]) -> String {
    let mut sorted: Vec<&PlannedFile> = files.iter().collect();
    sorted.sort_by_key(|file| file.path.as_bytes());
    let hashes = sorted.iter().map(|file| format!("{}  {}\n", file.blake3, file.path));
    let executables = sorted.iter().filter(|file| file.executable).map(|file| format!("executable {}\n", file.path));
    hashes.chain(executables).collect()
}

/// Returns the hash of the lines about files.
pub(super) fn content_of(files: &[PlannedFile]) -> blake3::Hash {
    blake3::hash(listing(files).as_bytes())
}

fn check_word(text: &str) -> Result<(), PlanError> {
    let invalid = text.is_empty() || text.chars().any(|c| c.is_control() || c == ' ');
    if invalid { Err(PlanError::InvalidName { what: shown(text) }) } else { Ok(()) }
}
