//! Issues of a log as a whole, for formats that list findings: a log of which too little is known may have no finding at
//! all, and must not look like a verified one.

use shipper_core::VerdictKind;
use shipper_core::audit::{Conclusion, Finding, Level, LogAudit, LogReport, Report, RequiredVerdict};

use crate::formats::human::phrases::{gate_text, headline};

/// Kind of an issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogIssueKind {
    /// The log could not be read, or not be judged.
    Unjudged,
    /// The log proves too little.
    Inconclusive,
    /// The gate at the end of the log does not answer as `--require` requires.
    RequirementNotMet,
}

impl LogIssueKind {
    /// Every kind, in the order of the rules.
    pub(crate) const ALL: [Self; 3] = [Self::Unjudged, Self::Inconclusive, Self::RequirementNotMet];

    /// Returns the conclusion of a log with such an issue, or `None` if it may be any.
    pub(crate) fn conclusion(self) -> Option<Conclusion> {
        match self {
            Self::Unjudged => Some(Conclusion::Unjudged),
            Self::Inconclusive => Some(Conclusion::Inconclusive),
            Self::RequirementNotMet => None,
        }
    }

    /// Returns the name: that of the conclusion, if there is one.
    pub(crate) fn as_str(self) -> &'static str {
        self.conclusion().map_or("requirement-not-met", Conclusion::as_str)
    }

    /// Returns the level.
    pub(crate) fn level(self) -> Level {
        match self {
            Self::Unjudged | Self::RequirementNotMet => Level::Error,
            Self::Inconclusive => Level::Warning,
        }
    }

    /// Returns the remedy.
    pub(crate) fn help(self) -> &'static str {
        match self {
            Self::Unjudged => "check the path, that you may read what is there, and that this version knows its rules",
            Self::Inconclusive => "find out what is missing: nothing in it is wrong, and it proves too little",
            Self::RequirementNotMet => "do not publish this plan; what the gate names as its reasons comes first",
        }
    }
}

/// An issue of a log as a whole.
pub(crate) struct LogIssue {
    pub(crate) kind: LogIssueKind,
    /// One sentence that is safe to show.
    pub(crate) message: String,
}

/// Returns the issues of a log. One that is verified has none, and neither has one that is violated: its errors are
/// enough.
pub(crate) fn log_issues(log: &LogReport, report: &Report) -> Vec<LogIssue> {
    let kind = LogIssueKind::ALL.into_iter().find(|kind| kind.conclusion() == Some(log.conclusion));
    let concluded = kind.map(|kind| {
        let message = format!("{}{}", log.conclusion, headline(log, report));
        LogIssue { kind, message }
    });
    unmet_requirement(log, report.demand.require).into_iter().chain(concluded).collect()
}

fn unmet_requirement(log: &LogReport, require: Option<RequiredVerdict>) -> Option<LogIssue> {
    let required = require?.as_str();
    let gate = log.audit.as_ref()?.gate.as_ref();
    if gate.is_some_and(|gate| gate.verdict == VerdictKind::Authorized) {
        return None;
    }
    let answer = gate_text(log).unwrap_or_else(|| "nothing".to_owned());
    let message = format!("required is {required}, and the gate would answer {answer}");
    Some(LogIssue { kind: LogIssueKind::RequirementNotMet, message })
}

/// Returns the path of the file that a finding concerns: the sidecar, or the log.
pub(crate) fn path_of<'a>(finding: &Finding, audit: &'a LogAudit, log: &'a str) -> &'a str {
    let about_sidecar = finding.line.is_none() && finding.code.is_about_sidecar();
    audit.sidecar.path.as_deref().filter(|_| about_sidecar).unwrap_or(log)
}
