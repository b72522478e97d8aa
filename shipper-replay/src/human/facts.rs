//! The facts of a log, as every form for people words them.

use shipper_core::audit::{Counts, Integrity, LogAudit, Report, SidecarReport, SidecarStatus, TailStatus};
use shipper_core::fold::EvidenceFlaw;
use shipper_events::display_safe;

use super::in_words;
use super::words::count;

/// What can be said of the chain.
pub(crate) fn integrity(integrity: Integrity) -> &'static str {
    match integrity {
        Integrity::Broken => "integrity broken",
        Integrity::Unchained => "not chained",
        Integrity::Chained => "every line chained",
        Integrity::PartlyChained => "partly chained",
    }
}

/// How long the log is, and what can be said of its chain and its end.
pub(crate) fn extent(audit: &LogAudit) -> String {
    let tail = match audit.tail {
        TailStatus::Clean => "",
        TailStatus::Torn => ", torn tail",
    };
    let (lines, bytes) = (count(audit.lines, "line"), count(audit.bytes, "byte"));
    format!("{lines}, {bytes}, {}{tail}", integrity(audit.integrity))
}

/// How a completed rehearsal turned out.
pub(crate) fn outcome(passed: bool, unsound: &[EvidenceFlaw]) -> String {
    match (passed, unsound) {
        (true, []) => "passed".to_owned(),
        (true, flaws) => {
            let flaws: Vec<&str> = flaws.iter().map(|flaw| flaw.as_str()).collect();
            format!("says it passed, unsound ({})", flaws.join(", "))
        }
        (false, _) => "failed".to_owned(),
    }
}

/// What the sidecar is worth.
pub(crate) fn sidecar(sidecar: &SidecarReport) -> String {
    match (sidecar.status, sidecar.path.as_deref().map(display_safe)) {
        (SidecarStatus::Match, Some(path)) => format!("{path} matches the log"),
        (SidecarStatus::Absent, Some(path)) => format!("there is no {path}"),
        (status, Some(path)) => format!("{path}: {}", status.as_str()),
        (_, None) => "not checked".to_owned(),
    }
}

/// How many logs have which conclusion, the gravest first.
pub(crate) fn conclusions(report: &Report) -> String {
    let mut counts = Counts::default();
    report.logs.iter().for_each(|log| counts.add(log.conclusion));
    in_words(counts)
}
