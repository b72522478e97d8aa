//! Registries as cargo's configuration knows them.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use thiserror::Error;
use toml_edit::DocumentMut;

use super::cache::home;
use super::{CRATES_IO, variable};
use crate::release::world::Target;

/// A registry's address is not known.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The name is no registry's.
    #[error("{name} is no name of a registry: letters, digits, - and _ only")]
    NoName {
        /// The name, made safe to show.
        name: String,
    },
    /// It is configured nowhere.
    #[error(
        "the registry {name} is not configured; add [registries.{name}] with its index to .cargo/config.toml, or set {variable}"
    )]
    NotConfigured {
        /// Its name.
        name: String,
        /// The environment variable that may name its index.
        variable: String,
    },
    /// A configuration file cannot be read.
    #[error("cargo's configuration {path} cannot be read")]
    Unreadable {
        /// The file.
        path: Utf8PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Target {
    /// The registry of that name, as cargo's configuration for a directory knows it: by its environment variable, by the
    /// configuration files of the directory and those above it, or by that of cargo's home.
    ///
    /// crates-io is known by its name only.
    ///
    /// # Errors
    ///
    /// When it is not configured, or a configuration file cannot be read.
    pub fn configured(name: &str, directory: &Utf8Path) -> Result<Self, ConfigError> {
        let fits = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
        let named = name.parse().ok().filter(|_| fits);
        let no_name = || ConfigError::NoName { name: shipper_events::neutral(name).quoted().to_string() };
        let target = Self { name: named.ok_or_else(no_name)?, index: CRATES_IO.to_owned() };
        if name == CRATES_IO {
            return Ok(target);
        }
        let variable = variable(&target, "INDEX");
        if let Ok(index) = std::env::var(&variable) {
            return Ok(Self { index, ..target });
        }
        for path in files(directory) {
            match fs_err::read_to_string(&path) {
                Ok(text) => {
                    let config: DocumentMut = text.parse().map_err(|source| ConfigError::Unreadable {
                        path: path.clone(),
                        source: io::Error::other(source),
                    })?;
                    let index = config.get("registries").and_then(|all| all.get(name)).and_then(|one| one.get("index"));
                    if let Some(index) = index.and_then(toml_edit::Item::as_str) {
                        return Ok(Self { index: index.to_owned(), ..target });
                    }
                }
                Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {}
                Err(source) => return Err(ConfigError::Unreadable { path, source }),
            }
        }
        Err(ConfigError::NotConfigured { name: name.to_owned(), variable })
    }
}

/// Cargo's configuration files for a directory, the nearest first.
fn files(directory: &Utf8Path) -> Vec<Utf8PathBuf> {
    let directory = directory.canonicalize_utf8().unwrap_or_else(|_| directory.to_owned());
    let beside = directory.ancestors().map(|above| above.join(".cargo"));
    beside.chain(home()).flat_map(|place| [place.join("config.toml"), place.join("config")]).collect()
}
