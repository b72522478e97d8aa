//! Looking into a registry's sparse index, and at what it keeps.
//!
//! Only the index tells what cargo will find: some registries answer other questions about a version in ways of their own.

use std::io::Read;
use std::time::{Duration, Instant};

use serde::Deserialize;
use sha2::{Digest, Sha256};
use ureq::http::StatusCode;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Proxy};
use url::Url;

use super::config::Config;
use super::package::{Files, unpack};
use crate::release::registry::Registry;
use crate::release::world::{Failure, FailureClass, StepContext};

/// How long one question may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long an answer about a package may be, in bytes.
const MOST: u64 = 64 * 1024 * 1024;

/// A registry's sparse index.
pub(super) struct SparseIndex {
    agent: Agent,
    /// What its registry is called.
    name: String,
    /// Its address, ending with `/`.
    address: String,
    token: Option<String>,
}

/// What a registry says of itself.
#[derive(Deserialize)]
struct About {
    /// Where packages are downloaded from.
    dl: String,
    /// Whether it shows nothing without a token, wherever that is.
    #[serde(default, rename = "auth-required")]
    auth_required: bool,
    /// Where they are uploaded to.
    api: Option<String>,
}

/// A version that an index shows.
#[derive(Deserialize)]
pub(super) struct Shown {
    pub(super) name: String,
    #[serde(rename = "vers")]
    pub(super) version: String,
    cksum: String,
    #[serde(default)]
    yanked: bool,
}

impl SparseIndex {
    /// The index of a registry, reached as cargo's configuration says.
    pub(super) fn of(registry: &Registry, config: &Config, token: Option<String>) -> Result<Self, Failure> {
        let odd = |what: String| Failure::new(FailureClass::Permanent, what);
        let address = registry.index.strip_prefix("sparse+").ok_or_else(|| {
            odd(format!("the registry {} has no sparse index; configure its sparse+ address", registry.name))
        })?;
        let mut agent = Agent::config_builder().http_status_as_error(false);
        let trusted = match config.authorities() {
            None => RootCerts::PlatformVerifier,
            Some(path) => {
                let unread = |error: &dyn std::fmt::Display| {
                    odd(format!("the certificates in {path} (http.cainfo) cannot be read: {error}"))
                };
                let pem = fs_err::read(&path).map_err(|error| unread(&error))?;
                let items: Vec<PemItem<'_>> =
                    parse_pem(&pem).collect::<Result<_, _>>().map_err(|error| unread(&error))?;
                items.into_iter().filter_map(certificate).collect::<Vec<_>>().into()
            }
        };
        agent = agent.tls_config(TlsConfig::builder().root_certs(trusted).build());
        if let Some(proxy) = config.proxy() {
            let proxy = Proxy::new(&proxy).map_err(|error| odd(format!("the proxy (http.proxy) is none: {error}")))?;
            agent = agent.proxy(Some(proxy));
        }
        let address = format!("{}/", address.trim_end_matches('/'));
        Ok(Self { agent: agent.build().into(), name: registry.name.to_string(), address, token })
    }

    /// Where packages are uploaded to.
    pub(super) fn uploads_to(&self, context: &StepContext<'_>) -> Result<String, Failure> {
        let api = self.registry(context)?.api;
        api.ok_or_else(|| Failure::new(FailureClass::Permanent, format!("the registry {} takes no uploads", self.name)))
    }

    fn registry(&self, context: &StepContext<'_>) -> Result<About, Failure> {
        let config = self.read("config.json", context)?;
        let config = config.ok_or_else(|| self.unreadable(&"it has no config.json"))?;
        serde_json::from_slice(&config).map_err(|error| self.unreadable(&error))
    }

    /// A version, if the index shows it, or one that keeps it from being published: names are compared without case, and
    /// versions without build metadata. Lines that are not understood are passed over, as cargo does.
    ///
    /// # Errors
    ///
    /// When the index cannot be read, or shows it as yanked.
    pub(super) fn look(&self, name: &str, version: &str, context: &StepContext<'_>) -> Result<Option<Shown>, Failure> {
        let Some(text) = self.read(&place(name), context)? else {
            return Ok(None);
        };
        let is_it = |shown: &Shown| without_build(&shown.version) == without_build(version);
        for line in text.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
            let Some(shown) = serde_json::from_slice(line).ok().filter(is_it) else {
                continue;
            };
            if shown.yanked {
                let message = format!(
                    "{name} {version} was yanked from the registry {}; un-yank it, or bump the version",
                    self.name
                );
                return Err(Failure::new(FailureClass::Permanent, message));
            }
            return Ok(Some(shown));
        }
        Ok(None)
    }

    /// What the registry keeps under a version.
    pub(super) fn download(&self, shown: &Shown, context: &StepContext<'_>) -> Result<Files, Failure> {
        let Shown { name, version, cksum, .. } = shown;
        let About { dl, auth_required, .. } = self.registry(context)?;
        let lower = name.to_ascii_lowercase();
        let url = if dl.contains('{') {
            dl.replace("{crate}", name)
                .replace("{version}", version)
                .replace("{prefix}", &directory(name))
                .replace("{lowerprefix}", &directory(&lower))
                .replace("{sha256-checksum}", cksum)
        } else {
            format!("{}/{name}/{version}/download", dl.trim_end_matches('/'))
        };
        let (status, bytes) = self.get(&url, auth_required || self.is_own(&url), context)?;
        if !status.is_success() {
            // What a storage does not have yet, it may call forbidden.
            let message = format!(
                "the registry {} shows {name} {version}, and it cannot be downloaded: it answered {status}; is there a \
                 token that may?",
                self.name
            );
            return Err(Failure::new(FailureClass::Retryable, message));
        }
        let permanent = |message: String| Failure::new(FailureClass::Permanent, message);
        let sha256: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        if !sha256.eq_ignore_ascii_case(cksum) {
            return Err(permanent(format!(
                "what the registry {} keeps of {name} {version} is not what its index says, so that nobody can build \
                 with it: the checksum is {sha256}",
                self.name
            )));
        }
        let none = |error| format!("what the registry {} keeps of {name} {version} is no package: {error}", self.name);
        unpack(&*bytes).map_err(|error| permanent(none(error)))
    }

    /// What the index has at an address; `None` where it has nothing.
    fn read(&self, path: &str, context: &StepContext<'_>) -> Result<Option<Vec<u8>>, Failure> {
        let (status, body) = self.get(&format!("{}{path}", self.address), true, context)?;
        match status {
            StatusCode::NOT_FOUND | StatusCode::GONE | StatusCode::UNAVAILABLE_FOR_LEGAL_REASONS => Ok(None),
            status if is_locked(status) => {
                let message =
                    format!("the registry {} does not let us look into its index; give a token that may", self.name);
                Err(Failure::new(FailureClass::Permanent, message))
            }
            status if status.is_success() => Ok(Some(body)),
            status => {
                Err(Failure::new(FailureClass::Retryable, format!("the registry {} answered {status}", self.name)))
            }
        }
    }

    /// What an address answers. The token is shown only where it may be, and only when it is asked for.
    fn get(&self, url: &str, may_see_token: bool, context: &StepContext<'_>) -> Result<(StatusCode, Vec<u8>), Failure> {
        let answer = self.ask(url, None, context)?;
        match self.token.as_deref().filter(|_| is_locked(answer.0) && may_see_token) {
            Some(token) => self.ask(url, Some(token), context),
            None => Ok(answer),
        }
    }

    fn ask(&self, url: &str, token: Option<&str>, context: &StepContext<'_>) -> Result<(StatusCode, Vec<u8>), Failure> {
        context.check()?;
        let left = context.until.saturating_duration_since(Instant::now()).min(PATIENCE);
        let mut request = self.agent.get(url).config().timeout_global(Some(left)).build();
        if let Some(token) = token {
            request = request.header("Authorization", token);
        }
        let unreachable = |error: &dyn std::fmt::Display| {
            Failure::new(
                FailureClass::Retryable,
                format!("the registry {} cannot be reached: {error}; is it running?", self.name),
            )
        };
        let response = request.call().map_err(|error| unreachable(&error))?;
        let status = response.status();
        let mut body = Vec::new();
        response.into_body().into_reader().take(MOST).read_to_end(&mut body).map_err(|error| unreachable(&error))?;
        Ok((status, body))
    }

    fn unreadable(&self, why: &dyn std::fmt::Display) -> Failure {
        let message = format!("the index of the registry {} cannot be read: {why}; is this its address?", self.name);
        Failure::new(FailureClass::Permanent, message)
    }

    fn is_own(&self, url: &str) -> bool {
        let origin = |url: &str| Url::parse(url).ok().map(|url| url.origin());
        origin(url).is_some_and(|asked| Some(asked) == origin(&self.address))
    }
}

fn certificate(item: PemItem<'_>) -> Option<Certificate<'static>> {
    match item {
        PemItem::Certificate(certificate) => Some(certificate.to_owned()),
        _ => None,
    }
}

fn is_locked(status: StatusCode) -> bool {
    matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
}

/// Where a package stands in an index.
fn place(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    format!("{}/{name}", directory(&name))
}

fn directory(name: &str) -> String {
    let part = |range: std::ops::Range<usize>| name.get(range).unwrap_or_default();
    match name.len() {
        length @ 0..=2 => length.to_string(),
        3 => format!("3/{}", part(0..1)),
        _ => format!("{}/{}", part(0..2), part(2..4)),
    }
}

fn without_build(version: &str) -> &str {
    version.split('+').next().unwrap_or(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (Pass) Packages stand where cargo looks for them.
    #[test]
    fn places_in_an_index() {
        for (name, place_of) in [
            ("a", "1/a"),
            ("ab", "2/ab"),
            ("abc", "3/a/abc"),
            ("aBcd", "ab/cd/abcd"),
            ("serde_json", "se/rd/serde_json"),
        ] {
            assert_eq!(place(name), place_of);
        }
    }
}
