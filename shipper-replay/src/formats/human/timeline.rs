//! Timeline: each event that concerns the gate, followed by the changes that it makes.

use std::fmt::Write;

use shipper_core::RefusalCode;
use shipper_core::audit::{FindingCode, Level, LogAudit, StateAfter, TimelineEntry};
use shipper_events::display_safe;

use crate::formats::text::phrases::{maybe_quoted, quoted, reasons_text, short_plan_id};
use crate::formats::text::summary::unsound_text;

/// Prints the entries of a timeline one by one, each with the differences from the one before.
#[derive(Debug, Clone, Default)]
pub(crate) struct TimelinePrinter {
    before: Option<StateAfter>,
}

impl TimelinePrinter {
    /// Returns the lines of the next entry.
    pub(crate) fn print(&mut self, entry: &TimelineEntry) -> String {
        let line = format!("line {}", entry.line);
        let time = display_safe(&entry.timestamp.to_string()).max_chars(30).to_string();
        let mut text = format!("  {line:<10} {time:<30} {}{}\n", maybe_quoted(&entry.event, 60), details(entry));
        for change in changes(self.before.as_ref(), &entry.after) {
            let _ = writeln!(text, "  {:<10}   {change}", "");
        }
        self.before = Some(entry.after.clone());
        text
    }
}

/// Returns the last lines of a timeline, about what follows the events: why the log cannot be trusted, and the verdict
/// of the gate then. Returns no text for a log that can be trusted.
pub(super) fn end(audit: &LogAudit) -> String {
    let is_cause = |code: FindingCode| code == FindingCode::TornTail || code.is_marker() || code.breaks_integrity();
    let causes = audit.findings.iter().filter(|finding| finding.level != Level::Note && is_cause(finding.code));
    let mut codes: Vec<&str> = causes.map(|finding| finding.code.as_str()).collect();
    codes.dedup();
    if codes.is_empty() {
        return String::new();
    }
    let mut text = format!("  {:<10} the log cannot be trusted: {}\n", "end", codes.join(", "));
    if let Some(gate) = audit.gate.as_ref().filter(|gate| gate.reasons.contains(&RefusalCode::UntrustedLog)) {
        let _ = writeln!(text, "  {:<10}   gate: {}{}", "", gate.verdict, reasons_text(&gate.reasons));
    }
    text
}

/// Returns the members of the event that are shown.
fn details(entry: &TimelineEntry) -> String {
    let package = entry.package.as_deref().map(|package| maybe_quoted(package, 60));
    let plan = entry.plan_id.as_ref().map(|plan| format!("plan {}", short_plan_id(plan.as_str())));
    let registry = entry.registry.as_ref().map(|registry| format!("registry {}", quoted(registry.as_str())));
    let outcome = entry.outcome.as_deref().map(|outcome| maybe_quoted(outcome, 40));
    let details: Vec<String> = [package, plan, registry, outcome].into_iter().flatten().collect();
    if details.is_empty() { String::new() } else { format!(": {}", details.join(", ")) }
}

/// Returns the changes from the state before an event to the state after it.
fn changes(before: Option<&StateAfter>, after: &StateAfter) -> Vec<String> {
    let mut changes = Vec::new();
    if before.is_none_or(|before| before.open != after.open) {
        match &after.open {
            Some(open) => {
                let failed = if open.failed { ", contains a failure" } else { "" };
                let packages = open.packages_published;
                changes.push(format!("open: rehearsal on line {}, {packages} published{failed}", open.line));
            }
            None if before.is_some() => changes.push("open: none".to_owned()),
            None => {}
        }
    }
    if before.is_none_or(|before| before.receipt != after.receipt)
        && let Some(receipt) = &after.receipt
    {
        let outcome = match (receipt.passed, &receipt.unsound[..]) {
            (true, []) => "passed, sound".to_owned(),
            (true, flaws) => unsound_text(flaws),
            (false, _) => "failed".to_owned(),
        };
        changes.push(format!("receipt: rehearsal on line {}, {outcome}", receipt.line));
    }
    if before.map_or(0, |before| before.unknown_gate_events) != after.unknown_gate_events {
        changes.push(format!("unknown gate events: {}", after.unknown_gate_events));
    }
    if before.is_none_or(|before| before.gate != after.gate)
        && let Some(gate) = &after.gate
    {
        changes.push(format!("gate: {}{}", gate.verdict, reasons_text(&gate.reasons)));
    }
    changes
}
