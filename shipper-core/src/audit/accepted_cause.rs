//! Causes of an inconclusive log that the caller may accept.

use crate::words::word_enums;

word_enums! {
    /// A cause of an inconclusive log that the caller may accept.
    #[derive(PartialOrd, Ord)]
    pub enum AcceptedCause {
        /// The gate was recorded as dormant.
        Dormant = "dormant",
        /// The gate was recorded as bypassed.
        Bypassed = "bypassed",
        /// A run published without a recorded decision, and no rehearsal supports it.
        Unrecorded = "unrecorded",
        /// The log has events and no decision.
        NoDecision = "no-decision",
    }
}
