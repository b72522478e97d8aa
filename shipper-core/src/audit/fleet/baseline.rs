//! Comparison of a report with an earlier one: `docs/policy.md`, "Changes since a report".

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use shipper_events::PlanId;

use super::merge::MergedReport;
use crate::audit::options::AuditOptions;
use crate::audit::report::{
    Conclusion, Decision, DecisionStatus, Finding, FindingCode, Level, LogAudit, LogReport, Report,
};
use crate::gate::VerdictKind;
use crate::words::word_enums;

word_enums! {
    /// The schema of a [`BaselineComparison`], the only one that this version writes.
    #[derive(Default)]
    pub enum ComparisonSchema {
        /// Version 1.
        #[default]
        V1 = "shipper.baseline.v1",
    }

    /// The kind of a difference between two reports.
    pub enum Change {
        /// Only the later report contains it.
        New = "new",
        /// Only the earlier report contains it.
        Gone = "gone",
        /// Both contain it, and it differs.
        Changed = "changed",
    }
}

/// The differences of a report from an earlier one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BaselineComparison {
    /// The schema of its JSON form.
    pub schema: ComparisonSchema,
    /// The exit status: 1 if something is worse, otherwise 2 if a log of the later report is unjudged, otherwise 0.
    pub exit_code: u8,
    /// True if any difference is worse.
    pub worse: bool,
    /// Number of logs of the later report.
    pub logs: u64,
    /// Number of its logs that are unjudged.
    pub unjudged: u64,
    /// The logs that differ, by path.
    pub changes: Vec<LogChange>,
}

/// The differences of one log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LogChange {
    /// The path of the log.
    pub path: String,
    /// The kind of the difference.
    pub change: Change,
    /// True if the log or one of its differences is worse.
    pub worse: bool,
    /// The conclusion in the earlier report. `None` for a new log.
    pub before: Option<Conclusion>,
    /// The conclusion in the later report. `None` for a log that is gone.
    pub now: Option<Conclusion>,
    /// Number of lines that the log has lost. `None` if it has lost none, or was not audited twice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost_lines: Option<u64>,
    /// The decisions that differ, by line. Empty for a log that is gone.
    pub decisions: Vec<DecisionChange>,
    /// The findings that differ, by line (those without one last), then by code. Empty for a log that is gone.
    pub findings: Vec<FindingChange>,
}

/// The difference of one decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DecisionChange {
    /// The line of the decision.
    pub line: u64,
    /// The plan of the decision.
    pub plan_id: PlanId,
    /// The kind of the difference.
    pub change: Change,
    /// True if it is worse.
    pub worse: bool,
    /// The decision in the earlier report. `None` for a new one.
    pub before: Option<DecisionState>,
    /// The decision in the later report. `None` for one that is gone.
    pub now: Option<DecisionState>,
}

/// The members of a decision that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DecisionState {
    /// The status.
    pub status: DecisionStatus,
    /// The derived verdict. `None` under rules that the audit does not know.
    pub verdict: Option<VerdictKind>,
}

/// The difference of one finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FindingChange {
    /// The code of the finding.
    pub code: FindingCode,
    /// The line of the finding. `None` if it has none.
    pub line: Option<u64>,
    /// The kind of the difference.
    pub change: Change,
    /// True if it is worse.
    pub worse: bool,
    /// The level in the earlier report. `None` for a new finding.
    pub before: Option<Level>,
    /// The level in the later report. `None` for a finding that is gone.
    pub now: Option<Level>,
    /// The facts, in the latest report that contains the finding.
    pub message: String,
}

/// Compares a report with an earlier one. Logs are compared by path; their options may differ.
///
/// ```
/// use shipper_core::audit::{AuditOptions, LogReport, MergedReport, Report, compare_with_baseline};
/// let report = |paths: &[&str]| {
///     let logs = paths.iter().map(|path| LogReport::unreadable(*path, "gone"));
///     Report::new(AuditOptions::default(), logs.collect())
/// };
/// let baseline = MergedReport::from(report(&["a", "b"]));
/// let comparison = compare_with_baseline(&baseline, &report(&["a"]));
/// assert_eq!((comparison.exit_code, &*comparison.changes[0].path), (1, "b"), "a missing log is worse");
/// ```
pub fn compare_with_baseline(baseline: &MergedReport, report: &Report) -> BaselineComparison {
    let before = by_path(&baseline.report.logs);
    let now = by_path(&report.logs);
    let selects_same = selects_same_decisions(&baseline.report.demand, &report.demand);
    let paths: BTreeSet<&str> = before.keys().chain(now.keys()).copied().collect();
    let changes = paths.into_iter().flat_map(|path| {
        let [before, now] = [&before, &now].map(|logs| logs.get(path).map_or(&[][..], Vec::as_slice));
        pair_logs(before, now).into_iter().filter_map(move |pair| compare_logs(path, pair, selects_same))
    });
    let changes: Vec<LogChange> = changes.collect();
    let worse = changes.iter().any(|change| change.worse);
    let unjudged = report.logs.iter().filter(|log| log.conclusion == Conclusion::Unjudged).count() as u64;
    let exit_code = match (worse, unjudged) {
        (true, _) => 1,
        (false, 0) => 0,
        (false, _) => 2,
    };
    let logs = report.logs.len() as u64;
    BaselineComparison { schema: ComparisonSchema::V1, exit_code, worse, logs, unjudged, changes }
}

fn by_path(logs: &[LogReport]) -> BTreeMap<&str, Vec<&LogReport>> {
    let mut paths: BTreeMap<&str, Vec<&LogReport>> = BTreeMap::new();
    logs.iter().for_each(|log| paths.entry(&log.path).or_default().push(log));
    paths
}

/// Returns whether both options leave out the same decisions of a log that has only grown.
fn selects_same_decisions(before: &AuditOptions, now: &AuditOptions) -> bool {
    (&before.plan_id, before.since, &before.at) == (&now.plan_id, now.since, &now.at)
}

/// A log in the earlier and in the later report.
type LogPair<'r> = (Option<&'r LogReport>, Option<&'r LogReport>);

/// Pairs the logs of one path: those with equal bytes, then the others in their order.
fn pair_logs<'r>(before: &[&'r LogReport], now: &[&'r LogReport]) -> Vec<LogPair<'r>> {
    let head = |log: &LogReport| log.audit.as_ref().map(LogAudit::head);
    let mut unpaired: BTreeMap<Option<String>, Vec<&LogReport>> = BTreeMap::new();
    before.iter().rev().for_each(|log| unpaired.entry(head(log)).or_default().push(log));
    let (mut pairs, mut rest): (Vec<LogPair<'r>>, Vec<_>) = (Vec::new(), Vec::new());
    for log in now {
        match unpaired.get_mut(&head(log)).and_then(Vec::pop) {
            Some(earlier) => pairs.push((Some(earlier), Some(*log))),
            None => rest.push(*log),
        }
    }
    let mut unpaired = unpaired.into_values().flat_map(|logs| logs.into_iter().rev());
    pairs.extend(rest.into_iter().map(|log| (unpaired.next(), Some(log))));
    pairs.extend(unpaired.map(|log| (Some(log), None)));
    pairs
}

/// Returns the differences of a log; `None` if there are none.
fn compare_logs(path: &str, (before, now): LogPair<'_>, selects_same: bool) -> Option<LogChange> {
    let change = change(before, now)?;
    let audits = (before.and_then(|log| log.audit.as_ref()), now.and_then(|log| log.audit.as_ref()));
    let (decisions, findings) = match audits {
        (before, Some(now)) => (
            compare_decisions(before.map_or(&[], |audit| &audit.decisions), &now.decisions, selects_same),
            compare_findings(before.map_or(&[], |audit| &audit.findings), &now.findings),
        ),
        _ => (Vec::new(), Vec::new()),
    };
    let lost_lines = match audits {
        (Some(before), Some(now)) => before.lines.checked_sub(now.lines).filter(|lines| *lines > 0),
        _ => None,
    };
    let (before, now) = (before.map(|log| log.conclusion), now.map(|log| log.conclusion));
    let concludes_worse = match (before, now) {
        (_, None) => true,
        (before, Some(now)) => now < before.unwrap_or(Conclusion::Verified),
    };
    let worse = concludes_worse
        || lost_lines.is_some()
        || decisions.iter().any(|decision| decision.worse)
        || findings.iter().any(|finding| finding.worse);
    let is_same = change == Change::Changed && before == now && lost_lines.is_none();
    let differs = !is_same || !decisions.is_empty() || !findings.is_empty();
    let path = path.to_owned();
    differs.then_some(LogChange { path, change, worse, before, now, lost_lines, decisions, findings })
}

/// Returns the kind of a difference; `None` without any value.
fn change<T>(before: Option<T>, now: Option<T>) -> Option<Change> {
    match (before, now) {
        (None, None) => None,
        (None, Some(_)) => Some(Change::New),
        (Some(_), None) => Some(Change::Gone),
        (Some(_), Some(_)) => Some(Change::Changed),
    }
}

/// Returns the decisions that differ. A decision that is gone is worse if both reports must contain it.
fn compare_decisions(before: &[Decision], now: &[Decision], selects_same: bool) -> Vec<DecisionChange> {
    type States = (Option<DecisionState>, Option<DecisionState>);
    let mut decisions: BTreeMap<(u64, &PlanId), States> = BTreeMap::new();
    let state = |decision: &Decision| {
        let verdict = decision.derived.as_ref().map(|derived| derived.verdict);
        DecisionState { status: decision.status, verdict }
    };
    for decision in before {
        decisions.entry((decision.line, &decision.plan_id)).or_default().0 = Some(state(decision));
    }
    for decision in now {
        decisions.entry((decision.line, &decision.plan_id)).or_default().1 = Some(state(decision));
    }
    let changed = decisions.into_iter().filter(|(_, (before, now))| before != now);
    let changes = changed.filter_map(|((line, plan_id), (before, now))| {
        let worse = match (before, now) {
            (Some(before), Some(now)) => {
                status_rank(now.status) > status_rank(before.status)
                    || verdict_rank(now.verdict) > verdict_rank(before.verdict)
            }
            (None, Some(now)) => status_rank(now.status) > 0,
            (_, None) => selects_same,
        };
        Some(DecisionChange { line, plan_id: plan_id.clone(), change: change(before, now)?, worse, before, now })
    });
    changes.collect()
}

/// Returns the rank of a status; a higher one is worse.
fn status_rank(status: DecisionStatus) -> u8 {
    match status {
        DecisionStatus::Verified | DecisionStatus::Authorized | DecisionStatus::Refused => 0,
        DecisionStatus::Permitted => 1,
        DecisionStatus::Unproven => 2,
        DecisionStatus::Unjudged => 3,
        DecisionStatus::Violated => 4,
    }
}

/// Returns the rank of a derived verdict; a higher one is worse.
fn verdict_rank(verdict: Option<VerdictKind>) -> u8 {
    match verdict {
        Some(VerdictKind::Authorized) => 0,
        Some(VerdictKind::Bypassed | VerdictKind::Dormant) => 1,
        Some(VerdictKind::Refused) => 2,
        None => 3,
    }
}

/// Returns the findings that differ. Those of one line and code are paired by their messages, then in their order.
fn compare_findings(before: &[Finding], now: &[Finding]) -> Vec<FindingChange> {
    type Key<'f> = (bool, Option<u64>, &'static str);
    let key = |finding: &Finding| -> Key<'_> { (finding.line.is_none(), finding.line, finding.code.as_str()) };
    let mut findings: BTreeMap<Key<'_>, (Vec<&Finding>, Vec<&Finding>)> = BTreeMap::new();
    before.iter().for_each(|finding| findings.entry(key(finding)).or_default().0.push(finding));
    now.iter().for_each(|finding| findings.entry(key(finding)).or_default().1.push(finding));
    findings.into_values().flat_map(|(before, now)| pair_findings(&before, &now)).collect()
}

fn pair_findings<'f>(before: &[&'f Finding], now: &[&'f Finding]) -> Vec<FindingChange> {
    let mut unpaired: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    before.iter().rev().for_each(|finding| unpaired.entry(&*finding.message).or_default().push(finding));
    let (mut pairs, mut rest) = (Vec::new(), Vec::new());
    for finding in now {
        match unpaired.get_mut(&*finding.message).and_then(Vec::pop) {
            Some(earlier) => pairs.push((Some(earlier), Some(*finding))),
            None => rest.push(*finding),
        }
    }
    let mut unpaired = unpaired.into_values().flat_map(|findings| findings.into_iter().rev());
    pairs.extend(rest.into_iter().map(|finding| (unpaired.next(), Some(finding))));
    pairs.extend(unpaired.map(|finding| (Some(finding), None)));
    pairs.into_iter().filter_map(|(before, now)| finding_change(before, now)).collect()
}

/// Returns the difference of a finding; `None` if its level is the same.
fn finding_change(before: Option<&Finding>, now: Option<&Finding>) -> Option<FindingChange> {
    let latest = now.or(before)?;
    let (before, now) = (before.map(|finding| finding.level), now.map(|finding| finding.level));
    // A note is no worse than no finding, and the most serious level is the lowest.
    let worse = now.is_some_and(|now| now < before.unwrap_or(Level::Note));
    let (code, line, message) = (latest.code, latest.line, latest.message.to_string());
    (before != now).then_some(FindingChange { code, line, change: change(before, now)?, worse, before, now, message })
}
