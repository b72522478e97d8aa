//! Workspaces: cargo packs the packages to publish, and a plan identifies them by their content.

use std::collections::BTreeMap;
use std::io::{self, Seek};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use cargo_metadata::{Metadata, MetadataCommand, Package, TargetKind};
use shipper_events::event::GitCommit;
use thiserror::Error;

use super::config::{CargoConfig, ConfigError, if_exists};
use super::crate_file::{CrateFiles, LOCK_FILE, MANIFEST, VCS_FILE, bytes, first_difference, source_files, unpack};
use super::http::check_settings;
use super::index::sha256;
use super::lockfile;
use super::order::publish_order;
use super::process::{WorkDir, cargo_program, run};
use super::published_deps::PublishedDependencies;
use super::redact::Redactor;
use super::sibling::{SiblingRegistries, sibling_registries};
use super::vcs::{commit_of, differs_from_commit};
use crate::release::plan::{Plan, PlanError, PlannedFile, PlannedPackage};
use crate::release::publisher::{CancelToken, Progress, StepContext};
use crate::release::registry::{Registry, shown};

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
    /// The workspace's `Cargo.lock`, which the plan depends on, is not that of the commit.
    #[error("{path} is not committed; commit it, or pass --allow-dirty")]
    UncommittedLock {
        /// Path of the file.
        path: Utf8PathBuf,
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
    /// A named package is not a member that may be published to the live registry.
    #[error("the workspace has no package {name} that may be published to the live registry")]
    UnknownPackage {
        /// The name that the caller gave, safe to show.
        name: String,
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
    pub(super) allow_dirty: bool,
    /// All members, also those that are not part of the plan.
    pub(super) members: Vec<Package>,
    /// The workspace's `Cargo.lock`; `None` if it has none.
    pub(super) lock_file: Option<Vec<u8>>,
    pub(super) config: CargoConfig,
    pub(super) siblings: SiblingRegistries,
}

/// Options of [`Workspace::read`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct WorkspaceOptions {
    /// Name of the registry to which the packages are published.
    pub live_registry: String,
    /// `true` to plan files that are not committed, as cargo's `--allow-dirty` does; `false` by default.
    pub allow_dirty: bool,
    /// The members to plan; all that may be published if it is empty, the default.
    pub packages: Vec<String>,
    /// Members that are not planned.
    pub exclude: Vec<String>,
}

impl WorkspaceOptions {
    /// Creates the default options for a publish to that registry.
    pub fn new(live_registry: impl Into<String>) -> Self {
        Self { live_registry: live_registry.into(), allow_dirty: false, packages: Vec::new(), exclude: Vec::new() }
    }

    /// Plans only these members; all that may be published if there are none.
    #[must_use]
    pub fn packages(self, packages: Vec<String>) -> Self {
        Self { packages, ..self }
    }

    /// Does not plan these members. Their dependents are built with the versions on the live registry.
    #[must_use]
    pub fn exclude(self, exclude: Vec<String>) -> Self {
        Self { exclude, ..self }
    }

    /// Returns the first of the named packages that no member may be published as.
    fn unknown_package(&self, publishable: &[&Package]) -> Option<&String> {
        let is_known = |name: &str| publishable.iter().any(|package| package.name.as_str() == name);
        self.packages.iter().chain(&self.exclude).find(|name| !is_known(name))
    }

    fn selects(&self, package: &Package) -> bool {
        let names = |names: &[String]| names.iter().any(|name| name == package.name.as_str());
        (self.packages.is_empty() || names(&self.packages)) && !names(&self.exclude)
    }

    /// Plans files that are not committed if `allow_dirty` is true.
    #[must_use]
    pub fn allow_dirty(self, allow_dirty: bool) -> Self {
        Self { allow_dirty, ..self }
    }
}

/// The directory of a package, and the package as cargo would upload it.
struct PackedPackage {
    directory: Utf8PathBuf,
    packed: PackedCrate,
}

/// A `.crate` file that cargo wrote.
pub(super) struct PackedCrate {
    pub(super) files: CrateFiles,
    /// SHA-256 of the file, in lowercase hex digits.
    pub(super) cksum: String,
    /// Length of the file in bytes.
    pub(super) len: u64,
}

impl Workspace {
    /// Reads the workspace of a manifest, and plans the packages that may be published to the live registry.
    ///
    /// Cargo resolves the dependencies, which writes a missing `Cargo.lock`, and packs the packages in a temporary directory
    /// without building them. `cancel` stops cargo, and `progress` gets its output.
    ///
    /// # Errors
    ///
    /// See [`WorkspaceError`].
    pub fn read(
        manifest: &Utf8Path,
        options: &WorkspaceOptions,
        cancel: &CancelToken,
        progress: &mut dyn Progress,
    ) -> Result<Self, WorkspaceError> {
        let live_registry = options.live_registry.as_str();
        let mut context = StepContext { deadline: Instant::now() + CARGO_TIMEOUT, cancel, progress };
        let metadata = read_metadata(manifest, &mut context)?;
        let root = metadata.workspace_root.clone();
        let config = CargoConfig::read(&root)?;
        let live = config.registry(live_registry)?;
        check_settings(&config, &live)?;
        let may_be_published = |package: &&Package| {
            package.publish.as_ref().is_none_or(|registries| registries.iter().any(|name| name == live_registry))
        };
        let members: Vec<Package> = metadata.workspace_packages().into_iter().cloned().collect();
        let publishable: Vec<&Package> = metadata.workspace_packages().into_iter().filter(may_be_published).collect();
        if let Some(name) = options.unknown_package(&publishable) {
            return Err(WorkspaceError::UnknownPackage { name: shown(name) });
        }
        let publishable: Vec<&Package> = publishable.into_iter().filter(|package| options.selects(package)).collect();
        let order = publish_order(&publishable).map_err(|packages| WorkspaceError::DependencyCycle { packages })?;
        let lock_file = if_exists(fs_err::read(root.join(LOCK_FILE)))?;
        let lockfile = lockfile::parse(lock_file.as_deref())?;
        if let Some((path, package)) = config.find_patch(lockfile.packages.iter().map(|package| package.name.as_str()))
        {
            return Err(WorkspaceError::Patched { path: path.to_owned(), package: package.to_owned() });
        }
        let packages = pack(&root, &order, options.allow_dirty, &config, &mut context)?;
        let planned = order.iter().map(|package| {
            let (name, version) = (package.name.to_string(), package.version.to_string());
            let files = packages.get(&name).map(|one| planned_files(&one.packed.files)).unwrap_or_default();
            PlannedPackage {
                locked: lockfile::dependencies_of(&lockfile, PublishedDependencies(&members), &name, &version),
                has_program: package.targets.iter().any(|target| target.kind.contains(&TargetKind::Bin)),
                ..PlannedPackage::new(name, version, files)
            }
        });
        let commit = commit_of(packages.values().map(|one| bytes(&one.packed.files, VCS_FILE)));
        let commit = match commit {
            // Cargo compares only the files of packages with the commit.
            Some(commit) if lock_file.is_some() && differs_from_commit(&root, LOCK_FILE) => {
                if !options.allow_dirty {
                    return Err(WorkspaceError::UncommittedLock { path: root.join(LOCK_FILE) });
                }
                Some(GitCommit::new(commit.commit, true))
            }
            commit => commit,
        };
        let plan = Plan::new(live, planned.collect())?.with_git(commit);
        let (siblings, allow_dirty) = (sibling_registries(&publishable), options.allow_dirty);
        Ok(Self { root, plan, packages, allow_dirty, members, lock_file, config, siblings })
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

    /// Returns the metadata of a member.
    pub(super) fn member(&self, name: &str) -> Option<&Package> {
        self.members.iter().find(|member| member.name == name)
    }

    /// Returns the dependencies of the members.
    pub(super) fn dependencies(&self) -> PublishedDependencies<'_> {
        PublishedDependencies(&self.members)
    }

    pub(super) fn packed(&self, name: &str) -> Option<&PackedCrate> {
        self.packages.get(name).map(|package| &package.packed)
    }

    pub(super) fn files(&self, name: &str) -> Option<&CrateFiles> {
        self.packed(name).map(|packed| &packed.files)
    }

    /// Returns the path of the first file in which a packed package differs from the plan. In its generated `Cargo.lock`,
    /// every package must be in the plan or in the workspace.
    pub(super) fn first_change(&self, package: &PlannedPackage, packed: &CrateFiles) -> io::Result<Option<String>> {
        let Some(ours) = self.files(&package.name) else {
            return Ok(Some(MANIFEST.to_owned()));
        };
        if let Some(path) = first_difference(ours, packed) {
            return Ok(Some(path));
        }
        if bytes(ours, VCS_FILE) != bytes(packed, VCS_FILE) {
            return Ok(Some(VCS_FILE.to_owned()));
        }
        let generated = bytes(packed, LOCK_FILE).unwrap_or_default();
        let unplanned = lockfile::find_unplanned(generated, &package.locked, self.dependencies())?;
        Ok(unplanned.map(|unplanned| format!("{LOCK_FILE}: {unplanned}")))
    }
}

/// The time limit for reading and packing a workspace. Cargo does not build, but may wait for a registry or a
/// lock.
const CARGO_TIMEOUT: Duration = Duration::from_secs(10 * 60);

fn read_metadata(manifest: &Utf8Path, context: &mut StepContext<'_>) -> Result<Metadata, WorkspaceError> {
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
    run(command.cargo_command(), output.try_clone()?.into(), context, &redactor).map_err(|failure| {
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
    allow_dirty: bool,
    config: &CargoConfig,
    context: &mut StepContext<'_>,
) -> Result<BTreeMap<String, PackedPackage>, WorkspaceError> {
    if packages.is_empty() {
        return Err(PlanError::Empty.into());
    }
    let work_dir = WorkDir::create()?;
    let id = |package: &Package| format!("{}@{}", package.name, package.version);
    let mut command = Command::new(cargo_program());
    // A package's own `Cargo.lock` would need the siblings on the registry.
    command.current_dir(root).args(["package", "--no-verify", "--exclude-lockfile"]);
    command.arg("--target-dir").arg(work_dir.path()).args(allow_dirty.then_some("--allow-dirty"));
    command.args(packages.iter().flat_map(|package| ["-p".to_owned(), id(package)]));
    run(command, Stdio::piped(), context, &Redactor::new(config.secrets()))
        .map_err(|failure| WorkspaceError::NotPacked { stderr: failure.sanitized().message })?;
    let packed = packages.iter().map(|package| {
        let directory = package.manifest_path.parent().map(ToOwned::to_owned).unwrap_or_default();
        let packed = read_packed(work_dir.path(), &id(package))?;
        Ok((package.name.to_string(), PackedPackage { directory, packed }))
    });
    packed.collect()
}

/// Returns the files of a package for the plan.
pub(super) fn planned_files(files: &CrateFiles) -> Vec<PlannedFile> {
    source_files(files).map(|(path, file)| PlannedFile::new(path, &file.bytes).executable(file.executable)).collect()
}

/// Reads the package `name@version` that cargo packed below that directory.
pub(super) fn read_packed(target: &Utf8Path, id: &str) -> io::Result<PackedCrate> {
    read_packed_in(&target.join("package"), id)
}

/// Reads the package `name@version` in that directory.
pub(super) fn read_packed_in(directory: &Utf8Path, id: &str) -> io::Result<PackedCrate> {
    let file = format!("{}.crate", id.replacen('@', "-", 1));
    let bytes = fs_err::read(directory.join(file))?;
    Ok(PackedCrate { files: unpack(bytes.as_slice())?, cksum: sha256(&bytes), len: bytes.len() as u64 })
}
