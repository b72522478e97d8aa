//! From a workspace to a plan: cargo itself packs what may be published, and the plan is named by what is in the packages.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package, TargetKind};
use thiserror::Error;

use super::package::{Files, content, unpack};
use crate::release::plan::{Plan, PlanError, Planned, PlannedFile};

/// A workspace cannot be planned.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WorkspaceError {
    /// Cargo does not understand it.
    #[error("cargo cannot read the workspace of {manifest}")]
    Metadata {
        /// The manifest that was named.
        manifest: Utf8PathBuf,
        /// What cargo said.
        source: Box<cargo_metadata::Error>,
    },
    /// Cargo could not be run, or what it made not be read.
    #[error("the packages cannot be made")]
    Packages(#[from] io::Error),
    /// Cargo could not pack it.
    #[error("cargo cannot pack the workspace: {said}")]
    NotPacked {
        /// What it said last, made safe to show.
        said: String,
    },
    /// Packages depend on each other in a circle.
    #[error("these packages depend on each other in a circle, so that none can be published first: {packages}")]
    Circle {
        /// Their names.
        packages: String,
    },
    /// The packages make no plan.
    #[error(transparent)]
    Plan(#[from] PlanError),
}

/// A workspace as it stood when it was read: its plan, and what cargo would upload.
#[derive(Debug, Clone)]
pub struct Workspace {
    root: Utf8PathBuf,
    plan: Plan,
    packed: BTreeMap<String, Packed>,
    /// Its `Cargo.lock`, if it has one.
    lock: Option<Vec<u8>>,
}

/// A package as cargo would upload it.
#[derive(Debug, Clone)]
pub(super) struct Packed {
    pub(super) files: Files,
    /// The packages of this workspace that it depends on and that are published before it.
    pub(super) siblings: BTreeSet<String>,
}

impl Workspace {
    /// Reads the workspace of a manifest, as far as it may be published to the live registry of that name.
    ///
    /// Cargo resolves its dependencies, which writes a missing `Cargo.lock`, and packs its packages in a temporary
    /// directory, without building them.
    ///
    /// # Errors
    ///
    /// When cargo cannot read or pack it, or nothing of it may be published.
    pub fn read(manifest: &Utf8Path, live_registry: &str) -> Result<Self, WorkspaceError> {
        let metadata = MetadataCommand::new()
            .manifest_path(manifest)
            .exec()
            .map_err(|source| WorkspaceError::Metadata { manifest: manifest.to_owned(), source: Box::new(source) })?;
        let root = metadata.workspace_root.clone();
        let publishable: Vec<&Package> = metadata
            .workspace_packages()
            .into_iter()
            .filter(|package| {
                package.publish.as_ref().is_none_or(|registries| registries.iter().any(|name| name == live_registry))
            })
            .collect();
        // Development dependencies may go round in a circle, since only they are not built for whoever depends on a package.
        let order = in_order(&publishable, true).or_else(|_| in_order(&publishable, false))?;
        let lock = fs_err::read(root.join("Cargo.lock")).ok();
        let mut packed = pack(&metadata, &order)?;
        let planned = order.iter().map(|package| {
            let files = packed.get(package.name.as_str()).map(|packed| &packed.files);
            let has_program = package.targets.iter().any(|target| target.kind.contains(&TargetKind::Bin));
            Planned {
                name: package.name.to_string(),
                version: package.version.to_string(),
                files: files.map(|files| planned_files(files, lock.as_deref())).unwrap_or_default(),
                has_program,
            }
        });
        let plan = Plan::new(planned.collect())?;
        let mut earlier: BTreeSet<String> = BTreeSet::new();
        for package in order {
            let by_path = package.dependencies.iter().filter(|dependency| dependency.path.is_some());
            if let Some(packed) = packed.get_mut(package.name.as_str()) {
                // One that comes later is looked up where a publish for real would look for it.
                packed.siblings =
                    by_path.map(|dependency| dependency.name.clone()).filter(|name| earlier.contains(name)).collect();
            }
            earlier.insert(package.name.to_string());
        }
        Ok(Self { root, plan, packed, lock })
    }

    /// Whether cargo would still pack a package as the plan says.
    pub(super) fn is_unchanged(&self, package: &Planned) -> Result<bool, WorkspaceError> {
        let metadata = metadata(&self.root.join("Cargo.toml"))?;
        let members = metadata.workspace_packages();
        let is_it = |member: &&&Package| *member.name == package.name && member.version.to_string() == package.version;
        let Some(member) = members.iter().find(is_it) else {
            return Ok(false);
        };
        let packed = pack(&metadata, &[member])?;
        let lock = fs_err::read(self.root.join("Cargo.lock")).ok();
        let now = packed.get(&package.name).map(|packed| planned_files(&packed.files, lock.as_deref()));
        Ok(now.as_ref() == Some(&package.files))
    }

    /// What would be published.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Its directory.
    pub fn root(&self) -> &Utf8Path {
        &self.root
    }

    pub(super) fn lock(&self) -> Option<&[u8]> {
        self.lock.as_deref()
    }

    pub(super) fn packed(&self, name: &str) -> Option<&Packed> {
        self.packed.get(name)
    }
}

fn metadata(manifest: &Utf8Path) -> Result<Metadata, WorkspaceError> {
    MetadataCommand::new()
        .manifest_path(manifest)
        .exec()
        .map_err(|source| WorkspaceError::Metadata { manifest: manifest.to_owned(), source: Box::new(source) })
}

/// The files of a package, as a plan names them. Packages carry what their dependencies were resolved to.
fn planned_files(files: &Files, lock: Option<&[u8]>) -> Vec<PlannedFile> {
    let lock = lock.map(|lock| ("Cargo.lock", lock));
    let named = |(path, bytes): (&str, &[u8])| PlannedFile { path: path.to_owned(), blake3: blake3::hash(bytes) };
    content(files).chain(lock).map(named).collect()
}

/// The packages, each after those that it depends on, `for_tests` also for its tests; those that do not depend on each
/// other by name.
fn in_order<'p>(packages: &[&'p Package], for_tests: bool) -> Result<Vec<&'p Package>, WorkspaceError> {
    let names: BTreeSet<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    let mut waiting: BTreeMap<&str, (&Package, BTreeSet<&str>)> = BTreeMap::new();
    for package in packages {
        let needs = package.dependencies.iter().filter(|dependency| {
            // A development dependency without a version is not published.
            let counts = dependency.kind != DependencyKind::Development
                || for_tests && dependency.req != cargo_metadata::semver::VersionReq::STAR;
            dependency.path.is_some() && counts && dependency.name != package.name.as_str()
        });
        let needs = needs.map(|dependency| dependency.name.as_str()).filter(|name| names.contains(name));
        waiting.insert(package.name.as_str(), (package, needs.collect()));
    }
    let mut order = Vec::new();
    while !waiting.is_empty() {
        let Some(next) = waiting.iter().find(|(_, (_, needs))| needs.is_empty()).map(|(name, _)| *name) else {
            let packages = waiting.keys().copied().collect::<Vec<_>>().join(", ");
            return Err(WorkspaceError::Circle { packages });
        };
        if let Some((package, _)) = waiting.remove(next) {
            order.push(package);
        }
        for (_, needs) in waiting.values_mut() {
            needs.remove(next);
        }
    }
    Ok(order)
}

/// Has cargo pack the packages, and reads what it made.
fn pack(metadata: &Metadata, packages: &[&Package]) -> Result<BTreeMap<String, Packed>, WorkspaceError> {
    if packages.is_empty() {
        return Err(PlanError::Nothing.into());
    }
    let target = tempfile::tempdir()?;
    let mut command = Command::new(cargo());
    command.current_dir(&metadata.workspace_root).args([
        "package",
        "--no-verify",
        "--allow-dirty",
        "--exclude-lockfile",
    ]);
    command.arg("--target-dir").arg(target.path());
    for package in packages {
        command.args(["-p", &format!("{}@{}", package.name, package.version)]);
    }
    let output = command.output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.lines().rev().take(8).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("; ");
        return Err(WorkspaceError::NotPacked { said: shipper_events::neutral(&said).at_most(1000).to_string() });
    }
    let mut packed = BTreeMap::new();
    for package in packages {
        let name = format!("{}-{}.crate", package.name, package.version);
        let files = unpack(fs_err::File::open(target.path().join("package").join(name))?)?;
        packed.insert(package.name.to_string(), Packed { files, siblings: BTreeSet::new() });
    }
    Ok(packed)
}

/// Cargo, as whoever started us means it.
pub(super) fn cargo() -> std::ffi::OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}
