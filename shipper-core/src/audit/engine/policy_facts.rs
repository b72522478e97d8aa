//! Tracker of the facts that the rules of a policy depend on.

use std::collections::{BTreeSet, HashSet};

use shipper_events::event::RehearsalSmokeCheckSucceeded;
use shipper_events::{Event, EventType, Timestamp};
use time::OffsetDateTime;

use super::decisions::TrackedDecision;
use super::packages::RunKey;
use crate::audit::policy::{ActFacts, DecisionFacts, PolicyFacts, ReceiptFacts, UnchainedLines};
use crate::audit::report::RecordedVerdict;
use crate::fold::GateState;
use crate::gate::VerdictKind;

/// The facts of a log so far.
#[derive(Debug, Clone, Default)]
pub(super) struct PolicyTracker {
    /// Time and actor of each decision, by its position.
    asked: Vec<Asked>,
    /// The packages with a successful smoke check in the open rehearsal, each `name@version`.
    smoke_checked: BTreeSet<String>,
    /// The lines of the completed rehearsals with a successful smoke check of one of their packages.
    smoke_checked_receipts: HashSet<u64>,
    unchained: Vec<UnchainedLines>,
    /// The first of the unchained lines that have not ended.
    open_unchained: Option<u64>,
}

#[derive(Debug, Clone)]
struct Asked {
    at: OffsetDateTime,
    actor: Option<String>,
    acts: Vec<ActFacts>,
}

impl PolicyTracker {
    /// Records a gate event with the state after it. `decisions` is the number of decisions after it.
    pub(super) fn gate_event(&mut self, line: u64, event: &Event, decisions: usize, after: &GateState) {
        if decisions > self.asked.len() {
            let actor = match &event.event_type {
                EventType::GateEvaluated(event) => event.details.as_ref().and_then(|details| details.actor.clone()),
                _ => None,
            };
            self.asked.push(Asked { at: event.timestamp.instant(), actor, acts: Vec::new() });
        }
        match &event.event_type {
            EventType::RehearsalStarted(_) => self.smoke_checked.clear(),
            EventType::RehearsalSmokeCheckSucceeded(check) if after.open_rehearsal().is_some() => {
                self.smoke_checked.extend(checked_package(check));
            }
            EventType::RehearsalComplete(_) => {
                let receipt = after.receipt().filter(|receipt| receipt.line == line);
                if receipt.is_some_and(|receipt| !receipt.packages.is_disjoint(&self.smoke_checked)) {
                    self.smoke_checked_receipts.insert(line);
                }
            }
            EventType::LogAdopted(_) => self.end_unchained(line, true),
            _ => {}
        }
    }

    /// Records the start of a run, or an attempt, upload or publish of it.
    pub(super) fn act(&mut self, (run, decision): RunKey, line: u64, at: &Timestamp) {
        let Some(asked) = self.asked.get_mut(decision) else {
            return;
        };
        let at = at.instant();
        match asked.acts.last_mut().filter(|acts| acts.run == run) {
            Some(acts) => {
                acts.earliest = acts.earliest.min((at, line));
                acts.latest = acts.latest.max((at, line));
            }
            None => asked.acts.push(ActFacts { run, earliest: (at, line), latest: (at, line) }),
        }
    }

    /// Records that unchained lines begin, after chained ones.
    pub(super) fn unchained_from(&mut self, line: u64) {
        self.open_unchained = Some(line);
    }

    /// Ends the unchained lines before a line. Lines before the first chained line begin at line 1.
    fn end_unchained(&mut self, line: u64, any_unchained: bool) {
        let from_start = (self.unchained.is_empty() && any_unchained).then_some(1);
        let first = self.open_unchained.take().or(from_start);
        let lines = first.map(|first| UnchainedLines { first, last: line.saturating_sub(1) });
        self.unchained.extend(lines.filter(|lines| lines.first <= lines.last));
    }

    /// Returns the facts. `end` is the line after the last one, and `any_unchained` is true if any line is unchained.
    pub(super) fn finish(
        mut self,
        decisions: &[TrackedDecision],
        end: u64,
        any_unchained: bool,
        is_sealed: bool,
    ) -> PolicyFacts {
        self.end_unchained(end, any_unchained);
        // A log may record the adoption of lines that are chained.
        self.unchained.retain(|_| any_unchained);
        let facts = decisions.iter().zip(self.asked).map(|(decision, asked)| {
            // A recorded skip without a registry is dormant.
            let permits = |recorded: &RecordedVerdict| {
                recorded.is(VerdictKind::Bypassed) || decision.query.skip && recorded.is(VerdictKind::Dormant)
            };
            let is_skip = decision.recorded.as_ref().is_some_and(permits);
            let receipt = decision.supported_by.map(|(line, completed_at)| ReceiptFacts {
                line,
                completed_at,
                has_smoke_check: self.smoke_checked_receipts.contains(&line),
            });
            DecisionFacts {
                line: decision.line,
                plan_id: decision.query.plan_id.clone(),
                asked_at: asked.at,
                skipped_by: is_skip.then_some(asked.actor),
                receipt,
                acts: asked.acts,
            }
        });
        PolicyFacts { decisions: facts.collect(), unchained: self.unchained, is_sealed }
    }
}

/// Returns the package of a smoke check, `name@version`; `None` if the event does not name it.
fn checked_package(check: &RehearsalSmokeCheckSucceeded) -> Option<String> {
    Some(format!("{}@{}", check.name.get()?, check.version.get()?))
}
