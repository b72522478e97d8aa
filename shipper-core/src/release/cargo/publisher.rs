//! The publisher that runs cargo.

use std::collections::BTreeMap;
use std::io;
use std::process::Command;

use camino::Utf8PathBuf;

use super::cache;
use super::config::{CRATES_IO, crates_io_endpoint, token_variable};
use super::crate_file::{have_same_files, have_same_manifest};
use super::index::{SparseIndex, without_build_metadata};
use super::process::{WorkDir, cargo_program, run};
use super::redact::Redactor;
use super::stage::{is_staged, stage};
use super::workspace::Workspace;
use crate::release::plan::{Plan, PlannedPackage};
use crate::release::publisher::{Failure, FailureClass, OutputTails, PublishedState, Publisher, StepContext};
use crate::release::registry::{Registry, RegistryRole};

/// Publishes the packages of a workspace with cargo. A value serves one rehearsal or one run.
pub struct CargoPublisher {
    workspace: Workspace,
    allow_dirty: bool,
    /// Tokens by the names of registries.
    tokens: BTreeMap<String, String>,
    redactor: Redactor,
    /// The directory for staged packages and for builds apart from earlier ones; `None` until it is needed.
    work_dir: Option<WorkDir>,
    /// `true` once the packages were removed from cargo's cache of the rehearsal registry.
    cache_evicted: bool,
}

impl CargoPublisher {
    /// Creates a publisher that uses the tokens in cargo's environment, configuration and credentials.
    pub fn new(workspace: Workspace) -> Self {
        let redactor = Redactor::new(workspace.config().secrets());
        let tokens = BTreeMap::new();
        Self { workspace, allow_dirty: false, tokens, redactor, work_dir: None, cache_evicted: false }
    }

    /// Uses that token for a registry, and only in commands on that registry. A rehearsal with a live registry that cargo can
    /// read only with a token needs one that cargo finds by itself.
    #[must_use]
    pub fn with_token(mut self, registry: &str, token: &str) -> Self {
        self.tokens.insert(registry.to_owned(), token.to_owned());
        let tokens = self.tokens.values().cloned();
        self.redactor = Redactor::new(self.workspace.config().secrets().into_iter().chain(tokens));
        self
    }

    /// Publishes uncommitted files too, as cargo's `--allow-dirty` does.
    #[must_use]
    pub fn allow_dirty(mut self) -> Self {
        self.allow_dirty = true;
        self
    }

    /// Returns the workspace as it was read.
    pub fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    fn index(&self, role: RegistryRole<'_>) -> Result<SparseIndex, Failure> {
        let (registry, config) = (role.registry(), self.workspace.config());
        let token = self.tokens.get(registry.name.as_str()).cloned();
        SparseIndex::new(registry, config, token.or_else(|| config.token(registry.name.as_str())))
    }

    /// Returns a cargo command on a registry, with the workspace's configuration and toolchain.
    fn command<'a>(&self, registry: &Registry, args: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = Command::new(cargo_program());
        let name = registry.name.as_str();
        command.current_dir(self.workspace.root()).args(args);
        // Older versions of cargo have no such option for `package`.
        if command.get_args().next().is_none_or(|action| action != "package") {
            command.args(["--registry", name]);
        }
        if name != CRATES_IO {
            command.arg("--config").arg(format!("registries.{name}.index={:?}", registry.index));
        }
        if let Some(token) = self.tokens.get(name) {
            command.env(token_variable(name), token);
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
        run(command, context, &self.redactor)
    }

    /// Returns the directory of this release, which is removed with the publisher.
    fn work_dir(&mut self) -> io::Result<Utf8PathBuf> {
        let work_dir = match self.work_dir.take() {
            Some(work_dir) => work_dir,
            None => WorkDir::create()?,
        };
        Ok(self.work_dir.insert(work_dir).path().to_owned())
    }

    /// Makes a command build apart from earlier builds, and leave no files elsewhere if it is killed.
    fn isolate_build(&mut self, command: &mut Command) -> io::Result<()> {
        let work_dir = self.work_dir()?;
        let (target, temporary) = (work_dir.join("target"), work_dir.join("temporary"));
        fs_err::create_dir_all(&temporary)?;
        command.arg("--target-dir").arg(&target).env("CARGO_BUILD_BUILD_DIR", &target);
        for variable in ["TMPDIR", "TMP", "TEMP"] {
            command.env(variable, &temporary);
        }
        Ok(())
    }

    /// Checks that cargo would publish packages, and that they equal the plan.
    fn verify_unchanged(&self, packages: &[PlannedPackage], context: &mut StepContext<'_>) -> Result<(), Failure> {
        let cannot = "the workspace cannot be packed again to see whether it changed";
        let work_dir = io_failure(cannot, WorkDir::create())?;
        self.run(self.workspace.package_command(packages, self.allow_dirty, work_dir.path()), context)?;
        let Some((package, path)) = io_failure(cannot, self.workspace.first_change(packages, work_dir.path()))? else {
            return Ok(());
        };
        Err(Failure::permanent(format!(
            "the source changed since the plan was made ({path} of {}); rehearse what is to be published now",
            package.name
        )))
    }

    /// Returns a cargo command on a package as it would be uploaded, built against the rehearsal registry.
    fn staged_command(
        &mut self,
        action: &str,
        package: &PlannedPackage,
        registry: &Registry,
    ) -> Result<Command, Failure> {
        let command = self.build_staged_command(action, package, registry);
        io_failure("the package cannot be laid out for the rehearsal", command)
    }

    fn build_staged_command(
        &mut self,
        action: &str,
        package: &PlannedPackage,
        registry: &Registry,
    ) -> io::Result<Command> {
        self.evict_cache(registry)?;
        let directory = self.work_dir()?.join(package.id());
        let files = self.workspace.files(&package.name);
        let files = files.ok_or_else(|| io::Error::other("it is not in the workspace"))?;
        stage(files, self.workspace.lock_file(), &directory)?;
        let mut command = self.command(registry, [action, "--allow-dirty"]);
        command.arg("--manifest-path").arg(directory.join("Cargo.toml"));
        // The rehearsal registry does not contain the later packages yet.
        let earlier = self.workspace.plan().packages().iter().take_while(|one| *one != package);
        self.patch(&mut command, earlier, registry);
        self.isolate_build(&mut command)?;
        Ok(command)
    }

    /// Removes the plan's packages from cargo's cache of that registry, once.
    fn evict_cache(&mut self, registry: &Registry) -> io::Result<()> {
        if !self.cache_evicted {
            cache::evict(registry, self.workspace.plan().packages())?;
            self.cache_evicted = true;
        }
        Ok(())
    }

    /// Returns the command that installs a package's program, and the directory of the program.
    fn install_command(&mut self, package: &PlannedPackage, registry: &Registry) -> io::Result<(Command, Utf8PathBuf)> {
        self.evict_cache(registry)?;
        let version = format!("={}", package.version);
        let mut command = self.command(registry, ["install", &package.name, "--force", "--version", &version]);
        // `cargo install` reads only the configuration of cargo's home.
        for file in self.workspace.config().workspace_files() {
            command.arg("--config").arg(file);
        }
        let others = self.workspace.plan().packages().iter().filter(|one| *one != package);
        self.patch(&mut command, others, registry);
        let root = self.work_dir()?.join("installed");
        command.arg("--root").arg(&root);
        self.isolate_build(&mut command)?;
        Ok((command, root.join("bin")))
    }

    /// Compares what a registry shows of a package with the workspace.
    fn lookup_published(
        &self,
        package: &PlannedPackage,
        role: RegistryRole<'_>,
        context: &StepContext<'_>,
    ) -> Result<PublishedState, Failure> {
        let index = self.index(role)?;
        let Some(entry) = index.find_version(&package.name, &package.version, context)? else {
            return Ok(PublishedState::Absent);
        };
        if (&entry.name, &entry.version) != (&package.name, &package.version) {
            return Ok(PublishedState::DifferentContent);
        }
        let published = index.download(&entry, context)?;
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

    /// Returns the arguments of the command that publishes a package from the workspace.
    fn publish_args(&self, package: &PlannedPackage) -> Vec<String> {
        let dirty = self.allow_dirty.then_some("--allow-dirty".to_owned());
        ["publish".to_owned(), "-p".to_owned(), package.id()].into_iter().chain(dirty).collect()
    }
}

/// Makes a failure of an error of the system, with what it prevented.
fn io_failure<T>(what: &str, result: io::Result<T>) -> Result<T, Failure> {
    result.map_err(|error| Failure::permanent(format!("{what}: {error}")))
}

impl Publisher for CargoPublisher {
    fn upload_endpoint(&mut self, role: RegistryRole<'_>, context: &mut StepContext<'_>) -> Result<String, Failure> {
        match self.index(role).and_then(|index| index.upload_endpoint(context)) {
            // The address is known, also behind a mirror that only cargo reaches.
            Err(failure) if failure.class == FailureClass::Retryable && role.registry().name.as_str() == CRATES_IO => {
                Ok(crates_io_endpoint())
            }
            Err(failure) => Err(self.redacted(failure)),
            Ok(endpoint) => Ok(self.redactor.redact(&endpoint)),
        }
    }

    fn preflight(&mut self, plan: &Plan, context: &mut StepContext<'_>) -> Result<(), Failure> {
        self.verify_unchanged(plan.packages(), context)
    }

    fn lookup(
        &mut self,
        package: &PlannedPackage,
        role: RegistryRole<'_>,
        context: &mut StepContext<'_>,
    ) -> Result<PublishedState, Failure> {
        self.lookup_published(package, role, context).map_err(|failure| self.redacted(failure))
    }

    fn publish(
        &mut self,
        package: &PlannedPackage,
        role: RegistryRole<'_>,
        context: &mut StepContext<'_>,
    ) -> Result<OutputTails, Failure> {
        self.verify_unchanged(std::slice::from_ref(package), context)?;
        let command = match role {
            RegistryRole::Rehearsal(registry) => self.staged_command("publish", package, registry)?,
            RegistryRole::Live(registry) => {
                self.command(registry, self.publish_args(package).iter().map(String::as_str))
            }
        };
        self.run(command, context)
    }

    fn verify_build(
        &mut self,
        package: &PlannedPackage,
        role: RegistryRole<'_>,
        context: &mut StepContext<'_>,
    ) -> Result<(), Failure> {
        let command = self.staged_command("package", package, role.registry())?;
        self.run(command, context).map(|_| ())
    }

    fn install(
        &mut self,
        package: &PlannedPackage,
        role: RegistryRole<'_>,
        context: &mut StepContext<'_>,
    ) -> Result<(), Failure> {
        let command = self.install_command(package, role.registry());
        let (command, programs) = io_failure("there is no place to install to", command)?;
        let tails = self.run(command, context)?;
        // Cargo also succeeds if it installed nothing.
        let installed = programs.read_dir_utf8().is_ok_and(|mut programs| programs.next().is_some());
        let nothing = "cargo installed no program; do they all want features that are not on by default?";
        if installed { Ok(()) } else { Err(Failure { tails, ..Failure::permanent(nothing) }) }
    }

    fn describe_command(&self, package: &PlannedPackage, role: RegistryRole<'_>) -> String {
        let args = match role {
            RegistryRole::Rehearsal(_) => vec!["publish".to_owned(), "--allow-dirty".to_owned()],
            RegistryRole::Live(_) => self.publish_args(package),
        };
        format!("cargo {} --registry {}", args.join(" "), role.registry().name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::publisher::CancelToken;

    /// (Pass) A given token reaches cargo through its environment only, on its registry only, and is redacted.
    #[test]
    fn a_given_token_is_passed_by_the_environment() {
        let work_dir = WorkDir::create().expect("a directory");
        let root = work_dir.path();
        fs_err::create_dir(root.join("src")).expect("made");
        fs_err::write(root.join("src/lib.rs"), "").expect("written");
        let manifest = root.join("Cargo.toml");
        fs_err::write(&manifest, "[package]\nname = \"zq\"\nversion = \"0.1.0\"\nedition = \"2024\"\n")
            .expect("written");
        let workspace = Workspace::read(&manifest, CRATES_IO, &CancelToken::default()).expect("a workspace");
        let live = workspace.plan().live().clone();
        let cargo = CargoPublisher::new(workspace).with_token("other-one", "s3cret-token");
        let other =
            Registry { name: "other-one".parse().expect("a name"), index: "sparse+https://other.example/".to_owned() };
        let parts = |command: &Command| {
            let args: Vec<String> = command.get_args().map(|arg| arg.to_string_lossy().into_owned()).collect();
            let envs =
                command.get_envs().filter_map(|(name, value)| Some((name.to_str()?.to_owned(), value?.to_owned())));
            (args.join(" "), envs.collect::<BTreeMap<_, _>>())
        };
        let (args, envs) = parts(&cargo.command(&other, ["publish"]));
        assert_eq!(
            args,
            "publish --registry other-one --config registries.other-one.index=\"sparse+https://other.example/\""
        );
        assert_eq!(envs["CARGO_REGISTRIES_OTHER_ONE_TOKEN"], "s3cret-token");
        assert_eq!(cargo.redactor.redact("s3cret-token"), "[hidden]");
        let (args, envs) = parts(&cargo.command(&live, ["publish"]));
        assert_eq!(args, "publish --registry crates-io");
        assert!(!envs.values().any(|value| value == "s3cret-token"), "another registry's");
    }
}
