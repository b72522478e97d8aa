//! Issues of a whole log, for formats that list findings. A log without findings may be unjudged or inconclusive, and
//! must not look verified.

use shipper_core::VerdictKind;
use shipper_core::audit::{Conclusion, Finding, Level, LogAudit, LogReport, Report, RequiredVerdict, unsealed_cause};

use crate::formats::text::headline::reason;
use crate::formats::text::phrases::log_gate_text;
use crate::formats::text::seal::seal_text;

/// Kind of an issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogIssueKind {
    /// The log cannot be read, or has decisions under unknown rules.
    Unjudged,
    /// The evidence in the log is incomplete.
    Inconclusive,
    /// The gate at the end of the log does not give the verdict of `--require`, or no signed head covers the whole log.
    RequirementNotMet,
}

impl LogIssueKind {
    /// Every kind, in the order of the rules.
    pub(crate) const ALL: [Self; 3] = [Self::Unjudged, Self::Inconclusive, Self::RequirementNotMet];

    /// Returns the conclusion of a log with such an issue, or `None` if every conclusion is possible.
    pub(crate) fn conclusion(self) -> Option<Conclusion> {
        match self {
            Self::Unjudged => Some(Conclusion::Unjudged),
            Self::Inconclusive => Some(Conclusion::Inconclusive),
            Self::RequirementNotMet => None,
        }
    }

    /// Returns the name, which is that of the conclusion if there is one.
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
            Self::Unjudged => "check that you can read this path, and that this version supports the rules of the log",
            Self::Inconclusive => "find the missing evidence; the log contains no error, but it proves too little",
            Self::RequirementNotMet => "do not go on before you have resolved this reason",
        }
    }
}

/// An issue of a log as a whole.
pub(crate) struct LogIssue {
    pub(crate) kind: LogIssueKind,
    /// One sentence that is safe to show.
    pub(crate) message: String,
}

/// Returns the issues of a log. A verified log has no issue, and a violated one has its errors instead.
pub(crate) fn log_issues(log: &LogReport, report: &Report) -> Vec<LogIssue> {
    let kind = LogIssueKind::ALL.into_iter().find(|kind| kind.conclusion() == Some(log.conclusion));
    let concluded = kind.map(|kind| {
        let message = format!("{}: {}", log.conclusion, reason(log, report));
        LogIssue { kind, message }
    });
    let unsealed = seal_issue(log, report);
    unmet_requirement(log, report.demand.require).into_iter().chain(unsealed).chain(concluded).collect()
}

fn unmet_requirement(log: &LogReport, require: Option<RequiredVerdict>) -> Option<LogIssue> {
    let required = require?.as_str();
    let gate = log.audit.as_ref()?.gate.as_ref();
    if gate.is_some_and(|gate| gate.verdict == VerdictKind::Authorized) {
        return None;
    }
    let answer = log_gate_text(log).unwrap_or_else(|| "none".to_owned());
    let message = format!("the required verdict is {required}, but the verdict of the gate is {answer}");
    Some(LogIssue { kind: LogIssueKind::RequirementNotMet, message })
}

fn seal_issue(log: &LogReport, report: &Report) -> Option<LogIssue> {
    unsealed_cause(log.audit.as_ref()?, &report.demand).filter(|_| report.demand.require_sealed)?;
    Some(LogIssue { kind: LogIssueKind::RequirementNotMet, message: seal_text(log, &report.demand)? })
}

/// Returns the path of the file that a finding concerns: the sidecar, a file of the packet, or the log.
pub(crate) fn path_of<'a>(finding: &Finding, audit: &'a LogAudit, log: &'a str) -> &'a str {
    if let Some(kind) = finding.code.packet_file() {
        let file = audit.packet_files().find(|(other, _)| *other == kind);
        return file.and_then(|(_, file)| file.path.as_deref()).unwrap_or(log);
    }
    let about_sidecar = finding.line.is_none() && finding.code.is_about_sidecar();
    audit.sidecar.path.as_deref().filter(|_| about_sidecar).unwrap_or(log)
}
