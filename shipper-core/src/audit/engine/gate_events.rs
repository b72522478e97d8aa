//! Checks of the events that the gate depends on, each against the state before it.

use shipper_events::{Event, EventType, display_safe};
use time::OffsetDateTime;

use super::findings::Findings;
use super::format::format_number;
use crate::audit::report::{Finding, FindingCode, Label, paths};
use crate::fold::{GateState, is_reserved_event_type};

/// Returns whether the auditor handles the event as a gate event: events of the fold, recorded decisions, starts of
/// runs, and the log events that the timeline shows.
pub(super) fn affects_gate(type_name: &str) -> bool {
    is_reserved_event_type(type_name)
        || matches!(type_name, "plan_created" | "log_adopted" | "tail_repaired" | "log_continued")
}

/// Returns the finding about an event of a type that this version does not know.
pub(super) fn unknown_event(code: FindingCode, line: u64, name: &str) -> Finding {
    let name = display_safe(name).max_chars(60);
    Finding::new(code, line, format!("this version does not know the event type {name}"))
}

/// Checks gate events in the order of their lines.
#[derive(Debug, Clone, Default)]
pub(super) struct GateEventChecks {
    /// The time and line of the latest gate event.
    latest: Option<(OffsetDateTime, u64)>,
}

impl GateEventChecks {
    /// Checks an event against the state before it.
    pub(super) fn check(&mut self, line: u64, event: &Event, before: &GateState, findings: &mut Findings) {
        self.check_time(line, event, findings);
        let open = before.open_rehearsal();
        match (&event.event_type, open) {
            (EventType::RehearsalStarted(_), Some(open)) => {
                let failed = if open.failed { " and has a failure" } else { "" };
                let start = open.start.line;
                let message = format!("the rehearsal that started on line {start} was not completed{failed}");
                let label = Label::new(start, paths::TYPE, "not completed");
                findings.push(Finding::new(FindingCode::RehearsalAbandoned, line, message).with_labels([label]));
            }
            (
                EventType::RehearsalPackagePublished(_)
                | EventType::RehearsalPackageFailed(_)
                | EventType::RehearsalSmokeCheckFailed(_),
                None,
            ) => {
                let message = format!("{} without an open rehearsal", event.event_type.name());
                findings.push(Finding::new(FindingCode::StrayRehearsalEvent, line, message));
            }
            (EventType::TailRepaired(repaired), _) => {
                let message = format!("a repair removed a torn tail of {} bytes", format_number(&repaired.bytes));
                findings.push(Finding::new(FindingCode::TailRepaired, line, message));
            }
            (EventType::Unknown(unknown), _) => {
                findings.push(unknown_event(FindingCode::UnknownGateEvent, line, &unknown.name));
            }
            _ => {}
        }
    }

    /// Reports a known rehearsal, gate or `plan_created` event whose time precedes that of the previous one.
    fn check_time(&mut self, line: u64, event: &Event, findings: &mut Findings) {
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
            let message = "the timestamp is earlier than that of the preceding gate event";
            let later = Label::new(before, paths::TIMESTAMP, "the preceding gate event");
            findings.push(Finding::new(FindingCode::TimeWentBackwards, line, message).with_labels([later]));
        }
    }
}
