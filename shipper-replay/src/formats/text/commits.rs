//! Text about the git commits that the events of a decision record.

use shipper_core::audit::Decision;

/// Returns the commits of a decision: one if all are equal. `None` if its events record none.
pub(crate) fn commits_text(decision: &Decision) -> Option<String> {
    let commits: Vec<_> = decision.git.as_deref()?.iter().collect();
    let (_, first) = commits.first()?;
    if commits.iter().all(|(_, commit)| commit == first) {
        return Some(format!("commit {}", first.to_short_text()));
    }
    let named: Vec<String> =
        commits.iter().map(|(name, commit)| format!("{name} {}", commit.to_short_text())).collect();
    Some(format!("commits: {}", named.join(", ")))
}
