//! Lookups in a registry's sparse index, and downloads.
//!
//! Cargo finds versions by the index. Registries differ in their answers to other requests about a version.

use std::cell::RefCell;
use std::error::Error;
use std::fmt::Display;
use std::io::Read;
use std::ops::Range;
use std::time::{Duration, Instant};

use camino::Utf8Path;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use ureq::http::StatusCode;
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Proxy, ResponseExt};

use super::config::CargoConfig;
use super::crate_file::{CrateFiles, unpack};
use crate::release::endpoint::{EndpointUse, parse_address};
use crate::release::publisher::{Failure, FailureClass, StepContext};
use crate::release::registry::Registry;

/// The time limit of one request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// The greatest length of an answer, in bytes.
const MAX_BODY: u64 = 64 * 1024 * 1024;

/// A registry's sparse index.
pub(super) struct SparseIndex {
    agent: Agent,
    /// The name of the registry.
    name: String,
    /// The address of the index, with `/` at the end.
    address: String,
    token: Option<String>,
    /// The addresses to which requests were redirected.
    redirects: RefCell<Vec<String>>,
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
    cksum: String,
    #[serde(default)]
    yanked: bool,
}

impl SparseIndex {
    /// Creates the index of a registry, with token, certificates and proxy of cargo's configuration.
    pub(super) fn new(registry: &Registry, config: &CargoConfig) -> Result<Self, Failure> {
        let name = registry.name.to_string();
        let address = registry.index.strip_prefix("sparse+").ok_or_else(|| {
            Failure::permanent(format!("registry {name} has no sparse index; configure its `sparse+` address"))
        })?;
        let trusted = match config.ca_file() {
            None => RootCerts::PlatformVerifier,
            Some(path) => read_certificates(&path).map_err(|error| {
                Failure::permanent(format!("cannot read the certificates in {path} (http.cainfo): {error}"))
            })?,
        };
        let tls = TlsConfig::builder().root_certs(trusted).build();
        let mut agent = Agent::config_builder().http_status_as_error(false).tls_config(tls);
        if let Some(proxy) = config.proxy() {
            let invalid = |error| Failure::permanent(format!("invalid proxy (http.proxy): {error}"));
            agent = agent.proxy(Some(Proxy::new(&proxy).map_err(invalid)?));
        }
        let address = format!("{}/", address.trim_end_matches('/'));
        let agent = agent.save_redirect_history(true).build().into();
        Ok(Self { agent, address, token: config.token(&name), name, redirects: RefCell::default() })
    }

    /// Returns the address for uploads.
    pub(super) fn upload_endpoint(&self, context: &StepContext<'_>) -> Result<String, Failure> {
        let api = self.index_config(context)?.api;
        api.ok_or_else(|| self.without_uploads())
    }

    /// Returns the addresses for uploads and downloads, and those to which the request for them was redirected.
    pub(super) fn announced(&self, context: &StepContext<'_>) -> Result<Vec<(EndpointUse, String)>, Failure> {
        let config = self.index_config(context)?;
        let uploads = config.api.ok_or_else(|| self.without_uploads())?;
        let directory = |address: String| address.trim_end_matches("config.json").to_owned();
        let redirects = self.redirects().into_iter().map(|address| (EndpointUse::IndexRedirect, directory(address)));
        Ok(redirects.chain([(EndpointUse::Uploads, uploads), (EndpointUse::Downloads, config.dl)]).collect())
    }

    /// Returns the addresses to which requests were redirected.
    pub(super) fn redirects(&self) -> Vec<String> {
        self.redirects.borrow().clone()
    }

    fn without_uploads(&self) -> Failure {
        Failure::permanent(format!("registry {} accepts no uploads", self.name))
    }

    fn index_config(&self, context: &StepContext<'_>) -> Result<IndexConfig, Failure> {
        let config = self.read("config.json", context)?;
        let config = config.ok_or_else(|| self.unreadable(&"no config.json"))?;
        serde_json::from_slice(&config).map_err(|error| self.unreadable(&error))
    }

    /// Returns the entry of a version, or of one that prevents its publication: names are compared without case, versions
    /// without build metadata. Skips lines that it cannot read, as cargo does.
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
        let lower = name.to_ascii_lowercase();
        let Some(text) = self.read(&format!("{}/{lower}", index_prefix(&lower)), context)? else {
            return Ok(None);
        };
        let wanted = without_build_metadata(version);
        let mut entries = text.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok());
        match entries.find(|entry: &IndexEntry| without_build_metadata(&entry.version) == wanted) {
            Some(entry) if entry.yanked => Err(Failure::permanent(format!(
                "{name} {version} was yanked from the registry {}; undo the yank, or bump the version",
                self.name
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
        let (status, bytes) = self.get(&url, auth_required || self.is_same_origin(&url), context)?;
        let registry = &self.name;
        if !status.is_success() {
            // A storage may answer "forbidden" for a file that it does not have yet.
            let message =
                format!("cannot download {name} {version}: the registry {registry} answered {status}; check the token");
            return Err(Failure::new(FailureClass::Retryable, message));
        }
        let sha256: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        if !sha256.eq_ignore_ascii_case(cksum) {
            return Err(Failure::permanent(format!(
                "the checksum of {name} {version} in the registry {registry} is {sha256}, but its index has {cksum}"
            )));
        }
        let invalid = |error| format!("cannot unpack {name} {version} from the registry {registry}: {error}");
        unpack(&*bytes).map_err(|error| Failure::permanent(invalid(error)))
    }

    /// Reads a file of the index; `None` if it does not exist.
    fn read(&self, path: &str, context: &StepContext<'_>) -> Result<Option<Vec<u8>>, Failure> {
        let (status, body) = self.get(&format!("{}{path}", self.address), true, context)?;
        let registry = &self.name;
        match status {
            StatusCode::NOT_FOUND | StatusCode::GONE | StatusCode::UNAVAILABLE_FOR_LEGAL_REASONS => Ok(None),
            status if is_auth_error(status) => {
                Err(Failure::permanent(format!("the registry {registry} denied access to its index; check the token")))
            }
            status if status.is_success() => Ok(Some(body)),
            _ => Err(Failure::new(FailureClass::Retryable, format!("the registry {registry} answered {status}"))),
        }
    }

    /// Requests an address, without the token first, and with it only if that fails and the address may get it.
    fn get(&self, url: &str, may_get_token: bool, context: &StepContext<'_>) -> Result<(StatusCode, Vec<u8>), Failure> {
        let answer = self.get_once(url, None, context)?;
        match self.token.as_deref().filter(|_| is_auth_error(answer.0) && may_get_token) {
            Some(token) => self.get_once(url, Some(token), context),
            None => Ok(answer),
        }
    }

    fn get_once(
        &self,
        url: &str,
        token: Option<&str>,
        context: &StepContext<'_>,
    ) -> Result<(StatusCode, Vec<u8>), Failure> {
        context.check()?;
        let timeout = context.deadline.saturating_duration_since(Instant::now()).min(REQUEST_TIMEOUT);
        let mut request = self.agent.get(url).config().timeout_global(Some(timeout)).build();
        if let Some(token) = token {
            request = request.header("Authorization", token);
        }
        let unreachable = |error: &dyn Display| {
            let message = format!("cannot reach the registry {}: {error}", self.name);
            Failure::new(FailureClass::Retryable, message)
        };
        let response = request.call().map_err(|error| unreachable(&error))?;
        let visited = response.get_redirect_history().unwrap_or_default();
        self.redirects.borrow_mut().extend(visited.iter().skip(1).map(ToString::to_string));
        let (status, mut body) = (response.status(), Vec::new());
        let mut reader = response.into_body().into_reader().take(MAX_BODY);
        reader.read_to_end(&mut body).map_err(|error| unreachable(&error))?;
        Ok((status, body))
    }

    fn unreadable(&self, error: &dyn Display) -> Failure {
        let name = &self.name;
        Failure::permanent(format!("cannot read the index of the registry {name}: {error}; check its address"))
    }

    fn is_same_origin(&self, url: &str) -> bool {
        let origin = |address: &str| parse_address(address).map(|url| url.origin());
        origin(url).is_some_and(|asked| Some(asked) == origin(&self.address))
    }
}

fn read_certificates(path: &Utf8Path) -> Result<RootCerts, Box<dyn Error>> {
    let items = parse_pem(&fs_err::read(path)?).collect::<Result<Vec<_>, _>>()?;
    let certificates = items.into_iter().filter_map(|item| match item {
        PemItem::Certificate(certificate) => Some(certificate.to_owned()),
        _ => None,
    });
    Ok(certificates.collect::<Vec<_>>().into())
}

fn is_auth_error(status: StatusCode) -> bool {
    matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
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
