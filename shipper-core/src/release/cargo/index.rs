//! Lookups in a registry's sparse index, and downloads.
//!
//! Cargo finds versions by the index. Registries differ in their answers to other requests about a version.

use std::cell::OnceCell;
use std::fmt::Display;
use std::ops::Range;

use serde::Deserialize;
use sha2::{Digest, Sha256};
use ureq::http::StatusCode;
use url::Url;

use super::config::CargoConfig;
use super::crate_file::{CrateFiles, unpack};
use super::credential::read_token;
use super::http::HttpClient;
use crate::release::endpoint::EndpointUse;
use crate::release::publisher::{Failure, FailureClass, StepContext};
use crate::release::rate_limit::UploadKind;
use crate::release::registry::Registry;

/// A registry's sparse index.
pub(super) struct SparseIndex<'c> {
    client: HttpClient,
    config: &'c CargoConfig,
    registry: &'c Registry,
    /// The address of the index, with `/` at the end.
    address: Url,
    index_config: OnceCell<IndexConfig>,
    token: OnceCell<Option<String>>,
}

/// The `config.json` of an index.
#[derive(Deserialize)]
struct IndexConfig {
    /// The address of downloads, with or without markers.
    dl: String,
    /// `true` if every request needs a token, also to other hosts.
    #[serde(default, rename = "auth-required")]
    auth_required: bool,
    /// The address of uploads.
    api: Option<String>,
}

/// A version in an index.
#[derive(Deserialize)]
pub(super) struct IndexEntry {
    pub(super) name: String,
    #[serde(rename = "vers")]
    pub(super) version: String,
    pub(super) cksum: String,
    #[serde(default)]
    pub(super) yanked: bool,
}

impl<'c> SparseIndex<'c> {
    /// Creates the index of a registry, with token, certificates and proxy of cargo's configuration.
    pub(super) fn new(registry: &'c Registry, config: &'c CargoConfig) -> Result<Self, Failure> {
        let name = &registry.name;
        let address = registry.index.strip_prefix("sparse+").ok_or_else(|| {
            Failure::permanent(format!("registry {name} has no sparse index; configure its `sparse+` address"))
        })?;
        let address = Url::parse(&format!("{}/", address.trim_end_matches('/'))).map_err(|error| {
            Failure::permanent(format!("the index of registry {name} has no valid address: {error}"))
        })?;
        let client = HttpClient::new(config).map_err(|error| Failure::permanent(error.to_string()))?;
        Ok(Self { client, config, registry, address, index_config: OnceCell::new(), token: OnceCell::new() })
    }

    /// Returns the address for uploads.
    pub(super) fn upload_endpoint(&self, context: &StepContext<'_>) -> Result<String, Failure> {
        let api = self.index_config(context)?.api.clone();
        api.ok_or_else(|| self.without_uploads())
    }

    /// Returns the addresses for uploads and downloads, and those to which the request for them was redirected.
    pub(super) fn announced(&self, context: &StepContext<'_>) -> Result<Vec<(EndpointUse, String)>, Failure> {
        let IndexConfig { dl, api, .. } = self.index_config(context)?;
        let uploads = api.clone().ok_or_else(|| self.without_uploads())?;
        let directory = |address: String| address.trim_end_matches("config.json").to_owned();
        let redirects = self.redirects().into_iter().map(|address| (EndpointUse::IndexRedirect, directory(address)));
        Ok(redirects.chain([(EndpointUse::Uploads, uploads), (EndpointUse::Downloads, dl.clone())]).collect())
    }

    /// Returns the addresses to which requests were redirected.
    pub(super) fn redirects(&self) -> Vec<String> {
        self.client.redirects()
    }

    fn without_uploads(&self) -> Failure {
        Failure::permanent(format!("registry {} accepts no uploads", self.registry.name))
    }

    /// Reads the index's `config.json`, which also decides if other requests need a token.
    fn index_config(&self, context: &StepContext<'_>) -> Result<&IndexConfig, Failure> {
        if let Some(config) = self.index_config.get() {
            return Ok(config);
        }
        let url = self.file_url("config.json")?;
        let (mut status, mut body) = self.get(&url, None, context)?;
        if status == StatusCode::UNAUTHORIZED
            && let Some(token) = self.token(context)?
        {
            (status, body) = self.get(&url, Some(token), context)?;
        }
        let body = self.file(status, body)?.ok_or_else(|| self.unreadable(&"no config.json"))?;
        let config = serde_json::from_slice(&body).map_err(|error| self.unreadable(&error))?;
        Ok(self.index_config.get_or_init(|| config))
    }

    /// Returns the token that reads the registry.
    fn token(&self, context: &StepContext<'_>) -> Result<Option<&str>, Failure> {
        if self.token.get().is_none() {
            let token = read_token(self.config, self.registry, context)?;
            let _ = self.token.set(token);
        }
        Ok(self.token.get().and_then(Option::as_deref))
    }

    /// Returns the kind of the upload of a version.
    pub(super) fn upload_kind(
        &self,
        name: &str,
        version: &str,
        context: &StepContext<'_>,
    ) -> Result<UploadKind, Failure> {
        let wanted = without_build_metadata(version);
        let versions = self.versions(name, context)?;
        Ok(if versions.is_empty() {
            UploadKind::NewCrate
        } else if versions.iter().any(|entry| without_build_metadata(&entry.version) == wanted) {
            UploadKind::Published
        } else {
            UploadKind::NewVersion
        })
    }

    /// Returns the entries of a name without regard to case; none if the index does not have it. Skips lines that it cannot
    /// read, as cargo does.
    ///
    /// # Errors
    ///
    /// If the index cannot be read.
    pub(super) fn versions(&self, name: &str, context: &StepContext<'_>) -> Result<Vec<IndexEntry>, Failure> {
        let lower = name.to_ascii_lowercase();
        let url = self.file_url(&format!("{}/{lower}", index_prefix(&lower)))?;
        let needs_token = self.index_config(context)?.auth_required;
        let (status, body) = self.get(&url, if needs_token { self.token(context)? } else { None }, context)?;
        let text = self.file(status, body)?.unwrap_or_default();
        Ok(text.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect())
    }

    /// Returns the entry of a version, or of one that prevents its publication: names are compared without case, versions
    /// without build metadata.
    ///
    /// # Errors
    ///
    /// If the index cannot be read, or the version was yanked.
    pub(super) fn find_version(
        &self,
        name: &str,
        version: &str,
        context: &StepContext<'_>,
    ) -> Result<Option<IndexEntry>, Failure> {
        let wanted = without_build_metadata(version);
        let mut entries = self.versions(name, context)?.into_iter();
        match entries.find(|entry| without_build_metadata(&entry.version) == wanted) {
            Some(entry) if entry.yanked => Err(Failure::permanent(format!(
                "{name} {version} was yanked from the registry {}; undo the yank, or bump the version",
                self.registry.name
            ))),
            found => Ok(found),
        }
    }

    /// Downloads a version, and checks its checksum.
    pub(super) fn download(&self, entry: &IndexEntry, context: &StepContext<'_>) -> Result<CrateFiles, Failure> {
        let IndexEntry { name, version, cksum, .. } = entry;
        let IndexConfig { dl, auth_required, .. } = self.index_config(context)?;
        let url = if dl.contains('{') {
            dl.replace("{crate}", name)
                .replace("{version}", version)
                .replace("{prefix}", &index_prefix(name))
                .replace("{lowerprefix}", &index_prefix(&name.to_ascii_lowercase()))
                .replace("{sha256-checksum}", cksum)
        } else {
            format!("{}/{name}/{version}/download", dl.trim_end_matches('/'))
        };
        let url = Url::parse(&url).map_err(|error| self.unreadable(&error))?;
        let (status, bytes) = self.get(&url, if *auth_required { self.token(context)? } else { None }, context)?;
        let registry = &self.registry.name;
        if !status.is_success() {
            // A storage may answer "forbidden" for a file that it does not have yet.
            let message =
                format!("cannot download {name} {version}: the registry {registry} answered {status}; check the token");
            return Err(Failure::new(FailureClass::Retryable, message));
        }
        let sha256 = sha256(&bytes);
        if !sha256.eq_ignore_ascii_case(cksum) {
            return Err(Failure::permanent(format!(
                "the checksum of {name} {version} in the registry {registry} is {sha256}, but its index has {cksum}"
            )));
        }
        let invalid = |error| format!("cannot unpack {name} {version} from the registry {registry}: {error}");
        unpack(&*bytes).map_err(|error| Failure::permanent(invalid(error)))
    }

    fn file_url(&self, path: &str) -> Result<Url, Failure> {
        self.address.join(path).map_err(|error| self.unreadable(&error))
    }

    /// Returns the content of a file of the index by the answer to its request; `None` if it does not exist.
    fn file(&self, status: StatusCode, body: Vec<u8>) -> Result<Option<Vec<u8>>, Failure> {
        let registry = &self.registry.name;
        match IndexAnswer::from(status) {
            IndexAnswer::File => Ok(Some(body)),
            IndexAnswer::NoFile => Ok(None),
            IndexAnswer::Denied => Err(Failure::permanent(format!(
                "the registry {registry} denied access to its index ({status}); check the token"
            ))),
            IndexAnswer::TryLater => {
                Err(Failure::new(FailureClass::Retryable, format!("the registry {registry} answered {status}")))
            }
            IndexAnswer::Unexpected => Err(Failure::permanent(format!("the registry {registry} answered {status}"))),
        }
    }

    fn get(&self, url: &Url, token: Option<&str>, context: &StepContext<'_>) -> Result<(StatusCode, Vec<u8>), Failure> {
        context.check()?;
        self.client.get(url, token, context.deadline).map_err(|error| {
            let message = format!("cannot reach the registry {}: {error}", self.registry.name);
            Failure::new(FailureClass::Retryable, message)
        })
    }

    fn unreadable(&self, error: &dyn Display) -> Failure {
        let name = &self.registry.name;
        Failure::permanent(format!("cannot read the index of the registry {name}: {error}; check its address"))
    }
}

/// The meaning of an answer to a request of a file of the index, as for cargo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum IndexAnswer {
    /// The file.
    File,
    /// The file does not exist.
    NoFile,
    /// The token is missing or not accepted.
    Denied,
    /// Another request may succeed.
    TryLater,
    /// Another request would have the same answer.
    Unexpected,
}

impl From<StatusCode> for IndexAnswer {
    fn from(status: StatusCode) -> Self {
        match status.as_u16() {
            200 => Self::File,
            404 | 410 | 451 => Self::NoFile,
            401 | 403 => Self::Denied,
            408 | 429 | 500..=599 => Self::TryLater,
            _ => Self::Unexpected,
        }
    }
}

/// Returns the checksum of a `.crate` file as an index has it: SHA-256, in lowercase hex digits.
pub(super) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns the directory of a package's file in an index.
fn index_prefix(name: &str) -> String {
    let part = |range: Range<usize>| name.get(range).unwrap_or_default();
    match name.len() {
        length @ 0..=2 => length.to_string(),
        3 => format!("3/{}", part(0..1)),
        _ => format!("{}/{}", part(0..2), part(2..4)),
    }
}

/// Returns a version without its build metadata, which does not distinguish versions on a registry.
pub(super) fn without_build_metadata(version: &str) -> &str {
    version.split('+').next().unwrap_or(version)
}

#[cfg(test)]
#[path = "../../../tests/unit/index.rs"]
mod tests;
