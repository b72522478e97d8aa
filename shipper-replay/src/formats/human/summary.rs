//! Summary of a log: its length, integrity, rehearsal and sidecar.

use shipper_core::audit::{Counts, Integrity, LogAudit, Report, SidecarReport, SidecarStatus, TailStatus};
use shipper_core::fold::EvidenceFlaw;
use shipper_events::display_safe;

use super::phrases::{in_parentheses, plural};

/// Returns the integrity of the chain.
fn integrity_text(integrity: Integrity) -> &'static str {
    match integrity {
        Integrity::Broken => "integrity broken",
        Integrity::Unchained => "not chained",
        Integrity::Chained => "every line chained",
        Integrity::PartlyChained => "partly chained",
    }
}

/// Returns the length of the log, the integrity of its chain, and a torn tail.
pub(crate) fn extent(audit: &LogAudit) -> String {
    let tail = match audit.tail {
        TailStatus::Clean => "",
        TailStatus::Torn => ", torn tail",
    };
    let (lines, bytes) = (plural(audit.lines, "line"), plural(audit.bytes, "byte"));
    format!("{lines}, {bytes}, {}{tail}", integrity_text(audit.integrity))
}

/// Returns the outcome of a completed rehearsal.
pub(crate) fn outcome(passed: bool, unsound: &[EvidenceFlaw]) -> String {
    match (passed, unsound) {
        (true, []) => "passed".to_owned(),
        (true, flaws) => unsound_text(flaws),
        (false, _) => "failed".to_owned(),
    }
}

/// Returns the outcome of a rehearsal whose events contradict its success.
pub(super) fn unsound_text(flaws: &[EvidenceFlaw]) -> String {
    format!("says it passed, unsound{}", in_parentheses(flaws.iter().map(|flaw| flaw.as_str())))
}

/// Returns the result of the comparison with the sidecar.
pub(crate) fn sidecar(sidecar: &SidecarReport) -> String {
    match (sidecar.status, sidecar.path.as_deref().map(display_safe)) {
        (SidecarStatus::Match, Some(path)) => format!("{path} matches the log"),
        (SidecarStatus::Absent, Some(path)) => format!("there is no {path}"),
        (status, Some(path)) => format!("{path}: {}", status.as_str()),
        (_, None) => "not checked".to_owned(),
    }
}

/// Returns the number of logs by conclusion, the most severe first.
pub(crate) fn conclusions(report: &Report) -> String {
    let mut counts = Counts::default();
    report.logs.iter().for_each(|log| counts.add(log.conclusion));
    counts_text(counts)
}

/// Returns the counts that are not 0, the most severe conclusion first.
pub(super) fn counts_text(counts: Counts) -> String {
    let counts = counts.by_conclusion().into_iter().filter(|(_, count)| *count > 0);
    let counts: Vec<String> = counts.map(|(conclusion, count)| format!("{count} {conclusion}")).collect();
    counts.join(", ")
}
