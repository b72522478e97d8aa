//! Tracker of the hosts that rehearsals and runs name. A shared host suggests that a rehearsal used the live registry.

use shipper_events::event::{RegistryPolicy, RegistryPolicyApplied};

/// The hosts that a `registry_policy_applied` names.
#[derive(Debug, Clone)]
struct Hosts {
    credential: Option<String>,
    index: Option<String>,
}

impl Hosts {
    fn of(policy: &RegistryPolicy) -> Self {
        Self { credential: policy.credential_authority.get().cloned(), index: policy.index_authority.get().cloned() }
    }

    /// Returns the host that both name for the same purpose. `None` if they share none.
    fn shared_host<'a>(&'a self, other: &Self) -> Option<&'a str> {
        let same = |own: &'a Option<String>, others: &Option<String>| {
            let own = own.as_deref().filter(|host| !host.is_empty())?;
            (others.as_deref() == Some(own)).then_some(own)
        };
        same(&self.credential, &other.credential).or_else(|| same(&self.index, &other.index))
    }
}

/// Tracker of the policies of a log. The hosts of a rehearsal are those of the first policy between its start and the next
/// execution.
#[derive(Debug, Clone, Default)]
pub(super) struct AuthorityTracker {
    /// True if a rehearsal has started and its hosts are not yet set.
    is_waiting: bool,
    /// The hosts of the rehearsals that started before that line and after the line of the entry before.
    rehearsals: Vec<(u64, Option<Hosts>)>,
    /// True if an execution was started.
    any_execution: bool,
    /// The hosts of the last policy since the latest execution started.
    execution: Option<Hosts>,
}

impl AuthorityTracker {
    pub(super) fn rehearsal_started(&mut self) {
        self.is_waiting = true;
    }

    pub(super) fn execution_started(&mut self, line: u64) {
        self.set_waiting(line, None);
        (self.any_execution, self.execution) = (true, None);
    }

    pub(super) fn policy_applied(&mut self, line: u64, applied: &RegistryPolicyApplied) {
        let hosts = applied.evidence.get().map(Hosts::of);
        self.set_waiting(line, hosts.as_ref());
        self.execution = hosts.filter(|_| self.any_execution);
    }

    /// Sets the hosts of the rehearsals that wait for them.
    fn set_waiting(&mut self, line: u64, hosts: Option<&Hosts>) {
        if std::mem::take(&mut self.is_waiting) {
            self.rehearsals.push((line, hosts.cloned()));
        }
    }

    /// Returns the host that the rehearsal with that first line shares with the last policy since the latest execution began.
    pub(super) fn shared_host(&self, rehearsal_start: u64) -> Option<&str> {
        let position = self.rehearsals.partition_point(|(line, _)| *line < rehearsal_start);
        let (_, hosts) = self.rehearsals.get(position)?;
        self.execution.as_ref()?.shared_host(hosts.as_ref()?)
    }
}
