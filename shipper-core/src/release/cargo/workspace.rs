//! From a workspace to a plan: cargo itself packs what may be published, and the plan is named by what is in the packages.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Seek};
use std::process::Command;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package, TargetKind};
use tempfile::TempDir;
use thiserror::Error;

use super::command::{Secrets, run, run_into};
use super::config::{Config, ConfigError};
use super::lock::Lock;
use super::package::{Files, LOCK, content, first_difference, unpack};
use crate::release::plan::{Plan, PlanError, PlannedFile, PlannedPackage};
use crate::release::registry::Registry;
use crate::release::world::{StepContext, Stop};

/// A workspace cannot be planned.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WorkspaceError {
    /// Cargo cannot read it.
    #[error("the workspace of {manifest} cannot be read: {said}")]
    NotRead {
        /// The manifest that was named.
        manifest: Utf8PathBuf,
        /// What cargo said, made safe to show.
        said: String,
    },
    /// What cargo tells of it is not understood.
    #[error("what cargo tells of the workspace of {manifest} is not understood; is this cargo too new or too old?")]
    Metadata {
        /// The manifest that was named.
        manifest: Utf8PathBuf,
        /// What is wrong with it.
        source: Box<cargo_metadata::Error>,
    },
    /// Cargo's configuration is not what a release needs.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Cargo could not be run, or what it made not be read.
    #[error("the packages cannot be made")]
    Packages(#[from] io::Error),
    /// Cargo could not pack it.
    #[error("the workspace cannot be packed: {said}")]
    NotPacked {
        /// What cargo said, made safe to show.
        said: String,
    },
    /// Cargo's configuration puts something else in the place of a package of the plan, or of one that it needs.
    #[error(
        "cargo's configuration {path} patches {package}, so that no rehearsal would build what users get; move the patch to the workspace's Cargo.toml"
    )]
    Patched {
        /// The configuration file.
        path: Utf8PathBuf,
        /// The package.
        package: String,
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
    /// Its packages as cargo would upload them, and where they are made, by their names.
    packed: BTreeMap<String, Files>,
    directories: BTreeMap<String, Utf8PathBuf>,
    /// Its `Cargo.lock`, if it has one.
    lock: Option<Vec<u8>>,
    config: Config,
}

impl Workspace {
    /// Reads the workspace of a manifest, as far as it may be published to the live registry of that name.
    ///
    /// Cargo resolves its dependencies, which writes a missing `Cargo.lock`, and packs its packages in a temporary
    /// directory, without building them. `stop` ends that.
    ///
    /// # Errors
    ///
    /// When cargo cannot read or pack it, nothing of it may be published, or the registry is not configured.
    pub fn read(manifest: &Utf8Path, live_registry: &str, stop: &Stop) -> Result<Self, WorkspaceError> {
        let metadata = metadata(manifest, stop)?;
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
        let order = in_order(&publishable)?;
        let lock = read_lock(&root)?;
        let resolved = resolved(lock.as_deref())?;
        if let Some((path, package)) = config.patched(resolved.names().into_iter()) {
            return Err(WorkspaceError::Patched { path: path.to_owned(), package: package.to_owned() });
        }
        let packed = pack(&root, &order, &config, stop)?;
        let planned = order.iter().map(|package| {
            let (name, version) = (package.name.to_string(), package.version.to_string());
            let files = packed.get(&name).map(planned_files).unwrap_or_default();
            let locked = resolved.needed(&name, &version);
            let has_program = package.targets.iter().any(|target| target.kind.contains(&TargetKind::Bin));
            PlannedPackage { name, version, files, locked, has_program }
        });
        let plan = Plan::new(live, planned.collect())?;
        let directory = |package: &Package| package.manifest_path.parent().map(ToOwned::to_owned).unwrap_or_default();
        let directories = order.iter().map(|package| (package.name.to_string(), directory(package))).collect();
        Ok(Self { root, plan, packed, directories, lock, config })
    }

    /// The package of the plan that has something of that directory in it. In such a place a log would change the plan with
    /// every event.
    pub fn package_with(&self, directory: &Utf8Path) -> Option<&PlannedPackage> {
        let directory = directory.canonicalize_utf8().ok()?;
        self.plan.packages().iter().find(|package| {
            let of_package = self.directories.get(&package.name).and_then(|place| place.canonicalize_utf8().ok());
            let within = of_package.and_then(|place| directory.strip_prefix(place).ok().map(ToOwned::to_owned));
            within.is_some_and(|within| package.files.iter().any(|file| Utf8Path::new(&file.path).starts_with(&within)))
        })
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
    pub fn registry(&self, name: &str) -> Result<Registry, ConfigError> {
        self.config.registry(name)
    }

    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    pub(super) fn lock(&self) -> Option<&[u8]> {
        self.lock.as_deref()
    }

    pub(super) fn packed(&self, name: &str) -> Option<&Files> {
        self.packed.get(name)
    }

    /// What packs packages again, into that directory; unless told otherwise, only what is committed.
    pub(super) fn packing(&self, packages: &[PlannedPackage], allow_dirty: bool, into: &Utf8Path) -> Command {
        let named = packages.iter().map(|package| (&*package.name, &*package.version));
        let mut command = packing(&self.root, named, into);
        if allow_dirty {
            command.arg("--allow-dirty");
        }
        command
    }

    /// The first of the packages that were packed again of which something is no longer as the plan says, and what.
    pub(super) fn changed<'p>(
        &self,
        packages: &'p [PlannedPackage],
        packed_into: &Utf8Path,
    ) -> io::Result<Option<(&'p PlannedPackage, String)>> {
        let resolved = resolved(read_lock(&self.root)?.as_deref())?;
        for package in packages {
            let (name, version) = (&package.name, &package.version);
            let files = packed_file(packed_into, name, version)?;
            let changed = self.packed(name).map_or(Some(String::new()), |planned| first_difference(planned, &files));
            let changed =
                changed.or_else(|| (resolved.needed(name, version) != package.locked).then(|| LOCK.to_owned()));
            if let Some(what) = changed {
                return Ok(Some((package, what)));
            }
        }
        Ok(None)
    }
}

/// How long cargo may take to read a workspace, and how long to pack it: it builds nothing, and may wait for a registry or
/// for another cargo.
const LIMIT: Duration = Duration::from_secs(10 * 60);

/// What cargo knows of a workspace.
fn metadata(manifest: &Utf8Path, stop: &Stop) -> Result<Metadata, WorkspaceError> {
    let path = manifest.canonicalize_utf8().unwrap_or_else(|_| manifest.to_owned());
    let mut reading = MetadataCommand::new();
    reading.manifest_path(&path);
    // Cargo's configuration and toolchain are those that hold where it is run.
    let mut secrets = Secrets::default();
    if let Some(directory) = path.parent().filter(|directory| directory.is_dir()) {
        reading.current_dir(directory);
        secrets = Secrets::of(Config::read(directory)?.secrets());
    }
    let mut told = tempfile::tempfile()?;
    let mut context = StepContext { until: Instant::now() + LIMIT, stop, progress: &mut () };
    run_into(reading.cargo_command(), told.try_clone()?.into(), &mut context, &secrets).map_err(|failure| {
        WorkspaceError::NotRead { manifest: manifest.to_owned(), said: failure.made_safe().message }
    })?;
    let mut text = String::new();
    told.rewind()?;
    told.read_to_string(&mut text)?;
    MetadataCommand::parse(text)
        .map_err(|source| WorkspaceError::Metadata { manifest: manifest.to_owned(), source: Box::new(source) })
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

fn resolved(lock: Option<&[u8]>) -> io::Result<Lock> {
    lock.map_or_else(|| Ok(Lock::default()), Lock::parse)
}

/// What a package waits for: packages that it needs to be built, and those that only its tests need.
struct Waiting<'p> {
    package: &'p Package,
    needs: BTreeSet<&'p str>,
    tests_need: BTreeSet<&'p str>,
}

/// The packages, each after those that it depends on, also for its tests; those that do not depend on each other by name.
/// What only tests need may go round in a circle, since it is not built for whoever depends on a package.
fn in_order<'p>(packages: &[&'p Package]) -> Result<Vec<&'p Package>, WorkspaceError> {
    let names: BTreeSet<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    let needs = |package: &'p Package, for_tests: bool| {
        let needs = package.dependencies.iter().filter(move |dependency| {
            let is_for_tests = dependency.kind == DependencyKind::Development;
            // One for tests without a version is not published.
            let counts = !is_for_tests || dependency.req != cargo_metadata::semver::VersionReq::STAR;
            dependency.path.is_some() && is_for_tests == for_tests && counts
        });
        let others = needs.map(|dependency| dependency.name.as_str()).filter(|name| *name != package.name.as_str());
        others.filter(|name| names.contains(name)).collect()
    };
    let waiting = |package: &&'p Package| {
        let waiting = Waiting { package, needs: needs(package, false), tests_need: needs(package, true) };
        (package.name.as_str(), waiting)
    };
    let mut waiting: BTreeMap<&str, Waiting<'p>> = packages.iter().map(waiting).collect();
    let mut order = Vec::new();
    while !waiting.is_empty() {
        let ready = waiting.iter().find(|(_, one)| one.needs.is_empty() && one.tests_need.is_empty());
        let next = ready.or_else(|| waiting.iter().find(|(_, one)| one.needs.is_empty())).map(|(name, _)| *name);
        let Some(next) = next else {
            let packages = waiting.keys().copied().collect::<Vec<_>>().join(", ");
            return Err(WorkspaceError::Circle { packages });
        };
        order.extend(waiting.remove(next).map(|one| one.package));
        for one in waiting.values_mut() {
            one.needs.remove(next);
            one.tests_need.remove(next);
        }
    }
    Ok(order)
}

/// Has cargo pack the packages, and reads what it made.
fn pack(
    root: &Utf8Path,
    packages: &[&Package],
    config: &Config,
    stop: &Stop,
) -> Result<BTreeMap<String, Files>, WorkspaceError> {
    if packages.is_empty() {
        return Err(PlanError::Nothing.into());
    }
    let place = temporary_directory()?;
    let target = path_of(&place)?;
    let named: Vec<(&str, String)> = packages.iter().map(|one| (one.name.as_str(), one.version.to_string())).collect();
    // What is not committed is packed as well, so that it is in the plan.
    let mut command = packing(root, named.iter().map(|(name, version)| (*name, version.as_str())), target);
    command.arg("--allow-dirty");
    let mut context = StepContext { until: Instant::now() + LIMIT, stop, progress: &mut () };
    let secrets = Secrets::of(config.secrets());
    run(command, &mut context, &secrets)
        .map_err(|failure| WorkspaceError::NotPacked { said: failure.made_safe().message })?;
    let packed = named.iter().map(|(name, version)| Ok(((*name).to_owned(), packed_file(target, name, version)?)));
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

#[cfg(test)]
mod tests {
    use super::*;

    /// (Pass) Each after those that it depends on, also for its tests, but for the one circle that tests make.
    #[test]
    fn the_order() {
        let place = temporary_directory().expect("a directory");
        let root = path_of(&place).expect("UTF-8");
        fs_err::write(root.join("Cargo.toml"), "[workspace]\nmembers = [\"*\"]\n").expect("written");
        let member = |name: &str, kind: &str, needs: &str| {
            let directory = root.join(name).join("src");
            fs_err::create_dir_all(&directory).expect("made");
            fs_err::write(directory.join("lib.rs"), "").expect("written");
            let needs = format!("[{kind}]\nzq-{needs} = {{ path = \"../{needs}\", version = \"0.1\" }}\n");
            let needs = if kind.is_empty() { String::new() } else { needs };
            let manifest = format!("[package]\nname = \"zq-{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n{needs}");
            fs_err::write(root.join(name).join("Cargo.toml"), manifest).expect("written");
        };
        member("a", "dev-dependencies", "b");
        member("b", "dependencies", "a");
        member("c", "dev-dependencies", "d");
        member("d", "", "");
        let read = || Workspace::read(&root.join("Cargo.toml"), "crates-io", &Stop::default());
        let workspace = read().expect("a workspace");
        let order: Vec<&str> = workspace.plan().packages().iter().map(|package| package.name.as_str()).collect();
        assert_eq!(order, ["zq-d", "zq-c", "zq-a", "zq-b"]);
        let stop = Stop::default();
        stop.ask();
        let stopped = Workspace::read(&root.join("Cargo.toml"), "crates-io", &stop).map(|_| ());
        assert!(matches!(stopped, Err(WorkspaceError::NotRead { said, .. }) if said.contains("asked to stop")));
    }
}
