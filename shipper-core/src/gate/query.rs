//! The question to the gate.

use serde::{Deserialize, Serialize};
use shipper_events::{PlanId, RegistryName};

/// A question to the gate: may this plan be published?
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GateQuery {
    /// Plan that would be published.
    pub plan_id: PlanId,
    /// Registry that is configured for rehearsals. `None` if there is none: the gate is then dormant.
    pub rehearsal_registry: Option<RegistryName>,
    /// True if the caller asks to publish without a rehearsal.
    pub skip: bool,
}

impl GateQuery {
    /// A question without a skip. Without a rehearsal registry the gate is dormant.
    pub fn new(plan_id: PlanId, rehearsal_registry: Option<RegistryName>) -> Self {
        Self { plan_id, rehearsal_registry, skip: false }
    }

    /// Sets whether the caller asks to publish without a rehearsal.
    #[must_use]
    pub fn with_skip(self, skip: bool) -> Self {
        Self { skip, ..self }
    }
}
