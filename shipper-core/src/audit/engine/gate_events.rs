//! Checks of the events that the gate depends on, each against the state before it.

use shipper_events::{Event, EventType, LogEntry, display_safe};
use time::OffsetDateTime;

use super::format::format_number;
use super::pending::{PendingFinding, PendingFindings};
use crate::audit::report::{FindingCode, Label, paths};
use crate::fold::{GateState, is_reserved_event_type};

/// Whether the fold or a decision depends on events of that type.
pub(super) fn affects_gate(type_name: &str) -> bool {
    is_reserved_event_type(type_name)
        || matches!(type_name, "plan_created" | "log_adopted" | "tail_repaired" | "log_continued")
}

/// Reports an event of a type that this version does not know.
pub(super) fn report_unknown(code: FindingCode, line: u64, name: &str, findings: &mut PendingFindings) {
    let name = display_safe(name).max_chars(60);
    findings.push_at(line, code, format!("{name} is not an event that this version knows"));
}

/// Checks gate events in the order of their lines.
#[derive(Debug, Clone, Default)]
pub(super) struct GateEventChecks {
    /// The time and line of the latest gate event.
    latest: Option<(OffsetDateTime, u64)>,
}

impl GateEventChecks {
    /// Checks an event against the state before it.
    pub(super) fn check(&mut self, entry: &LogEntry, before: &GateState, findings: &mut PendingFindings) {
        let LogEntry { line, event } = entry;
        let line = *line;
        self.check_time(line, event, findings);
        match &event.event_type {
            EventType::RehearsalStarted(_) => {
                if let Some(open) = before.open_rehearsal() {
                    let failed = if open.failed { ", and a failure is marked in it" } else { "" };
                    let message =
                        format!("the rehearsal started on line {} was never completed{failed}", open.start.line);
                    let open = Label::new(open.start.line, paths::TYPE, "never completed");
                    let finding = PendingFinding::for_log(FindingCode::RehearsalAbandoned, Some(line), message);
                    findings.push(finding.with_labels([open]));
                }
            }
            EventType::RehearsalPackagePublished(_)
            | EventType::RehearsalPackageFailed(_)
            | EventType::RehearsalSmokeCheckFailed(_)
                if before.open_rehearsal().is_none() =>
            {
                let message = format!("{} with no rehearsal open", event.event_type.name());
                findings.push_at(line, FindingCode::StrayRehearsalEvent, message);
            }
            EventType::TailRepaired(repaired) => {
                let message = format!("{} bytes of a torn line were cut off here", format_number(&repaired.bytes));
                findings.push_at(line, FindingCode::TailRepaired, message);
            }
            EventType::Unknown(unknown) => {
                report_unknown(FindingCode::UnknownGateEvent, line, &unknown.name, findings);
            }
            _ => {}
        }
    }

    /// Reports a known rehearsal, gate or `plan_created` event whose time precedes that of the previous one.
    fn check_time(&mut self, line: u64, event: &Event, findings: &mut PendingFindings) {
        let is_exempt = matches!(
            event.event_type,
            EventType::LogAdopted(_) | EventType::TailRepaired(_) | EventType::LogContinued(_) | EventType::Unknown(_)
        );
        if is_exempt {
            return;
        }
        let instant = event.timestamp.instant();
        let before = self.latest.replace((instant, line));
        if let Some((_, before)) = before.filter(|(latest, _)| instant < *latest) {
            let message = "it is stamped earlier than the gate event before it";
            let later = Label::new(before, paths::TIMESTAMP, "the gate event before it");
            let finding = PendingFinding::for_log(FindingCode::TimeWentBackwards, Some(line), message);
            findings.push(finding.with_labels([later]));
        }
    }
}
