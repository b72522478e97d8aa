//! The receipt that a permission rests on.

use std::collections::BTreeSet;
use std::sync::Arc;

use shipper_events::JsonUint;

use super::authority::AuthoritySlot;
use crate::fold::Receipt;

/// The parts of a receipt that runs are compared with.
#[derive(Debug, Clone)]
pub(super) struct PermissionBasis {
    /// The line of the completion.
    pub(super) line: u64,
    /// The line of the start.
    pub(super) start_line: Option<u64>,
    pub(super) package_count: Option<JsonUint>,
    pub(super) packages: Arc<BTreeSet<String>>,
    pub(super) authority_slot: Option<AuthoritySlot>,
}

impl PermissionBasis {
    pub(super) fn new(receipt: &Receipt, authority_slot: Option<AuthoritySlot>) -> Self {
        Self {
            line: receipt.line,
            start_line: receipt.start.as_ref().map(|start| start.line),
            package_count: receipt.start.as_ref().map(|start| start.package_count.clone()),
            packages: Arc::clone(&receipt.packages),
            authority_slot,
        }
    }
}
