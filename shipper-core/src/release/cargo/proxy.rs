//! The proxy of a connection, from the settings that cargo and its HTTP library curl read.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use thiserror::Error;
use ureq::Proxy;
use url::{Host, Url};

/// The port of a proxy whose address has none, as for curl.
const DEFAULT_PORT: u16 = 1080;

/// The proxies of a configuration. A setting without text is no proxy.
pub(super) struct ProxySettings {
    /// The proxy for all connections, instead of those below.
    configured: Option<ProxySetting>,
    http: Option<ProxySetting>,
    https: Option<ProxySetting>,
    /// The proxy for connections for which neither of the others is set.
    all: Option<ProxySetting>,
    /// The hosts that are reached without a proxy.
    no_proxy: String,
}

/// The address of a proxy, and the name of the setting or the environment variable that contains it.
pub(super) struct ProxySetting {
    pub(super) name: &'static str,
    pub(super) address: String,
}

/// The error for a proxy that cannot be used. It does not contain the address, which may contain a password.
#[derive(Debug, Error)]
pub(super) enum ProxyError {
    #[error("{name} is not the address of a proxy, such as http://HOST:PORT")]
    Invalid { name: &'static str },
    #[error("{name} has the unknown scheme {scheme}; use http, https, socks4, socks4a, socks5 or socks5h")]
    Scheme { name: &'static str, scheme: String },
}

impl ProxySettings {
    /// Reads the environment by `variable`. `configured` is cargo's or git's setting.
    pub(super) fn new(configured: Option<ProxySetting>, variable: impl Fn(&str) -> Option<String>) -> Self {
        // An empty variable does not count as set.
        let read = |name: &str| variable(name).filter(|value| !value.is_empty());
        let first =
            |names: &[&'static str]| names.iter().find_map(|name| Some(ProxySetting { name, address: read(name)? }));
        Self {
            configured,
            // A web server sets HTTP_PROXY from a header of a client, so curl ignores it.
            http: first(&["http_proxy"]),
            https: first(&["https_proxy", "HTTPS_PROXY"]),
            all: first(&["all_proxy", "ALL_PROXY"]),
            no_proxy: read("no_proxy").or_else(|| read("NO_PROXY")).unwrap_or_default(),
        }
    }

    /// Returns the proxy for a connection to an address; `None` for a direct connection.
    pub(super) fn for_url(&self, url: &Url) -> Result<Option<Proxy>, ProxyError> {
        let environment = || {
            let of_scheme = if url.scheme() == "https" { &self.https } else { &self.http };
            of_scheme.as_ref().or(self.all.as_ref())
        };
        let excluded = url.host().is_some_and(|host| is_excluded(&host, &self.no_proxy));
        match self.configured.as_ref().or_else(environment) {
            Some(setting) if !excluded && !setting.address.is_empty() => setting.parse().map(Some),
            _ => Ok(None),
        }
    }
}

impl ProxySetting {
    fn parse(&self) -> Result<Proxy, ProxyError> {
        let (scheme, rest) = self.address.split_once("://").unwrap_or(("http", &self.address));
        let scheme = scheme.to_ascii_lowercase();
        let protocol = match scheme.as_str() {
            "http" | "https" | "socks4a" | "socks5" | "socks5h" => scheme.as_str(),
            "socks" | "socks4" => "socks4",
            _ => return Err(ProxyError::Scheme { name: self.name, scheme: crate::release::registry::shown(&scheme) }),
        };
        let invalid = || ProxyError::Invalid { name: self.name };
        // With the scheme `http`, the parser would drop the port 80.
        let url = Url::parse(&format!("proxy://{rest}")).map_err(|_| invalid())?;
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(invalid)?;
        let port = url.port().unwrap_or(if protocol == "https" { 443 } else { DEFAULT_PORT });
        let user = match (url.username(), url.password()) {
            ("", None) => String::new(),
            (user, None) => format!("{user}@"),
            (user, Some(password)) => format!("{user}:{password}@"),
        };
        Proxy::new(&format!("{protocol}://{user}{host}:{port}")).map_err(|_| invalid())
    }
}

/// Returns `true` if a list of hosts contains this one, as for curl: the list is `*`, or an entry is the host, a domain
/// above it (with or without a dot before it), its IP address, or an IP network such as `10.0.0.0/8`. An entry with a
/// port matches nothing.
pub(super) fn is_excluded(host: &Host<&str>, list: &str) -> bool {
    // curl ignores what follows two entries without a comma between them.
    let entries = list.split(',').scan(false, |ended, entry| {
        let mut words = entry.split([' ', '\t']).filter(|word| !word.is_empty());
        let first = (!*ended).then(|| words.next().unwrap_or_default());
        *ended |= words.next().is_some();
        first
    });
    list == "*"
        || entries.filter(|entry| !entry.is_empty()).any(|entry| match host {
            Host::Domain(name) => is_in_domain(name.trim_end_matches('.'), entry),
            Host::Ipv4(address) => is_in_network((*address).into(), entry),
            Host::Ipv6(address) => is_in_network((*address).into(), entry),
        })
}

fn is_in_domain(name: &str, domain: &str) -> bool {
    let domain = domain.strip_suffix('.').unwrap_or(domain);
    let domain = domain.strip_prefix('.').unwrap_or(domain).to_ascii_lowercase();
    let name = name.to_ascii_lowercase();
    let above = name.strip_suffix(domain.as_str());
    !domain.is_empty() && above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
}

fn is_in_network(address: IpAddr, entry: &str) -> bool {
    let (network, bits) = entry.split_once('/').unwrap_or((entry, "0"));
    let network = network.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(network);
    let (Ok(network), Ok(bits)) = (network.parse::<IpAddr>(), bits.parse::<u32>()) else {
        return false;
    };
    // For curl, no bits are all bits.
    let same_prefix = |one: u128, other: u128, length: u32| {
        bits <= length && (one ^ other).checked_shr(length - if bits == 0 { length } else { bits }).unwrap_or(0) == 0
    };
    let number4 = |address: Ipv4Addr| u128::from(u32::from(address));
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => same_prefix(number4(address), number4(network), Ipv4Addr::BITS),
        (IpAddr::V6(address), IpAddr::V6(network)) => same_prefix(address.into(), network.into(), Ipv6Addr::BITS),
        _ => false,
    }
}

#[cfg(test)]
#[path = "../../../tests/unit/proxy.rs"]
mod tests;
