//! Cargo's configuration of registries: addresses, tokens, certificates and proxy.

use std::fmt;
use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use thiserror::Error;
use toml_edit::{DocumentMut, Item};

use crate::release::registry::Registry;

/// The registry that cargo knows without configuration.
pub(super) const CRATES_IO: &str = "crates-io";

/// Returns the host of crates-io.
fn crates_io_host() -> String {
    CRATES_IO.replace('-', ".")
}

/// Returns the address that takes uploads to crates-io.
pub(super) fn crates_io_endpoint() -> String {
    format!("https://{}", crates_io_host())
}

/// Cargo's configuration does not fit a release.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The text cannot be the name of a registry.
    #[error("{name} is no name of a registry: letters, digits, - and _ only")]
    InvalidRegistryName {
        /// The name, safe to show.
        name: String,
    },
    /// The registry is not configured.
    #[error(
        "the registry {name} is not configured; add [registries.{name}] with its index to .cargo/config.toml, or set {variable}"
    )]
    NotConfigured {
        /// The registry's name.
        name: String,
        /// The environment variable that may name its index.
        variable: String,
    },
    /// The registry's index is not a sparse one, which a lookup needs.
    #[error(
        "the index of the registry {name}, {index}, is no sparse one, so that what is on it cannot be compared; configure its sparse+ address"
    )]
    NotSparse {
        /// The registry's name.
        name: String,
        /// The address of the index, safe to show.
        index: String,
    },
    /// A configuration file cannot be read.
    #[error("cargo's configuration {path} cannot be read")]
    Unreadable {
        /// The file.
        path: Utf8PathBuf,
        /// The cause.
        source: io::Error,
    },
}

/// Cargo's configuration for a directory.
#[derive(Clone)]
pub(super) struct CargoConfig {
    /// The existing files: the nearest first, credentials last.
    files: Vec<(Utf8PathBuf, DocumentMut)>,
}

impl fmt::Debug for CargoConfig {
    /// Prints nothing of the files, which contain tokens.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("CargoConfig").finish_non_exhaustive()
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
        Ok(Self { files })
    }

    /// Returns the first of these packages that a configuration file patches, with that file.
    pub(super) fn find_patch<'p>(&self, mut packages: impl Iterator<Item = &'p str>) -> Option<(&Utf8Path, &'p str)> {
        packages.find_map(|package| {
            let patches = |document: &DocumentMut| -> bool {
                let sources = document.get("patch").and_then(Item::as_table_like);
                let patches = sources.into_iter().flat_map(|sources| sources.iter());
                patches.filter_map(|(_, patches)| patches.as_table_like()).any(|patches| {
                    patches
                        .iter()
                        .any(|(name, patch)| patch.get("package").and_then(Item::as_str).unwrap_or(name) == package)
                })
            };
            let (path, _) = self.files.iter().find(|(_, document)| patches(document))?;
            Some((path.as_path(), package))
        })
    }

    /// Returns the registry of that name.
    pub(super) fn registry(&self, name: &str) -> Result<Registry, ConfigError> {
        let fits = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
        let named = name.parse().ok().filter(|_| fits);
        let shown = |text: &str| shipper_events::display_safe(text).quoted().to_string();
        let registry = named.ok_or_else(|| ConfigError::InvalidRegistryName { name: shown(name) })?;
        if name == CRATES_IO {
            return Ok(Registry { name: registry, index: format!("sparse+https://index.{}/", crates_io_host()) });
        }
        let variable = variable(name, "INDEX");
        let index = std::env::var(&variable).ok().or_else(|| self.text(&["registries", name, "index"]));
        let index = index.ok_or_else(|| ConfigError::NotConfigured { name: name.to_owned(), variable })?;
        if !index.starts_with("sparse+") {
            return Err(ConfigError::NotSparse { name: name.to_owned(), index: shown(&index) });
        }
        // Cargo wants the slash at the end.
        Ok(Registry { name: registry, index: format!("{}/", index.trim_end_matches('/')) })
    }

    /// Returns the token for a registry from the environment, the configuration or the credentials. Only cargo can ask a
    /// credential provider.
    pub(super) fn token(&self, registry: &str) -> Option<String> {
        let path: &[&str] =
            if registry == CRATES_IO { &["registry", "token"] } else { &["registries", registry, "token"] };
        std::env::var(token_variable(registry)).ok().or_else(|| self.text(path))
    }

    /// Returns every token in the environment, the configuration and the credentials, to be redacted.
    pub(super) fn secrets(&self) -> Vec<String> {
        let in_environment = std::env::vars_os().filter_map(|(name, value)| {
            let name = name.to_str()?;
            let holds_token = name.starts_with("CARGO_REGISTR") && is_secret(name);
            holds_token.then(|| value.to_string_lossy().into_owned())
        });
        let mut secrets: Vec<String> = in_environment.collect();
        for (_, document) in &self.files {
            let one = document.get("registry").into_iter();
            let all = document.get("registries").and_then(Item::as_table_like);
            let tables = one.chain(all.into_iter().flat_map(|all| all.iter().map(|(_, registry)| registry)));
            for table in tables.filter_map(Item::as_table_like) {
                let tokens = table.iter().filter(|(name, _)| is_secret(name));
                secrets.extend(tokens.filter_map(|(_, token)| Some(token.as_str()?.to_owned())));
            }
        }
        secrets
    }

    /// Returns the file with the certificates that connections trust; `None` for those of the system.
    pub(super) fn ca_file(&self) -> Option<Utf8PathBuf> {
        let from_environment = std::env::var("CARGO_HTTP_CAINFO").ok().map(Utf8PathBuf::from);
        from_environment.or_else(|| {
            let path = ["http", "cainfo"];
            let (file, named) = self.files.iter().find_map(|(file, document)| Some((file, text(document, &path)?)))?;
            // A path in a configuration file is relative to the parent of the file's directory.
            let base = file.parent().and_then(Utf8Path::parent);
            Some(base.map_or_else(|| Utf8PathBuf::from(&named), |base| base.join(&named)))
        })
    }

    /// Returns the proxy for cargo's connections; `None` for that of all programs.
    pub(super) fn proxy(&self) -> Option<String> {
        std::env::var("CARGO_HTTP_PROXY").ok().or_else(|| self.text(&["http", "proxy"]))
    }

    /// Returns the configuration files of the workspace, which `cargo install` does not read; the farthest first.
    pub(super) fn workspace_files(&self) -> impl Iterator<Item = &Utf8Path> {
        let home = cargo_home();
        let files = self.files.iter().rev().map(|(path, _)| path.as_path());
        files.filter(move |path| path.parent() != home.as_deref())
    }

    fn text(&self, path: &[&str]) -> Option<String> {
        self.files.iter().find_map(|(_, document)| text(document, path))
    }
}

/// The greatest depth of configuration files that include others.
const MAX_INCLUDE_DEPTH: u32 = 8;

/// Reads a configuration file, if it exists, and after it the files that it includes, which have a lower precedence.
fn read_into(files: &mut Vec<(Utf8PathBuf, DocumentMut)>, path: Utf8PathBuf, includes: u32) -> Result<(), ConfigError> {
    let text = match fs_err::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => return Ok(()),
        Err(source) => return Err(ConfigError::Unreadable { path, source }),
    };
    let document: DocumentMut = match text.parse() {
        Ok(document) => document,
        Err(source) => return Err(ConfigError::Unreadable { path, source: io::Error::other(source) }),
    };
    let mut included = Vec::new();
    if let Some(include) = document.get("include").filter(|_| includes > 0) {
        let one = include.as_str().map(ToOwned::to_owned);
        let all = include.as_array().into_iter().flat_map(|all| all.iter()).filter_map(|one| {
            let path = one.as_str().or_else(|| one.as_inline_table()?.get("path")?.as_str())?;
            Some(path.to_owned())
        });
        let directory = path.parent().unwrap_or(Utf8Path::new(""));
        included = one.into_iter().chain(all).map(|file| directory.join(file)).collect();
    }
    files.push((path, document));
    // A later file takes precedence.
    included.into_iter().rev().try_for_each(|path| read_into(files, path, includes - 1))
}

fn text(document: &DocumentMut, path: &[&str]) -> Option<String> {
    let item = path.iter().try_fold(document.as_item(), |item, part| item.get(part))?;
    item.as_str().map(str::to_owned)
}

/// Returns `true` for the name of a setting, or of an environment variable, that contains a token.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace('-', "_");
    name.ends_with("token") || name.ends_with("secret_key")
}

/// Returns the environment variable of a registry's setting.
fn variable(registry: &str, setting: &str) -> String {
    let name = registry.to_ascii_uppercase().replace('-', "_");
    format!("CARGO_REGISTRIES_{name}_{setting}")
}

/// Returns the environment variable of a registry's token.
pub(super) fn token_variable(registry: &str) -> String {
    if registry == CRATES_IO { "CARGO_REGISTRY_TOKEN".to_owned() } else { variable(registry, "TOKEN") }
}

/// Returns cargo's home directory.
pub(super) fn cargo_home() -> Option<Utf8PathBuf> {
    let home = std::env::var("CARGO_HOME").ok().map(Utf8PathBuf::from);
    home.or_else(|| Utf8PathBuf::from_path_buf(std::env::home_dir()?.join(".cargo")).ok())
}
