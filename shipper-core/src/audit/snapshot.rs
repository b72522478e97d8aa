//! The sidecar, compared with each receipt as it comes.

use shipper_events::{Head, display_safe};

use super::finding::{FindingCode, Raised};
use super::mark::{Label, LabelTarget, member};
use super::report::{SidecarReport, SidecarStatus};
use crate::fold::Receipt;
use crate::sidecar::{FieldDiff, Sidecar, SidecarError};

/// What was found where a sidecar was looked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum SidecarInput {
    /// It was not looked for.
    #[default]
    NotRequested,
    /// There is none.
    Absent {
        /// Where it was looked for.
        path: String,
    },
    /// It is there and cannot be read.
    Unreadable {
        /// Where it is.
        path: String,
        /// Why it cannot be read.
        error: String,
    },
    /// It is there.
    Found {
        /// Where it is.
        path: String,
        /// Its bytes.
        bytes: Vec<u8>,
    },
}

/// A sidecar on its way through the log.
#[derive(Debug, Clone)]
pub(super) struct SidecarWatch {
    claim: Claim,
    path: Option<String>,
    completions: u64,
    /// The line of the latest completion.
    latest_line: u64,
    equals_earlier: bool,
    /// In what it differs from the latest receipt; empty: it matches.
    latest: Vec<FieldDiff>,
}

#[derive(Debug, Clone)]
enum Claim {
    NotRequested,
    Absent,
    Unreadable(String),
    Unsupported(SidecarError),
    /// A member is missing or wrong: unreadable, unless the log cannot have a sidecar at all.
    Incomplete(SidecarError),
    Says(Box<Sidecar>),
}

impl SidecarWatch {
    pub(super) fn new(input: SidecarInput) -> Self {
        let (claim, path) = match input {
            SidecarInput::NotRequested => (Claim::NotRequested, None),
            SidecarInput::Absent { path } => (Claim::Absent, Some(path)),
            SidecarInput::Unreadable { path, error } => (Claim::Unreadable(error), Some(path)),
            SidecarInput::Found { path, bytes } => (Claim::of(&bytes), Some(path)),
        };
        Self { claim, path, completions: 0, latest_line: 0, equals_earlier: false, latest: Vec::new() }
    }

    /// Takes a completion into account; `head` is asked for only where the sidecar names one.
    pub(super) fn completed(&mut self, receipt: &Receipt, head: impl FnOnce() -> Head) {
        self.equals_earlier |= self.completions > 0 && self.latest.is_empty();
        self.completions += 1;
        self.latest_line = receipt.line;
        if let Claim::Says(sidecar) = &self.claim {
            self.latest = sidecar.differences(receipt, head);
        }
    }

    /// What the sidecar is worth, and the finding about it.
    pub(super) fn finish(self, judged_to_the_end: bool) -> (SidecarReport, Option<Raised>) {
        let (status, finding) = if judged_to_the_end { self.judge() } else { (SidecarStatus::NotChecked, None) };
        let finding = finding.map(|(code, message)| {
            let compared = matches!(code, FindingCode::SidecarDrift | FindingCode::SidecarBehind);
            let marks = if compared { self.at_odds() } else { Vec::new() };
            Raised::about_log(code, None, message).marked(marks)
        });
        let differences = if status == SidecarStatus::Drift { self.latest } else { Vec::new() };
        let report = SidecarReport { status, path: self.path, differences };
        (report, finding)
    }

    /// The latest receipt's members that the sidecar differs in.
    fn at_odds(&self) -> Vec<Label> {
        let spots: Vec<LabelTarget> = self
            .latest
            .iter()
            .filter_map(|difference| match difference.field.as_str() {
                "plan_id" => Some(member::PLAN_ID),
                "registry" => Some(member::REGISTRY),
                "passed" => Some(member::PASSED),
                "summary" => Some(member::SUMMARY),
                "completed_at" => Some(member::TIMESTAMP),
                _ => None,
            })
            .collect();
        let spot = spots.first().copied().unwrap_or(member::TYPE);
        vec![Label::new(self.latest_line, spot, "the latest rehearsal in the log")]
    }

    fn judge(&self) -> (SidecarStatus, Option<(FindingCode, String)>) {
        let unreadable = |why: &dyn std::fmt::Display| {
            let message = format!("the sidecar cannot be compared: {why}");
            (SidecarStatus::Unreadable, Some((FindingCode::SidecarUnreadable, message)))
        };
        match &self.claim {
            Claim::NotRequested => (SidecarStatus::NotChecked, None),
            Claim::Absent => (SidecarStatus::Absent, None),
            Claim::Unreadable(why) => unreadable(&display_safe(why).max_chars(400)),
            _ if self.completions == 0 => {
                let message = "there is a sidecar, and no rehearsal in this log was completed".to_owned();
                (SidecarStatus::Orphan, Some((FindingCode::SidecarOrphan, message)))
            }
            Claim::Unsupported(why) => {
                let message = format!("the sidecar was not compared: {why}");
                (SidecarStatus::Unsupported, Some((FindingCode::SidecarUnsupported, message)))
            }
            Claim::Incomplete(why) => unreadable(why),
            Claim::Says(_) if self.latest.is_empty() => (SidecarStatus::Match, None),
            Claim::Says(_) if self.equals_earlier => {
                let message = "the sidecar tells of an earlier rehearsal than the latest in this log".to_owned();
                (SidecarStatus::Behind, Some((FindingCode::SidecarBehind, message)))
            }
            Claim::Says(_) => {
                let fields: Vec<&str> = self.latest.iter().map(|difference| difference.field.as_str()).collect();
                let message = format!("the sidecar differs from the log in {}", fields.join(", "));
                (SidecarStatus::Drift, Some((FindingCode::SidecarDrift, message)))
            }
        }
    }
}

impl Claim {
    fn of(bytes: &[u8]) -> Self {
        match Sidecar::parse(bytes) {
            Ok(sidecar) => Self::Says(Box::new(sidecar)),
            Err(error @ (SidecarError::NotAnObject { .. } | SidecarError::TooLong | SidecarError::NoSchema)) => {
                Self::Unreadable(error.to_string())
            }
            Err(error @ SidecarError::Unsupported { .. }) => Self::Unsupported(error),
            Err(error @ SidecarError::Member { .. }) => Self::Incomplete(error),
        }
    }
}
