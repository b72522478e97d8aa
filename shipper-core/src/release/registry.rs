//! Registries, told apart by address.

use shipper_events::RegistryName;
use thiserror::Error;
use url::{Host, Url};

/// A registry: its name in cargo's configuration, and the address of its index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registry {
    /// Its name, which the log and the gate know it by.
    pub name: RegistryName,
    /// The address of its index, as in cargo's configuration, such as `sparse+https://registry.example/index/`.
    pub index: String,
}

impl Registry {
    /// Whether both have the same index, by address: a name says nothing.
    pub fn is_same_registry(&self, other: &Self) -> bool {
        is_same_place(&self.index, &other.index)
    }

    /// The name of the machine that it is on.
    #[cfg(feature = "cargo")]
    pub(super) fn host(&self) -> Option<String> {
        address(&self.index)?.host_str().map(str::to_owned)
    }
}

/// An address, without the word that names the index's protocol.
fn address(text: &str) -> Option<Url> {
    Url::parse(text.strip_prefix("sparse+").unwrap_or(text)).ok()
}

/// How long the name of a host may be with its protocol and port, in bytes: no real one comes near.
const AUTHORITY: usize = 512;

/// The host that an address is on, for the log: no user, password or path is in it.
pub(super) fn authority(text: &str) -> Option<String> {
    let authority = address(text).map(|url| url.origin().ascii_serialization());
    authority.filter(|authority| authority.len() <= AUTHORITY)
}

/// Whether two addresses lead to the same place.
pub(super) fn is_same_place(one: &str, other: &str) -> bool {
    normal(one) == normal(other)
}

/// An address without what does not tell registries apart. One that is none is itself.
fn normal(text: &str) -> String {
    let Some(url) = address(text) else {
        return text.to_owned();
    };
    let here = |is_here: bool, host: &dyn ToString| if is_here { "here".to_owned() } else { host.to_string() };
    let host = match url.host() {
        Some(Host::Ipv4(host)) => here(host.is_loopback() || host.is_unspecified(), &host),
        Some(Host::Ipv6(host)) => {
            let host = host.to_canonical();
            here(host.is_loopback() || host.is_unspecified(), &host)
        }
        Some(Host::Domain(host)) => {
            let host = host.trim_end_matches('.');
            here(host == "localhost", &host)
        }
        None => String::new(),
    };
    // A registry that is reached with and without encryption at its usual port is one.
    let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
    format!("{host}{port}{}", url.path().trim_end_matches('/'))
}

/// The registry that something is done on, and what it is in this release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On<'t> {
    /// The registry that is rehearsed on.
    Rehearsal(&'t Registry),
    /// The registry that is published to for real.
    Live(&'t Registry),
}

impl<'t> On<'t> {
    /// The registry.
    pub fn registry(self) -> &'t Registry {
        match self {
            Self::Rehearsal(registry) | Self::Live(registry) => registry,
        }
    }
}

/// Both names lead to the same registry: a rehearsal there would publish for real.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "the rehearsal registry {rehearsal} and the live registry {live} have the same address, so that a rehearsal would publish for real; configure another index for one of them"
)]
pub struct SameRegistry {
    /// The rehearsal registry's name, made safe to show.
    pub rehearsal: String,
    /// The live registry's name, made safe to show.
    pub live: String,
}

impl SameRegistry {
    /// Looks at the addresses of their indexes.
    pub(super) fn check(rehearsal: &Registry, live: &Registry) -> Result<(), Self> {
        let shown = |registry: &Registry| shipper_events::display_safe(registry.name.as_str()).quoted().to_string();
        if rehearsal.is_same_registry(live) {
            return Err(Self { rehearsal: shown(rehearsal), live: shown(live) });
        }
        Ok(())
    }
}
