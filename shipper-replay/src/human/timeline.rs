//! The timeline: every event that concerns the gate, and under it what it changed.

use std::fmt::Write;

use shipper_core::audit::{StateAfter, TimelineEntry};
use shipper_events::display_safe;

use super::words::{quoted, short, word};

/// Tells moments one by one, each with what is different from the one before.
#[derive(Debug, Clone, Default)]
pub(crate) struct Telling {
    before: Option<StateAfter>,
}

impl Telling {
    /// The lines that tell of a moment.
    pub(crate) fn tell(&mut self, moment: &TimelineEntry) -> String {
        let line = format!("line {}", moment.line);
        let time = display_safe(&moment.timestamp.to_string()).max_chars(30).to_string();
        let mut text = format!("  {line:<10} {time:<30} {}{}\n", word(&moment.event, 60), details(moment));
        for change in changes(self.before.as_ref(), &moment.after) {
            let _ = writeln!(text, "  {:<10}   {change}", "");
        }
        self.before = Some(moment.after.clone());
        text
    }
}

/// What the event says of itself.
fn details(moment: &TimelineEntry) -> String {
    let package = moment.package.as_deref().map(|package| word(package, 60));
    let plan = moment.plan_id.as_ref().map(|plan| format!("plan {}", short(plan.as_str())));
    let registry = moment.registry.as_ref().map(|registry| format!("registry {}", quoted(registry.as_str())));
    let outcome = moment.outcome.as_deref().map(|outcome| word(outcome, 40));
    let details: Vec<String> = [package, plan, registry, outcome].into_iter().flatten().collect();
    if details.is_empty() { String::new() } else { format!(": {}", details.join(", ")) }
}

/// What holds now and did not before.
fn changes(before: Option<&StateAfter>, after: &StateAfter) -> Vec<String> {
    let mut changes = Vec::new();
    if before.is_none_or(|before| before.open != after.open) {
        match &after.open {
            Some(open) => {
                let failed = if open.failed { ", a failure is marked in it" } else { "" };
                let packages = open.packages_published;
                changes.push(format!("open: the rehearsal of line {}, {packages} published{failed}", open.line));
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
            (true, flaws) => {
                let flaws: Vec<&str> = flaws.iter().map(|flaw| flaw.as_str()).collect();
                format!("says it passed, unsound ({})", flaws.join(", "))
            }
            (false, _) => "did not pass".to_owned(),
        };
        changes.push(format!("receipt: the rehearsal of line {}, {outcome}", receipt.line));
    }
    if before.map_or(0, |before| before.unknown_gate_events) != after.unknown_gate_events {
        changes.push(format!("unknown gate events: {}", after.unknown_gate_events));
    }
    if before.is_none_or(|before| before.gate != after.gate)
        && let Some(gate) = &after.gate
    {
        let reasons: Vec<&str> = gate.reasons.iter().map(|reason| reason.as_str()).collect();
        let reasons = if reasons.is_empty() { String::new() } else { format!(" ({})", reasons.join(", ")) };
        changes.push(format!("gate: {}{reasons}", gate.verdict));
    }
    changes
}
