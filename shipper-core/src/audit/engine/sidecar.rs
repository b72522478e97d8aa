//! Tracker that compares the sidecar with each receipt.

use shipper_events::{Head, display_safe};

use super::findings::Findings;
use crate::audit::options::SidecarInput;
use crate::audit::report::{Finding, Label, SidecarReport, SidecarStatus, paths};
use crate::fold::Receipt;
use crate::sidecar::{FieldDiff, Sidecar, SidecarError};

/// Compares the sidecar with the receipts of a log.
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
    NotRequested,
    Absent,
    Unreadable(String),
    Parsed(Box<Result<Sidecar, SidecarError>>),
}

impl SidecarTracker {
    pub(super) fn new(input: SidecarInput) -> Self {
        let (content, path) = match input {
            SidecarInput::NotRequested => (SidecarContent::NotRequested, None),
            SidecarInput::Absent { path } => (SidecarContent::Absent, Some(path)),
            SidecarInput::Unreadable { path, error } => (SidecarContent::Unreadable(error), Some(path)),
            SidecarInput::Found { path, bytes } => {
                (SidecarContent::Parsed(Box::new(Sidecar::parse(&bytes))), Some(path))
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

    /// Returns the status of the sidecar, and reports the finding about it.
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

    /// The first member of the latest completion that the sidecar differs in.
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

    /// Returns the status, and the message of the finding that it has.
    fn compare(&self) -> (SidecarStatus, String) {
        let unreadable =
            |why: &dyn std::fmt::Display| (SidecarStatus::Unreadable, format!("the sidecar cannot be compared: {why}"));
        let parsed = match &self.content {
            SidecarContent::NotRequested => return (SidecarStatus::NotChecked, String::new()),
            SidecarContent::Absent => return (SidecarStatus::Absent, String::new()),
            SidecarContent::Unreadable(why) => return unreadable(&display_safe(why).max_chars(400)),
            SidecarContent::Parsed(parsed) => parsed,
        };
        match &**parsed {
            Err(why @ (SidecarError::NotAnObject { .. } | SidecarError::TooLong | SidecarError::NoSchema)) => {
                unreadable(&display_safe(&why.to_string()).max_chars(400))
            }
            _ if self.completions == 0 => {
                let message = "there is a sidecar, and no rehearsal in this log was completed";
                (SidecarStatus::Orphan, message.to_owned())
            }
            Err(why @ SidecarError::Unsupported { .. }) => {
                (SidecarStatus::Unsupported, format!("the sidecar was not compared: {why}"))
            }
            Err(why @ SidecarError::Member { .. }) => unreadable(why),
            Ok(_) if self.latest_differences.is_empty() => (SidecarStatus::Match, String::new()),
            Ok(_) if self.equals_earlier => {
                let message = "the sidecar tells of an earlier rehearsal than the latest in this log";
                (SidecarStatus::Behind, message.to_owned())
            }
            Ok(_) => {
                let fields = self.latest_differences.iter().map(|difference| difference.field.as_str());
                let fields: Vec<&str> = fields.collect();
                (SidecarStatus::Drift, format!("the sidecar differs from the log in {}", fields.join(", ")))
            }
        }
    }
}
