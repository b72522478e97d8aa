//! Tracker that compares the sidecar with each receipt.

use shipper_events::{Head, display_safe};

use super::findings::Findings;
use crate::audit::options::SidecarInput;
use crate::audit::report::{Finding, Label, SidecarReport, SidecarStatus, paths};
use crate::fold::Receipt;
use crate::sidecar::{FieldDiff, Sidecar, SidecarError};

/// Tracker of the differences between the sidecar and the receipts of a log.
#[derive(Debug, Clone)]
pub(super) struct SidecarTracker {
    content: SidecarContent,
    path: Option<String>,
    completions: u64,
    /// The line of the latest completion.
    latest_line: u64,
    equals_earlier: bool,
    /// The differences from the latest receipt; empty if it matches.
    latest_differences: Vec<FieldDiff>,
}

#[derive(Debug, Clone)]
enum SidecarContent {
    /// The status of a sidecar without parsed content, and the message of its finding.
    NotParsed(SidecarStatus, String),
    Parsed(Box<Result<Sidecar, SidecarError>>),
}

impl SidecarTracker {
    pub(super) fn new(input: SidecarInput) -> Self {
        let (content, path) = match input {
            SidecarInput::NotRequested => (SidecarContent::NotParsed(SidecarStatus::NotChecked, String::new()), None),
            SidecarInput::Absent { path } => {
                (SidecarContent::NotParsed(SidecarStatus::Absent, String::new()), Some(path))
            }
            SidecarInput::Unreadable { path, error } => (unreadable(&error), Some(path)),
            SidecarInput::Found { path, bytes } => {
                let content = match Sidecar::parse(&bytes) {
                    Err(why @ (SidecarError::NotAnObject { .. } | SidecarError::TooLong | SidecarError::NoSchema)) => {
                        unreadable(&why.to_string())
                    }
                    parsed => SidecarContent::Parsed(Box::new(parsed)),
                };
                (content, Some(path))
            }
        };
        Self { content, path, completions: 0, latest_line: 0, equals_earlier: false, latest_differences: Vec::new() }
    }

    /// Compares the sidecar with a receipt; `head` is called only if the sidecar names a head.
    pub(super) fn rehearsal_completed(&mut self, receipt: &Receipt, head: impl FnOnce() -> Head) {
        self.equals_earlier |= self.completions > 0 && self.latest_differences.is_empty();
        self.completions += 1;
        self.latest_line = receipt.line;
        if let SidecarContent::Parsed(sidecar) = &self.content
            && let Ok(sidecar) = &**sidecar
        {
            self.latest_differences = sidecar.differences(receipt, head);
        }
    }

    /// Returns the status of the sidecar, and reports its finding.
    pub(super) fn finish(self, audited_to_the_end: bool, findings: &mut Findings) -> SidecarReport {
        let (status, message) =
            if audited_to_the_end { self.compare() } else { (SidecarStatus::NotChecked, String::new()) };
        if let Some(code) = status.finding_code() {
            let compared = matches!(status, SidecarStatus::Drift | SidecarStatus::Behind);
            findings.push(Finding::new(code, None, message).with_labels(compared.then(|| self.diff_label())));
        }
        let differences = if status == SidecarStatus::Drift { self.latest_differences } else { Vec::new() };
        SidecarReport { status, path: self.path, differences }
    }

    /// Returns the label of the first member of the latest completion from which the sidecar differs.
    fn diff_label(&self) -> Label {
        let target = self.latest_differences.iter().find_map(|difference| match difference.field.as_str() {
            "plan_id" => Some(paths::PLAN_ID),
            "registry" => Some(paths::REGISTRY),
            "passed" => Some(paths::PASSED),
            "summary" => Some(paths::SUMMARY),
            "completed_at" => Some(paths::TIMESTAMP),
            _ => None,
        });
        Label::new(self.latest_line, target.unwrap_or(paths::TYPE), "the latest rehearsal in the log")
    }

    /// Returns the status and the message of its finding.
    fn compare(&self) -> (SidecarStatus, String) {
        let parsed = match &self.content {
            SidecarContent::NotParsed(status, message) => return (*status, message.clone()),
            SidecarContent::Parsed(parsed) => parsed,
        };
        let (status, message) = match &**parsed {
            _ if self.completions == 0 => {
                (SidecarStatus::Orphan, "a sidecar exists, but the log has no completed rehearsal")
            }
            Err(why @ SidecarError::Unsupported { .. }) => {
                return (SidecarStatus::Unsupported, format!("cannot compare the sidecar: {why}"));
            }
            Err(why) => return (SidecarStatus::Unreadable, format!("cannot compare the sidecar: {why}")),
            Ok(_) if self.latest_differences.is_empty() => (SidecarStatus::Match, ""),
            Ok(_) if self.equals_earlier => {
                (SidecarStatus::Behind, "the sidecar equals an earlier rehearsal, not the latest one")
            }
            Ok(_) => {
                let fields = self.latest_differences.iter().map(|difference| difference.field.as_str());
                let fields = fields.collect::<Vec<_>>().join(", ");
                let message = format!("members of the sidecar differ from the latest rehearsal: {fields}");
                return (SidecarStatus::Drift, message);
            }
        };
        (status, message.to_owned())
    }
}

fn unreadable(why: &str) -> SidecarContent {
    let message = format!("cannot compare the sidecar: {}", display_safe(why).max_chars(400));
    SidecarContent::NotParsed(SidecarStatus::Unreadable, message)
}
