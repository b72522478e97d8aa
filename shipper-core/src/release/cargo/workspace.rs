//! Workspaces: cargo packs the packages to publish, and a plan identifies them by their content.

use std::collections::BTreeMap;
use std::io::{self, Seek};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use cargo_metadata::{Metadata, MetadataCommand, Package, TargetKind};
use thiserror::Error;

use super::config::{CargoConfig, ConfigError, if_exists};
use super::crate_file::{CrateFiles, LOCK_FILE, first_difference, source_files, unpack};
use super::http::check_settings;
use super::lockfile;
use super::order::publish_order;
use super::process::{WorkDir, cargo_program, run};
use super::redact::Redactor;
use super::sibling::{SiblingRegistries, sibling_registries};
use crate::release::plan::{Plan, PlanError, PlannedFile, PlannedPackage};
use crate::release::publisher::{CancelToken, StepContext};
use crate::release::registry::Registry;

/// The error for a workspace from which no plan can be made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WorkspaceError {
    /// Cargo cannot read the workspace.
    #[error("cannot read the workspace of {manifest}: {stderr}")]
    NotRead {
        /// The manifest that the caller named.
        manifest: Utf8PathBuf,
        /// The errors that cargo printed, safe to show.
        stderr: String,
    },
    /// The metadata that cargo printed cannot be read.
    #[error("cannot parse the metadata that cargo printed for {manifest} (check the version of cargo)")]
    Metadata {
        /// The manifest that the caller named.
        manifest: Utf8PathBuf,
        /// Error of the parser.
        source: Box<cargo_metadata::Error>,
    },
    /// Cargo's configuration does not fit a release.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Cargo's files cannot be read or written.
    #[error("cannot prepare the packages")]
    Packages(#[from] io::Error),
    /// Cargo cannot pack the workspace.
    #[error("cannot pack the workspace: {stderr}")]
    NotPacked {
        /// The errors that cargo printed, safe to show.
        stderr: String,
    },
    /// Cargo's configuration patches a package of the plan, or one of its dependencies.
    #[error("{path} patches {package}, but not for users; move the patch to the workspace's Cargo.toml")]
    Patched {
        /// Path of the configuration file.
        path: Utf8PathBuf,
        /// The package's name.
        package: String,
    },
    /// The dependencies of packages form a cycle.
    #[error("cannot order the packages: cyclic dependencies between {packages}")]
    DependencyCycle {
        /// The packages' names.
        packages: String,
    },
    /// No plan can be made of the packages.
    #[error(transparent)]
    Plan(#[from] PlanError),
}

/// A workspace at the time of reading: its plan, and the packages that cargo would upload.
pub struct Workspace {
    root: Utf8PathBuf,
    plan: Plan,
    packages: BTreeMap<String, PackedPackage>,
    /// The workspace's `Cargo.lock`; `None` if it has none.
    pub(super) lock_file: Option<Vec<u8>>,
    pub(super) config: CargoConfig,
    pub(super) siblings: SiblingRegistries,
}

/// The directory of a package, and its files as cargo would upload them.
struct PackedPackage {
    directory: Utf8PathBuf,
    files: CrateFiles,
}

impl Workspace {
    /// Reads the workspace of a manifest, and plans the packages that may be published to that registry.
    ///
    /// Cargo resolves the dependencies, which writes a missing `Cargo.lock`, and packs the packages in a temporary directory
    /// without building them. `cancel` stops cargo.
    ///
    /// # Errors
    ///
    /// See [`WorkspaceError`].
    pub fn read(manifest: &Utf8Path, live_registry: &str, cancel: &CancelToken) -> Result<Self, WorkspaceError> {
        let metadata = read_metadata(manifest, cancel)?;
        let root = metadata.workspace_root.clone();
        let config = CargoConfig::read(&root)?;
        let live = config.registry(live_registry)?;
        check_settings(&config, &live)?;
        let may_be_published = |package: &&Package| {
            package.publish.as_ref().is_none_or(|registries| registries.iter().any(|name| name == live_registry))
        };
        let publishable: Vec<&Package> = metadata.workspace_packages().into_iter().filter(may_be_published).collect();
        let order = publish_order(&publishable).map_err(|packages| WorkspaceError::DependencyCycle { packages })?;
        let lock_file = if_exists(fs_err::read(root.join(LOCK_FILE)))?;
        let lockfile = lockfile::parse(lock_file.as_deref())?;
        if let Some((path, package)) = config.find_patch(lockfile.packages.iter().map(|package| package.name.as_str()))
        {
            return Err(WorkspaceError::Patched { path: path.to_owned(), package: package.to_owned() });
        }
        let packages = pack(&root, &order, &config, cancel)?;
        let planned = order.iter().map(|package| {
            let (name, version) = (package.name.to_string(), package.version.to_string());
            let files = packages.get(&name).into_iter().flat_map(|packed| source_files(&packed.files));
            let files = files.map(|(path, file)| PlannedFile::new(path, &file.bytes)).collect();
            PlannedPackage {
                locked: lockfile::dependencies_of(&lockfile, &name, &version),
                has_program: package.targets.iter().any(|target| target.kind.contains(&TargetKind::Bin)),
                ..PlannedPackage::new(name, version, files)
            }
        });
        let plan = Plan::new(live, planned.collect())?;
        Ok(Self { root, plan, packages, lock_file, config, siblings: sibling_registries(&publishable) })
    }

    /// Returns the package of the plan that contains files of that directory: a log there would change the plan.
    pub fn package_containing(&self, directory: &Utf8Path) -> Option<&PlannedPackage> {
        let directory = directory.canonicalize_utf8().ok()?;
        self.plan.packages().iter().find(|package| {
            let root = self.packages.get(&package.name).and_then(|packed| packed.directory.canonicalize_utf8().ok());
            let relative = root.as_ref().and_then(|root| directory.strip_prefix(root).ok());
            relative.is_some_and(|path| package.files.iter().any(|file| Utf8Path::new(&file.path).starts_with(path)))
        })
    }

    /// Returns the plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Returns the workspace's directory.
    pub fn root(&self) -> &Utf8Path {
        &self.root
    }

    /// Finds a registry as cargo does: in an environment variable, in the configuration of the workspace's directory
    /// and those above it, or in cargo's home.
    ///
    /// # Errors
    ///
    /// See [`ConfigError`].
    pub fn registry(&self, name: &str) -> Result<Registry, ConfigError> {
        let registry = self.config.registry(name)?;
        check_settings(&self.config, &registry)?;
        Ok(registry)
    }

    pub(super) fn files(&self, name: &str) -> Option<&CrateFiles> {
        self.packages.get(name).map(|packed| &packed.files)
    }

    /// Returns the first of the packages in that directory that differs from the plan, and the path that differs.
    pub(super) fn first_change<'p>(
        &self,
        packages: &'p [PlannedPackage],
        packed_into: &Utf8Path,
    ) -> io::Result<Option<(&'p PlannedPackage, String)>> {
        let lockfile = lockfile::parse(if_exists(fs_err::read(self.root.join(LOCK_FILE)))?.as_deref())?;
        for package in packages {
            let files = read_packed(packed_into, &package.id())?;
            let change = self.files(&package.name).map_or(Some(String::new()), |ours| first_difference(ours, &files));
            let locked = lockfile::dependencies_of(&lockfile, &package.name, &package.version);
            if let Some(path) = change.or_else(|| (locked != package.locked).then(|| LOCK_FILE.to_owned())) {
                return Ok(Some((package, path)));
            }
        }
        Ok(None)
    }
}

/// The time limit for reading a workspace, and for packing it. Cargo does not build, but may wait for a registry or a
/// lock.
const CARGO_TIMEOUT: Duration = Duration::from_secs(10 * 60);

fn read_metadata(manifest: &Utf8Path, cancel: &CancelToken) -> Result<Metadata, WorkspaceError> {
    let path = manifest.canonicalize_utf8().unwrap_or_else(|_| manifest.to_owned());
    let mut command = MetadataCommand::new();
    command.manifest_path(&path);
    // Cargo uses the configuration and the toolchain of its working directory.
    let mut redactor = Redactor::default();
    if let Some(directory) = path.parent().filter(|directory| directory.is_dir()) {
        command.current_dir(directory);
        redactor = Redactor::new(CargoConfig::read(directory)?.secrets());
    }
    let mut output = tempfile::tempfile()?;
    let mut context = StepContext { deadline: Instant::now() + CARGO_TIMEOUT, cancel, progress: &mut () };
    run(command.cargo_command(), output.try_clone()?.into(), &mut context, &redactor).map_err(|failure| {
        WorkspaceError::NotRead { manifest: manifest.to_owned(), stderr: failure.sanitized().message }
    })?;
    output.rewind()?;
    MetadataCommand::parse(io::read_to_string(output)?)
        .map_err(|source| WorkspaceError::Metadata { manifest: manifest.to_owned(), source: Box::new(source) })
}

/// Packs packages with cargo, and returns them by name.
fn pack(
    root: &Utf8Path,
    packages: &[&Package],
    config: &CargoConfig,
    cancel: &CancelToken,
) -> Result<BTreeMap<String, PackedPackage>, WorkspaceError> {
    if packages.is_empty() {
        return Err(PlanError::Empty.into());
    }
    let work_dir = WorkDir::create()?;
    let id = |package: &Package| format!("{}@{}", package.name, package.version);
    // Uncommitted files belong to the plan. The check for them comes before anything is published.
    let command = package_command(root, packages.iter().map(|package| id(package)), true, work_dir.path());
    let mut context = StepContext { deadline: Instant::now() + CARGO_TIMEOUT, cancel, progress: &mut () };
    run(command, Stdio::piped(), &mut context, &Redactor::new(config.secrets()))
        .map_err(|failure| WorkspaceError::NotPacked { stderr: failure.sanitized().message })?;
    let packed = packages.iter().map(|package| {
        let directory = package.manifest_path.parent().map(ToOwned::to_owned).unwrap_or_default();
        let files = read_packed(work_dir.path(), &id(package))?;
        Ok((package.name.to_string(), PackedPackage { directory, files }))
    });
    packed.collect()
}

/// Returns the command that packs packages, only from committed files unless `allow_dirty`.
pub(super) fn package_command(
    root: &Utf8Path,
    ids: impl Iterator<Item = String>,
    allow_dirty: bool,
    into: &Utf8Path,
) -> Command {
    let mut command = Command::new(cargo_program());
    command.current_dir(root).args(["package", "--no-verify", "--exclude-lockfile"]);
    command.arg("--target-dir").arg(into).args(ids.flat_map(|id| ["-p".to_owned(), id]));
    command.args(allow_dirty.then_some("--allow-dirty"));
    command
}

/// Reads the package `name@version` that cargo packed into that directory.
fn read_packed(directory: &Utf8Path, id: &str) -> io::Result<CrateFiles> {
    let file = format!("{}.crate", id.replacen('@', "-", 1));
    unpack(fs_err::File::open(directory.join("package").join(file))?)
}
