//! Which hosts a rehearsal and a run talked to: a hint that a rehearsal went to the live registry itself.

use shipper_events::event::{RegistryPolicy, RegistryPolicyApplied};

/// Where a rehearsal's hosts will stand once the log names them: the first policy after its start and before any
/// execution. All rehearsals that start before that policy share it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot(usize);

/// The hosts that a `registry_policy_applied` names.
#[derive(Debug, Clone)]
pub(super) struct Authorities {
    credential: Option<String>,
    index: Option<String>,
}

impl Authorities {
    fn of(policy: &RegistryPolicy) -> Self {
        Self { credential: policy.credential_authority.get().cloned(), index: policy.index_authority.get().cloned() }
    }

    /// The host that both name for the same purpose.
    pub(super) fn shared<'a>(&'a self, other: &Self) -> Option<&'a str> {
        let same = |own: &'a Option<String>, others: &Option<String>| {
            let own = own.as_deref().filter(|host| !host.is_empty())?;
            (others.as_deref() == Some(own)).then_some(own)
        };
        same(&self.credential, &other.credential).or_else(|| same(&self.index, &other.index))
    }
}

/// Follows the log's word on hosts.
#[derive(Debug, Clone, Default)]
pub(super) struct AuthorityWatch {
    slots: Vec<Option<Authorities>>,
    /// The slot of the rehearsals that wait for their policy.
    waiting: Option<Slot>,
    open: Option<Slot>,
    receipt: Option<Slot>,
    /// Whether an execution was started, and the last policy since the latest was.
    execution: Option<Option<Authorities>>,
}

impl AuthorityWatch {
    pub(super) fn rehearsal_started(&mut self) {
        let next = Slot(self.slots.len());
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
        let authorities = applied.evidence.get().map(Authorities::of);
        if let Some(slot) = self.waiting.take().and_then(|Slot(position)| self.slots.get_mut(position)) {
            slot.clone_from(&authorities);
        }
        if let Some(execution) = &mut self.execution {
            *execution = authorities;
        }
    }

    /// Where the hosts of the current receipt's rehearsal stand or will stand.
    pub(super) fn of_receipt(&self) -> Option<Slot> {
        self.receipt
    }

    /// The hosts in a slot, if the log has named them.
    pub(super) fn of_rehearsal(&self, Slot(position): Slot) -> Option<&Authorities> {
        self.slots.get(position)?.as_ref()
    }

    /// The last policy since the latest execution started.
    pub(super) fn of_execution(&self) -> Option<&Authorities> {
        self.execution.as_ref()?.as_ref()
    }
}
