//! Cargo itself as the [`Publisher`], and plans of workspaces.
//!
//! - A plan is made of what `cargo package` packs: [`Workspace::read`].
//! - A rehearsal publishes each package as it would be uploaded, from a place of its own, with one difference: where it depends on
//!   a sibling, that is looked up on the rehearsal registry too. So every package is built against what was published
//!   before it, as users will build it.
//! - A publish runs `cargo publish` in the workspace, after a look at whether what it would upload is still what the plan says.
//! - Registries are found as cargo finds them: [`Target::configured`].
//! - Whether a version is there is asked of the sparse index, and its content is compared. Of a registry that is known by
//!   its name only, cargo is asked, and the content is not compared.
//! - Tokens are handed to cargo by its environment, and are replaced wherever something prints them.

mod cache;
mod command;
mod config;
mod index;
mod package;
mod said;
mod stage;
mod workspace;

use std::collections::BTreeMap;
use std::process::Command;

use camino::Utf8PathBuf;

use tempfile::TempDir;

use command::{Secrets, run};
pub use config::ConfigError;
use index::SparseIndex;
use package::is_same;
use said::{class_of, why};
use stage::stage;
use workspace::cargo;
pub use workspace::{Workspace, WorkspaceError};

use super::plan::Planned;
use super::world::{CRATES_IO, Class, Failure, Found, Moment, Publisher, Tails, Target};

/// Publishes with cargo.
pub struct Cargo {
    workspace: Workspace,
    live: Target,
    allow_dirty: bool,
    /// Tokens by the names of registries.
    tokens: BTreeMap<String, String>,
    secrets: Secrets,
    /// Where packages are laid out and built, apart from everything that was built before.
    place: Option<TempDir>,
}

impl Cargo {
    /// Publishes the packages of a workspace; what is published to `live` is published for real, from the workspace itself.
    ///
    /// Tokens are those that cargo knows: its environment variables, and its own credentials.
    pub fn new(workspace: Workspace, live: Target) -> Self {
        let mut cargo = Self {
            workspace,
            live,
            allow_dirty: false,
            tokens: BTreeMap::new(),
            secrets: Secrets::default(),
            place: None,
        };
        cargo.learn_secrets();
        cargo
    }

    /// Uses that token for a registry.
    #[must_use]
    pub fn with_token(mut self, registry: &str, token: &str) -> Self {
        self.tokens.insert(registry.to_owned(), token.to_owned());
        self.learn_secrets();
        self
    }

    /// Publishes also what is not committed, as cargo's `--allow-dirty` does.
    #[must_use]
    pub fn allowing_dirty(mut self) -> Self {
        self.allow_dirty = true;
        self
    }

    /// The workspace as it was read.
    pub fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    fn learn_secrets(&mut self) {
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            let name = name.to_str()?.to_owned();
            is_token(&name).then(|| value.to_string_lossy().into_owned())
        });
        self.secrets = Secrets::of(variables.chain(self.tokens.values().cloned()));
    }

    /// The token for a registry that we know of.
    fn token(&self, on: &Target) -> Option<String> {
        let given = self.tokens.get(on.name.as_str()).cloned();
        given.or_else(|| std::env::var(variable(on, "TOKEN")).ok())
    }

    /// Cargo with the registry configured, run where the workspace's own configuration and toolchain hold.
    fn command(&self, on: &Target, args: &[&str]) -> Command {
        let mut command = Command::new(cargo());
        command.current_dir(self.workspace.root()).args(args).args(["--registry", on.name.as_str()]);
        if on.index.contains("://") {
            command.arg("--config").arg(format!("registries.{}.index={:?}", on.name.as_str(), on.index));
        }
        if let Some(token) = self.tokens.get(on.name.as_str()) {
            let name =
                if on.name.as_str() == CRATES_IO { "CARGO_REGISTRY_TOKEN".to_owned() } else { variable(on, "TOKEN") };
            command.env(name, token);
        }
        command.env("CARGO_TERM_COLOR", "never");
        command
    }

    fn run(&self, command: Command, moment: &mut Moment<'_>) -> Result<Tails, Failure> {
        let (status, tails) = run(command, moment, &self.secrets)?;
        if status.success() {
            return Ok(tails);
        }
        let class = class_of(&tails.stderr);
        let message = format!("cargo failed ({status}): {}", why(&tails.stderr));
        Err(Failure { class, message, tails })
    }

    /// A place for this release, which goes away with it. What cargo remembers of the registry is forgotten when it is
    /// made: cargo takes what it once downloaded or built of a name and version for unchanging, also after a registry was
    /// set up anew, and would build against what is no longer there.
    fn place(&mut self, on: &Target, moment: &Moment<'_>) -> Result<Utf8PathBuf, Failure> {
        moment.check()?;
        let none = |error: &dyn std::fmt::Display| {
            Failure::new(Class::Permanent, format!("there is no place to lay packages out: {error}"))
        };
        let place = match self.place.take() {
            Some(place) => place,
            None => {
                cache::forget(on, self.workspace.plan().packages()).map_err(|error| none(&error))?;
                tempfile::Builder::new().prefix("shipper-").tempdir().map_err(|error| none(&error))?
            }
        };
        let place = self.place.insert(place);
        Utf8PathBuf::from_path_buf(place.path().to_owned()).map_err(|_| none(&"the temporary directory is not UTF-8"))
    }

    /// Has a command build apart from what was built before.
    fn apart(&mut self, command: &mut Command, on: &Target, moment: &Moment<'_>) -> Result<(), Failure> {
        let target = self.place(on, moment)?.join("target");
        command.arg("--target-dir").arg(&target).env("CARGO_BUILD_BUILD_DIR", &target);
        for (variable, _) in std::env::vars_os() {
            // The rehearsed packages' build scripts need not know other registries' tokens.
            let name = variable.to_string_lossy().into_owned();
            if is_token(&name) && name != self::variable(on, "TOKEN") {
                command.env_remove(variable);
            }
        }
        Ok(())
    }

    /// Publishes a package to the rehearsal registry, from a place of its own.
    fn rehearse(&mut self, package: &Planned, on: &Target, moment: &mut Moment<'_>) -> Result<Tails, Failure> {
        let path = self.place(on, moment)?.join(package.id());
        let not_staged = |error: &dyn std::fmt::Display| {
            Failure::new(Class::Permanent, format!("the package cannot be laid out for the rehearsal: {error}"))
        };
        let packed = self.workspace.packed(&package.name).ok_or_else(|| not_staged(&"it is not in the workspace"))?;
        stage(packed, self.workspace.lock(), on.name.as_str(), &path).map_err(|error| not_staged(&error))?;
        let mut command = self.command(on, &["publish", "--allow-dirty"]);
        command.arg("--manifest-path").arg(path.join("Cargo.toml"));
        self.apart(&mut command, on, moment)?;
        self.run(command, moment)
    }

    /// Publishes a package for real, if it still is what the plan says.
    fn publish_live(&self, package: &Planned, on: &Target, moment: &mut Moment<'_>) -> Result<Tails, Failure> {
        let unchanged = self.workspace.is_unchanged(package).map_err(|error| {
            Failure::new(Class::Permanent, format!("the workspace cannot be read any more: {error}"))
        })?;
        if !unchanged {
            let message = "the source changed since the plan was made; rehearse what is to be published now";
            return Err(Failure::new(Class::Permanent, message));
        }
        let spec = format!("{}@{}", package.name, package.version);
        let mut args = vec!["publish", "-p", &spec];
        if self.allow_dirty {
            args.push("--allow-dirty");
        }
        self.run(self.command(on, &args), moment)
    }
}

impl Publisher for Cargo {
    fn find(&mut self, package: &Planned, on: &Target, moment: &mut Moment<'_>) -> Result<Found, Failure> {
        let Some(index) = SparseIndex::at(&on.index, self.token(on)) else {
            return self.ask_cargo(package, on, moment);
        };
        let Some(cksum) = index.checksum(&package.name, &package.version, moment)? else {
            return Ok(Found::Nothing);
        };
        let there = index.download(&package.name, &package.version, &cksum, moment)?;
        let Some(ours) = self.workspace.packed(&package.name) else {
            return Ok(Found::There);
        };
        let same = if on.is_same_registry(&self.live) {
            is_same(&there, &ours.files)
        } else {
            stage::is_staged(&there, ours, on.name.as_str())
        };
        Ok(if same { Found::Same } else { Found::Other })
    }

    fn publish(&mut self, package: &Planned, on: &Target, moment: &mut Moment<'_>) -> Result<Tails, Failure> {
        if on.is_same_registry(&self.live) {
            self.publish_live(package, on, moment)
        } else {
            self.rehearse(package, on, moment)
        }
    }

    fn install(&mut self, package: &Planned, on: &Target, moment: &mut Moment<'_>) -> Result<(), Failure> {
        let version = format!("={}", package.version);
        let mut command = self.command(on, &["install", &package.name, "--force", "--version", &version]);
        command.arg("--root").arg(self.place(on, moment)?.join("installed"));
        self.apart(&mut command, on, moment)?;
        self.run(command, moment).map(|_| ())
    }

    fn command(&self, package: &Planned, on: &Target) -> String {
        format!("cargo publish -p {} --registry {}", package.name, on.name)
    }
}

impl Cargo {
    /// Asks cargo whether a registry that it knows by name shows a version.
    fn ask_cargo(&self, package: &Planned, on: &Target, moment: &mut Moment<'_>) -> Result<Found, Failure> {
        let elsewhere = tempfile::tempdir()
            .map_err(|error| Failure::new(Class::Permanent, format!("there is no temporary directory: {error}")))?;
        let spec = format!("{}@{}", package.name, package.version);
        let mut command = self.command(on, &["info", &spec]);
        // In the workspace, cargo would tell of the package that stands there.
        command.current_dir(elsewhere.path());
        match self.run(command, moment) {
            Ok(_) => Ok(Found::There),
            Err(failure) if failure.tails.stderr.contains("could not find `") => Ok(Found::Nothing),
            Err(failure) => Err(failure),
        }
    }
}

/// Whether an environment variable of that name holds a token.
fn is_token(name: &str) -> bool {
    name.starts_with("CARGO_REGISTR") && (name.ends_with("_TOKEN") || name.ends_with("_SECRET_KEY"))
}

/// The environment variable of a registry's setting.
fn variable(on: &Target, setting: &str) -> String {
    let name = on.name.as_str().to_ascii_uppercase().replace('-', "_");
    format!("CARGO_REGISTRIES_{name}_{setting}")
}
