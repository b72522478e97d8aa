//! Settings that make cargo take packages of a registry from another place. A rehearsal with them would pass, and the
//! build of a user, who has no such settings, might fail.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8PathBuf;
use serde_json::Value;

use super::crates_io::{CRATES_IO, CRATES_IO_INDEX};
use crate::release::endpoint::{Endpoint, EndpointUse};
use crate::release::registry::Registry;

/// A setting, and the file or the environment that contains it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Override {
    /// The path of the file, or `the environment`.
    pub(super) place: String,
    /// The key, or the name of the variable.
    pub(super) key: String,
}

/// The beginning of the environment variables that set sources.
pub(super) const SOURCE_VARIABLES: &str = "CARGO_SOURCE_";

/// The index of crates-io for versions of cargo that read it with git.
const CRATES_IO_GIT_INDEX: &str = "https://github.com/rust-lang/crates.io-index";

/// The keys that define a source other than a registry.
const OTHER_SOURCES: [&str; 3] = ["local-registry", "directory", "git"];

/// Finds a setting that replaces a registry, or packages of any registry. `files` begins with the nearest file, and
/// `variables` takes precedence, as for cargo.
pub(super) fn find_override(
    files: &[(Utf8PathBuf, Value)],
    variables: &BTreeMap<String, String>,
    registry: &Registry,
) -> Option<Override> {
    let overrides_paths = |(path, file): &(Utf8PathBuf, Value)| {
        let has_paths = file["paths"].as_array().is_some_and(|paths| !paths.is_empty());
        has_paths.then(|| Override { place: path.to_string(), key: "paths".to_owned() })
    };
    let sources = Sources { files, variables };
    let replaced = || sources.names().iter().find_map(|name| sources.replacement(name, registry));
    files.iter().find_map(overrides_paths).or_else(replaced)
}

/// The sources in cargo's configuration.
struct Sources<'c> {
    files: &'c [(Utf8PathBuf, Value)],
    variables: &'c BTreeMap<String, String>,
}

impl Sources<'_> {
    /// Returns the names of all sources.
    fn names(&self) -> BTreeSet<String> {
        let tables = self.files.iter().filter_map(|(_, file)| file["source"].as_object());
        let in_files = tables.flat_map(|table| table.keys().cloned());
        let keys = OTHER_SOURCES.into_iter().chain(["replace-with", "registry"]).map(variable_part);
        let suffixes: Vec<String> = keys.map(|key| format!("_{key}")).collect();
        let in_variable = |variable: &String| {
            let rest = variable.strip_prefix(SOURCE_VARIABLES)?;
            let name = suffixes.iter().find_map(|suffix| rest.strip_suffix(suffix.as_str()))?;
            Some(name.to_ascii_lowercase().replace('_', "-"))
        };
        in_files.chain(self.variables.keys().filter_map(in_variable)).collect()
    }

    /// Returns the value of a source's key, and the setting that contains it.
    fn setting(&self, name: &str, key: &str) -> Option<(&str, Override)> {
        let variable = format!("{SOURCE_VARIABLES}{}_{}", variable_part(name), variable_part(key));
        if let Some(value) = self.variables.get(&variable) {
            return Some((value, Override { place: "the environment".to_owned(), key: variable }));
        }
        self.files.iter().find_map(|(path, file)| {
            let value = file.get("source")?.get(name)?.get(key)?.as_str()?;
            let quoted = if name.contains(['.', '"', '/']) { format!("{name:?}") } else { name.to_owned() };
            Some((value, Override { place: path.to_string(), key: format!("source.{quoted}.{key}") }))
        })
    }

    /// Returns the address of the index of a source that is a registry.
    fn index(&self, name: &str) -> Option<String> {
        if let Some((address, _)) = self.setting(name, "registry") {
            return Some(address.to_owned());
        }
        if OTHER_SOURCES.iter().any(|key| self.setting(name, key).is_some()) {
            return None;
        }
        let index_in = |file: &Value| Some(file.get("registries")?.get(name)?.get("index")?.as_str()?.to_owned());
        let configured = || self.files.iter().find_map(|(_, file)| index_in(file));
        if name == CRATES_IO { Some(CRATES_IO_INDEX.to_owned()) } else { configured() }
    }

    /// Returns the setting that replaces a registry, if the source stands for this registry and ends at another source.
    fn replacement(&self, name: &str, registry: &Registry) -> Option<Override> {
        let is_registry = |index: &str| is_index_of(index, registry);
        let named = name == registry.name.as_str();
        let is_crates_io = name == CRATES_IO && is_registry(CRATES_IO_INDEX);
        if !named && !is_crates_io && !self.index(name).is_some_and(|index| is_registry(&index)) {
            return None;
        }
        let (mut last, mut first_setting, mut seen) = (name.to_owned(), None, BTreeSet::new());
        while let Some((next, setting)) = self.setting(&last, "replace-with") {
            first_setting.get_or_insert(setting);
            if !seen.insert(next.to_owned()) {
                // Cargo refuses a cycle.
                return first_setting;
            }
            last = next.to_owned();
        }
        if self.index(&last).is_some_and(|index| is_registry(&index)) {
            return None;
        }
        let definition = || OTHER_SOURCES.iter().chain(&["registry"]).find_map(|key| Some(self.setting(name, key)?.1));
        first_setting.or_else(definition)
    }
}

/// Returns `true` if an address is that of the registry's index.
fn is_index_of(address: &str, registry: &Registry) -> bool {
    let address = address.strip_prefix("registry+").unwrap_or(address);
    let index = Endpoint::new(EndpointUse::Index, address);
    let is_same = |other: &str| index.is_same(&Endpoint::new(EndpointUse::Index, other));
    let is_crates_io = registry.index_endpoint().is_same(&Endpoint::new(EndpointUse::Index, CRATES_IO_INDEX));
    is_same(&registry.index) || (is_crates_io && is_same(CRATES_IO_GIT_INDEX))
}

/// Returns a part of a key as environment variables contain it.
fn variable_part(text: &str) -> String {
    text.to_ascii_uppercase().replace('-', "_")
}

#[cfg(test)]
#[path = "../../../tests/unit/overrides.rs"]
mod tests;
