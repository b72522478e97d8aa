//! Tracker that compares the files of the packet with the package events of all runs.

use shipper_events::{EventKind, PlanId, display_safe};

use super::findings::Findings;
use crate::audit::options::{PacketInput, SidecarInput};
use crate::audit::report::{Finding, Label, PacketFileReport, PacketReport, PacketStatus, paths};
use crate::packet::{Outcome, PackageState, PacketComparison, PacketDiff, PacketError, PacketFile, PacketKind};

/// Tracker of both files of the packet.
#[derive(Debug, Clone)]
pub(super) struct PacketTracker {
    files: [FileTracker; 2],
}

/// Tracker of one file.
#[derive(Debug, Clone)]
struct FileTracker {
    kind: PacketKind,
    path: Option<String>,
    content: Content,
}

#[derive(Debug, Clone)]
enum Content {
    /// The status of a file that is not compared, and the message of its finding.
    NotCompared(PacketStatus, String),
    Compared(Box<PacketComparison>),
}

impl PacketTracker {
    pub(super) fn new(input: PacketInput) -> Self {
        let PacketInput { state, receipt } = input;
        let files = [FileTracker::new(PacketKind::State, state), FileTracker::new(PacketKind::Receipt, receipt)];
        Self { files }
    }

    pub(super) fn run_started(&mut self, plan_id: &PlanId) {
        self.comparisons().for_each(|file| file.run_started(plan_id));
    }

    pub(super) fn run_ended(&mut self) {
        self.comparisons().for_each(PacketComparison::run_ended);
    }

    /// Records an `execution_finished` and its result, if that is text.
    pub(super) fn run_finished(&mut self, line: u64, result: Option<&String>) {
        self.comparisons().for_each(|file| file.run_finished(line, result.map(String::as_str)));
    }

    /// Records an action on a package, in a run or outside every run.
    pub(super) fn record(&mut self, line: u64, kind: EventKind, package: &str) {
        let state = match kind {
            EventKind::PackageUploaded => PackageState::Uploaded,
            EventKind::PackagePublished => PackageState::Published,
            EventKind::PackageSkipped => PackageState::Skipped,
            EventKind::PackageFailed => PackageState::Failed,
            _ => return,
        };
        self.comparisons().for_each(|file| file.package_changed(line, package, &state));
    }

    /// Returns the results, and reports their findings.
    pub(super) fn finish(self, is_comparable: bool, findings: &mut Findings) -> PacketReport {
        let [state, receipt] = self.files.map(|file| file.finish(is_comparable, findings));
        PacketReport { state, receipt }
    }

    fn comparisons(&mut self) -> impl Iterator<Item = &mut PacketComparison> {
        self.files.iter_mut().filter_map(|file| match &mut file.content {
            Content::Compared(comparison) => Some(&mut **comparison),
            Content::NotCompared(..) => None,
        })
    }
}

impl FileTracker {
    fn new(kind: PacketKind, input: SidecarInput) -> Self {
        let (content, path) = match input {
            SidecarInput::NotRequested => (Content::NotCompared(PacketStatus::NotChecked, String::new()), None),
            SidecarInput::Absent { path } => (Content::NotCompared(PacketStatus::Absent, String::new()), Some(path)),
            SidecarInput::Unreadable { path, error } => {
                (not_compared(kind, PacketStatus::Unreadable, &error), Some(path))
            }
            SidecarInput::Found { path, bytes } => {
                let content = match PacketFile::parse(kind, &bytes) {
                    Ok(file) => Content::Compared(Box::new(PacketComparison::new(file))),
                    Err(why @ PacketError::Unsupported { .. }) => {
                        not_compared(kind, PacketStatus::Unsupported, &why.to_string())
                    }
                    Err(why) => not_compared(kind, PacketStatus::Unreadable, &why.to_string()),
                };
                (content, Some(path))
            }
        };
        Self { kind, path, content }
    }

    fn finish(self, is_comparable: bool, findings: &mut Findings) -> PacketFileReport {
        let Self { kind, path, content } = self;
        let (status, message, label, differences) = match content {
            // An absent file stays out of a report that cannot compare it.
            Content::NotCompared(PacketStatus::Absent, _) if !is_comparable => return PacketFileReport::default(),
            _ if !is_comparable => return PacketFileReport { path, ..PacketFileReport::default() },
            Content::NotCompared(status, message) => (status, message, None, Vec::new()),
            Content::Compared(comparison) => compare(kind, &comparison),
        };
        if let Some(code) = status.finding_code(kind) {
            findings.push(Finding::new(code, None, message).with_labels(label));
        }
        PacketFileReport { status, path, differences }
    }
}

/// Returns the status of a file, the message and the label of its finding, and the differences.
fn compare(kind: PacketKind, comparison: &PacketComparison) -> (PacketStatus, String, Option<Label>, Vec<PacketDiff>) {
    let name = kind.file_name();
    let (status, message) = match comparison.outcome() {
        Outcome::Match => return (PacketStatus::Match, String::new(), None, Vec::new()),
        Outcome::Orphan => {
            return (
                PacketStatus::Orphan,
                format!("{name} exists, but the log has no run of its plan"),
                None,
                Vec::new(),
            );
        }
        Outcome::Behind => (PacketStatus::Behind, format!("{name} is older than the log")),
        Outcome::Drift => (PacketStatus::Drift, format!("{name} contradicts the log")),
    };
    let (differences, all) = comparison.differences();
    let first = differences.first().map_or_else(String::new, diff_text);
    let more = if all > 1 { format!(", and {} more", all - 1) } else { String::new() };
    let label = comparison.line().map(|line| Label::new(line, paths::TYPE, "the latest event that differs"));
    let differences = if status == PacketStatus::Drift { differences } else { Vec::new() };
    (status, format!("{message}: {first}{more}"), label, differences)
}

/// Returns a difference as text that is safe to show.
fn diff_text(difference: &PacketDiff) -> String {
    let value = |value: &Option<String>| {
        value.as_ref().map_or_else(|| "none".to_owned(), |value| display_safe(value).max_chars(40).quoted().to_string())
    };
    let field = display_safe(&difference.field).max_chars(80).quoted();
    format!("{field} is {} in the file and {} in the log", value(&difference.file), value(&difference.log))
}

fn not_compared(kind: PacketKind, status: PacketStatus, why: &str) -> Content {
    let why = display_safe(why).max_chars(400);
    Content::NotCompared(status, format!("cannot compare {}: {why}", kind.file_name()))
}
