//! What a release tells of the registry that it talks to.

use shipper_events::vocabulary::{RegistryPolicy, RegistryPolicyApplied};
use shipper_events::{Loose, Others};

/// The hosts that a rehearsal or a run talks to: an audit compares those of a run with those of its rehearsal.
pub(crate) fn policy_applied(authority: &str) -> RegistryPolicyApplied {
    let host = || Loose::Typed(authority.to_owned());
    let evidence = RegistryPolicy {
        posture: Loose::Absent,
        allow_private: Loose::Absent,
        allow_loopback: Loose::Absent,
        credential_authority: host(),
        index_authority: host(),
        others: Others::default(),
    };
    RegistryPolicyApplied { evidence: Loose::Typed(evidence), others: Others::default() }
}
