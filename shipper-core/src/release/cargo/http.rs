//! Requests with the proxy and the certificates of cargo's configuration.

use std::cell::RefCell;
use std::error::Error;
use std::io::Read;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use thiserror::Error;
use ureq::http::StatusCode;
use ureq::http::header::{AUTHORIZATION, LOCATION};
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{ConnectProxyConnector, Connector, SocksConnector, TcpConnector};
use ureq::{Agent, Proxy};
use url::Url;

use super::config::{CargoConfig, ConfigError};
use super::proxy::{ProxyError, ProxySettings};
use super::tls::TrustedCertificates;
use crate::release::endpoint::parse_address;
use crate::release::registry::Registry;

/// The time limit of one request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// The greatest length of an answer, in bytes.
const MAX_BODY: u64 = 64 * 1024 * 1024;

/// The greatest number of redirections of one request.
const MAX_REDIRECTIONS: u32 = 10;

type BoxError = Box<dyn Error + Send + Sync>;

/// The error for network settings that cannot be used.
#[derive(Debug, Error)]
pub(super) enum NetworkSettingError {
    #[error("cannot use the proxy: {0}")]
    Proxy(#[from] ProxyError),
    #[error("cannot use the certificates in {path} (http.cainfo): {cause}")]
    Certificates { path: Utf8PathBuf, cause: BoxError },
}

/// Sends requests. Follows redirections, with the proxy for each address.
pub(super) struct HttpClient {
    agent: Agent,
    proxies: ProxySettings,
    /// The addresses to which requests were redirected.
    redirects: RefCell<Vec<String>>,
}

impl HttpClient {
    /// Creates a client for the configuration.
    pub(super) fn new(config: &CargoConfig) -> Result<Self, NetworkSettingError> {
        let settings = Agent::config_builder().http_status_as_error(false).max_redirects(0).proxy(None);
        let agent = match config.ca_file() {
            None => {
                let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
                settings.tls_config(tls).build().into()
            }
            Some(path) => {
                let certificates = read_certificates(&path)
                    .map_err(|cause| NetworkSettingError::Certificates { path: path.clone(), cause });
                let tls = certificates?
                    .connector()
                    .map_err(|error| NetworkSettingError::Certificates { path: path.clone(), cause: error.into() })?;
                // The library's own connectors, with another one for encryption.
                let connector = ().chain(SocksConnector::default()).chain(ConnectProxyConnector::default());
                let connector = connector.chain(TcpConnector::default()).chain(tls);
                Agent::with_parts(settings.build(), connector, DefaultResolver::default())
            }
        };
        Ok(Self { agent, proxies: config.proxies(), redirects: RefCell::default() })
    }

    /// Returns the addresses to which requests were redirected.
    pub(super) fn redirects(&self) -> Vec<String> {
        self.redirects.borrow().clone()
    }

    /// Requests an address. The origin of the address gets the token, and no other one that redirections lead to.
    pub(super) fn get(
        &self,
        url: &Url,
        token: Option<&str>,
        deadline: Instant,
    ) -> Result<(StatusCode, Vec<u8>), BoxError> {
        let mut current = url.clone();
        for _ in 0..=MAX_REDIRECTIONS {
            let proxy = self.proxies.for_url(&current)?;
            let timeout = deadline.saturating_duration_since(Instant::now()).min(REQUEST_TIMEOUT);
            let token = token.filter(|_| current.origin() == url.origin());
            let response = self.send(&current, proxy, token, timeout)?;
            let status = response.status();
            let location = response.headers().get(LOCATION).filter(|_| is_redirection(status));
            if let Some(location) = location {
                current = current.join(location.to_str()?)?;
                if !matches!(current.scheme(), "http" | "https") {
                    return Err("it redirects to an address that is not on the web".into());
                }
                self.redirects.borrow_mut().push(current.to_string());
                continue;
            }
            let mut body = Vec::new();
            response.into_body().into_reader().take(MAX_BODY).read_to_end(&mut body)?;
            return Ok((status, body));
        }
        Err("it redirects too often".into())
    }

    fn send(
        &self,
        url: &Url,
        proxy: Option<Proxy>,
        token: Option<&str>,
        timeout: Duration,
    ) -> Result<ureq::http::Response<ureq::Body>, ureq::Error> {
        let request = self.agent.get(url.as_str());
        let mut request = request.config().timeout_global(Some(timeout)).proxy(proxy).build();
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, token);
        }
        request.call()
    }
}

/// Checks the proxy and the certificates for connections to a registry.
pub(super) fn check_settings(config: &CargoConfig, registry: &Registry) -> Result<(), ConfigError> {
    let client = HttpClient::new(config);
    let check = client
        .and_then(|client| parse_address(&registry.index).map_or(Ok(None), |url| Ok(client.proxies.for_url(&url)?)));
    check.map_err(|error| ConfigError::Network { name: registry.name.to_string(), source: error.into() })?;
    Ok(())
}

fn is_redirection(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

fn read_certificates(path: &Utf8Path) -> Result<TrustedCertificates, BoxError> {
    let items = parse_pem(&fs_err::read(path)?).collect::<Result<Vec<_>, _>>()?;
    let certificates = items.into_iter().filter_map(|item| match item {
        PemItem::Certificate(certificate) => Some(certificate.der().to_vec().into()),
        _ => None,
    });
    Ok(TrustedCertificates::new(certificates.collect())?)
}

#[cfg(test)]
#[path = "../../../tests/unit/http.rs"]
mod tests;
