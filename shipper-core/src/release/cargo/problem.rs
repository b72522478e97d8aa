//! A problem that the preflight check finds in a manifest.

use std::fmt;

use camino::{Utf8Path, Utf8PathBuf};
use cargo_metadata::{Dependency, DependencyKind, Package};

/// The level of a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    /// The release would fail, so it does not start.
    Error,
    /// The release may fail.
    Warning,
}

/// A problem of a package, with the place to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) level: Level,
    /// The package's name.
    pub(super) package: String,
    /// Path of the package's manifest.
    pub(super) manifest: Utf8PathBuf,
    /// The key in the manifest, with its tables.
    pub(super) key: String,
    /// The text about the cause.
    pub(super) message: String,
    /// The remedy.
    pub(super) help: String,
}

impl Problem {
    /// Creates a problem of a package at a key of its manifest.
    pub(super) fn new(
        level: Level,
        package: &Package,
        key: impl Into<String>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self {
            level,
            package: package.name.to_string(),
            manifest: package.manifest_path.clone(),
            key: key.into(),
            message: message.into(),
            help: help.into(),
        }
    }

    /// Makes the path of the manifest relative to the workspace.
    pub(super) fn relative_to(self, root: &Utf8Path) -> Self {
        let manifest = self.manifest.strip_prefix(root).map(Utf8Path::to_owned);
        Self { manifest: manifest.unwrap_or(self.manifest), ..self }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { package, manifest, key, message, help, .. } = self;
        write!(f, "{package}: {message} ({key} in {manifest}); {help}")
    }
}

/// Returns the key of a dependency in its manifest.
pub(super) fn dependency_key(dependency: &Dependency) -> String {
    let table = match dependency.kind {
        DependencyKind::Development => "dev-dependencies",
        DependencyKind::Build => "build-dependencies",
        _ => "dependencies",
    };
    let target = dependency.target.as_ref().map(|target| format!("target.'{target}'.")).unwrap_or_default();
    format!("{target}{table}.{}", dependency.rename.as_deref().unwrap_or(&dependency.name))
}
