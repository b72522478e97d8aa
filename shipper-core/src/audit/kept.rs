//! Heads that were kept elsewhere, checked when as many lines have been read.

use shipper_events::{Head, Prefix};

use super::finding::Code;

/// A head given by the auditor, on its way to being checked.
#[derive(Debug, Clone, Copy)]
pub(super) struct KeptHead {
    head: Head,
    fits: Option<bool>,
}

impl KeptHead {
    pub(super) fn new(head: Head) -> Self {
        let fits = None;
        let mut kept = Self { head, fits };
        kept.check(&Prefix::new());
        kept
    }

    /// To be called after every line.
    pub(super) fn check(&mut self, prefix: &Prefix) {
        if self.head.lines == prefix.lines() {
            self.fits = Some(self.head == prefix.head());
        }
    }

    /// The head, if it is that of a prefix of what was read.
    pub(super) fn fitting(&self) -> Option<Head> {
        (self.fits == Some(true)).then_some(self.head)
    }

    /// What is wrong, if the log does not extend the head.
    pub(super) fn not_extended(&self, log: &Prefix) -> Option<(Code, String)> {
        let head = self.head;
        if self.fits == Some(true) {
            return None;
        }
        Some(if log.lines() < head.lines || log.bytes() < head.bytes {
            let (lines, bytes) = (log.lines(), log.bytes());
            let message = format!("the log has {lines} lines and {bytes} bytes; the head given by --extends is {head}");
            (Code::LogTruncated, message)
        } else {
            let message = format!("the first {} lines are not those of the head given by --extends", head.lines);
            (Code::HeadMismatch, message)
        })
    }

    /// What is wrong, if the head is none of what is judged.
    pub(super) fn not_found(&self) -> Option<(Code, String)> {
        let lines = self.head.lines;
        (self.fits != Some(true)).then(|| {
            let message = format!("the head given by --since, of {lines} lines, is not one of this log");
            (Code::HeadMismatch, message)
        })
    }
}
