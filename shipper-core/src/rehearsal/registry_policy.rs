//! The event with the hosts of a registry, in the form of the shipper tool.

use std::net::IpAddr;

use shipper_events::event::{RegistryPolicy, RegistryPolicyApplied};

/// The authority of an address that is not known. An audit does not compare it.
const UNKNOWN_AUTHORITY: &str = "unknown";

/// The network of a registry, as the shipper tool names the policy that permits it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Posture {
    Public,
    Private,
    Loopback,
}

impl Posture {
    /// Returns the network of an origin such as `http://127.0.0.1:8000`. A name is a public host, except `localhost`.
    fn of(origin: &str) -> Self {
        let authority = origin.split_once("://").map_or(origin, |(_, authority)| authority);
        let host = authority.rsplit_once(':').map_or(authority, |(host, port)| {
            if port.bytes().all(|byte| byte.is_ascii_digit()) { host } else { authority }
        });
        if host == "localhost" || host.ends_with(".localhost") {
            return Self::Loopback;
        }
        match host.trim_start_matches('[').trim_end_matches(']').parse() {
            Ok(address) if IpAddr::is_loopback(&address) => Self::Loopback,
            Ok(IpAddr::V4(address)) if address.is_private() || address.is_link_local() => Self::Private,
            Ok(IpAddr::V6(address)) if address.is_unique_local() || address.is_unicast_link_local() => Self::Private,
            _ => Self::Public,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public_default",
            Self::Private => "private_opt_in",
            Self::Loopback => "rehearsal_or_test",
        }
    }
}

/// Returns the event with the origins of a registry's index and uploads. An audit compares the hosts of a run with those
/// of its rehearsal.
pub(crate) fn policy_applied(index: Option<&str>, credentials: Option<&str>) -> RegistryPolicyApplied {
    let posture = [index, credentials].into_iter().flatten().map(Posture::of).max().unwrap_or(Posture::Public);
    let evidence = RegistryPolicy::new()
        .posture(posture.as_str())
        .allow_private(posture == Posture::Private)
        .allow_loopback(posture == Posture::Loopback)
        .credential_authority(credentials.unwrap_or(UNKNOWN_AUTHORITY))
        .index_authority(index.unwrap_or(UNKNOWN_AUTHORITY));
    RegistryPolicyApplied::new().evidence(evidence)
}

#[cfg(test)]
#[path = "../../tests/unit/registry_policy.rs"]
mod tests;
