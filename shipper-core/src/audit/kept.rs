//! Heads that were kept elsewhere, compared with those of the log.

use shipper_events::Head;
use shipper_events::scan::LogScanner;

use super::finding::FindingCode;

/// A head given by the auditor, and whether it is that of a prefix of the log.
#[derive(Debug, Clone, Copy)]
pub(super) struct KeptHead {
    head: Head,
    fits: bool,
}

impl KeptHead {
    /// The head, looked for in what was followed: it must have been kept on the way.
    pub(super) fn look_for(head: Head, log: &LogScanner) -> Self {
        Self { head, fits: log.tracked_head(head.lines) == Some(head) }
    }

    /// The head, if it is that of a prefix of the first so many lines.
    pub(super) fn fitting(&self, judged: u64) -> Option<Head> {
        (self.fits && self.head.lines <= judged).then_some(self.head)
    }

    /// What is wrong, if the log does not extend the head.
    pub(super) fn not_extended(&self, log: &LogScanner) -> Option<(FindingCode, String)> {
        let head = self.head;
        if self.fits {
            return None;
        }
        Some(if log.lines() < head.lines || log.bytes() < head.bytes {
            let (lines, bytes) = (log.lines(), log.bytes());
            let message = format!("the log has {lines} lines and {bytes} bytes; the head given by --extends is {head}");
            (FindingCode::LogTruncated, message)
        } else {
            let message = format!("the first {} lines are not those of the head given by --extends", head.lines);
            (FindingCode::HeadMismatch, message)
        })
    }

    /// What is wrong, if the head is none of the first so many lines.
    pub(super) fn not_found(&self, judged: u64) -> Option<(FindingCode, String)> {
        let lines = self.head.lines;
        self.fitting(judged).is_none().then(|| {
            let message = format!("the head given by --since, of {lines} lines, is not one of this log");
            (FindingCode::HeadMismatch, message)
        })
    }
}
