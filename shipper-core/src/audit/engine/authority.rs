//! Tracker of the hosts that rehearsals and runs name. A shared host suggests that a rehearsal used the live registry.

use shipper_events::event::{RegistryPolicy, RegistryPolicyApplied};

/// The authority that writers record for an address that they do not know.
const UNKNOWN_AUTHORITY: &str = "unknown";

/// The hosts that a `registry_policy_applied` names: for credentials and for the index. Without hosts if it names none.
type Hosts = Vec<String>;

/// Tracker of the policies of a log.
#[derive(Debug, Clone, Default)]
pub(super) struct AuthorityTracker {
    /// The hosts of the first policy of each rehearsal, with the line of its start; by line.
    rehearsals: Vec<(u64, Hosts)>,
    /// The hosts of the last policy outside every rehearsal.
    outside: Hosts,
}

impl AuthorityTracker {
    /// Records a policy. `rehearsal` is the line of the start of the open rehearsal; `None` if none is open.
    pub(super) fn policy_applied(&mut self, rehearsal: Option<u64>, applied: &RegistryPolicyApplied) {
        let hosts = applied.evidence.get().map(hosts).unwrap_or_default();
        match rehearsal {
            None => self.outside = hosts,
            Some(start) if self.rehearsals.last().is_none_or(|(line, _)| *line < start) => {
                self.rehearsals.push((start, hosts));
            }
            Some(_) => {}
        }
    }

    /// Returns the host that the rehearsal with that first line shares with the last policy outside every rehearsal.
    pub(super) fn shared_host(&self, rehearsal_start: u64) -> Option<&str> {
        let position = self.rehearsals.binary_search_by_key(&rehearsal_start, |(line, _)| *line).ok()?;
        let (_, rehearsal) = self.rehearsals.get(position)?;
        let shared = self.outside.iter().find(|host| rehearsal.iter().any(|other| is_same_registry(host, other)));
        shared.map(String::as_str)
    }
}

fn hosts(policy: &RegistryPolicy) -> Hosts {
    let authorities = [policy.credential_authority.get(), policy.index_authority.get()];
    authorities
        .into_iter()
        .flatten()
        .map(|authority| host_and_port(authority))
        .filter(|host| !host.is_empty() && host != UNKNOWN_AUTHORITY)
        .collect()
}

/// Returns host and port of an authority in lower case, without scheme, protocol prefix and path.
fn host_and_port(authority: &str) -> String {
    let authority = authority.to_ascii_lowercase();
    let authority = authority.strip_prefix("sparse+").unwrap_or(&authority);
    let authority = authority.split_once("://").map_or(authority, |(_, rest)| rest);
    authority.split(['/', '?', '#']).next().unwrap_or_default().to_owned()
}

/// Returns whether two hosts are of one registry: equal, the index host of the other, or both of crates-io.
fn is_same_registry(one: &str, other: &str) -> bool {
    let without_index = |host: &str| host.strip_prefix("index.").unwrap_or(host).to_owned();
    without_index(one) == without_index(other) || (is_crates_io(one) && is_crates_io(other))
}

/// Returns whether a host is that of crates-io or below it.
fn is_crates_io(host: &str) -> bool {
    let name = host.split(':').next().unwrap_or_default();
    let mut labels = name.rsplit('.');
    labels.next() == Some("io") && labels.next() == Some("crates")
}
