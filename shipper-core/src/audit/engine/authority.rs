//! Tracker of the hosts that rehearsals and runs name: a hint that a rehearsal went to the live registry itself.

use shipper_events::event::{RegistryPolicy, RegistryPolicyApplied};

/// The place of a rehearsal's hosts, filled when the log names them: by the first policy after its start and before any
/// execution. All rehearsals that start before that policy share the slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AuthoritySlot(usize);

/// The hosts that a `registry_policy_applied` names.
#[derive(Debug, Clone)]
pub(super) struct HostAuthorities {
    credential: Option<String>,
    index: Option<String>,
}

impl HostAuthorities {
    fn of(policy: &RegistryPolicy) -> Self {
        Self { credential: policy.credential_authority.get().cloned(), index: policy.index_authority.get().cloned() }
    }

    /// The host that both name for the same purpose.
    fn shared_host<'a>(&'a self, other: &Self) -> Option<&'a str> {
        let same = |own: &'a Option<String>, others: &Option<String>| {
            let own = own.as_deref().filter(|host| !host.is_empty())?;
            (others.as_deref() == Some(own)).then_some(own)
        };
        same(&self.credential, &other.credential).or_else(|| same(&self.index, &other.index))
    }
}

/// Tracks the policies of a log.
#[derive(Debug, Clone, Default)]
pub(super) struct AuthorityTracker {
    slots: Vec<Option<HostAuthorities>>,
    /// The slot of the rehearsals that wait for their policy.
    waiting: Option<AuthoritySlot>,
    open: Option<AuthoritySlot>,
    receipt: Option<AuthoritySlot>,
    /// Whether an execution was started, and the last policy since the latest was.
    execution: Option<Option<HostAuthorities>>,
}

impl AuthorityTracker {
    pub(super) fn rehearsal_started(&mut self) {
        let next = AuthoritySlot(self.slots.len());
        let slot = *self.waiting.get_or_insert(next);
        if slot == next {
            self.slots.push(None);
        }
        self.open = Some(slot);
    }

    pub(super) fn rehearsal_completed(&mut self, has_start: bool) {
        self.receipt = if has_start { self.open.take() } else { None };
    }

    pub(super) fn execution_started(&mut self) {
        self.waiting = None;
        self.execution = Some(None);
    }

    pub(super) fn policy_applied(&mut self, applied: &RegistryPolicyApplied) {
        let authorities = applied.evidence.get().map(HostAuthorities::of);
        if let Some(slot) = self.waiting.take().and_then(|AuthoritySlot(position)| self.slots.get_mut(position)) {
            slot.clone_from(&authorities);
        }
        if let Some(execution) = &mut self.execution {
            *execution = authorities;
        }
    }

    /// The slot of the current receipt's rehearsal.
    pub(super) fn receipt_slot(&self) -> Option<AuthoritySlot> {
        self.receipt
    }

    /// The host that a rehearsal shares with the last policy since the latest execution started.
    pub(super) fn shared_host(&self, AuthoritySlot(position): AuthoritySlot) -> Option<&str> {
        self.execution.as_ref()?.as_ref()?.shared_host(self.slots.get(position)?.as_ref()?)
    }
}
