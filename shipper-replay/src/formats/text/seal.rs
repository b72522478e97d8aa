//! Texts about the signer of a head, and about a sealed log.

use shipper_core::audit::{AuditOptions, HeadSigner, LogReport, unsealed_cause};
use shipper_events::display_safe;

/// Longest list of the names of a signer, in characters.
const MAX_CHARS: usize = 200;

/// Returns the names of a signer and the fingerprint of the key. A report that is merged may contain any text.
pub(crate) fn signer_text(signer: &HeadSigner) -> String {
    let principals = signer.principals.join(", ");
    format!(
        "{} with the key {}",
        display_safe(&principals).max_chars(MAX_CHARS),
        display_safe(&signer.key).max_chars(80)
    )
}

/// Returns whether a log is sealed, and why not; `None` unless the options require it and the log was audited.
pub(crate) fn seal_text(log: &LogReport, demand: &AuditOptions) -> Option<String> {
    let audit = log.audit.as_ref().filter(|_| demand.require_sealed)?;
    Some(match (unsealed_cause(audit, demand), &demand.head_signer) {
        (Some(cause), _) => format!("not sealed: {cause}"),
        (None, Some(signer)) => format!("sealed by {}", signer_text(signer)),
        (None, None) => "sealed".to_owned(),
    })
}
