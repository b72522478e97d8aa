//! Registries, which are compared by address.

use std::net::IpAddr;

use shipper_events::RegistryName;
use thiserror::Error;
use url::{Host, Url};

/// A registry: its name in cargo's configuration, and the address of its index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registry {
    /// The name of the registry in cargo's configuration, the log and the gate.
    pub name: RegistryName,
    /// The address of the index as in cargo's configuration, such as `sparse+https://registry.example/index/`.
    pub index: String,
}

impl Registry {
    /// Returns `true` if the indexes of both registries have the same address. Names are not compared.
    pub fn is_same_registry(&self, other: &Self) -> bool {
        same_endpoint(&self.index, &other.index)
    }
}

/// Parses an address without the prefix that names the protocol of an index.
pub(super) fn parse_address(text: &str) -> Option<Url> {
    Url::parse(text.strip_prefix("sparse+").unwrap_or(text)).ok()
}

/// The greatest length of an origin in the log, in bytes. Origins of real registries are far shorter.
const MAX_ORIGIN_LEN: usize = 512;

/// Returns scheme, host and port of an address for the log, without user, password and path.
pub(super) fn origin(text: &str) -> Option<String> {
    let origin = parse_address(text).map(|url| url.origin().ascii_serialization());
    origin.filter(|origin| origin.len() <= MAX_ORIGIN_LEN)
}

/// Returns `true` if two addresses are those of the same endpoint.
pub(super) fn same_endpoint(one: &str, other: &str) -> bool {
    normalize(one) == normalize(other)
}

/// Removes the parts of an address that do not distinguish registries. Returns text that is not an address unchanged.
fn normalize(text: &str) -> String {
    let Some(url) = parse_address(text) else {
        return text.to_owned();
    };
    let host = match url.host() {
        Some(Host::Ipv6(address)) => address.to_canonical().to_string(),
        Some(host) => host.to_string().trim_end_matches('.').to_owned(),
        None => String::new(),
    };
    let is_local = |address: IpAddr| address.is_loopback() || address.is_unspecified();
    let host = if host == "localhost" || host.parse().is_ok_and(is_local) { "here" } else { &host };
    // The scheme is ignored: one registry may serve its usual ports with and without encryption.
    let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
    format!("{host}{port}{}", url.path().trim_end_matches('/'))
}

/// A registry and its role in the release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegistryRole<'r> {
    /// The registry on which the plan is rehearsed.
    Rehearsal(&'r Registry),
    /// The registry to which the plan is published.
    Live(&'r Registry),
}

impl<'r> RegistryRole<'r> {
    /// Returns the registry.
    pub fn registry(self) -> &'r Registry {
        match self {
            Self::Rehearsal(registry) | Self::Live(registry) => registry,
        }
    }
}

/// The error for a rehearsal registry that is the live registry. A rehearsal there would publish for real.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("rehearsal registry {rehearsal} and live registry {live} have the same address; configure another index")]
pub struct SameRegistryError {
    /// The rehearsal registry's name, safe to show.
    pub rehearsal: String,
    /// The live registry's name, safe to show.
    pub live: String,
}

impl SameRegistryError {
    /// Compares the addresses of the indexes.
    pub(super) fn check(rehearsal: &Registry, live: &Registry) -> Result<(), Self> {
        if rehearsal.is_same_registry(live) {
            return Err(Self { rehearsal: shown(rehearsal.name.as_str()), live: shown(live.name.as_str()) });
        }
        Ok(())
    }
}

/// Returns a name for a message, quoted and safe to show.
pub(super) fn shown(name: &str) -> String {
    shipper_events::display_safe(name).quoted().to_string()
}
