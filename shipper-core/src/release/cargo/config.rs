//! Cargo's configuration of registries: addresses, tokens, certificates and proxy.

use std::collections::BTreeMap;
use std::error::Error;
use std::io;
use std::process::Command;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use super::crates_io::{CRATES_IO, CRATES_IO_INDEX};
use super::overrides::{Override, SOURCE_VARIABLES, find_override};
use super::proxy::{ProxySetting, ProxySettings};
use super::redact::{hide_url_passwords, url_passwords};
use crate::release::registry::{Registry, shown};

/// The error for a configuration of cargo that does not fit a release.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The text cannot be the name of a registry.
    #[error("invalid registry name {name}: only letters, digits, `-` and `_` are allowed")]
    InvalidRegistryName {
        /// The name, safe to show.
        name: String,
    },
    /// The registry is not configured.
    #[error("registry {name} has no index; set it in [registries.{name}] of .cargo/config.toml, or in {variable}")]
    NotConfigured {
        /// The registry's name.
        name: String,
        /// The environment variable that can set its index.
        variable: String,
    },
    /// The registry's index is not a sparse one, which a lookup needs.
    #[error("registry {name} has no sparse index: {index}; configure its `sparse+` address")]
    NotSparse {
        /// The registry's name.
        name: String,
        /// The address of the index, safe to show.
        index: String,
    },
    /// The proxy or the certificates for a registry cannot be used.
    #[error("cannot connect to registry {name}")]
    Network {
        /// The registry's name.
        name: String,
        /// The setting, and the reason.
        source: Box<dyn Error + Send + Sync>,
    },
    /// Cargo takes packages of the registry from another place, which users do not have.
    #[error(
        "{key} in {place} replaces packages of the registry {name}, but not for users; remove the setting for the \
         release, so that cargo reads the registry itself (a mirror can lack versions)"
    )]
    Overridden {
        /// The registry's name.
        name: String,
        /// The file, or the environment.
        place: String,
        /// The key, or the environment variable.
        key: String,
    },
    /// A configuration file cannot be read.
    #[error("cannot read the cargo configuration {path}")]
    Unreadable {
        /// Path of the file.
        path: Utf8PathBuf,
        /// Error of reading or parsing the file.
        source: io::Error,
    },
}

/// Cargo's configuration for a directory. It has no `Debug`, since the files contain tokens.
pub(super) struct CargoConfig {
    /// The existing files: the nearest first, credentials last.
    files: Vec<(Utf8PathBuf, Value)>,
    /// The tokens of credential providers by registry.
    provided: Mutex<BTreeMap<String, ProvidedToken>>,
    /// The proxy in the settings of git.
    git_proxy: OnceLock<Option<String>>,
}

/// A token of a credential provider.
#[derive(Clone)]
pub(super) struct ProvidedToken {
    pub(super) token: String,
    /// The time after which the provider must be asked again; `None` if it is valid as long as this program runs.
    pub(super) valid_until: Option<SystemTime>,
}

impl ProvidedToken {
    /// Creates a token that is valid as long as this program runs.
    pub(super) fn of_session(token: String) -> Self {
        Self { token, valid_until: None }
    }
}

impl CargoConfig {
    /// Reads the configuration files of a directory, those above it and that of cargo's home, and the credentials.
    pub(super) fn read(directory: &Utf8Path) -> Result<Self, ConfigError> {
        let directory = directory.canonicalize_utf8().unwrap_or_else(|_| directory.to_owned());
        let home = cargo_home();
        let mut directories: Vec<Utf8PathBuf> = directory.ancestors().map(|above| above.join(".cargo")).collect();
        directories.extend(home.clone().filter(|home| !directories.contains(home)));
        // If both files exist, cargo reads the one without an extension.
        let both = |directory: &Utf8PathBuf, name: &str| [directory.join(name), directory.join(format!("{name}.toml"))];
        let configs = directories.iter().flat_map(|directory| both(directory, "config"));
        let credentials = home.iter().flat_map(|home| both(home, "credentials"));
        let mut files = Vec::new();
        for path in configs.chain(credentials) {
            read_into(&mut files, path, MAX_INCLUDE_DEPTH)?;
        }
        Ok(Self { files, provided: Mutex::default(), git_proxy: OnceLock::new() })
    }

    /// Returns the first of these packages that a configuration file patches, with that file.
    pub(super) fn find_patch<'p>(&self, mut packages: impl Iterator<Item = &'p str>) -> Option<(&Utf8Path, &'p str)> {
        packages.find_map(|package| {
            let is_patch = |(name, patch): (&String, &Value)| patch["package"].as_str().unwrap_or(name) == package;
            let patches = |file: &Value| members(&file["patch"]).flat_map(|(_, source)| members(source)).any(is_patch);
            let (path, _) = self.files.iter().find(|(_, file)| patches(file))?;
            Some((path.as_path(), package))
        })
    }

    /// Returns the registry of that name. Fails if cargo does not read it itself.
    pub(super) fn registry(&self, name: &str) -> Result<Registry, ConfigError> {
        let registry = self.configured(name)?;
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            let name = name.into_string().ok().filter(|name| name.starts_with(SOURCE_VARIABLES))?;
            Some((name, value.to_string_lossy().into_owned()))
        });
        match find_override(&self.files, &variables.collect(), &registry) {
            None => Ok(registry),
            Some(Override { place, key }) => Err(ConfigError::Overridden { name: name.to_owned(), place, key }),
        }
    }

    fn configured(&self, name: &str) -> Result<Registry, ConfigError> {
        let fits = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
        let registry = name.parse().ok().filter(|_| fits);
        let registry = registry.ok_or_else(|| ConfigError::InvalidRegistryName { name: shown(name) })?;
        if name == CRATES_IO {
            return Ok(Registry { name: registry, index: CRATES_IO_INDEX.to_owned() });
        }
        let variable = variable(name, "INDEX");
        let index = std::env::var(&variable).ok().or_else(|| self.text(&format!("/registries/{name}/index")));
        let index = index.ok_or_else(|| ConfigError::NotConfigured { name: name.to_owned(), variable })?;
        if !index.starts_with("sparse+") {
            return Err(ConfigError::NotSparse { name: name.to_owned(), index: shown(&hide_url_passwords(&index)) });
        }
        // Cargo wants the slash at the end.
        Ok(Registry { name: registry, index: format!("{}/", index.trim_end_matches('/')) })
    }

    /// Returns the token for a registry from the environment, the configuration or the credentials.
    pub(super) fn token(&self, registry: &str) -> Option<String> {
        let setting = match registry {
            CRATES_IO => "/registry/token".to_owned(),
            name => format!("/registries/{name}/token"),
        };
        std::env::var(token_variable(registry)).ok().or_else(|| self.text(&setting))
    }

    /// Returns the token that a credential provider returned for a registry, if it is still valid for a minute.
    pub(super) fn provided_token(&self, registry: &str) -> Option<ProvidedToken> {
        let soon = SystemTime::now() + Duration::from_secs(60);
        let provided = self.provided.lock().unwrap_or_else(PoisonError::into_inner);
        provided.get(registry).filter(|provided| provided.valid_until.is_none_or(|until| soon < until)).cloned()
    }

    /// Keeps the token that a credential provider returned, to be used again and to be redacted.
    pub(super) fn keep_provided_token(&self, registry: &str, token: ProvidedToken) {
        self.provided.lock().unwrap_or_else(PoisonError::into_inner).insert(registry.to_owned(), token);
    }

    /// Returns the tokens of credential providers, to be redacted.
    pub(super) fn provided_secrets(&self) -> Vec<String> {
        let provided = self.provided.lock().unwrap_or_else(PoisonError::into_inner);
        provided.values().map(|provided| provided.token.clone()).collect()
    }

    /// Returns every secret in the environment, the configuration and the credentials, to be redacted.
    pub(super) fn secrets(&self) -> Vec<String> {
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            let value = value.to_string_lossy().into_owned();
            Some((name.into_string().ok()?, value))
        });
        let in_environment = variables.flat_map(|(name, value)| secrets_of_variable(&name, value));
        let registries = self.files.iter().flat_map(|(_, file)| {
            let named = members(&file["registries"]).map(|(_, registry)| registry);
            named.chain([&file["registry"], &file["http"]])
        });
        let in_files = registries.flat_map(members).filter_map(|(name, value)| Some((name, value.as_str()?)));
        let in_files = in_files.flat_map(|(name, value)| {
            let token = is_secret(name).then(|| value.to_owned());
            passwords_of(name, value).into_iter().chain(token)
        });
        // It is known after a call of `proxies`.
        let of_git = self.git_proxy.get().into_iter().flatten().flat_map(|proxy| passwords_of("http.proxy", proxy));
        in_environment.chain(in_files).chain(of_git).collect()
    }

    /// Returns the file with the certificates that connections trust; `None` for those of the system.
    pub(super) fn ca_file(&self) -> Option<Utf8PathBuf> {
        let from_environment = std::env::var("CARGO_HTTP_CAINFO").ok().map(Utf8PathBuf::from);
        from_environment.or_else(|| {
            let setting = |(path, file): &(Utf8PathBuf, Value)| {
                Some(base_directory(path).join(file.pointer("/http/cainfo")?.as_str()?))
            };
            self.files.iter().find_map(setting)
        })
    }

    /// Returns the proxies for cargo's connections: its own setting, or that of git, or those of the environment.
    pub(super) fn proxies(&self) -> ProxySettings {
        let own = std::env::var("CARGO_HTTP_PROXY").ok().or_else(|| self.text("/http/proxy"));
        let own = own.map(|address| ProxySetting { name: "http.proxy", address });
        let of_git = || {
            let address = self.git_proxy.get_or_init(git_proxy).clone()?;
            Some(ProxySetting { name: "http.proxy of git", address })
        };
        ProxySettings::new(own.or_else(of_git), |name| std::env::var(name).ok())
    }

    /// Returns the nearest value at a JSON pointer, an environment variable first, with the directory to which its paths
    /// are relative.
    pub(super) fn nearest(&self, pointer: &str) -> Option<(Value, Utf8PathBuf)> {
        let variable = std::env::var(environment_variable(pointer)).ok();
        let in_environment = variable.map(|value| (Value::String(value), current_directory()));
        in_environment.or_else(|| {
            self.files.iter().find_map(|(path, file)| Some((file.pointer(pointer)?.clone(), base_directory(path))))
        })
    }

    /// Returns the texts of all lists at a JSON pointer, the nearest last, each with the directory to which its paths are
    /// relative. Cargo joins such lists.
    pub(super) fn lists(&self, pointer: &str) -> Vec<(String, Utf8PathBuf)> {
        let in_files = self.files.iter().rev().flat_map(|(path, file)| {
            let list = file.pointer(pointer).and_then(Value::as_array).into_iter().flatten();
            list.filter_map(move |one| Some((one.as_str()?.to_owned(), base_directory(path))))
        });
        let variable = std::env::var(environment_variable(pointer)).unwrap_or_default();
        let in_environment = variable.split_ascii_whitespace().map(|one| (one.to_owned(), current_directory()));
        in_files.chain(in_environment).collect()
    }

    /// Returns the configuration files, the nearest first, with `true` for those of cargo's home.
    pub(super) fn files(&self) -> impl Iterator<Item = (&Utf8Path, &Value, bool)> {
        let home = cargo_home();
        let files = self.files.iter().map(|(path, file)| (path.as_path(), file));
        files.map(move |(path, file)| (path, file, path.parent() == home.as_deref()))
    }

    /// Returns the text of the nearest setting at a JSON pointer.
    fn text(&self, pointer: &str) -> Option<String> {
        self.files.iter().find_map(|(_, file)| Some(file.pointer(pointer)?.as_str()?.to_owned()))
    }
}

/// The greatest depth of configuration files that include others.
const MAX_INCLUDE_DEPTH: u32 = 8;

/// Reads a configuration file, if it exists, and after it the files that it includes, which have a lower precedence.
fn read_into(files: &mut Vec<(Utf8PathBuf, Value)>, path: Utf8PathBuf, includes: u32) -> Result<(), ConfigError> {
    let parse = |text: String| toml_edit::de::from_str::<Value>(&text).map_err(io::Error::other);
    let file = match if_exists(fs_err::read_to_string(&path)).and_then(|text| text.map(parse).transpose()) {
        Ok(Some(file)) => file,
        Ok(None) => return Ok(()),
        Err(source) => return Err(ConfigError::Unreadable { path, source }),
    };
    let mut included = Vec::new();
    if includes > 0 {
        let include = file.get("include").into_iter();
        let entries = include.flat_map(|one| one.as_array().map_or(std::slice::from_ref(one), Vec::as_slice));
        let names = entries.filter_map(|entry| entry.as_str().or_else(|| entry["path"].as_str()));
        let directory = path.parent().unwrap_or(Utf8Path::new(""));
        included = names.map(|name| directory.join(name)).collect();
    }
    files.push((path, file));
    // A later file takes precedence.
    included.into_iter().rev().try_for_each(|path| read_into(files, path, includes - 1))
}

/// Returns `None` in place of the error that a file does not exist.
pub(super) fn if_exists<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        result => result.map(Some),
    }
}

/// Returns the members of a table; none of another value.
fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

/// Returns `true` for the name of a setting, or of a variable of cargo, that contains a token.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace('-', "_");
    name.ends_with("token") || name.ends_with("secret_key")
}

/// Returns the directory to which the paths in a configuration file are relative: the parent of the file's directory.
fn base_directory(file: &Utf8Path) -> Utf8PathBuf {
    file.parent().and_then(Utf8Path::parent).unwrap_or(Utf8Path::new("")).to_owned()
}

fn current_directory() -> Utf8PathBuf {
    std::env::current_dir().ok().and_then(|path| Utf8PathBuf::from_path_buf(path).ok()).unwrap_or_default()
}

/// Returns the environment variable of the setting at a JSON pointer.
fn environment_variable(pointer: &str) -> String {
    format!("CARGO{}", pointer.to_ascii_uppercase().replace(['/', '-', '.'], "_"))
}

/// Returns the environment variable with the token of a registry.
pub(super) fn token_variable(registry: &str) -> String {
    if registry == CRATES_IO { "CARGO_REGISTRY_TOKEN".to_owned() } else { variable(registry, "TOKEN") }
}

/// Returns the proxy in git's settings of the user or the system, which cargo uses if it has no own one.
fn git_proxy() -> Option<String> {
    ["--global", "--system"].into_iter().find_map(|scope| {
        let output = Command::new("git").args(["config", scope, "--get", "http.proxy"]).output().ok()?;
        let text = String::from_utf8(output.stdout).ok().filter(|_| output.status.success())?;
        Some(text.trim().to_owned())
    })
}

/// The ends of the names of variables that contain a secret.
const SECRET_NAMES: [&str; 4] = ["TOKEN", "KEY", "SECRET", "PASSWORD"];

/// The least length of a secret in a variable that is not cargo's, in bytes. A shorter one would hide ordinary text.
const MIN_VARIABLE_LEN: usize = 8;

/// Returns the passwords of a URL. That of a proxy may have no scheme.
fn passwords_of(name: &str, value: &str) -> Vec<String> {
    let is_proxy = name.to_ascii_lowercase().ends_with("proxy") && !value.contains("://");
    if is_proxy { url_passwords(&format!("http://{value}")) } else { url_passwords(value) }
}

/// Returns the secrets in an environment variable.
fn secrets_of_variable(name: &str, value: String) -> Vec<String> {
    let mut secrets = passwords_of(name, &value);
    let upper = name.to_ascii_uppercase();
    let is_long = value.trim().len() >= MIN_VARIABLE_LEN && SECRET_NAMES.iter().any(|end| upper.ends_with(end));
    if is_long || (name.starts_with("CARGO_REGISTR") && is_secret(name)) {
        secrets.push(value);
    }
    secrets
}

/// Returns the environment variable of a registry's setting.
fn variable(registry: &str, setting: &str) -> String {
    let name = registry.to_ascii_uppercase().replace('-', "_");
    format!("CARGO_REGISTRIES_{name}_{setting}")
}

/// Returns cargo's home directory.
pub(super) fn cargo_home() -> Option<Utf8PathBuf> {
    let home = std::env::var("CARGO_HOME").ok().map(Utf8PathBuf::from);
    home.or_else(|| Utf8PathBuf::from_path_buf(std::env::home_dir()?.join(".cargo")).ok())
}
