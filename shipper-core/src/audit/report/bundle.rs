//! The bundle that a log was read from.

use serde::{Deserialize, Serialize};

use super::log_audit::Conclusion;

/// The bundle that a log was read from, and what its sender concluded: `docs/auditing.md`, "A bundle".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BundleReport {
    /// Name of the log in the bundle.
    pub log: String,
    /// Number of files in the bundle.
    pub files: u64,
    /// The conclusion in the report of the sender, with the options of the sender.
    pub sender_conclusion: Conclusion,
    /// True if the bundle contains a policy of the sender. The audit does not use it.
    pub sender_policy: bool,
    /// True if the bundle contains a list of signers that the sender accepted. The audit does not use it.
    pub sender_signers: bool,
}

impl BundleReport {
    /// Returns the report on a bundle without a policy and a list of signers; `files` is 0.
    pub fn new(log: impl Into<String>, sender_conclusion: Conclusion) -> Self {
        Self { log: log.into(), files: 0, sender_conclusion, sender_policy: false, sender_signers: false }
    }
}
