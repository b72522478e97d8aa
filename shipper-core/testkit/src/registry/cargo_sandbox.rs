//! Environment for the real cargo: a cargo home with registries, but without crates-io, and small workspaces to
//! publish.

use std::ffi::OsStr;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use super::Registry;

/// A temporary directory in which a test runs cargo, with a cargo home of its own.
pub struct CargoSandbox {
    directory: tempfile::TempDir,
}

/// The exit status of a program, and its output.
#[derive(Debug)]
#[must_use = "a test checks the exit status"]
pub struct CommandResult {
    /// `None` if the program was killed.
    pub code: Option<i32>,
    /// Standard output, and standard error after it.
    pub output: String,
}

impl From<Output> for CommandResult {
    fn from(output: Output) -> Self {
        let text = [output.stdout, output.stderr].concat();
        Self { code: output.status.code(), output: String::from_utf8_lossy(&text).into_owned() }
    }
}

impl CommandResult {
    /// Runs a command to its end.
    pub fn run(command: &mut Command) -> Self {
        command.output().expect("it starts").into()
    }

    /// Returns the output of a program that succeeded.
    #[track_caller]
    pub fn expect_success(self) -> String {
        self.expect_status(0, "")
    }

    /// Returns the output of a program that ended with another status.
    #[track_caller]
    pub fn expect_failure(self) -> String {
        assert_ne!(self.code, Some(0), "{}", self.output);
        self.output
    }

    /// Returns the output, which must contain `text`, of a program that ended with that status.
    #[track_caller]
    pub fn expect_status(self, code: i32, text: &str) -> String {
        let Self { code: found, output } = self;
        assert!(found == Some(code) && output.contains(text), "status {found:?}, not {code} with {text:?}: {output}");
        output
    }
}

impl CargoSandbox {
    /// Creates a sandbox whose cargo has this registry under this name, and its token.
    pub fn new(name: &str, registry: &Registry) -> Self {
        Self::with(&[(name, registry)])
    }

    /// Creates a sandbox whose cargo has these registries.
    pub fn with(registries: &[(&str, &Registry)]) -> Self {
        let sandbox = Self { directory: tempfile::tempdir().expect("a directory") };
        // Without a named credential provider, cargo has no token for a private registry.
        let mut config = "[registry]\nglobal-credential-providers = [\"cargo:token\"]\n".to_owned();
        let mut credentials = String::new();
        for (name, registry) in registries {
            let _ = writeln!(config, "[registries.{name}]\nindex = {:?}", registry.index_url());
            let _ = writeln!(credentials, "[registries.{name}]\ntoken = {:?}", registry.token());
        }
        // A request to crates-io fails at once, also without a network.
        let _ = writeln!(
            config,
            "[source.crates-io]\nreplace-with = \"nothing\"\n[source.nothing]\ndirectory = {:?}",
            sandbox.path("nothing")
        );
        std::fs::create_dir(sandbox.path("nothing")).expect("a directory");
        std::fs::create_dir(sandbox.path("temporary")).expect("a directory");
        write(&sandbox.path("home/config.toml"), &config);
        write(&sandbox.path("home/credentials.toml"), &credentials);
        sandbox
    }

    /// Path in the sandbox.
    pub fn path(&self, relative: &str) -> PathBuf {
        self.directory.path().join(relative)
    }

    /// Returns a command with this sandbox's cargo home, and without the variables that the cargo of the test set.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            let of_cargo = text.starts_with("CARGO") && text != "CARGO";
            if of_cargo || text.starts_with("RUSTC") || text.ends_with("RUSTFLAGS") {
                command.env_remove(&name);
            }
        }
        command
            .env("CARGO_HOME", self.path("home"))
            // The files of a killed program are removed with the sandbox.
            .env("TMPDIR", self.path("temporary"))
            .env("CARGO_NET_RETRY", "0")
            .env("CARGO_HTTP_TIMEOUT", "5")
            .env("CARGO_TERM_COLOR", "never")
            .env("NO_PROXY", "127.0.0.1")
            .stdin(Stdio::null());
        command
    }

    /// Runs cargo in a directory.
    pub fn cargo(&self, directory: &Path, arguments: &[&str]) -> CommandResult {
        self.cargo_with(&[], directory, arguments)
    }

    /// Runs cargo in a directory, with these environment variables.
    pub fn cargo_with(&self, environment: &[(&str, &str)], directory: &Path, arguments: &[&str]) -> CommandResult {
        let mut command = self.command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        CommandResult::run(command.current_dir(directory).envs(environment.iter().copied()).args(arguments))
    }
}

/// Writes a file, and creates its parent directories.
pub fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().expect("a directory")).expect("made");
    std::fs::write(path, text).expect("written");
}

/// Changes the text of a file.
pub fn edit(path: &Path, change: impl FnOnce(String) -> String) {
    write(path, &change(std::fs::read_to_string(path).expect("a file")));
}

/// Writes a workspace. Each member has a name, further lines of its `[package]` section and below, and a source. A
/// member with a `fn main` is a program.
pub fn members(root: &Path, members: &[(&str, &str, &str)]) {
    write(&root.join("Cargo.toml"), "[workspace]\nresolver = \"3\"\nmembers = [\"crates/*\"]\n");
    for (name, lines, source) in members {
        let member = root.join("crates").join(name);
        let file = if source.contains("fn main") { "src/main.rs" } else { "src/lib.rs" };
        write(
            &member.join("Cargo.toml"),
            &format!(
                "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\ndescription = \"A test\"\n\
                 license = \"MIT\"\n{lines}"
            ),
        );
        write(&member.join(file), source);
    }
}

/// Writes the workspace of most tests: library `a`, library `b` that depends on it, and program `c` that depends on `b`
/// and prints 42. The dependencies have a path and a version.
pub fn three_members(root: &Path) {
    chain(root, "", "");
}

/// Writes the same workspace, which may be published only to that registry.
pub fn three_members_for(root: &Path, registry: &str) {
    chain(root, &format!("publish = [\"{registry}\"]\n"), &format!(", registry = \"{registry}\""));
}

fn chain(root: &Path, publish: &str, registry: &str) {
    let on = |name: &str| {
        format!("{publish}[dependencies]\n{name} = {{ path = \"../{name}\", version = \"0.1.0\"{registry} }}\n")
    };
    members(
        root,
        &[
            ("a", publish, "pub fn answer() -> u32 { 42 }"),
            ("b", &on("a"), "pub fn answer() -> u32 { a::answer() }"),
            ("c", &on("b"), "fn main() { println!(\"{}\", b::answer()); }"),
        ],
    );
}
