//! Sealed logs: a valid signed head covers the whole log.

use std::fmt;

use super::options::AuditOptions;
use super::report::{LogAudit, TailStatus};

/// The reason why a log is not sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnsealedCause {
    /// The options have no signed head.
    NoSignedHead,
    /// The options leave out the end of the log.
    PartOfLog,
    /// The log does not begin with the bytes of the signed head.
    OtherLog,
    /// Lines follow those of the signed head.
    LaterLines {
        /// Number of those lines.
        lines: u64,
    },
    /// An incomplete line follows.
    TornTail,
}

impl fmt::Display for UnsealedCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSignedHead => f.write_str("no signed head was given"),
            Self::PartOfLog => f.write_str("only a part of the log was audited"),
            Self::OtherLog => f.write_str("the log does not begin with the bytes of the signed head"),
            Self::LaterLines { lines: 1 } => f.write_str("1 line follows those of the signed head"),
            Self::LaterLines { lines } => write!(f, "{lines} lines follow those of the signed head"),
            Self::TornTail => f.write_str("an incomplete line follows those of the signed head"),
        }
    }
}

/// Returns why a log is not sealed; `None` if it is: its head is that of the signed head of the options, and its tail is
/// not torn. `docs/attesting.md`, "Signed heads".
pub fn unsealed_cause(audit: &LogAudit, options: &AuditOptions) -> Option<UnsealedCause> {
    let Some(head) = options.extends.filter(|_| options.head_signer.is_some()) else {
        return Some(UnsealedCause::NoSignedHead);
    };
    if !audit.applies_extends(options) {
        Some(UnsealedCause::OtherLog)
    } else if options.at.is_some() {
        Some(UnsealedCause::PartOfLog)
    } else if audit.tail == TailStatus::Torn {
        Some(UnsealedCause::TornTail)
    } else {
        let lines = audit.lines.saturating_sub(head.lines);
        (audit.bytes != head.bytes).then_some(UnsealedCause::LaterLines { lines })
    }
}
