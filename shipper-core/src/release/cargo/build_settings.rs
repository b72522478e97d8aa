//! Settings for builds as users run them: those of registries and of cargo's home, without others of the workspace.
//!
//! Such a build runs in the root directory, because cargo reads the configuration of its working directory and those above
//! it. It gets the settings of registries in a file, tokens in variables, and the workspace's toolchain.

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Map, Value};
use tempfile::NamedTempFile;

use super::config::CargoConfig;
use crate::release::publisher::{Failure, FailureClass};

/// The sections that concern registries.
const KEPT_SECTIONS: [&str; 6] = ["registries", "registry", "source", "http", "net", "credential-alias"];

/// The keys in them that may contain secrets. Cargo gets them in variables.
const SECRET_KEYS: [&str; 3] = ["token", "secret-key", "proxy"];

/// The keys in them that contain a path.
const PATH_KEYS: [&str; 4] = ["cainfo", "proxy-cainfo", "directory", "local-registry"];

/// The settings of the section `build` that change the result of a build.
const BUILD_KEYS: [&str; 6] =
    ["rustc", "rustc-wrapper", "rustc-workspace-wrapper", "rustdocflags", "rustflags", "target"];

/// The messages of cargo about a package that does not build.
const BUILD_ERRORS: [&str; 4] =
    ["could not compile", "failed to run custom build command", "failed to verify package", "failed to compile"];

/// The length to which a failure's message is truncated before the hint, in characters.
const MAX_MESSAGE_BEFORE_HINT: usize = 1_600;

/// Settings for builds as users run them.
pub(super) struct BuildSettings {
    /// The root directory of the file system.
    directory: Utf8PathBuf,
    /// The settings of registries. Only this user can read the file.
    file: NamedTempFile,
    /// Environment variables with their values; `None` removes a variable.
    variables: Vec<(OsString, Option<String>)>,
    /// The places of settings that the builds do not get, with the settings.
    left_out: [(&'static str, Vec<String>); 2],
}

impl BuildSettings {
    /// Writes the file to the work directory, and asks for the toolchain of the workspace.
    pub(super) fn create(config: &CargoConfig, root: &Utf8Path, work_dir: &Utf8Path) -> io::Result<Self> {
        let of_workspace: Vec<(&Utf8Path, &Value)> =
            config.files().filter(|(_, _, of_home)| !of_home).map(|(path, file, _)| (path, file)).collect();
        let is_set = |variable: &str| std::env::var_os(variable).is_some();
        let (settings, secrets) = registry_settings(&of_workspace, is_set);
        let mut file = NamedTempFile::new_in(work_dir)?;
        let text = toml_edit::ser::to_string(&settings).map_err(io::Error::other)?;
        file.write_all(text.as_bytes())?;

        // Cargo prefers its credentials to the tokens of configuration files.
        let is_credentials = |path: &Utf8Path| path.file_stem() == Some("credentials");
        let credentials = config.files().filter(|(path, _, of_home)| *of_home && is_credentials(path));
        let credentials: Vec<_> = credentials.map(|(path, file, _)| (path, file)).collect();
        let (_, stored) = registry_settings(&credentials, |_| false);
        let is_stored = |variable: &str| stored.iter().any(|(known, _)| known == variable);
        let secrets = secrets.into_iter().filter(|(variable, _)| !is_stored(variable));
        let mut variables: Vec<_> = secrets.map(|(variable, value)| (variable.into(), Some(value))).collect();
        let mut removed = Vec::new();
        for (name, value) in std::env::vars_os() {
            let (Some(text), Some(value)) = (name.to_str(), value.to_str()) else { continue };
            if is_build_variable(text) {
                removed.push(text.to_owned());
                variables.push((name, None));
            } else if is_set_by_workspace(&of_workspace, text, value) {
                // This program was started by a cargo of the workspace.
                variables.push((name, None));
            }
        }
        // Relative paths in the environment are relative to the working directory.
        for variable in ["CARGO_HOME", "CARGO_HTTP_CAINFO"] {
            let path = std::env::var(variable).ok().filter(|path| Utf8Path::new(path).is_relative());
            variables.extend(path.map(|path| (variable.into(), Some(root.join(path).into_string()))));
        }
        let toolchain = if is_set("RUSTUP_TOOLCHAIN") { None } else { toolchain(root) };
        variables.extend(toolchain.map(|toolchain| ("RUSTUP_TOOLCHAIN".into(), Some(toolchain))));
        let left_out = build_settings(&of_workspace);
        let left_out = [("the workspace's .cargo/config.toml", left_out), ("the environment", removed)];
        let directory = work_dir.ancestors().last().unwrap_or(work_dir).to_owned();
        Ok(Self { directory, file, variables, left_out })
    }

    /// Makes a command use these settings only.
    pub(super) fn apply(&self, command: &mut Command) {
        command.current_dir(&self.directory).arg("--config").arg(self.file.path());
        for (name, value) in &self.variables {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
    }

    /// Adds to the failure of a build that the package may need the settings which the build did not get.
    pub(super) fn explain(&self, failure: Failure) -> Failure {
        let is_build_error = |text: &str| BUILD_ERRORS.iter().any(|error| text.contains(error));
        let of_build = is_build_error(&failure.message) || is_build_error(&failure.tails.stderr);
        let places = self.left_out.iter().filter(|(_, settings)| !settings.is_empty());
        let places = places.map(|(place, settings)| format!("{place} ({})", settings.join(", ")));
        let places = places.collect::<Vec<_>>().join(" or of ");
        if places.is_empty() || failure.class != FailureClass::Permanent || !of_build {
            return failure;
        }
        let message: String = failure.message.chars().take(MAX_MESSAGE_BEFORE_HINT).collect();
        let message = format!("{message}; it may need settings of {places}, which users do not have");
        Failure { message, ..failure }
    }
}

/// Merges the settings of registries in configuration files, the nearest of which is first. Returns them, and the secrets
/// among them as environment variables. Leaves out settings that a variable overrides.
fn registry_settings(files: &[(&Utf8Path, &Value)], is_set: impl Fn(&str) -> bool) -> (Value, Vec<(String, String)>) {
    let (mut settings, mut secrets) = (Map::new(), Vec::new());
    for (path, file) in files.iter().rev() {
        // A path in a configuration file is relative to the parent of the file's directory.
        let base = path.parent().and_then(Utf8Path::parent).unwrap_or(Utf8Path::new(""));
        for section in KEPT_SECTIONS {
            let mut key = vec![section.to_owned()];
            if let Some(found) = file[section].as_object() {
                let into = settings.entry(section).or_insert_with(|| Map::new().into());
                merge(into, found, &mut key, &mut Merge { base, is_set: &is_set, secrets: &mut secrets });
            }
        }
    }
    (settings.into(), secrets)
}

/// The parameters of [`merge`] that are the same for all settings of a file.
struct Merge<'m> {
    base: &'m Utf8Path,
    is_set: &'m dyn Fn(&str) -> bool,
    secrets: &'m mut Vec<(String, String)>,
}

/// Merges a table with the key `key` into another one as cargo does. The new table takes precedence.
fn merge(into: &mut Value, table: &Map<String, Value>, key: &mut Vec<String>, parameters: &mut Merge<'_>) {
    for (name, value) in table {
        key.push(name.clone());
        let variable = format!("CARGO_{}", key.join("_").to_ascii_uppercase().replace('-', "_"));
        if let Some(table) = value.as_object() {
            let inner = &mut into[name];
            if !inner.is_object() {
                *inner = Map::new().into();
            }
            merge(inner, table, key, parameters);
        } else if (parameters.is_set)(&variable) {
            // The variable takes precedence over files, but a file on the command line would over the variable.
        } else if let Some(secret) = value.as_str().filter(|_| SECRET_KEYS.contains(&name.as_str())) {
            parameters.secrets.retain(|(known, _)| *known != variable);
            parameters.secrets.push((variable, secret.to_owned()));
        } else {
            let value = absolute(value, key, parameters.base);
            let joins = name != "credential-provider" && !key.starts_with(&["credential-alias".to_owned()]);
            match (&mut into[name], value) {
                (Value::Array(earlier), Value::Array(later)) if joins => earlier.extend(later),
                (earlier, later) => *earlier = later,
            }
        }
        key.pop();
    }
}

/// Returns a value with absolute paths.
fn absolute(value: &Value, key: &[String], base: &Utf8Path) -> Value {
    let is_path = key.last().is_some_and(|name| PATH_KEYS.contains(&name.as_str()));
    let is_program = key.iter().any(|name| name.starts_with("credential-") || name.ends_with("credential-providers"));
    let program = |text: &str| {
        let (program, arguments) = text.split_once(' ').unwrap_or((text, ""));
        let is_file = program.contains(['/', '\\']) && !program.starts_with("cargo:");
        let program = if is_file { base.join(program).into_string() } else { program.to_owned() };
        format!("{program} {arguments}").trim_end().to_owned()
    };
    match value {
        Value::String(path) if is_path => base.join(path).into_string().into(),
        Value::String(text) if is_program => program(text).into(),
        // Each provider in the list of all has its arguments in one text. Otherwise, the first text is the program.
        Value::Array(texts) if is_program => {
            let all = key.last().is_some_and(|name| name == "global-credential-providers");
            let number = if all { texts.len() } else { 1 };
            let change = |(position, text): (usize, &Value)| match text.as_str() {
                Some(text) if position < number => program(text).into(),
                _ => text.clone(),
            };
            texts.iter().enumerate().map(change).collect()
        }
        other => other.clone(),
    }
}

/// Returns the keys in configuration files that change the result of a build.
fn build_settings(files: &[(&Utf8Path, &Value)]) -> Vec<String> {
    let has = |section: &str, key: Option<&str>| {
        files.iter().any(|(_, file)| match key {
            None => file[section].as_object().is_some_and(|table| !table.is_empty()),
            Some(key) => file[section].get(key).is_some(),
        })
    };
    let sections = ["env", "target", "profile", "unstable"].into_iter().filter(|section| has(section, None));
    let keys = BUILD_KEYS.into_iter().filter(|key| has("build", Some(key)));
    sections.map(ToOwned::to_owned).chain(keys.map(|key| format!("build.{key}"))).collect()
}

/// Returns `true` for an environment variable that changes the result of a build, and that users do not have.
fn is_build_variable(name: &str) -> bool {
    let is_flags = name.ends_with("RUSTFLAGS") || name.ends_with("RUSTDOCFLAGS");
    is_flags || name == "RUSTC_BOOTSTRAP" || name.ends_with("RUSTC_WORKSPACE_WRAPPER")
}

/// Returns `true` if the section `env` of a configuration file gives this value to a variable.
fn is_set_by_workspace(files: &[(&Utf8Path, &Value)], name: &str, value: &str) -> bool {
    let settings = files.iter().filter_map(|(_, file)| file.get("env")?.get(name));
    let mut values = settings.filter_map(|setting| setting.as_str().or_else(|| setting["value"].as_str()));
    values.any(|set| set == value)
}

/// Returns the toolchain that rustup selects for a directory; `None` without rustup.
fn toolchain(directory: &Utf8Path) -> Option<String> {
    let output = Command::new("rustup").args(["show", "active-toolchain"]).current_dir(directory).output().ok()?;
    let text = String::from_utf8(output.stdout).ok().filter(|_| output.status.success())?;
    // The reason follows in parentheses.
    let name = text.lines().next()?.split(" (").next()?.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

#[cfg(test)]
#[path = "../../../tests/unit/build_settings.rs"]
mod tests;
