//! The addresses of both registries, as their indexes announce them.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, ToSocketAddrs, UdpSocket};

use super::config::CargoConfig;
use super::crates_io::{CRATES_IO, CRATES_IO_ENDPOINT};
use super::index::SparseIndex;
use crate::release::endpoint::{Endpoint, EndpointUse, leads_away, parse_address};
use crate::release::publisher::{Failure, FailureClass, StepContext};
use crate::release::registry::RegistryRole;

/// The addresses of the two registries; empty for a registry that was not asked.
#[derive(Debug, Default)]
pub(super) struct KnownEndpoints {
    rehearsal: Vec<Endpoint>,
    live: Vec<Endpoint>,
}

impl KnownEndpoints {
    /// Reads and keeps the addresses of a registry.
    pub(super) fn read(
        &mut self,
        role: RegistryRole<'_>,
        config: &CargoConfig,
        context: &StepContext<'_>,
    ) -> Result<Vec<Endpoint>, Failure> {
        let index = SparseIndex::new(role.registry(), config)?;
        let mut announced = vec![(EndpointUse::Index, role.registry().index.clone())];
        match index.announced(context) {
            Ok(addresses) => announced.extend(addresses),
            // The address of crates-io is fixed, even if only cargo can reach it through a mirror.
            Err(failure) if failure.class == FailureClass::Retryable && role.registry().name.as_str() == CRATES_IO => {
                announced.push((EndpointUse::Uploads, CRATES_IO_ENDPOINT.to_owned()));
            }
            Err(failure) => return Err(failure),
        }
        let mut hosts = BTreeMap::new();
        let mut resolve = |(used_for, address): (EndpointUse, String)| {
            let endpoint = Endpoint::new(used_for, &address);
            let host = host(&address);
            let is_own = *hosts.entry(host).or_insert_with_key(|host| is_this_machine(host));
            if is_own { endpoint.on_this_machine() } else { endpoint }
        };
        let endpoints: Vec<Endpoint> = announced.into_iter().map(&mut resolve).collect();
        match role {
            RegistryRole::Rehearsal(_) => self.rehearsal.clone_from(&endpoints),
            RegistryRole::Live(_) => self.live.clone_from(&endpoints),
        }
        Ok(endpoints)
    }

    /// Checks that a request to a registry was not redirected to the other one.
    pub(super) fn check_redirect(&self, role: RegistryRole<'_>, index: &SparseIndex) -> Result<(), Failure> {
        let (own, other) = match role {
            RegistryRole::Rehearsal(_) => (&self.rehearsal, &self.live),
            RegistryRole::Live(_) => (&self.live, &self.rehearsal),
        };
        let endpoint = |address: &String| {
            let endpoint = Endpoint::new(EndpointUse::IndexRedirect, address);
            if is_this_machine(&host(address)) { endpoint.on_this_machine() } else { endpoint }
        };
        match index.redirects().iter().map(endpoint).find(|address| leads_away(address, own, other)) {
            None => Ok(()),
            Some(address) => Err(Failure::permanent(format!(
                "the registry {} redirects to the other registry ({address}); use another rehearsal registry",
                role.registry().name
            ))),
        }
    }
}

/// Returns the host of an address; empty without one.
fn host(address: &str) -> String {
    parse_address(address).and_then(|url| Some(url.host_str()?.to_owned())).unwrap_or_default()
}

/// Returns `true` if a host is a name or an address of this machine.
fn is_this_machine(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    match host.parse::<IpAddr>() {
        Ok(address) => is_own_address(address),
        Err(_) if host.is_empty() => false,
        Err(_) => (host, 0).to_socket_addrs().is_ok_and(|mut all| all.any(|socket| is_own_address(socket.ip()))),
    }
}

/// Returns `true` if the operating system would send to an address from the same address. Sends nothing.
fn is_own_address(address: IpAddr) -> bool {
    let any: IpAddr = if address.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let sent_from = || {
        let socket = UdpSocket::bind((any, 0)).ok()?;
        // The port is never used.
        socket.connect((address, 9)).ok()?;
        Some(socket.local_addr().ok()?.ip())
    };
    address.is_loopback() || address.is_unspecified() || sent_from() == Some(address)
}

#[cfg(test)]
#[path = "../../../tests/unit/endpoints.rs"]
mod tests;
