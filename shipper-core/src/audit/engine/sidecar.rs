//! Tracker that compares the sidecar with each receipt.

use shipper_events::{Head, display_safe};

use super::pending::PendingFinding;
use crate::audit::options::SidecarInput;
use crate::audit::report::{FindingCode, Label, LabelTarget, SidecarReport, SidecarStatus, paths};
use crate::fold::Receipt;
use crate::sidecar::{FieldDiff, Sidecar, SidecarError};

/// Compares the sidecar with the receipts of a log.
#[derive(Debug, Clone)]
pub(super) struct SidecarTracker {
    state: SidecarState,
    path: Option<String>,
    completions: u64,
    /// The line of the latest completion.
    latest_line: u64,
    equals_earlier: bool,
    /// The differences from the latest receipt; empty if it matches.
    latest_differences: Vec<FieldDiff>,
}

#[derive(Debug, Clone)]
enum SidecarState {
    NotRequested,
    Absent,
    Unreadable(String),
    Unsupported(SidecarError),
    /// A member is missing or wrong: unreadable, unless the log cannot have a sidecar at all.
    MissingMember(SidecarError),
    Parsed(Box<Sidecar>),
}

impl SidecarTracker {
    pub(super) fn new(input: SidecarInput) -> Self {
        let (state, path) = match input {
            SidecarInput::NotRequested => (SidecarState::NotRequested, None),
            SidecarInput::Absent { path } => (SidecarState::Absent, Some(path)),
            SidecarInput::Unreadable { path, error } => (SidecarState::Unreadable(error), Some(path)),
            SidecarInput::Found { path, bytes } => (SidecarState::parse(&bytes), Some(path)),
        };
        Self { state, path, completions: 0, latest_line: 0, equals_earlier: false, latest_differences: Vec::new() }
    }

    /// Compares the sidecar with a receipt; `head` is called only if the sidecar names a head.
    pub(super) fn rehearsal_completed(&mut self, receipt: &Receipt, head: impl FnOnce() -> Head) {
        self.equals_earlier |= self.completions > 0 && self.latest_differences.is_empty();
        self.completions += 1;
        self.latest_line = receipt.line;
        if let SidecarState::Parsed(sidecar) = &self.state {
            self.latest_differences = sidecar.differences(receipt, head);
        }
    }

    /// The status of the sidecar, and the finding about it.
    pub(super) fn finish(self, audited_to_the_end: bool) -> (SidecarReport, Option<PendingFinding>) {
        let (status, finding) = if audited_to_the_end { self.compare() } else { (SidecarStatus::NotChecked, None) };
        let finding = finding.map(|(code, message)| {
            let compared = matches!(code, FindingCode::SidecarDrift | FindingCode::SidecarBehind);
            let label = compared.then(|| self.diff_label());
            PendingFinding::for_log(code, None, message).with_labels(label)
        });
        let differences = if status == SidecarStatus::Drift { self.latest_differences } else { Vec::new() };
        let report = SidecarReport { status, path: self.path, differences };
        (report, finding)
    }

    /// The first member of the latest completion that the sidecar differs in.
    fn diff_label(&self) -> Label {
        let target: Option<LabelTarget> =
            self.latest_differences.iter().find_map(|difference| match difference.field.as_str() {
                "plan_id" => Some(paths::PLAN_ID),
                "registry" => Some(paths::REGISTRY),
                "passed" => Some(paths::PASSED),
                "summary" => Some(paths::SUMMARY),
                "completed_at" => Some(paths::TIMESTAMP),
                _ => None,
            });
        Label::new(self.latest_line, target.unwrap_or(paths::TYPE), "the latest rehearsal in the log")
    }

    fn compare(&self) -> (SidecarStatus, Option<(FindingCode, String)>) {
        let unreadable = |why: &dyn std::fmt::Display| {
            let message = format!("the sidecar cannot be compared: {why}");
            (SidecarStatus::Unreadable, Some((FindingCode::SidecarUnreadable, message)))
        };
        match &self.state {
            SidecarState::NotRequested => (SidecarStatus::NotChecked, None),
            SidecarState::Absent => (SidecarStatus::Absent, None),
            SidecarState::Unreadable(why) => unreadable(&display_safe(why).max_chars(400)),
            _ if self.completions == 0 => {
                let message = "there is a sidecar, and no rehearsal in this log was completed".to_owned();
                (SidecarStatus::Orphan, Some((FindingCode::SidecarOrphan, message)))
            }
            SidecarState::Unsupported(why) => {
                let message = format!("the sidecar was not compared: {why}");
                (SidecarStatus::Unsupported, Some((FindingCode::SidecarUnsupported, message)))
            }
            SidecarState::MissingMember(why) => unreadable(why),
            SidecarState::Parsed(_) if self.latest_differences.is_empty() => (SidecarStatus::Match, None),
            SidecarState::Parsed(_) if self.equals_earlier => {
                let message = "the sidecar tells of an earlier rehearsal than the latest in this log".to_owned();
                (SidecarStatus::Behind, Some((FindingCode::SidecarBehind, message)))
            }
            SidecarState::Parsed(_) => {
                let fields: Vec<&str> =
                    self.latest_differences.iter().map(|difference| difference.field.as_str()).collect();
                let message = format!("the sidecar differs from the log in {}", fields.join(", "));
                (SidecarStatus::Drift, Some((FindingCode::SidecarDrift, message)))
            }
        }
    }
}

impl SidecarState {
    fn parse(bytes: &[u8]) -> Self {
        match Sidecar::parse(bytes) {
            Ok(sidecar) => Self::Parsed(Box::new(sidecar)),
            Err(error @ (SidecarError::NotAnObject { .. } | SidecarError::TooLong | SidecarError::NoSchema)) => {
                Self::Unreadable(error.to_string())
            }
            Err(error @ SidecarError::Unsupported { .. }) => Self::Unsupported(error),
            Err(error @ SidecarError::Member { .. }) => Self::MissingMember(error),
        }
    }
}
