//! What a release tells of the registry that it talks to.

use shipper_events::vocabulary::{RegistryPolicy, RegistryPolicyApplied};
use shipper_events::{Loose, Others};

/// The hosts of a registry's index, and of what it takes uploads and their tokens with: an audit compares those of a run
/// with those of its rehearsal.
pub(crate) fn policy_applied(index: Option<&str>, credentials: Option<&str>) -> RegistryPolicyApplied {
    let host = |host: Option<&str>| host.map_or(Loose::Absent, |host| Loose::Typed(host.to_owned()));
    let evidence = RegistryPolicy {
        posture: Loose::Absent,
        allow_private: Loose::Absent,
        allow_loopback: Loose::Absent,
        credential_authority: host(credentials),
        index_authority: host(index),
        others: Others::default(),
    };
    RegistryPolicyApplied { evidence: Loose::Typed(evidence), others: Others::default() }
}
