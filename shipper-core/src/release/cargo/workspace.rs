//! From a workspace to a plan: cargo itself packs what may be published, and the plan is named by what is in the packages.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use cargo_metadata::{DependencyKind, MetadataCommand, Package, TargetKind};
use tempfile::TempDir;
use thiserror::Error;

use super::command::Secrets;
use super::config::{Config, ConfigError};
use super::lock::needed;
use super::package::{Files, LOCK, content, unpack};
use crate::release::plan::{Locked, Plan, PlanError, Planned, PlannedFile};
use crate::release::target::Target;

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
    /// Cargo's configuration is not what a release needs.
    #[error(transparent)]
    Config(#[from] ConfigError),
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
    config: Config,
}

/// A package as cargo would upload it.
#[derive(Debug, Clone)]
pub(super) struct Packed {
    pub(super) files: Files,
    /// What its manifest calls the packages of this workspace that it depends on and that are published before it.
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
    /// When cargo cannot read or pack it, nothing of it may be published, or the registry is not configured.
    pub fn read(manifest: &Utf8Path, live_registry: &str) -> Result<Self, WorkspaceError> {
        let unread = |source| WorkspaceError::Metadata { manifest: manifest.to_owned(), source: Box::new(source) };
        let path = manifest.canonicalize_utf8().unwrap_or_else(|_| manifest.to_owned());
        let mut reading = MetadataCommand::new();
        // Cargo's configuration and toolchain are those that hold where it is run.
        if let Some(directory) = path.parent().filter(|directory| directory.is_dir()) {
            reading.current_dir(directory);
        }
        let metadata = reading.manifest_path(&path).exec().map_err(unread)?;
        let root = metadata.workspace_root.clone();
        let config = Config::read(&root)?;
        let live = config.registry(live_registry)?;
        let publishable: Vec<&Package> = metadata
            .workspace_packages()
            .into_iter()
            .filter(|package| {
                package.publish.as_ref().is_none_or(|registries| registries.iter().any(|name| name == live_registry))
            })
            .collect();
        // Development dependencies may go round in a circle, since only they are not built for whoever depends on a package.
        let order = in_order(&publishable, true).or_else(|_| in_order(&publishable, false))?;
        let lock = read_lock(&root)?;
        let mut packed = pack(&root, &order, &config)?;
        let planned = order.iter().map(|package| {
            let (name, version) = (package.name.to_string(), package.version.to_string());
            let files = packed.get(&name).map(|packed| planned_files(&packed.files)).unwrap_or_default();
            let locked = locked(lock.as_deref(), &name, &version)?;
            let has_program = package.targets.iter().any(|target| target.kind.contains(&TargetKind::Bin));
            Ok(Planned { name, version, files, locked, has_program })
        });
        let plan = Plan::new(live, planned.collect::<io::Result<_>>()?)?;
        let mut earlier: BTreeSet<&str> = BTreeSet::new();
        for package in order {
            // One that comes later is looked up where a publish for real would look for it.
            let siblings = package
                .dependencies
                .iter()
                .filter(|dependency| dependency.path.is_some() && earlier.contains(dependency.name.as_str()));
            let called = siblings.map(|sibling| sibling.rename.as_ref().unwrap_or(&sibling.name).clone());
            if let Some(packed) = packed.get_mut(package.name.as_str()) {
                packed.siblings = called.collect();
            }
            earlier.insert(&package.name);
        }
        Ok(Self { root, plan, packed, lock, config })
    }

    /// What would be published.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Its directory.
    pub fn root(&self) -> &Utf8Path {
        &self.root
    }

    /// A registry as cargo's configuration for the workspace knows it: by its environment variable, by the configuration
    /// files of the workspace's directory and those above it, or by that of cargo's home.
    ///
    /// # Errors
    ///
    /// When it is not configured, or has no sparse index.
    pub fn registry(&self, name: &str) -> Result<Target, ConfigError> {
        self.config.registry(name)
    }

    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    pub(super) fn lock(&self) -> Option<&[u8]> {
        self.lock.as_deref()
    }

    pub(super) fn packed(&self, name: &str) -> Option<&Packed> {
        self.packed.get(name)
    }

    /// What packs one package again, into that directory; unless told otherwise, only what is committed.
    pub(super) fn packing(&self, package: &Planned, allow_dirty: bool, into: &Utf8Path) -> Command {
        let mut command = packing(&self.root, [(&*package.name, &*package.version)], into);
        if allow_dirty {
            command.arg("--allow-dirty");
        }
        command
    }

    /// Whether a package that was packed again is still what the plan says.
    pub(super) fn is_unchanged(&self, package: &Planned, packed_into: &Utf8Path) -> io::Result<bool> {
        let (name, version) = (&package.name, &package.version);
        let files = packed_file(packed_into, name, version)?;
        let locked = locked(read_lock(&self.root)?.as_deref(), name, version)?;
        Ok(planned_files(&files) == package.files && locked == package.locked)
    }
}

/// The files of a package, as a plan names them.
fn planned_files(files: &Files) -> Vec<PlannedFile> {
    let files = content(files);
    files.map(|(path, file)| PlannedFile { path: path.to_owned(), blake3: blake3::hash(&file.bytes) }).collect()
}

fn read_lock(root: &Utf8Path) -> io::Result<Option<Vec<u8>>> {
    match fs_err::read(root.join(LOCK)) {
        Ok(lock) => Ok(Some(lock)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn locked(lock: Option<&[u8]>, name: &str, version: &str) -> io::Result<Vec<Locked>> {
    lock.map_or(Ok(Vec::new()), |lock| needed(lock, name, version))
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
fn pack(root: &Utf8Path, packages: &[&Package], config: &Config) -> Result<BTreeMap<String, Packed>, WorkspaceError> {
    if packages.is_empty() {
        return Err(PlanError::Nothing.into());
    }
    let place = temporary_directory()?;
    let target = path_of(&place)?;
    let named: Vec<(&str, String)> = packages.iter().map(|one| (one.name.as_str(), one.version.to_string())).collect();
    // What is not committed is packed as well, so that it is in the plan.
    let mut packing = packing(root, named.iter().map(|(name, version)| (*name, version.as_str())), target);
    let output = packing.arg("--allow-dirty").output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.lines().rev().take(8).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("; ");
        let said = Secrets::of(config.secrets()).hide(&said);
        return Err(WorkspaceError::NotPacked { said: shipper_events::neutral(&said).at_most(1000).to_string() });
    }
    let packed = named.iter().map(|(name, version)| {
        let files = packed_file(target, name, version)?;
        Ok(((*name).to_owned(), Packed { files, siblings: BTreeSet::new() }))
    });
    packed.collect()
}

/// What packs packages, into that directory.
fn packing<'p>(root: &Utf8Path, packages: impl IntoIterator<Item = (&'p str, &'p str)>, into: &Utf8Path) -> Command {
    let mut command = Command::new(cargo());
    command.current_dir(root).args(["package", "--no-verify", "--exclude-lockfile"]);
    command.arg("--target-dir").arg(into);
    for (name, version) in packages {
        command.args(["-p", &format!("{name}@{version}")]);
    }
    command
}

/// A package that was packed into that directory.
fn packed_file(directory: &Utf8Path, name: &str, version: &str) -> io::Result<Files> {
    unpack(fs_err::File::open(directory.join("package").join(format!("{name}-{version}.crate")))?)
}

/// A place for what goes away.
pub(super) fn temporary_directory() -> io::Result<TempDir> {
    tempfile::Builder::new().prefix("shipper-").tempdir()
}

/// Where such a place is.
pub(super) fn path_of(place: &TempDir) -> io::Result<&Utf8Path> {
    Utf8Path::from_path(place.path()).ok_or_else(|| io::Error::other("the temporary directory's path is not UTF-8"))
}

/// Cargo, as whoever started us means it.
pub(super) fn cargo() -> std::ffi::OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}
