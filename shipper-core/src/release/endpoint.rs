//! Addresses of registries, compared so that a rehearsal never reaches the live registry.

use std::fmt;
use std::net::IpAddr;

use url::{Host, Url};

/// Parses an address without the prefix that names the protocol of an index.
pub(super) fn parse_address(text: &str) -> Option<Url> {
    Url::parse(text.strip_prefix("sparse+").unwrap_or(text)).ok()
}

/// The use of an address of a registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndpointUse {
    /// The index.
    Index,
    /// The address to which a request to the index was redirected.
    IndexRedirect,
    /// The address for uploads.
    Uploads,
    /// The address of downloads. Text from the first marker, such as `{crate}`, is ignored.
    Downloads,
}

impl EndpointUse {
    fn as_str(self) -> &'static str {
        match self {
            Self::Index => "index",
            Self::IndexRedirect => "redirect of the index",
            Self::Uploads => "upload address",
            Self::Downloads => "download address",
        }
    }
}

/// An address of a registry, without the parts that do not distinguish registries: user, password and query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    used_for: EndpointUse,
    /// The scheme's own port counts as `None`: one registry may serve its usual ports with and without encryption.
    port: Option<u16>,
    /// The port that is given or that the scheme implies.
    actual_port: Option<u16>,
    host: EndpointHost,
    /// The path without its last `/`, or a text that is no address.
    path: String,
}

/// The host of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
enum EndpointHost {
    /// The text is no address.
    Missing,
    /// This machine, by any of its names and addresses.
    ThisMachine,
    /// Any host of crates-io. They serve only this registry.
    CratesIo,
    /// Another host, without the label `index` of the host of an index.
    Other(String),
}

impl Endpoint {
    /// Parses an address, with or without the prefix `sparse+`. A text that is no address equals only itself.
    pub fn new(used_for: EndpointUse, address: &str) -> Self {
        let address = if used_for == EndpointUse::Downloads { before_markers(address) } else { address };
        let Some(url) = parse_address(address) else {
            let path = address.to_owned();
            return Self { used_for, port: None, actual_port: None, host: EndpointHost::Missing, path };
        };
        let (port, actual_port) = (url.port(), url.port_or_known_default());
        Self { used_for, port, actual_port, host: EndpointHost::of(&url), path: normalized_path(url.path()) }
    }

    /// Marks the host as a name or an address of this machine.
    #[must_use]
    pub fn on_this_machine(self) -> Self {
        Self { host: EndpointHost::ThisMachine, ..self }
    }

    /// Returns `true` if both addresses are those of one endpoint.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.is_same_server(other) && (self.host == EndpointHost::CratesIo || self.path == other.path)
    }

    fn is_same_server(&self, other: &Self) -> bool {
        let same_port = self.port == other.port || self.actual_port == other.actual_port;
        self.host == other.host && (same_port || self.host == EndpointHost::CratesIo)
    }

    fn shares_host(&self, other: &Self) -> bool {
        self.host == other.host && self.host != EndpointHost::Missing
    }

    /// Returns `true` if this address is that of the other endpoint or below it.
    #[cfg(any(test, feature = "cargo"))]
    fn is_within(&self, other: &Self) -> bool {
        let rest = self.path.strip_prefix(&other.path);
        let below = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        self.is_same_server(other) && (self.host == EndpointHost::CratesIo || below)
    }
}

/// Shows the address for a message, without user and password.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = match &self.host {
            EndpointHost::Missing => return write!(f, "an invalid address"),
            EndpointHost::ThisMachine => "this machine",
            EndpointHost::CratesIo => return write!(f, "crates-io"),
            EndpointHost::Other(host) => host,
        };
        let port = self.port.map_or_else(String::new, |port| format!(":{port}"));
        let text = format!("{host}{port}{}", self.path);
        write!(f, "{}", shipper_events::display_safe(&text).max_chars(200))
    }
}

impl EndpointHost {
    fn of(url: &Url) -> Self {
        let is_local = |address: IpAddr| address.is_loopback() || address.is_unspecified();
        let name = match url.host() {
            None => return Self::Missing,
            Some(Host::Ipv4(address)) if is_local(address.into()) => return Self::ThisMachine,
            Some(Host::Ipv6(address)) if is_local(address.to_canonical()) => return Self::ThisMachine,
            Some(Host::Ipv6(address)) => address.to_canonical().to_string(),
            Some(host) => host.to_string().to_ascii_lowercase(),
        };
        let name = name.trim_end_matches('.');
        let is_or_is_below =
            |parent: &str| name.strip_suffix(parent).is_some_and(|label| label.is_empty() || label.ends_with('.'));
        if is_or_is_below("localhost") {
            return Self::ThisMachine;
        }
        if is_or_is_below("crates.io") {
            return Self::CratesIo;
        }
        Self::Other(name.strip_prefix("index.").unwrap_or(name).to_owned())
    }
}

/// Returns the part of a download address before the markers of crate and version.
fn before_markers(address: &str) -> &str {
    address.split('{').next().unwrap_or_default()
}

/// Decodes the escapes of a path, and removes empty parts.
fn normalized_path(path: &str) -> String {
    let decoded = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
    decoded.split('/').filter(|part| !part.is_empty()).flat_map(|part| ["/", part]).collect()
}

/// The relation between the addresses of two registries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Isolation {
    /// They share no host.
    Separate,
    /// Two addresses share a host, and differ in port or path. The text describes them.
    SharedHost(String),
    /// Two addresses are those of one endpoint. The text describes them.
    SharedEndpoint(String),
}

/// Compares each address of the rehearsal registry with each address of the live registry.
pub(super) fn isolation(rehearsal: &[Endpoint], live: &[Endpoint]) -> Isolation {
    let pairs = || rehearsal.iter().flat_map(|one| live.iter().map(move |other| (one, other)));
    if let Some((one, other)) = pairs().find(|(one, other)| one.is_same(other)) {
        let (one_use, other_use) = (one.used_for.as_str(), other.used_for.as_str());
        return Isolation::SharedEndpoint(format!(
            "the {one_use} of the rehearsal registry and the {other_use} of the live registry are the same, {one}"
        ));
    }
    let shared = pairs().find(|(one, other)| one.shares_host(other));
    shared.map_or(Isolation::Separate, |(one, other)| {
        let (one_use, other_use) = (one.used_for.as_str(), other.used_for.as_str());
        Isolation::SharedHost(format!(
            "the rehearsal registry ({one_use} {one}) and the live registry ({other_use} {other}) share a host; \
             make sure that they do not share packages"
        ))
    })
}

/// Returns `true` if an address belongs to a registry with the addresses `other`, and not to its own registry. The
/// longest path that fits decides.
#[cfg(any(test, feature = "cargo"))]
pub(super) fn leads_away(address: &Endpoint, own: &[Endpoint], other: &[Endpoint]) -> bool {
    let depth = |all: &[Endpoint]| {
        all.iter().filter(|endpoint| address.is_within(endpoint)).map(|endpoint| endpoint.path.len()).max()
    };
    depth(other) > depth(own)
}

#[cfg(test)]
#[path = "../../tests/unit/endpoint.rs"]
mod tests;
