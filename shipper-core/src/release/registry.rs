//! Registries, which are compared by address.

use shipper_events::RegistryName;
use thiserror::Error;

use super::endpoint::{Endpoint, EndpointUse, parse_address};

/// The name of crates-io in cargo's configuration.
pub(super) const CRATES_IO: &str = "crates-io";

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
        self.index_endpoint().is_same(&other.index_endpoint())
    }

    /// Returns the address of the index for comparisons.
    pub fn index_endpoint(&self) -> Endpoint {
        Endpoint::new(EndpointUse::Index, &self.index)
    }

    /// Returns `true` if cargo's environment variables cannot distinguish the names.
    fn has_same_name(&self, other: &Self) -> bool {
        let variable = |registry: &Self| registry.name.as_str().to_ascii_uppercase().replace('-', "_");
        variable(self) == variable(other)
    }
}

/// The greatest length of an origin in the log, in bytes. Origins of real registries are far shorter.
const MAX_ORIGIN_LEN: usize = 512;

/// Returns scheme, host and port of an address for the log, without user, password and path.
pub(super) fn origin(text: &str) -> Option<String> {
    let origin = parse_address(text).map(|url| url.origin().ascii_serialization());
    origin.filter(|origin| origin.len() <= MAX_ORIGIN_LEN)
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
#[non_exhaustive]
pub enum SameRegistryError {
    /// Both registries have one name.
    #[error("rehearsal registry {rehearsal} and live registry {live} have the same name for cargo; rename one of them")]
    SameName {
        /// The rehearsal registry's name, safe to show.
        rehearsal: String,
        /// The live registry's name, safe to show.
        live: String,
    },
    /// The indexes of both registries have one address.
    #[error("rehearsal registry {rehearsal} and live registry {live} have the same address; configure another index")]
    SameAddress {
        /// The rehearsal registry's name, safe to show.
        rehearsal: String,
        /// The live registry's name, safe to show.
        live: String,
    },
}

impl SameRegistryError {
    /// Compares the addresses of the indexes, and the names.
    pub(super) fn check(rehearsal: &Registry, live: &Registry) -> Result<(), Self> {
        let (same_address, same_name) = (rehearsal.is_same_registry(live), rehearsal.has_same_name(live));
        let (rehearsal, live) = (shown(rehearsal.name.as_str()), shown(live.name.as_str()));
        match (same_address, same_name) {
            (true, _) => Err(Self::SameAddress { rehearsal, live }),
            (false, true) => Err(Self::SameName { rehearsal, live }),
            (false, false) => Ok(()),
        }
    }
}

/// Returns a name for a message, quoted and safe to show.
pub(super) fn shown(name: &str) -> String {
    shipper_events::display_safe(name).quoted().to_string()
}
