//! Tracker of the git commits that rehearsals, decisions and runs record. `docs/auditing.md`, "Decisions".

use shipper_events::Event;

use super::decisions::{DecisionTracker, TrackedDecision};
use super::findings::Findings;
use crate::audit::report::{CommitReport, DecisionCommits, Finding, FindingCode, Label, paths};

/// Tracker of the commits of a log.
#[derive(Debug, Clone, Default)]
pub(super) struct CommitTracker {
    /// The commits of rehearsals that record one, with the lines of their starts; by line.
    rehearsals: Vec<(u64, CommitReport)>,
}

impl CommitTracker {
    /// Records a `rehearsal_started`.
    pub(super) fn rehearsal_started(&mut self, line: u64, event: &Event) {
        self.rehearsals.extend(event.git().map(|commit| (line, commit.into())));
    }

    /// Records the commits of the latest decision: its own, and that of the rehearsal that supports it.
    pub(super) fn decided(&self, event: &Event, decisions: &mut DecisionTracker) {
        if let Some(decision) = decisions.decisions.last_mut() {
            let (rehearsal, own) = (self.of_rehearsal(decision), event.git().map(CommitReport::from));
            update(decision, |commits| (commits.rehearsal, commits.decision) = (rehearsal, own));
        }
    }

    /// Records the commit of a run, and reports a difference from the commit of the rehearsal that supports the decision.
    pub(super) fn run_started(
        &self,
        line: u64,
        event: &Event,
        decision: usize,
        decisions: &mut DecisionTracker,
        findings: &mut Findings,
    ) {
        let Some(decided) = decisions.decisions.get_mut(decision) else {
            return;
        };
        let (rehearsal, run) = (self.of_rehearsal(decided), event.git().map(CommitReport::from));
        let own = decided.commits.as_ref().and_then(|commits| commits.decision.clone());
        if let (Some(rehearsal), Some(receipt)) = (&rehearsal, &decided.receipt)
            && let Some((what, other)) = [("run", &run), ("decision", &own)]
                .into_iter()
                .find_map(|(what, other)| Some((what, other.as_ref().filter(|other| *other != rehearsal)?)))
        {
            let message = format!(
                "the {what} records the commit {}, but the rehearsal on line {} records {}",
                other.to_short_text(),
                receipt.line,
                rehearsal.to_short_text()
            );
            let start = receipt.start.as_ref().map(|start| Label::new(start.line, paths::GIT, "the rehearsed commit"));
            let of_decision = (what == "decision").then(|| Label::new(decided.line, paths::GIT, "another commit"));
            let own = Label::new(line, if what == "run" { paths::GIT } else { paths::PLAN_ID }, "");
            let labels = [own].into_iter().chain(of_decision).chain(start);
            findings
                .extend_about(decision, [Finding::new(FindingCode::OtherCommit, line, message).with_labels(labels)]);
        }
        update(decided, |commits| {
            commits.rehearsal = rehearsal;
            commits.run = run.or(commits.run.take());
        });
    }

    /// Returns the commit of the rehearsal that supports a decision.
    fn of_rehearsal(&self, decision: &TrackedDecision) -> Option<CommitReport> {
        let start = decision.receipt.as_ref()?.start.as_ref()?.line;
        let position = self.rehearsals.binary_search_by_key(&start, |(line, _)| *line).ok()?;
        self.rehearsals.get(position).map(|(_, commit)| commit.clone())
    }
}

/// Changes the commits of a decision. Most logs have none, so an empty value takes no memory.
fn update(decision: &mut TrackedDecision, change: impl FnOnce(&mut DecisionCommits)) {
    let mut commits = decision.commits.take().map(|commits| *commits).unwrap_or_default();
    change(&mut commits);
    decision.commits = (commits != DecisionCommits::default()).then(|| Box::new(commits));
}
