//! Tracker of the plans and registries that the log names, for options that name another one.

use std::collections::BTreeSet;

use shipper_events::{Event, EventType, display_safe};
use unicode_security::skeleton;

use super::findings::Findings;
use super::format::format_names;
use crate::audit::options::AuditOptions;
use crate::audit::report::{Finding, FindingCode};

/// Most characters of two names that are compared to find the nearest ones: names may have millions.
const MAX_COMPARED: usize = 100;

/// The names of the rehearsal, gate and `plan_created` events so far.
#[derive(Debug, Clone)]
pub(super) struct NameTracker {
    /// `None` if the options name no registry.
    registries: Option<BTreeSet<String>>,
    /// `None` if the options name no plan.
    plans: Option<BTreeSet<String>>,
}

impl NameTracker {
    pub(super) fn new(options: &AuditOptions) -> Self {
        let (registry, plan) = (options.registry.is_some(), options.plan_id.is_some());
        Self { registries: registry.then(BTreeSet::new), plans: plan.then(BTreeSet::new) }
    }

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
        if let (Some(registry), Some(named)) = (&options.registry, &self.registries) {
            compare("--registry", registry.as_str(), named, FindingCode::RegistryNeverNamed, findings);
        }
        if let (Some(plan_id), Some(named)) = (&options.plan_id, &self.plans) {
            compare("--plan-id", plan_id.as_str(), named, FindingCode::PlanNeverNamed, findings);
        }
    }
}

fn insert(names: &mut Option<BTreeSet<String>>, name: &str) {
    if let Some(names) = names.as_mut().filter(|names| !names.contains(name)) {
        names.insert(name.to_owned());
    }
}

fn compare(option: &str, demanded: &str, names: &BTreeSet<String>, never_named: FindingCode, findings: &mut Findings) {
    if !names.is_empty() && !names.contains(demanded) {
        let mut nearest: Vec<_> = names.iter().map(|name| (distance(demanded, name), name)).collect();
        nearest.sort();
        let named = format_names(nearest.iter().map(|(_, name)| name.as_str()), 40);
        let demanded = display_safe(demanded).max_chars(40).quoted();
        let message = format!("no event names {demanded}, the value of {option}; the log names {named}");
        findings.push(Finding::new(never_named, None, message));
    }
    let looks: String = skeleton(demanded).collect();
    let is_confusable = |name: &&String| {
        let has_similar_length = name.len() <= demanded.len() * 16 + 64;
        *name != demanded && has_similar_length && skeleton(name).eq(looks.chars())
    };
    let confusable = names.iter().find(is_confusable);
    if let Some(name) = confusable {
        let differs = demanded.chars().zip(name.chars()).find(|(ours, theirs)| ours != theirs);
        let place = differs
            .map_or_else(String::new, |(ours, theirs)| format!(": {} instead of {}", describe(theirs), describe(ours)));
        let named = display_safe(name).max_chars(40).quoted();
        let message = format!("the log names {named}, which looks like the value of {option}{place}");
        findings.push(Finding::new(FindingCode::ConfusableName, None, message));
    }
}

fn distance(one: &str, other: &str) -> usize {
    let start = |name: &str| name.chars().take(MAX_COMPARED).collect::<String>();
    strsim::levenshtein(&start(one), &start(other))
}

/// Returns a character with its code point.
fn describe(character: char) -> String {
    format!("{} (U+{:04X})", display_safe(character.encode_utf8(&mut [0; 4])).quoted(), u32::from(character))
}
