//! Decisions of a log: by line, and by severity.

use std::collections::HashMap;

use shipper_core::audit::{Decision, DecisionStatus, Finding, FindingCode, LogAudit};

/// Index of a log's decisions by their own lines and by those of their runs.
pub(crate) struct DecisionsByLine<'a>(HashMap<u64, &'a Decision>);

impl<'a> DecisionsByLine<'a> {
    pub(crate) fn new(audit: &'a LogAudit) -> Self {
        let lines = |decision: &'a Decision| {
            let runs = decision.runs.iter().map(|run| run.line);
            runs.chain([decision.line]).map(move |line| (line, decision))
        };
        // A line of several decisions belongs to the first: it is inserted last.
        Self(audit.decisions.iter().rev().flat_map(lines).collect())
    }

    /// Returns the decision that a finding is about; `None` if the finding does not question a decision.
    pub(crate) fn of_finding(&self, finding: &Finding) -> Option<&'a Decision> {
        let is_about_decision = matches!(
            finding.code,
            FindingCode::VerdictMismatch
                | FindingCode::BasisMismatch
                | FindingCode::RegistryNotDemanded
                | FindingCode::PublishedDespiteRefusal
                | FindingCode::DecisionOutdated
                | FindingCode::UngatedPublish
                | FindingCode::PublishNotAuthorized
                | FindingCode::NotWhatWasRehearsed
                | FindingCode::UnprovenPublish
                | FindingCode::GateBypassed
                | FindingCode::GateNotAskedAgain
                | FindingCode::OtherCommit
                | FindingCode::PolicyRehearsalAge
                | FindingCode::PolicySmokeInstall
                | FindingCode::PolicySkip
        );
        let line = finding.line.filter(|_| is_about_decision)?;
        self.0.get(&line).copied()
    }
}

/// Returns the `max` most severe decisions, by line.
pub(crate) fn most_severe(decisions: &[Decision], max: usize) -> Vec<&Decision> {
    let mut selected: Vec<&Decision> = decisions.iter().collect();
    selected.sort_by_key(|decision| (sort_rank(decision.status), decision.line));
    selected.truncate(max);
    selected.sort_by_key(|decision| decision.line);
    selected
}

/// Returns the rank of a decision if only some are shown; the lowest is shown first.
pub(crate) fn sort_rank(status: DecisionStatus) -> u8 {
    match status {
        DecisionStatus::Violated => 0,
        DecisionStatus::Unjudged => 1,
        DecisionStatus::Unproven => 2,
        DecisionStatus::Permitted => 3,
        DecisionStatus::Refused | DecisionStatus::Authorized | DecisionStatus::Verified => 4,
    }
}
