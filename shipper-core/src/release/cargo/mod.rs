//! Cargo itself as the [`Publisher`], and plans of workspaces.
//!
//! - A plan is made of what `cargo package` packs: [`Workspace::read`].
//! - A rehearsal publishes each package as it would be uploaded, from a place of its own, with its siblings patched by what
//!   was published to the rehearsal registry before it. So every package is built as users will build it, with one version of
//!   each sibling, whoever needs it.
//! - A publish runs `cargo publish` in the workspace.
//! - Before both, packages are packed again: cargo may refuse that, such as when something is not committed, and they must
//!   still be what the plan says.
//! - Registries are found as cargo finds them: [`Workspace::registry`].
//! - Whether a version is there is asked of the sparse index, and its content is compared.
//! - Tokens are handed to cargo by its environment, and are replaced wherever something prints them.

mod cache;
mod command;
mod config;
mod index;
mod lock;
mod package;
mod said;
mod stage;
mod workspace;

use std::collections::BTreeMap;
use std::io;
use std::process::Command;

use camino::Utf8PathBuf;
use tempfile::TempDir;

use command::{Secrets, run};
pub use config::ConfigError;
use config::{CRATES_IO, crates_io_uploads, token_variable};
use index::SparseIndex;
use package::{have_same_files, have_same_manifest};
use stage::{is_staged, stage};
pub use workspace::{Workspace, WorkspaceError};
use workspace::{cargo, path_of, temporary_directory};

use super::plan::{Plan, PlannedPackage};
use super::registry::{On, Registry};
use super::world::{Failure, FailureClass, Found, OutputTails, Publisher, StepContext};

/// Publishes the packages of a workspace with cargo. A value is for one rehearsal or one run.
pub struct Cargo {
    workspace: Workspace,
    allow_dirty: bool,
    /// Tokens by the names of registries.
    tokens: BTreeMap<String, String>,
    secrets: Secrets,
    /// Where packages are laid out and built, apart from everything that was built before.
    place: Option<TempDir>,
    /// Whether cargo was made to forget what it once had from the rehearsal registry.
    forgot: bool,
}

impl Cargo {
    /// Publishes the packages of a workspace.
    ///
    /// Tokens are those that cargo knows: its environment variables, and its own credentials.
    pub fn new(workspace: Workspace) -> Self {
        let secrets = Secrets::of(workspace.config().secrets());
        Self { workspace, allow_dirty: false, tokens: BTreeMap::new(), secrets, place: None, forgot: false }
    }

    /// Uses that token for a registry, and shows it to nothing that is done on another one. Where cargo must look into a
    /// live registry that shows nothing without a token, a rehearsal needs one that cargo finds by itself.
    #[must_use]
    pub fn with_token(mut self, registry: &str, token: &str) -> Self {
        self.tokens.insert(registry.to_owned(), token.to_owned());
        let given = self.tokens.values().cloned();
        self.secrets = Secrets::of(self.workspace.config().secrets().into_iter().chain(given));
        self
    }

    /// Publishes also what is not committed, as cargo's `--allow-dirty` does.
    #[must_use]
    pub fn allow_dirty(mut self) -> Self {
        self.allow_dirty = true;
        self
    }

    /// The workspace as it was read.
    pub fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    fn index(&self, on: On<'_>) -> Result<SparseIndex, Failure> {
        let (registry, config) = (on.registry(), self.workspace.config());
        let token = self.tokens.get(registry.name.as_str()).cloned();
        SparseIndex::of(registry, config, token.or_else(|| config.token(registry.name.as_str())))
    }

    /// Cargo with the registry configured, run where the workspace's own configuration and toolchain hold.
    fn cargo(&self, on: &Registry, args: &[&str]) -> Command {
        let mut command = Command::new(cargo());
        let name = on.name.as_str();
        command.current_dir(self.workspace.root()).args(args);
        // Older ones do not let it be said of what is only packed and built.
        if !args.contains(&"package") {
            command.args(["--registry", name]);
        }
        if name != CRATES_IO {
            command.arg("--config").arg(format!("registries.{name}.index={:?}", on.index));
        }
        if let Some(token) = self.tokens.get(name) {
            command.env(token_variable(name), token);
        }
        command
    }

    /// Has cargo look up packages of the plan on the rehearsal registry, whoever depends on them.
    fn patch<'p>(&self, command: &mut Command, packages: impl Iterator<Item = &'p PlannedPackage>, on: &Registry) {
        let live = self.workspace.plan().live();
        let source = if live.name.as_str() == CRATES_IO { CRATES_IO.to_owned() } else { format!("{:?}", live.index) };
        for package in packages {
            let patch = format!("patch.{source}.{}", package.name);
            // Build metadata does not tell versions apart.
            let version = package.version.split('+').next().unwrap_or(&package.version);
            command.arg("--config").arg(format!("{patch}.version=\"={version}\""));
            command.arg("--config").arg(format!("{patch}.registry={:?}", on.name.as_str()));
        }
    }

    fn run(&self, command: Command, context: &mut StepContext<'_>) -> Result<OutputTails, Failure> {
        run(command, context, &self.secrets)
    }

    /// A place for this release, which goes away with it.
    fn place(&mut self) -> io::Result<Utf8PathBuf> {
        let place = match self.place.take() {
            Some(place) => place,
            None => temporary_directory()?,
        };
        path_of(self.place.insert(place)).map(ToOwned::to_owned)
    }

    /// Has a command build apart from what was built before, and leave nothing elsewhere when it is ended.
    fn apart(&mut self, command: &mut Command) -> io::Result<()> {
        let place = self.place()?;
        let (target, temporary) = (place.join("target"), place.join("temporary"));
        fs_err::create_dir_all(&temporary)?;
        command.arg("--target-dir").arg(&target).env("CARGO_BUILD_BUILD_DIR", &target);
        for variable in ["TMPDIR", "TMP", "TEMP"] {
            command.env(variable, &temporary);
        }
        Ok(())
    }

    /// Sees that cargo would still publish packages, and that they are what the plan says.
    fn look_again(&self, packages: &[PlannedPackage], context: &mut StepContext<'_>) -> Result<(), Failure> {
        let cannot = "the workspace cannot be packed again to see whether it changed";
        let place = hindered(cannot, temporary_directory())?;
        let into = hindered(cannot, path_of(&place))?;
        self.run(self.workspace.packing(packages, self.allow_dirty, into), context)?;
        let Some((package, what)) = hindered(cannot, self.workspace.changed(packages, into))? else {
            return Ok(());
        };
        let message = format!(
            "the source changed since the plan was made ({what} of {}); rehearse what is to be published now",
            package.name
        );
        Err(Failure::new(FailureClass::Permanent, message))
    }

    /// Lays a package out for the rehearsal, and gives what does that to it there.
    fn staged(&mut self, action: &str, package: &PlannedPackage, on: &Registry) -> Result<Command, Failure> {
        let command = self.try_staged(action, package, on);
        hindered("the package cannot be laid out for the rehearsal", command)
    }

    fn try_staged(&mut self, action: &str, package: &PlannedPackage, on: &Registry) -> io::Result<Command> {
        self.forget(on)?;
        let path = self.place()?.join(package.id());
        let packed = self.workspace.packed(&package.name);
        let packed = packed.ok_or_else(|| io::Error::other("it is not in the workspace"))?;
        stage(packed, self.workspace.lock(), &path)?;
        let mut command = self.cargo(on, &[action, "--allow-dirty"]);
        command.arg("--manifest-path").arg(path.join("Cargo.toml"));
        // Those after it are not there yet.
        let before = self.workspace.plan().packages().iter().take_while(|one| *one != package);
        self.patch(&mut command, before, on);
        self.apart(&mut command)?;
        Ok(command)
    }

    /// Has cargo forget, once, what it downloaded of the plan from that registry: it would build against that.
    fn forget(&mut self, on: &Registry) -> io::Result<()> {
        if !self.forgot {
            cache::forget(on, self.workspace.plan().packages())?;
            self.forgot = true;
        }
        Ok(())
    }

    /// What installs a package's program into a directory.
    fn installing(&mut self, package: &PlannedPackage, on: &Registry) -> io::Result<(Command, Utf8PathBuf)> {
        self.forget(on)?;
        let version = format!("={}", package.version);
        let mut command = self.cargo(on, &["install", &package.name, "--force", "--version", &version]);
        // Left to itself, cargo reads only the configuration of its home when it installs.
        for file in self.workspace.config().of_workspace() {
            command.arg("--config").arg(file);
        }
        self.patch(&mut command, self.workspace.plan().packages().iter().filter(|one| *one != package), on);
        let root = self.place()?.join("installed");
        command.arg("--root").arg(&root);
        self.apart(&mut command)?;
        Ok((command, root.join("bin")))
    }

    /// What a registry shows of a package, compared with what would be published.
    fn look(&self, package: &PlannedPackage, on: On<'_>, context: &StepContext<'_>) -> Result<Found, Failure> {
        let index = self.index(on)?;
        let Some(shown) = index.look(&package.name, &package.version, context)? else {
            return Ok(Found::Nothing);
        };
        if (&shown.name, &shown.version) != (&package.name, &package.version) {
            return Ok(Found::Other);
        }
        let there = index.download(&shown, context)?;
        let same = self.workspace.packed(&package.name).is_some_and(|ours| match on {
            On::Rehearsal(_) => is_staged(&there, ours),
            On::Live(_) => have_same_files(&there, ours) && have_same_manifest(&there, ours),
        });
        Ok(if same { Found::Same } else { Found::Other })
    }

    /// A registry may repeat what it was shown.
    fn without_secrets(&self, failure: Failure) -> Failure {
        Failure { message: self.secrets.hide(&failure.message), ..failure }
    }

    /// Publishes a package for real, from the workspace.
    fn publish_live(
        &self,
        package: &PlannedPackage,
        on: &Registry,
        context: &mut StepContext<'_>,
    ) -> Result<OutputTails, Failure> {
        let args = self.publish_args(package);
        self.run(self.cargo(on, &args.iter().map(String::as_str).collect::<Vec<_>>()), context)
    }

    /// What publishes a package from the workspace.
    fn publish_args(&self, package: &PlannedPackage) -> Vec<String> {
        let dirty = self.allow_dirty.then_some("--allow-dirty".to_owned());
        ["publish".to_owned(), "-p".to_owned(), package.id()].into_iter().chain(dirty).collect()
    }
}

/// Says what a failure of the system kept from being done.
fn hindered<T>(what: &str, done: io::Result<T>) -> Result<T, Failure> {
    done.map_err(|error| Failure::new(FailureClass::Permanent, format!("{what}: {error}")))
}

impl Publisher for Cargo {
    fn uploads_to(&mut self, on: On<'_>, context: &mut StepContext<'_>) -> Result<String, Failure> {
        let told = self.index(on).and_then(|index| index.uploads_to(context));
        match told.map_err(|failure| self.without_secrets(failure)) {
            // It is known, also behind a mirror through which cargo reaches it and nobody else does.
            Err(failure) if failure.class == FailureClass::Retryable && on.registry().name.as_str() == CRATES_IO => {
                Ok(crates_io_uploads())
            }
            told => told.map(|to| self.secrets.hide(&to)),
        }
    }

    fn check(&mut self, plan: &Plan, context: &mut StepContext<'_>) -> Result<(), Failure> {
        self.look_again(plan.packages(), context)
    }

    fn find(&mut self, package: &PlannedPackage, on: On<'_>, context: &mut StepContext<'_>) -> Result<Found, Failure> {
        self.look(package, on, context).map_err(|failure| self.without_secrets(failure))
    }

    fn publish(
        &mut self,
        package: &PlannedPackage,
        on: On<'_>,
        context: &mut StepContext<'_>,
    ) -> Result<OutputTails, Failure> {
        self.look_again(std::slice::from_ref(package), context)?;
        match on {
            On::Rehearsal(registry) => {
                let command = self.staged("publish", package, registry)?;
                self.run(command, context)
            }
            On::Live(registry) => self.publish_live(package, registry, context),
        }
    }

    fn build(&mut self, package: &PlannedPackage, on: On<'_>, context: &mut StepContext<'_>) -> Result<(), Failure> {
        let command = self.staged("package", package, on.registry())?;
        self.run(command, context).map(|_| ())
    }

    fn install(&mut self, package: &PlannedPackage, on: On<'_>, context: &mut StepContext<'_>) -> Result<(), Failure> {
        let cannot = "there is no place to install to";
        let (command, programs) = hindered(cannot, self.installing(package, on.registry()))?;
        let tails = self.run(command, context)?;
        // Cargo calls it well when there is nothing that could be installed.
        let installed = programs.read_dir_utf8().is_ok_and(|mut programs| programs.next().is_some());
        let nothing = "cargo installed no program; do they all want features that are not on by default?";
        if installed { Ok(()) } else { Err(Failure { tails, ..Failure::new(FailureClass::Permanent, nothing) }) }
    }

    fn command(&self, package: &PlannedPackage, on: On<'_>) -> String {
        let args = match on {
            On::Rehearsal(_) => vec!["publish".to_owned(), "--allow-dirty".to_owned()],
            On::Live(_) => self.publish_args(package),
        };
        format!("cargo {} --registry {}", args.join(" "), on.registry().name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::world::Stop;

    /// (Pass) A token that was given reaches cargo by its environment only, and is hidden.
    #[test]
    fn a_given_token() {
        let place = temporary_directory().expect("a directory");
        let root = path_of(&place).expect("UTF-8");
        fs_err::create_dir(root.join("src")).expect("made");
        fs_err::write(root.join("src/lib.rs"), "").expect("written");
        let manifest = root.join("Cargo.toml");
        fs_err::write(&manifest, "[package]\nname = \"zq\"\nversion = \"0.1.0\"\nedition = \"2024\"\n")
            .expect("written");
        let workspace = Workspace::read(&manifest, CRATES_IO, &Stop::default()).expect("a workspace");
        let live = workspace.plan().live().clone();
        let cargo = Cargo::new(workspace).with_token("other-one", "s3cret-token");
        let other =
            Registry { name: "other-one".parse().expect("a name"), index: "sparse+https://other.example/".to_owned() };
        let told = |command: &Command| {
            let args: Vec<String> = command.get_args().map(|arg| arg.to_string_lossy().into_owned()).collect();
            let envs =
                command.get_envs().filter_map(|(name, value)| Some((name.to_str()?.to_owned(), value?.to_owned())));
            (args.join(" "), envs.collect::<BTreeMap<_, _>>())
        };
        let (args, envs) = told(&cargo.cargo(&other, &["publish"]));
        assert_eq!(
            args,
            "publish --registry other-one --config registries.other-one.index=\"sparse+https://other.example/\""
        );
        assert_eq!(envs["CARGO_REGISTRIES_OTHER_ONE_TOKEN"], "s3cret-token");
        assert_eq!(cargo.secrets.hide("s3cret-token"), "[hidden]");
        let (args, envs) = told(&cargo.cargo(&live, &["publish"]));
        assert_eq!(args, "publish --registry crates-io");
        assert!(!envs.values().any(|value| value == "s3cret-token"), "another registry's");
    }
}
