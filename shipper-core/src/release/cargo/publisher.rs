//! The publisher that runs cargo.

use std::io;
use std::process::{Command, Stdio};

use super::build_settings::BuildSettings;
use super::cache;
use super::crate_file::{have_same_files, have_same_manifest};
use super::crates_io::{CRATES_IO, CRATES_IO_ENDPOINT};
use super::endpoints::KnownEndpoints;
use super::index::{SparseIndex, without_build_metadata};
use super::process::{WorkDir, cargo_program, run};
use super::redact::Redactor;
use super::stage::{is_staged, stage};
use super::workspace::{Workspace, package_command};
use crate::release::endpoint::Endpoint;
use crate::release::plan::{Plan, PlannedPackage};
use crate::release::publisher::{
    Failure, FailureClass, OutputTails, PublishedState, Publisher, StepContext, StepTarget,
};
use crate::release::registry::{Registry, RegistryRole};

/// Publishes the packages of a workspace with cargo. A value serves one rehearsal or one run.
pub struct CargoPublisher {
    workspace: Workspace,
    allow_dirty: bool,
    redactor: Redactor,
    /// The directory for packed, staged and installed packages, and for builds apart from earlier ones.
    work_dir: WorkDir,
    /// `true` once the packages were removed from cargo's cache of the rehearsal registry.
    cache_evicted: bool,
    endpoints: KnownEndpoints,
    /// The settings of builds in a rehearsal.
    build_settings: BuildSettings,
}

impl CargoPublisher {
    /// Creates a publisher that uses the tokens in cargo's environment, configuration and credentials. If `allow_dirty`, it
    /// publishes uncommitted files too, as cargo's option does.
    ///
    /// # Errors
    ///
    /// If no temporary directory or file can be created.
    pub fn new(workspace: Workspace, allow_dirty: bool) -> io::Result<Self> {
        let (redactor, work_dir) = (Redactor::new(workspace.config.secrets()), WorkDir::create()?);
        fs_err::create_dir(work_dir.path().join("temporary"))?;
        let build_settings = BuildSettings::create(&workspace.config, workspace.root(), work_dir.path())?;
        let (cache_evicted, endpoints) = (false, KnownEndpoints::default());
        Ok(Self { workspace, allow_dirty, redactor, work_dir, cache_evicted, endpoints, build_settings })
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
        let source = if live.name.as_str() == CRATES_IO { CRATES_IO.to_owned() } else { format!("{:?}", live.index) };
        for package in packages {
            let patch = format!("patch.{source}.{}", package.name);
            let version = without_build_metadata(&package.version);
            command.arg("--config").arg(format!("{patch}.version=\"={version}\""));
            command.arg("--config").arg(format!("{patch}.registry={:?}", registry.name.as_str()));
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

    /// Checks that cargo would publish packages, and that they equal the plan.
    fn verify_unchanged(&self, packages: &[PlannedPackage], context: &mut StepContext<'_>) -> Result<(), Failure> {
        let packed = self.work_dir.path().join("packed");
        let ids = packages.iter().map(PlannedPackage::id);
        self.run(package_command(self.workspace.root(), ids, self.allow_dirty, &packed), context)?;
        let changed = self.workspace.first_change(packages, &packed);
        match io_failure("cannot compare the workspace with the plan", changed)? {
            None => Ok(()),
            Some((package, path)) => Err(Failure::permanent(format!(
                "the source changed since the plan was made ({path} of {}); rehearse again",
                package.name
            ))),
        }
    }

    /// Runs cargo on a package as it would be uploaded, built against the rehearsal registry.
    fn run_staged(
        &mut self,
        action: &str,
        target: StepTarget<'_>,
        context: &mut StepContext<'_>,
    ) -> Result<OutputTails, Failure> {
        let (package, registry) = (target.package, target.role.registry());
        let directory = self.work_dir.path().join(package.id());
        let files = self.workspace.files(&package.name).ok_or_else(|| io::Error::other("it is not in the workspace"));
        let staged = files.and_then(|files| stage(files, self.workspace.lock_file.as_deref(), &directory));
        let staged = staged.and_then(|()| self.evict_cache(registry));
        io_failure("cannot prepare the package for the rehearsal", staged)?;
        let mut command = self.command(registry, &[action, "--allow-dirty"]);
        command.arg("--manifest-path").arg(directory.join("Cargo.toml"));
        // The rehearsal registry does not contain the later packages yet.
        let earlier = self.workspace.plan().packages().iter().take_while(|one| *one != package);
        self.patch(&mut command, earlier, registry);
        self.isolate_build(&mut command);
        self.run(command, context).map_err(|failure| self.build_settings.explain(failure))
    }

    /// Removes the plan's packages from cargo's cache of that registry, once.
    fn evict_cache(&mut self, registry: &Registry) -> io::Result<()> {
        if !self.cache_evicted {
            cache::evict(registry, self.workspace.plan().packages())?;
            self.cache_evicted = true;
        }
        Ok(())
    }

    /// Compares a registry's content of a package's version with the workspace.
    fn lookup_published(&self, target: StepTarget<'_>, context: &StepContext<'_>) -> Result<PublishedState, Failure> {
        let StepTarget { package, role } = target;
        let index = SparseIndex::new(role.registry(), &self.workspace.config)?;
        let entry = index.find_version(&package.name, &package.version, context)?;
        self.endpoints.check_redirect(role, &index)?;
        let Some(entry) = entry else {
            return Ok(PublishedState::Absent);
        };
        if (&entry.name, &entry.version) != (&package.name, &package.version) {
            return Ok(PublishedState::DifferentContent);
        }
        let published = index.download(&entry, context)?;
        self.endpoints.check_redirect(role, &index)?;
        let same = self.workspace.files(&package.name).is_some_and(|ours| match role {
            RegistryRole::Rehearsal(_) => is_staged(&published, ours),
            RegistryRole::Live(_) => have_same_files(&published, ours) && have_same_manifest(&published, ours),
        });
        Ok(if same { PublishedState::SameContent } else { PublishedState::DifferentContent })
    }

    /// Removes secrets from a failure: an answer of a registry may contain them.
    fn redacted(&self, failure: Failure) -> Failure {
        Failure { message: self.redactor.redact(&failure.message), ..failure }
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
        self.endpoints.read(role, &self.workspace.config, context).map_err(|failure| self.redacted(failure))
    }

    fn preflight(&mut self, plan: &Plan, context: &mut StepContext<'_>) -> Result<(), Failure> {
        self.verify_unchanged(plan.packages(), context)
    }

    fn lookup(&mut self, target: StepTarget<'_>, context: &mut StepContext<'_>) -> Result<PublishedState, Failure> {
        self.lookup_published(target, context).map_err(|failure| self.redacted(failure))
    }

    fn publish(&mut self, target: StepTarget<'_>, context: &mut StepContext<'_>) -> Result<OutputTails, Failure> {
        let StepTarget { package, role } = target;
        self.verify_unchanged(std::slice::from_ref(package), context)?;
        match role {
            RegistryRole::Rehearsal(_) => self.run_staged("publish", target, context),
            RegistryRole::Live(registry) => {
                let mut command = self.command(registry, &["publish", "-p", &package.id()]);
                command.args(self.allow_dirty.then_some("--allow-dirty"));
                self.run(command, context)
            }
        }
    }

    fn verify_build(&mut self, target: StepTarget<'_>, context: &mut StepContext<'_>) -> Result<(), Failure> {
        self.run_staged("package", target, context).map(|_| ())
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

    fn describe_command(&self, package: &PlannedPackage, live: &Registry) -> String {
        let dirty = if self.allow_dirty { " --allow-dirty" } else { "" };
        format!("cargo publish -p {}{dirty} --registry {}", package.id(), live.name)
    }
}
