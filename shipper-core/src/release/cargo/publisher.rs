//! The publisher that runs cargo.

use std::collections::BTreeMap;
use std::io;
use std::process::{Command, Stdio};

use camino::Utf8Path;

use super::build_settings::BuildSettings;
use super::cache;
use super::config::if_exists;
use super::crate_file::LOCK_FILE;
use super::crates_io::{CRATES_IO, CRATES_IO_ENDPOINT};
use super::endpoints::KnownEndpoints;
use super::index::{SparseIndex, without_build_metadata};
use super::lockfile::{find_unused, without_published};
use super::package_options::PackageOptions;
use super::process::{WorkDir, cargo_program, run};
use super::redact::Redactor;
use super::sibling::patch_key;
use super::stage::stage;
use super::workspace::{PackedCrate, Workspace, read_packed, read_packed_in};
use crate::release::endpoint::Endpoint;
use crate::release::plan::{Plan, PlannedPackage};
use crate::release::publisher::{
    Failure, FailureClass, FoundCredentials, OutputTails, PublishedState, Publisher, StepContext, StepTarget, Upload,
};
use crate::release::rate_limit::UploadKind;
use crate::release::registry::{Registry, RegistryRole};

/// Publishes the packages of a workspace with cargo. A value serves one rehearsal or one run.
pub struct CargoPublisher {
    pub(super) workspace: Workspace,
    redactor: Redactor,
    /// The directory for packed, staged and installed packages, and for builds apart from earlier ones.
    work_dir: WorkDir,
    /// `true` once the packages were removed from cargo's cache of the rehearsal registry.
    cache_evicted: bool,
    /// The checksums of packs that were approved for the live registry, by `name@version`.
    pub(super) approved: BTreeMap<String, String>,
    pub(super) endpoints: KnownEndpoints,
    /// The settings of builds in a rehearsal.
    build_settings: BuildSettings,
}

impl CargoPublisher {
    /// Creates a publisher that uses the tokens in cargo's environment, configuration and credentials.
    ///
    /// # Errors
    ///
    /// If no temporary directory or file can be created.
    pub fn new(workspace: Workspace) -> io::Result<Self> {
        let (redactor, work_dir) = (Redactor::new(workspace.config.secrets()), WorkDir::create()?);
        fs_err::create_dir(work_dir.path().join("temporary"))?;
        let build_settings = BuildSettings::create(&workspace.config, workspace.root(), work_dir.path())?;
        let (cache_evicted, approved, endpoints) = (false, BTreeMap::new(), KnownEndpoints::default());
        Ok(Self { workspace, redactor, work_dir, cache_evicted, approved, endpoints, build_settings })
    }

    /// Returns the workspace as it was read.
    pub fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    /// Returns a cargo command on a registry, with the workspace's configuration and toolchain.
    fn command(&self, registry: &Registry, args: &[&str]) -> Command {
        let mut command = Command::new(cargo_program());
        let name = registry.name.as_str();
        command.current_dir(self.workspace.root()).args(args);
        // Older versions of cargo have no such option for `package`.
        if args.first() != Some(&"package") {
            command.args(["--registry", name]);
        }
        if name != CRATES_IO {
            command.arg("--config").arg(format!("registries.{name}.index={:?}", registry.index));
        }
        command
    }

    /// Makes a command take packages of the plan from the rehearsal registry, also where other packages depend on them.
    fn patch<'p>(
        &self,
        command: &mut Command,
        packages: impl Iterator<Item = &'p PlannedPackage>,
        registry: &Registry,
    ) {
        let live = self.workspace.plan().live();
        let live = patch_key((live.name.as_str() != CRATES_IO).then_some(live.index.as_str()));
        for package in packages {
            let version = without_build_metadata(&package.version);
            let named = self.workspace.siblings.get(&package.name).into_iter().flatten();
            for source in named.filter(|source| **source != live).chain([&live]) {
                let patch = format!("patch.{source}.{}", package.name);
                command.arg("--config").arg(format!("{patch}.version=\"={version}\""));
                command.arg("--config").arg(format!("{patch}.registry={:?}", registry.name.as_str()));
            }
        }
    }

    fn run(&self, command: Command, context: &mut StepContext<'_>) -> Result<OutputTails, Failure> {
        run(command, Stdio::piped(), context, &self.redactor)
    }

    /// Makes a command build as for users and apart from earlier builds, with all files in the work directory.
    fn isolate_build(&self, command: &mut Command) {
        self.build_settings.apply(command);
        let (target, temporary) = (self.work_dir.path().join("target"), self.work_dir.path().join("temporary"));
        command.arg("--target-dir").arg(&target).env("CARGO_BUILD_BUILD_DIR", &target);
        for variable in ["TMPDIR", "TMP", "TEMP"] {
            command.env(variable, &temporary);
        }
    }

    /// Packs a package for the live registry, and compares every entry with the plan. Returns the checksum of the pack.
    ///
    /// No code of the workspace runs, here or in the upload. So the packs of both are the same, unless another program
    /// changes the workspace.
    fn approve(&self, target: StepTarget<'_>, context: &mut StepContext<'_>) -> Result<String, Failure> {
        let package = target.package;
        let directory = self.work_dir.path().join("approved");
        self.run(self.pack_command(&["package"], target, &directory), context)?;
        let compared = read_packed(&directory, &package.id()).and_then(|packed| {
            let changed = self.workspace.first_change(package, &packed.files)?;
            Ok((changed, packed.cksum))
        });
        match io_failure("cannot compare the package with the plan", compared)? {
            (None, cksum) => Ok(cksum),
            (Some(path), _) => Err(Failure::permanent(format!(
                "the source changed since the plan was made ({path} of {}); rehearse again",
                package.name
            ))),
        }
    }

    /// Returns a command that packs a package for the live registry without building it, and may upload it.
    fn pack_command(&self, action: &[&str], target: StepTarget<'_>, directory: &Utf8Path) -> Command {
        let mut command = self.command(target.role.registry(), action);
        command.args(["--no-verify", "--locked", "-p", &target.package.id()]).arg("--target-dir").arg(directory);
        command.env("CARGO_BUILD_BUILD_DIR", directory).args(self.workspace.allow_dirty.then_some("--allow-dirty"));
        command
    }

    /// Publishes a package to the live registry.
    fn publish_live(&mut self, target: StepTarget<'_>, context: &mut StepContext<'_>) -> Result<Upload, Failure> {
        let id = target.package.id();
        let approved = self.approve(target, context)?;
        let directory = self.work_dir.path().join("uploaded");
        self.approved.insert(id.clone(), approved.clone());
        let tails = self.run(self.pack_command(&["publish"], target, &directory), context)?;
        // If cargo left no file, the index alone shows what arrived.
        let left = read_uploaded(&directory, &id).map(|packed| packed.map(|packed| packed.cksum));
        let cksum = io_failure("cannot read the package that cargo uploaded", left)?;
        Ok(Upload { cksum: Some(cksum.unwrap_or_else(|| approved.clone())), approved: Some(approved), tails })
    }

    /// Runs cargo on a package as it would be uploaded, built against the rehearsal registry if `build` is true.
    fn run_staged(
        &mut self,
        action: &str,
        build: bool,
        target: StepTarget<'_>,
        context: &mut StepContext<'_>,
    ) -> Result<OutputTails, Failure> {
        let (package, registry) = (target.package, target.role.registry());
        let directory = self.work_dir.path().join(package.id());
        let staged = self.stage(package, &directory).and_then(|()| self.evict_cache(registry));
        io_failure("cannot prepare the package for the rehearsal", staged)?;
        let mut command = self.command(registry, &[action, "--allow-dirty"]);
        command.arg("--manifest-path").arg(directory.join("Cargo.toml"));
        let mut options = self.workspace.member(&package.name).map(PackageOptions::of).unwrap_or_default();
        options.no_verify |= !build;
        command.args(options.cargo_args());
        // The rehearsal registry does not contain the later packages yet.
        let earlier = self.workspace.plan().packages().iter().take_while(|one| *one != package);
        self.patch(&mut command, earlier, registry);
        self.isolate_build(&mut command);
        let tails = self.run(command, context).map_err(|failure| self.build_settings.explain(failure))?;
        let unused =
            io_failure("cannot read the Cargo.lock of the rehearsed package", self.find_unused(target, &directory))?;
        match unused.filter(|_| build) {
            None => Ok(tails),
            Some(unused) => Err(Failure::permanent(format!(
                "cargo built {} with another version of {unused} than that of the plan; look for dependencies that \
                 exclude it",
                package.name
            ))),
        }
    }

    /// Writes a package to a directory.
    fn stage(&self, package: &PlannedPackage, directory: &Utf8Path) -> io::Result<()> {
        let files =
            self.workspace.files(&package.name).ok_or_else(|| io::Error::other("it is not in the workspace"))?;
        let lock_file = self.workspace.lock_file.as_deref();
        let lock_file =
            lock_file.map(|bytes| without_published(bytes, self.workspace.plan().packages())).transpose()?;
        stage(files, lock_file.as_deref(), directory)
    }

    /// Returns the first package of the plan that a staged package needs, and that cargo did not take from the rehearsal
    /// registry.
    fn find_unused(&self, target: StepTarget<'_>, directory: &Utf8Path) -> io::Result<Option<String>> {
        let siblings = self.workspace.dependencies().siblings(&target.package.name);
        let earlier = self.workspace.plan().packages().iter().take_while(|one| *one != target.package);
        let needed: Vec<_> = earlier.filter(|one| siblings.contains(one.name.as_str())).collect();
        if needed.is_empty() {
            return Ok(None);
        }
        let lock_file = fs_err::read(directory.join(LOCK_FILE))?;
        let unused = find_unused(&lock_file, &target.role.registry().index, needed.into_iter())?;
        Ok(unused.map(|package| format!("{} {}", package.name, package.version)))
    }

    /// Removes the plan's packages from cargo's cache of that registry, once.
    fn evict_cache(&mut self, registry: &Registry) -> io::Result<()> {
        if !self.cache_evicted {
            cache::evict(registry, self.workspace.plan().packages())?;
            self.cache_evicted = true;
        }
        Ok(())
    }

    /// Removes secrets from a failure: an answer of a registry may contain them.
    pub(super) fn redacted(&self, failure: Failure) -> Failure {
        Failure { message: self.redactor.redact(&failure.message), ..failure }
    }
}

/// Reads the package `name@version` that cargo uploaded; `None` if cargo removed it. Cargo 1.95 leaves it in a directory for
/// temporary packages.
fn read_uploaded(directory: &Utf8Path, id: &str) -> io::Result<Option<PackedCrate>> {
    match if_exists(read_packed(directory, id))? {
        Some(packed) => Ok(Some(packed)),
        None => if_exists(read_packed_in(&directory.join("package/tmp-crate"), id)),
    }
}

/// Converts an error of the system to a failure that begins with `what`.
fn io_failure<T>(what: &str, result: io::Result<T>) -> Result<T, Failure> {
    result.map_err(|error| Failure::permanent(format!("{what}: {error}")))
}

impl Publisher for CargoPublisher {
    fn upload_endpoint(&mut self, role: RegistryRole<'_>, context: &mut StepContext<'_>) -> Result<String, Failure> {
        let index = SparseIndex::new(role.registry(), &self.workspace.config);
        match index.and_then(|index| index.upload_endpoint(context)) {
            // The address of crates-io is fixed, even if only cargo can reach it through a mirror.
            Err(failure) if failure.class == FailureClass::Retryable && role.registry().name.as_str() == CRATES_IO => {
                Ok(CRATES_IO_ENDPOINT.to_owned())
            }
            Err(failure) => Err(self.redacted(failure)),
            Ok(endpoint) => Ok(self.redactor.redact(&endpoint)),
        }
    }

    fn endpoints(&mut self, role: RegistryRole<'_>, context: &mut StepContext<'_>) -> Result<Vec<Endpoint>, Failure> {
        let endpoints = self.endpoints.read(role, &self.workspace.config, context);
        self.redactor.add(self.workspace.config.provided_secrets());
        endpoints.map_err(|failure| self.redacted(failure))
    }

    fn preflight(&mut self, plan: &Plan, context: &mut StepContext<'_>) -> Result<(), Failure> {
        self.check_manifests(plan, context)
    }

    fn lookup(&mut self, target: StepTarget<'_>, context: &mut StepContext<'_>) -> Result<PublishedState, Failure> {
        let published = self.lookup_published(target, context);
        self.redactor.add(self.workspace.config.provided_secrets());
        published.map_err(|failure| self.redacted(failure))
    }

    fn upload_kind(
        &mut self,
        target: StepTarget<'_>,
        context: &mut StepContext<'_>,
    ) -> Result<Option<UploadKind>, Failure> {
        let StepTarget { package, role } = target;
        let index = SparseIndex::new(role.registry(), &self.workspace.config);
        let kind = index.and_then(|index| index.upload_kind(&package.name, &package.version, context));
        kind.map(Some).map_err(|failure| self.redacted(failure))
    }

    fn publish(&mut self, target: StepTarget<'_>, context: &mut StepContext<'_>) -> Result<Upload, Failure> {
        match target.role {
            RegistryRole::Rehearsal(_) => {
                let tails = self.run_staged("publish", true, target, context)?;
                Ok(Upload { tails, ..Upload::default() })
            }
            RegistryRole::Live(_) => self.publish_live(target, context),
        }
    }

    fn publish_without_build(
        &mut self,
        target: StepTarget<'_>,
        context: &mut StepContext<'_>,
    ) -> Result<Upload, Failure> {
        let tails = self.run_staged("publish", false, target, context)?;
        Ok(Upload { tails, ..Upload::default() })
    }

    fn verify_build(&mut self, target: StepTarget<'_>, context: &mut StepContext<'_>) -> Result<(), Failure> {
        self.run_staged("package", true, target, context).map(|_| ())
    }

    fn install(&mut self, target: StepTarget<'_>, context: &mut StepContext<'_>) -> Result<(), Failure> {
        let (package, registry) = (target.package, target.role.registry());
        io_failure("cannot clear the cache of cargo", self.evict_cache(registry))?;
        let version = format!("={}", package.version);
        let mut command = self.command(registry, &["install", &package.name, "--force", "--version", &version]);
        let others = self.workspace.plan().packages().iter().filter(|one| *one != package);
        self.patch(&mut command, others, registry);
        let root = self.work_dir.path().join("installed");
        command.arg("--root").arg(&root);
        self.isolate_build(&mut command);
        let tails = self.run(command, context).map_err(|failure| self.build_settings.explain(failure))?;
        // Cargo also succeeds if it installed nothing.
        let installed = root.join("bin").read_dir_utf8().is_ok_and(|mut programs| programs.next().is_some());
        let nothing = "cargo installed no program; check `required-features` in its manifest";
        if installed { Ok(()) } else { Err(Failure { tails, ..Failure::permanent(nothing) }) }
    }

    fn credentials(&self, registry: &Registry) -> FoundCredentials {
        let has = |name: &str| std::env::var_os(name).is_some();
        FoundCredentials {
            token: self.workspace.config.token(registry.name.as_str()).is_some(),
            oidc_request_url: has("ACTIONS_ID_TOKEN_REQUEST_URL"),
            oidc_request_token: has("ACTIONS_ID_TOKEN_REQUEST_TOKEN"),
        }
    }

    fn describe_command(&self, package: &PlannedPackage, live: &Registry) -> String {
        let dirty = if self.workspace.allow_dirty { " --allow-dirty" } else { "" };
        format!("cargo publish --no-verify --locked -p {}{dirty} --registry {}", package.id(), live.name)
    }
}
