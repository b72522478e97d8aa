//! Tracker of the bytes: corrupt and blank lines, line endings and the chain.

use shipper_events::{ChainError, LineError};

use super::pending::{PendingFinding, PendingFindings};
use crate::audit::report::{FindingCode, Label, LabelTarget, paths};

/// Reports the damage of a log.
#[derive(Debug, Clone, Default)]
pub(super) struct IntegrityTracker {
    /// The first and the last of the latest consecutive blank lines; 0 before the first.
    last_blank_run: (u64, u64),
    /// The corrupt line that ended the audit.
    stopped_at: Option<u64>,
}

impl IntegrityTracker {
    /// The corrupt line that ended the audit.
    pub(super) fn stopped_at(&self) -> Option<u64> {
        self.stopped_at
    }

    /// The last event before a line; a run that no other event ends, ends there.
    pub(super) fn last_event_line(&self, before: u64) -> u64 {
        let ((first_blank, last_blank), last) = (self.last_blank_run, before.saturating_sub(1));
        if last_blank == last { first_blank.saturating_sub(1) } else { last }
    }

    /// The line is corrupt.
    pub(super) fn corrupt_line(&mut self, line: u64, error: &LineError, findings: &mut PendingFindings) {
        self.stopped_at = Some(line);
        let place = Label::new(line, LabelTarget::Offset(error.offset), "");
        let finding = PendingFinding::for_log(FindingCode::CorruptLine, Some(line), error.to_string());
        findings.push(finding.with_labels([place]));
    }

    /// The line is blank.
    pub(super) fn blank_line(&mut self, line: u64, findings: &mut PendingFindings) {
        let (first, last) = self.last_blank_run;
        self.last_blank_run = (if last + 1 == line && last > 0 { first } else { line }, line);
        findings.push_at(line, FindingCode::BlankLine, "the line is blank: no event");
    }
}

/// Reports the first line that ends with CR LF.
pub(super) fn report_crlf(line: u64, findings: &mut PendingFindings) {
    findings.push_at(line, FindingCode::CrlfLineEndings, "the line ends with CR LF");
}

/// Reports unchained lines that follow chained ones.
pub(super) fn report_unchained_segment(line: u64, findings: &mut PendingFindings) {
    let message = "lines that are not chained begin here, after chained ones";
    findings.push_at(line, FindingCode::ForeignLines, message);
}

/// Reports the errors of a line's chain and recorded heads. Returns whether its basis matches; the decision's tracker
/// reports a basis that does not.
pub(super) fn report_chain_errors(line: u64, errors: &[ChainError], findings: &mut PendingFindings) -> bool {
    let mut basis_matches = true;
    for error in errors {
        let code = match error {
            ChainError::BasisMismatch => {
                basis_matches = false;
                continue;
            }
            ChainError::AdoptedHeadMismatch => FindingCode::HeadMismatch,
            _ => FindingCode::ChainBroken,
        };
        let finding = PendingFinding::for_log(code, Some(line), error.to_string());
        findings.push(finding.with_labels(chain_labels(error, line)));
    }
    basis_matches
}

/// The places that show that a line does not follow its predecessor.
fn chain_labels(error: &ChainError, line: u64) -> Vec<Label> {
    let before = |text| (line > 1).then(|| Label::new(line - 1, LabelTarget::Line, text));
    let (target, before) = match error {
        ChainError::SeqMismatch { .. } => (paths::SEQ, None),
        ChainError::PrevMismatch { .. } => (paths::PREV, before("the line that it speaks of")),
        ChainError::MissingAdoption => (paths::TYPE, before("a line that is not chained")),
        _ => return Vec::new(),
    };
    before.into_iter().chain([Label::new(line, target, "")]).collect()
}
