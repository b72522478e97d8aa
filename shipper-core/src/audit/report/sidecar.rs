//! The comparison with the sidecar in the report.

use serde::{Deserialize, Serialize};

use crate::audit::words::word_enum;
use crate::sidecar::FieldDiff;

/// The result of the comparison with the sidecar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SidecarReport {
    /// The status of the sidecar.
    pub status: SidecarStatus,
    /// The path where the caller looked for it. `None` where it did not.
    pub path: Option<String>,
    /// The differences from the latest receipt; empty unless the status is [`SidecarStatus::Drift`].
    pub differences: Vec<FieldDiff>,
}

word_enum! {
    /// The status of a sidecar.
    pub enum SidecarStatus {
        /// The caller did not look for it, or the log could not be audited to its end.
        NotChecked = "not-checked",
        /// It does not exist.
        Absent = "absent",
        /// It cannot be read or compared.
        Unreadable = "unreadable",
        /// The log has no completed rehearsal.
        Orphan = "orphan",
        /// It has a schema that this version does not know.
        Unsupported = "unsupported",
        /// It equals the latest completed rehearsal.
        Match = "match",
        /// It equals an earlier one.
        Behind = "behind",
        /// It equals none in this log.
        Drift = "drift",
    }
}
