//! Tracker of the plans and registries that the log names, for options that name another one.

use std::collections::BTreeSet;

use shipper_events::{Event, EventType, display_safe};
use unicode_security::skeleton;

use super::findings::Findings;
use super::format::MAX_NAMES;
use crate::audit::options::AuditOptions;
use crate::audit::report::{Finding, FindingCode};

/// The names of the rehearsal, gate and `plan_created` events so far.
#[derive(Debug, Clone, Default)]
pub(super) struct NameTracker {
    registries: BTreeSet<String>,
    plans: BTreeSet<String>,
}

impl NameTracker {
    /// Records the names of an event.
    pub(super) fn record(&mut self, event: &Event) {
        let (plan_id, registry) = match &event.event_type {
            EventType::RehearsalStarted(started) => (&started.plan_id, Some(&started.registry)),
            EventType::RehearsalComplete(complete) => (&complete.plan_id, Some(&complete.registry)),
            EventType::GateEvaluated(asked) => {
                let details = asked.details.as_ref();
                (&asked.plan_id, details.and_then(|details| details.rehearsal_registry.as_ref()))
            }
            EventType::PlanCreated(plan) => (&plan.plan_id, None),
            _ => return,
        };
        insert(&mut self.plans, plan_id.as_str());
        if let Some(registry) = registry {
            insert(&mut self.registries, registry.as_str());
        }
    }

    /// Reports the names of the options that the log does not have, or has in a form that looks alike.
    pub(super) fn finish(&self, options: &AuditOptions, findings: &mut Findings) {
        if let Some(registry) = &options.registry {
            compare("--registry", registry.as_str(), &self.registries, FindingCode::RegistryNeverNamed, findings);
        }
        if let Some(plan_id) = &options.plan_id {
            compare("--plan-id", plan_id.as_str(), &self.plans, FindingCode::PlanNeverNamed, findings);
        }
    }
}

fn insert(names: &mut BTreeSet<String>, name: &str) {
    if !names.contains(name) {
        names.insert(name.to_owned());
    }
}

fn compare(option: &str, demanded: &str, names: &BTreeSet<String>, never_named: FindingCode, findings: &mut Findings) {
    if !names.is_empty() && !names.contains(demanded) {
        let mut nearest: Vec<_> = names.iter().map(|name| (strsim::levenshtein(demanded, name), name)).collect();
        nearest.sort();
        let named =
            nearest.iter().take(MAX_NAMES).map(|(_, name)| display_safe(name).max_chars(40).quoted().to_string());
        let (named, more) = (named.collect::<Vec<_>>().join(", "), names.len().saturating_sub(MAX_NAMES));
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let demanded = display_safe(demanded).max_chars(40).quoted();
        let message = format!("no event names {demanded}, the value of {option}; the log names {named}{more}");
        findings.push(Finding::new(never_named, None, message));
    }
    let looks: String = skeleton(demanded).collect();
    let confusable = names.iter().find(|name| *name != demanded && skeleton(name).eq(looks.chars()));
    if let Some(name) = confusable {
        let differs = demanded.chars().zip(name.chars()).find(|(ours, theirs)| ours != theirs);
        let place = differs
            .map_or_else(String::new, |(ours, theirs)| format!(": {} instead of {}", describe(theirs), describe(ours)));
        let named = display_safe(name).max_chars(40).quoted();
        let message = format!("the log names {named}, which looks like the value of {option}{place}");
        findings.push(Finding::new(FindingCode::ConfusableName, None, message));
    }
}

/// Returns a character with its code point.
fn describe(character: char) -> String {
    format!("{} (U+{:04X})", display_safe(character.encode_utf8(&mut [0; 4])).quoted(), u32::from(character))
}
