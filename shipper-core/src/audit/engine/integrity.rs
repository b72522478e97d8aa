//! Tracker of the integrity: corrupt and blank lines, the chain, and the heads of the options.

use shipper_events::scan::LogScanner;
use shipper_events::{ChainError, Head, LineError};

use super::file_start::FileStart;
use super::findings::Findings;
use crate::audit::options::AuditOptions;
use crate::audit::report::{Finding, FindingCode, Label, LabelTarget, paths};
use crate::audit::trusted_head::{HeadDigest, PrefixSha256, TrustedHead};

/// Reports the damage of a log.
#[derive(Debug, Clone, Default)]
pub(super) struct IntegrityTracker {
    /// The first and the last of the latest consecutive blank lines; 0 before the first.
    last_blank_run: (u64, u64),
    /// The corrupt line that ended the audit.
    pub(super) stopped_at: Option<u64>,
}

impl IntegrityTracker {
    /// Returns the line of the last event before a line. A run without a final event ends there.
    pub(super) fn last_event_line(&self, before: u64) -> u64 {
        let ((first_blank, last_blank), last) = (self.last_blank_run, before.saturating_sub(1));
        if last_blank == last { first_blank.saturating_sub(1) } else { last }
    }

    /// Reports a corrupt line.
    pub(super) fn corrupt_line(&mut self, line: u64, error: &LineError, start: &FileStart, findings: &mut Findings) {
        self.stopped_at = Some(line);
        let place = Label::new(line, LabelTarget::Offset(error.offset), "");
        let mut finding = Finding::new(FindingCode::CorruptLine, line, error.to_string()).with_labels([place]);
        // Every line before it is blank.
        if line == 1 || self.last_blank_run == (1, line - 1) {
            finding.help = start.help().into();
        }
        findings.push(finding);
    }

    /// Records consecutive blank lines, of which this is the first, and reports those before them.
    pub(super) fn blank_lines(&mut self, line: u64, count: u64, findings: &mut Findings) {
        let (first, last) = self.last_blank_run;
        let last_line = line + count - 1;
        if last + 1 == line && last > 0 {
            self.last_blank_run = (first, last_line);
        } else {
            self.report_blank_lines(findings);
            self.last_blank_run = (line, last_line);
        }
    }

    /// Reports the latest consecutive blank lines, if there are any.
    pub(super) fn report_blank_lines(&self, findings: &mut Findings) {
        let message = match self.last_blank_run {
            (0, _) => return,
            (first, last) if first == last => "the line is blank".to_owned(),
            (first, last) => format!("lines {first} to {last} are blank: {} lines", last - first + 1),
        };
        findings.push(Finding::new(FindingCode::BlankLine, self.last_blank_run.0, message));
    }
}

/// Reports the errors of a line's chain and recorded heads, except a wrong basis. Returns whether the basis matches.
pub(super) fn report_chain_errors(line: u64, errors: &[ChainError], findings: &mut Findings) -> bool {
    let reported = |error: &&ChainError| **error != ChainError::BasisMismatch;
    for error in errors.iter().filter(reported) {
        let code = match error {
            ChainError::AdoptedHeadMismatch => FindingCode::HeadMismatch,
            _ => FindingCode::ChainBroken,
        };
        findings.push(Finding::new(code, line, error.to_string()).with_labels(chain_labels(error, line)));
    }
    errors.iter().all(|error| reported(&error))
}

/// Returns the places that show that a line does not follow its predecessor.
fn chain_labels(error: &ChainError, line: u64) -> Vec<Label> {
    let before = |text| (line > 1).then(|| Label::new(line - 1, LabelTarget::Line, text));
    let (target, before) = match error {
        ChainError::SeqMismatch { .. } => (paths::SEQ, None),
        ChainError::PrevMismatch { .. } => (paths::PREV, before("prev must be the hash of this line")),
        ChainError::MissingAdoption => (paths::TYPE, before("an unchained line")),
        _ => return Vec::new(),
    };
    before.into_iter().chain([Label::new(line, target, "")]).collect()
}

/// Compares the heads of the options with the log. Returns the head of `--since`, if the audited lines begin with it.
pub(super) fn check_trusted_heads(
    log: &LogScanner,
    prefixes: &PrefixSha256,
    audited: u64,
    options: &AuditOptions,
    findings: &mut Findings,
) -> Option<TrustedHead> {
    let begins_with = |head: &TrustedHead| begins_with(log, prefixes, head);
    let option = options.extends_option();
    if let Some(head) = options.extends.filter(|head| !begins_with(head)) {
        let Head { lines, bytes, .. } = log.head();
        findings.push(if lines < head.lines || bytes < head.bytes {
            let message = format!("the log has {lines} lines and {bytes} bytes, but the head of {option} is {head}");
            Finding::new(FindingCode::LogTruncated, None, message)
        } else {
            let message = format!("the first {} lines do not match the head given by {option}", head.lines);
            Finding::new(FindingCode::HeadMismatch, None, message)
        });
    }
    let since = options.since.filter(|head| begins_with(head) && head.lines <= audited);
    if let Some(TrustedHead { lines, .. }) = options.since.filter(|_| since.is_none()) {
        let message = format!("the audited lines do not begin with the head given by --since ({lines} lines)");
        let finding = Finding::new(FindingCode::HeadMismatch, None, message);
        findings.push(Finding { is_about_since: true, ..finding });
    }
    since
}

/// Returns whether the head of the options is signed and covers all complete lines of the log.
pub(super) fn is_sealed(log: &LogScanner, prefixes: &PrefixSha256, options: &AuditOptions) -> bool {
    let signed = options.extends.filter(|_| options.head_signer.is_some() && options.at.is_none());
    signed.is_some_and(|head| head.bytes == log.head().bytes && begins_with(log, prefixes, &head))
}

/// Returns whether the log begins with the bytes of a head.
fn begins_with(log: &LogScanner, prefixes: &PrefixSha256, head: &TrustedHead) -> bool {
    log.tracked_head(head.lines).is_some_and(|actual| match head.digest {
        HeadDigest::Blake3(hash) => (actual.bytes, actual.blake3) == (head.bytes, hash),
        HeadDigest::Sha256(hash) => actual.bytes == head.bytes && prefixes.digest(head.bytes) == Some(hash),
    })
}
