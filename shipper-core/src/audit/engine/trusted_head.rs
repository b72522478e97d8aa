//! The heads that the options of the audit give, compared with those of the log.

use shipper_events::Head;

use super::pending::PendingFinding;
use crate::audit::report::{FindingCode, GivenHead};

/// A head that the options give, and whether the log begins with it.
#[derive(Debug, Clone, Copy)]
pub(super) struct TrustedHead {
    head: Head,
    matches: bool,
}

impl TrustedHead {
    /// Compares a head with the log's head after as many lines.
    pub(super) fn check(head: Head, tracked: Option<Head>) -> Self {
        Self { head, matches: tracked == Some(head) }
    }

    /// The head, if the first `audited` lines of the log begin with it.
    pub(super) fn within(&self, audited: u64) -> Option<Head> {
        (self.matches && self.head.lines <= audited).then_some(self.head)
    }

    /// The finding about `--extends`, if the log does not begin with the head.
    pub(super) fn extends_finding(&self, log: Head) -> Option<PendingFinding> {
        let head = self.head;
        if self.matches {
            return None;
        }
        Some(if log.lines < head.lines || log.bytes < head.bytes {
            let Head { lines, bytes, .. } = log;
            let message = format!("the log has {lines} lines and {bytes} bytes; the head given by --extends is {head}");
            PendingFinding::for_log(FindingCode::LogTruncated, None, message)
        } else {
            let message = format!("the first {} lines are not those of the head given by --extends", head.lines);
            mismatch(GivenHead::Extends, message)
        })
    }

    /// The finding about `--since`, if the first `audited` lines of the log do not begin with the head.
    pub(super) fn since_finding(&self, audited: u64) -> Option<PendingFinding> {
        let lines = self.head.lines;
        self.within(audited).is_none().then(|| {
            let message = format!("the head given by --since, of {lines} lines, is not one of this log");
            mismatch(GivenHead::Since, message)
        })
    }
}

fn mismatch(given_head: GivenHead, message: String) -> PendingFinding {
    let finding = PendingFinding::for_log(FindingCode::HeadMismatch, None, message);
    PendingFinding { given_head: Some(given_head), ..finding }
}
